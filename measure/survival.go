package measure

import (
	"cmp"
	"slices"
)

// Life is one duration for SurvivalMedian: how long it took, or how long it has taken so far.
type Life struct {
	Seconds float64
	// Ended is false for one that still goes on, which is known to be longer than Seconds only.
	Ended bool
}

// SurvivalMedian is the median duration by the product-limit estimate (E. L. Kaplan, P. Meier, Nonparametric Estimation
// from Incomplete Observations, JASA 53, 1958), in which what still goes on counts for as long as it has lasted. The plain
// median leaves such incidents out, and looks the better the more of them there are. Where nothing still goes on, the
// two are the same: where the curve is flat at exactly one half, the middle of that stretch is given. ok is false where
// the curve never comes down to one half: more than half may still go on.
func SurvivalMedian(lives []Life) (median float64, ok bool) {
	l := slices.Clone(lives)
	slices.SortFunc(l, func(a, b Life) int {
		return cmp.Compare(a.Seconds, b.Seconds)
	})
	const half, tolerance = 0.5, 1e-9
	s, flat := 1.0, -1.0 // flat is where the curve came to exactly one half
	for i := 0; i < len(l); {
		t, atRisk, ends := l[i].Seconds, len(l)-i, 0
		for ; i < len(l) && l[i].Seconds == t; i++ {
			if l[i].Ended {
				ends++
			}
		}
		if ends == 0 {
			continue
		}
		s *= float64(atRisk-ends) / float64(atRisk)
		switch {
		case flat >= 0:
			return (flat + t) / 2, true
		case s < half-tolerance:
			return t, true
		case s <= half+tolerance:
			flat = t
		}
	}
	return max(flat, 0), flat >= 0
}
