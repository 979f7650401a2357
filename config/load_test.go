package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/correlate"
	"meantime/correlate/catalog"
	"meantime/incident"
)

// validated loads and validates, as the program does.
func validated(path string, environ ...string) (*Validated, error) {
	c, err := Load(path, environ)
	if err != nil {
		return nil, err
	}
	return c.Validate()
}

func TestComplete(t *testing.T) {
	got, err := validated("testdata/good/complete.yml")
	require.NoError(t, err)

	require.Equal(t, Store{DSN: "sqlite:meantime.db", Retention: 400 * day}, got.Store)
	require.Equal(t, []Window{{"7d", 7 * day}, {"28d", 28 * day}, {"90d", 90 * day}}, got.Windows)
	require.Equal(t, incident.DefaultIntervals(), got.Intervals)
	require.Equal(t, []Objective{{"critical", "resolve", time.Hour}}, got.Objectives)
	require.Equal(t, []Alertmanager{{Client: Client{URL: "http://127.0.0.1:9093", Timeout: 10 * time.Second}, ReconcileEvery: time.Minute}}, got.Alertmanagers)
	require.Equal(t, []Prometheus{{Client: Client{URL: "http://127.0.0.1:9090", Timeout: 10 * time.Second}, History: 90 * day, Topology: true}}, got.Prometheuses)
	require.Equal(t, []Source{{
		Name: "ours", Type: "file", Dir: "testdata/good/incidents", Interval: time.Minute, Timeout: 30 * time.Second,
	}}, got.Sources)
	require.Equal(t, Limits{200, 50, 100, 16 << 20, 50000}, got.Limits)
	require.Equal(t, Web{}, got.Web)

	r := got.Rules
	require.Equal(t, `namespace="pay"`, r.Services.Rules[0].Matchers[0].String())
	require.Equal(t, "checkout", r.Services.Rules[0].Service)
	require.Equal(t, []catalog.ServiceAlias{{Service: "checkout", Names: []string{"Check-out", "checkout service"}}}, r.Services.Aliases)
	require.Equal(t, []catalog.Dependency{{Service: "checkout", Needs: []string{"payments-db"}}}, r.Dependencies)
	require.Len(t, r.Open.Matchers, 1)
	require.Equal(t, `severity="critical"`, r.Open.Matchers[0][0].String())
	require.Equal(t, "Watchdog", r.Watchdogs[0].Name)
	require.Equal(t, `alertname="Watchdog"`, r.Watchdogs[0].Matchers[0].String())
	require.Equal(t, 5*time.Minute, r.Watchdogs[0].Every)
	require.Equal(t, []string{"ours"}, r.Sources)

	// What is left are the default rules.
	r.Services.Rules, r.Services.Aliases, r.Dependencies, r.Watchdogs, r.Sources = nil, nil, nil, nil, nil
	r.Open.Matchers = correlate.DefaultRules().Open.Matchers
	require.Equal(t, correlate.DefaultRules(), r)
}

func TestNothingGiven(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := validated("")
	require.NoError(t, err)
	require.Equal(t, &Validated{
		Settle:    72 * time.Hour,
		Store:     Store{DSN: "sqlite:meantime.db", Retention: 400 * day},
		Windows:   []Window{{"7d", 7 * day}, {"28d", 28 * day}, {"90d", 90 * day}},
		Intervals: incident.DefaultIntervals(),
		Rules:     correlate.DefaultRules(),
		Limits:    Limits{200, 50, 100, 16 << 20, 50000},
	}, got)
}
