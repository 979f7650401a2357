package measure

import (
	"slices"
	"time"

	"meantime/incident"
)

// plan is what a group's figures are made by, worked out once of the options.
type plan struct {
	intervals  []incident.Interval
	spans      []span
	survives   []bool // intervals that an open incident is on its way through
	objectives map[string][]objective
}

// objective is an Objective with its interval as a place in the plan's.
type objective struct {
	interval int
	within   int64
}

func newPlan(intervals []incident.Interval, objectives []Objective) plan {
	p := plan{intervals: intervals, objectives: map[string][]objective{}}
	for _, iv := range intervals {
		p.spans = append(p.spans, rangeOf(iv))
		p.survives = append(p.survives, iv.To == incident.Point(incident.Mitigated) || iv.To == incident.Point(incident.Resolved))
	}
	for _, o := range objectives {
		if i := slices.IndexFunc(intervals, func(iv incident.Interval) bool { return iv.Name == o.Interval }); i >= 0 {
			p.objectives[o.Severity] = append(p.objectives[o.Severity], objective{i, int64(o.Within)})
		}
	}
	return p
}

// within is the objective in nanoseconds for an interval of incidents of a severity, ok false where there is none.
func (p *plan) within(severity string, interval int) (ns int64, ok bool) {
	for _, s := range []string{severity, ""} {
		for _, o := range p.objectives[s] {
			if o.interval == interval {
				return o.within, true
			}
		}
	}
	return 0, false
}

// figures are the figures of the rows as of tick, and whether time alone can change them.
func (p *plan) figures(k Grouping, rows []*row, tick int64) (g *Group, live bool) {
	g = &Group{Grouping: k, Incidents: len(rows), DetectedBy: make(map[incident.DetectedBy]int, len(incident.Detectors))}
	for _, by := range incident.Detectors {
		g.DetectedBy[by] = 0
	}
	var impact int64
	impactOK := false
	caught, of := 0, 0
	var leads []float64
	for _, r := range rows {
		open := r.openAt(tick)
		live = live || open
		by := incident.Detectors[r.by]
		g.DetectedBy[by]++
		if !r.applies {
			continue
		}
		if ns, ok := impactAt(r.impact, r.impactOK, r.impactFrom, open, tick); ok {
			impact, impactOK = impact+ns, true
		}
		if !r.blind {
			of++
			if by == incident.ByAlert {
				caught++
			}
		}
		if r.lead != unknown {
			leads = append(leads, seconds(r.lead))
		}
	}
	if impactOK {
		g.Impact = some(seconds(impact), true)
	}
	if q, ok := Wilson(caught, of); ok {
		g.Recall = &q
	}
	slices.Sort(leads)
	if m, ok := Median(leads); ok {
		g.Lead = &m.Value
	}
	for i := range p.intervals {
		p.interval(g, i, rows, tick)
	}
	return g, live
}

// interval adds the figures of one interval to the group's.
func (p *plan) interval(g *Group, i int, rows []*row, tick int64) {
	f := IntervalFigures{Interval: p.intervals[i].Name, Status: make(map[incident.Status]int, len(incident.Statuses))}
	for _, s := range incident.Statuses {
		f.Status[s] = 0
	}
	var counts [5]int // by the place in incident.Statuses
	sample := make([]float64, 0, len(rows))
	var going []Life
	met, of := 0, 0
	for _, r := range rows {
		s, ns := r.points.measure(p.spans[i], r.openAt(tick), r.applies)
		counts[slices.Index(incident.Statuses, s)]++
		switch s {
		case incident.StatusRecorded:
			sample = append(sample, seconds(ns))
			if within, ok := p.within(r.severity.Value(), i); ok {
				of++
				if ns <= within {
					met++
				}
			}
		case incident.StatusPending:
			if from := r.points.at(p.spans[i].from); p.survives[i] && from != unknown {
				going = append(going, Life{Seconds: seconds(max(0, tick-from))})
			}
		}
	}
	for j, s := range incident.Statuses {
		f.Status[s] = counts[j]
	}
	f.statistics(sample)
	if p.survives[i] {
		for _, x := range sample {
			going = append(going, Life{x, true})
		}
		f.Survival = some(SurvivalMedian(going))
	}
	g.Intervals = append(g.Intervals, f)
	if q, ok := Wilson(met, of); ok {
		g.Objectives = append(g.Objectives, ObjectiveFigures{f.Interval, q})
	}
}

// statistics fills in what a sample of seconds says; it sorts the sample.
func (f *IntervalFigures) statistics(sample []float64) {
	f.N = len(sample)
	slices.Sort(sample)
	if e, ok := Median(sample); ok {
		f.Median = &e
	}
	if e, ok := GeometricMean(sample); ok {
		f.GeometricMean = &e
	}
	f.Mean = some(Mean(sample))
	if f.N >= MinP90 {
		f.P90 = some(Quantile(sample, 0.90))
	}
	if f.N >= MinP95 {
		f.P95 = some(Quantile(sample, 0.95))
	}
	if f.N > 0 {
		f.Max = some(sample[f.N-1], true)
	}
}

// some is a pointer to x, nil where it is not ok.
func some(x float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &x
}

// Step is how often figures change by the passing of time alone: what counts "so far" (an open impact, an open incident's
// time until now, an incident that counts as open for a while) is taken as of the last whole Step. The edges of
// windows are exact.
const Step = 10 * time.Second
