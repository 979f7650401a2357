package main

import (
	"math"

	"gonum.org/v1/gonum/optimize"

	"meantime/postmortem/extract"
)

// calibration turns what the model gives into how often such a suggestion is right: for each milestone the slope of the log
// odds and an offset, and what every other sign adds for any milestone.
type calibration struct {
	lines [extract.N][2]float64
	signs extract.Signs
	cut   [extract.N]float64
}

// givenFrom is the probability from which on a milestone is given: what is given then is right about 95 times of 100.
const givenFrom = 0.82

// What the weights of the calibration cost when they leave the line that changes nothing.
const (
	priceOfSlope = 4.0
	priceOfSign  = 1.0
)

// calibrate fits the calibration to how often the first suggestion was right, by logistic regression.
func calibrate(preds []prediction) calibration {
	const lines = 2 * extract.N
	type point struct {
		p    prediction
		y, w float64
	}
	var points []point
	for _, p := range preds {
		if len(p.by) == 0 {
			continue
		}
		if r, known := p.right(p.by[0].At); known {
			points = append(points, point{p, bit(r), weightOf(p.e)})
		}
	}
	at := func(x []float64) (c calibration) {
		for m := range extract.N {
			c.lines[m] = [2]float64{x[2*m], x[2*m+1]}
			c.cut[m] = givenFrom
		}
		c.signs = extract.Signs(x[lines:])
		return c
	}
	start := make([]float64, lines+len(extract.Signs{}))
	start[lines] = 1 // the log odds as they are
	eval := func(g, x []float64) (cost float64) {
		clear(g)
		c := at(x)
		for i := range x {
			price, d := priceOfSign, x[i]-start[i]
			if i < lines {
				price = priceOfSlope
			}
			if i < lines && i%2 == 1 {
				price = priceOfSign
			}
			cost += price * d * d / 2
			g[i] += price * d
		}
		for _, pt := range points {
			s := pt.p.by[0].Signs
			z := c.odds(pt.p.m, s)
			cost += pt.w * (max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - pt.y*z)
			d := pt.w * (1/(1+math.Exp(-z)) - pt.y)
			g[2*pt.p.m] += d * s[0]
			g[2*pt.p.m+1] += d
			for i, v := range s {
				g[lines+i] += d * v
			}
		}
		return cost
	}
	problem := optimize.Problem{
		Func: func(x []float64) float64 { return eval(make([]float64, len(x)), x) },
		Grad: func(g, x []float64) { eval(g, x) },
	}
	res, err := optimize.Minimize(problem, start, &optimize.Settings{GradientThreshold: 1e-3, MajorIterations: 300}, &optimize.LBFGS{})
	if res == nil {
		panic(err)
	}
	return at(res.X)
}

func (c calibration) odds(m int, s extract.Signs) float64 {
	z := c.lines[m][0]*s[0] + c.lines[m][1]
	for i, x := range s {
		z += c.signs[i] * x
	}
	return z
}

func (c calibration) of(m int, s extract.Signs) float64 { return 1 / (1 + math.Exp(-c.odds(m, s))) }

// calibrateOut judges every prediction by a calibration that was fitted without its organisation.
func (s *set) calibrateOut(preds []prediction, n int) func(prediction, int) float64 {
	cal := make([]calibration, n)
	for k := range cal {
		var rest []prediction
		for _, p := range preds {
			if s.group[p.e.doc.org] != k {
				rest = append(rest, p)
			}
		}
		cal[k] = calibrate(rest)
	}
	return func(p prediction, i int) float64 { return cal[s.group[p.e.doc.org]].of(p.m, p.by[i].Signs) }
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
