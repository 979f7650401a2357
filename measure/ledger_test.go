package measure

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

var resolveOnly = []incident.Interval{{Name: "resolve", From: "started", To: "resolved"}}

// take gives incidents to the ledger and commits.
func take(l *Ledger, incs ...incident.Incident) LedgerStep {
	s := l.Next(incs, minute(1000))
	l.Commit(s)
	return s
}

func TestLedgerCountsOnce(t *testing.T) {
	l := NewLedger(resolveOnly, 0, 0)
	s := take(l, made("a", at{"started": 0}, open))
	require.Empty(t, s.New)
	require.Empty(t, s.Observed)

	s = take(l, made("a", at{"started": 0, "resolved": 10}))
	require.Equal(t, []Observation{{Labels{"checkout", "critical", "alert"}, "a", "resolve", 600}}, s.New)
	require.Equal(t, []incident.Observed{{
		Incident: "a", Service: "checkout", Severity: "critical", DetectedBy: "alert",
		Seconds: map[string]float64{"resolve": 600}, Restated: map[string]float64{}, Restates: map[string]int{},
	}}, s.Observed)

	s = take(l, made("a", at{"started": 0, "resolved": 10}))
	require.Equal(t, LedgerStep{Restated: map[string]int{}}, s, "the same again is nothing new")
}

func TestLedgerRestatements(t *testing.T) {
	l := NewLedger(resolveOnly, 0, 0)
	take(l, made("a", at{"started": 0, "resolved": 10}))
	for _, c := range []struct {
		name   string
		inc    incident.Incident
		again  int // restatements in this step
		latest float64
		all    int
	}{
		{"corrected", made("a", at{"started": 0, "resolved": 12}), 1, 720, 1},
		{"the same correction again", made("a", at{"started": 0, "resolved": 12}), 0, 720, 1},
		{"open again: its end will come", made("a", at{"started": 0}, open), 0, 720, 1},
		{"over at another time", made("a", at{"started": 0, "resolved": 30}), 1, 1800, 2},
		{"a drill after all", made("a", at{"started": 0, "resolved": 30}, func(i *incident.Incident) { i.Kind = incident.KindDrill }), 1, -1, 3},
		{"still a drill", made("a", at{"started": 0, "resolved": 30}, func(i *incident.Incident) { i.Kind = incident.KindDrill }), 0, -1, 3},
		{"no drill after all", made("a", at{"started": 0, "resolved": 30}), 1, 1800, 4},
		{"under another service: the count stays where it is", made("a", at{"started": 0, "resolved": 30}, func(i *incident.Incident) { i.Services = []string{"other"} }), 0, 1800, 4},
		{"back to the first value", made("a", at{"started": 0, "resolved": 10}), 1, 600, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := take(l, c.inc)
			require.Empty(t, s.New)
			require.Equal(t, c.again, s.Restated["resolve"])
			if c.again == 0 {
				require.Empty(t, s.Observed)
			} else {
				o := s.Observed[0]
				require.Equal(t, 600.0, o.Seconds["resolve"], "what was counted stays")
				require.Equal(t, c.all, o.Restates["resolve"])
				latest, ok := o.Restated["resolve"]
				require.Equal(t, c.latest >= 0, ok)
				if ok {
					require.Equal(t, c.latest, latest)
				}
			}
			require.Equal(t, map[string]int{"resolve": c.all}, l.Restatements())
		})
	}
}

func TestLedgerKnowsAliases(t *testing.T) {
	l := NewLedger(resolveOnly, 0, 0)
	aliases := func(a ...string) func(*incident.Incident) { return func(i *incident.Incident) { i.Aliases = a } }
	take(l, made("alert1", at{"started": 0, "resolved": 10}))

	s := take(l, made("record1", at{"started": 0, "resolved": 10}, aliases("alert1")))
	require.Empty(t, s.New, "a record came for an incident that was counted")
	s = take(l, made("record1", at{"started": 0, "resolved": 11}, aliases("alert1")))
	require.Equal(t, "alert1", s.Observed[0].Incident, "its entry stays under the ID it was counted by")

	// Two that were counted become one, and two again.
	take(l, made("record2", at{"started": 0, "resolved": 20}))
	s = take(l, made("record1", at{"started": 0, "resolved": 20}, aliases("alert1", "record2")))
	require.Empty(t, s.New)
	require.Equal(t, 1, s.Restated["resolve"])
	s = take(l, made("record1", at{"started": 0, "resolved": 20}, aliases("alert1")), made("record2", at{"started": 0, "resolved": 20}))
	require.Empty(t, s.New)
	require.Empty(t, s.Restated)
	require.Len(t, slices.Collect(l.All()), 2)
}

func TestLedgerServiceLimit(t *testing.T) {
	l := NewLedger(resolveOnly, 2, 0)
	of := func(id, service string) incident.Incident {
		return made(id, at{"started": 0, "resolved": 1}, func(i *incident.Incident) { i.Services = []string{service} })
	}
	s := take(l, of("1", "a"), of("2", "b"), of("3", "c"), of("4", ""))
	require.Equal(t, []string{"a", "b", Other, ""}, services(s.New))
	require.Equal(t, []Labels{{Other, "critical", "alert"}, {"a", "critical", "alert"}}, l.Meet([]Labels{{"a", "critical", "alert"}, {"x", "critical", "alert"}, {"y", "critical", "alert"}}))

	// After a start the same services are shown, whatever comes first.
	again := NewLedger(resolveOnly, 2, 0)
	require.NoError(t, again.Load(each(s.Observed)))
	require.Equal(t, []string{Other, "b"}, services(take(again, of("5", "c"), of("6", "b")).New))
}

func services(o []Observation) []string {
	var out []string
	for _, x := range o {
		out = append(out, x.Service)
	}
	return out
}

func TestLedgerLoadStopsAtAnError(t *testing.T) {
	bad := errors.New("no such table")
	err := NewLedger(resolveOnly, 0, 0).Load(func(yield func(incident.Observed, error) bool) { yield(incident.Observed{}, bad) })
	require.ErrorIs(t, err, bad)
}

func TestLedgerNextChangesNothing(t *testing.T) {
	l := NewLedger(resolveOnly, 0, 0)
	take(l, made("a", at{"started": 0, "resolved": 10}))
	incs := []incident.Incident{made("a", at{"started": 0, "resolved": 12}), made("b", at{"started": 0, "resolved": 1})}
	first := l.Next(incs, minute(1000))
	require.Equal(t, first, l.Next(incs, minute(1000)))
	require.Equal(t, map[string]int{"resolve": 0}, l.Restatements())
	require.Len(t, slices.Collect(l.All()), 1)
}

// TestLedgerLaws: over any history, with a restart at any point, each interval of an incident is counted at most once, and the
// ledger that is stored says what was counted.
func TestLedgerLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewLedger(incident.DefaultIntervals(), 2, 0)
		follower := NewLedger(incident.DefaultIntervals(), 2, 0)
		stored := map[string]incident.Observed{}
		counted, restated := map[[2]string]float64{}, map[string]int{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			batch := map[string]incident.Incident{}
			for range rapid.IntRange(0, 4).Draw(t, "batch") {
				inc := randomIncident(t)
				batch[inc.ID] = inc
			}
			var incs []incident.Incident
			for _, inc := range batch {
				incs = append(incs, inc)
			}
			s := take(l, incs...)
			for _, o := range s.New {
				k := [2]string{o.Incident, o.Interval}
				require.NotContains(t, counted, k)
				counted[k] = o.Seconds
			}
			for iv, n := range s.Restated {
				restated[iv] += n
			}
			for _, o := range s.Observed {
				stored[o.Incident] = o
			}
			// Whoever follows what is stored counts the same.
			f := follower.Follow(s.Observed, incs)
			require.Equal(t, s.New, f.New)
			require.Equal(t, s.Restated, f.Restated)
			require.Equal(t, LedgerStep{Restated: map[string]int{}}, follower.Follow(s.Observed, nil), "told twice")
			if rapid.Bool().Draw(t, "restart") {
				l = NewLedger(incident.DefaultIntervals(), 2, 0)
				var all []incident.Observed
				for _, o := range stored {
					all = append(all, o)
				}
				require.NoError(t, l.Load(each(all)))
			}
		}
		got := map[[2]string]float64{}
		for o := range l.All() {
			got[[2]string{o.Incident, o.Interval}] = o.Seconds
		}
		require.Equal(t, counted, got)
		require.Equal(t, l.Restatements(), follower.Restatements())
		for iv, n := range l.Restatements() {
			require.Equal(t, restated[iv], n, fmt.Sprint(iv))
		}
	})
}

// An incident is counted once it is over and the last time known of it lies back by the settling time, as it is then.
func TestLedgerSettles(t *testing.T) {
	const settle = 60 * time.Minute
	l := NewLedger(resolveOnly, 0, settle)
	at60 := func(m float64, incs ...incident.Incident) LedgerStep {
		s := l.Next(incs, minute(m))
		l.Commit(s)
		return s
	}
	require.Empty(t, at60(5, made("a", at{"started": 0}, open)).New)
	require.Empty(t, l.Due(minute(1000), 10), "nobody knows when it is over")
	require.Empty(t, at60(10, made("a", at{"started": 0, "resolved": 10})).New)
	require.Empty(t, l.Due(minute(69.9), 10))
	require.Equal(t, []string{"a"}, l.Due(minute(70), 10))

	// Corrected before it is counted: no restatement. What is known of it later moves the moment.
	s := at60(20, made("a", at{"started": 0, "resolved": 12}, func(i *incident.Incident) { i.Services = []string{"other"} }))
	require.Empty(t, s.New)
	require.Empty(t, s.Restated)
	require.Empty(t, l.Due(minute(71), 10))
	s = at60(72, made("a", at{"started": 0, "resolved": 12}, func(i *incident.Incident) { i.Services = []string{"other"} }))
	require.Equal(t, []Observation{{Labels{"other", "critical", "alert"}, "a", "resolve", 720}}, s.New)
	require.Empty(t, l.Due(minute(1000), 10), "counted once")
	require.Equal(t, 1, at60(80, made("a", at{"started": 0, "resolved": 13})).Restated["resolve"], "corrected after that")

	// One that becomes part of another is gone before it was counted.
	require.Empty(t, at60(100, made("alerts", at{"started": 90, "resolved": 95})).New)
	require.Empty(t, at60(110, made("record", at{"started": 90, "resolved": 96}, func(i *incident.Incident) { i.Aliases = []string{"alerts"} })).New)
	require.Equal(t, []string{"alerts", "record"}, l.Due(minute(200), 10))
	require.Equal(t, []string{"alerts"}, l.Due(minute(200), 1))
	l.Forget("alerts")
	require.Equal(t, []string{"record"}, l.Due(minute(200), 10))

	// After a start it is known again what is still to be counted.
	again := NewLedger(resolveOnly, 0, settle)
	for _, inc := range []incident.Incident{made("new", at{"started": 90, "resolved": 96}), made("open", at{"started": 90}, open), made("unknown", at{"started": 90})} {
		again.Await(&inc, minute(120))
	}
	require.Equal(t, []string{"new"}, again.Due(minute(156), 10))
	require.NoError(t, again.Load(each([]incident.Observed{{Incident: "old", Seconds: map[string]float64{"resolve": 360}}})))
	renamed := made("record9", at{"started": 90, "resolved": 96}, func(i *incident.Incident) { i.Aliases = []string{"old"} })
	again.Await(&renamed, minute(120))
	require.Equal(t, []string{"new"}, again.Due(minute(156), 10), "the other was counted by the name it had")

	// What comes long after the fact is counted at once.
	require.Len(t, at60(5000, made("imported", at{"started": 0, "resolved": 9})).New, 1)
}

// In whatever order the versions of incidents come within the settling time, and however often, what is counted is the same.
func TestLedgerAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		settle := 60 * time.Minute
		last := map[string]incident.Incident{}
		l := NewLedger(resolveOnly, 0, settle)
		for m := range rapid.IntRange(1, 40).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
			inc := made(id, at{"started": 0, "resolved": rapid.Float64Range(1, 50).Draw(t, "resolved")})
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				inc = made(id, at{"started": 0}, open)
			case 1:
				inc.Services = []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "service")}
			}
			s := l.Next([]incident.Incident{inc}, minute(float64(m)))
			require.Empty(t, s.New)
			l.Commit(s)
			last[id] = inc
		}
		want := NewLedger(resolveOnly, 0, 0)
		for _, id := range l.Due(minute(1000), 10) {
			l.Forget(id)
			s := l.Next([]incident.Incident{last[id]}, minute(1000))
			require.Empty(t, s.Restated)
			l.Commit(s)
		}
		for _, inc := range last {
			want.Commit(want.Next([]incident.Incident{inc}, minute(1000)))
		}
		require.ElementsMatch(t, slices.Collect(want.All()), slices.Collect(l.All()))
	})
}
