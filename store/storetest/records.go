package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/store"
)

// record is a version of a record whose stretch is a quarter of an hour from start.
func record(id, title string, start, updated float64) incident.Record {
	r := incident.Record{
		Source: "ours", ID: id, Title: title, UpdatedAt: minutes(updated), Services: []string{"checkout"},
		Milestones: map[incident.MilestoneName]incident.Stated{
			incident.Started: {At: minutes(start)}, incident.Resolved: {At: minutes(start + 15), Evidence: "said \"so\" <b>"},
		},
	}
	r.Normalize()
	return r
}

func testRecords(t *testing.T, s store.Store) {
	ctx := context.Background()
	k := incident.RecordKey{Source: "ours", ID: "1"}
	_, err := s.Record(ctx, k)
	code(t, incident.CodeNotFound, err)
	none, err := s.History(ctx, k)
	require.NoError(t, err)
	require.Empty(t, none)

	first, second, third := record("1", "first", 0, 1), record("1", "second", 0, 2), record("1", "third", 0, 3)
	require.True(t, putRecord(t, s, second, 0))
	require.False(t, putRecord(t, s, first, 0), "an older version does not count")
	require.False(t, putRecord(t, s, first, 0))
	require.True(t, putRecord(t, s, third, 0))
	require.False(t, putRecord(t, s, third, 0), "the same again")
	require.False(t, putRecord(t, s, second, 0), "an old version again")

	got, err := s.Record(ctx, k)
	require.NoError(t, err)
	require.Equal(t, third, got)
	h, err := s.History(ctx, k)
	require.NoError(t, err)
	require.Equal(t, []incident.Record{third, second, first}, h)

	// The same content, said later: nothing new, but the version is of that time, so that what lies between stays history.
	later := third
	later.UpdatedAt = minutes(10)
	require.True(t, putRecord(t, s, later, 0))
	between := record("1", "between", 0, 5)
	require.False(t, putRecord(t, s, between, 0))
	h, err = s.History(ctx, k)
	require.NoError(t, err)
	require.Equal(t, []incident.Record{later, between, second, first}, h)

	// Another source's record of that id is another record.
	foreign := record("1", "foreign", 0, 0)
	foreign.Source = "theirs"
	require.True(t, putRecord(t, s, foreign, 0))
	got, err = s.Record(ctx, k)
	require.NoError(t, err)
	require.Equal(t, later, got)
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, st.Records)

	// Several in one call, two of one key.
	r := put(t, s, incident.Facts{Records: []incident.Record{record("2", "a", 0, 2), record("2", "b", 0, 1), record("3", "c", 0, 1)}}, 0)
	require.Equal(t, []bool{true, false, true}, r.Records)
}

func testRecordsAnyOrder(t *testing.T, s store.Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		versions := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incident.Record {
			return record("", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "title"), 0, float64(rapid.IntRange(0, 4).Draw(t, "updated")))
		}), 1, 10).Draw(t, "versions")
		for k, order := range [][]incident.Record{versions, rapid.Permutation(versions).Draw(t, "other order")} {
			key := incident.RecordKey{Source: "ours", ID: fmt.Sprintf("%d-%d", run, k)}
			var counts *incident.Record
			for _, v := range order {
				v.ID = key.ID
				changed := putRecord(t, s, v, 0)
				newer := counts == nil || incident.Newer(&v, counts)
				require.Equal(t, newer, changed)
				if newer {
					counts = &v
				}
			}
			got, err := s.Record(context.Background(), key)
			require.NoError(t, err)
			require.Equal(t, *counts, got)

			h, err := s.History(context.Background(), key)
			require.NoError(t, err)
			require.Equal(t, *counts, h[0])
			for i := 1; i < len(h); i++ {
				require.True(t, incident.Newer(&h[i-1], &h[i]), "the newest first, none twice")
			}
			for _, v := range order { // whatever was said is there, if perhaps under a later time
				require.True(t, slices.ContainsFunc(h, func(r incident.Record) bool { return r.Title == v.Title }))
			}
		}
	})
}

func testRecordsUnversioned(t *testing.T, s store.Store) {
	ctx := context.Background()
	version := func(title string) incident.Record {
		r := record("1", title, 0, 0)
		r.UpdatedAt = time.Time{}
		return r
	}
	k := incident.RecordKey{Source: "ours", ID: "1"}
	counts := func() incident.Record {
		r, err := s.Record(ctx, k)
		require.NoError(t, err)
		return r
	}
	require.True(t, putRecord(t, s, version("a"), 10))
	require.Equal(t, minutes(10), counts().UpdatedAt, "the time of receipt")
	require.False(t, putRecord(t, s, version("a"), 11), "polled again")
	require.Equal(t, minutes(10), counts().UpdatedAt)

	require.True(t, putRecord(t, s, version("b"), 5), "the clock went back; it is the newer one all the same")
	require.Equal(t, "b", counts().Title)
	require.Equal(t, minutes(10).Add(1), counts().UpdatedAt)

	require.True(t, putRecord(t, s, version("a"), 20), "changed back")
	require.Equal(t, "a", counts().Title)
	h, err := s.History(ctx, k)
	require.NoError(t, err)
	require.Len(t, h, 3)
}

func testRecordsWithdrawn(t *testing.T, s store.Store) {
	ctx := context.Background()
	k := incident.RecordKey{Source: "ours", ID: "1"}
	putRecord(t, s, record("1", "a", 0, 1), 0)
	gone := incident.Record{Source: "ours", ID: "1", Withdrawn: true, UpdatedAt: minutes(2)}
	require.True(t, putRecord(t, s, gone, 0))

	r, err := s.Record(ctx, k)
	require.NoError(t, err)
	require.True(t, r.Withdrawn)
	l, err := s.Records(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Empty(t, l)
	l, err = s.RecordPage(ctx, "", incident.RecordKey{}, 10)
	require.NoError(t, err)
	require.Empty(t, l)

	require.False(t, putRecord(t, s, record("1", "late", 0, 1.5), 0), "what was written before the withdrawal")
	require.True(t, putRecord(t, s, record("1", "b", 0, 3), 0), "and it is back")
	l, err = s.Records(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Equal(t, []incident.Record{record("1", "b", 0, 3)}, l)
	h, err := s.History(ctx, k)
	require.NoError(t, err)
	require.Len(t, h, 4)
}

func testRecordLists(t *testing.T, s store.Store) {
	ctx := context.Background()
	var all []incident.Record
	for i, source := range []string{"b", "a", "B", "a-", "a"} {
		for j := range 7 {
			r := record(fmt.Sprintf("%02d", j*(i+1)), "x", float64(20*j), 1)
			r.Source = source
			if i == 4 {
				r.ID = "é" + r.ID
			}
			all = append(all, r)
		}
	}
	put(t, s, incident.Facts{Records: all}, 0)
	slices.SortFunc(all, func(x, y incident.Record) int {
		return slices.Compare([]string{x.Source, x.ID}, []string{y.Source, y.ID}) // byte order, whatever the database's language
	})

	got, err := s.Records(ctx, minutes(21), minutes(60))
	require.NoError(t, err)
	require.Equal(t, slices.DeleteFunc(slices.Clone(all), func(r incident.Record) bool {
		from, to := r.Span()
		return to.Before(minutes(21)) || from.After(minutes(60))
	}), got)
	got, err = s.Records(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Equal(t, all, got)

	for _, source := range []string{"", "a", "none"} {
		var want, got []incident.Record
		for _, r := range all {
			if source == "" || r.Source == source {
				want = append(want, r)
			}
		}
		after := incident.RecordKey{}
		for {
			page, err := s.RecordPage(ctx, source, after, 3)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), 3)
			if len(page) == 0 {
				break
			}
			got, after = append(got, page...), page[len(page)-1].Key()
		}
		require.Equal(t, want, got)
	}

	// A record that tells no times is where it was made.
	bare := incident.Record{Source: "z", ID: "1", CreatedAt: minutes(5000), UpdatedAt: minutes(6000)}
	bare.Normalize()
	putRecord(t, s, bare, 0)
	got, err = s.Records(ctx, minutes(5000), minutes(5000))
	require.NoError(t, err)
	require.Equal(t, []incident.Record{bare}, got)
}
