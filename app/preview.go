package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
)

// mostPreviewed is how many alerts and records a preview works out at once: it has them all in memory, twice.
const mostPreviewed = 200_000

// Preview says what the configuration in a file would make of the facts of a period: incidents, links and figures that would be otherwise than
// by the one in force. Nothing is stored. Where records and alerts come from, and labels that are dropped from alerts that come
// in, are not compared: both sides have the facts that are stored.
func Preview(ctx context.Context, o Options, file string, q measure.Question) (out *preview.Change, err error) {
	x, err := ask(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	c, err := config.Load(file, o.Environ)
	if err != nil {
		return nil, err
	}
	other, err := c.Validate()
	if err != nil {
		return nil, err
	}
	return previewed(ctx, x, x.config(), other, q, x.now())
}

// previewed compares what two configurations make of the same facts.
func previewed(ctx context.Context, s correlate.FactsReader, now, other *config.Validated, q measure.Question, at time.Time) (*preview.Change, error) {
	p, err := q.Period(windowsOf(now), at)
	if err != nil {
		return nil, err
	}
	// What is far before the period has no part in it: incidents that are open for long are of records, and read by their span.
	f, err := factsOf(ctx, s, p.Before.Add(-now.Rules.OpenFor), p.To)
	if err != nil {
		return nil, err
	}
	var sides [2]preview.Side
	for i, c := range []*config.Validated{now, other} {
		res := correlate.Correlate(f, &c.Rules, at)
		o := measureOptions(c)
		o.By = nil // both sides have the same groups
		r, err := measure.NewReport(measure.ReportOptions{Options: o, Period: p}, ranged(res.Incidents), ranged(res.Verdicts))
		if err != nil {
			return nil, err
		}
		sides[i] = preview.Side{Incidents: res.Incidents, Report: r}
	}
	return preview.Compare(sides[0], sides[1], p.From, p.To), nil
}

func ranged[T any](l []T) func(yield func(T, error) bool) {
	return func(yield func(T, error) bool) {
		for _, x := range l {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// factsOf are the facts of a stretch of time, where they are not too many.
func factsOf(ctx context.Context, s correlate.FactsReader, from, to time.Time) (f incident.Facts, err error) {
	if f.Sightings, err = s.Sightings(ctx, from, to); err != nil {
		return f, err
	}
	if f.Records, err = s.Records(ctx, from, to); err != nil {
		return f, err
	}
	if n := len(f.Sightings) + len(f.Records); n > mostPreviewed {
		return f, fmt.Errorf("%d alerts and records are more than the %d that can be previewed; ask for a shorter period", n, mostPreviewed)
	}
	if f.Reviews, err = s.Reviews(ctx); err != nil {
		return f, err
	}
	if f.Silences, err = s.Silences(ctx, from, to); err != nil {
		return f, err
	}
	if f.Beats, err = s.Beats(ctx, from, to); err != nil {
		return f, err
	}
	f.Lives, f.Senders, err = s.Reach(ctx)
	f.Reviews = slices.Clip(f.Reviews)
	return f, err
}
