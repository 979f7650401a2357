package measure

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

func each[T any](s []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range s {
			if !yield(s[i], nil) {
				return
			}
		}
	}
}

var testOptions = Options{
	Windows:   []Window{{"1h", time.Hour}, {"3h", 3 * time.Hour}, {"2h", 2 * time.Hour}},
	Intervals: incident.DefaultIntervals(), Newest: 3, MaxServices: 2, MaxNames: 2,
	Objectives:   []Objective{{"critical", "resolve", 20 * time.Minute}, {"", "detect", 5 * time.Minute}},
	Availability: []Availability{{"a", []string{"critical"}, 0.99}, {"", nil, 0.9}}, OpenFor: 40 * time.Minute,
}

// randomIncident draws one of few IDs, so that it often replaces another.
func randomIncident(t *rapid.T) incident.Incident {
	minutes := at{}
	start := rapid.Float64Range(-300, 300).Draw(t, "start")
	for _, m := range incident.MilestoneNames {
		if rapid.Bool().Draw(t, string(m)) {
			minutes[m] = start + rapid.Float64Range(-2, 60).Draw(t, "after")
		}
	}
	inc := made(fmt.Sprintf("r%02d", rapid.IntRange(0, 25).Draw(t, "id")), minutes)
	inc.Services = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", Other}), 0, 3).Draw(t, "services")
	inc.Severity = rapid.SampledFrom([]string{"critical", "warning", ""}).Draw(t, "severity")
	inc.State = rapid.SampledFrom([]incident.State{incident.StateOpen, incident.StateResolved, incident.StateResolved, incident.StateCancelled}).Draw(t, "state")
	inc.Kind = rapid.SampledFrom([]incident.Kind{incident.KindIncident, incident.KindIncident, incident.KindDrill}).Draw(t, "kind")
	inc.DetectedBy = rapid.SampledFrom(incident.Detectors).Draw(t, "by")
	inc.Blind = rapid.Bool().Draw(t, "blind")
	if rapid.Bool().Draw(t, "until") {
		inc.OpenUntil = minute(start + rapid.Float64Range(0, 200).Draw(t, "openUntil"))
	}
	if rapid.Bool().Draw(t, "impact") {
		inc.Impacts = []incident.Impact{{From: minute(start + rapid.Float64Range(-20, 20).Draw(t, "affected"))}}
		if rapid.Bool().Draw(t, "ended") {
			inc.Impacts[0].To = inc.Impacts[0].From.Add(time.Duration(rapid.Int64Range(0, int64(6*time.Hour)).Draw(t, "for")))
		}
		if rapid.Bool().Draw(t, "relapse") {
			inc.Impacts = append(inc.Impacts, incident.Impact{From: minute(start + 40), To: minute(start + 50)})
		}
	}
	if rapid.Bool().Draw(t, "lead") {
		inc.Alerts = incident.AlertTimes{Heard: minute(start + 30), Fired: minute(start), First: minute(start + 1),
			Person: minute(start + rapid.Float64Range(-5, 5).Draw(t, "person"))}
	}
	return inc
}

func randomVerdict(t *rapid.T) incident.Verdict {
	k := rapid.IntRange(0, 40).Draw(t, "episode")
	return incident.Verdict{
		Episode: incident.Episode{
			Fingerprint: fmt.Sprintf("%016x", k), StartsAt: minute(float64(k*15 - 300)),
			Labels: map[string]string{"alertname": rapid.SampledFrom([]string{"X", "Y", "Z", ""}).Draw(t, "name")},
		},
		Service:  rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "service"),
		Severity: rapid.SampledFrom([]string{"critical", ""}).Draw(t, "severity"),
		Outcome:  rapid.SampledFrom([]incident.Outcome{incident.OutcomeLinked, incident.OutcomeSuggested, incident.OutcomeNone, incident.OutcomeWatchdog}).Draw(t, "outcome"),
	}
}

// TestBookLaw: whatever the history, the figures are those of a new book that was loaded with the same facts.
func TestBookLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBook(testOptions)
		incidents, verdicts := map[string]incident.Incident{}, map[incident.EpisodeKey]incident.Verdict{}
		now, watched := t0, minute(rapid.Float64Range(-400, 60).Draw(t, "watched"))
		b.Watched(watched)
		steps := rapid.IntRange(1, 12).Draw(t, "steps")
		for range steps {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				// Sometimes more at once than are put in one by one.
				changed := rapid.SliceOfN(rapid.Custom(randomIncident), 0, 80).Draw(t, "changed")
				removed := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 25), func(i int) string { return fmt.Sprintf("r%02d", i) }), 0, 3).Draw(t, "removed")
				b.Apply(changed, removed)
				for _, id := range removed {
					delete(incidents, id)
				}
				for _, inc := range changed {
					incidents[inc.ID] = inc
				}
			case 2:
				changed := rapid.SliceOfN(rapid.Custom(randomVerdict), 0, 100).Draw(t, "verdicts")
				var gone []incident.EpisodeKey
				for range rapid.IntRange(0, 3).Draw(t, "gone") {
					v := randomVerdict(t)
					gone = append(gone, v.Episode.Key())
				}
				b.ApplyVerdicts(changed, gone)
				for _, k := range gone {
					delete(verdicts, k)
				}
				for _, v := range changed {
					verdicts[v.Episode.Key()] = v
				}
			case 3:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(90*time.Minute)).Draw(t, "pass")))
			case 4:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(15*time.Second)).Draw(t, "tick")))
			}
			// What left the longest window, does not reach into it and is not open is forgotten for good.
			p, tick := newPlan(testOptions), now.Truncate(Step)
			maps.DeleteFunc(incidents, func(_ string, inc incident.Incident) bool {
				return !inc.At().After(now.Add(-3*time.Hour)) && !Open(&inc, tick) &&
					!p.reaches(rowOf(&inc), tick.Add(-3*time.Hour).UnixNano(), tick.UnixNano())
			})
			fresh := NewBook(testOptions)
			fresh.Watched(watched)
			require.NoError(t, fresh.Load(each(slices.Collect(maps.Values(incidents))), each(slices.Collect(maps.Values(verdicts)))))
			want, got := fresh.Figures(now), b.Figures(now)
			require.Same(t, got, b.Figures(now))
			w, g := *want, *got
			g.At = w.At // a figure that did not change keeps the time it was made at
			require.Equal(t, w, g)
			require.Equal(t, fresh.Known(), b.Known())
		}
	})
}

func TestFiguresOfOneGroup(t *testing.T) {
	b := NewBook(Options{Windows: []Window{{"7d", 7 * 24 * time.Hour}}, Intervals: incident.DefaultIntervals(), Newest: 10, Objectives: testOptions.Objectives})
	b.Apply([]incident.Incident{
		made("a", at{"started": 0, "detected": 2, "resolved": 10}, func(i *incident.Incident) {
			i.Impacts = []incident.Impact{{From: minute(0), To: minute(8)}}
			i.Alerts.First, i.Alerts.Person = minute(2), minute(5)
		}),
		made("b", at{"started": 60, "detected": 70, "resolved": 90}, func(i *incident.Incident) {
			i.DetectedBy, i.Services = incident.ByCustomer, []string{"payments", "checkout"}
		}),
		made("c", at{"started": 100, "detected": 101}, open, func(i *incident.Incident) { i.Severity = "warning" }),
		made("d", at{"started": 20, "detected": 21}, func(i *incident.Incident) { i.Kind = incident.KindDrill }),
		made("e", at{"detected": 30}, func(i *incident.Incident) { i.DetectedBy, i.Blind = incident.ByStaff, true }),
	}, nil)
	b.ApplyVerdicts([]incident.Verdict{
		{Episode: incident.Episode{Fingerprint: "1", StartsAt: minute(0), Labels: map[string]string{"alertname": "X"}}, Service: "checkout", Outcome: incident.OutcomeLinked},
		{Episode: incident.Episode{Fingerprint: "2", StartsAt: minute(1), Labels: map[string]string{"alertname": "X"}}, Service: "checkout", Outcome: incident.OutcomeNone},
		{Episode: incident.Episode{Fingerprint: "2", StartsAt: minute(9), Labels: map[string]string{"alertname": "Y"}}, Outcome: incident.OutcomeSuggested},
		{Episode: incident.Episode{Fingerprint: "3", StartsAt: minute(9), Labels: map[string]string{"alertname": "Watchdog"}}, Outcome: incident.OutcomeWatchdog},
	}, nil)
	f := b.Figures(minute(200))
	groups := map[Grouping]*Group{}
	for _, g := range f.Windows[0].Groups {
		groups[g.Grouping] = g
	}
	require.Len(t, groups, 1+2+2+2+1, "everything; two services; two severities; checkout with two severities, payments with one")

	all := groups[Grouping{}]
	require.Equal(t, 5, all.Incidents)
	require.Equal(t, map[incident.DetectedBy]int{"alert": 3, "customer": 1, "staff": 1, "third_party": 0, "unknown": 0}, all.DetectedBy)
	require.Equal(t, 8*60.0, *all.Impact)
	require.Equal(t, 3*60.0, *all.Lead)
	require.Equal(t, 2, all.Recall.K, "the drill, and the one in a blind window, are not asked about")
	require.Equal(t, 3, all.Recall.N)
	resolve := all.Intervals[4]
	require.Equal(t, "resolve", resolve.Interval)
	require.Equal(t, map[incident.Status]int{"recorded": 2, "pending": 1, "missing": 1, "invalid": 0, "not_applicable": 1}, resolve.Status)
	require.Equal(t, 2, resolve.N)
	require.Equal(t, Estimate{Value: 20 * 60}, *resolve.Median)
	require.Equal(t, 20*60.0, *resolve.Mean)
	require.Equal(t, 30*60.0, *resolve.Max)
	require.Nil(t, resolve.GeometricMean)
	require.Nil(t, resolve.P90)
	require.Equal(t, 30*60.0, *resolve.Survival, "10 and 30 minutes, and one that has lasted 100")
	require.Equal(t, []string{"detect", "resolve"}, []string{all.Objectives[0].Interval, all.Objectives[1].Interval})
	require.Equal(t, [2]int{2, 3}, [2]int{all.Objectives[0].K, all.Objectives[0].N})
	require.Equal(t, [2]int{1, 2}, [2]int{all.Objectives[1].K, all.Objectives[1].N})

	require.Equal(t, 1, groups[of("payments", "")].Incidents)
	require.Equal(t, 5, groups[of("checkout", "")].Incidents)
	require.Equal(t, 1, groups[of("", "warning")].Incidents)
	require.Nil(t, groups[of("", "warning")].Impact, "no incident tells any")

	alerts := f.Windows[0].Alerts[0]
	require.Equal(t, Grouping{}, alerts.Grouping)
	require.Equal(t, [2]int{1, 3}, [2]int{alerts.Precision.K, alerts.Precision.N})
	require.Equal(t, []EpisodeCount{{"X", incident.OutcomeLinked, 1}, {"X", incident.OutcomeNone, 1}, {"Y", incident.OutcomeSuggested, 1}}, alerts.Episodes)
	require.Equal(t, 1, f.Suggested)

	require.Equal(t, OpenCount{Grouping{}, 1}, f.Open[0])
	require.Equal(t, minute(100), f.OldestOpen)
	require.Equal(t, []string{"c", "b", "e", "a"}, ids(f.Newest), "the newest first, without the drill")
	require.Equal(t, 4, f.Milestones[incident.Started][incident.OriginRecord])
	require.Equal(t, 5, f.Milestones[incident.Detected][incident.OriginRecord])
}

func ids(heads []*Head) []string {
	var out []string
	for _, h := range heads {
		out = append(out, h.ID)
	}
	return out
}

func TestWindowEdges(t *testing.T) {
	b := NewBook(Options{Windows: []Window{{"1h", time.Hour}, {"2h", 2 * time.Hour}}, Intervals: incident.DefaultIntervals()})
	b.Apply([]incident.Incident{made("a", at{"started": 0}), made("b", at{"started": 30}), made("undated", nil)}, nil)
	n := func(now time.Time) [2]int {
		f := b.Figures(now)
		return [2]int{f.Windows[0].Groups[0].Incidents, f.Windows[1].Groups[0].Incidents}
	}
	require.Equal(t, [2]int{0, 0}, n(minute(-0.001)), "not begun")
	require.Equal(t, [2]int{1, 1}, n(minute(0)))
	require.Equal(t, [2]int{2, 2}, n(minute(59)))
	require.Equal(t, [2]int{1, 2}, n(minute(60)), "a window does not hold its first instant")
	require.Equal(t, [2]int{0, 1}, n(minute(120)))
	require.Equal(t, [2]int{0, 0}, n(minute(150)))
}

func TestNothingChangedNothingComputed(t *testing.T) {
	b := NewBook(testOptions)
	b.Apply([]incident.Incident{
		made("a", at{"started": 0, "resolved": 5}, func(i *incident.Incident) { i.Services, i.Severity = []string{"a"}, "warning" }),
		made("b", at{"started": 1}, open, func(i *incident.Incident) { i.Services = []string{"b"} }),
	}, nil)
	first := b.Figures(minute(10))
	b.Apply([]incident.Incident{made("a", at{"started": 0, "resolved": 5}, func(i *incident.Incident) { i.Services, i.Severity = []string{"a"}, "warning" })}, []string{"unheard of"})
	require.Same(t, first, b.Figures(minute(10).Add(Step-time.Millisecond)), "the same again is no change")

	second := b.Figures(minute(10).Add(Step))
	require.NotSame(t, first, second)
	same := map[Grouping]bool{}
	for i, g := range second.Windows[0].Groups {
		same[g.Grouping] = g == first.Windows[0].Groups[i]
	}
	require.Equal(t, map[Grouping]bool{{}: false, of("a", ""): true, of("a", "warning"): true, of("", "warning"): true, of("b", ""): false, of("b", "critical"): false, of("", "critical"): false}, same,
		"time changes only the groups with an open incident")
	require.Same(t, first.Newest[0], second.Newest[0])
}

func TestSeriesLimits(t *testing.T) {
	b := NewBook(testOptions) // two services, two names
	var all []incident.Incident
	for i, services := range [][]string{{"a"}, {"a"}, {"b"}, {"b"}, {"b", "c"}, {"c", "d"}, {"d"}} {
		all = append(all, made(fmt.Sprint(i), at{"started": float64(i)}, func(inc *incident.Incident) { inc.Services = services }))
	}
	b.Apply(all, nil)
	f := b.Figures(minute(30))
	require.Equal(t, 2, f.OtherServices)
	n := map[Grouping]int{}
	for _, g := range f.Windows[0].Groups {
		n[g.Grouping] = g.Incidents
	}
	require.Equal(t, map[Grouping]int{
		{}: 7, of("a", ""): 2, of("b", ""): 3, of("", "critical"): 7, of("a", "critical"): 2, of("b", "critical"): 3,
		of(Other, ""): 3, of(Other, "critical"): 3,
	}, n, "an incident of two services over the limit counts once")
}

// TestSeverityLimit: made-up severities end up in one group, with every service they are of.
func TestSeverityLimit(t *testing.T) {
	b := NewBook(testOptions)
	var all []incident.Incident
	for i := range maxSeverities + 5 {
		all = append(all, made(fmt.Sprint(i), at{"started": float64(i)}, func(inc *incident.Incident) {
			inc.Services, inc.Severity = []string{"a"}, fmt.Sprintf("sev-%02d", i)
		}))
	}
	b.Apply(all, nil)
	f := b.Figures(minute(50))
	require.Equal(t, 5, f.OtherSeverities)
	n := map[Grouping]int{}
	for _, g := range f.Windows[0].Groups {
		n[g.Grouping] = g.Incidents
	}
	require.Len(t, n, 1+1+2*(maxSeverities+1))
	require.Equal(t, 5, n[of("", Other)])
	require.Equal(t, 5, n[of("a", Other)])
}

// TestNamedOther: a service that is really called (other) is shown with those over the limit, not beside them.
func TestNamedOther(t *testing.T) {
	b := NewBook(testOptions)
	var all []incident.Incident
	for i, s := range []string{Other, Other, Other, "a", "b", "c"} {
		all = append(all, made(fmt.Sprint(i), at{"started": float64(i)}, func(inc *incident.Incident) { inc.Services = []string{s} }))
	}
	b.Apply(all, nil)
	seen := map[Grouping]int{}
	for _, g := range b.Figures(minute(30)).Windows[0].Groups {
		require.NotContains(t, seen, g.Grouping)
		seen[g.Grouping] = g.Incidents
	}
	require.Equal(t, 5, seen[of(Other, "")])
}

func TestLoadStopsAtAnError(t *testing.T) {
	b := NewBook(testOptions)
	bad := errors.New("disk on fire")
	err := b.Load(func(yield func(incident.Incident, error) bool) {
		if yield(made("a", at{"started": 0}), nil) {
			yield(incident.Incident{}, bad)
		}
	}, each([]incident.Verdict(nil)))
	require.ErrorIs(t, err, bad)
	require.Equal(t, 1, b.Figures(minute(1)).Windows[0].Groups[0].Incidents)
}

// of is a grouping by service and severity.
func of(service, severity string) Grouping { return Grouping{Service: service, Severity: severity} }
