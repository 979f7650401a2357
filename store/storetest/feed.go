package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

func testFeed(t *testing.T, s store.Store) {
	require.Empty(t, drain(t, s, 10))
	change := func(kind incident.ChangeKind, key string, from, to float64) incident.Change {
		return incident.Change{Kind: kind, Key: key, From: minutes(from), To: minutes(to)}
	}
	putSightings(t, s, firing("a", 0, 2), firing("b", 0, 3), firing("a", 0, 4))
	require.Equal(t, []incident.Change{change("sighting", "a", 0, 4), change("sighting", "b", 0, 3)}, since(t, s, 0), "one entry for each sighting")

	n := newest(t, s)
	putSightings(t, s, firing("a", 0, 4), firing("b", 0, 3))
	require.Empty(t, since(t, s, n), "nothing changed")

	putSightings(t, s, firing("a", 0, 240))
	require.Equal(t, []incident.Change{change("sighting", "a", 0, 240)}, since(t, s, n), "heard of again")

	// An estimate of the condition that a measured one moves later: the stretch is the one before and the one after.
	n = newest(t, s)
	x := firing("c", 0, 1)
	x.ConditionAt, x.ConditionFrom = minutes(-30), incident.ConditionFromFor
	putSightings(t, s, x)
	x.ConditionAt, x.ConditionFrom = minutes(-5), incident.ConditionMeasured
	putSightings(t, s, x)
	require.Equal(t, []incident.Change{change("sighting", "c", -30, 1), change("sighting", "c", -30, 1)}, since(t, s, n))
	putSightings(t, s, firing("c", 0, 2))
	require.Equal(t, change("sighting", "c", -5, 2), since(t, s, newest(t, s)-1)[0])

	n = newest(t, s)
	put(t, s, incident.Facts{Beats: []incident.Beat{{Watchdog: "w", At: t0}, {Watchdog: "w", At: t0}}}, 0)
	put(t, s, incident.Facts{Beats: []incident.Beat{{Watchdog: "w", At: t0}}}, 0)
	got := since(t, s, n)
	require.Len(t, got, 1)
	require.Equal(t, incident.ChangeBeat, got[0].Kind)
	require.Equal(t, "w", got[0].Key)
	require.WithinDuration(t, t0, got[0].From, time.Second)

	n = newest(t, s)
	silence := incident.Silence{ID: "s", StartsAt: minutes(0), EndsAt: minutes(60), UpdatedAt: minutes(1)}
	put(t, s, incident.Facts{Silences: []incident.Silence{silence, silence}}, 0)
	silence.StartsAt, silence.EndsAt, silence.UpdatedAt = minutes(10), minutes(20), minutes(2)
	put(t, s, incident.Facts{Silences: []incident.Silence{silence}}, 0)
	require.Equal(t, []incident.Change{change("silence", "s", 0, 60), change("silence", "s", 0, 60)}, since(t, s, n))

	// Pages of any size hold the same.
	var many []incident.Sighting
	for i := range 700 {
		many = append(many, firing(fmt.Sprint("many", i), 0, 0))
	}
	putSightings(t, s, many...)
	all := drain(t, s, 1000)
	for _, limit := range []int{1, 7, 256, 257} {
		require.Equal(t, all, drain(t, s, limit))
	}
	few, err := s.Changes(context.Background(), 0, 0)
	require.NoError(t, err)
	require.Equal(t, all[:100], few)
}

func testFeedSpans(t *testing.T, s store.Store) {
	change := func(kind incident.ChangeKind, key string, from, to float64) incident.Change {
		return incident.Change{Kind: kind, Key: key, From: minutes(from), To: minutes(to)}
	}
	expect := func(f incident.Facts, want ...incident.Change) {
		t.Helper()
		n := newest(t, s)
		put(t, s, f, 0)
		got := since(t, s, n)
		if len(want) == 0 {
			require.Empty(t, got)
			return
		}
		require.Equal(t, want, got)
	}
	records := func(r ...incident.Record) incident.Facts { return incident.Facts{Records: r} }
	expect(records(record("1", "a", 0, 2)), change("record", "ours/1", 0, 15))
	expect(records(record("1", "a", 0, 2)))
	expect(records(record("1", "old", 500, 1)))
	expect(records(record("1", "moved", 100, 3)), change("record", "ours/1", 0, 115))
	expect(records(incident.Record{Source: "ours", ID: "1", Withdrawn: true, UpdatedAt: minutes(4)}), change("record", "ours/1", 100, 115))
	expect(records(record("1", "back", 30, 5)), change("record", "ours/1", 30, 45))
	expect(records(incident.Record{Source: "ours", ID: "2", Withdrawn: true, UpdatedAt: minutes(4)}), change("record", "ours/2", 4, 4))

	reviews := func(r ...incident.Review) incident.Facts { return incident.Facts{Reviews: r} }
	set := incident.Review{ID: "1", At: minutes(900), By: "ann", Action: incident.ReviewSet, Incident: "r1", Milestone: incident.Started, Time: minutes(7)}
	expect(reviews(set), change("review", "1", 7, 7))
	expect(reviews(set))
	moved := set
	moved.Incident, moved.Time = "r2", minutes(8)
	expect(reviews(moved), change("review", "1", 7, 7), change("review", "1", 8, 8))
	confirm := incident.Review{ID: "2", At: minutes(900), By: "ann", Action: incident.ReviewConfirm, Incident: "r1", Episode: &incident.EpisodeKey{Fingerprint: "a", StartsAt: minutes(3)}}
	expect(reviews(confirm), change("review", "2", 3, 3))
	merge := incident.Review{ID: "3", At: minutes(900), By: "ann", Action: incident.ReviewMerge, Incident: "r1", Other: "r2"}
	expect(reviews(merge), incident.Change{Kind: "review", Key: "3"})
	expect(reviews(incident.Review{ID: "4", At: minutes(901), By: "ann", Action: incident.ReviewWithdraw, Other: "3"}), incident.Change{Kind: "review", Key: "4"})
	expect(reviews(incident.Review{ID: "5", At: minutes(901), By: "ann", Action: incident.ReviewWithdraw, Other: "2"}), change("review", "5", 3, 3))
}

// testFeedConcurrent follows the feed while others write. Whoever remembers only the last number seen misses nothing.
func testFeedConcurrent(t *testing.T, s store.Store) {
	const callers, rounds = 16, 25
	ctx := context.Background()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for r := range rounds {
				if _, err := s.Put(ctx, incident.Facts{Sightings: []incident.Sighting{firing(fmt.Sprint(c), float64(r*1000), 0)}}, t0); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()
	seen, after, last := map[string]bool{}, int64(0), false
	for {
		page, err := s.Changes(ctx, after, 10)
		require.NoError(t, err)
		for _, c := range page {
			require.Greater(t, c.Seq, after)
			after = c.Seq
			key := c.Key + "@" + c.From.String()
			require.False(t, seen[key], "an entry twice")
			seen[key] = true
		}
		if len(page) == 0 && last {
			break
		}
		select {
		case <-written:
			last = true // one more round, after everything was written
		default:
		}
	}
	require.Len(t, seen, callers*rounds)
}

func testPosition(t *testing.T, s store.Store) {
	ctx := context.Background()
	position := func() (int64, string) {
		cursor, rules, err := s.Position(ctx)
		require.NoError(t, err)
		return cursor, rules
	}
	backlog := func() int64 {
		st, err := s.Stats(ctx)
		require.NoError(t, err)
		return st.Backlog
	}
	cursor, rules := position()
	require.Zero(t, cursor)
	require.Empty(t, rules)

	putSightings(t, s, firing("a", 0, 0), firing("b", 0, 0))
	require.EqualValues(t, 2, backlog())
	first := drain(t, s, 10)[0].Seq
	save(t, s, incident.Pass{Cursor: first, Rules: "rules 1"})
	require.EqualValues(t, 1, backlog())
	cursor, rules = position()
	require.Equal(t, first, cursor)
	require.Equal(t, "rules 1", rules)
	require.Equal(t, "b", since(t, s, cursor)[0].Key, "what comes after the cursor is kept")

	// With everything read, the numbers do not begin again.
	all := newest(t, s)
	save(t, s, incident.Pass{Cursor: all, Rules: "rules 2"})
	require.Zero(t, backlog())
	putSightings(t, s, firing("c", 0, 0))
	next, err := s.Changes(ctx, all, 10)
	require.NoError(t, err)
	require.Len(t, next, 1)
	require.Greater(t, next[0].Seq, all)
}
