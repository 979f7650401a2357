package measure

import (
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// unknown is the time that is not known, in the int64 nanoseconds that this package keeps times in. Times of incidents lie
// in the years 1980 to 2200, so that neither they nor their differences overflow.
const unknown = math.MinInt64

// never is the time of a point that is not known and will not come, not even while the incident is open.
const never = unknown + 1

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return unknown
	}
	return t.UnixNano()
}

func timeOf(ns int64) time.Time {
	if ns == unknown {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// The points that an interval can name have these places in points: the milestones in the order of
// incident.MilestoneNames, then the times that alerts tell.
const (
	nMilestones    = 6
	pointCondition = nMilestones + iota - 1
	pointFired
	pointNotified
	pointEnded
	pointOpened
	nPoints
)

var allPoints = incident.Points()

// points are the times of an incident, unknown where they are not known.
type points [nPoints]int64

func pointsOf(inc *incident.Incident) points {
	var p points
	for i, name := range allPoints {
		if p[i] = nanos(inc.Point(name)); p[i] == unknown && inc.WhyUnknown(name) != "" {
			p[i] = never
		}
	}
	return p
}

// span is an interval as places in points; -1 for a point that does not exist.
type span struct {
	from, to int
	calendar *incident.Calendar
}

// length is how long it is between two times, in nanoseconds; of the time that counts where a calendar says.
func (s *span) length(from, to int64) int64 {
	if s.calendar == nil {
		return to - from
	}
	return int64(s.calendar.Between(timeOf(from), timeOf(to)))
}

func rangeOf(iv incident.Interval) span {
	return span{slices.Index(allPoints, iv.From), slices.Index(allPoints, iv.To), iv.Calendar}
}

func (p *points) at(i int) int64 {
	if i < 0 {
		return unknown
	}
	return p[i]
}

// status is a place in incident.Statuses.
type status uint8

const (
	recorded status = iota
	pending
	missing
	invalid
	notApplicable
	nStatuses = iota
)

// measure is one interval's status, with its length in nanoseconds where it is recorded.
func (p *points) measure(s span, open, applies bool) (status, int64) {
	from, to := p.at(s.from), p.at(s.to)
	switch {
	case !applies:
		return notApplicable, 0
	case from > never && to > never:
		if to < from {
			return invalid, 0
		}
		return recorded, s.length(from, to)
	case open && to == unknown:
		return pending, 0
	case open && s.from == pointEnded && p[pointFired] != unknown:
		return pending, 0
	}
	return missing, 0
}

// impactOf sums the impact windows that have an end, overlaps counted once. openFrom is where the last window begins if it
// has no end, and not before the others have ended; unknown otherwise.
func impactOf(inc *incident.Incident) (closed int64, known bool, openFrom int64) {
	openFrom = unknown
	w := slices.Clone(inc.Impacts)
	slices.SortFunc(w, func(a, b incident.Impact) int { return a.From.Compare(b.From) })
	end := int64(unknown)
	for i := range w {
		from, to := nanos(w[i].From), nanos(w[i].To)
		if from == unknown {
			continue
		}
		from = max(from, end)
		switch {
		case to == unknown && i == len(w)-1:
			openFrom = from
		case to == unknown:
		default:
			known = true
			closed += max(0, to-from)
			end = max(end, to)
		}
	}
	return closed, known, openFrom
}

func impactAt(closed int64, known bool, openFrom int64, open bool, now int64) (ns int64, ok bool) {
	if open && openFrom != unknown {
		return closed + max(0, now-openFrom), true
	}
	return closed, known
}

// stretch is a stretch of time in nanoseconds.
type stretch struct{ from, to int64 }

// BlindSeconds is the time in [from, to] in which at least one watchdog was silent. A stretch without an end goes on until to.
func BlindSeconds(blind map[string][]incident.Impact, from, to time.Time) float64 {
	var all []stretch
	for _, list := range blind {
		for _, w := range list {
			s := stretch{nanos(w.From), to.UnixNano()}
			if !w.To.IsZero() {
				s.to = w.To.UnixNano()
			}
			all = append(all, s)
		}
	}
	return seconds(covered(all, from.UnixNano(), to.UnixNano()))
}
