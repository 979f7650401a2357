package extract

import (
	"cmp"
	"math"
	"slices"
)

// Signs are what says how far a suggestion is to be trusted, in the order of SignNames.
type Signs [9]float64

// SignNames are what the signs are, as the file of weights has them.
var SignNames = [len(Signs{})]string{
	"odds", "against the next", "against none", "the rules agree", "the rules disagree", "sources",
	"field", "approximate", "odds of the others",
}

// judge turns the chances that the model gives into how often such a suggestion was right.
func (w *Weights) judge(p *Problem, ms []Moment, out *[N]Choice) {
	places := map[int64]int{}
	for _, m := range ms {
		places[m.At.Unix()] = len(m.Sources)
	}
	var top [N]float64 // log odds of each milestone's likeliest
	for m := range out {
		if s := out[m].Suggestions; len(s) > 0 {
			top[m] = odds(max(s[0].Probability, 1-total(s)))
		}
	}
	for m := range out {
		s := out[m].Suggestions
		others := 0.0
		for o := range top {
			if o != m {
				others += top[o] / (N - 1)
			}
		}
		none := max(1-total(s), least)
		ruled := !slices.Contains(p.Document, "no rule:"+string(Milestones[m]))
		signs := make([]Signs, len(s))
		for i := range s {
			next := least
			for j := range s {
				if j != i {
					next = max(next, s[j].Probability)
				}
			}
			fs := p.Sources[s[i].Source].Features
			here := slices.Contains(fs, "rule at:"+string(Milestones[m])) || slices.Contains(fs, "rule:"+string(Milestones[m]))
			signs[i] = Signs{
				odds(s[i].Probability), ratio(s[i].Probability, next), ratio(s[i].Probability, none),
				bit(here), bit(ruled && !here), math.Log(float64(places[s[i].At.Unix()])),
				bit(slices.Contains(fs, "field")), bit(slices.Contains(fs, "approximate")), others,
			}
		}
		for i := range s {
			s[i].Signs = signs[i]
			s[i].Probability = w.calibrate(m, signs[i])
		}
		// The signs can turn the order of the model round; what is surest comes first.
		slices.SortStableFunc(s, func(a, b Suggestion) int { return cmp.Compare(b.Probability, a.Probability) })
	}
}

func total(s []Suggestion) (sum float64) {
	for _, x := range s {
		sum += x.Probability
	}
	return sum
}

const least = 1e-6

func odds(p float64) float64 {
	p = min(max(p, least), 1-least)
	return math.Log(p / (1 - p))
}

func ratio(a, b float64) float64 { return min(max(math.Log(max(a, least)/max(b, least)), -8), 8) }

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
