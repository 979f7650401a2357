package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// pastRules fire with what the shop says, at once or after a while. They look back over a short restart, after which Prometheus
// scrapes for the first time five seconds late, and not over a long one.
const pastRules = `
groups:
  - name: shop
    rules:
      - {alert: Broken, expr: 'last_over_time(broken[12s]) > 0', labels: {severity: critical, service: checkout}}
      - {alert: Slow, expr: 'last_over_time(slow[12s]) > 0', for: 3s, labels: {severity: critical, service: search}}
      - {alert: Watched, expr: 'vector(1)', labels: {severity: none}}
`

// shop is a service whose metrics a test sets.
type pastShop struct {
	*httptest.Server
	broken, slow atomic.Int64
}

func newPastShop(t testing.TB) *pastShop {
	s := &pastShop{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "broken %d\nslow %d\n", s.broken.Load(), s.slow.Load())
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *pastShop) address() string { return strings.TrimPrefix(s.URL, "http://") }

// firing waits until Prometheus writes, or writes no more, that an alert fires; what it wrote before does not count.
func firing(t testing.TB, p *servers.PrometheusServer, name string, want bool) {
	t.Helper()
	since := time.Now()
	servers.Eventually(t, soon, func() error {
		v, err := p.Query(`timestamp(ALERTS{alertstate="firing",alertname="`+name+`"})`, time.Time{})
		fires := len(v) > 0 && time.UnixMilli(int64(1000*v[0].Value)).After(since)
		if err == nil && !want {
			fires = len(v) > 0 && time.Since(time.UnixMilli(int64(1000*v[0].Value))) < 3*time.Second
		}
		if err == nil && fires != want {
			err = fmt.Errorf("%s fires: %v", name, fires)
		}
		return err
	})
}

// heardOf waits until a Meantime was told of n episodes of the shop, and whether the last one is over; the latest come first. The
// next step waits for it, because Alertmanager makes one episode of what comes too quickly.
func heardOf(t testing.TB, m *servers.MeantimeServer, n int, over bool) []episode {
	t.Helper()
	var told []episode
	servers.Eventually(t, soon, func() error {
		var err error
		if told, err = episodes(m); err != nil {
			return err
		}
		told = slices.DeleteFunc(told, func(e episode) bool { return e.Labels["alertname"] == "Watched" })
		if len(told) != n || told[0].EndsAt.IsZero() == over {
			err = fmt.Errorf("told %v", told)
		}
		return err
	})
	return told
}

// TestPastOfVictoriaMetrics reads what Prometheus wrote to a VictoriaMetrics, which tells nothing of rules and configuration, and
// a rule that was taken away.
func TestPastOfVictoriaMetrics(t *testing.T) {
	t.Parallel()
	shop := newPastShop(t)
	address := servers.Address(t)
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Config: fmt.Sprintf(`
route: {receiver: meantime, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: meantime, webhook_configs: [{url: 'http://%s/webhook/alertmanager'}]}]
`, address)})
	const config = "windows: [1d]\nsources: []\ncorrelate: {open: {matchers: ['severity=\"critical\"'], group_by: [service]}}\n"
	heard := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: config})
	vm := servers.VictoriaMetrics(t)
	p := servers.Prometheus(t, servers.PrometheusOptions{
		Rules: pastRules, Alertmanagers: []string{am.Address()}, Targets: map[string][]string{"shop": {shop.address()}}, Resend: "3s",
		ExternalLabels: map[string]string{"cluster": "eu"}, RemoteWrite: []string{vm.URL + "/api/v1/write"},
	})
	firing(t, p, "Watched", true)
	for _, x := range []struct {
		set  *atomic.Int64
		name string
	}{{&shop.slow, "Slow"}, {&shop.broken, "Broken"}} {
		x.set.Store(1)
		firing(t, p, x.name, true)
		x.set.Store(0)
		firing(t, p, x.name, false)
	}
	var told []episode
	heardOf := func(n int, over bool) { told = heardOf(t, heard, n, over) }
	heardOf(2, true)
	shop.broken.Store(1)
	firing(t, p, "Broken", true)
	heardOf(3, false)
	p.SetRules(strings.Replace(pastRules, "name: shop", "name: shop\n    interval: 1s", 1)) // the group is made anew, and its alerts with it
	firing(t, p, "Broken", true)
	p.SetRules("groups: []\n")
	firing(t, p, "Broken", false)
	heardOf(3, true)
	time.Sleep(35 * time.Second) // so late may come what others write to it

	read := servers.Meantime(t, servers.MeantimeOptions{Config: config + fmt.Sprintf("prometheuses: [{url: %q, history: 1h}]\n", vm.URL)})
	told[0].EndsAt = time.Time{} // Alertmanager lost its patience; nobody knows whether it ended
	servers.Eventually(t, soon, func() error {
		list, err := episodes(read)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(e episode) bool { return e.Labels["alertname"] == "Watched" })
		if len(list) != len(told) {
			return fmt.Errorf("read %v", list)
		}
		for i, e := range list {
			if e.Fingerprint != told[i].Fingerprint || !e.StartsAt.Equal(told[i].StartsAt) || !e.EndsAt.Equal(told[i].EndsAt) {
				return fmt.Errorf("read %v where was told %v", e, told[i])
			}
		}
		return nil
	})
	var wanted []recordedAlert
	for _, e := range told {
		wanted = append(wanted, alertRecorded(e.Labels["alertname"], e.Fingerprint, e.StartsAt, e.EndsAt))
	}
	record(t, "victoriametrics", vm.URL, wanted)
}

// TestPast lets real servers run through outages, restarts of Prometheus short and long, and tells one Meantime of it by
// Alertmanager while it happens and another only by Prometheus' past. Both must come to the same, but for what only one can
// know.
func TestPast(t *testing.T) {
	t.Parallel()
	shop := newPastShop(t)
	address, another := servers.Address(t), servers.Address(t)
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Config: fmt.Sprintf(`
route: {receiver: meantime, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h, routes: [{receiver: nobody, matchers: ['alertname="Watched"']}]}
receivers: [{name: meantime, webhook_configs: [{url: 'http://%s/webhook/alertmanager'}, {url: 'http://%s/webhook/alertmanager'}]}, {name: nobody}]
`, address, another)})
	const config = `
windows: [1d]
sources: []
correlate:
  open: {matchers: ['severity="critical"'], group_by: [service], quiet: 1s, reopen_within: 1s}
`
	heard := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: config})
	p := servers.Prometheus(t, servers.PrometheusOptions{
		Rules: pastRules, Alertmanagers: []string{am.Address()}, Targets: map[string][]string{"shop": {shop.address()}},
		ExternalLabels: map[string]string{"cluster": "eu", "replica": "a"},
		AlertRelabel: []any{
			map[string]any{"action": "labeldrop", "regex": "replica"},
			map[string]any{"source_labels": []string{"severity"}, "regex": "none", "target_label": "severity", "replacement": "info"},
		},
		Resend: "3s", // an alert lapses after 12 s
	})
	ask := fmt.Sprintf("prometheuses: [{url: %q, history: 1h}]\nalertmanagers: [{url: %q}]\n", p.URL, am.URL)
	both := servers.Meantime(t, servers.MeantimeOptions{Address: another, Config: config + ask})
	firing(t, p, "Watched", true)
	n := 0
	begin := func(set *atomic.Int64, name string) {
		set.Store(1)
		firing(t, p, name, true)
		n++
		heardOf(t, heard, n, false)
	}
	end := func(set *atomic.Int64, name string) {
		set.Store(0)
		firing(t, p, name, false)
		heardOf(t, heard, n, true)
	}
	begin(&shop.slow, "Slow")
	end(&shop.slow, "Slow")
	begin(&shop.broken, "Broken")
	end(&shop.broken, "Broken")

	begin(&shop.broken, "Broken") // it goes on over a short restart, and is over after it
	require.NoError(t, p.Stop())
	p.Restart()
	firing(t, p, "Broken", true)
	end(&shop.broken, "Broken")

	begin(&shop.slow, "Slow") // and this one ends while Prometheus is down, for longer than Alertmanager believes
	p.Kill()
	shop.slow.Store(0)
	time.Sleep(16 * time.Second)
	p.Restart()
	firing(t, p, "Watched", true)
	heardOf(t, heard, n, true)
	begin(&shop.broken, "Broken")
	end(&shop.broken, "Broken")

	time.Sleep(5 * time.Second) // what is newer than two evaluations is not read yet

	read := servers.Meantime(t, servers.MeantimeOptions{Config: config + ask})
	require.NoError(t, both.Stop())
	both.Restart() // so that it reads what is new at once
	type outline struct {
		name, fingerprint string
		start, end        time.Time
	}
	outlines := func(m *servers.MeantimeServer) (out []outline) {
		list, err := episodes(m)
		require.NoError(t, err)
		for _, e := range list {
			out = append(out, outline{e.Labels["alertname"], e.Fingerprint, e.StartsAt.UTC(), e.EndsAt.UTC()})
		}
		return out
	}
	told := outlines(heard)
	require.Len(t, told, 5)
	// Alertmanager heard nothing more of the alert that ended while Prometheus was down, and told that it was resolved when it
	// lost its patience. That is no end, and only the past shows it.
	want := slices.Clone(told)
	require.Equal(t, "Slow", want[1].name)
	require.False(t, want[1].end.IsZero(), "Alertmanager lost its patience")
	want[1].end = time.Time{}
	for name, m := range map[string]*servers.MeantimeServer{"only the past": read, "notifications and the past": both} {
		servers.Eventually(t, soon, func() error {
			if got := outlines(m); !slices.Equal(want, got) {
				return fmt.Errorf("%s:\n%v\nnot\n%v", name, got, want)
			}
			return nil
		})
	}

	var wanted []recordedAlert
	for _, o := range want {
		wanted = append(wanted, alertRecorded(o.name, o.fingerprint, o.start, o.end))
	}
	record(t, "prometheus", p.URL, wanted)

	// Of the incidents the past knows as much as the notifications, but for what they alone tell: when somebody was told.
	starts := func(m *servers.MeantimeServer) map[string]time.Time {
		list, err := incidents(m)
		require.NoError(t, err)
		out := map[string]time.Time{}
		for _, in := range list {
			for _, l := range in.linked() {
				out[l.Episode.Labels["alertname"]+l.Episode.StartsAt.UTC().Format(time.RFC3339Nano)] = in.Milestones["started"].At
			}
		}
		return out
	}
	servers.Eventually(t, soon, func() error {
		if a, b := starts(both), starts(read); len(a) != len(want) || !maps.Equal(a, b) {
			return fmt.Errorf("with notifications\n%v\nof the past alone\n%v", a, b)
		}
		return nil
	})
	list, err := incidents(read)
	require.NoError(t, err)
	for _, in := range list {
		require.NotContains(t, in.Milestones, "detected", "nobody was told because Prometheus had it")
		require.Equal(t, "missing", in.Measurements["detect"].Status)
	}
	list, err = incidents(both)
	require.NoError(t, err)
	for _, in := range list {
		require.Contains(t, in.Milestones, "detected")
	}

	servers.Eventually(t, soon, func() error {
		series := scrape(t, read, func(family string) bool { return strings.HasPrefix(family, "meantime_history_") })
		if got := series[`meantime_history_read_ratio{source="history"}`]; got != "1" {
			return fmt.Errorf("%s of the past is read", got)
		}
		if got := series[`meantime_history_episodes_total{outcome="stored",source="history"}`]; got != "5" {
			return fmt.Errorf("%s episodes were stored", got)
		}
		if series[`meantime_history_episodes_total{outcome="elsewhere",source="history"}`] == "0" {
			return errors.New("Watched leads to nobody, and was not seen")
		}
		return nil
	})
}
