package correlate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Correlate works out incidents, links and verdicts from facts. It is the specification of everything in this package:
// a pure function of the set of facts, whatever their order and however often each is repeated.
func Correlate(f incident.Facts, rules *Rules, now time.Time) Result {
	return correlate(f, rules, blindness(rules.Watchdogs, f.Beats, now), past{}, now)
}

// correlate is Correlate with the stretches of blindness worked out; it looks at no beats. before counts alerts that are not
// among the facts; those that are get counted in it too.
func correlate(f incident.Facts, rules *Rules, blind map[string][]incident.Impact, before past, now time.Time) Result {
	c := newCorrelator(rules, newDirectory(rules, nil), before)
	c.reach = incident.NewReach(f.Lives, f.Senders)
	c.tell(f, blind)
	c.pass(now)
	return c.result()
}

// standing are the records that are not withdrawn, in order of key.
func standing(records map[incident.RecordKey]*incident.Record) []*incident.Record {
	var out []*incident.Record
	for _, r := range records {
		if !r.Withdrawn {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *incident.Record) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID))
	})
	return out
}

// silencesOf are the silences as last heard of, by id.
func silencesOf(silences []incident.Silence) []incident.Silence {
	out := slices.Clone(silences)
	slices.SortFunc(out, func(a, b incident.Silence) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), b.UpdatedAt.Compare(a.UpdatedAt))
	})
	return slices.CompactFunc(out, func(a, b incident.Silence) bool { return a.ID == b.ID })
}
