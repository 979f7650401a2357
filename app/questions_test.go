package app

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

type pages []incident.Record

func (p pages) RecordPage(_ context.Context, _ string, after incident.RecordKey, limit int) ([]incident.Record, error) {
	var out []incident.Record
	for _, r := range p {
		if r.ID > after.ID && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func TestQuestions(t *testing.T) {
	shown := map[string]int{}
	q := newQuestions(func(kind string, n int) { shown[kind] = n })
	leaves := func(id string, kinds ...string) incident.Record {
		r := incident.Record{Source: "s", ID: id}
		for _, k := range kinds {
			r.Questions = append(r.Questions, incident.Question{Kind: k})
		}
		return r
	}
	put := func(r incident.Record) { q.put(&r) }

	put(leaves("1", "zone")) // before the stored ones were read
	require.NoError(t, q.load(t.Context(), pages{leaves("1", "zone", "date"), leaves("2", "zone", "zone"), leaves("3")}))
	require.Equal(t, map[string]int{"zone": 3}, shown, "what was put meanwhile counts, not what was read")

	put(leaves("2", "date")) // answered in part
	require.Equal(t, map[string]int{"zone": 1, "date": 1}, shown)
	gone := leaves("1", "zone")
	gone.Withdrawn = true
	put(gone)
	require.Equal(t, map[string]int{"zone": 0, "date": 1}, shown)
}

// away is a store whose records cannot be read for as long as it says so.
type away struct {
	store.Store
	record incident.Record
	gone   bool
}

func (a *away) Record(context.Context, incident.RecordKey) (incident.Record, error) {
	if a.gone {
		return incident.Record{}, incident.Errorf(incident.CodeUnavailable, "the connection broke")
	}
	return a.record, nil
}

func (a *away) RecordPage(_ context.Context, _ string, after incident.RecordKey, _ int) ([]incident.Record, error) {
	if a.gone {
		return nil, incident.Errorf(incident.CodeUnavailable, "the connection broke")
	}
	if after != (incident.RecordKey{}) {
		return nil, nil
	}
	return []incident.Record{a.record}, nil
}

func (a *away) Beats(context.Context, time.Time, time.Time) ([]incident.Beat, error) { return nil, nil }

// A replica whose database is away right after it followed a pass counts what that brought when the database is back: no later
// pass tells of it.
func TestQuestionsOfARecordThatCouldNotBeRead(t *testing.T) {
	for name, saved := range map[string]incident.Saved{
		"one record": {Number: 1, Records: []incident.RecordKey{{Source: "s", ID: "1"}}},
		"everything": {Number: 1, Whole: true},
	} {
		shown := map[string]int{}
		db := &away{record: incident.Record{Source: "s", ID: "1", Questions: []incident.Question{{Kind: "zone"}}}, gone: true}
		s := newIntake(db, newQuestions(func(kind string, n int) { shown[kind] = n }), nil)
		require.Error(t, s.follow(t.Context(), saved, time.Now()), name)
		db.gone = false
		require.NoError(t, s.follow(t.Context(), incident.Saved{Number: 1}, time.Now()), name)
		require.Equal(t, 1, shown["zone"], name)
	}
}
