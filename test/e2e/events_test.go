package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// groupWait is how long the Alertmanager of TestEvents waits before it notifies of a new group.
const groupWait = 5 * time.Second

// TestEvents has a real Alertmanager with its event recorder on, and no other way to hear of an alert that it muted: one that is
// inhibited and one that is silenced are seen, with the time; notify is group_wait; and once Prometheus dies its
// watchdog falls silent, which opens a blind stretch.
func TestEvents(t *testing.T) {
	t.Parallel()
	address := servers.Address(t)
	alertmanager := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: servers.NewAlertmanager, Events: "x", Config: fmt.Sprintf(`
route:
  receiver: meantime
  group_by: [alertname]
  group_wait: %s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - {matchers: ['alertname="Watchdog"'], receiver: watchdog, group_wait: 0s, group_interval: 1s, repeat_interval: 1s}
inhibit_rules:
  - {source_matchers: ['alertname="DatabaseDown"'], target_matchers: ['alertname="CheckoutSlow"']}
receivers:
  - {name: meantime, webhook_configs: [{url: "http://%s/webhook/alertmanager"}]}
  - {name: watchdog, webhook_configs: [{url: "http://%s/webhook/alertmanager", send_resolved: false}]}
event_recorder: {webhook_outputs: [{url: "http://%s/webhook/alertmanager/events"}]}
`, groupWait, address, address, address)})
	m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: `
windows: [1d]
sources: []
correlate: {open: {matchers: ['severity="critical"'], quiet: 1s}}
watchdogs: [{matchers: ['alertname="Watchdog"'], every: 10s}]
`})
	silence(t, alertmanager.URL, "DiskFull")
	prometheus := servers.Prometheus(t, servers.PrometheusOptions{
		// A Prometheus that has just started takes some seconds to find its Alertmanagers; things break after that.
		Alertmanagers: []string{strings.TrimPrefix(alertmanager.URL, "http://")}, Rules: strings.ReplaceAll(`
groups:
  - name: test
    rules:
      - {alert: Watchdog, expr: vector(1)}
      - {alert: DatabaseDown, expr: broken, labels: {service: db, severity: critical}}
      - {alert: CheckoutSlow, expr: broken, labels: {service: checkout, severity: warning}}
      - {alert: DiskFull, expr: broken, labels: {service: db, severity: warning}}
`, "broken", fmt.Sprintf("vector(time()) > %d", time.Now().Add(12*time.Second).Unix()))})

	servers.Eventually(t, soon, func() error {
		seen, err := episodes(m)
		if err != nil {
			return err
		}
		of := map[string]episode{}
		for _, e := range seen {
			of[e.Labels["alertname"]] = e
		}
		switch {
		case of["DatabaseDown"].NotifiedAt.IsZero():
			return fmt.Errorf("nobody was notified of DatabaseDown: %+v", seen)
		case of["CheckoutSlow"].InhibitedAt.IsZero() || !of["CheckoutSlow"].NotifiedAt.IsZero():
			return fmt.Errorf("CheckoutSlow is not inhibited: %+v", of["CheckoutSlow"])
		case of["DiskFull"].SilencedAt.IsZero() || !of["DiskFull"].NotifiedAt.IsZero():
			return fmt.Errorf("DiskFull is not silenced: %+v", of["DiskFull"])
		}
		return nil
	})

	servers.Eventually(t, soon, func() error {
		all, err := incidents(m)
		if err != nil {
			return err
		}
		if len(all) != 1 {
			return fmt.Errorf("there are %d incidents: %+v", len(all), all)
		}
		notify := all[0].Measurements["notify"]
		if notify.Status != "recorded" {
			return fmt.Errorf("notify is %+v", notify)
		}
		// Alertmanager counts group_wait from when it has the alert, a moment after Prometheus says it fires.
		require.InDelta(t, groupWait.Seconds(), *notify.Seconds, 3)
		return nil
	})

	blind := func() string {
		return scrape(t, m, func(string) bool { return true })[`meantime_blind_seconds{window="1d"}`]
	}
	require.Equal(t, "0", blind(), "the watchdog fires")
	prometheus.Kill()
	servers.Eventually(t, soon, func() error {
		if b := blind(); b == "0" || b == "" {
			return fmt.Errorf("meantime_blind_seconds is %q", b)
		}
		return nil
	})
	// What is detected now is marked: that no alert caught it tells nothing of the alerts.
	m.Must("PUT", "/api/v1/records/ours/1", map[string]any{
		"title": "Search is down", "services": []string{"search"}, "state": "resolved", "detected_by": "customer",
		"milestones": map[string]any{"started": time.Now().UTC(), "detected": time.Now().UTC(), "resolved": time.Now().UTC()},
	})
	servers.Eventually(t, soon, func() error {
		var in struct{ Incidents []struct{ Blind bool } }
		if err := json.Unmarshal(m.Must("GET", "/api/v1/incidents?service=search", nil), &in); err != nil {
			return err
		}
		if len(in.Incidents) != 1 || !in.Incidents[0].Blind {
			return fmt.Errorf("not marked: %+v", in.Incidents)
		}
		return nil
	})
}

// silence mutes an alert by name, through Alertmanager's API.
func silence(t *testing.T, url, alertname string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"matchers": []any{map[string]any{"name": "alertname", "value": alertname, "isRegex": false, "isEqual": true}},
		"startsAt": time.Now().UTC(), "endsAt": time.Now().UTC().Add(time.Hour), "createdBy": "ada", "comment": "known",
	})
	require.NoError(t, err)
	resp, err := http.Post(url+"/api/v2/silences", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
