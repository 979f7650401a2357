package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"meantime/config"
	"meantime/incident"
	"meantime/measure"
	"meantime/store/sqlstore"
)

// Question is what the commands that read figures ask for.
type Question struct {
	Window   string // a configured window's name or any duration, such as 28d; empty: the first configured
	To       string // the end of the window, an RFC 3339 time; empty: now
	Interval string // empty: resolve
	Service  string
	Severity string
}

// asked is a question put to a store that is open for reading.
type asked struct {
	Question
	config   *config.Validated
	store    *sqlstore.Store
	window   measure.Window
	to       time.Time
	interval incident.Interval
}

// ask opens the store beside a daemon that may be running on it. The caller closes it.
func ask(ctx context.Context, o Options, q Question) (*asked, error) {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	out := &asked{Question: q, config: c, to: a.now()}
	if q.To != "" {
		if out.to, err = incident.ParseTime(q.To); err != nil {
			return nil, fmt.Errorf("to: %w", err)
		}
	}
	if out.window, err = windowOf(q.Window, c.Windows); err != nil {
		return nil, err
	}
	if out.Interval == "" {
		out.Interval = "resolve"
	}
	i := slices.IndexFunc(c.Intervals, func(iv incident.Interval) bool { return iv.Name == out.Interval })
	if i < 0 {
		var names []string
		for _, iv := range c.Intervals {
			names = append(names, iv.Name)
		}
		return nil, fmt.Errorf("no interval %q; there are %v", out.Interval, names)
	}
	out.interval = c.Intervals[i]
	out.store, err = sqlstore.Open(ctx, string(c.Store.DSN), sqlstore.Options{Logger: a.logger, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return out, nil
}

// windowOf is the window of a name or a duration.
func windowOf(name string, configured []config.Window) (measure.Window, error) {
	if name == "" {
		return measure.Window{Name: configured[0].Name, Length: configured[0].Duration}, nil
	}
	for _, w := range configured {
		if w.Name == name {
			return measure.Window{Name: w.Name, Length: w.Duration}, nil
		}
	}
	d, err := model.ParseDuration(name)
	if err != nil || d == 0 {
		return measure.Window{}, fmt.Errorf("window %q: not a duration such as 28d", name)
	}
	return measure.Window{Name: name, Length: time.Duration(d)}, nil
}

// Report is the figures of a window and of the one before it.
func Report(ctx context.Context, o Options, q Question) (r *measure.Report, err error) {
	x, err := ask(ctx, o, q)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.store.Close()) }()
	ro := measure.ReportOptions{Options: measureOptions(x.config), Window: x.window, To: x.to}
	if ro.Watched, err = x.store.Began(ctx); err != nil {
		return nil, err
	}
	return measure.NewReport(ro, x.store.EachIncident(ctx, ro.From().Add(-measure.Reach)), x.store.EachVerdict(ctx, ro.From(), x.to))
}

// Explain is one figure by its incidents.
func Explain(ctx context.Context, o Options, q Question) (e *measure.Explanation, err error) {
	x, err := ask(ctx, o, q)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.store.Close()) }()
	return measure.Explain(x.store.EachIncident(ctx, x.to.Add(-x.window.Length)), measure.ExplainOptions{
		Interval: x.interval, Window: x.window, To: x.to, Grouping: x.grouping(),
	})
}

func (x *asked) grouping() measure.Grouping {
	return measure.Grouping{Service: x.Service, Severity: x.Severity}
}

// Simulate says how large a change the incidents of a figure could show: between two groups of n of them (0: as many as
// the window has), with a true change of that share.
func Simulate(ctx context.Context, o Options, q Question, n int, change float64) (sim *measure.Simulation, err error) {
	x, err := ask(ctx, o, q)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.store.Close()) }()
	sample, err := measure.Sample(x.store.EachIncident(ctx, x.to.Add(-x.window.Length)), x.interval, x.grouping(), x.window, x.to)
	if err != nil {
		return nil, err
	}
	s, ok := measure.Simulate(sample, measure.SimulateOptions{N: n, Change: change})
	if !ok {
		return nil, fmt.Errorf("too few incidents: %d with a recorded %s in the window %s, and it takes %d", len(sample), x.Interval, x.window.Name, measure.MinBounds)
	}
	return &s, nil
}

func objectives(c *config.Validated) (out []measure.Objective) {
	for _, x := range c.Objectives {
		out = append(out, measure.Objective{Severity: x.Severity, Interval: x.Interval, Within: x.Within})
	}
	return out
}
