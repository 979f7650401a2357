// Package extract chooses, for one incident, which of the moments a document tells of are its milestones, and says how sure
// it is. All six are chosen together: what speaks for a moment is added up from weights that were learned from documents with
// known answers, and so is what speaks for two moments together, such as their order or a length that the text prints.
//
// The model is a conditional random field over six variables (Lafferty, McCallum, Pereira 2001), each of which takes one of
// the moments or none. It is small enough to be added up exactly, so that its confidence is no approximation.
package extract

import (
	"cmp"
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// Milestones are what moments are chosen for, in the order of every array here.
var Milestones = incident.MilestoneNames

// N is how many milestones there are.
const N = 6

// A Source is one place of a document that tells of a moment.
type Source struct {
	At time.Time
	// Features are what is known of it, in words that the weights are kept under.
	Features []string
}

// A Span is a stretch of time in which the document says that users were affected.
type Span struct{ From, To time.Time }

// A Length is how long the document says the incident, or a part of it, took: between Least and Most.
type Length struct {
	Least, Most time.Duration
	Part        Part
}

// A Part is the part of an incident that a printed length is of.
type Part int

// The parts.
const (
	Whole Part = iota
	ToDetect
	ToAcknowledge
	ToRecover
)

// Problem is what a document offers for one incident.
type Problem struct {
	Sources []Source
	// Document are features of the whole, which speak for a milestone not being told.
	Document []string
	Spans    []Span
	Lengths  []Length
}

// A Moment is the sources of one minute.
type Moment struct {
	At      time.Time
	Sources []int
}

// Moments gathers the sources by their minute, in order of time.
func (p *Problem) Moments() []Moment {
	index := map[int64]int{}
	var ms []Moment
	for i, s := range p.Sources {
		k := s.At.Truncate(time.Minute).Unix()
		n, ok := index[k]
		if !ok {
			n = len(ms)
			index[k] = n
			ms = append(ms, Moment{At: s.At.Truncate(time.Minute)})
		}
		ms[n].Sources = append(ms[n].Sources, i)
	}
	slices.SortFunc(ms, func(a, b Moment) int { return a.At.Compare(b.At) })
	return ms
}

// A Suggestion is a moment that may be a milestone.
type Suggestion struct {
	At time.Time
	// Source is the place that speaks most for it.
	Source int
	// Probability is how often such a suggestion is right, by documents that the weights were not learned from.
	Probability float64
	// Signs are what that is judged by.
	Signs Signs
	// Likeliest says that the model itself has it first. One that only its signs put first is suggested, never given: how often
	// such a one is right was not measured on enough of them.
	Likeliest bool
}

// Choice is what was chosen for one milestone: the suggestions, the likeliest first, at most five.
type Choice struct {
	Suggestions []Suggestion
}

// widest is how many moments are weighed against each other for one milestone.
const widest = 7

// option is one value of a milestone's variable.
type option struct {
	moment int // -1 where the document does not tell it
	score  float64
}

// Choose weighs all that a document offers.
func (w *Weights) Choose(p *Problem) [N]Choice {
	ms := p.Moments()
	var unary [N][]float64 // milestone, source
	for i := range unary {
		unary[i] = make([]float64, len(p.Sources))
	}
	for s := range p.Sources {
		for _, f := range p.Sources[s].Features {
			if x, ok := w.unary[f]; ok {
				for m := range x {
					unary[m][s] += x[m]
				}
			}
		}
	}
	var none [N]float64
	for _, f := range p.Document {
		if x, ok := w.unary[f]; ok {
			for m := range x {
				none[m] += x[m]
			}
		}
	}
	var opts [N][]option
	for m := range opts {
		for k := range ms {
			opts[m] = append(opts[m], option{k, sumExp(ms[k].Sources, unary[m])})
		}
		slices.SortStableFunc(opts[m], func(a, b option) int { return cmp.Compare(b.score, a.score) })
		opts[m] = append(opts[m][:min(len(opts[m]), widest)], option{-1, none[m]})
	}
	marginal := w.marginals(p, ms, opts)
	var out [N]Choice
	for m := range opts {
		for i, o := range opts[m] {
			if o.moment < 0 {
				continue
			}
			best := slices.MaxFunc(ms[o.moment].Sources, func(a, b int) int { return cmp.Compare(unary[m][a], unary[m][b]) })
			out[m].Suggestions = append(out[m].Suggestions, Suggestion{At: ms[o.moment].At, Source: best, Probability: marginal[m][i]})
		}
		slices.SortStableFunc(out[m].Suggestions, func(a, b Suggestion) int { return cmp.Compare(b.Probability, a.Probability) })
		out[m].Suggestions = out[m].Suggestions[:min(len(out[m].Suggestions), 5)]
		if len(out[m].Suggestions) > 0 {
			out[m].Suggestions[0].Likeliest = true
		}
	}
	w.judge(p, ms, &out)
	return out
}

func sumExp(sources []int, score []float64) float64 {
	top := math.Inf(-1)
	for _, s := range sources {
		top = max(top, score[s])
	}
	sum := 0.0
	for _, s := range sources {
		sum += math.Exp(score[s] - top)
	}
	return top + math.Log(sum)
}

// marginals adds up every assignment of the options to the milestones.
func (w *Weights) marginals(p *Problem, ms []Moment, opts [N][]option) (out [N][]float64) {
	var pair [N][N][][]float64 // a later milestone, an earlier one, their options
	for b := 1; b < N; b++ {
		for a := 0; a < b; a++ {
			pair[b][a] = make([][]float64, len(opts[b]))
			for i, y := range opts[b] {
				pair[b][a][i] = make([]float64, len(opts[a]))
				for j, x := range opts[a] {
					for _, f := range p.Pair(ms, a, x.moment, b, y.moment) {
						pair[b][a][i][j] += w.pair[f]
					}
				}
			}
		}
	}
	// Scaled by the best score that could be, so that nothing overflows.
	top := 0.0
	for m := range opts {
		out[m] = make([]float64, len(opts[m]))
		best := math.Inf(-1)
		for _, o := range opts[m] {
			best = max(best, o.score)
		}
		top += best
		for a := range m {
			most := math.Inf(-1)
			for i := range pair[m][a] {
				most = max(most, slices.Max(pair[m][a][i]))
			}
			top += most
		}
	}
	var at [N]int
	var walk func(m int, score float64) float64
	walk = func(m int, score float64) float64 {
		if m == N {
			return math.Exp(score - top)
		}
		total := 0.0
		for i, o := range opts[m] {
			s := score + o.score
			for a := range m {
				s += pair[m][a][i][at[a]]
			}
			at[m] = i
			sum := walk(m+1, s)
			out[m][i] += sum
			total += sum
		}
		return total
	}
	total := walk(0, 0)
	for m := range out {
		for i := range out[m] {
			out[m][i] /= max(total, math.SmallestNonzeroFloat64)
		}
	}
	return out
}

// A Reason is one thing that speaks for or against a moment, and how much.
type Reason struct {
	Feature string
	Weight  float64
}

// Reasons are what a source has to say for a milestone by itself, the strongest first.
func (w *Weights) Reasons(s Source, m int) []Reason {
	var out []Reason
	for _, f := range s.Features {
		if x, ok := w.unary[f]; ok && x[m] != 0 {
			out = append(out, Reason{f, x[m]})
		}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
	return out
}
