package measure

import (
	"fmt"
	"math"
)

// Comparison is one interval in two windows.
type Comparison struct {
	Interval string `json:"interval"`
	Before   int    `json:"n_before"`
	Now      int    `json:"n_now"`
	// Ratio is the geometric mean now over the one before, with its interval; nil where either window has too few.
	Ratio *Estimate `json:"ratio,omitempty"`
	// Words say what can be told from it, and no more.
	Words string `json:"words"`
}

// Compare tells what changed between two samples of seconds. The ratio of two geometric means is the exponential of the
// difference of the means of the logarithms, and its interval that of Welch's t-test (B. L. Welch, The Generalization of
// "Student's" Problem when Several Different Population Variances are Involved, Biometrika 34, 1947). Where it holds 1, the
// two windows could differ by chance alone.
func Compare(interval string, before, now []float64) Comparison {
	c := Comparison{Interval: interval, Before: len(before), Now: len(now)}
	if c.Before < MinBounds || c.Now < MinBounds {
		c.Words = fmt.Sprintf("too few to compare: %d before and %d now, of each %d are needed", c.Before, c.Now, MinBounds)
		return c
	}
	m0, v0 := logMoments(before)
	m1, v1 := logMoments(now)
	e0, e1 := v0/float64(c.Before), v1/float64(c.Now)
	half := 0.0
	if e0+e1 > 0 {
		df := (e0 + e1) * (e0 + e1) / (e0*e0/float64(c.Before-1) + e1*e1/float64(c.Now-1))
		half = tQuantile(df) * math.Sqrt(e0+e1)
	}
	d := m1 - m0
	c.Ratio = &Estimate{math.Exp(d), &Bounds{math.Exp(d - half), math.Exp(d + half)}}
	switch b := c.Ratio.Bounds; {
	case b.Upper < 1:
		c.Words = fmt.Sprintf("shorter: %.2f times as long as before (%.2f to %.2f)", c.Ratio.Value, b.Lower, b.Upper)
	case b.Lower > 1:
		c.Words = fmt.Sprintf("longer: %.2f times as long as before (%.2f to %.2f)", c.Ratio.Value, b.Lower, b.Upper)
	default:
		c.Words = fmt.Sprintf("no change can be told from these %d and %d incidents (%.2f to %.2f times)", c.Before, c.Now, b.Lower, b.Upper)
	}
	return c
}
