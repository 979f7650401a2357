package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestMedianRank compares with the table of order statistics for a 90 % interval of the median that textbooks print: the
// sum of binomial probabilities is worked out here by hand.
func TestMedianRank(t *testing.T) {
	for n := 1; n <= 300; n++ {
		// P(B <= k-1) for B binomial(n, 1/2), term by term.
		want, tail, term := 0, 0.0, math.Pow(0.5, float64(n))
		for k := 1; k <= n/2; k++ {
			tail += term
			term *= float64(n-k+1) / float64(k)
			if 1-2*tail >= 0.90 {
				want = k
			}
		}
		require.Equal(t, want, medianRank(n), "n = %d", n)
	}
	require.Equal(t, []int{0, 1, 1, 1, 2, 2, 2, 3, 3}, []int{medianRank(4), medianRank(5), medianRank(6), medianRank(7), medianRank(8), medianRank(9), medianRank(10), medianRank(11), medianRank(12)})
	require.InDelta(t, 500-26, medianRank(1000), 1.5)
}

func TestMedian(t *testing.T) {
	_, ok := Median(nil)
	require.False(t, ok)
	e, _ := Median([]float64{3})
	require.Equal(t, Estimate{Value: 3}, e)
	e, _ = Median([]float64{1, 2, 4, 9})
	require.Equal(t, Estimate{Value: 3}, e)
	e, _ = Median([]float64{1, 2, 4, 9, 100})
	require.Equal(t, Estimate{4, &Bounds{1, 100}}, e)
	e, _ = Median([]float64{1, 2, 3, 4, 5, 6, 7, 8})
	require.Equal(t, Estimate{4.5, &Bounds{2, 7}}, e)
}

func TestGeometricMean(t *testing.T) {
	_, ok := GeometricMean([]float64{1, 2, 3, 4})
	require.False(t, ok)
	// ln of the sample is 0 1 2 3 4: mean 2, s² 2.5, t(4; 0.95) = 2.131846786.
	e, ok := GeometricMean([]float64{1, math.E, math.Exp(2), math.Exp(3), math.Exp(4)})
	require.True(t, ok)
	half := 2.131846786 * math.Sqrt(2.5/5)
	require.InDelta(t, math.Exp(2), e.Value, 1e-9)
	require.InDelta(t, math.Exp(2-half), e.Bounds.Lower, 1e-6)
	require.InDelta(t, math.Exp(2+half), e.Bounds.Upper, 1e-6)
	// Zero and less than a second are a second.
	zero, _ := GeometricMean([]float64{0, 0.5, 1, math.E, math.E})
	require.InDelta(t, math.Exp(0.4), zero.Value, 1e-9)
	same, _ := GeometricMean([]float64{60, 60, 60, 60, 60})
	require.InDelta(t, 60, same.Bounds.Lower, 1e-9)
	require.InDelta(t, 60, same.Bounds.Upper, 1e-9)
}

func TestQuantile(t *testing.T) {
	s := []float64{10, 20, 30, 40, 50}
	for q, want := range map[float64]float64{0: 10, 0.25: 20, 0.5: 30, 0.9: 46, 0.95: 48, 1: 50} {
		got, ok := Quantile(s, q)
		require.True(t, ok)
		require.InDelta(t, want, got, 1e-9)
	}
	_, ok := Quantile(nil, 0.9)
	require.False(t, ok)
}

// TestWilson checks that the bounds are where the score test just rejects: |p - b| = z sqrt(b(1-b)/n).
func TestWilson(t *testing.T) {
	_, ok := Wilson(0, 0)
	require.False(t, ok)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "n")
		k := rapid.IntRange(0, n).Draw(t, "k")
		r, ok := Wilson(k, n)
		require.True(t, ok)
		p := float64(k) / float64(n)
		require.Equal(t, p, r.Value)
		for _, b := range []float64{r.Bounds.Lower, r.Bounds.Upper} {
			require.GreaterOrEqual(t, b, 0.0)
			require.LessOrEqual(t, b, 1.0)
			require.InDelta(t, z*math.Sqrt(b*(1-b)/float64(n)), math.Abs(p-b), 1e-9)
		}
		require.LessOrEqual(t, r.Bounds.Lower, p)
		require.GreaterOrEqual(t, r.Bounds.Upper, p)
	})
	r, _ := Wilson(8, 10)
	require.InDelta(t, 0.5406, r.Bounds.Lower, 5e-4)
	require.InDelta(t, 0.9314, r.Bounds.Upper, 5e-4)
}

func TestStudentAndNormalQuantiles(t *testing.T) {
	require.InDelta(t, 2.131847, tQuantile(4), 1e-6)
	require.InDelta(t, 1.795885, tQuantile(11), 1e-6)
	require.InDelta(t, 1.676551, tQuantile(49), 1e-6)
	require.InDelta(t, z, tQuantile(1e7), 1e-4)
}

// TestCoverage draws log-normal samples, as incident durations nearly are, and counts how often the intervals hold the truth.
func TestCoverage(t *testing.T) {
	const mu, sigma, runs = 8.2, 1.3, 10000
	truth := math.Exp(mu) // the median, and the geometric mean
	for _, n := range []int{5, 12, 50} {
		r := rand.New(rand.NewPCG(uint64(n), 7))
		median, geometric := 0, 0
		sample := make([]float64, n)
		for range runs {
			for i := range sample {
				sample[i] = math.Exp(mu + sigma*r.NormFloat64())
			}
			slices.Sort(sample)
			m, _ := Median(sample)
			g, _ := GeometricMean(sample)
			if m.Bounds.Lower <= truth && truth <= m.Bounds.Upper {
				median++
			}
			if g.Bounds.Lower <= truth && truth <= g.Bounds.Upper {
				geometric++
			}
		}
		for name, hits := range map[string]int{"median": median, "geometric mean": geometric} {
			share := float64(hits) / runs
			require.True(t, share >= 0.88 && share <= 0.97, "%s at n = %d holds the truth in %.3f of the samples", name, n, share)
		}
	}
}

// TestWilsonCoverage: averaged over the true ratio, the interval holds it about as often as it says.
func TestWilsonCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{5, 12, 50} {
		hits, runs := 0, 20000
		for range runs {
			p, k := r.Float64(), 0
			for range n {
				if r.Float64() < p {
					k++
				}
			}
			if q, _ := Wilson(k, n); q.Bounds.Lower <= p && p <= q.Bounds.Upper {
				hits++
			}
		}
		require.InDelta(t, 0.90, float64(hits)/float64(runs), 0.02, "n = %d", n)
	}
}

// TestSmallestSamples: the smallest n that a statistic is shown from is the smallest with the stated probability.
func TestSmallestSamples(t *testing.T) {
	require.GreaterOrEqual(t, 1-2*math.Pow(0.5, MinBounds), Confidence)
	require.Less(t, 1-2*math.Pow(0.5, MinBounds-1), Confidence)
	for q, n := range map[float64]int{0.90: MinP90, 0.95: MinP95} {
		require.GreaterOrEqual(t, 1-math.Pow(q, float64(n)), 0.95)
		require.Less(t, 1-math.Pow(q, float64(n-1)), 0.95)
	}
}

func TestSurvivalMedian(t *testing.T) {
	type list = []float64
	for _, c := range []struct {
		name         string
		ended, going list
		want         float64
		ok           bool
	}{
		{"none", nil, nil, 0, false},
		{"only open", nil, list{9, 5}, 0, false},
		{"all ended, odd", list{3, 1, 2}, nil, 2, true},
		{"all ended, even: the middle, as of the plain median", list{9, 1, 4, 2}, nil, 3, true},
		{"ties", list{2, 2, 2, 9}, nil, 2, true},
		// 5 of 8 ended; S after 1: 7/8, 3: 7/8·5/6 = 0.729, 4: ·4/5 = 0.583, 6: ·2/3 = 0.389.
		{"open in between", list{1, 3, 4, 6, 8}, list{2, 5, 7}, 6, true},
		{"most still open", list{1}, list{2, 3, 4}, 0, false},
		{"an open one as long as an ended one is at risk with it", list{1, 2}, list{1}, 2, true},
		{"flat at one half to the end", list{1, 2}, list{3, 4}, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := SurvivalMedian(c.ended, c.going)
			require.Equal(t, c.ok, ok)
			require.InDelta(t, c.want, got, 1e-9)
		})
	}
}

// TestSurvivalMedianLaws: without anything open it is the plain median, and an open one never brings it below the lower of the
// two middle values.
func TestSurvivalMedianLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 40).Draw(t, "sample")
		plain, _ := Median(sortedCopy(s))
		got, ok := SurvivalMedian(s, nil)
		require.True(t, ok)
		require.InDelta(t, plain.Value, got, 1e-9)

		i := rapid.IntRange(0, len(s)-1).Draw(t, "open")
		if longer, ok := SurvivalMedian(slices.Delete(slices.Clone(s), i, i+1), s[i:i+1]); ok {
			require.GreaterOrEqual(t, longer, sortedCopy(s)[(len(s)-1)/2])
		}
	})
}
