package app

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
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
