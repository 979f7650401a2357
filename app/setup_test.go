package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/setup"
	"meantime/store/sqlstore"
)

// answering is an Alertmanager, or a Prometheus, that says of itself what it is told to.
func answering(t *testing.T, config string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v2/status":
			_ = json.NewEncoder(w).Encode(map[string]any{"config": map[string]string{"original": config}})
		case "/api/v1/rules":
			fmt.Fprint(w, `{"status":"success","data":{"groups":[]}}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestDoctor has set-ups that are broken, each by its cause.
func TestDoctor(t *testing.T) {
	const hook = "receivers: [{name: pager}, {name: meantime, webhook_configs: [{url: 'http://meantime:10049/webhook/alertmanager', send_resolved: true}]}]\n"
	for name, c := range map[string]struct {
		alertmanager string
		config       string // of Meantime, beside who is asked
		ready        bool
		says         []string // that the report has
	}{
		"all is well": {
			alertmanager: "route: {receiver: pager, routes: [{receiver: meantime, continue: true}]}\n" + hook, ready: true,
			says: []string{"[waiting] Alertmanager sends notifications", "[ok]      Alertmanager is asked", "[ok]      Prometheus is asked"},
		},
		"no route leads here": {
			alertmanager: "route: {receiver: pager}\n" + hook,
			says:         []string{`[wrong]   Alertmanager is asked`, `no route leads to receiver "meantime"`},
		},
		"a route before takes everything": {
			alertmanager: "route: {receiver: pager, routes: [{receiver: pager}, {receiver: meantime}]}\n" + hook,
			says:         []string{`no route leads to receiver "meantime", or one before it takes everything`},
		},
		"the receiver sends elsewhere": {
			alertmanager: "route: {receiver: meantime}\nreceivers: [{name: meantime, webhook_configs: [{url: 'http://meantime:10049/alerts'}]}]\n",
			says:         []string{`receiver "meantime" sends to http://meantime:10049/alerts, which takes no notifications: its path must be /webhook/alertmanager`},
		},
		"no receiver has a webhook": {
			alertmanager: "route: {receiver: pager}\nreceivers: [{name: pager, pagerduty_configs: [{routing_key: k}]}]\n",
			says:         []string{"none of its receivers has a webhook_configs that sends here"},
		},
		"ends are not told": {
			alertmanager: "route: {receiver: meantime}\n" + strings.Replace(hook, "send_resolved: true", "send_resolved: false", 1),
			says:         []string{`receiver "meantime" has send_resolved: false`, "set send_resolved: true"},
		},
		"ends are not told, and the address is hidden": {
			alertmanager: "route: {receiver: meantime}\nreceivers: [{name: meantime, webhook_configs: [{url: <secret>, send_resolved: false}]}]\n",
			says:         []string{`receiver "meantime" has send_resolved: false`},
		},
		"alerts expire before they are repeated": {
			alertmanager: "route: {receiver: meantime, repeat_interval: 2d}\n" + hook,
			says:         []string{"repeats what still fires only every 2d5m", "set correlate.expire_after above 2d5m, or repeat_interval lower"},
		},
		"nothing opens an incident": {
			alertmanager: "route: {receiver: meantime}\n" + hook, config: "sources: []\ncorrelate: {open: {matchers: []}}\n",
			says: []string{"[missing] Something opens incidents", "correlate.open.matchers is empty, and there is no source of records",
				"matchers: ['severity=~"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "meantime.yml")
			text := fmt.Sprintf("alertmanagers: [{url: %q}]\nprometheuses: [{url: %q}]\n%s", answering(t, c.alertmanager), answering(t, ""),
				c.config)
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			var out strings.Builder
			ready, err := Doctor(context.Background(), Options{ConfigFile: file, Environ: []string{}, DSN: "sqlite:" + dir + "/none.db"}, "", &out)
			require.NoError(t, err)
			require.Equal(t, c.ready, ready, out.String())
			for _, s := range c.says {
				require.Contains(t, out.String(), s)
			}
			require.NoFileExists(t, dir+"/none.db", "it only looks")
		})
	}
}

func TestDoctorOfWhatDoesNotAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "meantime.yml")
	require.NoError(t,
		os.WriteFile(file, []byte("prometheuses: [{url: 'http://127.0.0.1:1'}]\nsources: [{name: ours, type: file, dir: ./none}]\n"), 0o600))
	var out strings.Builder
	ready, err := Doctor(context.Background(), Options{ConfigFile: file, Environ: []string{}, DSN: "sqlite:" + t.TempDir() + "/none.db"},
		"", &out)
	require.NoError(t, err)
	require.False(t, ready)
	require.Contains(t, out.String(), "prometheus does not answer: ")
	require.Contains(t, out.String(), "ours does not answer: stat ")
	_, err = Doctor(context.Background(), Options{}, "http://127.0.0.1:1", &out)
	require.ErrorContains(t, err, "ask the daemon: ")
}

// TestTestAlert has what becomes of alerts, of which nothing is stored.
func TestTestAlert(t *testing.T) {
	file := filepath.Join(t.TempDir(), "meantime.yml")
	require.NoError(t, os.WriteFile(file, []byte("sources: []\nalerts: {ignore: [{matchers: ['team=\"sandbox\"']}]}\n"), 0o600))
	r := newApp(Options{ConfigFile: file, Environ: []string{}, Logger: slog.New(slog.DiscardHandler)})
	c, err := r.load()
	require.NoError(t, err)
	r.config.Store(c)
	db, err := sqlstore.Open(t.Context(), "sqlite:"+t.TempDir()+"/test.db", sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	r.store = newIntake(db, newQuestions(func(string, int) {}), func() {})
	r.openings = &openings{}
	for name, c := range map[string]struct {
		labels map[string]string
		opened bool
		steps  string
		says   string
	}{
		"made up":        {nil, true, "notification store intake incident measured removed", "resolve 5m1s"},
		"of no severity": {map[string]string{"alertname": "X"}, false, "notification store intake incident", "does not let it open an incident"},
		"ignored": {map[string]string{"alertname": "X", "severity": "page", "team": "sandbox"}, false, "notification store intake",
			"alerts.ignore"},
		"no alertname": {map[string]string{"severity": "page"}, true, "notification store intake incident measured removed", "severity page"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := r.testAlert(context.Background(), c.labels)
			require.NoError(t, err)
			require.Equal(t, c.opened, got.Opened, "%v", got)
			var steps []string
			said := ""
			for _, s := range got.Steps {
				steps = append(steps, s.Name)
				said += s.Text + "\n"
			}
			require.Equal(t, c.steps, strings.Join(steps, " "))
			require.Contains(t, said, c.says)
		})
	}
	var n int
	for _, err := range r.store.EachVerdict(context.Background(), r.now().AddDate(-1, 0, 0), r.now().AddDate(1, 0, 0)) {
		require.NoError(t, err)
		n++
	}
	require.Zero(t, n)
	list, err := r.checklist(context.Background())
	require.NoError(t, err)
	require.Equal(t, setup.Missing, list.Checks[0].State, "nobody was heard")
}

// TestPlace has what the flags of addresses make of paths.
func TestPlace(t *testing.T) {
	for name, c := range map[string]struct {
		external, prefix string
		want             place
		err              string
	}{
		"nothing": {},
		"a host":  {external: "https://ops.example.org/", want: place{url: "https://ops.example.org"}},
		"a path": {external: "https://ops.example.org/meantime/",
			want: place{"https://ops.example.org/meantime", "/meantime", "/meantime"}},
		"a proxy that takes it away": {external: "https://ops.example.org/meantime", prefix: "/",
			want: place{"https://ops.example.org/meantime", "/meantime", ""}},
		"a prefix alone": {prefix: "m/", want: place{path: "/m", routes: "/m"}},
		"no scheme": {external: "ops.example.org",
			err: `web.external-url: "ops.example.org": not an address such as https://ops.example.org/meantime`},
		"a question": {external: "https://ops.example.org/?a",
			err: `web.external-url: "https://ops.example.org/?a": it must have no user, no ? and no #`},
		"a pattern": {prefix: "/{x}", err: `web.route-prefix: "/{x}": not a path such as /meantime`},
		"up":        {prefix: "/a/../b", err: `web.route-prefix: "/a/../b": not a path such as /meantime`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newPlace(c.external, c.prefix)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestUnderAPrefix(t *testing.T) {
	p, err := newPlace("https://ops.example.org/meantime", "")
	require.NoError(t, err)
	h := p.under(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	for path, want := range map[string]string{
		"/meantime/": "200 /", "/meantime/incidents/a%2Fb": "200 /incidents/a/b", "/": "302 /meantime/", "/metrics": "404 404 page not found\n", "/meantime/metrics": "200 /metrics",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		got := fmt.Sprintf("%d %s", w.Code, w.Body.String())
		if w.Code == http.StatusFound {
			got = fmt.Sprintf("%d %s", w.Code, w.Header().Get("Location"))
		}
		require.Equal(t, want, got, path)
	}
}

// TestContacts has who reached the process.
func TestContacts(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := &contacts{logger: slog.New(slog.DiscardHandler), now: func() time.Time { return now }, known: map[string]bool{}}
	h := c.missed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/alerts" {
			http.NotFound(w, r)
		} // else it is taken, and nothing written
	}))
	send := func(method, agent string) {
		r := httptest.NewRequest(method, "/alerts", nil)
		r.Header.Set("User-Agent", agent)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	send("POST", "curl/8")
	send("GET", "Alertmanager/0.27.0")
	var f setup.Facts
	c.tell(&f)
	require.Empty(t, f.Misses)
	send("POST", "Alertmanager/0.27.0")
	send("POST", "Alertmanager/0.27.0")
	c.scraped(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil))
	c.heard([]incident.Sender{{Key: "a", Route: "{}"}}, now)
	c.tell(&f)
	require.Equal(t, []setup.Miss{{From: "192.0.2.1", Path: "/alerts", Status: 404, At: now}}, f.Misses)
	require.Len(t, f.Scrapes, 1)
	require.Equal(t, now, f.LastNotification)

	// What one Alertmanager sends mends nothing of another's, and its own.
	for _, x := range []struct {
		from   string
		misses int
	}{{"192.0.2.9", 1}, {"192.0.2.1", 0}} {
		r := httptest.NewRequest("POST", "/webhook/alertmanager", nil)
		r.RemoteAddr = x.from + ":1234"
		r.Header.Set("User-Agent", "Alertmanager/0.27.0")
		h.ServeHTTP(httptest.NewRecorder(), r)
		c.tell(&f)
		require.Len(t, f.Misses, x.misses, x.from)
	}
}
