package measure

import (
	"iter"
	"maps"
	"slices"
	"time"
	"unique"

	"meantime/incident"
)

// Report has the figures of a window and of the window of the same length before it, and what changed between the two.
type Report struct {
	Window string        `json:"window"`
	From   time.Time     `json:"from"` // not in the window
	To     time.Time     `json:"to"`   // in it
	Before time.Time     `json:"before"`
	Groups []ReportGroup `json:"groups"` // everything first, then by service, by severity, by both
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
	Options // of which the windows and limits are not used
	Window  Window
	To      time.Time // the end of the window, and the time up to which what is open counts
	Watched time.Time // since when anything is known at all
}

// From is where the earlier window begins. The incidents that a report needs begin Reach before it.
func (o ReportOptions) From() time.Time { return o.To.Add(-2 * o.Window.Length) }

// NewReport reports on incidents and the verdicts of episodes, of which it needs those from o.From() to o.To. It uses what
// lies in its windows by the same rule as the metrics, so its figures are theirs. It stops at the first error.
func NewReport(o ReportOptions, incidents iter.Seq2[incident.Incident, error], verdicts iter.Seq2[incident.Verdict, error]) (*Report, error) {
	p, tick := newPlan(o.Options), o.To.Truncate(Step).UnixNano()
	middle := o.To.Add(-o.Window.Length)
	rep := &Report{Window: o.Window.Name, From: middle, To: o.To, Before: o.From()}

	var rows [2]map[groupKey][]*row // before, now
	rows[0], rows[1] = map[groupKey][]*row{everything: nil}, map[groupKey][]*row{everything: nil}
	var earlier [2]map[groupKey][]*row // those that began before and reach into it
	earlier[0], earlier[1] = map[groupKey][]*row{}, map[groupKey][]*row{}
	length := int64(o.Window.Length)
	ticks := [2]int64{middle.Truncate(Step).UnixNano(), tick}
	for inc, err := range incidents {
		if err != nil {
			return nil, err
		}
		r := rowOf(&inc)
		for w, end := range []time.Time{middle, o.To} {
			if from := end.Add(-o.Window.Length).UnixNano(); r.at <= from && p.reaches(r, ticks[w]-length, tick) {
				for k := range r.keys {
					earlier[w][k] = append(earlier[w][k], r)
				}
			}
		}
		w := 0
		switch {
		case r.at == unknown || r.at <= o.From().UnixNano() || r.at > o.To.UnixNano():
			continue
		case r.at > middle.UnixNano():
			w = 1
		}
		for k := range r.keys {
			rows[w][k] = append(rows[w][k], r)
		}
	}
	e := newEpisodes([]Window{o.Window})
	if err := e.load(verdicts); err != nil {
		return nil, err
	}
	var precision [2]map[groupKey]*Ratio
	for w, end := range []time.Time{middle, o.To} {
		precision[w] = map[groupKey]*Ratio{}
		e.recount(end.UnixNano())
		for _, g := range e.figures(0, &limits{}) {
			precision[w][groupKey{unique.Make(g.Service), unique.Make(g.Severity)}] = &g.Precision
		}
	}

	all := map[groupKey]bool{}
	for w := range rows {
		for k := range rows[w] {
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
		g.Reliability, _ = p.reliability(g.Grouping, rows[1][k], earlier[1][k], length, nanos(o.Watched), tick)
		g.ReliabilityBefore, _ = p.reliability(g.Grouping, rows[0][k], earlier[0][k], length, nanos(o.Watched), ticks[0])
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

// Sample is the recorded durations of an interval in seconds, of the incidents that a group of a window holds at a time:
// what Simulate draws from. It stops at the first error.
func Sample(incidents iter.Seq2[incident.Incident, error], iv incident.Interval, in Grouping, w Window, now time.Time) ([]float64, error) {
	e, err := Explain(incidents, ExplainOptions{Interval: iv, Grouping: in, Window: w, To: now})
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(e.Included))
	for i := range e.Included {
		out[i] = e.Included[i].Seconds
	}
	return out, nil
}
