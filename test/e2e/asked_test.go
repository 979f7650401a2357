package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// front is a proxy that passes on what to says, and refuses what to says no address for.
func front(t *testing.T, to func(r *http.Request) string) (address string, refused *atomic.Int64) {
	t.Helper()
	refused = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := to(r)
		if target == "" {
			refused.Add(1)
			http.Error(w, "not for you", http.StatusUnauthorized)
			return
		}
		u, err := url.Parse(target)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(u) }}).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, refused
}

// shows waits until series have the values.
func shows(t *testing.T, m *servers.MeantimeServer, want map[string]string) {
	t.Helper()
	servers.Eventually(t, soon, func() error {
		e, err := servers.Scrape(m.URL)
		if err != nil {
			return err
		}
		for series, v := range want {
			if e[series] != v {
				return fmt.Errorf("%s is %q, not %s", series, e[series], v)
			}
		}
		return nil
	})
}

// knows waits until Meantime has exactly the alerts of these names.
func knows(t *testing.T, m *servers.MeantimeServer, names ...string) {
	t.Helper()
	servers.Eventually(t, soon, func() error {
		seen, err := episodes(m)
		if err != nil {
			return err
		}
		have := map[string]bool{}
		for _, e := range seen {
			have[e.Labels["alertname"]] = true
		}
		for _, name := range names {
			if !have[name] {
				return fmt.Errorf("%s is not known yet, only %v", name, have)
			}
		}
		require.Len(t, have, len(names), "%v", have)
		return nil
	})
}

// TestRoutedElsewhere asks a real Alertmanager that lists alerts which go to nobody, to others, and to Meantime: only the
// last count, also where none of them was notified of yet.
func TestRoutedElsewhere(t *testing.T) {
	t.Parallel()
	for _, version := range []servers.AlertmanagerVersion{servers.OldAlertmanager, servers.NewAlertmanager} {
		t.Run(version.String(), func(t *testing.T) {
			t.Parallel()
			others := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			t.Cleanup(others.Close)
			address := servers.Address(t)
			am := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: version, Config: fmt.Sprintf(`
route:
  receiver: "null"
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - {matchers: ['service=~"theirs.*"'], receiver: others}
    - {matchers: ['service="ourslisted"'], receiver: meantime, group_wait: 1h}
    - {matchers: ['service=~"ours.*"'], receiver: meantime}
receivers:
  - {name: "null"}
  - {name: others, webhook_configs: [{url: %q}]}
  - {name: meantime, webhook_configs: [{url: "http://%s/webhook/alertmanager"}]}
`, others.URL, address)})
			fire(t, am.URL, "NobodysBefore", time.Now())
			m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: fmt.Sprintf(`
sources: []
alertmanagers: [{url: %q, reconcile_every: 1s}]
correlate: {open: {matchers: ['severity="critical"'], group_by: [service]}}
`, am.URL)})
			const elsewhere = `meantime_source_unrouted_alerts{source="alertmanager"}`
			shows(t, m, map[string]string{elsewhere: "1"}) // what leads to nobody needs no notification to be known

			fire(t, am.URL, "OursTold", time.Now())
			knows(t, m, "OursTold")
			for _, name := range []string{"Nobodys", "Theirs", "OursListed"} {
				fire(t, am.URL, name, time.Now())
			}
			knows(t, m, "OursTold", "OursListed")
			shows(t, m, map[string]string{elsewhere: "3"})
			knows(t, m, "OursTold", "OursListed")
			list, err := incidents(m)
			require.NoError(t, err)
			require.Len(t, list, 2, "%+v", list)
		})
	}
}

// TestTenants asks two Alertmanagers at one address, which tells them apart by a header, as Mimir and Cortex do.
func TestTenants(t *testing.T) {
	t.Parallel()
	address := servers.Address(t)
	const config = `
route:
  receiver: meantime
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
  routes: [{matchers: ['service=~"listed.*"'], receiver: meantime, group_wait: 1h}]
receivers: [{name: meantime, webhook_configs: [{url: "http://%s/webhook/alertmanager"}]}]
`
	a := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: servers.OldAlertmanager, Config: fmt.Sprintf(config, address)})
	b := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: servers.NewAlertmanager, Config: fmt.Sprintf(config, address)})
	gateway, refused := front(t, func(r *http.Request) string {
		return map[string]string{"team-a": a.URL, "team-b": b.URL}[r.Header.Get("X-Scope-OrgID")]
	})
	m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: strings.ReplaceAll(`
sources: []
alertmanagers:
  - {name: a, url: "GATEWAY", headers: {X-Scope-OrgID: team-a}, reconcile_every: 1s}
  - {name: b, url: "GATEWAY", headers: {X-Scope-OrgID: team-b}, reconcile_every: 1s}
correlate: {open: {matchers: ['severity="critical"'], group_by: [service]}}
`, "GATEWAY", gateway)})
	up := map[string]string{`meantime_source_up{source="alertmanager/a"}`: "1", `meantime_source_up{source="alertmanager/b"}`: "1"}
	shows(t, m, up)
	for tenant, url := range map[string]string{"A": a.URL, "B": b.URL} {
		fire(t, url, "Told"+tenant, time.Now())
		fire(t, url, "Listed"+tenant, time.Now())
	}
	knows(t, m, "ToldA", "ToldB", "ListedA", "ListedB")
	shows(t, m, up)
	require.Zero(t, refused.Load(), "each request names its tenant")

	// One tenant goes away; the other is asked on.
	require.NoError(t, a.Stop())
	shows(t, m, map[string]string{`meantime_source_up{source="alertmanager/a"}`: "0", `meantime_source_up{source="alertmanager/b"}`: "1"})
	fire(t, b.URL, "ListedAlone", time.Now())
	knows(t, m, "ToldA", "ToldB", "ListedA", "ListedB", "ListedAlone")
}

// TestTokenReplaced replaces a token's file under the running program, as the kubelet does with projected tokens: by a link
// that is moved. The old token is refused from then on; the new one counts without a reload.
func TestTokenReplaced(t *testing.T) {
	t.Parallel()
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: servers.NewAlertmanager, Config: `
route: {receiver: meantime, group_by: [alertname], group_wait: 1h}
receivers: [{name: meantime, webhook_configs: [{url: "http://127.0.0.1:9/webhook/alertmanager"}]}]
`})
	prom := servers.Prometheus(t, servers.PrometheusOptions{})
	var good atomic.Value
	good.Store("token-1")
	guarded := func(target string) string {
		url, _ := front(t, func(r *http.Request) string {
			if r.Header.Get("Authorization") == "Bearer "+good.Load().(string) {
				return target
			}
			return ""
		})
		return url
	}
	dir := t.TempDir()
	project := func(version, token string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "token"), []byte(token+"\n"), 0o600))
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	project("..1", "token-1")
	require.NoError(t, os.Symlink(filepath.Join("..data", "token"), filepath.Join(dir, "token")))
	m := servers.Meantime(t, servers.MeantimeOptions{Config: fmt.Sprintf(`
sources: []
alertmanagers: [{url: %q, bearer_token_file: %q, reconcile_every: 1s}]
prometheuses: [{url: %q, bearer_token_file: %q}]
correlate: {open: {matchers: ['severity="critical"']}}
`, guarded(am.URL), filepath.Join(dir, "token"), guarded(prom.URL), filepath.Join(dir, "token"))})
	const asked = `meantime_source_up{source="alertmanager"}`
	shows(t, m, map[string]string{asked: "1"})

	good.Store("token-2")
	shows(t, m, map[string]string{asked: "0"}) // the file still holds the old one
	fire(t, am.URL, "Down", time.Now())
	project("..2", "token-2")
	shows(t, m, map[string]string{asked: "1"})
	knows(t, m, "Down")
	require.NotContains(t, m.Log(), "token-1")
	require.NotContains(t, m.Log(), "token-2")
}
