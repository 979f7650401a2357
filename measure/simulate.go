package measure

import (
	"math/rand/v2"
	"slices"
)

// Simulation says how large a change of durations a number of incidents could show, by drawing two groups of incidents
// from one distribution over and over: whatever the groups differ by is chance. It follows Š. Davidovič, Incident
// Metrics in SRE, O'Reilly 2021, which does so for MTTR, the median, the 95th percentile and the geometric mean.
type Simulation struct {
	// N is the number of incidents in each of the two groups.
	N    int `json:"n"`
	Runs int `json:"runs"`
	// Change is the true change that is looked for: every incident of the second group is shorter by this share.
	Change     float64              `json:"change"`
	Statistics []SimulatedStatistic `json:"statistics"`
}

// SimulatedStatistic is what the runs show by one statistic.
type SimulatedStatistic struct {
	Statistic string `json:"statistic"`
	// Value is the statistic of the incidents that were drawn from, in seconds.
	Value float64 `json:"value"`
	// Lower and Upper hold nine in ten of the differences between two groups that do not differ, in seconds.
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
	// Hidden is the share of runs in which, though every incident of the second group is shorter by Change, the statistic
	// is not.
	Hidden float64 `json:"hidden"`
	// Seen is the share of runs in which the statistic is shorter by more than Upper, so that the change could be told
	// from chance.
	Seen float64 `json:"seen"`
	// Detectable is the smallest change that would be seen in four of five runs, nil where not even one to nothing would.
	Detectable *float64 `json:"detectable,omitempty"`
}

// SimulateOptions say what to simulate. The zero value is ready to use.
type SimulateOptions struct {
	// N is the number of incidents in each group; 0 means as many as the sample has, which is to compare with as many again.
	N int
	// Change is the true change to look for; 0 means a tenth.
	Change float64
	// Runs is how often two groups are drawn; 0 means 10,000, fewer where the groups are very large.
	Runs int
	// Seed makes a simulation repeatable.
	Seed uint64
	// Draw draws the duration of one incident in seconds; nil draws from the sample, with replacement.
	Draw func(r *rand.Rand) float64
}

const (
	defaultRuns   = 10_000
	fewestRuns    = 500
	mostDraws     = 40_000_000 // of which two groups of 2,000 incidents take 10,000 runs
	defaultChange = 0.1
	power         = 0.8 // how often a change has to be seen to count as detectable
)

// Simulate draws from a sample of recorded durations in seconds. ok is false for fewer than MinBounds.
func Simulate(sample []float64, o SimulateOptions) (s Simulation, ok bool) {
	if len(sample) < MinBounds {
		return Simulation{}, false
	}
	s = Simulation{N: o.N, Runs: o.Runs, Change: o.Change}
	if s.N <= 0 {
		s.N = len(sample)
	}
	if s.Runs <= 0 {
		s.Runs = max(fewestRuns, min(defaultRuns, mostDraws/(2*s.N)))
	}
	if s.Change <= 0 {
		s.Change = defaultChange
	}
	draw := o.Draw
	if draw == nil {
		draw = func(r *rand.Rand) float64 { return sample[r.IntN(len(sample))] }
	}
	stats := simulated(s.N)
	before, after := make([][]float64, len(stats)), make([][]float64, len(stats))
	r := rand.New(rand.NewPCG(o.Seed, 0))
	group := make([]float64, s.N)
	for range s.Runs {
		for _, into := range [][][]float64{before, after} {
			for i := range group {
				group[i] = draw(r)
			}
			slices.Sort(group)
			for i := range stats {
				into[i] = append(into[i], stats[i].of(group))
			}
		}
	}
	all := sortedCopy(sample)
	for i := range stats {
		s.Statistics = append(s.Statistics, compareRuns(stats[i].name, stats[i].of(all), before[i], after[i], s.Change))
	}
	return s, true
}

// statistic is one of a sorted sample.
type statistic struct {
	name string
	of   func(sorted []float64) float64
}

// simulated are the statistics simulated for groups of n. All of them scale: of durations shorter by a share they are shorter
// by the same share, so that a changed group need not be drawn anew.
func simulated(n int) []statistic {
	s := []statistic{
		{"mean", func(x []float64) float64 { m, _ := Mean(x); return m }},
		{"median", func(x []float64) float64 { m, _ := Median(x); return m.Value }},
		{"geometric_mean", geometricMean},
	}
	if n >= MinP95 {
		s = append(s, statistic{"p95", func(x []float64) float64 { q, _ := Quantile(x, 0.95); return q }})
	}
	return s
}

func compareRuns(name string, value float64, before, after []float64, change float64) SimulatedStatistic {
	runs := len(before)
	chance := make([]float64, runs)
	for i := range before {
		chance[i] = before[i] - after[i]
	}
	slices.Sort(chance)
	s := SimulatedStatistic{Statistic: name, Value: value}
	s.Lower, _ = Quantile(chance, (1-Confidence)/2)
	s.Upper, _ = Quantile(chance, 1-(1-Confidence)/2)
	hidden, seen := 0, 0
	needed := make([]float64, 0, runs) // the change from which on each run shows one
	for i := range before {
		d := before[i] - after[i]*(1-change)
		if d <= 0 {
			hidden++
		}
		if d > s.Upper {
			seen++
		}
		if after[i] > 0 {
			needed = append(needed, max(0, 1-(before[i]-s.Upper)/after[i]))
		} else {
			needed = append(needed, 1)
		}
	}
	s.Hidden, s.Seen = float64(hidden)/float64(runs), float64(seen)/float64(runs)
	slices.Sort(needed)
	if q, _ := Quantile(needed, power); q < 1 {
		s.Detectable = &q
	}
	return s
}
