package main

import (
	"math"
	"strings"

	"gonum.org/v1/gonum/optimize"

	"meantime/postmortem/extract"
)

// What learning was settled on. Words carry less from one organisation to the next than kinds do, so they cost more.
const (
	priceOfKind   = 0.5
	priceOfWord   = 0.2
	priceOfPair   = 0.2
	weightOfReal  = 2.0 // of a real document beside an invented one
	weightOfKnown = 0.3 // of a document as who knows its organisation reads it, beside who does not
	fewest        = 3   // organisations that a word must occur in
)

// model is what was learned: for each feature and milestone a weight, then one for each pair feature.
type model struct {
	s *set
	x []float64
}

// learn minimises what the true answers cost, given the truth of the other milestones (pseudo-likelihood, Besag 1975), with a
// price on every weight. It begins at nothing and ends at the same place every time.
func (s *set) learn(use func(org string) bool) model {
	n := len(s.names)*extract.N + len(s.pairs)
	price := make([]float64, n)
	orgs := make([]map[string]bool, len(s.names))
	var train []*example
	for _, e := range s.examples {
		if e.problem == nil || !use(e.doc.org) {
			continue
		}
		train = append(train, e)
		for _, fs := range append(e.sources, e.none) {
			for _, f := range fs {
				if orgs[f] == nil {
					orgs[f] = map[string]bool{}
				}
				orgs[f][e.doc.org] = true
			}
		}
	}
	rare := make([]bool, len(s.names))
	for f, name := range s.names {
		p := priceOfKind
		if strings.HasPrefix(name, "w:") {
			p = priceOfWord
			rare[f] = len(orgs[f]) < fewest
		}
		for m := range extract.N {
			price[f*extract.N+m] = p
		}
	}
	for i := len(s.names) * extract.N; i < n; i++ {
		price[i] = priceOfPair
	}
	problem := optimize.Problem{}
	var lastX, lastG []float64
	var lastF float64
	eval := func(x []float64) {
		if lastX != nil && same(lastX, x) {
			return
		}
		lastX = append(lastX[:0], x...)
		if lastG == nil {
			lastG = make([]float64, n)
		}
		clear(lastG)
		lastF = 0
		for _, e := range train {
			w := 1.0
			if !e.doc.own {
				w = weightOfReal
			}
			if e.doc.known {
				w *= weightOfKnown
			}
			lastF += w * e.cost(x, lastG, w, rare, len(s.names)*extract.N)
		}
		for i := range x {
			lastF += price[i] * x[i] * x[i] / 2
			lastG[i] += price[i] * x[i]
		}
	}
	problem.Func = func(x []float64) float64 { eval(x); return lastF }
	problem.Grad = func(g, x []float64) { eval(x); copy(g, lastG) }
	settings := &optimize.Settings{GradientThreshold: 1e-2, MajorIterations: 150}
	res, err := optimize.Minimize(problem, make([]float64, n), settings, &optimize.LBFGS{})
	if res == nil {
		panic(err)
	}
	for f := range rare {
		if rare[f] {
			clear(res.X[f*extract.N : (f+1)*extract.N])
		}
	}
	return model{s, res.X}
}

func same(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// cost is what the true answers of one document cost; what each weight has in it is added to g, times scale.
func (e *example) cost(x, g []float64, scale float64, rare []bool, base int) float64 {
	total := 0.0
	score := make([]float64, len(e.sources)+1)
	for m := range extract.N {
		if e.skip[m] {
			continue
		}
		for i, fs := range e.sources {
			score[i] = dot(x, fs, m, rare) + dotPair(x, e.pairs[m][i], base)
		}
		k := len(e.sources)
		score[k] = dot(x, e.none, m, rare) + dotPair(x, e.nonePair[m], base)
		top := score[0]
		for _, v := range score {
			top = max(top, v)
		}
		sum, right := 0.0, 0.0
		isRight := make([]bool, k+1)
		if len(e.target[m]) == 0 {
			isRight[k] = true
		}
		for _, i := range e.target[m] {
			isRight[i] = true
		}
		for i, v := range score {
			score[i] = math.Exp(v - top)
			sum += score[i]
			if isRight[i] {
				right += score[i]
			}
		}
		total += math.Log(sum) - math.Log(right)
		for i := range score {
			d := score[i] / sum
			if isRight[i] {
				d -= score[i] / right
			}
			if d *= scale; math.Abs(d) < 1e-9 {
				continue
			}
			fs, ps := e.none, e.nonePair[m]
			if i < k {
				fs, ps = e.sources[i], e.pairs[m][i]
			}
			for _, f := range fs {
				if !rare[f] {
					g[int(f)*extract.N+m] += d
				}
			}
			for _, f := range ps {
				g[base+int(f)] += d
			}
		}
	}
	return total
}

func dot(x []float64, fs []int32, m int, rare []bool) (sum float64) {
	for _, f := range fs {
		if !rare[f] {
			sum += x[int(f)*extract.N+m]
		}
	}
	return sum
}

func dotPair(x []float64, fs []int32, base int) (sum float64) {
	for _, f := range fs {
		sum += x[base+int(f)]
	}
	return sum
}

// weights are the model as the reader uses it.
func (m model) weights(cal calibration) *extract.Weights {
	unary := map[string][extract.N]float64{}
	for f, name := range m.s.names {
		unary[name] = [extract.N]float64(m.x[f*extract.N : (f+1)*extract.N])
	}
	pair := map[string]float64{}
	for f, name := range m.s.pairs {
		pair[name] = m.x[len(m.s.names)*extract.N+f]
	}
	return extract.New(unary, pair, cal.lines, cal.signs, cal.cut)
}
