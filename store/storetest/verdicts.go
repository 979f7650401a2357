package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

func testVerdicts(t *testing.T, s store.Store) {
	ctx := context.Background()
	// An episode of two replicas' starts and one whose sender did not know the start, between others of its fingerprint.
	unknown := incident.Sighting{Fingerprint: "a", FiringFirst: minutes(0.2), FiringLast: minutes(3), ToldAt: minutes(3), Labels: map[string]string{"alertname": "Newest"}}
	sightings := []incident.Sighting{firing("a", -60, -59), resolved("a", -60, -50, -49), firing("a", 0, 1), firing("a", 0.5, 1), unknown, firing("a", 90, 91), firing("b", 0, 1)}
	putSightings(t, s, sightings...)
	stored, err := s.SightingsOf(ctx, []string{"a"})
	require.NoError(t, err)
	episodes := judgedEpisodes(stored, time.Hour, minutes(100))
	require.Len(t, episodes, 3)
	require.Equal(t, minutes(0), episodes[1].StartsAt)
	require.Len(t, episodes[1].Starts, 3)

	var all []incident.Verdict
	for n, e := range episodes {
		all = append(all, incident.Verdict{
			Episode: e, Service: "checkout", Severity: "critical",
			Outcome: []incident.Outcome{incident.OutcomeNone, incident.OutcomeLinked, incident.OutcomeSuggested}[n], Incident: []string{"", "r1", "r2"}[n],
		})
	}
	// One of which nothing is known any more.
	ghost := incident.Verdict{Episode: incident.Episode{Fingerprint: "ghost", StartsAt: minutes(-90), EndsAt: minutes(-80), End: incident.EndGone, Labels: map[string]string{"alertname": "Ghost"}}, Outcome: incident.OutcomeNone}
	save(t, s, incident.Pass{Verdicts: append([]incident.Verdict{ghost}, all...)})

	got, next, err := s.Verdicts(ctx, incident.VerdictQuery{})
	require.NoError(t, err)
	require.Empty(t, next)
	want := append([]incident.Verdict{ghost}, all...)
	slices.Reverse(want)
	same(t, want, got)
	require.Equal(t, episodes[1].Starts, got[1].Episode.Starts)

	// What the sightings say since, shows; the end stays as the pass saw it.
	late := resolved("a", 90, 95, 96)
	late.Labels = map[string]string{"alertname": "Renamed"}
	putSightings(t, s, late)
	got, _, err = s.Verdicts(ctx, incident.VerdictQuery{Outcome: incident.OutcomeSuggested})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, "Renamed", got[0].Episode.Name())
	require.True(t, got[0].Episode.Firing())
	require.Zero(t, got[0].Episode.EndsAt)

	// For measuring: little, but all of it.
	var each []incident.Verdict
	for v, err := range s.EachVerdict(ctx, minutes(-60), minutes(90)) {
		require.NoError(t, err)
		each = append(each, v)
	}
	slices.SortFunc(each, func(a, b incident.Verdict) int { return a.Episode.Key().Compare(b.Episode.Key()) })
	require.Len(t, each, 3)
	for n, v := range each {
		e := all[n].Episode
		require.Equal(t, e.Key(), v.Episode.Key())
		require.Equal(t, e.Name(), v.Episode.Name())
		require.Equal(t, e.EndsAt, v.Episode.EndsAt)
		require.Equal(t, e.End, v.Episode.End)
		require.Equal(t, []any{all[n].Service, all[n].Severity, all[n].Outcome, all[n].Incident}, []any{v.Service, v.Severity, v.Outcome, v.Incident})
	}
	for v, err := range s.EachVerdict(ctx, minutes(-59), minutes(89)) {
		require.NoError(t, err)
		require.Equal(t, minutes(0), v.Episode.StartsAt)
	}
	var still []incident.Verdict
	for _, v := range each {
		if v.Episode.Firing() {
			still = append(still, v)
		}
	}
	require.NotEmpty(t, still)
	require.Less(t, len(still), len(each))
	firing, err := s.Firing(ctx)
	require.NoError(t, err)
	require.Equal(t, still, firing)
}

func testVerdictPages(t *testing.T, s store.Store) {
	ctx := context.Background()
	var all []incident.Verdict
	for n := range 50 {
		fp := fmt.Sprintf("%02d", n)
		putSightings(t, s, firing(fp, float64(n/2), 0))
		e := judgedEpisodes([]incident.Sighting{firing(fp, float64(n/2), 0)}, time.Hour, minutes(1))[0]
		all = append(all, incident.Verdict{Episode: e, Outcome: incident.Outcomes[n%3]})
	}
	save(t, s, incident.Pass{Verdicts: all})
	slices.SortFunc(all, func(a, b incident.Verdict) int { return b.Episode.Key().Compare(a.Episode.Key()) })
	for _, q := range []incident.VerdictQuery{{}, {From: minutes(3), To: minutes(20)}, {Outcome: incident.OutcomeNone}, {From: minutes(5), Outcome: incident.OutcomeLinked}} {
		want := slices.DeleteFunc(slices.Clone(all), func(v incident.Verdict) bool {
			at := v.Episode.StartsAt
			return q.Outcome != "" && v.Outcome != q.Outcome || at.Before(q.From) || !q.To.IsZero() && !at.Before(q.To)
		})
		for _, q.Limit = range []int{1, 7, 500} {
			var got []incident.Verdict
			q.Cursor = ""
			for {
				page, next, err := s.Verdicts(ctx, q)
				require.NoError(t, err)
				got = append(got, page...)
				if next == "" {
					break
				}
				require.Len(t, page, q.Limit)
				q.Cursor = next
			}
			same(t, want, got)
		}
	}
	_, _, err := s.Verdicts(ctx, incident.VerdictQuery{Cursor: "x"})
	code(t, incident.CodeInvalid, err)
}

func testPrune(t *testing.T, s store.Store) {
	ctx := context.Background()
	verdict := func(e incident.Episode, o incident.Outcome) incident.Verdict {
		return incident.Verdict{Episode: e, Outcome: o}
	}
	of := func(fp string) incident.Episode {
		l, err := s.SightingsOf(ctx, []string{fp})
		require.NoError(t, err)
		return judgedEpisodes(l, 1000*time.Hour, minutes(200))[0]
	}
	putSightings(t, s,
		resolved("none", -3, 10, 11), resolved("none", 0.5, 10, 11), resolved("watchdog", 0, 10, 11), resolved("linked", 0, 10, 11), resolved("suggested", 0, 10, 11),
		resolved("later", 0, 110, 111), firing("firing", 0, 1), resolved("unjudged", 0, 10, 11), incident.Sighting{Fingerprint: "startless", FiringFirst: minutes(1), EndsAt: minutes(2), ResolvedFirst: minutes(2)})
	put(t, s, incident.Facts{Beats: []incident.Beat{{Watchdog: "w", At: minutes(50)}, {Watchdog: "w", At: minutes(150)}}}, 0)
	save(t, s, incident.Pass{Cursor: newest(t, s), Verdicts: []incident.Verdict{
		verdict(of("none"), incident.OutcomeNone), verdict(of("watchdog"), incident.OutcomeWatchdog), verdict(of("linked"), incident.OutcomeLinked),
		verdict(of("suggested"), incident.OutcomeSuggested), verdict(of("later"), incident.OutcomeNone), verdict(of("firing"), incident.OutcomeNone), verdict(of("startless"), incident.OutcomeNone),
	}})

	began, err := s.Began(ctx)
	require.NoError(t, err)
	require.Equal(t, minutes(-3), began.UTC())
	deleted := 0
	for range 20 {
		n, err := s.Prune(ctx, minutes(100), 2)
		require.NoError(t, err)
		if n == 0 {
			break
		}
		deleted += n
	}
	require.Equal(t, 5, deleted, "four sightings and a beat")
	began, err = s.Began(ctx)
	require.NoError(t, err)
	require.Equal(t, minutes(-3), began.UTC(), "somebody told of things since then, and what is let go changes nothing in that")
	left, err := s.Sightings(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	names := map[string]bool{}
	for _, x := range left {
		names[x.Fingerprint] = true
	}
	require.Equal(t, map[string]bool{"linked": true, "suggested": true, "later": true, "firing": true, "unjudged": true}, names)
	verdicts, _, err := s.Verdicts(ctx, incident.VerdictQuery{})
	require.NoError(t, err)
	require.Len(t, verdicts, 4)
	beats, err := s.Beats(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, beats, 1)
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, len(left), st.Sightings)
	n, err := s.Prune(ctx, minutes(100), 0)
	require.NoError(t, err)
	require.Zero(t, n)
}

func testPruneWaits(t *testing.T, s store.Store) {
	ctx := context.Background()
	putSightings(t, s, resolved("a", 0, 10, 11), resolved("b", 60, 70, 71))
	var verdicts []incident.Verdict
	for _, fp := range []string{"a", "b"} {
		l, err := s.SightingsOf(ctx, []string{fp})
		require.NoError(t, err)
		verdicts = append(verdicts, incident.Verdict{Episode: judgedEpisodes(l, time.Hour, minutes(100))[0], Outcome: incident.OutcomeNone})
	}
	save(t, s, incident.Pass{Cursor: newest(t, s), Verdicts: verdicts})

	// A record comes late, and may yet make an incident of b.
	putRecord(t, s, record("1", "late", 65, 1), 0)
	n, err := s.Prune(ctx, minutes(1000), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	left, err := s.Sightings(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, "b", left[0].Fingerprint)

	save(t, s, incident.Pass{Cursor: newest(t, s)})
	n, err = s.Prune(ctx, minutes(1000), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
