package measure

// SurvivalMedian is the median duration by the product-limit estimate (E. L. Kaplan, P. Meier, Nonparametric Estimation
// from Incomplete Observations, JASA 53, 1958), of durations that ended and of those of which only is known how long they
// lasted at least: they go on, or nobody told their end. The plain median leaves the latter out, and looks the better the more of them there are.
//
// Where nothing goes on the two are the same: where the curve is flat at exactly one half, the middle of that stretch is
// given. ok is false where the curve never comes down to one half: more than half may still go on.
func SurvivalMedian(ended, going []float64) (median float64, ok bool) {
	return survivalMedian(sortedCopy(ended), sortedCopy(going))
}

// survivalMedian is SurvivalMedian of sorted durations.
func survivalMedian(ended, going []float64) (median float64, ok bool) {
	const half, tolerance = 0.5, 1e-9
	s, flat := 1.0, -1.0 // flat is where the curve came to exactly one half
	gone := 0            // of going, those that had not lasted until t
	for i := 0; i < len(ended); {
		t, ends := ended[i], 0
		for gone < len(going) && going[gone] < t {
			gone++
		}
		atRisk := len(ended) - i + len(going) - gone
		for ; i < len(ended) && ended[i] == t; i++ {
			ends++
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
