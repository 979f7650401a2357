package assign

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// The tests of this file hold those figures of the model that no small organisation decides by: each is a bound or a weight,
// given as it was derived, on both sides of where it applies. Times are hours.

// solverOf is a solver before its first pass, of an organisation whose incidents last forty minutes.
func solverOf(alerts []Alert, known ...*Known) *solver {
	for i := range alerts {
		x := &alerts[i]
		x.Key = incident.EpisodeKey{Fingerprint: fmt.Sprintf("%016x", i)}
	}
	s := newSolver(&Input{
		Alerts: alerts, Known: known, Until: 24,
		Org: Org{
			Median: 40.0 / 60, Services: 10, RecordRate: 0.05, Hours: 720, Days: 30, Lateness: startLateness,
			Values: map[string]float64{"cluster": 4, "pod": 1000},
		},
		Options: &Options{LinkAt: 0.6, SuggestAt: 0.4, Quiet: 1.0 / 6, Reopen: 1},
		Graph:   NewGraph(catalog.New(&catalog.Rules{}, &catalog.Names{})),
	})
	s.ctx = context.Background()
	s.habit = s.habits()
	s.begun()
	return s
}

// impaired is an incident of web that a record tells of.
func impaired(from, to float64, ended bool) *Known {
	return &Known{ID: "r", Services: []string{"web"}, Onset: from, Windows: [][2]float64{{from, to}}, End: to, Ended: ended, Last: to}
}

func TestToldReaches(t *testing.T) {
	rate := func(k *Known, at float64) float64 {
		s := solverOf([]Alert{{Start: at, End: 100, Service: "web"}}, k)
		r, _, _, _ := s.told(k, &s.alerts[0], true)
		return r
	}
	k := impaired(10, 12, false)
	require.Positive(t, rate(k, 10-5.99), "six hours before the onset")
	require.Zero(t, rate(k, 10-6.01))
	require.Positive(t, rate(k, 12+1.99), "two hours after the last time told")
	require.Zero(t, rate(k, 12+2.01))
	// 0.8 of the alerts begin around the onset, of these 0.7 after a start, fading in 12 minutes; 0.3 over the length of the impact.
	require.InDelta(t, 0.8*0.7*math.Exp(-0.5/0.2)/0.2+0.3/0.6, rate(impaired(10, 10.6, true), 10.5), 1e-9)
	require.InDelta(t, 0.8*0.7*math.Exp(-0.01/0.2)/0.2+0.3/(5.0/60), rate(impaired(10, 10.02, true), 10.01), 1e-9, "five minutes at least")
}

func TestEndsAgree(t *testing.T) {
	end := func(off float64) float64 {
		k := impaired(10, 12, true)
		s := solverOf([]Alert{{Start: 10, End: 12 + off, Ended: true, Service: "web"}}, k)
		return s.base[0][0].terms.end
	}
	require.InDelta(t, math.Exp(1.2), end(0), 1e-9, "1.2 nats at most")
	require.InDelta(t, 0.6+2.9*math.Exp(-1), end(4.0/60), 1e-9, "it fades in four minutes")
	require.InDelta(t, 1, end(1), 1e-9, "an end that does not agree says nothing")
}

func TestEarlyIsCounted(t *testing.T) {
	for after, want := range map[float64]Early{
		1.01: {}, 0.99: {1}, 0: {1}, -2.9 / 60: {0, 1}, -3.1 / 60: {0, 0, 1}, -0.49: {0, 0, 1}, -0.51: {0, 0, 0, 1},
	} {
		var e Early
		e.Count(after, 1)
		require.Equal(t, want, e, "%v hours after the onset", after)
	}
}

func TestLatenessIsLearned(t *testing.T) {
	learned := func(n int, e Early) [4]float64 {
		var l Learn
		for range n {
			l.Add(Detected, e)
		}
		return l.Shares()[Detected]
	}
	// One incident beside the four that the start counts for: (4 x 0.12 + 1) / 5 is 2.47 times the start, e to the nearest quarter.
	require.InDelta(t, 0.12*math.E, learned(1, Early{3: 5})[3], 1e-9)
	require.InDelta(t, 0.12*math.Exp(-1.5), learned(100, Early{5})[3], 1e-9, "no share falls below a quarter of its start")
}

func TestPastIsSummedUp(t *testing.T) {
	ago := func(gaps ...float64) Past {
		var list []Begin
		for _, g := range gaps {
			list = append([]Begin{{At: 1000 - g, Noise: 1, Clock: 1}}, list...)
		}
		return PastOf(list, 1000, 10)
	}
	require.EqualValues(t, 0, ago(1.49).Count, "within an hour and a half it is the same trouble")
	require.EqualValues(t, 1, ago(1.51).Count)
	require.EqualValues(t, 1, ago(23.9).Day)
	require.EqualValues(t, 0, ago(24.1).Day)
	// Twice in ten days, and one that may be chance: 0.2 a day, in half nats, moved by 20 to be positive.
	require.EqualValues(t, 20-3, ago(24.49, 48.49, 72.49).Clock)
	require.EqualValues(t, 0, ago(24.51, 48.51, 72.51).Clock, "half an hour off it is another time of day")
}

func TestBurstsAreCounted(t *testing.T) {
	burst := func(last float64) float64 {
		alerts := []Alert{{Name: "A", Service: "a"}, {Name: "A", Service: "b"}, {Name: "A", Service: "c"}, {Name: "A", Service: "d"}}
		return solverOf(append(alerts, Alert{Name: "A", Service: "e", Start: last / 3600})).bursts()[0]
	}
	require.InDelta(t, math.Pow(5.0/3, 3), burst(44), 1e-9, "five services")
	require.InDelta(t, math.Pow(4.0/3, 3), burst(46), 1e-9, "and the fifth too late for it")
}

func TestOpenedIncidentsCool(t *testing.T) {
	s := solverOf([]Alert{{Start: 10.5, End: 11, Service: "web", Opens: true}})
	st := &state{onset: 9, at: 10, until: 9, services: []int{s.service[0]}, seed: -1}
	require.False(t, s.cold(st, 11.59), "company counts for eight time scales of 12 minutes")
	require.True(t, s.cold(st, 11.61))
	st.until = 10
	require.InDelta(t, 0.06, s.of(st, 0, nil).time, 1e-9, "what fires again within the hour is a relapse")
	goesOn := &Carried{Onset: 0, At: 23.9, Until: math.Inf(1)}
	require.False(t, s.ended(nil, goesOn, 23.99), "for a day at most")
	require.True(t, s.ended(nil, goesOn, 24.01))
}

func TestOpenedIncidentsAreOfTheirEarlyMembers(t *testing.T) {
	services := func(later float64) []int {
		s := solverOf([]Alert{{Start: 10, Service: "a"}, {Start: 10 + later, Service: "b"}, {Start: 10 + later, Service: "b"}})
		st := &state{onset: 10, at: math.Inf(-1), seed: 0}
		for i := range s.alerts {
			s.add(st, i, 1)
		}
		return st.services
	}
	require.Equal(t, []int{2}, services(0.24), "a quarter of an hour")
	require.Equal(t, []int{1}, services(0.26))
}

func TestWhatHasJoinedIsTied(t *testing.T) {
	s := solverOf([]Alert{{Start: 10.1, End: 11, Service: "mail"}}, impaired(10, 12, false))
	st := s.newState(s.known["r"])
	require.InDelta(t, 0.02, s.of(st, 0, nil).share, 1e-9)
	st.joined = []weight{{s.service[0], 1}}
	require.InDelta(t, 0.12, s.of(st, 0, nil).share, 1e-9)
}

func TestRecordsAreAnsweredSoon(t *testing.T) {
	answered := func(at float64) bool {
		k := impaired(10, 12, false)
		s := solverOf([]Alert{{Start: at, End: 12, Service: "web"}}, k)
		s.pass(false)
		return s.answered(k)
	}
	require.True(t, answered(10.49), "half an hour after the onset")
	require.False(t, answered(10.51))
}

func TestWhatCameFirstIsFound(t *testing.T) {
	how := func(minutes float64) timing {
		s := solverOf([]Alert{
			{Start: 10 - minutes/60, End: 12, Service: "web", Name: "often", Past: Past{Count: 8}},
			{Start: 10, End: 12, Service: "web", Name: "a"}, {Start: 10, End: 12, Service: "web", Name: "b"},
		}, impaired(10, 12, false))
		s.passes = 1 // the first one knows no habits
		s.pass(false)
		return s.out[0].best.terms.how
	}
	require.Equal(t, afterMember, how(9.5), "two sure alerts follow within ten minutes")
	require.Equal(t, beforeOnset, how(10.5))
}

func TestPlacesAreWeighed(t *testing.T) {
	s := solverOf(nil)
	for label, want := range map[string]float64{"cluster": 4, "pod": 60, "rack": 2} {
		require.InDelta(t, want, s.values(label), 1e-9, label)
	}
	// One member in one of four places. In one place are 65 %, of whose alerts 5 % are elsewhere: "in" is how much likelier than by
	// chance an alert is there, "out" in any other.
	l := &placeWeights{label: "cluster", values: []placeWeight{{"a", 1}}, total: 1}
	in, out := 0.95*4, 0.05*4/3
	sum := 0.35 + 0.65/4*(in+3*out)
	require.InDelta(t, (0.35+0.65/4*(in*in+3*out*out))/sum, s.placeRatio(l, "a"), 1e-9)
	require.InDelta(t, (0.35+0.65/4*(in*out+out*in+2*out*out))/sum, s.placeRatio(l, "b"), 1e-9)
}
