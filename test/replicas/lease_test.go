package replicas

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store/sqlstore"
	"meantime/test/servers"
)

// everything is how many incidents of records the window holds.
const everything = `meantime_measurements{affected_service="checkout",interval="resolve",severity="",status="recorded",window="90d"}`

// TestReplicas has three replicas on one database, and takes the lease from each in another way.
func TestReplicas(t *testing.T) {
	c := newCrowd(t, 3, `
windows: [90d]
sources: []
watchdogs: [{matchers: ['alertname="Watchdog"'], every: 1h}]
correlate: {open: {matchers: ['severity="critical"'], group_by: [service], quiet: 10m}}
`)
	start := time.Now().UTC().Add(-60 * 24 * time.Hour).Truncate(time.Second)
	records := 0
	// put stores one more record through a replica.
	record := func() (path string, body map[string]any) {
		records++
		at := start.Add(time.Duration(records) * 12 * time.Hour) // too far apart to be one incident
		return fmt.Sprintf("/api/v1/records/ours/%d", records), map[string]any{
			"title": "Checkout answers with errors", "services": []string{"checkout", fmt.Sprint("service", records%3)}, "severity": "critical",
			"state": "resolved", "detected_by": "staff",
			"milestones": map[string]any{"started": at, "detected": at.Add(5 * time.Minute), "resolved": at.Add(time.Duration(10+records) * time.Minute)},
			"impacts":    []any{map[string]any{"from": at, "to": at.Add(8 * time.Minute)}},
		}
	}
	put := func(through int) {
		t.Helper()
		path, body := record()
		c.replicas[through].Must(http.MethodPut, path, body)
	}
	shown := func(e servers.Exposition) error {
		if e[everything] != fmt.Sprint(records) {
			return fmt.Errorf("%s is %q, not %d", everything, e[everything], records)
		}
		return nil
	}
	notify := func(through int, alert servers.Alert) {
		t.Helper()
		c.replicas[through].Must("POST", "/webhook/alertmanager", servers.Notification(alert))
	}

	// Each part goes on where the one before it left off.
	part := func(name string, run func(t *testing.T)) {
		if !t.Run(name, run) {
			t.FailNow()
		}
	}
	part("changes through any are seen by all", func(t *testing.T) {
		c.t = t
		c.holder()
		var slowest time.Duration
		for i := range 6 {
			put(i % 3)
			begun := time.Now()
			c.same(soon, shown)
			slowest = max(slowest, time.Since(begun))
		}
		t.Logf("shown by all within %s", slowest.Round(time.Millisecond))

		// Of everything that all show and that is of no one pass: alerts, signs of life, reviews, what postmortems leave open.
		for i := range c.replicas {
			fired := start.Add(-time.Duration(24*i) * time.Hour)
			notify(i, servers.Firing(fmt.Sprint("Search", i), "search", fired).Resolved(fired.Add(20*time.Minute)))
			notify(i, servers.Firing("Watchdog", "search", start))
			c.replicas[i].Must("POST", "/api/v1/reviews", map[string]any{
				"id": fmt.Sprint(i), "by": "ann", "reason": "It was longer", "action": "set_milestone",
				"incident":  incident.RecordID(incident.RecordKey{Source: "ours", ID: fmt.Sprint(i + 1)}),
				"milestone": "resolved", "time": start.Add(time.Duration(i+1)*12*time.Hour + 3*time.Hour),
			})
			c.replicas[i].Must("POST", "/api/v1/postmortems", map[string]any{
				"name": fmt.Sprintf("pm%d.md", i), "document": "# Search was slow\n\nOn 18 July 2024 search was slow.\n\n## Timeline\n\n- 10:05 alerts fired\n",
			})
		}
		c.same(soon, func(e servers.Exposition) error {
			for i := range c.replicas {
				series := fmt.Sprintf(`meantime_alert_episodes{affected_service="",alertname="Search%d",outcome=`, i)
				if !slices.ContainsFunc(slices.Collect(maps.Keys(e)), func(k string) bool { return strings.HasPrefix(k, series) }) {
					return fmt.Errorf("nothing of alert Search%d", i)
				}
			}
			if n := e[`meantime_interval_restatements_total{interval="resolve"}`]; n != "3" {
				return fmt.Errorf("%q restatements", n)
			}
			if e[`meantime_watchdog_last_seen_timestamp_seconds{watchdog="Watchdog"}`] == "" {
				return fmt.Errorf("the watchdog was not heard of")
			}
			for k := range e {
				if strings.HasPrefix(k, "meantime_postmortem_questions{") {
					return nil
				}
			}
			return fmt.Errorf("no questions are counted")
		})
	})

	part("SIGTERM gives the lease up at once", func(t *testing.T) {
		c.t = t
		held := c.holder()
		m := c.replicas[held]
		require.NoError(t, m.Stop())
		// Free, or another's already: not still that of the one that ended.
		s, err := sqlstore.Open(t.Context(), c.dsn, sqlstore.Options{})
		require.NoError(t, err)
		l, err := s.Acquire(t.Context(), "test", time.Millisecond)
		require.NoError(t, err)
		require.NotContains(t, l.Holder, fmt.Sprintf("/%d/", m.Pid()))
		require.NoError(t, s.Release(t.Context(), "test"))
		require.NoError(t, s.Close())
		begun := time.Now()
		next := c.holder(held)
		t.Logf("taken over after %s", time.Since(begun).Round(time.Millisecond))
		put(next)
		m.Restart()
		c.same(soon, shown)
		require.Equal(t, next, c.holder())
	})

	part("kill -9 of the holder", func(t *testing.T) {
		c.t = t
		held := c.holder()
		m := c.replicas[held]
		put(held)
		m.Kill()
		begun := time.Now()
		put((held + 1) % 3) // the others take it meanwhile
		next := c.holder(held)
		t.Logf("taken over after %s", time.Since(begun).Round(time.Millisecond))
		put(next)
		m.Restart()
		c.same(soon, shown)
		require.Equal(t, next, c.holder(), "who comes back follows")
	})

	part("a frozen holder that wakes up late", func(t *testing.T) {
		c.t = t
		held := c.holder()
		m := c.replicas[held]
		put(held)
		m.Signal(syscall.SIGSTOP)
		defer m.Signal(syscall.SIGCONT)
		begun := time.Now()
		next := c.holder(held)
		t.Logf("taken over after %s", time.Since(begun).Round(time.Millisecond))
		for range 20 {
			put(next) // what it would still correlate
		}
		m.Signal(syscall.SIGCONT)
		c.same(soon, shown)
		require.Equal(t, next, c.holder(), "who comes back follows")
		require.Contains(t, m.Log(), "Lost the lease")
	})

	part("the database is gone for a while", func(t *testing.T) {
		c.t = t
		put(0)
		c.postgres.StopAtOnce()
		for i, m := range c.replicas {
			status, body, err := m.Do(http.MethodPut, "/api/v1/records/ours/x", `{"title": "x"}`)
			require.NoError(t, err)
			require.Equal(t, http.StatusServiceUnavailable, status, "replica %d: %s", i, body)
			_, err = servers.Scrape(m.URL)
			require.NoError(t, err, "the figures are still there")
		}
		c.postgres.Restart()
		for i := range c.replicas {
			servers.Eventually(t, soon, func() error {
				status, body, err := c.replicas[i].Do(http.MethodGet, "/-/ready", nil)
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("%d: %s", status, body)
				}
				return err
			})
			// A connection that broke may be found out only when it is used. What is answered 503 is sent again.
			path, body := record()
			servers.Eventually(t, soon, func() error {
				status, answer, err := c.replicas[i].Do(http.MethodPut, path, body)
				if err == nil && status == http.StatusServiceUnavailable {
					err = fmt.Errorf("%d: %s", status, answer)
				}
				require.True(t, err != nil || status < 300, "%d: %s", status, answer)
				return err
			})
		}
		c.holder()
		c.same(soon, shown)
	})
}
