package measure

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the confidence of every interval given.
const Confidence = 0.90

// The fewest recorded measurements from which a statistic says something.
const (
	MinBounds = 5  // the smallest sample whose extremes hold the median with 90 % confidence: 1 - 2/2^5 = 0.94; 4 give 0.875
	MinP90    = 29 // the smallest sample whose maximum lies above the 90th percentile with 95 % confidence: 1 - 0.9^29
	MinP95    = 59 // the same for the 95th: 1 - 0.95^59
)

// z is the standard normal quantile that leaves half of 1 - Confidence above it.
const z = 1.6448536269514722

// Estimate is a statistic with its interval.
type Estimate struct {
	Value float64 `json:"value"`
	// Bounds is nil where the sample is too small for an interval.
	Bounds *Bounds `json:"bounds,omitempty"`
}

// Bounds is a two-sided interval at Confidence.
type Bounds struct {
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// Median is the middle value of a sorted sample, the mean of the two middle ones where there are two, with the
// distribution-free interval between two of its order statistics, from MinBounds values.
//
// The number of values below the true median is binomial(n, 1/2) whatever the distribution, so the interval from the
// k-th smallest to the k-th largest holds the median with probability 1 - 2 P(B < k); k is the largest that keeps this at
// or above Confidence. (H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed. 2003, section 7.1; G. J. Hahn,
// W. Q. Meeker, Statistical Intervals, 1991, section 5.2.)
func Median(sorted []float64) (Estimate, bool) {
	n := len(sorted)
	if n == 0 {
		return Estimate{}, false
	}
	e := Estimate{Value: (sorted[(n-1)/2] + sorted[n/2]) / 2}
	if k := medianRank(n); k > 0 {
		e.Bounds = &Bounds{sorted[k-1], sorted[n-k]}
	}
	return e, true
}

// medianRank is the largest k with 1 - 2 P(binomial(n, 1/2) <= k-1) >= Confidence, 0 where there is none.
func medianRank(n int) int {
	if n < MinBounds {
		return 0
	}
	b := distuv.Binomial{N: float64(n), P: 0.5}
	holds := func(k int) bool { return k >= 1 && 1-2*b.CDF(float64(k-1)) >= Confidence-1e-12 }
	// The normal approximation is at most a few ranks off.
	k := max(1, int(float64(n+1)/2-z*math.Sqrt(float64(n))/2))
	for k > 1 && !holds(k) {
		k--
	}
	for holds(k + 1) {
		k++
	}
	return k
}

// zeroAs is what a duration shorter than it counts as on the logarithmic scale, which has no place for zero. Times are
// known to the second at best, so nothing is lost below it.
const zeroAs = 1.0

// logMoments are the mean and the sample variance (divided by n-1; 0 for one value) of the natural logarithms of a sample of
// seconds, anything below one second counting as one second. One pass (B. P. Welford, Technometrics 4, 1962).
func logMoments(sample []float64) (mean, variance float64) {
	squares := 0.0
	for i, x := range sample {
		l := math.Log(max(x, zeroAs))
		d := l - mean
		mean += d / float64(i+1)
		squares += d * (l - mean)
	}
	if len(sample) < 2 {
		return mean, 0
	}
	return mean, squares / float64(len(sample)-1)
}

// GeometricMean is the exponential of the mean of the logarithms, with the exponential of Student's t-interval of that
// mean, from MinBounds values. On log-normal data, as incident durations nearly are, it estimates the median, with a
// narrower interval. Durations under one second count as one second.
//
// (E. Limpert, W. A. Stahel, M. Abbt, Log-normal Distributions across the Sciences, BioScience 51, 2001, for the scale;
// Student, Biometrika 6, 1908, for the interval, which is exact where the logarithms are normal.)
func GeometricMean(sample []float64) (Estimate, bool) {
	n := len(sample)
	if n < MinBounds {
		return Estimate{}, false
	}
	m, variance := logMoments(sample)
	half := tQuantile(float64(n-1)) * math.Sqrt(variance/float64(n))
	return Estimate{math.Exp(m), &Bounds{math.Exp(m - half), math.Exp(m + half)}}, true
}

// geometricMean is the value alone, of any number of values but none.
func geometricMean(sample []float64) float64 {
	m, _ := logMoments(sample)
	return math.Exp(m)
}

// tQuantile is the quantile of Student's t that leaves half of 1 - Confidence above it.
func tQuantile(df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(1 - (1-Confidence)/2)
}

// Mean is the arithmetic mean. It has no interval: on data as skewed as incident durations the usual one at a nominal
// 90 % covers 50 to 74 %.
func Mean(sample []float64) (float64, bool) {
	if len(sample) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, x := range sample {
		sum += x
	}
	return sum / float64(len(sample)), true
}

// Quantile is the q-quantile of a sorted sample by linear interpolation between order statistics (R. J. Hyndman, Y. Fan,
// Sample Quantiles in Statistical Packages, 1996, type 7), which is what Prometheus, spreadsheets and numpy give too.
func Quantile(sorted []float64, q float64) (float64, bool) {
	n := len(sorted)
	if n == 0 {
		return 0, false
	}
	h := q * float64(n-1)
	i := int(math.Floor(h))
	j := min(i+1, n-1)
	return sorted[i] + (h-float64(i))*(sorted[j]-sorted[i]), true
}

// Ratio is a share of counted things with Wilson's score interval.
type Ratio struct {
	K int `json:"k"` // how many of them
	N int `json:"n"` // of how many
	Estimate
}

// Wilson is k of n with its score interval (E. B. Wilson, Probable Inference, JASA 22, 1927), which unlike the textbook
// one stays inside 0 to 1 and is honest for small n and for none or all.
func Wilson(k, n int) (Ratio, bool) {
	if n == 0 {
		return Ratio{}, false
	}
	p, nf := float64(k)/float64(n), float64(n)
	denominator := 1 + z*z/nf
	middle := (p + z*z/(2*nf)) / denominator
	half := z / denominator * math.Sqrt(p*(1-p)/nf+z*z/(4*nf*nf))
	b := Bounds{max(0, middle-half), min(1, middle+half)}
	if k == 0 {
		b.Lower = 0 // exactly, where the subtraction leaves a rounding
	}
	if k == n {
		b.Upper = 1
	}
	return Ratio{K: k, N: n, Estimate: Estimate{p, &b}}, true
}

// sortedCopy leaves the caller's sample alone.
func sortedCopy(sample []float64) []float64 {
	s := slices.Clone(sample)
	slices.Sort(s)
	return s
}
