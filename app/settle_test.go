package app

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/config"
	"meantime/incident"
	"meantime/store/sqlstore"
)

// An incident is counted in the all-time histogram when it has settled, by whoever has the lease then, once, also over a start,
// and every replica shows it. One that became part of another meanwhile is not.
func TestSettledIncidentsAreCounted(t *testing.T) {
	ctx := t.Context()
	s, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "m.db"), sqlstore.Options{})
	require.NoError(t, err)
	defer s.Close()
	c, err := config.Load("", nil)
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	require.Equal(t, 72*time.Hour, v.Settle)
	now := time.Now()
	replica := func() *pipeline {
		p := &pipeline{store: s, metrics: newMetrics(), now: func() time.Time { return now }, heard: func() map[string]time.Time { return nil }}
		require.NoError(t, p.configure(ctx, v))
		return p
	}
	a, b := replica(), replica()
	counted := func(p *pipeline) (n int) {
		for range p.ledger.All() {
			n++
		}
		return n
	}
	lease, err := s.Acquire(ctx, "a", time.Hour)
	require.NoError(t, err)
	require.NoError(t, a.deliver(ctx, lease.Token, incident.Pass{Cursor: 1, Rules: "r", Incidents: []incident.Incident{over("alerts", time.Hour), over("other", time.Hour)}}))
	require.NoError(t, a.count(ctx, lease.Token))
	require.Zero(t, counted(a), "they ended 23 hours ago")

	merged := over("record", 2*time.Hour)
	merged.Aliases = []string{"alerts"}
	require.NoError(t, a.deliver(ctx, lease.Token, incident.Pass{Cursor: 2, Rules: "r", Removed: []string{"alerts"}, Incidents: []incident.Incident{merged}}))
	now = now.Add(72 * time.Hour)
	a = replica() // after a start
	require.NoError(t, a.count(ctx, lease.Token))
	require.Equal(t, 2, counted(a), "record and other")
	require.NoError(t, a.count(ctx, lease.Token))
	require.Equal(t, 2, counted(a), "once")
	_, err = b.follow(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, counted(b))
	require.Equal(t, 2, counted(replica()), "it is stored")
	cursor, rules, err := s.Position(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{int64(2), "r"}, []any{cursor, rules}, "correlation goes on where it was")
}
