package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/store"
)

func testReviews(t *testing.T, s store.Store) {
	review := func(id string, at float64, reason string) incident.Review {
		return incident.Review{
			ID: id, At: minutes(at), By: "ann", Reason: reason, Action: incident.ReviewConfirm, Incident: "r1",
			Episode: &incident.EpisodeKey{Fingerprint: "a", StartsAt: minutes(3)},
		}
	}
	put(t, s, incident.Facts{Reviews: []incident.Review{review("b", 1, "x"), review("a", 1, "y"), review("c", 0, "z")}}, 0)
	put(t, s, incident.Facts{Reviews: []incident.Review{review("b", 2, "better")}}, 0)
	got, err := s.Reviews(context.Background())
	require.NoError(t, err)
	require.Equal(t, []incident.Review{review("c", 0, "z"), review("a", 1, "y"), review("b", 2, "better")}, got)

	one, err := s.Review(context.Background(), "b")
	require.NoError(t, err)
	require.Equal(t, review("b", 2, "better"), one)
	_, err = s.Review(context.Background(), "nobody's")
	require.Equal(t, incident.CodeNotFound, incident.CodeOf(err))
}

func testSilences(t *testing.T, s store.Store) {
	ctx := context.Background()
	silence := func(id string, from, to, updated, created float64) incident.Silence {
		return incident.Silence{
			ID: id, StartsAt: minutes(from), EndsAt: minutes(to), UpdatedAt: minutes(updated), CreatedAt: minutes(created), CreatedBy: "ann", Comment: "maintenance",
			Matchers: []incident.SilenceMatcher{{Name: "a", Value: "b.*", IsRegex: true, IsEqual: true}},
		}
	}
	put(t, s, incident.Facts{Silences: []incident.Silence{silence("b", 0, 60, 1, 1), silence("a", 30, 40, 1, 1), silence("c", 100, 110, 1, 1)}}, 0)
	got, err := s.Silences(ctx, minutes(40), minutes(99))
	require.NoError(t, err)
	require.Equal(t, []incident.Silence{silence("a", 30, 40, 1, 1), silence("b", 0, 60, 1, 1)}, got)
	got, err = s.Silences(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, got, 3)

	// Whoever told later counts, whenever it is heard; the silence is as old as the oldest says.
	put(t, s, incident.Facts{Silences: []incident.Silence{silence("c", 100, 105, 3, 2)}}, 0)
	put(t, s, incident.Facts{Silences: []incident.Silence{silence("c", 100, 200, 2, 0)}}, 0)
	got, err = s.Silences(ctx, minutes(100), minutes(100))
	require.NoError(t, err)
	require.Equal(t, []incident.Silence{silence("c", 100, 105, 3, 0)}, got)

	// A silence for ever.
	forever := silence("d", 0, 0, 1, 1)
	forever.EndsAt = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	put(t, s, incident.Facts{Silences: []incident.Silence{forever}}, 0)
	got, err = s.Silences(ctx, minutes(1e6), minutes(2e6))
	require.NoError(t, err)
	require.Equal(t, []incident.Silence{forever}, got)

	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		said := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incident.Silence {
			n := func(label string) float64 { return float64(rapid.IntRange(0, 2).Draw(t, label)) }
			x := silence("", 5000, 5001+n("end"), n("updated"), 0)
			if x.CreatedAt = minutes(n("created")); rapid.Bool().Draw(t, "uncreated") {
				x.CreatedAt = time.Time{}
			}
			return x
		}), 1, 6).Draw(t, "said")
		var results []incident.Silence
		for k, order := range [][]incident.Silence{said, rapid.Permutation(said).Draw(t, "other order")} {
			id := fingerprint(2*run + k)
			for _, x := range order {
				x.ID = id
				put(t, s, incident.Facts{Silences: []incident.Silence{x}}, 0)
			}
			all, err := s.Silences(ctx, minutes(5000), minutes(5000))
			require.NoError(t, err)
			for _, x := range all {
				if x.ID == id {
					x.ID = ""
					results = append(results, x)
				}
			}
		}
		require.Len(t, results, 2)
		require.Equal(t, results[0], results[1])
	})
}

func testBeats(t *testing.T, s store.Store) {
	at := func(n float64) time.Time { return minutes(n).Truncate(time.Second) }
	beats := func(times ...float64) (l []incident.Beat) {
		for _, n := range times {
			l = append(l, incident.Beat{Watchdog: "w", At: minutes(n)})
		}
		return l
	}
	put(t, s, incident.Facts{Beats: append(beats(5, 0, 10, 0), incident.Beat{Watchdog: "other", At: minutes(5)})}, 0)
	put(t, s, incident.Facts{Beats: beats(5)}, 0)
	got, err := s.Beats(context.Background(), at(0), at(5))
	require.NoError(t, err)
	for i := range got {
		got[i].At = got[i].At.Truncate(time.Second)
	}
	require.Equal(t, []incident.Beat{{Watchdog: "other", At: at(5)}, {Watchdog: "w", At: at(0)}, {Watchdog: "w", At: at(5)}}, got)
	got, err = s.Beats(context.Background(), time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, got, 4)
}

func testLedger(t *testing.T, s store.Store) {
	entry := func(id string, seconds float64) incident.Observed {
		return incident.Observed{
			Incident: id, Service: "checkout", Severity: "critical", DetectedBy: incident.ByStaff,
			Seconds: map[string]float64{"detect": seconds}, Restated: map[string]float64{"detect": 1 / 3.0}, Restates: map[string]int{"detect": 2},
		}
	}
	ledger := func() (l []incident.Observed) {
		for o, err := range s.Ledger(context.Background()) {
			require.NoError(t, err)
			l = append(l, o)
		}
		return l
	}
	require.Empty(t, ledger())
	save(t, s, incident.Pass{Observed: []incident.Observed{entry("b", 1), entry("a", 2)}})
	save(t, s, incident.Pass{Observed: []incident.Observed{entry("b", 3)}})
	require.Equal(t, []incident.Observed{entry("a", 2), entry("b", 3)}, ledger())
	save(t, s, incident.Pass{Reset: true})
	require.Equal(t, []incident.Observed{entry("a", 2), entry("b", 3)}, ledger(), "what was shown stays shown")

	for _, err := range s.Ledger(context.Background()) {
		require.NoError(t, err)
		break // a reader may stop
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n := 0
	for _, err := range s.Ledger(ctx) {
		code(t, incident.CodeUnavailable, err)
		n++
	}
	require.Equal(t, 1, n, "an error is the last thing that comes")
}

func testClosed(t *testing.T, s store.Store) {
	ctx := context.Background()
	putSightings(t, s, firing("a", 0, 0))
	require.NoError(t, s.Ping(ctx))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err := s.Put(ctx, incident.Facts{}, t0)
	code(t, incident.CodeUnavailable, err)
	code(t, incident.CodeUnavailable, s.Ping(ctx))
	_, err = s.Reviews(ctx)
	code(t, incident.CodeUnavailable, err)
	_, err = s.Stats(ctx)
	code(t, incident.CodeUnavailable, err)
	_, err = s.Acquire(ctx, "a", time.Hour)
	code(t, incident.CodeUnavailable, err)
	code(t, incident.CodeUnavailable, s.Release(ctx, "a"))
	_, err = s.Follow(ctx, 0)
	code(t, incident.CodeUnavailable, err)
	for _, err := range s.EachIncident(ctx, time.Time{}) {
		code(t, incident.CodeUnavailable, err)
	}
}
