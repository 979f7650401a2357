package faults

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestPostgresStops stops PostgreSQL at once, twice, in the middle of notifications. Meantime stays up, says 503
// meanwhile, and goes on by itself. What it had acknowledged is there, and nothing twice, although the answers to some
// commits were lost and their senders sent again.
func TestPostgresStops(t *testing.T) {
	t.Parallel()
	postgres := servers.Postgres(t)
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: postgres.Database("meantime")})
	bodies := some("A", 3000)
	s := send(t, m, 48, bodies)
	for _, share := range []int{4, 2} {
		s.until(t, len(bodies)/share)
		postgres.StopAtOnce()
		servers.Eventually(t, soon, func() error { return unready(m) })
		require.Equal(t, http.StatusOK, get(t, m, "/-/healthy"), "it is alive")
		require.Equal(t, http.StatusOK, get(t, m, "/metrics"), "what is known can be scraped")
		postgres.Restart()
	}
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	require.Positive(t, s.again.Load())
	require.NoError(t, m.Stop())
}

// get is the status of a GET.
func get(t testing.TB, m *servers.MeantimeServer, path string) int {
	t.Helper()
	status, _, err := m.Do(http.MethodGet, path, nil)
	require.NoError(t, err)
	return status
}

// unready returns nil once Meantime says that it cannot store anything.
func unready(m *servers.MeantimeServer) error {
	status, answer, err := m.Do(http.MethodGet, "/-/ready", nil)
	if err == nil && status != http.StatusServiceUnavailable {
		err = fmt.Errorf("it says it is ready: %d %s", status, answer)
	}
	return err
}

// ready returns nil once Meantime says that it can.
func ready(m *servers.MeantimeServer) error {
	status, answer, err := m.Do(http.MethodGet, "/-/ready", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it is not ready: %d %s", status, answer)
	}
	return err
}
