package assign

import "math"

// startLateness are the shares of lateness where nothing was learned yet.
var startLateness = [4][4]float64{
	Started:      {0.70, 0.12, 0.08, 0.10},
	Detected:     {0.55, 0.20, 0.13, 0.12},
	Acknowledged: {0.30, 0.15, 0.40, 0.15},
	Created:      {0.15, 0.15, 0.50, 0.20},
}

const (
	startCounts = 4.0      // incidents that the start counts for
	leastLate   = 0.25     // of its start is a share at least
	justEarly   = 3.0 / 60 // hours before an onset that are just before it
	soonEarly   = 0.5      // and a while before
	mostAfter   = 1.0      // T: after an onset; what begins later has other reasons to
)

// Early counts the alerts of an incident by when they began: after its onset, just before, a while before and long before.
type Early [4]int

// Count counts an alert that began so many hours after the onset.
func (e *Early) Count(after, tempo float64) {
	switch {
	case after > mostAfter*tempo:
	case after >= 0:
		e[0]++
	case after >= -justEarly:
		e[1]++
	case after >= -soonEarly:
		e[2]++
	default:
		e[3]++
	}
}

// Learn makes shares of what incidents were like, one after the other by milestone. Each counts once, however many alerts it
// has. The result is rounded, so that one more seldom changes it.
type Learn struct {
	sum   [4][4]float64
	count [4]float64
}

// Add takes in an incident. A start that is told says nothing of when people came.
func (l *Learn) Add(m Milestone, e Early) {
	total := e[0] + e[1] + e[2] + e[3]
	if total == 0 || m == Started {
		return
	}
	l.count[m]++
	for i, n := range e {
		l.sum[m][i] += float64(n) / float64(total)
	}
}

// Shares are those that were learned.
func (l *Learn) Shares() (out [4][4]float64) {
	for m := range out {
		for i, start := range startLateness[m] {
			x := (startCounts*start + l.sum[m][i]) / (startCounts + l.count[m])
			out[m][i] = start * math.Exp(math.Round(math.Log(math.Max(leastLate, x/start))*4)/4)
		}
	}
	return out
}
