package sqlstore

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestResetWritesTheDifference saves everything anew, as a start does, and counts the rows that are written for it.
func TestResetWritesTheDifference(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := incident.Pass{Reset: true}
	for n := range 200 {
		e := incident.Episodes([]incident.Sighting{benchSighting(uint64(n), at)}, time.Hour, at)[0]
		p.Verdicts = append(p.Verdicts, incident.Verdict{Episode: e, Outcome: incident.OutcomeLinked, Incident: fmt.Sprint(n)})
		p.Incidents = append(p.Incidents, benchIncident(n, at))
	}
	number := int64(0)
	written := func(p incident.Pass) incident.Saved {
		require.NoError(t, s.Save(t.Context(), p))
		saved, err := s.Follow(t.Context(), number)
		require.NoError(t, err)
		require.False(t, saved.Whole)
		number++
		require.Equal(t, number, saved.Number)
		return saved
	}
	saved := written(p)
	require.Len(t, saved.Incidents, 200)
	require.Len(t, saved.Verdicts, 200)

	changes := func() (n int) {
		require.NoError(t, s.alone(t.Context(), 1, func(x *session) error {
			_, err := x.get("SELECT total_changes()", nil, &n)
			return err
		}))
		return n
	}
	before := changes()
	saved = written(p)
	require.Equal(t, 3, changes()-before, "how far the pass is, that there was one, under which lease, and nothing else")
	require.Empty(t, saved.Incidents)
	require.Empty(t, saved.Verdicts)

	p.Incidents[7].Title = "Another"
	p.Verdicts[9].Incident = "another"
	saved = written(p)
	require.Len(t, saved.Incidents, 1)
	require.Equal(t, "Another", saved.Incidents[0].Title)
	require.Len(t, saved.Verdicts, 1)
	require.Equal(t, "another", saved.Verdicts[0].Incident)

	p.Incidents, p.Verdicts = p.Incidents[:100], p.Verdicts[:100]
	saved = written(p)
	require.Len(t, saved.Removed, 100)
	require.Len(t, saved.Gone, 100)
	st, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 100, st.Incidents)
	n := 0
	for _, err := range s.EachVerdict(t.Context(), time.Time{}, time.Time{}) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 100, n)
}
