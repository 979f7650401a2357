package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"meantime/config"
	"meantime/correlate/catalog"
	"meantime/incident"
	"meantime/letter"
	"meantime/measure"
	"meantime/store/sqlstore"
)

// Question is what the commands that read figures ask for; they know the app alone.
type Question = measure.Question

// answers answers questions about figures, for the commands, the API and the pages alike. It reads the store each time, so that
// a figure can be of any period, and measures by the same code as the metrics.
type answers struct {
	config func() *config.Validated
	store  figuresReader
	now    func() time.Time
	// address is where the pages are, for links.
	address func() string
}

// Letter is the letter of a period by its name, with links to the pages.
func (a *answers) Letter(ctx context.Context, period string, q measure.Question) (*letter.Letter, error) {
	address := a.address()
	if address != "" {
		address += "/"
	}
	return letter.Write(ctx, a, a.store, q, period, address)
}

// figuresReader is what answers are made of.
type figuresReader interface {
	EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error]
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
	Began(ctx context.Context) (time.Time, error)
	IncidentNames(ctx context.Context) (services, severities []string, err error)
}

// meant is the question with a service and a severity by the names that figures have.
func (a *answers) meant(q measure.Question, names *measure.Names) measure.Question {
	c := namesOf(a.config())
	if s := c.Severity(q.Severity); !slices.Contains(names.Severities, q.Severity) && slices.Contains(names.Severities, s) {
		q.Severity = s
	}
	if s := c.Canonical(q.Service); !slices.Contains(names.Services, q.Service) && slices.Contains(names.Services, s) {
		q.Service = s
	}
	return q
}

// namesOf knows services and severities by all their names.
func namesOf(c *config.Validated) *catalog.Catalog {
	return catalog.New(&catalog.Rules{Services: c.Rules.Services, Severities: c.Rules.Severities}, nil)
}

// names are all that a question can ask for: those of incidents, and those of the configuration.
func (a *answers) names(ctx context.Context) (*measure.Names, error) {
	c := a.config()
	services, severities, err := a.store.IncidentNames(ctx)
	for _, x := range c.Rules.Services.Aliases {
		services = append(services, x.Service)
	}
	for _, x := range c.Rules.Services.Rules {
		services = append(services, x.Service)
	}
	severities = append(severities, c.Rules.Severities.Order...)
	sorted := func(l []string) []string {
		slices.Sort(l)
		return slices.DeleteFunc(slices.Compact(l), func(s string) bool { return s == "" })
	}
	return &measure.Names{Services: sorted(services), Severities: sorted(severities)}, err
}

// understood is the question and its period, where everything that it names is known.
func (a *answers) understood(ctx context.Context, q measure.Question) (measure.Question, measure.Period, error) {
	p, err := q.Period(windowsOf(a.config()), a.now())
	if err != nil || q.Service+q.Severity == "" {
		return q, p, err
	}
	names, err := a.names(ctx)
	if err != nil {
		return q, p, err
	}
	q = a.meant(q, names)
	return q, p, names.Check(&q)
}

func windowsOf(c *config.Validated) (out []measure.Window) {
	for _, w := range c.Windows {
		out = append(out, measure.Window{Name: w.Name, Length: w.Duration})
	}
	return out
}

// Report is the figures of a period and of the one before it, of the groups that are asked for.
func (a *answers) Report(ctx context.Context, q measure.Question) (*measure.Report, error) {
	r, _, err := a.Explained(ctx, q, nil)
	return r, err
}

// Explained is a report with the explanations of some intervals of the group asked for, of one reading of the store.
func (a *answers) Explained(ctx context.Context, q measure.Question, intervals []string) (*measure.Report, []*measure.Explanation, error) {
	q, p, err := a.understood(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	by := a.config().By
	if _, _, _, err := q.Groups(by); err != nil {
		return nil, nil, err
	}
	asked, err := q.Grouping(by)
	if err != nil {
		return nil, nil, err
	}
	var explainers []*measure.Explainer
	for _, iv := range a.config().Intervals {
		if slices.Contains(intervals, iv.Name) {
			explainers = append(explainers, measure.NewExplainer(measure.ExplainOptions{
				Interval: iv, Period: p, Grouping: asked,
			}))
		}
	}
	o := measure.ReportOptions{Options: measureOptions(a.config()), Period: p, Asked: asked}
	if o.Watched, err = a.store.Began(ctx); err != nil {
		return nil, nil, err
	}
	each := func(yield func(incident.Incident, error) bool) {
		for inc, err := range a.store.EachIncident(ctx, p.Before.Add(-o.OpenFor)) {
			if err == nil {
				for _, x := range explainers {
					x.Add(&inc)
				}
			}
			if !yield(inc, err) {
				return
			}
		}
	}
	r, err := measure.NewReport(o, each, a.store.EachVerdict(ctx, p.Before, p.To))
	if err != nil {
		return nil, nil, err
	}
	var explanations []*measure.Explanation
	for _, x := range explainers {
		explanations = append(explanations, x.Explanation())
	}
	return r, explanations, r.Only(&q, by...)
}

// Explain is one figure by its incidents.
func (a *answers) Explain(ctx context.Context, q measure.Question) (*measure.Explanation, error) {
	iv, err := q.Asked(a.config().Intervals)
	if err != nil {
		return nil, err
	}
	q, p, err := a.understood(ctx, q)
	if err != nil {
		return nil, err
	}
	asked, err := q.Grouping(a.config().By)
	if err != nil {
		return nil, err
	}
	if asked.Label != "" { // only a report knows which values there are
		_, e, err := a.Explained(ctx, q, []string{iv.Name})
		if err != nil {
			return nil, err
		}
		return e[0], nil
	}
	return measure.Explain(a.store.EachIncident(ctx, p.From), measure.ExplainOptions{Interval: iv, Period: p, Grouping: asked})
}

// stored are the answers of a store that is open for reading, beside a daemon that may be running on it.
type stored struct {
	answers
	*sqlstore.Store
}

// ask opens the store beside a daemon that may be running on it. The caller closes it.
func ask(ctx context.Context, o Options) (*stored, error) {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.Open(ctx, string(c.Store.DSN), sqlstore.Options{Logger: a.logger, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return &stored{answers{func() *config.Validated { return c }, s, a.now, func() string { return "" }}, s}, nil
}

// Report is the figures of a period and of the one before it.
func Report(ctx context.Context, o Options, q measure.Question) (r *measure.Report, err error) {
	x, err := ask(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	return x.Report(ctx, q)
}

// Letter is the letter of a period.
func Letter(ctx context.Context, o Options, period string, q measure.Question) (l *letter.Letter, err error) {
	x, err := ask(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	return x.Letter(ctx, period, q)
}

// Explain is one figure by its incidents.
func Explain(ctx context.Context, o Options, q measure.Question) (e *measure.Explanation, err error) {
	x, err := ask(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	return x.Explain(ctx, q)
}

// Simulate says how large a change the incidents of a figure could show: between two groups of n of them (0: as many as
// the period has), with a true change of that share.
func Simulate(ctx context.Context, o Options, q measure.Question, n int, change float64) (*measure.Simulation, error) {
	e, err := Explain(ctx, o, q)
	if err != nil {
		return nil, err
	}
	sample := e.Seconds()
	s, ok := measure.Simulate(sample, measure.SimulateOptions{N: n, Change: change})
	if !ok {
		return nil, fmt.Errorf("too few incidents: %d with a recorded %s in %s, and it takes %d", len(sample), e.Interval.Name, e.Period(),
			measure.MinBounds)
	}
	return &s, nil
}

func objectives(c *config.Validated) (out []measure.Objective) {
	for _, x := range c.Objectives {
		out = append(out, measure.Objective{Severity: x.Severity, Interval: x.Interval, Within: x.Within})
	}
	return out
}
