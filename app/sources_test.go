package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/config"
	"meantime/source"
	"meantime/web"
	"meantime/webhook"
)

// polling is an App with nothing but its sources, and the configuration that has all kinds of them.
func polling(t *testing.T, token string) (*App, *config.Validated) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "incidents"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(token+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meantime.yml"), []byte(`
alertmanagers: [{name: eu, url: "http://127.0.0.1:9093", bearer_token_file: token}]
prometheuses: [{url: "http://127.0.0.1:9090", basic_auth: {username: u, password_file: token}}]
sources: [{name: ours, type: file, dir: incidents}]
`), 0o600))
	a := newApp(Options{ConfigFile: filepath.Join(dir, "meantime.yml"), Environ: []string{"A=b"}, Logger: slog.New(slog.DiscardHandler)})
	c, err := a.load()
	require.NoError(t, err)
	c.Sources[0].Dir = "incidents" // the same in every test's folder
	return a, c
}

// What is the same goes on after a reload, also where a file holds another secret by then: it is read at each use. Another
// file is another source. No secret is seen where jobs are compared.
func TestJobsAreShapedByTheirFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		return filepath.Join(dir, name)
	}
	first, second := file("first", "t0ken"), file("second", "t0ken")
	shapes := func(path string) map[string]string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "meantime.yml"), []byte(`
alertmanagers: [{name: eu, url: "http://127.0.0.1:9093", oauth2: {token_url: "http://127.0.0.1:1", client_id: a, client_secret_file: `+path+`}}]
prometheuses: [{url: "http://127.0.0.1:9090", headers: {X-Key: "file:`+path+`"}}]
sources: []
`), 0o600))
		a := newApp(Options{ConfigFile: filepath.Join(dir, "meantime.yml"), Environ: []string{"A=b"}, Logger: slog.New(slog.DiscardHandler)})
		c, err := a.load()
		require.NoError(t, err)
		jobs, err := a.jobs(c)
		require.NoError(t, err)
		out := map[string]string{}
		for _, j := range jobs {
			require.NotContains(t, j.Config, "t0ken")
			out[j.Source.Name()] = j.Config
		}
		require.Len(t, out, 4, "Alertmanager, Prometheus, its past and its calls")
		return out
	}
	before := shapes(first)
	file("first", "t0ken-2")
	require.Equal(t, before, shapes(first))
	after := shapes(second)
	for name := range before {
		require.NotEqual(t, before[name], after[name], name)
	}
}

func TestReconcileWaitsForABurst(t *testing.T) {
	a, c := polling(t, "t0ken")
	jobs, err := a.jobs(c)
	require.NoError(t, err)
	for _, j := range jobs {
		if j.Source.Name() == "alertmanager/eu" {
			require.Equal(t, 5*time.Second, j.Debounce)
			return
		}
	}
	t.Fatal("Alertmanager is not polled")
}

// Tenants of one address are not told apart by it; members of a cluster are asked at an address each.
func TestWhoseNotifications(t *testing.T) {
	am := func(url, external string) config.Alertmanager {
		return config.Alertmanager{Client: config.Client{URL: url}, ExternalURL: external}
	}
	for _, c := range []struct {
		name string
		all  []config.Alertmanager
		want []string
	}{
		{"alone", []config.Alertmanager{am("http://am:9093/", "")}, []string{"http://am:9093"}},
		{"known by another address", []config.Alertmanager{am("http://am:9093", "https://am.example.org")}, []string{"https://am.example.org"}},
		{"tenants", []config.Alertmanager{am("http://mimir", ""), am("http://mimir", ""), am("http://am", "")}, []string{"", "", "http://am"}},
		{"tenants, one with a slash", []config.Alertmanager{am("http://mimir/", ""), am("http://mimir", "http://mimir/")}, []string{"", ""}},
		{"tenants that name themselves", []config.Alertmanager{am("http://mimir", "http://a"), am("http://mimir", "http://b")}, []string{"http://a", "http://b"}},
		{"a cluster", []config.Alertmanager{am("http://am-0", "http://am"), am("http://am-1", "http://am")}, []string{"http://am", "http://am"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for i := range c.all {
				got = append(got, notifier(c.all, i))
			}
			require.Equal(t, c.want, got)
		})
	}
}

// Tenants of one address mark what they list as theirs, whatever address they name in notifications.
func TestTenantsMarkTheirOwn(t *testing.T) {
	am := func(name, url, external string) config.Alertmanager {
		return config.Alertmanager{Client: config.Client{Name: name, URL: url}, ExternalURL: external}
	}
	all := []config.Alertmanager{am("a", "http://mimir/", "http://a"), am("b", "http://mimir", ""), am("c", "http://am", "http://a")}
	require.Equal(t, "http://mimir#a", tenant(all, 0, "http://mimir"))
	require.Equal(t, "http://mimir#b", tenant(all, 1, "http://mimir"))
	require.Empty(t, tenant(all, 2, "http://am"))
}

func TestSourceStates(t *testing.T) {
	a, c := polling(t, "t0ken")
	a.config.Store(c)
	require.Empty(t, a.sourceStates(), "another process polls")
	held := &term{sources: source.NewRunner(source.Options{})}
	a.term.Store(held)
	require.Empty(t, a.sourceStates())
	jobs, err := a.jobs(c)
	require.NoError(t, err)
	require.NoError(t, held.sources.Reload(jobs))
	require.Equal(t, []web.Source{
		{Name: "alertmanager/eu", Kind: "Alertmanager", Up: true}, {Name: "history", Kind: "Prometheus' past", Up: true},
		{Name: "ours", Kind: "file", Up: true}, {Name: "prometheus", Kind: "Prometheus", Up: true},
		{Name: "topology", Kind: "Calls between services", Up: true},
	}, a.sourceStates())
}

// Who uses the webhooks without a configuration gets the same limits.
func TestDefaultLimitsAgree(t *testing.T) {
	limits := config.Default().Limits
	require.Equal(t, webhook.DefaultMaxAlerts, limits.AlertsPerWebhook)
	require.Equal(t, webhook.DefaultMaxBody, limits.BodyBytes)
}
