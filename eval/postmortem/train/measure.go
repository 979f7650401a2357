package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"meantime/eval/postmortem/labelled"
	"meantime/postmortem/extract"
)

// line is a straight line through log odds, and the probability from which on a milestone is given.
type line struct{ slope, offset, cut float64 }

// prediction is what was chosen for one milestone of one document by weights learned without its organisation.
type prediction struct {
	e  *example
	m  int
	by []extract.Suggestion // the likeliest first; their probabilities as the model has them
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
	var flat [extract.N]line
	for i := range flat {
		flat[i] = line{1, 0, 0}
	}
	for k := range n {
		w := s.learn(func(org string) bool { return group[org] != k }).weights(flat)
		for _, e := range s.examples {
			if group[e.doc.org] != k || e.doc.known {
				continue
			}
			var c [extract.N]extract.Choice
			if e.problem != nil {
				c = w.Choose(e.problem)
			}
			for m := range c {
				out = append(out, prediction{e, m, c[m].Suggestions})
			}
		}
	}
	return out
}

// givenFrom is the probability from which on a milestone is given: what is given then is right about 95 times of 100.
const givenFrom = 0.85

// calibration fits, for each milestone, a line through the log odds to how often the first suggestion was right.
func calibration(preds []prediction) (out [extract.N]line) {
	for m := range extract.N {
		var z, y, w []float64
		for _, p := range preds {
			if p.m != m || len(p.by) == 0 {
				continue
			}
			r, known := p.right(p.by[0].At)
			if !known {
				continue
			}
			q := min(max(p.by[0].Probability, 1e-9), 1-1e-9)
			z = append(z, math.Log(q/(1-q)))
			y = append(y, bit(r))
			w = append(w, weightOf(p.e))
		}
		a, b := logistic(z, y, w)
		out[m] = line{a, b, givenFrom}
	}
	return out
}

func weightOf(e *example) float64 {
	if e.doc.own {
		return 1
	}
	return weightOfReal
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// logistic fits y to 1/(1+exp(-(a·z+b))) by Newton's method, with steps halved until they help. A small price keeps it near
// the line that changes nothing.
func logistic(z, y, w []float64) (a, b float64) {
	const price = 0.5
	cost := func(a, b float64) float64 {
		sum := price * ((a-1)*(a-1) + b*b) / 2
		for i := range z {
			s := a*z[i] + b
			sum += w[i] * (max(s, 0) + math.Log1p(math.Exp(-math.Abs(s))) - y[i]*s)
		}
		return sum
	}
	a = 1
	for range 50 {
		ga, gb := price*(a-1), price*b
		haa, hab, hbb := price, 0.0, price
		for i := range z {
			p := 1 / (1 + math.Exp(-(a*z[i] + b)))
			d, h := w[i]*(p-y[i]), w[i]*p*(1-p)
			ga, gb = ga+d*z[i], gb+d
			haa, hab, hbb = haa+h*z[i]*z[i], hab+h*z[i], hbb+h
		}
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		step := 1.0
		for step > 1e-6 && cost(a-step*da, b-step*db) > cost(a, b) {
			step /= 2
		}
		a, b = a-step*da, b-step*db
	}
	return a, b
}

func (l line) of(p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return 1 / (1 + math.Exp(-(l.slope*math.Log(p/(1-p)) + l.offset)))
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

func report(out io.Writer, s *set, preds []prediction, cal [extract.N]line, verbose bool) {
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
		cuts := []float64{0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95}
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
					at, prob = x.At, cal[p.m].of(x.Probability)
				}
				sug = append(sug, x.At)
			}
			for i, c := range cuts {
				chosen[i].count(p, at, prob >= c, sug)
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
		if p.e.doc.own || len(p.by) == 0 {
			continue
		}
		if r, known := p.right(p.by[0].At); known {
			pts = append(pts, pt{cal[p.m].of(p.by[0].Probability), r})
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
		for _, x := range p.by[:min(3, len(p.by))] {
			mark := ""
			if r, known := p.right(x.At); r {
				mark = "+"
			} else if !known {
				mark = "?"
			}
			fmt.Fprintf(out, " %.2f%s %s", cal[p.m].of(x.Probability), mark, x.At.Format("01-02 15:04"))
		}
		if st, ok := p.e.found.Record.Milestones[extract.Milestones[p.m]]; ok {
			r, _ := p.right(st.At)
			fmt.Fprintf(out, " rules %s %t", st.At.Format("15:04"), r)
		}
		fmt.Fprintln(out)
	}
}
