package score

import (
	"cmp"
	"math"
	"slices"
)

// off collects how far the answer is from the truth in one sort of time, in seconds.
type off struct {
	errors   []float64
	all      int // true ones
	invented int // given where there is no true one
}

var milestones = []string{"started", "detected", "acknowledged", "mitigated", "resolved"}

var durations = []struct{ name, from, to string }{
	{"ttd", "started", "detected"},
	{"ttm", "started", "mitigated"},
	{"ttr", "started", "resolved"},
}

// times compares milestones, and what lies between them. Of several incidents that answer a true one, that with the most
// links speaks.
func (s *scorer) times() {
	offs := map[string]*off{}
	for _, n := range milestones {
		offs[n] = &off{}
	}
	for _, d := range durations {
		offs[d.name] = &off{}
	}
	for t, x := range s.inc {
		if x.Kind != "incident" || !s.known[t] {
			continue
		}
		var got map[string]Time
		if mine := s.answers[t]; len(mine) > 0 {
			got = slices.MinFunc(mine, func(a, b *scored) int {
				return cmp.Or(cmp.Compare(len(b.links), len(a.links)), cmp.Compare(a.ID, b.ID))
			}).Milestones
		}
		for _, n := range milestones {
			offs[n].milestone(x.Milestones[n], got[n])
		}
		for _, d := range durations {
			offs[d.name].duration(x.Milestones[d.from], x.Milestones[d.to], got[d.from], got[d.to])
		}
	}
	for name, o := range offs {
		s.out[name+"_coverage"] = ratio(len(o.errors), o.all)
		if o.invented > 0 {
			s.out[name+"_invented"] = float64(o.invented)
		}
		if len(o.errors) == 0 {
			continue
		}
		size := make([]float64, len(o.errors))
		near, nearish := 0, 0
		for i, e := range o.errors {
			size[i] = math.Abs(e)
			near += count(size[i] <= 60)
			nearish += count(size[i] <= 300)
		}
		s.out[name+"_error_median_s"], s.out[name+"_bias_median_s"] = median(size), median(o.errors)
		slices.Sort(size)
		s.out[name+"_error_p90_s"] = size[min(len(size)-1, int(math.Ceil(0.9*float64(len(size))))-1)]
		s.out[name+"_within_60s"], s.out[name+"_within_300s"] = ratio(near, o.all), ratio(nearish, o.all)
	}
}

func (o *off) milestone(is, got Time) {
	switch {
	case !is.Known:
		o.invented += count(got.Known)
		return
	case got.Known:
		o.errors = append(o.errors, got.Seconds-is.Seconds)
	}
	o.all++
}

func (o *off) duration(from, to, gotFrom, gotTo Time) {
	if !from.Known || !to.Known || to.Seconds < from.Seconds {
		return
	}
	o.all++
	if gotFrom.Known && gotTo.Known {
		o.errors = append(o.errors, (gotTo.Seconds-gotFrom.Seconds)-(to.Seconds-from.Seconds))
	}
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	if n%2 == 1 {
		return x[n/2]
	}
	return (x[n/2-1] + x[n/2]) / 2
}
