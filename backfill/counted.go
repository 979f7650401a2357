package backfill

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/measure"
)

// counted is one value of the all-time histogram with the time at which it counts.
type counted struct {
	at time.Time // zero: before every step
	measure.Observation
}

// load reads the store: a book of what the windows of every step hold, and the values of the histogram in the order in
// which they count.
func load(ctx context.Context, o Options, s steps) (*measure.Book, []counted, error) {
	mo := o.Measure
	mo.Newest = 0
	var longest time.Duration
	for _, w := range mo.Windows {
		longest = max(longest, w.Length)
	}
	ledger := measure.NewLedger(mo.Intervals, mo.MaxServices, 0)
	if err := ledger.Load(o.Facts.Ledger(ctx)); err != nil {
		return nil, nil, err
	}
	book, ends := measure.NewBook(mo), endings{intervals: mo.Intervals, of: map[string]ending{}}
	err := book.Load(ends.noting(o.Facts.EachIncident(ctx, time.Time{})), o.Facts.EachVerdict(ctx, s.at(0).Add(-longest), s.at(s.n-1)))
	if err != nil {
		return nil, nil, err
	}
	book.Watched(o.Watched)
	var values []counted
	for v := range ledger.All() {
		values = append(values, counted{ends.at(&v), v})
	}
	slices.SortFunc(values, func(a, b counted) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.Incident, b.Incident), strings.Compare(a.Interval, b.Interval))
	})
	return book, values, nil
}

// endings know when the intervals of incidents ended.
type endings struct {
	intervals []incident.Interval
	of        map[string]ending // by ID and alias
}

// ending are the times of one incident.
type ending struct {
	at   time.Time
	ends []time.Time // by interval
}

// noting passes incidents on and notes their times.
func (e *endings) noting(incidents iter.Seq2[incident.Incident, error]) iter.Seq2[incident.Incident, error] {
	return func(yield func(incident.Incident, error) bool) {
		for inc, err := range incidents {
			if err == nil {
				e.note(&inc)
			}
			if !yield(inc, err) {
				return
			}
		}
	}
}

func (e *endings) note(inc *incident.Incident) {
	x := ending{at: inc.At(), ends: make([]time.Time, len(e.intervals))}
	for i, iv := range e.intervals {
		x.ends[i] = inc.Point(iv.To)
	}
	e.of[inc.ID] = x
	for _, a := range inc.Aliases {
		if _, ok := e.of[a]; !ok { // an ID that is in use outranks an alias
			e.of[a] = x
		}
	}
}

// at is when a value counts: at the end of its interval; where that is not known any more, when its incident began; where
// that is not known either, or the incident is gone, before every step. A histogram cannot take back, and the daemon's has
// the value, so there is a time for each.
func (e *endings) at(v *measure.Observation) time.Time {
	x, ok := e.of[v.Incident]
	if !ok {
		return time.Time{}
	}
	i := slices.IndexFunc(e.intervals, func(iv incident.Interval) bool { return iv.Name == v.Interval })
	if i < 0 || x.ends[i].IsZero() {
		return x.at
	}
	return x.ends[i]
}

func labelsOf(values []counted) []measure.Labels {
	out := make([]measure.Labels, len(values))
	for i := range values {
		out[i] = values[i].Labels
	}
	return out
}

func observations(values []counted) iter.Seq[measure.Observation] {
	return func(yield func(measure.Observation) bool) {
		for i := range values {
			if !yield(values[i].Observation) {
				return
			}
		}
	}
}
