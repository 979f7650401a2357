package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// say posts an alert to Alertmanager as Prometheus does: firing until a forecast, or ended.
func say(t testing.TB, am *servers.AlertmanagerServer, name string, start, end time.Time) {
	t.Helper()
	body, err := json.Marshal([]any{map[string]any{
		"labels": map[string]string{"alertname": name, "service": "edge", "severity": "critical"}, "startsAt": start, "endsAt": end,
	}})
	require.NoError(t, err)
	servers.Eventually(t, soon, func() error { // it may have been started a moment ago
		resp, err := http.Post(am.URL+"/api/v2/alerts", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", resp.Status)
		}
		return nil
	})
}

// counted is how many resolve intervals the histogram since ever holds.
func counted(t testing.TB, m *servers.MeantimeServer) (n float64) {
	t.Helper()
	e, err := servers.Scrape(m.URL)
	require.NoError(t, err)
	for series, v := range e {
		if strings.HasPrefix(series, "meantime_interval_duration_seconds_count") && strings.Contains(series, `interval="resolve"`) {
			var x float64
			_, err := fmt.Sscan(v, &x)
			require.NoError(t, err)
			n += x
		}
	}
	return n
}

// TestEnds lets real Alertmanagers leave ends untold: seconds stand for hours.
func TestEnds(t *testing.T) {
	for _, version := range []servers.AlertmanagerVersion{servers.OldAlertmanager, servers.NewAlertmanager} {
		// one is the one incident there is once it is as wanted.
		one := func(t *testing.T, m *servers.MeantimeServer, wanted func(*incident) error) (in incident) {
			t.Helper()
			servers.Eventually(t, soon, func() error {
				list, err := incidents(m)
				if err != nil {
					return err
				}
				if len(list) != 1 {
					return fmt.Errorf("%d incidents", len(list))
				}
				in = list[0]
				return wanted(&in)
			})
			return in
		}
		run := func(t *testing.T, repeat, sendResolved, expire string) (*servers.MeantimeServer, servers.AlertmanagerOptions) {
			m := servers.Meantime(t, servers.MeantimeOptions{Config: fmt.Sprintf(
				"windows: [1d]\nsources: []\ncorrelate: {expire_after: %s, open: {matchers: ['severity=\"critical\"'], quiet: 1s, reopen_within: 1m}}\n", expire)})
			return m, servers.AlertmanagerOptions{Version: version, Config: fmt.Sprintf(
				`{route: {receiver: meantime, group_by: [namespace], group_wait: 1s, group_interval: 1s, repeat_interval: %s}, receivers: [{name: meantime, webhook_configs: [{url: %q, send_resolved: %s}]}]}`,
				repeat, m.URL+"/webhook/alertmanager", sendResolved)}
		}
		is := func(interval, status string) func(*incident) error {
			return func(in *incident) error {
				if got := in.Measurements[interval].Status; got != status {
					return fmt.Errorf("%s is %s, not %s; state %s", interval, got, status, in.State)
				}
				return nil
			}
		}

		t.Run(version.String()+": repeated every 12h", func(t *testing.T) {
			t.Parallel()
			m, o := run(t, "12s", "true", "25s")
			am := servers.Alertmanager(t, o)
			start := time.Now().UTC().Truncate(time.Millisecond)
			say(t, am, "ApiErrors", start, start.Add(time.Hour))
			one(t, m, is("resolve", "pending"))
			began := time.Now()
			servers.Eventually(t, soon, func() error { // past a repeat, and well past what was taken for an end
				list, err := incidents(m)
				if err != nil {
					return err
				}
				require.Len(t, list, 1)
				require.Equal(t, "open", list[0].State)
				require.Zero(t, counted(t, m), "an end that nobody told was counted")
				if since := time.Since(began); since < 27*time.Second {
					return fmt.Errorf("only %s have passed", since)
				}
				return nil
			})
			end := time.Now().UTC().Truncate(time.Millisecond)
			say(t, am, "ApiErrors", start, end)
			in := one(t, m, is("resolve", "recorded"))
			require.Equal(t, recorded(end.Sub(start)), in.Measurements["resolve"])
		})
		t.Run(version.String()+": resolved is not sent", func(t *testing.T) {
			t.Parallel()
			m, o := run(t, "1h", "false", "4s")
			am := servers.Alertmanager(t, o)
			start := time.Now().UTC().Truncate(time.Millisecond)
			say(t, am, "ApiErrors", start, start.Add(time.Hour))
			one(t, m, is("resolve", "pending"))
			say(t, am, "ApiErrors", start, time.Now().UTC())
			in := one(t, m, is("resolve", "missing"))
			require.Equal(t, "resolved", in.State)
			require.Equal(t, "missing", in.Measurements["mitigate"].Status)
			require.Zero(t, counted(t, m))
			e, err := servers.Scrape(m.URL)
			require.NoError(t, err)
			require.Equal(t, "1", e[`meantime_episodes_ended{how="expired"}`])
		})
		t.Run(version.String()+": Alertmanager starts anew", func(t *testing.T) {
			t.Parallel()
			m, o := run(t, "1h", "true", "25h")
			am := servers.Alertmanager(t, o)
			start := time.Now().UTC().Truncate(time.Millisecond)
			say(t, am, "ApiErrors", start, start.Add(time.Hour))
			one(t, m, is("resolve", "pending"))
			require.NoError(t, am.Stop())
			am = servers.Alertmanager(t, o) // it knows nothing of the alert until it is sent again
			say(t, am, "ApiErrors", start, start.Add(time.Hour))
			one(t, m, is("resolve", "pending"))
			end := time.Now().UTC().Truncate(time.Millisecond).Add(2 * time.Second) // after it has notified
			time.Sleep(time.Until(end))
			say(t, am, "ApiErrors", start, end)
			in := one(t, m, is("resolve", "recorded"))
			require.Equal(t, recorded(end.Sub(start)), in.Measurements["resolve"])
			require.Len(t, in.linked(), 1)
		})
	}
}

// TestPrometheusRestarted restarts a real Prometheus while an alert fires. What it sends then comes after the time until which
// its last word was good, as it does where discovery takes its time: a real Alertmanager tells resolved, and then firing with the
// same start. The alert fires on, in one episode, and ends when it does. Alertmanager's list shows at once that it goes on;
// without one, the latest end counts.
func TestPrometheusRestarted(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]servers.AlertmanagerVersion{"asked": servers.NewAlertmanager, "not asked": servers.OldAlertmanager} {
		t.Run(version.String()+", "+name, func(t *testing.T) {
			t.Parallel()
			restartPrometheus(t, version, name == "asked")
		})
	}
}

func restartPrometheus(t *testing.T, version servers.AlertmanagerVersion, asked bool) {
	address := servers.Address(t)
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: version, Webhook: "http://" + address + "/webhook/alertmanager"})
	config := "windows: [1d]\nsources: []\ncorrelate: {open: {matchers: ['severity=\"critical\"'], quiet: 1s}}\n"
	if asked {
		config += fmt.Sprintf("alertmanagers: [{url: %q, reconcile_every: 1s}]\n", am.URL)
	}
	m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: config})
	var broken, held atomic.Bool
	broken.Store(true)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			_, _ = fmt.Fprintln(w, "broken 1")
		}
		_, _ = fmt.Fprintln(w, "answers 1")
	}))
	t.Cleanup(target.Close)
	gate, _ := front(t, func(*http.Request) string {
		if held.Load() {
			return "" // what fails is not sent again, only what comes next
		}
		return am.URL
	})
	o := servers.PrometheusOptions{
		Targets: map[string][]string{"shop": {strings.TrimPrefix(target.URL, "http://")}}, Alertmanagers: []string{strings.TrimPrefix(gate, "http://")},
		Data: t.TempDir(), Resend: "6s", // so what it sends is good for 24 s, within which it must be back
		Rules: "groups: [{name: test, rules: [{alert: ShopDown, expr: broken == 1, labels: {service: shop, severity: critical}}]}]\n",
	}
	// the is the one episode there is, once it is as wanted.
	the := func(what string, wanted func(e *episode) bool) (out episode) {
		t.Helper()
		servers.Eventually(t, 2*soon, func() error {
			seen, err := episodes(m)
			if err != nil {
				return err
			}
			if len(seen) != 1 || !wanted(&seen[0]) {
				return fmt.Errorf("not %s: %+v", what, seen)
			}
			out = seen[0]
			return nil
		})
		return out
	}
	firing := func(e *episode) bool { return e.EndsAt.IsZero() }

	prometheus := servers.Prometheus(t, o)
	first := the("firing", firing)
	held.Store(true)
	require.NoError(t, prometheus.Stop())
	prometheus = servers.Prometheus(t, o)
	early := the("told to be resolved", func(e *episode) bool { return !e.EndsAt.IsZero() })
	require.Equal(t, first.StartsAt, early.StartsAt)
	held.Store(false)
	if asked {
		again := the("firing again", firing)
		require.Equal(t, first.StartsAt, again.StartsAt, "it is the same one")
	} else { // as Alertmanager itself has it
		servers.Eventually(t, soon, func() error {
			n, err := listed(am)
			if n == 0 {
				return fmt.Errorf("Alertmanager lists none: %w", err)
			}
			return err
		})
	}

	fixed := time.Now()
	broken.Store(false)
	last := the("resolved later", func(e *episode) bool { return e.EndsAt.After(fixed.Add(-time.Second)) })
	require.Equal(t, first.StartsAt, last.StartsAt)
	servers.Eventually(t, soon, func() error {
		list, err := incidents(m)
		if err != nil {
			return err
		}
		if want := recorded(last.EndsAt.Sub(last.StartsAt)); len(list) != 1 || list[0].Measurements["resolve"].String() != want.String() {
			return fmt.Errorf("not one incident of %s: %+v", want, list)
		}
		return nil
	})
	require.NoError(t, prometheus.Stop())
}

// listed is how many alerts an Alertmanager lists as firing.
func listed(am *servers.AlertmanagerServer) (int, error) {
	resp, err := http.Get(am.URL + "/api/v2/alerts")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var all []json.RawMessage
	err = json.NewDecoder(resp.Body).Decode(&all)
	return len(all), err
}
