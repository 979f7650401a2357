package measure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PoissonBounds are the exact bounds of the mean of a Poisson count of n (F. Garwood, Fiducial Limits for the Poisson
// Distribution, Biometrika 28, 1936): half the quantiles of χ² with 2n and 2n+2 degrees of freedom. For none the lower is 0 and
// the upper bound is one-sided, at half of 1 - Confidence like every other end: of 3 expected and more, none would be seen less
// often than once in twenty times.
func PoissonBounds(n int) Bounds {
	const tail = (1 - Confidence) / 2
	b := Bounds{Upper: distuv.ChiSquared{K: float64(2*n + 2)}.Quantile(1-tail) / 2}
	if n > 0 {
		b.Lower = distuv.ChiSquared{K: float64(2 * n)}.Quantile(tail) / 2
	}
	return b
}

// Between is the mean time between n events in an exposure of seconds, the exposure over the number, with the exact bounds
// of a Poisson count: from 2T/χ² of 2n+2 to 2T/χ² of 2n degrees of freedom (B. Epstein, M. Sobel, Life Testing, JASA 48, 1953;
// NIST/SEMATECH e-Handbook of Statistical Methods, section 8.4.5.1). With no event only the lower bound is known.
type Between struct {
	// Mean and Upper are nil with no event: the mean may be as long as one likes.
	Mean  *float64 `json:"mean_seconds,omitempty"`
	Lower *float64 `json:"lower_seconds,omitempty"`
	Upper *float64 `json:"upper_seconds,omitempty"`
}

// Rate is how many events there are a day, with the exact bounds of a Poisson count.
type Rate struct {
	PerDay float64 `json:"per_day"`
	Bounds
}

const secondsOfDay = 86400

// betweenOf are the two figures of n events in an exposure of seconds, which are each other's inverse; ok is false without any
// exposure. bounds are PoissonBounds(n).
func betweenOf(n int, exposure float64, bounds Bounds) (between Between, rate Rate, ok bool) {
	if exposure <= 0 {
		return between, rate, false
	}
	between.Lower = some(exposure/bounds.Upper, true)
	if n > 0 {
		between.Mean, between.Upper = some(exposure/float64(n), true), some(exposure/bounds.Lower, true)
	}
	days := exposure / secondsOfDay
	return between, Rate{float64(n) / days, Bounds{bounds.Lower / days, bounds.Upper / days}}, true
}

// RateComparison is the rate of incidents in two windows.
type RateComparison struct {
	Before int `json:"n_before"`
	Now    int `json:"n_now"`
	// Ratio is the rate now over the one before; nil where there was none before. Lower and Upper are its bounds; Upper is nil
	// where there was none before, and both are where there was none at all.
	Ratio *float64 `json:"ratio,omitempty"`
	Lower *float64 `json:"lower,omitempty"`
	Upper *float64 `json:"upper,omitempty"`
	// P is how often chance alone would make two windows of one rate differ by this much or more.
	P *float64 `json:"p,omitempty"`
	// Words say what can be told from it, and no more.
	Words string `json:"words"`
}

// CompareRates tells what changed between two counts of incidents, each in an exposure of seconds. Given how many there were
// in both, the number in the second is binomial, by the share of the exposure where the rates are the same
// (J. Przyborowski, H. Wilenski, Homogeneity of Results in Testing Samples from Poisson Series, Biometrika 31, 1940). The
// bounds of the ratio come of the exact ones of that share (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934), as poisson.test of
// R gives them, and so does P.
func CompareRates(before int, exposureBefore float64, now int, exposure float64) RateComparison {
	c := RateComparison{Before: before, Now: now}
	switch {
	case exposureBefore <= 0 || exposure <= 0:
		c.Words = "nothing to compare with: one of the two windows was not watched"
		return c
	case before+now == 0:
		c.Words = "none in either"
		return c
	}
	const tail = (1 - Confidence) / 2
	n, k, odds := float64(before+now), float64(now), exposureBefore/exposure
	c.Lower = some(0, true)
	if now > 0 {
		p := distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(tail)
		c.Lower = some(p/(1-p)*odds, true)
	}
	if before > 0 {
		p := distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(1 - tail)
		c.Upper, c.Ratio = some(p/(1-p)*odds, true), some(k/float64(before)*odds, true)
	}
	c.P = some(binomialTest(now, before+now, exposure/(exposure+exposureBefore)), true)
	switch {
	case *c.Lower > 1 && c.Ratio == nil:
		c.Words = fmt.Sprintf("more often: %d now and none before (at least %.2f times as often)", now, *c.Lower)
	case *c.Lower > 1:
		c.Words = fmt.Sprintf("more often: %.2f times as often as before (%.2f to %.2f)", *c.Ratio, *c.Lower, *c.Upper)
	case c.Upper != nil && *c.Upper < 1:
		c.Words = fmt.Sprintf("less often: %.2f times as often as before (%.2f to %.2f)", *c.Ratio, *c.Lower, *c.Upper)
	case c.Upper == nil:
		c.Words = fmt.Sprintf("no change can be told from none before and %d now", now)
	default:
		c.Words = fmt.Sprintf("no change can be told from %d before and %d now (%.2f to %.2f times as often)", before, now, *c.Lower, *c.Upper)
	}
	return c
}

// binomialTest is the two-sided exact p-value of k of n at the share p: how likely is what is not likelier than k.
func binomialTest(k, n int, p float64) float64 {
	b := distuv.Binomial{N: float64(n), P: p}
	at := b.Prob(float64(k)) * (1 + 1e-7) // what is as likely counts although it is rounded
	sum := 0.0
	for i := range n + 1 {
		if q := b.Prob(float64(i)); q <= at {
			sum += q
		}
	}
	return math.Min(1, sum)
}
