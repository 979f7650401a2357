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
	scratch    []collected // used again by every call of figures

	availability []Availability
	openFor      int64
	poisson      map[int]Bounds // see bounds
}

// objective is an Objective with its interval as a place in the plan's.
type objective struct {
	interval int
	within   int64
}

// newPlan is the plan of options, of which the intervals, objectives, availability and how long incidents count as open are used.
func newPlan(o Options) plan {
	intervals, objectives := o.Intervals, o.Objectives
	p := plan{intervals: intervals, objectives: map[string][]objective{}, availability: o.Availability, openFor: int64(o.OpenFor),
		poisson: map[int]Bounds{}}
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

// within are the objectives in nanoseconds for incidents of a severity, by interval; -1 where there is none. It is nil where
// there is none at all.
func (p *plan) within(severity string) []int64 {
	var out []int64
	for _, s := range []string{"", severity} {
		for _, o := range p.objectives[s] {
			if out == nil {
				out = slices.Repeat([]int64{-1}, len(p.intervals))
			}
			out[o.interval] = o.within
		}
	}
	return out
}

// collected is what the rows say of one interval.
type collected struct {
	status  [nStatuses]int
	sample  []float64 // of the recorded, in seconds
	going   []float64 // how long those lasted at least whose end has not come or is not known, where they count
	met, of int       // the objective
}

// figures are the figures of the rows as of tick, and whether time alone can change them. One call at a time.
func (p *plan) figures(k Grouping, rows []*row, tick int64) (g *Group, live bool) {
	g = &Group{Grouping: k, Incidents: len(rows), DetectedBy: make(map[incident.DetectedBy]int, len(incident.Detectors))}
	var by [8]int // by place in incident.Detectors
	var impact int64
	impactOK := false
	caught, of := 0, 0
	var leads []float64
	if p.scratch == nil {
		p.scratch = make([]collected, len(p.intervals))
	}
	all := p.scratch
	for i := range all {
		all[i] = collected{sample: slices.Grow(all[i].sample[:0], len(rows)), going: all[i].going[:0]}
	}
	objectives := map[name][]int64{}
	for _, r := range rows {
		open := r.openAt(tick)
		live = live || open
		by[r.by]++
		within, ok := objectives[r.severity]
		if !ok {
			within = p.within(r.severity.Value())
			objectives[r.severity] = within
		}
		for i, s := range p.spans {
			c := &all[i]
			status, ns := r.points.measure(s, open, r.applies)
			c.status[status]++
			switch status {
			case recorded:
				c.sample = append(c.sample, seconds(ns))
				if within != nil && within[i] >= 0 {
					c.of++
					if ns <= within[i] {
						c.met++
					}
				}
			case pending, missing:
				until := tick
				if status == missing {
					until = r.heard // it lasted at least until then
				}
				if from := r.points.at(s.from); p.survives[i] && from > never && until != unknown {
					c.going = append(c.going, seconds(s.length(from, max(from, until))))
				}
			}
		}
		if !r.applies {
			continue
		}
		if ns, ok := impactAt(r.impact, r.impactOK, r.impactFrom, open, tick); ok {
			impact, impactOK = impact+ns, true
		}
		if !r.blind {
			of++
			if incident.Detectors[r.by] == incident.ByAlert {
				caught++
			}
			if r.missed {
				g.Missed++
			}
			if r.late {
				g.Late++
			}
		}
		if r.lead != unknown {
			leads = append(leads, seconds(r.lead))
		}
	}
	for i, d := range incident.Detectors {
		g.DetectedBy[d] = by[i]
	}
	g.Impact = some(seconds(impact), impactOK)
	if q, ok := Wilson(caught, of); ok {
		g.Recall = &q
	}
	slices.Sort(leads)
	if m, ok := Median(leads); ok {
		g.Lead = &m.Value
	}
	for i := range all {
		c, f := &all[i], IntervalFigures{Interval: p.intervals[i].Name, Status: make(map[incident.Status]int, nStatuses)}
		for j, s := range incident.Statuses {
			f.Status[s] = c.status[j]
		}
		f.statistics(c.sample)
		if p.survives[i] {
			slices.Sort(c.going)
			f.Survival = some(survivalMedian(c.sample, c.going))
		}
		g.Intervals = append(g.Intervals, f)
		if q, ok := Wilson(c.met, c.of); ok {
			g.Objectives = append(g.Objectives, ObjectiveFigures{f.Interval, q})
		}
	}
	return g, live
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
