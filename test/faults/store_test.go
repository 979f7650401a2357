package faults

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestCopyKilled moves a store from SQLite to PostgreSQL with a program that is killed again and again. No Meantime starts
// on a part of a copy; the last run completes it, and a Meantime on it answers as the original did.
func TestCopyKilled(t *testing.T) {
	t.Parallel()
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config})
	bodies := some("A", 1500)
	for i := range 30 {
		start := time.Now().UTC().Truncate(time.Second).Add(-time.Duration(i+1) * 20 * time.Hour)
		m.Must("PUT", fmt.Sprint("/api/v1/records/ours/", i), map[string]any{
			"id": fmt.Sprint(i), "title": fmt.Sprint("Incident ", i), "services": []string{"checkout"}, "state": "resolved",
			"milestones": map[string]any{"started": start, "detected": start.Add(time.Minute), "resolved": start.Add(time.Hour)},
		})
	}
	s := send(t, m, 32, bodies)
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	want := m.Must(http.MethodGet, "/api/v1/incidents?limit=500", nil)
	require.NoError(t, m.Stop())

	postgres := servers.Postgres(t)
	var dsn string
	var args []string
	for try := 0; ; try++ { // it may be done before it can be killed
		require.Less(t, try, 20, "it was never killed in the middle")
		dsn = postgres.Database(fmt.Sprint("try", try))
		args = []string{"copy", "--from=sqlite:" + m.Database(), "--to=" + dsn}
		if killedAfter(t, m.Dir, args, "table=sightings") {
			break
		}
	}
	for _, table := range []string{"records", "silences", "incidents", "verdicts"} {
		status, output := servers.MeantimeFails(t, servers.MeantimeOptions{DSN: dsn})
		require.Equal(t, 1, status, output)
		require.Contains(t, output, "holds a part of a copy of "+m.Database())
		if !killedAfter(t, m.Dir, args, "table="+table) {
			break
		}
	}
	if status, output := servers.MeantimeRun(t, m.Dir, args...); status == 0 {
		require.Regexp(t, `(?m)^sightings +1500 `, output)
	} else {
		require.Contains(t, output, "is not empty") // the last one was done before it was killed
	}
	moved := servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: dsn})
	require.JSONEq(t, string(want), string(moved.Must(http.MethodGet, "/api/v1/incidents?limit=500", nil)))
	requireEpisodes(t, moved, namesOf(bodies))
	require.NoError(t, moved.Stop())
}

// killedAfter runs a copy and kills it once it has written down some words; false where it was done before.
func killedAfter(t *testing.T, dir string, args []string, words string) bool {
	p := servers.MeantimeCommand(t, dir, args...)
	for deadline := time.Now().Add(soon); !strings.Contains(p.Log(), words) && !strings.Contains(p.Log(), "checksum of both"); {
		require.True(t, time.Now().Before(deadline), "it does not come to %s", words)
		require.NotContains(t, p.Log(), "meantime: ", "it has failed")
		time.Sleep(time.Millisecond)
	}
	p.Kill()
	return !strings.Contains(p.Log(), "checksum of both")
}

// TestRetention starts Meantime on a store with alerts older than they are kept for. Those of no incident go, and those of
// an incident stay as long as it does.
func TestRetention(t *testing.T) {
	const none = "correlate: {open: {matchers: []}}\n" // every one of the old alerts would open an incident, and stay
	dir := t.TempDir()
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config + none, Dir: dir})
	start := time.Now().UTC().Truncate(time.Second).Add(-200 * 24 * time.Hour)
	m.Must("PUT", "/api/v1/records/ours/1", map[string]any{
		"id": "1", "title": "Checkout is slow", "services": []string{"checkout"}, "severity": "critical", "state": "resolved",
		"milestones": map[string]any{"started": start, "detected": start.Add(time.Minute), "resolved": start.Add(time.Hour)},
	})
	var list []servers.Alert
	for i := range 700 { // more than goes in one step
		old := start.Add(-time.Duration(i+10) * time.Hour)
		list = append(list, firing(fmt.Sprint("Old", i), old).Resolved(old.Add(time.Minute)))
	}
	list = append(list,
		firing("Needed", start.Add(time.Minute)).Resolved(start.Add(30*time.Minute)),
		firing("New", time.Now().Add(-time.Hour)).Resolved(time.Now().Add(-time.Minute)))
	m.Must("POST", "/webhook/alertmanager", servers.Notification(list...))
	requireEpisodes(t, m, map[string]bool{"Old0": true, "Old699": true, "Needed": true, "New": true})
	want := m.Must(http.MethodGet, "/api/v1/incidents", nil)
	require.Contains(t, string(want), `"Needed"`)
	require.NoError(t, m.Stop())

	m = servers.Meantime(t,
		servers.MeantimeOptions{Dir: dir, Config: "windows: [7d]\nsources: []\nstore: {retention: {episodes: 30d}}\n" + none})
	servers.Eventually(t, soon, func() error {
		all, err := episodes(m)
		if err == nil && len(all) != 2 {
			err = fmt.Errorf("%d episodes are left", len(all))
		}
		return err
	})
	requireEpisodes(t, m, map[string]bool{"Needed": true, "New": true})
	require.JSONEq(t, string(want), string(m.Must(http.MethodGet, "/api/v1/incidents", nil)))
	require.NoError(t, m.Stop())
}
