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
	written := func(p incident.Pass) int {
		count := func() (n int) {
			require.NoError(t, s.alone(t.Context(), 1, func(x *session) error {
				_, err := x.get("SELECT total_changes()", nil, &n)
				return err
			}))
			return n
		}
		before := count()
		require.NoError(t, s.Save(t.Context(), p))
		return count() - before
	}
	require.Greater(t, written(p), 400)
	require.Equal(t, 3, written(p), "how far the pass is, that there was one, under which lease, and nothing else")

	p.Incidents[7].Title = "Another"
	p.Verdicts[9].Incident = "another"
	require.Less(t, written(p), 15)
	got, err := s.Incident(t.Context(), p.Incidents[7].ID)
	require.NoError(t, err)
	require.Equal(t, "Another", got.Title)

	p.Incidents, p.Verdicts = p.Incidents[:100], p.Verdicts[:100]
	written(p)
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
