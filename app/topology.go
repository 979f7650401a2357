package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"meantime/config"
	"meantime/correlate"
	"meantime/correlate/catalog"
	"meantime/incident"
	"meantime/source"
	"meantime/source/prometheus/topology"
)

const (
	// topologyEvery is how often it is looked whether a day is over that was not asked for.
	topologyEvery = time.Hour
	// topologyTimeout bounds the questions for seven days.
	topologyTimeout = 2 * time.Minute
)

// topologyJob asks a Prometheus which service calls which.
func (a *App) topologyJob(p *config.Prometheus, client *source.Client) source.Job {
	return source.Job{
		Source: topology.New(topology.Options{
			Name: jobName(topologyJob, p.Name), Client: client, Store: a.store, Logger: a.logger, Now: a.now,
			Changed: func(ctx context.Context) error {
				if t := a.term.Load(); t != nil {
					return a.learned(ctx, t)
				}
				return nil
			},
		}),
		Interval: topologyEvery, Timeout: topologyTimeout, Config: shape(p, secretsOf(&p.Client)...),
	}
}

// learned gives a term's correlation the rules as they are by what was learned. Where that is what it was, nothing is worked out
// again.
func (a *App) learned(ctx context.Context, t *term) error {
	for {
		c := a.config.Load()
		rules, err := a.rules(ctx, c)
		if err != nil {
			return err
		}
		t.runner.SetRules(rules)
		if a.config.Load() == c {
			return nil
		}
	}
}

// rules are those of a configuration with the dependencies that were learned. They depend on both and on nothing else.
func (a *App) rules(ctx context.Context, c *config.Validated) (correlate.Rules, error) {
	return rulesOf(ctx, a.store, c)
}

func rulesOf(ctx context.Context, s topology.Reader, c *config.Validated) (correlate.Rules, error) {
	rules := c.Rules
	rules.Learned = nil
	all := map[string]map[string]bool{}
	err := eachLearned(ctx, s, c, func(_ string, l *topology.Learned) {
		if !l.Counts() {
			return
		}
		if all[l.From] == nil {
			all[l.From] = map[string]bool{}
		}
		all[l.From][l.To] = true
	})
	for from, to := range all {
		d := catalog.Dependency{Service: from}
		for n := range to {
			d.Needs = append(d.Needs, n)
		}
		slices.Sort(d.Needs)
		rules.Learned = append(rules.Learned, d)
	}
	slices.SortFunc(rules.Learned, func(x, y catalog.Dependency) int { return strings.Compare(x.Service, y.Service) })
	return rules, err
}

// eachLearned gives what every Prometheus that is asked has told, with the name of its source.
func eachLearned(ctx context.Context, s topology.Reader, c *config.Validated, take func(name string, l *topology.Learned)) error {
	for i := range c.Prometheuses {
		if !c.Prometheuses[i].Topology {
			continue
		}
		name := jobName(topologyJob, c.Prometheuses[i].Name)
		list, err := topology.Read(ctx, s, name)
		if err != nil {
			return err
		}
		for j := range list {
			take(name, &list[j])
		}
	}
	return nil
}

// dependencies are all that are configured or were learned, by service.
func (a *App) dependencies(ctx context.Context) ([]incident.Dependency, error) {
	c := a.config.Load()
	names := catalog.New(&catalog.Rules{Services: c.Rules.Services, Dependencies: c.Rules.Dependencies}, nil)
	var out []incident.Dependency
	for _, d := range c.Rules.Dependencies {
		for _, n := range d.Needs {
			out = append(out, incident.Dependency{Service: d.Service, Needs: n, Counts: true})
		}
	}
	err := eachLearned(ctx, a.store, c, func(name string, l *topology.Learned) {
		d := incident.Dependency{
			Service: names.Canonical(l.From), Needs: names.Canonical(l.To), Source: strings.Replace(name, topologyJob, prometheusJob, 1), Via: l.Via,
			RequestsPerDay: l.Requests, Days: l.Days, LastDay: l.Last.Format(time.DateOnly),
			Outranked: names.Outranked(l.From, l.To),
		}
		d.Counts = l.Counts() && !d.Outranked && d.Service != d.Needs
		out = append(out, d)
	})
	slices.SortStableFunc(out, func(x, y incident.Dependency) int {
		return cmp.Or(strings.Compare(x.Service, y.Service), strings.Compare(x.Needs, y.Needs), strings.Compare(x.Source, y.Source))
	})
	return out, err
}
