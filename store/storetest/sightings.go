package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/store"
)

func testSightings(t *testing.T, s store.Store) {
	ctx := context.Background()
	a, b := firing("a", 0, 1), firing("b", -5, 1)
	require.Equal(t, []incident.MergeKind{incident.MergeNew, incident.MergeNew, incident.MergeRepeated}, putSightings(t, s, a, b, a))

	again := firing("a", 0, 240)
	again.Alertmanagers = []string{"http://am2"}
	done := resolved("a", 0, 300, 301)
	require.Equal(t, []incident.MergeKind{incident.MergeDuplicate, incident.MergeResolved, incident.MergeLate}, putSightings(t, s, again, done, again))

	want := incident.Merge(incident.Merge(a, again), done)
	got, err := s.SightingsOf(ctx, []string{"b", "a", "none", "a"})
	require.NoError(t, err)
	require.Equal(t, []incident.Sighting{b, want}, got)

	none, err := s.SightingsOf(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, none)

	// A sender that does not know the start, and text that needs care.
	odd := incident.Sighting{
		Fingerprint: "o'dd\"\\\u2028", FiringFirst: minutes(1), FiringLast: minutes(1),
		Labels: map[string]string{"": "", "a\\": "\t\u0001\u007f", "nul": "a\x00b", "long": string(make([]rune, 5000)), "emoji": "🚒"},
	}
	require.Equal(t, []incident.MergeKind{incident.MergeNew}, putSightings(t, s, odd))
	require.Equal(t, []incident.MergeKind{incident.MergeRepeated}, putSightings(t, s, odd))
	got, err = s.SightingsOf(ctx, []string{odd.Fingerprint})
	require.NoError(t, err)
	require.Equal(t, []incident.Sighting{odd}, got)

	// Every field.
	full := done
	full.Fingerprint = "full"
	full.GoneAt, full.Word = minutes(1), incident.Word{At: minutes(2), By: "0123456789abcdef", Kind: incident.WordFirst}
	full.Mutes = []incident.Mute{{By: "", At: minutes(4)}, {By: "s1", At: minutes(3)}, {By: "s2", At: minutes(5)}}
	full.ConditionAt, full.ConditionFrom = minutes(-1), incident.ConditionMeasured
	full.ActiveAt, full.HistoryEndsAt, full.LapsesAt = minutes(6), minutes(7), minutes(8)
	putSightings(t, s, full)
	got, err = s.SightingsOf(ctx, []string{"full"})
	require.NoError(t, err)
	require.Equal(t, []incident.Sighting{full}, got)
}

// anySighting is a sighting of one of a few starts, with times and sets that often tie.
func anySighting(t *rapid.T, fp string) incident.Sighting {
	moment := func(label string) time.Time {
		n := rapid.IntRange(-1, 9).Draw(t, label)
		if n < 0 {
			return time.Time{}
		}
		return minutes(float64(n))
	}
	set := func(label string) []string {
		return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 4).Draw(t, label)
	}
	s := incident.Sighting{
		Fingerprint: fp, StartsAt: minutes(float64(rapid.IntRange(0, 2).Draw(t, "start")) * 5),
		EndsAt: moment("end"), FiringFirst: moment("first"), FiringLast: moment("last"), ResolvedFirst: moment("resolved"), GoneAt: moment("gone"),
		ToldAt: moment("told"), Mutes: []incident.Mute{{By: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "mute"), At: minutes(float64(rapid.IntRange(0, 9).Draw(t, "muted")))}},
		GroupKeys: set("groups"), Alertmanagers: set("senders"),
		Labels: map[string]string{"alertname": rapid.SampledFrom([]string{"X", "Y"}).Draw(t, "name")},
	}
	if s.Word.At = moment("word"); !s.Word.At.IsZero() {
		s.Word.By = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "by")
	}
	if s.ConditionFrom = rapid.SampledFrom([]incident.ConditionSource{"", incident.ConditionFromFor, incident.ConditionMeasured}).Draw(t, "how"); s.ConditionFrom != "" {
		s.ConditionAt = minutes(float64(rapid.IntRange(-9, 0).Draw(t, "condition")))
	}
	return s
}

// testSightingsAnyOrder puts the same sightings in two orders and cuts, and compares both with incident.Merge.
func testSightingsAnyOrder(t *testing.T, s store.Store) {
	ctx, run := context.Background(), 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		said := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incident.Sighting { return anySighting(t, "") }), 1, 12).Draw(t, "said")
		other := rapid.Permutation(said).Draw(t, "other order")
		for k, order := range [][]incident.Sighting{said, other} {
			fp := fmt.Sprintf("%d-%d", run, k)
			model := map[string]incident.Sighting{}
			for i := 0; i < len(order); {
				n := rapid.IntRange(1, len(order)-i).Draw(t, "together")
				var f incident.Facts
				var kinds []incident.MergeKind
				for _, x := range order[i : i+n] {
					x.Fingerprint = fp
					f.Sightings = append(f.Sightings, x)
					if known, ok := model[x.Key().String()]; ok {
						kinds = append(kinds, incident.KindOf(&known, x))
						model[x.Key().String()] = incident.Merge(known, x)
					} else {
						kinds = append(kinds, incident.KindOf(nil, x))
						model[x.Key().String()] = incident.Merge(x, x)
					}
				}
				require.Equal(t, kinds, put(t, s, f, 0).Sightings)
				i += n
			}
			var want []incident.Sighting
			for _, x := range model {
				want = append(want, x)
			}
			got, err := s.SightingsOf(ctx, []string{fp})
			require.NoError(t, err)
			same(t, byKey(want), got)
		}
		one, err := s.SightingsOf(ctx, []string{fmt.Sprintf("%d-0", run)})
		require.NoError(t, err)
		two, err := s.SightingsOf(ctx, []string{fmt.Sprintf("%d-1", run)})
		require.NoError(t, err)
		for i := range two {
			two[i].Fingerprint = one[i].Fingerprint
		}
		same(t, one, two)
	})
}

func testSightingsSpan(t *testing.T, s store.Store) {
	// Stretches of every length, from nothing to years, at places that only just touch and only just do not.
	var all []incident.Sighting
	n := 0
	for _, length := range []time.Duration{0, time.Second, time.Hour - 1, time.Hour, 5 * time.Hour, 24 * time.Hour, 29 * 24 * time.Hour, 30 * 24 * time.Hour, 900 * 24 * time.Hour} {
		for _, from := range []time.Duration{-901 * 24 * time.Hour, -30 * 24 * time.Hour, -25 * time.Hour, -time.Hour - 1, -time.Hour, -1, 0, 1, time.Minute, 10 * time.Minute, 10*time.Minute + 1, time.Hour} {
			n++
			at := t0.Add(from)
			all = append(all, incident.Sighting{Fingerprint: fingerprint(n), StartsAt: at, EndsAt: at.Add(length), ResolvedFirst: at})
		}
	}
	putSightings(t, s, all...)
	for _, w := range [][2]time.Time{
		{t0, minutes(10)}, {t0, t0}, {minutes(-60), minutes(60)}, {t0.AddDate(-3, 0, 0), t0.AddDate(0, 0, -40)}, {{}, t0}, {t0, {}}, {{}, {}},
	} {
		var want []incident.Sighting
		for _, x := range all {
			from, to := x.Span()
			if (w[1].IsZero() || !from.After(w[1])) && !to.Before(w[0]) {
				want = append(want, x)
			}
		}
		got, err := s.Sightings(context.Background(), w[0], w[1])
		require.NoError(t, err)
		require.Equal(t, byKey(want), got, "from %s to %s", w[0], w[1])
	}

	// A stretch that grows is found where it has grown to.
	late := resolved(fingerprint(1), 0, 0, 0)
	late.StartsAt, late.EndsAt = all[0].StartsAt, minutes(3)
	putSightings(t, s, late)
	got, err := s.Sightings(context.Background(), minutes(2.5), minutes(3))
	require.NoError(t, err)
	require.Contains(t, byKey(got), incident.Merge(all[0], late))
}

func testPutInvalid(t *testing.T, s store.Store) {
	ctx := context.Background()
	good := incident.Record{Source: "ours", ID: "1", Title: "fine"}
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	for name, f := range map[string]incident.Facts{
		"a sighting without a fingerprint":  {Sightings: []incident.Sighting{firing("x", 0, 0), {StartsAt: t0}}},
		"a fingerprint that is not text":    {Sightings: []incident.Sighting{{Fingerprint: "\xff", StartsAt: t0}}},
		"a fingerprint with a NUL":          {Sightings: []incident.Sighting{{Fingerprint: "a\x00", StartsAt: t0}}},
		"a start long ago":                  {Sightings: []incident.Sighting{{Fingerprint: "x", StartsAt: year(1600)}}},
		"a start far ahead":                 {Sightings: []incident.Sighting{{Fingerprint: "x", StartsAt: year(2300)}}},
		"a start at the epoch":              {Sightings: []incident.Sighting{{Fingerprint: "x", StartsAt: time.Unix(0, 0)}}},
		"a record without a source":         {Records: []incident.Record{{ID: "1"}}},
		"a record without an id":            {Records: []incident.Record{{Source: "ours"}}},
		"a record that cannot be written":   {Records: []incident.Record{{Source: "ours", ID: "1", CreatedAt: year(10_000)}}},
		"a review without an id":            {Reviews: []incident.Review{{At: t0}}},
		"a silence without an id":           {Silences: []incident.Silence{{StartsAt: t0}}},
		"a beat without a watchdog":         {Beats: []incident.Beat{{At: t0}}},
		"a silence whose id is no text":     {Silences: []incident.Silence{{ID: "a\x80"}}},
		"a review of a year without a form": {Reviews: []incident.Review{{ID: "1", At: year(20_000)}}},
	} {
		f.Records = append([]incident.Record{good}, f.Records...)
		_, err := s.Put(ctx, f, t0)
		require.Error(t, err, name)
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err), name)
	}
	_, err := s.Record(ctx, good.Key())
	code(t, incident.CodeNotFound, err)
	require.Empty(t, drain(t, s, 10))
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.Zero(t, st.Sightings+st.Records+st.Backlog)

	r := put(t, s, incident.Facts{}, 0)
	require.Empty(t, r.Sightings)
	require.Empty(t, r.Records)

	// Times that no database of nanoseconds holds are kept where they are no keys.
	odd := firing("odd", 0, 0)
	odd.EndsAt, odd.GoneAt = year(9999), year(1500)
	putSightings(t, s, odd)
	got, err := s.SightingsOf(ctx, []string{"odd"})
	require.NoError(t, err)
	require.Equal(t, []incident.Sighting{odd}, got)
}

func testPutPure(t *testing.T, s store.Store) {
	make := func() incident.Facts {
		zone := time.FixedZone("east", 7200)
		x := firing("a", 0, 0)
		x.GroupKeys, x.StartsAt = []string{"b", "a", "b"}, x.StartsAt.In(zone)
		x.Mutes = []incident.Mute{{By: "b", At: minutes(2)}, {By: "a", At: minutes(1)}, {By: "b", At: minutes(1)}}
		return incident.Facts{
			Sightings: []incident.Sighting{x},
			Records: []incident.Record{{
				Source: "ours", ID: "1", Impacts: []incident.Impact{{From: t0.In(zone)}},
				Milestones: map[incident.MilestoneName]incident.Stated{incident.Started: {At: t0.In(zone)}},
			}},
			Reviews:  []incident.Review{{ID: "1", At: t0.In(zone)}},
			Silences: []incident.Silence{{ID: "1", StartsAt: t0.In(zone)}},
		}
	}
	f := make()
	put(t, s, f, 0)
	require.Equal(t, make(), f)

	got, err := s.SightingsOf(context.Background(), []string{"a"})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, got[0].GroupKeys)
	require.Equal(t, []incident.Mute{{By: "a", At: minutes(1)}, {By: "b", At: minutes(1)}}, got[0].Mutes)
	require.Equal(t, t0, got[0].StartsAt, "times are UTC")
	r, err := s.Record(context.Background(), incident.RecordKey{Source: "ours", ID: "1"})
	require.NoError(t, err)
	require.Equal(t, incident.KindIncident, r.Kind, "records are normalized")
	require.Equal(t, t0, r.Impacts[0].From)
}

func testPutContext(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Put(ctx, incident.Facts{Sightings: []incident.Sighting{firing("a", 0, 0)}}, t0)
	code(t, incident.CodeUnavailable, err)
	require.ErrorIs(t, err, context.Canceled)
	got, err := s.SightingsOf(context.Background(), []string{"a"})
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = s.Sightings(ctx, t0, t0)
	code(t, incident.CodeUnavailable, err)
}

// testConcurrentPuts lets many callers put at once: shared sightings, their own, bad ones; nothing is lost or mixed up.
func testConcurrentPuts(t *testing.T, s store.Store) {
	const callers, rounds = 24, 12
	ctx := context.Background()
	var wg sync.WaitGroup
	var mu sync.Mutex
	newShared := 0
	for c := range callers {
		wg.Go(func() {
			for r := range rounds {
				own := firing(fmt.Sprintf("own-%d-%d", c, r), 0, 1)
				shared := firing("shared", 0, float64(c*rounds+r))
				if r%4 == 3 {
					_, err := s.Put(ctx, incident.Facts{Sightings: []incident.Sighting{own, {StartsAt: t0}}}, t0)
					if incident.CodeOf(err) != incident.CodeInvalid {
						t.Errorf("a bad put: %v", err)
					}
					continue
				}
				receipt, err := s.Put(ctx, incident.Facts{
					Sightings: []incident.Sighting{own, shared},
					Records:   []incident.Record{{Source: "ours", ID: "shared", Title: fmt.Sprint(c, r), UpdatedAt: minutes(float64(c*rounds + r))}},
				}, t0)
				if err != nil {
					t.Errorf("put: %v", err)
					return
				}
				if receipt.Sightings[0] != incident.MergeNew {
					t.Errorf("own sighting is %s", receipt.Sightings[0])
				}
				if receipt.Sightings[1] == incident.MergeNew {
					mu.Lock()
					newShared++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, newShared, "one of all is the first")
	got, err := s.Sightings(ctx, t0, t0.Add(24*time.Hour))
	require.NoError(t, err)
	require.Len(t, got, callers*rounds*3/4+1)
	last := float64((callers-1)*rounds + rounds - 2)
	for _, x := range got {
		if x.Fingerprint == "shared" {
			require.Equal(t, minutes(last), x.FiringLast)
			require.Equal(t, minutes(0), x.FiringFirst)
		}
	}
	k := incident.RecordKey{Source: "ours", ID: "shared"}
	r, err := s.Record(ctx, k)
	require.NoError(t, err)
	require.Equal(t, minutes(last), r.UpdatedAt)
	h, err := s.History(ctx, k)
	require.NoError(t, err)
	require.Len(t, h, callers*rounds*3/4)
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, len(got), st.Sightings)
	require.EqualValues(t, 1, st.Records)
}
