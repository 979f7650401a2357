package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestBadInput is the table of what can be wrong with a request, and the exact answer to it.
func TestBadInput(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: "sources: []\nwindows: [90d]\n"})
	now := time.Now().UTC().Truncate(time.Second)
	const webhook, records = "/webhook/alertmanager", "/api/v1/records/ours/42"
	many := func(n int, labels string) string {
		one := `{"status":"firing","startsAt":"2024-01-02T03:04:05Z","labels":{"alertname":"A","n":"%d"` + labels + `}}`
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(one, i)
		}
		return `{"version":"4","status":"firing","alerts":[` + strings.Join(list, ",") + `]}`
	}
	bomb := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"label_%d":"x"`, i)
		}
		return many(1, b.String())
	}

	for _, c := range []struct {
		name         string
		method, path string
		body         string
		status       int
		detail       string // of the problem; or the whole body where it is no problem
	}{
		{"malformed JSON", "POST", webhook, `{"alerts":[`, 400, `not JSON: unexpected end of JSON input, at byte 11`},
		{"no JSON", "POST", webhook, `alerts=none`, 400, `not JSON: invalid character 'a' looking for beginning of value, at byte 1`},
		{"an empty body", "POST", webhook, ``, 400, `not JSON: unexpected end of JSON input, at byte 0`},
		{"a list for an object", "POST", webhook, `[]`, 400, `a JSON array where an object belongs`},
		{"a wrong type of the alerts", "POST", webhook, `{"alerts":"none"}`, 400, `alerts: a JSON string where a list belongs`},
		{"a wrong type in an alert", "POST", webhook, `{"alerts":[{"labels":["a"]}]}`, 400, `alerts[0].labels: a JSON array where an object belongs`},
		{"a time that is none", "POST", webhook, `{"alerts":[{"labels":{"a":"b"},"startsAt":"soon"}]}`, 400, `alerts[0].startsAt: not a time: "soon"; write it like 2006-01-02T15:04:05Z`},
		{"an alert without labels", "POST", webhook, `{"alerts":[{"status":"firing"}]}`, 400, `alerts[0].labels: missing; they are what an alert is`},
		{"another message", "POST", webhook, `{"text":"hello"}`, 400, `alerts: missing; this is no Alertmanager notification`},
		{"no alerts", "POST", webhook, `{"version":"4","alerts":[]}`, 200, `{"taken":0,"refused":0}`},
		{"20 MB", "POST", webhook, `{"alerts":[],"x":"` + strings.Repeat("x", 20<<20) + `"}`, 413, `more than the 16777216 bytes allowed`},
		{"100,000 alerts", "POST", webhook, many(100_000, ""), 413, `alerts: more than the 50000 allowed`},
		{"5,000 alerts", "POST", webhook, many(5000, ""), 200, `{"taken":5000,"refused":0}`},
		{"a label bomb", "POST", webhook, bomb(10_000), 400, `alerts[0].labels: 10002 are more than the 128 allowed`},
		{"a label of a megabyte", "POST", webhook, many(1, `,"x":"`+strings.Repeat("x", 1<<20)+`"`), 400, `alerts[0].labels: 1048589 bytes are more than the 16384 allowed`},
		{"a bad alert among good ones", "POST", webhook, `{"alerts":[{"status":"on","labels":{"a":"b"}},{"status":"firing","labels":{"alertname":"Good"}}]}`, 200,
			`{"taken":1,"refused":1,"errors":[{"path":"alerts[0].status","message":"unknown value \"on\"; it is one of firing, resolved"}]}`},
		{"a wrong method", "GET", webhook, ``, 405, `GET is not taken here; POST is`},

		{"a record that is no JSON", "PUT", records, `id: 42`, 400, `not JSON: invalid character 'i' looking for beginning of value, at byte 1`},
		{"an impact with its end before its start", "PUT", records, `{"impacts":[{"from":"2024-01-02T04:00:00Z","to":"2024-01-02T03:00:00Z"}]}`, 400,
			`impacts[0].to: 2024-01-02T03:00:00Z is before from 2024-01-02T04:00:00Z`},
		{"an unknown milestone", "PUT", records, `{"milestones":{"begun":"2024-01-02T03:04:05Z"}}`, 400,
			`milestones.begun: unknown milestone; the milestones are started, detected, acknowledged, identified, mitigated, resolved`},
		{"a time without a zone", "PUT", records, `{"milestones":{"started":"2024-01-02T03:04:05"}}`, 400,
			`milestones.started: time without a zone: "2024-01-02T03:04:05"; write 2024-01-02T03:04:05Z for UTC, or with an offset such as +02:00`},
		{"a number for a time", "PUT", records, `{"milestones":{"started":1704164645}}`, 400,
			`milestones.started: not a time: 1704164645; write it like 2006-01-02T15:04:05Z`},
		{"a wrong type in a record", "PUT", records, `{"services":"checkout"}`, 400, `services: a JSON string where a list belongs`},
		{"an unknown kind", "PUT", records, `{"kind":"outage"}`, 400, `kind: unknown value "outage"; it is one of incident, drill, maintenance`},
		{"two mistakes", "PUT", records, `{"kind":"outage","url":"javascript:alert(1)"}`, 400,
			`url: not an http or https address: "javascript:alert(1)"; kind: unknown value "outage"; it is one of incident, drill, maintenance`},
		{"a record that is not there", "GET", records, ``, 404, `no record ours/42`},
		{"an unknown parameter", "GET", "/api/v1/incidents?since=yesterday", ``, 400,
			`since: unknown parameter; the parameters are from, to, service, severity, state, cursor, limit`},
		{"an incident that is not there", "GET", "/api/v1/incidents/r0000000000000000", ``, 404, `no incident r0000000000000000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer, err := m.Do(c.method, c.path, c.body)
			require.NoError(t, err)
			require.Equal(t, c.status, status, "%s", answer)
			if c.status == http.StatusOK {
				require.Equal(t, c.detail, strings.TrimSpace(string(answer)))
				return
			}
			var problem struct {
				Detail string `json:"detail"`
				Status int    `json:"status"`
			}
			require.NoError(t, json.Unmarshal(answer, &problem), "%s", answer)
			require.Equal(t, c.detail, problem.Detail)
			require.Equal(t, c.status, problem.Status)
		})
	}

	// A record that contradicts itself is not refused: it is a fact about the record, counted as such.
	m.Must("PUT", records, map[string]any{
		"title": "Ended before it began", "services": []string{"checkout"}, "state": "resolved",
		"milestones": map[string]any{"started": now.Add(-time.Hour), "resolved": now.Add(-2 * time.Hour)},
	})
	servers.Eventually(t, soon, func() error {
		all, err := incidents(m)
		if err != nil {
			return err
		}
		if len(all) != 1 || all[0].Measurements["resolve"].Status != "invalid" {
			return fmt.Errorf("the incidents are %+v", all)
		}
		const series = `meantime_measurements{affected_service="",interval="resolve",severity="",status="invalid",window="90d"}`
		if v := scrape(t, m, figures)[series]; v != "1" {
			return fmt.Errorf("%s is %q", series, v)
		}
		return nil
	})
	require.NotContains(t, m.Log(), "panic")
}

// TestBadConfig is what the program says of a configuration it does not take, and how it ends.
func TestBadConfig(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"an unknown key", "store: {dns: x}\n", `meantime.yml:1: store.dns: unknown key`},
		{"a duration without a unit", "windows: [7d]\ncorrelate: {open: {quiet: 30}}\n", `meantime.yml:2: correlate.open.quiet: `},
		{"no YAML", "windows: [7d\n", `meantime.yml:`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, output := servers.MeantimeFails(t, servers.MeantimeOptions{Config: c.config})
			require.Equal(t, 1, status, output)
			require.Contains(t, output, c.want)
		})
	}
}

// TestBadStore is what the program says of a database that it cannot use. It never makes a new one in its place.
func TestBadStore(t *testing.T) {
	t.Run("no database", func(t *testing.T) {
		dir := t.TempDir()
		text := strings.Repeat("this is no database\n", 1000)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "meantime.db"), []byte(text), 0o644))
		status, output := servers.MeantimeFails(t, servers.MeantimeOptions{Dir: dir})
		require.Equal(t, 1, status, output)
		require.Contains(t, output, "meantime.db")
		after, err := os.ReadFile(filepath.Join(dir, "meantime.db"))
		require.NoError(t, err)
		require.Equal(t, text, string(after), "the file is left as it was")
	})
	t.Run("a folder that is not there", func(t *testing.T) {
		status, output := servers.MeantimeFails(t, servers.MeantimeOptions{DSN: "sqlite:" + filepath.Join(t.TempDir(), "none", "meantime.db")})
		require.Equal(t, 1, status, output)
		require.Contains(t, output, "none")
	})
	t.Run("a port that is taken", func(t *testing.T) {
		m := servers.Meantime(t, servers.MeantimeOptions{})
		status, output := servers.MeantimeFails(t, servers.MeantimeOptions{Address: m.Address()})
		require.Equal(t, 1, status, output)
		require.Contains(t, output, "address already in use")
	})
}

// TestReload shows that a reload takes a good configuration, and keeps the old one where the new one has a mistake.
func TestReload(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: "sources: []\nwindows: [7d]\n", Args: []string{"--web.enable-lifecycle"}})
	windows := func(want string) {
		t.Helper()
		servers.Eventually(t, soon, func() error {
			for series := range scrape(t, m, func(f string) bool { return f == "meantime_incidents" }) {
				if !strings.Contains(series, `window="`+want+`"`) {
					return fmt.Errorf("%s is there, and window %s should be alone", series, want)
				}
			}
			return nil
		})
	}
	good := scrapeOne(t, m, "meantime_config_last_reload_successful")
	require.Equal(t, "1", good)
	windows("7d")

	change := func(config string) {
		require.NoError(t, os.WriteFile(filepath.Join(m.Dir, "meantime.yml"), []byte(config), 0o644))
	}
	change("sources: []\nwindows: [14d]\n")
	m.Must("POST", "/-/reload", nil)
	windows("14d")

	change("sources: []\nwindows: [14 days]\n")
	status, answer, err := m.Do("POST", "/-/reload", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, string(answer), "meantime.yml:2")
	require.Equal(t, "0", scrapeOne(t, m, "meantime_config_last_reload_successful"))
	windows("14d")

	change("sources: []\nwindows: [21d]\n")
	m.Signal(syscall.SIGHUP)
	windows("21d")
	require.Equal(t, "1", scrapeOne(t, m, "meantime_config_last_reload_successful"))
}

// scrapeOne is the value of the one series of a family.
func scrapeOne(t *testing.T, m *servers.MeantimeServer, family string) string {
	t.Helper()
	e := scrape(t, m, func(f string) bool { return f == family })
	require.Len(t, e, 1, family)
	for _, v := range e {
		return v
	}
	return ""
}
