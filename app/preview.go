package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
	"meantime/source/prometheus/topology"
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
	c, err := config.Load(file, newApp(o).options.Environ)
	if err != nil {
		return nil, err
	}
	other, err := c.Validate()
	if err != nil {
		return nil, err
	}
	return previewed(ctx, x, x.config(), other, q, x.now())
}

// preview says what a configuration that somebody sent would make of the facts of a period. One is worked out at a time. Files that the text
// names are not read.
func (a *App) preview(ctx context.Context, text []byte, q measure.Question) (*preview.Change, error) {
	if !a.previewing.TryLock() {
		return nil, preview.ErrBusy
	}
	defer a.previewing.Unlock()
	c, err := config.Parse("configuration", text, a.options.Environ)
	if err != nil {
		return nil, mistakes(err)
	}
	other, err := c.Validate()
	if err != nil {
		return nil, mistakes(err)
	}
	return previewed(ctx, a.store, a.config.Load(), other, q, a.now())
}

// mistakes are those of a configuration that was sent, in the same words as check-config has, as something that a person can do something
// about.
func mistakes(err error) error {
	var all config.Problems
	if !errors.As(err, &all) {
		return incident.Errorf(incident.CodeInvalid, "%w", err)
	}
	var out incident.Problems
	for _, p := range all {
		place := p
		place.Message = ""
		out = append(out, incident.Problem{Path: strings.TrimSuffix(place.String(), ": "), Message: p.Message})
	}
	return out
}

// factsAndLearned is what a preview is made of.
type factsAndLearned interface {
	correlate.FactsReader
	topology.Reader
}

// previewed compares what two configurations make of the same facts.
func previewed(ctx context.Context, s factsAndLearned, now, other *config.Validated, q measure.Question, at time.Time) (*preview.Change, error) {
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
		rules, err := rulesOf(ctx, s, c)
		if err != nil {
			return nil, err
		}
		// Neither step can be stopped within; who asked may have gone before the next.
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		res := correlate.Correlate(f, &rules, at)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
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

func tooMany(n int) error {
	return incident.Errorf(incident.CodeInvalid, "%d alerts and records are more than the %d that can be previewed; ask for a shorter period", n, mostPreviewed)
}

// factsOf are the facts of a stretch of time, where they are not too many.
func factsOf(ctx context.Context, s correlate.FactsReader, from, to time.Time) (f incident.Facts, err error) {
	// In growing parts, so that far too many are refused before all of them are in memory.
	for part := time.Duration(8); part >= 1; part /= 2 {
		if f.Sightings, err = s.Sightings(ctx, to.Add(-to.Sub(from)/part), to); err != nil {
			return f, err
		}
		if n := len(f.Sightings); n > mostPreviewed {
			return f, tooMany(n)
		}
	}
	if f.Records, err = s.Records(ctx, from, to); err != nil {
		return f, err
	}
	if n := len(f.Sightings) + len(f.Records); n > mostPreviewed {
		return f, tooMany(n)
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
