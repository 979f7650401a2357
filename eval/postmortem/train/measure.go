package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"meantime/eval/postmortem/labelled"
	"meantime/postmortem/extract"
)

// prediction is what was chosen for one milestone of one document by weights learned without its organisation.
type prediction struct {
	e  *example
	m  int
	by []extract.Suggestion // the likeliest first as the model has them, with its probabilities

	reasons []extract.Reason // for the first of them
}

// right says whether a moment is the milestone; known is false where the truth is in doubt.
func (p prediction) right(t time.Time) (right, known bool) {
	want := p.e.doc.Truth.Of(extract.Milestones[p.m])
	if want.UTC == nil {
		return false, true
	}
	right = labelled.Near(t, *want.UTC)
	return right, right || want.Firm()
}

// leaveOut predicts every document by weights learned without its organisation, n groups of organisations at a time.
func (s *set) leaveOut(n int) (out []prediction) {
	group := map[string]int{}
	for i, o := range s.organisations() {
		group[o] = i % n
	}
	s.group = group
	for k := range n {
		w := s.learn(func(org string) bool { return group[org] != k }).weights(calibration{})
		for _, e := range s.examples {
			if group[e.doc.org] != k || e.doc.known {
				continue
			}
			var c [extract.N]extract.Choice
			if e.problem != nil {
				c = w.Choose(e.problem)
			}
			for m := range c {
				p := prediction{e: e, m: m, by: c[m].Suggestions}
				if len(p.by) > 0 {
					p.reasons = w.Reasons(e.problem.Sources[p.by[0].Source], m)
				}
				out = append(out, p)
			}
		}
	}
	return out
}

// surest are the predictions with the surest suggestion first, as package extract gives them.
func surest(preds []prediction, sure func(prediction, int) float64) []prediction {
	out := slices.Clone(preds)
	for n, p := range out {
		by := make([]int, len(p.by))
		for i := range by {
			by[i] = i
		}
		slices.SortStableFunc(by, func(a, b int) int { return cmp.Compare(sure(p, b), sure(p, a)) })
		out[n].by = nil
		for _, i := range by {
			out[n].by = append(out[n].by, p.by[i])
		}
	}
	return out
}

// tally counts milestones.
type tally struct{ stated, found, given, wrong, doubt, two, seen int }

func (t tally) String() string {
	return fmt.Sprintf("%d\t%.1f\t%d\t%.1f\t%d\t%.1f\t%.1f", t.stated, share(t.found, t.stated), t.given,
		share(t.wrong, t.given), t.doubt, share(t.two, t.stated), share(t.seen, t.stated))
}

func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return 100 * float64(a) / float64(b)
}

// count adds one milestone, given at or suggested.
func (t *tally) count(p prediction, at time.Time, given bool, suggested []time.Time) {
	want := p.e.doc.Truth.Of(extract.Milestones[p.m])
	if want.Stated() {
		t.stated++
		if given && labelled.Near(at, *want.UTC) {
			t.found++
		}
		near := func(x time.Time) bool { return labelled.Near(x, *want.UTC) }
		if given && near(at) || slices.ContainsFunc(suggested[:min(2, len(suggested))], near) {
			t.two++
		}
		if p.e.problem != nil && slices.ContainsFunc(p.e.problem.Sources, func(s extract.Source) bool { return near(s.At) }) {
			t.seen++
		}
	}
	if given {
		t.given++
		switch r, known := p.right(at); {
		case r:
		case known:
			t.wrong++
		default:
			t.doubt++
		}
	}
}

func report(out io.Writer, preds []prediction, sure func(prediction, int) float64, verbose bool) {
	groups := []struct {
		name string
		in   func(*example) bool
	}{
		{"own", func(e *example) bool { return e.doc.own }},
		{"real, taught", func(e *example) bool { return !e.doc.own && e.doc.taught }},
		{"real, fresh", func(e *example) bool { return !e.doc.own && !e.doc.taught }},
		{"real", func(e *example) bool { return !e.doc.own }},
		{"all", func(*example) bool { return true }},
	}
	tw := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "documents\treader\tstated\tfound %\tgiven\tfalse %\tdoubtful\ttwo %\tseen %")
	for _, g := range groups {
		var rules tally
		cuts := []float64{0.5, 0.7, 0.8, givenFrom, 0.85, 0.9, 0.93, 0.95}
		chosen := make([]tally, len(cuts))
		for _, p := range preds {
			if !g.in(p.e) {
				continue
			}
			st, ok := p.e.found.Record.Milestones[extract.Milestones[p.m]]
			rules.count(p, st.At, ok, nil)
			var at time.Time
			var sug []time.Time
			prob := 0.0
			for i, x := range p.by {
				if i == 0 {
					at, prob = x.At, sure(p, i)
				}
				sug = append(sug, x.At)
			}
			for i, c := range cuts {
				chosen[i].count(p, at, prob >= c && p.by[0].Likeliest, sug)
			}
		}
		fmt.Fprintf(tw, "%s\tas read\t%s\n", g.name, rules)
		for i, c := range cuts {
			fmt.Fprintf(tw, "\tfrom %.2f\t%s\n", c, chosen[i])
		}
	}
	fmt.Fprintln(tw, "\ncalibration (real): said\tn\tright %")
	type pt struct {
		p float64
		r bool
	}
	var pts []pt
	for _, p := range preds {
		if p.e.doc.own || len(p.by) == 0 || !p.by[0].Likeliest {
			continue
		}
		if r, known := p.right(p.by[0].At); known {
			pts = append(pts, pt{sure(p, 0), r})
		}
	}
	for _, b := range [][2]float64{{0, 0.2}, {0.2, 0.4}, {0.4, 0.6}, {0.6, 0.8}, {0.8, 0.9}, {0.9, 0.95}, {0.95, 1.01}} {
		n, r := 0, 0
		for _, x := range pts {
			if x.p >= b[0] && x.p < b[1] {
				n++
				if x.r {
					r++
				}
			}
		}
		fmt.Fprintf(tw, "%.2f to %.2f\t%d\t%.0f\n", b[0], min(b[1], 1), n, share(r, n))
	}
	tw.Flush()
	if !verbose {
		return
	}
	slices.SortStableFunc(preds, func(a, b prediction) int { return cmp.Compare(a.e.doc.Name, b.e.doc.Name) })
	for _, p := range preds {
		if p.e.doc.own {
			continue
		}
		want := p.e.doc.Truth.Of(extract.Milestones[p.m])
		is := "-"
		if want.UTC != nil {
			is = want.UTC.Format("01-02 15:04") + " " + want.Confidence
		}
		fmt.Fprintf(out, "%s %s: is %s;", p.e.doc.Name, extract.Milestones[p.m], is)
		for i, x := range p.by[:min(3, len(p.by))] {
			mark := ""
			if r, known := p.right(x.At); r {
				mark = "+"
			} else if !known {
				mark = "?"
			}
			fmt.Fprintf(out, " %.2f%s %s", sure(p, i), mark, x.At.Format("01-02 15:04"))
		}
		if st, ok := p.e.found.Record.Milestones[extract.Milestones[p.m]]; ok {
			r, _ := p.right(st.At)
			fmt.Fprintf(out, " rules %s %t", st.At.Format("15:04"), r)
		}
		fmt.Fprintln(out)
		for _, r := range p.reasons[:min(len(p.reasons), 10)] {
			fmt.Fprintf(out, "\t%+.2f %s\n", r.Weight, r.Feature)
		}
	}
}
