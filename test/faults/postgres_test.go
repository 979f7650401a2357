package faults

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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

// TestPostgresComesLate starts Meantime before its database. It waits, says so to whoever asks, ends when it is told to,
// and goes on by itself once the database is there. What waiting does not mend ends it at once.
func TestPostgresComesLate(t *testing.T) {
	t.Parallel()
	postgres := servers.Postgres(t)
	dsn := postgres.Database("meantime")
	locked := postgres.Locked("locked", "ann", "secret")
	postgres.StopAtOnce()
	m := servers.MeantimeStarting(t, servers.MeantimeOptions{Config: config, DSN: dsn})
	waits := func() error {
		status, answer, err := m.Do(http.MethodGet, "/-/ready", nil)
		if err == nil && (status != http.StatusServiceUnavailable || !strings.Contains(string(answer), "waits for its database")) {
			err = fmt.Errorf("it does not say that it waits: %d %s", status, answer)
		}
		return err
	}
	servers.Eventually(t, soon, waits)
	require.Equal(t, http.StatusOK, get(t, m, "/-/healthy"), "it is alive")
	e, err := servers.Scrape(m.URL)
	require.NoError(t, err)
	require.Equal(t, "0", e["meantime_lease_held"])
	for _, c := range []struct{ method, path string }{
		{http.MethodPost, "/webhook/alertmanager"}, {http.MethodPut, "/api/v1/records/ours/1"}, {http.MethodGet, "/"}, {http.MethodPost, "/-/reload"},
	} {
		status, answer, err := m.Do(c.method, c.path, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status, "%s: %s", c.path, answer)
	}
	require.NoError(t, m.Stop(), "SIGTERM ends it with status 0")

	m = servers.MeantimeStarting(t, servers.MeantimeOptions{Config: config, DSN: dsn, Dir: m.Dir})
	servers.Eventually(t, soon, waits)
	m.Signal(syscall.SIGHUP) // is for later
	bodies := some("A", 50)
	s := send(t, m, 4, bodies)
	servers.Eventually(t, soon, func() error { // each is refused, and once again
		if n := s.again.Load(); n < 8 {
			return fmt.Errorf("%d were refused", n)
		}
		return waits()
	})
	require.Regexp(t, `level=WARN .*The store does not answer, waiting for it.* again_in=3s .*connection refused`, m.Log())
	require.Zero(t, s.done.Load())
	postgres.Restart()
	servers.Eventually(t, soon, func() error { return ready(m) })
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	servers.Eventually(t, soon, func() error {
		if !strings.Contains(m.Log(), "Configuration taken") {
			return errors.New("SIGHUP was not heard")
		}
		return nil
	})
	require.NoError(t, m.Stop())

	for dsn, says := range map[string]string{
		strings.Replace(locked, "secret", "other", 1): "check user, password and pg_hba.conf",
		postgres.DSN("nothing"):                       "there is no such database",
	} {
		status, output := servers.MeantimeFails(t, servers.MeantimeOptions{Config: config, DSN: dsn})
		require.Equal(t, 1, status, output)
		require.Contains(t, output, says)
		require.NotContains(t, output, "waiting for it")
	}
}

// TestPostgresPasswordReplaced changes the database's password under the running program, and then the file that holds it. What
// comes in between is refused with a status that makes senders try again, and nothing needs a reload.
func TestPostgresPasswordReplaced(t *testing.T) {
	t.Parallel()
	postgres := servers.Postgres(t)
	dsn := postgres.Locked("replaced", "ann", "first-word")
	dir := t.TempDir()
	file := filepath.Join(dir, "dsn")
	require.NoError(t, os.WriteFile(file, []byte(dsn), 0o600))
	m := servers.Meantime(t, servers.MeantimeOptions{Config: fmt.Sprintf("%sstore: {dsn_file: %q}\n", config, file), Dir: dir})
	m.Must(http.MethodPost, "/webhook/alertmanager", servers.Notification(servers.Firing("Before", "shop", time.Now())))

	postgres.SetPassword("ann", "second-word")
	servers.Eventually(t, soon, func() error { return unready(m) })
	status, _, err := m.Do(http.MethodPost, "/webhook/alertmanager", servers.Notification(servers.Firing("Between", "shop", time.Now())))
	require.NoError(t, err)
	require.Equal(t, 5, status/100, "Alertmanager sends it again")

	require.NoError(t, os.WriteFile(file+".new", []byte(strings.Replace(dsn, "first-word", "second-word", 1)), 0o600))
	require.NoError(t, os.Rename(file+".new", file))
	servers.Eventually(t, soon, func() error { return ready(m) })
	m.Must(http.MethodPost, "/webhook/alertmanager", servers.Notification(servers.Firing("After", "shop", time.Now())))
	requireEpisodes(t, m, map[string]bool{"Before": true, "After": true})
	require.NotRegexp(t, "(first|second)-word", m.Log())
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
