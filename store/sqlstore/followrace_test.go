package sqlstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/test/servers"
)

// TestFollowNeverMissesWhatIsReplaced follows passes that replace the same incidents again and again: none is ever told as gone.
func TestFollowNeverMissesWhatIsReplaced(t *testing.T) {
	server := servers.Postgres(t)
	dsn := server.Database("meantime")
	ctx := context.Background()
	open := func() *Store {
		s, err := Open(ctx, dsn, Options{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	a, b := open(), open()
	lease, err := a.Acquire(ctx, "a", time.Hour)
	require.NoError(t, err)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	incidents := func(v int) (l []incident.Incident) {
		for i := range 6 {
			l = append(l, incident.Incident{ID: fmt.Sprint("r", i), State: incident.StateResolved, Title: fmt.Sprint("version ", v), Services: []string{fmt.Sprint("s", i)},
				Milestones: map[incident.MilestoneName]incident.Milestone{
					incident.Started:  {Candidate: incident.Candidate{At: at.Add(time.Duration(i) * 48 * time.Hour)}},
					incident.Resolved: {Candidate: incident.Candidate{At: at.Add(time.Duration(i)*48*time.Hour + time.Duration(v)*time.Minute)}},
				}})
		}
		return l
	}
	require.NoError(t, a.Save(ctx, incident.Pass{Token: lease.Token, Incidents: incidents(0), Rules: "r"}))
	var done atomic.Bool
	go func() {
		defer done.Store(true)
		for v := 1; v <= 300; v++ {
			list := incidents(v)
			if err := a.Save(ctx, incident.Pass{Token: lease.Token, Incidents: list[v%3 : v%3+3], Rules: "r"}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	first, err := b.Follow(ctx, -1)
	require.NoError(t, err)
	seen, follows := first.Number, 0
	for !done.Load() {
		saved, err := b.Follow(ctx, seen)
		require.NoError(t, err)
		require.Empty(t, saved.Removed, "after %d of %d", seen, saved.Number)
		seen = saved.Number
		follows++
		n := 0
		for _, err := range b.EachIncident(ctx, at.Add(-time.Hour)) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 6, n, "incidents at once")
	}
	t.Logf("%d passes followed in %d looks", seen, follows)
}
