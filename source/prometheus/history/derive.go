package history

import (
	"math"
	"slices"
)

// margin is how far around an episode must be read before it is told: as far as a run may be joined to the one before it,
// and a condition be older than the firing.
const margin = 2 * hour

// found is an episode as its series tells it. Times are 0 where there is none.
type found struct {
	start     int64
	condition int64 // when its condition became true
	last      int64 // the last evaluation that found it firing
	end       int64
	vanished  int64 // when its rule was taken away
	lapses    int64 // when Alertmanager gives it up where nothing more is told of it
	over      bool  // it fires no more
	// whole: everything before it that matters was read. before: it began before everything that there is.
	whole, before bool
}

// sender is how Prometheus, or vmalert, sends what fires.
type sender struct {
	resend int64 // the resend delay
	grace  int64 // the `for` from which on it is restored after a restart since when an alert is active
}

// repeats is how often a firing alert is sent, and patience for how long each time is good for. Prometheus sends it again with the
// first evaluation later than the resend delay after the last time, good for four times the delay or the interval
// (prometheus/prometheus, rules/alerting.go and cmd/prometheus/main.go); vmalert with each, good for three intervals.
func (s sender) repeats(interval int64, labels map[string]string) (every, patience int64) {
	if labels["alertgroup"] != "" { // only vmalert gives it
		return interval, 3 * interval
	}
	return (s.resend/interval + 1) * interval, 4 * max(s.resend, interval)
}

// episodes derives the episodes of a tape. rules are those of today that may have made its series, and from is since when
// everything is read, or else there is nothing before it (done).
func (t *tape) episodes(rules []Rule, s sender, from int64, done bool) []found {
	var out []found
	var last int64 // when the alert was last sent
	for i := range t.Firing {
		r := &t.Firing[i]
		start := t.start(r, rules)
		var cur *found
		same := i > 0 && t.sameProcess(&t.Firing[i-1], r, rules, s)
		if n := len(out); n > 0 && (same || t.Firing[i-1].End != ended && start < out[n-1].lapses) {
			// Prometheus still knew when it fired first, or Alertmanager had not given it up: it is the same one.
			cur = &out[n-1]
			cur.end, cur.vanished, cur.over = 0, 0, false
		} else {
			out = append(out, found{start: start, whole: done || r.First-margin >= from, before: t.before(r)})
			cur = &out[len(out)-1]
		}
		every, patience := s.repeats(r.Interval, t.Labels)
		sending := start
		if same {
			// The evaluation that is due next is the first that is later than the resend delay.
			sending = start + max(0, floorDiv(last+every-start+r.Interval-1, r.Interval)*r.Interval)
		}
		if sending <= r.Last+t.Offset {
			last = sending + (r.Last+t.Offset-sending)/every*every
		}
		if a := t.condition(r, cur.start); a != 0 && (cur.condition == 0 || a < cur.condition) {
			cur.condition = a
		}
		cur.last = r.Last + t.Offset
		cur.lapses = last + patience
		switch cur.over = r.End != undecided; r.End {
		case ended:
			cur.end = r.Gone + t.Offset
		case vanished:
			cur.vanished = r.Gone + t.Offset
		}
	}
	return out
}

// sameProcess says whether the process that wrote a run wrote the one before it too, and evaluations failed in between: else
// it would not know since when the alert is active, unless its rule waits for so long that this is restored. Its first two
// evaluations are written nowhere.
func (t *tape) sameProcess(before, r *stretch, rules []Rule, s sender) bool {
	i, j := t.stateAt(before.Last), t.stateAt(r.First)
	if before.End == ended || i < 0 || j < 0 || t.State[i].Value != t.State[j].Value {
		return false
	}
	for _, rule := range rules {
		if rule.For.Milliseconds() >= s.grace && r.First-before.Last >= 3*r.Interval {
			return false
		}
	}
	return true
}

// stateAt is the index of the stretch of ALERTS_FOR_STATE that has a sample then; -1 where there is none.
func (t *tape) stateAt(at int64) int {
	return slices.IndexFunc(t.State, func(s stretch) bool { return s.First <= at && at <= s.Last })
}

// fresh says whether the first sample of a run is the first that its process wrote of its alert: it was not even pending an
// evaluation before, nor before one that failed.
func (t *tape) fresh(r *stretch) bool {
	i := t.stateAt(r.First)
	return !slices.ContainsFunc(t.State, func(s stretch) bool {
		return s.First < r.First && (s.near(r.First) || i >= 0 && s.Value == t.State[i].Value)
	})
}

// start is when a run began to fire: with its first sample, but for one case. In the first two evaluations after its start
// Prometheus sends alerts and writes no samples.
func (t *tape) start(r *stretch, rules []Rule) int64 {
	first := r.First + t.Offset
	i := t.stateAt(r.First)
	if i < 0 || !t.fresh(r) {
		return first
	}
	a := t.exact(&t.State[i])
	start := first
	for n, rule := range rules {
		p := first
		// Where it was active for longer than that, the value was restored, and says nothing of when it fired.
		if k := floorDiv(first-a-rule.For.Milliseconds(), r.Interval); k == 1 || k == 2 {
			p = first - k*r.Interval
		}
		if n > 0 && p != start {
			return first // rules differ in their `for`, and nothing tells which it was
		}
		start = p
	}
	return start
}

// exact is the time that a value of ALERTS_FOR_STATE tells: the evaluation in that second. Where there was none, the value was
// restored after a restart, and the second is all that is known.
func (t *tape) exact(s *stretch) int64 {
	v := s.Value * second
	if c := v + mod(s.First+t.Offset-v, s.Interval); c < v+second {
		return c
	}
	return v
}

// before says whether a run began before everything that there is of its alert.
func (t *tape) before(r *stretch) bool {
	i := t.stateAt(r.First)
	if i < 0 || t.State[i].First < r.First || i > 0 && r.First-t.State[i-1].Last < margin {
		return false
	}
	return t.exact(&t.State[i]) < r.First+t.Offset-3*r.Interval
}

// longestOutage is for how long Prometheus may be down and still restore since when an alert is active, by default.
const longestOutage = hour

// condition is when the condition of the run of an episode became true. After a restart the value is lost or moved, so those
// of before it count, as far as nothing but cuts lies between and they are of the same episode or of nothing that fired.
func (t *tape) condition(r *stretch, start int64) int64 {
	i := t.stateAt(r.First)
	if i < 0 {
		return 0
	}
	a := t.exact(&t.State[i])
	for ; i > 0; i-- {
		s, next := &t.State[i-1], &t.State[i]
		gap := next.First - s.Last
		if !s.near(next.First) && (s.End != cut || gap > longestOutage) {
			break
		}
		if t.firedIn(s, start) {
			break
		}
		a = min(a, t.exact(s))
	}
	return min(a, r.First+t.Offset)
}

// firedIn says whether another episode than the one with that start fired in a stretch of ALERTS_FOR_STATE.
func (t *tape) firedIn(s *stretch, start int64) bool {
	return slices.ContainsFunc(t.Firing, func(r stretch) bool {
		return r.First <= s.Last && s.First <= r.Last && r.Last+t.Offset < start
	})
}

func floorDiv(a, b int64) int64 { return int64(math.Floor(float64(a) / float64(b))) }

// mod is the remainder from 0 up.
func mod(a, b int64) int64 { return ((a % b) + b) % b }
