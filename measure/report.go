package measure

import (
	"iter"
	"maps"
	"slices"
	"time"

	"meantime/incident"
)

// Report has the figures of a period and of the one before it, and what changed between the two.
type Report struct {
	Window string    `json:"window"` // a window's name or a month; empty for one from and to
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Before time.Time `json:"before"`
	// Watched is since when anything is known at all: of what was before that, no figure is 0, but not known. Zero where nothing is.
	Watched time.Time     `json:"watched_from,omitzero"`
	Groups  []ReportGroup `json:"groups"` // everything first, then by service, by severity, by both, by labels
}

// ReportGroup is one group in both windows.
type ReportGroup struct {
	Grouping
	Now    *Group `json:"now"`
	Before *Group `json:"before"`
	// Precision is the share of alert episodes that belonged to an incident; nil where there were none.
	Precision       *Ratio       `json:"alert_precision,omitempty"`
	PrecisionBefore *Ratio       `json:"alert_precision_before,omitempty"`
	Changes         []Comparison `json:"changes"`
	// Reliability and ReliabilityBefore are nil where nothing was watched.
	Reliability       *Reliability    `json:"reliability,omitempty"`
	ReliabilityBefore *Reliability    `json:"reliability_before,omitempty"`
	RateChange        *RateComparison `json:"rate_change,omitempty"`
}

// ReportOptions say what to report on.
type ReportOptions struct {
	Options           // of which the windows and limits are not used
	Period            // its end is the time up to which what is open counts
	Asked   Grouping  // a group that is in the report although nothing is known of it
	Watched time.Time // since when anything is known at all
}

// NewReport reports on incidents and the verdicts of episodes, of which it needs those of the period, of the one before it, and
// incidents of which anything is known from Options.OpenFor before that on. It uses what lies in its windows by the same rule as the metrics, so its figures are
// theirs. It stops at the first error.
func NewReport(o ReportOptions, incidents iter.Seq2[incident.Incident, error], verdicts iter.Seq2[incident.Verdict, error]) (*Report, error) {
	p, tick := newPlan(o.Options), o.To.Truncate(Step).UnixNano()
	rep := &Report{Window: o.Name, From: o.From, To: o.To, Before: o.Before, Watched: o.Watched}
	edges := o.edges()

	var rows [2]map[groupKey][]*row // before, now
	rows[0], rows[1] = map[groupKey][]*row{everything: nil}, map[groupKey][]*row{everything: nil}
	var earlier [2]map[groupKey][]*row // those that began before and reach into it
	earlier[0], earlier[1] = map[groupKey][]*row{}, map[groupKey][]*row{}
	lengths := [2]int64{int64(o.From.Sub(o.Before)), int64(o.To.Sub(o.From))}
	ticks := [2]int64{o.From.Truncate(Step).UnixNano(), tick}
	for inc, err := range incidents {
		if err != nil {
			return nil, err
		}
		r := rowOf(&inc, o.By...)
		for w := range ticks {
			if r.at <= edges[w] && p.reaches(r, ticks[w]-lengths[w], tick) {
				for k := range r.keys {
					earlier[w][k] = append(earlier[w][k], r)
				}
			}
		}
		w := 0
		switch {
		case r.at == unknown || r.at <= edges[0] || r.at > edges[2]:
			continue
		case r.at > edges[1]:
			w = 1
		}
		for k := range r.keys {
			rows[w][k] = append(rows[w][k], r)
		}
	}
	e := newEpisodes([]Window{{"", time.Duration(lengths[0])}, {"", time.Duration(lengths[1])}})
	if err := e.load(verdicts); err != nil {
		return nil, err
	}
	var precision [2]map[groupKey]*Ratio
	for w := range precision {
		precision[w] = map[groupKey]*Ratio{}
		e.recount(edges[w+1])
		for _, g := range e.figures(w, &limits{}) {
			precision[w][g.key()] = &g.Precision
		}
	}

	all := map[groupKey]bool{o.Asked.key(): true}
	for w := range rows {
		for k := range rows[w] {
			all[k] = true
		}
		for k := range earlier[w] {
			all[k] = true
		}
		for k := range precision[w] {
			all[k] = true
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(all), groupKey.compare) {
		g := ReportGroup{Grouping: k.grouping(), Precision: precision[1][k], PrecisionBefore: precision[0][k]}
		g.Before, _ = p.figures(g.Grouping, rows[0][k], tick)
		g.Now, _ = p.figures(g.Grouping, rows[1][k], tick)
		for i, iv := range o.Intervals {
			g.Changes = append(g.Changes, Compare(iv.Name, p.sample(rows[0][k], i), p.sample(rows[1][k], i)))
		}
		g.Reliability, _ = p.reliability(g.Grouping, rows[1][k], earlier[1][k], lengths[1], nanos(o.Watched), tick)
		g.ReliabilityBefore, _ = p.reliability(g.Grouping, rows[0][k], earlier[0][k], lengths[0], nanos(o.Watched), ticks[0])
		if g.Reliability != nil && g.ReliabilityBefore != nil {
			c := CompareRates(g.ReliabilityBefore.Incidents, g.ReliabilityBefore.Up, g.Reliability.Incidents, g.Reliability.Up)
			g.RateChange = &c
		}
		rep.Groups = append(rep.Groups, g)
	}
	return rep, nil
}

// sample is the recorded lengths of an interval in seconds.
func (p *plan) sample(rows []*row, i int) []float64 {
	var out []float64
	for _, r := range rows {
		if s, ns := r.points.measure(p.spans[i], false, r.applies); s == recorded {
			out = append(out, seconds(ns))
		}
	}
	return out
}

// Seconds are the recorded durations in it, the shortest first: what Simulate draws from.
func (e *Explanation) Seconds() []float64 {
	out := make([]float64, len(e.Included))
	for i := range e.Included {
		out[i] = e.Included[i].Seconds
	}
	return out
}
