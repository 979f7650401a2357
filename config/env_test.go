package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEnvironmentOutranksTheFile(t *testing.T) {
	got, err := validated("testdata/good/complete.yml",
		"MEANTIME_STORE_DSN=sqlite:other.db",
		"MEANTIME_STORE_RETENTION_EPISODES=2y",
		"MEANTIME_WINDOWS= 28d, 15y",
		"MEANTIME_OBJECTIVES=[]",
		"MEANTIME_SERVICES_LABELS=team,app",
		"MEANTIME_SERVICES_RULES=[{matchers: ['team=\"web\"', 'env=\"prod\"'], service: shop}]",
		"MEANTIME_CORRELATE_OPEN_QUIET=45m",
		"MEANTIME_CORRELATE_LINK_AT=0.9",
		`MEANTIME_CORRELATE_OPEN_MATCHERS={severity="critical",env=~"prod,eu|us"}`,
		`MEANTIME_PROMETHEUSES=[{name: eu, url: "https://prometheus.example.org/", external_labels: {Cluster: eu}}]`,
		"MEANTIME_SOURCES=[{name: a, type: file, dir: here}, {name: b, type: file, dir: /srv/b}]",
		"MEANTIME_LIMITS_SERVICES=7",
		"MEANTIME_WATCHDOGS=", // empty counts as not set
		"PATH=/bin",
	)
	require.NoError(t, err)
	require.Equal(t, Store{DSN: "sqlite:other.db", Retention: 2 * 365 * day}, got.Store)
	require.Equal(t, []Window{{"28d", 28 * day}, {"15y", 15 * 365 * day}}, got.Windows)
	require.Empty(t, got.Objectives)
	require.Equal(t, []string{"team", "app"}, got.Rules.Services.Labels)
	require.Len(t, got.Rules.Services.Rules, 1)
	require.Len(t, got.Rules.Services.Rules[0].Matchers, 2)
	require.Equal(t, "shop", got.Rules.Services.Rules[0].Service)
	require.Equal(t, "checkout", got.Rules.Services.Aliases[0].Service, "what the environment does not say stays as in the file")
	require.Equal(t, 45*time.Minute, got.Rules.Open.Quiet)
	require.Equal(t, time.Hour, got.Rules.Open.ReopenWithin)
	require.Equal(t, 0.9, got.Rules.LinkAt)
	require.Len(t, got.Rules.Open.Matchers, 1)
	require.Len(t, got.Rules.Open.Matchers[0], 2)
	require.Equal(t, "prod,eu|us", got.Rules.Open.Matchers[0][1].Value)
	require.Len(t, got.Alertmanagers, 1, "what the environment does not say stays as in the file")
	require.Equal(t, "http://127.0.0.1:9093", got.Alertmanagers[0].URL)
	require.Len(t, got.Prometheuses, 1)
	require.Equal(t, "https://prometheus.example.org", got.Prometheuses[0].URL)
	require.Equal(t, Pairs{{"Cluster", "eu"}}, got.Prometheuses[0].ExternalLabels)
	require.Equal(t, 7, got.Limits.Services)
	require.Len(t, got.Rules.Watchdogs, 1)

	require.Equal(t, []string{"a", "b"}, got.Rules.Sources)
	require.Equal(t, "here", got.Sources[0].Dir, "a path in the environment is relative to the working directory")
	require.Equal(t, "/srv/b", got.Sources[1].Dir)
}

func TestEnvironmentWithoutFile(t *testing.T) {
	got, err := validated("", "MEANTIME_ALERTMANAGERS=[{url: http://am:9093}]", "MEANTIME_CORRELATE_OPEN_GROUP_BY=service,region")
	require.NoError(t, err)
	require.Equal(t, time.Minute, got.Alertmanagers[0].ReconcileEvery)
	require.Equal(t, []string{"service", "region"}, got.Rules.Open.GroupBy)
}

func TestEnvironmentMendsTheFile(t *testing.T) {
	// A key that the environment gives is not read from the file, so a mistake there does no harm.
	c, err := Load("testdata/bad/duration-without-unit.yml", []string{"MEANTIME_CORRELATE_OPEN_QUIET=5m"})
	require.NoError(t, err)
	require.Equal(t, "5m", c.Correlate.Open.Quiet.String())
	_, err = validated("testdata/bad/source-type.yml", "MEANTIME_SOURCES=[]")
	require.NoError(t, err)
	_, err = validated("testdata/bad/element-wanted.yml", "MEANTIME_WINDOWS=7d")
	require.NoError(t, err)
}

func TestBadEnvironment(t *testing.T) {
	for _, tc := range []struct{ env, want string }{
		{"MEANTIME_CORRELATE_OPEN_QUIET=5", `environment: MEANTIME_CORRELATE_OPEN_QUIET: a duration needs a unit: "5"; write 5m or 5s`},
		{"MEANTIME_WINDOWS=7d,28", `environment: MEANTIME_WINDOWS[1]: a duration needs a unit: "28"; write 28m or 28s`},
		{"MEANTIME_WINDOWS=7d,,28d", `environment: MEANTIME_WINDOWS[1]: empty; write a duration such as 5m`},
		{"MEANTIME_CORRELATE_LINK_AT=high", `environment: MEANTIME_CORRELATE_LINK_AT: not a number: "high"`},
		{"MEANTIME_CORRELATE_LINK_AT=2", `environment: MEANTIME_CORRELATE_LINK_AT: 2 is not above 0 and at most 1`},
		{"MEANTIME_SOURCES=ours", `environment: MEANTIME_SOURCES: not a list; write it as in the file, in brackets: [{name: …}]`},
		{"MEANTIME_SOURCES=[{name: x, tpye: file, dir: y}]", `environment: MEANTIME_SOURCES[0].tpye: unknown key; did you mean type?`},
		{"MEANTIME_SOURCES=[{name: x, type: file, dir: y, dir: z}]", `environment: MEANTIME_SOURCES[0].dir: given twice`},
		{"MEANTIME_SOURCES=[{name: x", `environment: MEANTIME_SOURCES: not YAML: did not find expected ',' or '}'`},
		{"MEANTIME_WEB_WRITE_TOKEN_FILE=testdata/absent", `environment: MEANTIME_WEB_WRITE_TOKEN_FILE: open testdata/absent: no such file or directory`},
		{"MEANTIME_STORE_DNS=sqlite:x.db", `environment: MEANTIME_STORE_DNS: unknown key; did you mean MEANTIME_STORE_DSN?`},
		{"MEANTIME_WEB_WRITE_TOKEN=hunter2", `environment: MEANTIME_WEB_WRITE_TOKEN: unknown key; did you mean MEANTIME_WEB_WRITE_TOKEN_FILE?`},
	} {
		t.Run(tc.env, func(t *testing.T) {
			_, err := validated("", tc.env)
			require.EqualError(t, err, tc.want)
		})
	}
}

// Kubernetes gives every container variables for every service of its namespace, and one is likely called meantime.
func TestOthersVariablesAreLeftAlone(t *testing.T) {
	_, err := validated("",
		"MEANTIME_PORT=tcp://10.0.0.7:10049", "MEANTIME_PORT_10049_TCP=tcp://10.0.0.7:10049", "MEANTIME_PORT_10049_TCP_ADDR=10.0.0.7",
		"MEANTIME_PORT_10049_TCP_PORT=10049", "MEANTIME_PORT_10049_TCP_PROTO=tcp", "MEANTIME_SERVICE_HOST=10.0.0.7",
		"MEANTIME_SERVICE_PORT=10049", "MEANTIME_SERVICE_PORT_WEB=10049", "MEANTIME_STORE_SERVICE_HOST=10.0.0.8", "MEANTIME_WEB_PORT=tcp://10.0.0.9:80")
	require.NoError(t, err)
}

func TestEveryVariableIsItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, k := range Keys() {
		if k.InList {
			continue
		}
		require.Empty(t, seen[k.Env], "%s and %s have the same variable", k.Path, seen[k.Env])
		seen[k.Env] = k.Path
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	write("token", "  s3cret\n")
	write("dsn", "sqlite:elsewhere.db\n")
	write("meantime.yml", `
store: {dsn_file: dsn}
web: {webhook_token_file: token, write_token_file: `+filepath.Join(dir, "token")+`}
prometheuses: [{url: "http://p", basic_auth: {username: me, password_file: ./token}, headers: {X-Key: "file:token"}}]
sources: [{name: a, type: file, dir: ../a}]
`)
	got, err := validated(filepath.Join(dir, "meantime.yml"))
	require.NoError(t, err)
	require.Equal(t, "s3cret", got.Web.WebhookToken.Reveal())
	require.Equal(t, "s3cret", got.Web.WriteToken.Reveal())
	require.Equal(t, "s3cret", got.Prometheuses[0].Password.Reveal())
	require.Equal(t, "s3cret", got.Prometheuses[0].Headers[0].Secret.Reveal())
	require.Equal(t, DSN("sqlite:elsewhere.db"), got.Store.DSN)
	require.Equal(t, filepath.Join(filepath.Dir(dir), "a"), got.Sources[0].Dir)
}

func TestEnvironmentChoosesBetweenDSNAndItsFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "meantime.yml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dsn"), []byte("sqlite:of-the-file.db\n"), 0o600))
	for _, tc := range []struct{ text, env, want string }{
		{"store: {dsn_file: dsn}", "X=", "sqlite:of-the-file.db"},
		{"store: {dsn_file: dsn}", "MEANTIME_STORE_DSN=sqlite:x.db", "sqlite:x.db"},
		{"store: {dsn_file: dsn}", "MEANTIME_STORE_DSN=sqlite:meantime.db", "sqlite:meantime.db"},
		{"store: {dsn: 'sqlite:x.db'}", "MEANTIME_STORE_DSN_FILE=" + filepath.Join(dir, "dsn"), "sqlite:of-the-file.db"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(tc.text), 0o600))
		got, err := validated(file, tc.env)
		require.NoError(t, err)
		require.Equal(t, DSN(tc.want), got.Store.DSN, tc)
	}
}

func TestDefaultSource(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("incidents", 0o700))
	want := []Source{{Name: "incidents", Type: "file", Dir: "./incidents", Interval: time.Minute, Timeout: 30 * time.Second}}
	got, err := validated("")
	require.NoError(t, err)
	require.Equal(t, want, got.Sources)
	require.Equal(t, []string{"incidents"}, got.Rules.Sources)

	require.NoError(t, os.WriteFile("meantime.yml", []byte("windows: [7d]\n"), 0o600))
	got, err = validated("meantime.yml")
	require.NoError(t, err)
	require.Equal(t, want, got.Sources, "a file that names no sources changes nothing")

	got, err = validated("meantime.yml", "MEANTIME_SOURCES=[]")
	require.NoError(t, err)
	require.Empty(t, got.Sources, "an empty list says that there are none")

	require.NoError(t, os.Remove("incidents"))
	require.NoError(t, os.WriteFile("incidents", nil, 0o600))
	got, err = validated("")
	require.NoError(t, err)
	require.Empty(t, got.Sources, "a file of that name is no folder")
}
