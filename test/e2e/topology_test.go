package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// calls is what exporters would have shown for some days: a counter for each series that grows by as much every minute.
func calls(t *testing.T, from, to time.Time, series map[string]float64) (data string) {
	t.Helper()
	var text strings.Builder
	families := map[string]bool{}
	for name := range series {
		family, _, _ := strings.Cut(name, "{")
		families[family] = true
	}
	for family := range families { // OpenMetrics names the counter without its ending
		fmt.Fprintf(&text, "# TYPE %s counter\n", strings.TrimSuffix(family, "_total"))
		for name, rate := range series {
			if !strings.HasPrefix(name, family+"{") {
				continue
			}
			for at, n := from, 0.0; at.Before(to); at, n = at.Add(time.Minute), n+rate {
				fmt.Fprintf(&text, "%s %g %d\n", name, n, at.Unix())
			}
		}
	}
	text.WriteString("# EOF\n")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "calls.om"), []byte(text.String()), 0o600))
	said, ok := servers.Promtool(t, "", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=486h", filepath.Join(dir, "calls.om"), filepath.Join(dir, "data"))
	require.True(t, ok, said)
	return filepath.Join(dir, "data")
}

// TestTopology shows that what a Prometheus counts of calls between services ties their alerts to incidents, that the page and the API
// say so, and that none of it is asked for where that is turned off.
func TestTopology(t *testing.T) {
	t.Parallel()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	prometheus := servers.Prometheus(t, servers.PrometheusOptions{Data: calls(t, today.AddDate(0, 0, -3), today, map[string]float64{
		`traces_service_graph_request_total{client="cart",server="orders-db",connection_type="database",instance="a"}`: 1,
		`traces_service_graph_request_total{client="user",server="cart",connection_type="virtual_node",instance="a"}`:  1,
		`istio_requests_total{reporter="destination",source_workload="cart",destination_workload="orders-db"}`:         2,
		`istio_requests_total{reporter="source",source_workload="cart",destination_workload="orders-db"}`:              2,
		`istio_requests_total{reporter="source",source_workload="web",destination_workload="cart"}`:                    3,
		`request_total{direction="inbound",deployment="mail",namespace="shop"}`:                                        4,
	})})
	const config = `
sources: []
prometheuses: [{name: eu, url: %q, history: 0s, topology: %v}]
correlate:
  open: {matchers: []}
  dependencies: [{service: web, needs: [search]}]
`
	start := func(topology bool) *servers.MeantimeServer {
		m := servers.Meantime(t, servers.MeantimeOptions{Config: fmt.Sprintf(config, prometheus.URL, topology)})
		now := time.Now().UTC().Truncate(time.Second)
		at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
		m.Must("PUT", "/api/v1/records/ours/1", map[string]any{
			"title": "Orders are slow", "services": []string{"orders-db"}, "state": "resolved",
			"milestones": map[string]any{"started": at(-240), "mitigated": at(0), "resolved": at(0)},
		})
		cart := servers.Firing("CartErrors", "cart", at(-180))
		cart.Labels["severity"] = "warning"
		m.Must("POST", "/webhook/alertmanager", servers.Notification(servers.Firing("DBDown", "orders-db", at(-239)), cart.Resolved(at(-170))))
		return m
	}
	outcome := func(m *servers.MeantimeServer, want string) {
		t.Helper()
		servers.Eventually(t, soon, func() error {
			list, err := servers.List[struct {
				Labels  map[string]string
				Outcome string
			}](m, "episodes")
			if err != nil {
				return err
			}
			for _, e := range list {
				if e.Labels["alertname"] == "CartErrors" && e.Outcome == want {
					return nil
				}
			}
			return fmt.Errorf("CartErrors is not %s in %v", want, list)
		})
	}
	with, without := start(true), start(false)
	outcome(with, "linked")
	outcome(without, "none")

	type dependency struct {
		Service, Needs, Source, Via string
		Days                        int
		Counts, Outranked           bool
	}
	dependencies := func(m *servers.MeantimeServer) (out []dependency) {
		t.Helper()
		var got struct{ Dependencies []dependency }
		require.NoError(t, m.Get("/api/v1/dependencies", &got))
		return got.Dependencies
	}
	written := dependency{Service: "web", Needs: "search", Counts: true}
	require.Equal(t, []dependency{
		{Service: "cart", Needs: "orders-db", Source: "prometheus/eu", Via: "istio", Days: 3, Counts: true},
		{Service: "web", Needs: "cart", Source: "prometheus/eu", Via: "istio", Days: 3, Outranked: true},
		written,
	}, dependencies(with))
	require.Equal(t, []dependency{written}, dependencies(without))
	page := string(with.Must("GET", "/services", nil))
	for _, want := range []string{"orders-db", "Istio", "no, the configuration says otherwise", today.AddDate(0, 0, -1).Format(time.DateOnly)} {
		require.Contains(t, page, want)
	}

	// After a restart the same is known at once, and nobody is asked again.
	prometheus.Stop()
	with.Stop()
	with.Restart()
	outcome(with, "linked")
	require.Len(t, dependencies(with), 3)
}
