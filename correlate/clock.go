package correlate

import (
	"iter"
	"time"
)

// stretch is a stretch of time, both ends included.
type stretch struct{ from, to time.Time }

func (s stretch) widen(by time.Duration) stretch {
	return stretch{s.from.Add(-by), earliest(s.to.Add(by), forever)}
}

func (s stretch) touches(o stretch) bool { return !s.to.Before(o.from) && !s.from.After(o.to) }

func (s stretch) holds(t time.Time) bool { return !t.Before(s.from) && !t.After(s.to) }

// join is the shortest stretch that holds both; one that is zero holds nothing.
func (s stretch) join(o stretch) stretch {
	if s.from.IsZero() {
		return o
	}
	if o.from.IsZero() {
		return s
	}
	return stretch{earliest(s.from, o.from), latest(s.to, o.to)}
}

// clock holds the moments at which time alone changes an answer: an alert has not been heard of for too long, an incident
// that alerts opened has been quiet for long enough, a record counts as open no more.
type clock map[string]moment

type moment struct {
	at time.Time
	of stretch // what has to be looked at again then
	// fingerprint is that of the episode, empty for an incident.
	fingerprint string
}

// set notes the moment of one incident or episode, in place of the one noted before; a zero time notes none.
func (c clock) set(of string, m moment) {
	if m.at.IsZero() || m.of.from.IsZero() {
		delete(c, of)
		return
	}
	c[of] = m
}

// next is the next moment; zero where there is none.
func (c clock) next() time.Time {
	var next time.Time
	for _, m := range c {
		next = earliest(next, m.at)
	}
	return next
}

// due are the moments that have come. They stay noted until the pass that looks at them is delivered.
func (c clock) due(now time.Time) iter.Seq2[string, moment] {
	return func(yield func(string, moment) bool) {
		for k, m := range c {
			if !m.at.After(now) && !yield(k, m) {
				return
			}
		}
	}
}
