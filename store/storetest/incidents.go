package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/store"
)

func testIncidentWhole(t *testing.T, s store.Store) {
	ctx := context.Background()
	_, err := s.Incident(ctx, "r1")
	code(t, incident.CodeNotFound, err)

	i := incidentAt("r1", 0)
	i.Links = []incident.Link{
		{Episode: episode("a", 0, 5), State: incident.LinkLinked, Score: 0.93, Evidence: []string{"same service checkout"}},
		{Episode: episode("a", 2, 5), State: incident.LinkStated, Score: 1, Evidence: []string{"ours/1 states it by the key of its group"}},
		{Episode: episode("b", 1, 5), State: incident.LinkRejected, Score: 1 / 3.0, Evidence: []string{"ann said no"}},
	}
	i.Alerts = incident.AlertTimes{Condition: minutes(-1), Fired: minutes(0), Notified: minutes(1), Ended: minutes(5), First: minutes(1), Person: minutes(2)}
	i.Aliases, i.Merged, i.Reviews = []string{"r9"}, []string{"same title"}, []string{"1"}
	i.Related, i.Actions = []incident.Related{{ID: "x", How: "caused_by"}}, []incident.Action{{Title: "alert on 5xx", State: "open", Due: "2026-02-01"}}
	i.OpenUntil, i.OpenedByAlerts, i.MissedDetection, i.LateAlert, i.Blind = minutes(9), true, true, true, true
	bare := incident.Incident{ID: "a1"}
	save(t, s, incident.Pass{Incidents: []incident.Incident{i, bare}})

	got, err := s.Incident(ctx, "r1")
	require.NoError(t, err)
	same(t, i, got)
	got, err = s.Incident(ctx, "a1")
	require.NoError(t, err)
	same(t, bare, got)
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, st.Incidents)
}

// list reads all pages of a query.
func list(t require.TestingT, s store.Derived, q incident.IncidentQuery) (all []incident.Incident) {
	for {
		page, next, err := s.Incidents(context.Background(), q)
		require.NoError(t, err)
		if q.Limit > 0 {
			require.LessOrEqual(t, len(page), q.Limit)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		require.NotEmpty(t, page)
		q.Cursor = next
	}
}

func testIncidentQuery(t *testing.T, s store.Store) {
	var all []incident.Incident
	for n := range 40 {
		i := incidentAt(fmt.Sprintf("r%02d", n), float64(n/2)) // two at every time
		i.Services = [][]string{{"checkout"}, {"pay", "checkout"}, {"it's \"odd\""}, nil}[n%4]
		i.Severity = []string{"critical", "warning"}[n%2]
		i.State = []incident.State{incident.StateOpen, incident.StateResolved, incident.StateCancelled}[n%3]
		all = append(all, i)
	}
	unknown := incident.Incident{ID: "unknown", Severity: "critical", State: incident.StateOpen, Services: []string{"pay"}}
	all = append(all, unknown)
	save(t, s, incident.Pass{Incidents: all})
	slices.SortFunc(all, func(a, b incident.Incident) int {
		if c := b.At().Compare(a.At()); c != 0 {
			return c
		}
		return -slices.Compare([]string{a.ID}, []string{b.ID})
	})
	for _, q := range []incident.IncidentQuery{
		{}, {From: minutes(3)}, {To: minutes(3)}, {From: minutes(3), To: minutes(9)}, {Service: "checkout"}, {Service: "pay"},
		{Service: "pay", From: minutes(2), To: minutes(12), State: incident.StateOpen}, {Service: "it's \"odd\""}, {Service: "none"},
		{Severity: "critical"}, {State: incident.StateCancelled}, {State: incident.StateOpen, Severity: "warning", To: minutes(15)},
	} {
		want := slices.DeleteFunc(slices.Clone(all), func(i incident.Incident) bool {
			at := i.At()
			return q.Service != "" && !slices.Contains(i.Services, q.Service) || q.Severity != "" && q.Severity != i.Severity || q.State != "" && q.State != i.State ||
				at.IsZero() && !(q.From.IsZero() && q.To.IsZero()) || at.Before(q.From) || !q.To.IsZero() && !at.Before(q.To)
		})
		for _, limit := range []int{0, 1, 3, 1000} {
			q.Limit = limit
			same(t, ids(want), ids(list(t, s, q)), "%+v", q)
		}
	}
	got, err := s.Incident(context.Background(), all[0].ID)
	require.NoError(t, err)
	same(t, list(t, s, incident.IncidentQuery{Limit: 1})[0], got, "whole")

	for _, cursor := range []string{"x", "~", "1~", "9999999999999999999999~a", "a~b"} {
		_, _, err := s.Incidents(context.Background(), incident.IncidentQuery{Cursor: cursor})
		code(t, incident.CodeInvalid, err)
	}
}

func testIncidentPages(t *testing.T, s store.Store) {
	var all []incident.Incident
	for n := range 30 {
		all = append(all, incidentAt(fmt.Sprintf("r%02d", n), float64(2*n)))
	}
	save(t, s, incident.Pass{Incidents: all})
	for _, q := range []incident.IncidentQuery{{Limit: 4}, {Limit: 4, Service: "checkout"}} {
		var got []string
		for round := 0; ; round++ {
			page, next, err := s.Incidents(context.Background(), q)
			require.NoError(t, err)
			got = append(got, ids(page)...)
			if next == "" {
				break
			}
			q.Cursor = next
			// Before and behind the reader, incidents come and go; what is written again stays where it is.
			save(t, s, incident.Pass{
				Incidents: append([]incident.Incident{incidentAt(fmt.Sprint("new", round), float64(100+round)), incidentAt(fmt.Sprint("mid", round), float64(2*round+1))}, all[3:9]...),
				Removed:   []string{fmt.Sprint("new", round-1), fmt.Sprint("mid", round-1)},
			})
		}
		var stayed []string
		for _, id := range got {
			if id[0] == 'r' {
				stayed = append(stayed, id)
			}
		}
		want := ids(all)
		slices.Reverse(want)
		require.Equal(t, want, stayed)
	}
}

func testIncidentsTouching(t *testing.T, s store.Store) {
	// One time each, in each of the places where an incident can have one.
	only := func(id string, change func(*incident.Incident)) incident.Incident {
		i := incident.Incident{ID: id}
		change(&i)
		return i
	}
	milestone := func(c incident.Candidate, candidates ...incident.Candidate) map[incident.MilestoneName]incident.Milestone {
		return map[incident.MilestoneName]incident.Milestone{incident.Detected: {Candidate: c, Candidates: candidates}}
	}
	at := minutes(100)
	link := func(state incident.LinkState) func(*incident.Incident) {
		return func(i *incident.Incident) {
			i.Links = []incident.Link{{Episode: episode("a", 95, 105), State: state}}
		}
	}
	firing := incident.Episode{Fingerprint: "a", StartsAt: minutes(50), LastSeen: minutes(101)}
	putRecord(t, s, record("1", "x", 95, 1), 0)
	all := []incident.Incident{
		only("candidate", func(i *incident.Incident) {
			i.Milestones = milestone(incident.Candidate{At: minutes(1)}, incident.Candidate{At: minutes(1)}, incident.Candidate{At: at})
		}),
		only("firing", func(i *incident.Incident) {
			i.Links = []incident.Link{{Episode: firing, State: incident.LinkConfirmed}}
		}),
		only("impact", func(i *incident.Incident) { i.Impacts = []incident.Impact{{From: minutes(90), To: minutes(110)}} }),
		only("linked", link(incident.LinkLinked)),
		only("milestone", func(i *incident.Incident) { i.Milestones = milestone(incident.Candidate{At: at}) }),
		only("record", func(i *incident.Incident) { i.Records = []incident.RecordKey{{Source: "ours", ID: "1"}} }),
		only("suggested", link(incident.LinkSuggested)),
	}
	save(t, s, incident.Pass{Incidents: append([]incident.Incident{
		only("earlier", func(i *incident.Incident) { i.Impacts = []incident.Impact{{From: minutes(0), To: minutes(99)}} }),
		only("later", func(i *incident.Incident) { i.Impacts = []incident.Impact{{From: minutes(101)}} }),
		only("rejected", link(incident.LinkRejected)),
	}, all...)})
	got, err := s.IncidentsTouching(context.Background(), at, at)
	require.NoError(t, err)
	same(t, all, got)
	got, err = s.IncidentsTouching(context.Background(), minutes(99), minutes(101))
	require.NoError(t, err)
	require.Len(t, got, len(all)+2)
	got, err = s.IncidentsTouching(context.Background(), time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, got, len(all)+3)
}

func testEachIncident(t *testing.T, s store.Store) {
	old, open, now, unknown := incidentAt("old", 0), incidentAt("open", 0), incidentAt("now", 60), incident.Incident{ID: "unknown", State: incident.StateResolved}
	open.State = incident.StateOpen
	now.Links = []incident.Link{{Episode: episode("a", 60, 70), State: incident.LinkLinked}}
	long := incidentAt("past", -5000)
	long.Impacts = []incident.Impact{{From: minutes(-5000), To: minutes(61)}}
	all := []incident.Incident{now, old, open, long, unknown}
	save(t, s, incident.Pass{Incidents: all})
	for i := range all {
		all[i].Links = nil
		for n, m := range all[i].Milestones {
			m.Candidates = nil
			all[i].Milestones[n] = m
		}
	}
	each := func(from time.Time) (l []incident.Incident) {
		for i, err := range s.EachIncident(context.Background(), from) {
			require.NoError(t, err)
			l = append(l, i)
		}
		slices.SortFunc(l, func(a, b incident.Incident) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
		return l
	}
	same(t, all, each(time.Time{}))
	same(t, []incident.Incident{all[0], all[2], all[3]}, each(minutes(60)))
	same(t, []incident.Incident{all[0], all[1], all[2], all[3]}, each(minutes(0)))
	same(t, []incident.Incident{all[0], all[2], all[3]}, each(minutes(61)))
	same(t, []incident.Incident{all[0], all[2]}, each(minutes(70)))
	same(t, []incident.Incident{all[2]}, each(minutes(71)))
}

func testAliases(t *testing.T, s store.Store) {
	ctx := context.Background()
	find := func(id string) string {
		i, err := s.Incident(ctx, id)
		if incident.CodeOf(err) == incident.CodeNotFound && err != nil {
			return ""
		}
		require.NoError(t, err)
		return i.ID
	}
	i := incidentAt("r1", 0)
	i.Aliases = []string{"r2", "a3"}
	save(t, s, incident.Pass{Incidents: []incident.Incident{i}})
	require.Equal(t, "r1", find("r2"))
	require.Equal(t, "r1", find("a3"))

	// Split again: an alias that is an incident once more is that incident.
	i.Aliases = []string{"a3"}
	save(t, s, incident.Pass{Incidents: []incident.Incident{i, incidentAt("r2", 0)}})
	require.Equal(t, "r2", find("r2"))
	i.Aliases = []string{"a3", "r2"}
	save(t, s, incident.Pass{Incidents: []incident.Incident{i}})
	require.Equal(t, "r2", find("r2"), "an ID outranks an alias")
	save(t, s, incident.Pass{Removed: []string{"r2"}})
	require.Equal(t, "r1", find("r2"))

	// The alias moves in one pass.
	i.Aliases = nil
	j := incidentAt("r5", 0)
	j.Aliases = []string{"a3"}
	save(t, s, incident.Pass{Incidents: []incident.Incident{j, i}})
	require.Equal(t, "r5", find("a3"))
	save(t, s, incident.Pass{Removed: []string{"r5"}})
	require.Empty(t, find("a3"))
	save(t, s, incident.Pass{Reset: true})
	require.Empty(t, find("r1"))
}

func testPasses(t *testing.T, s store.Store) {
	ctx := context.Background()
	verdict := func(fp string, start float64, id string) incident.Verdict {
		return incident.Verdict{Episode: episode(fp, start, start+1), Outcome: incident.OutcomeLinked, Incident: id}
	}
	save(t, s, incident.Pass{Incidents: []incident.Incident{incidentAt("r1", 0), incidentAt("r2", 1)}, Verdicts: []incident.Verdict{verdict("a", 0, "r1"), verdict("b", 1, "r2")}})
	changed := incidentAt("r2", 5)
	changed.Services = []string{"pay"}
	save(t, s, incident.Pass{
		Removed: []string{"r1", "none"}, Incidents: []incident.Incident{changed, incidentAt("r3", 2)},
		Gone: []incident.EpisodeKey{{Fingerprint: "a", StartsAt: minutes(0)}, {Fingerprint: "b", StartsAt: minutes(0)}}, Verdicts: []incident.Verdict{verdict("b", 1, "r3")},
	})
	same(t, []string{"r2", "r3"}, ids(list(t, s, incident.IncidentQuery{})))
	same(t, []string{"r2"}, ids(list(t, s, incident.IncidentQuery{Service: "pay"})))
	same(t, []string{"r3"}, ids(list(t, s, incident.IncidentQuery{Service: "checkout"})))
	page, _, err := s.Verdicts(ctx, incident.VerdictQuery{})
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, "r3", page[0].Incident)

	// What a pass removes and brings in one is there.
	save(t, s, incident.Pass{Removed: []string{"r2"}, Incidents: []incident.Incident{changed}})
	same(t, []string{"r2", "r3"}, ids(list(t, s, incident.IncidentQuery{})))

	// A pass that holds all there is: some as it was, some changed, some new, and what it does not hold is gone.
	r3, other := incidentAt("r3", 2), incidentAt("r2", 7)
	save(t, s, incident.Pass{Reset: true, Incidents: []incident.Incident{r3, other}, Verdicts: []incident.Verdict{verdict("c", 0, "r2"), verdict("b", 1, "r3"), verdict("d", 9, "r2")}})
	all := list(t, s, incident.IncidentQuery{})
	same(t, []incident.Incident{other, r3}, all)
	save(t, s, incident.Pass{Reset: true, Incidents: []incident.Incident{other, r3}, Verdicts: []incident.Verdict{verdict("d", 9, "r3"), verdict("a", 8, ""), verdict("b", 1, "r3"), verdict("b", 1, "r2")}})
	same(t, []incident.Incident{other, r3}, list(t, s, incident.IncidentQuery{}))
	page, _, err = s.Verdicts(ctx, incident.VerdictQuery{})
	require.NoError(t, err)
	var got []string
	for _, v := range page {
		got = append(got, v.Episode.Fingerprint+" "+v.Incident)
	}
	require.Equal(t, []string{"d r3", "a ", "b r2"}, got, "of two on one episode the last counts")

	save(t, s, incident.Pass{Reset: true, Incidents: []incident.Incident{incidentAt("r7", 0)}})
	same(t, []string{"r7"}, ids(list(t, s, incident.IncidentQuery{})))
	require.Empty(t, list(t, s, incident.IncidentQuery{Service: "pay"}))
	page, _, err = s.Verdicts(ctx, incident.VerdictQuery{})
	require.NoError(t, err)
	require.Empty(t, page)

	// All or nothing.
	err = s.Save(ctx, incident.Pass{Cursor: 99, Removed: []string{"r7"}, Incidents: []incident.Incident{{ID: "\xff"}}})
	code(t, incident.CodeInvalid, err)
	odd, no := incidentAt("r8", 0), math.NaN()
	odd.Measurements["detect"] = incident.Measurement{Status: incident.StatusRecorded, Seconds: &no}
	code(t, incident.CodeInvalid, s.Save(ctx, incident.Pass{Incidents: []incident.Incident{odd}}))
	same(t, []string{"r7"}, ids(list(t, s, incident.IncidentQuery{})))
	cursor, _, err := s.Position(ctx)
	require.NoError(t, err)
	require.Zero(t, cursor)
}

// testPassesModel saves random passes and compares the store with a map.
func testPassesModel(t *testing.T, s store.Store) {
	rapid.Check(t, func(t *rapid.T) {
		model := map[string]incident.Incident{}
		save(t, s, incident.Pass{Reset: true})
		name := rapid.SampledFrom([]string{"r1", "r2", "r3", "r4", "a1"})
		for range rapid.IntRange(1, 5).Draw(t, "passes") {
			p := incident.Pass{Reset: rapid.IntRange(0, 4).Draw(t, "reset") == 0, Removed: rapid.SliceOfN(name, 0, 3).Draw(t, "removed")}
			for _, id := range rapid.SliceOfNDistinct(name, 0, 3, rapid.ID).Draw(t, "incidents") {
				i := incidentAt(id, float64(rapid.IntRange(0, 3).Draw(t, "start")))
				i.Services = rapid.SliceOfN(rapid.SampledFrom([]string{"checkout", "pay"}), 0, 3).Draw(t, "services")
				p.Incidents = append(p.Incidents, i)
			}
			if p.Reset {
				clear(model)
				first := p
				first.Incidents, first.More = p.Incidents[:len(p.Incidents)/2], true
				p.Incidents = p.Incidents[len(p.Incidents)/2:]
				saveParts(t, s, first, p)
				p.Incidents = append(first.Incidents, p.Incidents...)
			} else {
				save(t, s, p)
			}
			for _, id := range p.Removed {
				delete(model, id)
			}
			for _, i := range p.Incidents {
				model[i.ID] = i
			}
			for _, service := range []string{"", "checkout", "pay"} {
				want := map[string]incident.Incident{}
				for id, i := range model {
					if service == "" || slices.Contains(i.Services, service) {
						want[id] = i
					}
				}
				got := map[string]incident.Incident{}
				for _, i := range list(t, s, incident.IncidentQuery{Service: service, Limit: 2}) {
					require.NotContains(t, got, i.ID)
					got[i.ID] = i
				}
				same(t, want, got)
			}
			st, err := s.Stats(context.Background())
			require.NoError(t, err)
			require.EqualValues(t, len(model), st.Incidents)
		}
	})
}

func testBegan(t *testing.T, s store.Store) {
	began := func() time.Time {
		at, err := s.Began(context.Background())
		require.NoError(t, err)
		return at.UTC()
	}
	require.Zero(t, began())
	put(t, s, incident.Facts{Lives: []incident.Life{{From: minutes(50), To: minutes(50)}}}, 50)
	require.Equal(t, minutes(50), began(), "since there was somebody to tell")
	put(t, s, incident.Facts{Sightings: []incident.Sighting{firing("a", 60, 0)}}, 60)
	require.Equal(t, minutes(50), began())
	put(t, s, incident.Facts{Sightings: []incident.Sighting{firing("b", 20, 0)}}, 61)
	require.Equal(t, minutes(20), began(), "what fired before is told of")
	put(t, s, incident.Facts{Records: []incident.Record{record("1", "One", 5, 62)}}, 62)
	require.Equal(t, minutes(5), began(), "and so is an incident of before")
	gone := record("1", "One", 5, 63)
	gone.Withdrawn = true
	put(t, s, incident.Facts{Records: []incident.Record{gone}}, 63)
	require.Equal(t, minutes(20), began(), "what was withdrawn tells nothing")
}
