package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// The configurations of deploy/compose, with real servers at other addresses and a shop in a hurry: it breaks, an alert fires
// and resolves, and there is an incident with its times.
func TestComposeStack(t *testing.T) {
	dir := filepath.Join(servers.Root(t), "deploy/compose")
	read := func(name string, instead ...string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		for i := 0; i < len(instead); i += 2 {
			require.Contains(t, string(text), instead[i], "%s: what this test sets otherwise is there", name)
		}
		return strings.NewReplacer(instead...).Replace(string(text))
	}
	for _, check := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "--lint=all", "--lint-fatal", "shop.rules.yml"}} {
		check[len(check)-1] = filepath.Join(dir, check[len(check)-1])
		said, ok := servers.Promtool(t, "", check...)
		require.True(t, ok, said)
	}

	shop := filepath.Join(t.TempDir(), "shop")
	run(t, servers.Root(t), "go", "build", "-o", shop, "./deploy/compose/shop")
	shopAddress, meantimeAddress := servers.Address(t), servers.Address(t)
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: servers.NewAlertmanager, Config: read("alertmanager.yml",
		"meantime:10049", meantimeAddress, "group_wait: 5s", "group_wait: 1s", "group_interval: 30s", "group_interval: 1s")})
	prometheus := servers.Prometheus(t, servers.PrometheusOptions{
		Targets:       map[string][]string{"shop": {shopAddress}, "meantime": {meantimeAddress}},
		Alertmanagers: []string{strings.TrimPrefix(am.URL, "http://")},
		Rules:         read("shop.rules.yml", "[1m]", "[5s]", "for: 30s", "for: 2s"),
	})
	m := servers.Meantime(t, servers.MeantimeOptions{Address: meantimeAddress, Config: read("meantime.yml",
		"http://alertmanager:9093", am.URL, "http://prometheus:9090", prometheus.URL,
		"/etc/meantime/incidents", filepath.Join(servers.Root(t), "examples/incidents"), "quiet: 1m", "quiet: 1s")})

	// It breaks when everybody listens, and for long enough that a busy machine sees it.
	cmd := exec.CommandContext(t.Context(), shop, "--listen="+shopAddress, "--first=10s", "--every=1h", "--for=30s")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context ended it

	type found struct {
		State, Severity string
		Services        []string
		Milestones      map[string]any
	}
	servers.Eventually(t, 3*time.Minute, func() error {
		incidents, err := servers.List[found](m, "incidents")
		if err != nil {
			return err
		}
		for _, i := range incidents {
			if len(i.Services) == 1 && i.Services[0] == "checkout" && i.State == "resolved" {
				return nil
			}
		}
		return fmt.Errorf("no incident of checkout is over among %+v", incidents)
	})
	servers.Eventually(t, time.Minute, func() error {
		metrics := string(m.Must("GET", "/metrics", nil))
		for _, want := range []string{
			`meantime_interval_mean_seconds{affected_service="checkout",interval="resolve",severity="critical",window="1d"}`,
			`meantime_interval_mean_seconds{affected_service="checkout",interval="detect",severity="critical",window="1d"}`,
			`meantime_watchdog_last_seen_timestamp_seconds{`,
		} {
			if !strings.Contains(metrics, want) {
				return fmt.Errorf("%s is missing", want)
			}
		}
		return nil
	})
}
