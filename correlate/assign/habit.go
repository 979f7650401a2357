package assign

import "math"

// Past is what is known of an alert's earlier beginnings, before the stretch of time that is worked out. It is coarse on
// purpose: what changes long ago seldom changes it, and so seldom makes later answers be worked out again.
type Past struct {
	Count int8 // half nats of one plus how often it began for nothing
	Day   int8 // how often within the last day, for nothing
	Clock int8 // half nats of the rate at this time of day, 0 for none
}

// Begin is one earlier beginning, with how likely it was for nothing; Clock is the same for the habit of a time of day.
type Begin struct{ At, Noise, Clock float64 }

const (
	habitPrior  = 480.0 // hours: an alert never seen before begins once in so many
	sameBout    = 1.5   // hours in which beginnings of one alert are the same trouble
	dayHours    = 24.0
	dayRate     = 48.0 // hours that a day's beginnings are divided by
	clockWindow = 0.5  // hours before and after the time of day
	clockBase   = 20   // half nats that Clock is moved by, so that it is positive
)

// PastOf sums up the beginnings of an alert before a cell, for one that begins at a time. list is in order of time; days
// is on how many days alerts were listened to.
func PastOf(list []Begin, at, days float64) Past {
	n, day, clock := 0.0, 0.0, 0.0
	for i := len(list) - 1; i >= 0; i-- {
		gap := at - list[i].At
		if gap < sameBout {
			continue
		}
		n += list[i].Noise
		if gap <= dayHours {
			day += list[i].Noise
		}
		if off := math.Mod(gap+clockWindow, 24); off <= 2*clockWindow {
			clock += list[i].Clock
		}
	}
	p := Past{Count: halfNats(n + 1), Day: int8(math.Round(math.Min(day, 100)))}
	if clock > 1 {
		p.Clock = int8(max(1, int(halfNats((clock-1)/math.Max(1, days)))+clockBase))
	}
	return p
}

func halfNats(x float64) int8 { return int8(math.Round(2 * math.Log(x))) }

// habitKind says what an alert's habit was judged by.
type habitKind int8

const (
	byMonth habitKind = iota
	byDay
	byClock
	byBurst
)

// habits is how often an hour each alert begins by habit: of its past, and of the stretch itself by the outcome of the last
// pass. Without one every alert is as if never seen before.
func (s *solver) habits() []float64 {
	out := make([]float64, len(s.alerts))
	s.habitBy = make([]habitKind, len(s.alerts))
	for i := range out {
		out[i] = 1 / habitPrior
	}
	if s.passes > 0 {
		earlier := map[string][]Begin{}
		for i := range s.alerts {
			x := &s.alerts[i]
			list := earlier[x.Key.Fingerprint]
			n, day := math.Exp(float64(x.Past.Count)/2)-1, float64(x.Past.Day)
			for _, b := range list {
				if gap := x.Start - b.At; gap >= sameBout {
					n += b.Noise
					if gap <= dayHours {
						day += b.Noise
					}
				}
			}
			rate, by := (n+1)/(s.org.Hours+habitPrior), byMonth
			if r := (day - 1) / dayRate; r > rate {
				rate, by = r, byDay
			}
			if x.Past.Clock > 0 {
				if r := math.Exp(float64(x.Past.Clock-clockBase) / 2); r > rate {
					rate, by = r, byClock
				}
			}
			s.habitBy[i] = by
			out[i] = math.Exp(math.Round(2*math.Log(rate)) / 2)
			earlier[x.Key.Fingerprint] = append(list, Begin{At: x.Start, Noise: s.noise(i)})
		}
	}
	for i, m := range s.bursts() {
		if out[i] *= m; m > 1 {
			s.habitBy[i] = byBurst
		}
	}
	return out
}

// noise is how likely an alert began for nothing, by the outcome of the last pass.
func (s *solver) noise(i int) float64 {
	if s.alerts[i].Quiet {
		return 1
	}
	return 1 - s.out[i].sure
}

const (
	burstWithin   = 45.0 / 3600 // hours
	burstServices = 3.0
)

// bursts is by how much more likely each alert is for nothing because its name begins on many services at once: what
// watches is down then, not what is watched.
func (s *solver) bursts() []float64 {
	if s.burst != nil {
		return s.burst
	}
	s.burst = make([]float64, len(s.alerts))
	byName := map[string][]int{}
	for i := range s.alerts {
		s.burst[i] = 1
		if s.alerts[i].Service != "" {
			byName[s.alerts[i].Name] = append(byName[s.alerts[i].Name], i)
		}
	}
	for _, list := range byName {
		count, from, to := map[string]int{}, 0, 0
		for _, i := range list {
			x := &s.alerts[i]
			for ; to < len(list) && s.alerts[list[to]].Start <= x.Start+burstWithin; to++ {
				count[s.alerts[list[to]].Service]++
			}
			for ; s.alerts[list[from]].Start < x.Start-burstWithin; from++ {
				service := s.alerts[list[from]].Service
				if count[service]--; count[service] == 0 {
					delete(count, service)
				}
			}
			if m := float64(len(count)); m > burstServices {
				s.burst[i] = math.Pow(m/burstServices, 3)
			}
		}
	}
	return s.burst
}
