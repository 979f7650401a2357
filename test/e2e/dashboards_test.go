package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// idle are the parts of queries that have nothing to show as long as all is well.
var idle = []string{
	`meantime_store_operations_total{job=~".+",instance=~".+",outcome!="ok"}`, // no operation of the store fails here
	`outcome="suggested"`, // no alert is in doubt here
	`ALERTS_FOR_STATE`,    // this Prometheus has no rules
	`) < max by`,          // no two incidents began at one point of the axis
}

// TestDashboards has the real Prometheus scrape a Meantime with some history, and asks it every query of every
// dashboard: each returns data.
func TestDashboards(t *testing.T) {
	// Prometheus has a rule for the alerts, so that Meantime can learn how long they were pending.
	address := servers.Address(t)
	prometheus := servers.Prometheus(t, servers.PrometheusOptions{
		Targets: map[string]string{"meantime": address},
		Rules:   "groups: [{name: test, rules: [{alert: CheckoutErrors, expr: vector(0) > 1, for: 2m}]}]",
	})
	m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Dir: recordsDir(t), Config: `
prometheus: {url: "` + prometheus.URL + `"}
sources: [{name: files, type: file, dir: records, interval: 1s}]
windows: [90d]
objectives: [{severity: critical, interval: resolve, within: 1h}]
watchdogs: [{matchers: ['alertname="Watchdog"'], every: 5m}]
correlate:
  open: {matchers: ['alertname="SearchDown"'], group_by: [service], quiet: 1s}
`})

	now := time.Now().UTC().Truncate(time.Second)
	for i := range 60 {
		at := now.Add(-time.Duration(i+1) * 24 * time.Hour)
		m.Must("PUT", fmt.Sprintf("/api/v1/records/ours/%d", i), map[string]any{
			"title": "Checkout answers with errors", "services": []string{"checkout"}, "severity": "critical", "state": "resolved",
			"milestones": map[string]any{
				"started": at, "detected": at.Add(5 * time.Minute), "acknowledged": at.Add(7 * time.Minute), "identified": at.Add(20 * time.Minute),
				"mitigated": at.Add(30 * time.Minute), "resolved": at.Add(time.Duration(40+i) * time.Minute),
			},
		})
		a := firing("CheckoutErrors", "checkout", at.Add(4*time.Minute))
		m.Must("POST", "/webhook/alertmanager", notification(a.resolved(at.Add(30*time.Minute))))
	}
	m.Must("POST", "/webhook/alertmanager", notification(firing("Watchdog", "", now)))
	// One incident of each status besides recorded.
	for id, r := range map[string]map[string]any{
		"pending":        {"state": "open", "milestones": map[string]any{"started": now.Add(-time.Hour)}},
		"missing":        {"state": "resolved", "milestones": map[string]any{"started": now.Add(-2 * time.Hour)}},
		"invalid":        {"state": "resolved", "milestones": map[string]any{"started": now.Add(-3 * time.Hour), "resolved": now.Add(-4 * time.Hour)}},
		"not_applicable": {"state": "resolved", "kind": "drill", "milestones": map[string]any{"started": now.Add(-5 * time.Hour)}},
	} {
		r["title"], r["services"], r["severity"] = id, []string{"checkout"}, "critical"
		m.Must("PUT", "/api/v1/records/ours/"+id, r)
	}

	queries := dashboardQueries(t)
	require.Greater(t, len(queries), 100)
	round := 0
	servers.Eventually(t, 2*time.Minute, func() error {
		// Something of everything goes on.
		round++
		fired := now.Add(-time.Duration(round) * time.Minute)
		m.Must("POST", "/webhook/alertmanager", notification(
			firing("Noise", "checkout", fired.Add(-12*time.Hour)).resolved(fired.Add(-12*time.Hour+time.Minute)),
			firing("SearchDown", "search", fired).resolved(fired.Add(time.Minute)),
			alert{Status: "firing"}, // refused
		))
		m.Must("POST", "/webhook/alertmanager/events", event(fired))
		m.Must("GET", "/api/v1/incidents", nil)
		if _, _, err := m.Do("POST", "/webhook/alertmanager", "no JSON"); err != nil {
			return err
		}

		var empty []query
		for _, q := range queries {
			v, err := prometheus.Query(q.expr, time.Time{})
			if err != nil {
				t.Fatalf("%s: %v", q.place, err)
			}
			if len(v) == 0 {
				empty = append(empty, q)
			}
		}
		if queries = empty; len(queries) > 0 {
			return fmt.Errorf("%d queries return nothing: %s", len(queries), queries)
		}
		return nil
	})
}

// event is one of the event recorder: an alert was created.
func event(at time.Time) map[string]any {
	return map[string]any{
		"@timestamp": at, "instance": "alertmanager.example.org",
		"data": map[string]any{"alertCreated": map[string]any{"alert": map[string]any{
			"startsAt": at,
			"labels": map[string]any{"labels": []any{
				map[string]string{"key": "alertname", "value": "Recorded"}, map[string]string{"key": "service", "value": "search"},
			}},
		}}},
	}
}

type query struct{ place, expr string }

func (q query) String() string { return "\n" + q.place + ": " + q.expr }

// dashboardQueries lists every query of every dashboard, with All chosen for the services and severities and with one.
func dashboardQueries(t *testing.T) []query {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(servers.Root(t), "dashboards", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var out []query
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		var dashboard struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(text, &dashboard))
		for _, p := range dashboard.Panels {
			for _, x := range p.Targets {
				for _, chosen := range [][2]string{{"^$", "^$"}, {"checkout", "critical"}} {
					fill := strings.NewReplacer("$service", chosen[0], "$severity", chosen[1], "$window", "90d", "$measured", "resolve",
						"$job", ".+", "$instance", ".+", "$__rate_interval", "5s", "$__interval_ms", "7776000000")
					expr := fill.Replace(x.Expr)
					waits := slices.ContainsFunc(idle, func(part string) bool { return strings.Contains(expr, part) })
					if !waits && (len(out) == 0 || out[len(out)-1].expr != expr) {
						out = append(out, query{filepath.Base(f) + "/" + p.Title, expr})
					}
				}
			}
		}
	}
	return out
}
