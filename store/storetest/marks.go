package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

func testMarks(t *testing.T, s store.Store) {
	marks := func(source string, want ...incident.Mark) {
		t.Helper()
		got, err := s.Marks(t.Context(), source)
		require.NoError(t, err)
		if len(want) == 0 {
			require.Empty(t, got)
			return
		}
		require.Equal(t, want, got)
	}
	cursor := incident.Mark{Source: "pager", Name: "cursor", Value: `{"at":"2026-01-02T03:04:05Z"}`}
	sweep := incident.Mark{Source: "pager", Name: "sweep", Value: "\"☃\""}
	other := incident.Mark{Source: "tickets", Name: "cursor", Value: "{}"}
	marks("pager")

	// With a record, and without any other fact; of one source and of several.
	r := put(t, s, incident.Facts{Records: []incident.Record{record("1", "Pages", 0, 1)}, Marks: []incident.Mark{sweep, cursor}}, 1)
	require.Equal(t, []bool{true}, r.Records)
	put(t, s, incident.Facts{Marks: []incident.Mark{other}}, 2)
	marks("pager", cursor, sweep)
	marks("tickets", other)

	// The last one counts, also within one Put; an empty one takes it away, and one that is not there is taken away as well.
	later := cursor
	later.Value = `{"at":"2026-01-02T04:00:00Z"}`
	put(t, s, incident.Facts{Marks: []incident.Mark{{Source: "pager", Name: "cursor", Value: "x"}, later}}, 3)
	put(t, s, incident.Facts{Marks: []incident.Mark{{Source: "pager", Name: "sweep"}, {Source: "pager", Name: "none"}}}, 4)
	marks("pager", later)

	// They are no news to correlation.
	before, err := s.Changes(t.Context(), 0, 0)
	require.NoError(t, err)
	put(t, s, incident.Facts{Marks: []incident.Mark{cursor}}, 5)
	after, err := s.Changes(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Equal(t, before, after)

	// What cannot be stored takes the facts beside it along.
	for _, bad := range []incident.Mark{
		{Name: "cursor", Value: "x"}, {Source: "pager", Value: "x"}, {Source: "pager", Name: "cursor", Value: "\xff"},
	} {
		_, err := s.Put(
			t.Context(),
			incident.Facts{Records: []incident.Record{record("2", "Pages", 0, 1)}, Marks: []incident.Mark{bad}},
			minutes(6),
		)
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err), "%v", err)
	}
	_, err = s.Record(t.Context(), incident.RecordKey{Source: record("2", "Pages", 0, 1).Source, ID: "2"})
	require.Equal(t, incident.CodeNotFound, incident.CodeOf(err))
	marks("pager", cursor)
}
