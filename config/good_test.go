package config

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/correlate/catalog"
	"meantime/incident"
)

func loadText(t *testing.T, text string) *Validated {
	t.Helper()
	c, err := load("test.yml", []byte(text), nil)
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	return v
}

func TestEveryGoodFile(t *testing.T) {
	files, err := os.ReadDir("testdata/good")
	require.NoError(t, err)
	for _, f := range files {
		_, err := validated("testdata/good/" + f.Name())
		require.NoError(t, err, f.Name())
	}
}

func TestNoValueIsTheDefault(t *testing.T) {
	want := loadText(t, "sources: []")
	for _, text := range []string{
		"sources: []\nstore:\nwindows: ~\ncorrelate: {places: , open: {quiet: null}}\n",
		"sources: []\nstore: {}\n",
		"---\n# nothing else\nsources: [ ]\n",
	} {
		require.Equal(t, want, loadText(t, text), text)
	}
}

func TestListsReplaceTheDefault(t *testing.T) {
	v := loadText(t, "windows: [15y]\nservices: {labels: [team]}\nseverities: {order: [sev1, sev2]}\n")
	require.Equal(t, []Window{{"15y", 15 * 365 * day}}, v.Windows)
	require.Equal(t, []string{"team"}, v.Rules.Services.Labels)
	require.Equal(t, []string{"sev1", "sev2"}, v.Rules.Severities.Order)
	require.Empty(t, loadText(t, "correlate: {open: {group_by: []}}").Rules.Open.GroupBy)
}

func TestWindowsKeepTheirNames(t *testing.T) {
	v := loadText(t, "windows: [1w, 1h30m, '4w2d']")
	require.Equal(t, []Window{{"1w", 7 * day}, {"1h30m", 90 * time.Minute}, {"4w2d", 30 * day}}, v.Windows)
}

func TestRetention(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"windows: [7d]":      400 * day,
		"windows: [7d, 15y]": 15 * 365 * day,
		"{windows: [15y], store: {retention: {episodes: 30d}}}":  30 * day,
		"{windows: [15y], store: {retention: {episodes: 0d}}}":   0,
		"{windows: [15y], store: {retention: {episodes: '0'}}}":  -1,
		"{windows: [15y], store: {retention: {episodes: null}}}": 15 * 365 * day,
	} {
		c, err := load("test.yml", []byte(text), nil)
		if want < 0 {
			require.EqualError(t, err, `test.yml:1: store.retention.episodes: a duration needs a unit: "0"; write 0m or 0s`)
			continue
		}
		require.NoError(t, err)
		v, err := c.Validate()
		require.NoError(t, err)
		require.Equal(t, want, v.Store.Retention, text)
	}
}

func TestIntervalsAddOrReplaceByName(t *testing.T) {
	v := loadText(t, `
intervals:
  - {name: fix, from: identified, to: mitigated}
  - {name: detect, from: condition_true, to: detected}
`)
	want := incident.DefaultIntervals()
	want[0].From = incident.PointCondition
	want = append(want, incident.Interval{Name: "fix", From: "identified", To: "mitigated"})
	require.Equal(t, want, v.Intervals)
}

func TestObjectiveOfANewInterval(t *testing.T) {
	v := loadText(t, `
objectives: [{severity: sev1, interval: fix, within: 30m}]
intervals: [{name: fix, from: identified, to: mitigated}]
severities: {order: [sev1], aliases: [{severity: sev1, names: [SEV-1, P1]}]}
`)
	require.Equal(t, []Objective{{"sev1", "fix", 30 * time.Minute}}, v.Objectives)
	require.Equal(t, []catalog.SeverityAlias{{Severity: "sev1", Names: []string{"SEV-1", "P1"}}}, v.Rules.Severities.Aliases)
}

func TestOpenMatchers(t *testing.T) {
	v := loadText(t, `
correlate:
  open:
    matchers: ['severity="critical"', env="prod"]
    any:
      - matchers: ['page="yes"']
      - matchers: ['{tier=~"0|1", env!="test"}']
`)
	var got []string
	for _, set := range v.Rules.Open.Matchers {
		got = append(got, set.String())
	}
	require.Equal(t, []string{`{severity="critical",env="prod"}`, `{page="yes"}`, `{tier=~"0|1",env!="test"}`}, got)
}

// By default the gravest severities open incidents, by the words that people use, in the labels of the configuration, with the
// first severity of its order; an empty list lets none.
func TestWhatOpensByDefault(t *testing.T) {
	opens := func(v *Validated, label, value string) bool {
		return slices.ContainsFunc(v.Rules.Open.Matchers, func(m labels.Matchers) bool { return catalog.Matches(m, map[string]string{label: value}) })
	}
	usual := loadText(t, "")
	for _, word := range []string{
		"critical", "Critical", "CRIT", "page", "pager", "Paging", "emergency", "fatal", "disaster", "urgent",
		"P0", "p1", "P-1", "prio1", "Priority 1", "S1", "SEV-1", "sev1", "Sev_0", "severity1",
	} {
		require.True(t, opens(usual, "severity", word), word)
	}
	for _, word := range []string{"warning", "ticket", "info", "none", "P2", "SEV-2", "sev10", "high", "critically", "homepage", ""} {
		require.False(t, opens(usual, "severity", word), word)
	}
	require.False(t, opens(usual, "level", "critical"), "another label says nothing")

	other := loadText(t, "severities: {labels: [level, priority], order: [Red, yellow], aliases: [{severity: Red, names: ['A+']}, {severity: yellow, names: [b]}]}")
	for word, want := range map[string]bool{"red": true, "a+": true, "aa": false, "critical": true, "yellow": false, "b": false} {
		require.Equal(t, want, opens(other, "level", word), word)
		require.Equal(t, want, opens(other, "priority", word), word)
		require.False(t, opens(other, "severity", word), word)
	}

	require.Empty(t, loadText(t, "correlate: {open: {matchers: []}}").Rules.Open.Matchers, "nothing opens")
	more := loadText(t, "correlate: {open: {any: [{matchers: ['team=\"db\"']}]}}")
	require.True(t, opens(more, "team", "db"))
	require.True(t, opens(more, "severity", "page"), "further sets are further")
}

func TestWhichAlertsCount(t *testing.T) {
	v := loadText(t, `
alerts: {ignore: [{matchers: ['team="sandbox"']}, {matchers: ['env="dev"', 'alertname!="Down"']}], drop_labels: [prometheus_replica]}
`)
	var got []string
	for _, set := range v.Rules.Ignore {
		got = append(got, set.String())
	}
	require.Equal(t, []string{`{team="sandbox"}`, `{env="dev",alertname!="Down"}`}, got)
	require.Equal(t, []string{"prometheus_replica"}, v.DropLabels)
}

func TestKeysKeepTheirCaseInValues(t *testing.T) {
	// viper lowers the case of keys, also inside lists; the values of ours, label names among them, must keep theirs.
	v := loadText(t, `
services: {labels: [Service], rules: [{matchers: ['nameSpace="Pay"'], service: Checkout}]}
correlate: {open: {group_by: [Region]}}
`)
	require.Equal(t, []string{"Service"}, v.Rules.Services.Labels)
	require.Equal(t, `nameSpace="Pay"`, v.Rules.Services.Rules[0].Matchers[0].String())
	require.Equal(t, "Checkout", v.Rules.Services.Rules[0].Service)
	require.Equal(t, []string{"Region"}, v.Rules.Open.GroupBy)
}

func TestAnchors(t *testing.T) {
	v := loadText(t, `
services: {aliases: [{service: shop, names: &names [Shop, The shop]}], labels: [&l team]}
severities: {labels: [*l]}
correlate: {dependencies: [{service: web, needs: *names}]}
`)
	require.Equal(t, []string{"Shop", "The shop"}, v.Rules.Dependencies[0].Needs)
	require.Equal(t, []string{"team"}, v.Rules.Severities.Labels)
}

func TestAliasBomb(t *testing.T) {
	list := func(what string, n int) string {
		s := "["
		for range n {
			s += what + ", "
		}
		return s + "]"
	}
	text := "windows: " + list("&d 7d", 1) + "\n" +
		"services:\n  aliases: [&a {service: x, names: &n " + list("y", 600) + "}, " + list("*a", 600)[1:] + "\n"
	_, err := load("bomb.yml", []byte(text), nil)
	require.ErrorContains(t, err, "the file says more than 200000 things")
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "28d": 28 * day, "2w": 14 * day,
		"15y": 15 * 365 * day, "250ms": 250 * time.Millisecond, "0s": 0, " 7d ": 7 * day,
	} {
		d, err := ParseDuration(text)
		require.NoError(t, err)
		require.Equal(t, want, d.Value(), text)
	}
	for _, text := range []string{"", "5", "0", "-1", "1e3", "5.5", "5 m", "m", "5M", "1d1y", "300y", "1h-5m", "0x10", "Inf", "nan", "５m"} {
		_, err := ParseDuration(text)
		require.Error(t, err, text)
	}
	for want, d := range map[string]time.Duration{"400d": 400 * day, "7d": 7 * day, "90m": 90 * time.Minute, "10s": 10 * time.Second, "500ms": 500 * time.Millisecond, "0s": 0} {
		require.Equal(t, want, DurationOf(d).String())
		back, err := ParseDuration(want)
		require.NoError(t, err)
		require.Equal(t, DurationOf(d), back)
	}
}

func TestValidateWhatAProgramSet(t *testing.T) {
	// A flag outranks file and environment: the program sets the field and validates.
	c, err := Load("", nil)
	require.NoError(t, err)
	c.Store.DSN = "nonsense"
	_, err = c.Validate()
	require.EqualError(t, err, "store.dsn: unknown kind of database; write sqlite:FILE or postgres://USER@HOST/DATABASE")
	d := Default()
	d.Sources = []SourceConfig{}
	_, err = d.Validate()
	require.NoError(t, err, "the default configuration has no mistakes")
}
