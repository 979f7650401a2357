// Package promql reads every query of the dashboards and rules with the parser of the newest Prometheus, and looks for
// rates of what is no counter and for figures that two replicas would double. It is a module of its own, because that parser brings more than all of Meantime.
package promql

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestQueries(t *testing.T) {
	gauges := gauges(t)
	require.Contains(t, gauges, "meantime_incidents")
	queries := append(dashboardQueries(t), ruleQueries(t)...)
	require.Greater(t, len(queries), 100)
	for place, expr := range queries {
		require.Empty(t, mistake(expr, gauges), "query %d: %s", place, expr)
	}
}

// TestMistake shows that the test above can fail.
func TestMistake(t *testing.T) {
	gauges := []string{"meantime_incidents"}
	require.Empty(t, mistake(`max by (window) (meantime_incidents{window="$window"})`, gauges))
	require.Empty(t, mistake(`rate(meantime_webhook_requests_total[$__rate_interval])`, gauges))
	require.Contains(t, mistake(`sum(meantime_incidents`, gauges), "parse error")
	require.Equal(t, "increase of the gauge meantime_incidents", mistake(`max(increase(meantime_incidents[1d]))`, gauges))
	require.Equal(t, "sum of what every replica tells of meantime_incidents", mistake(`sum by (window) (meantime_incidents)`, gauges))
	require.Equal(t, "meantime_incidents of each replica", mistake(`meantime_incidents{window="28d"} / 2`, gauges))
	require.Empty(t, mistake(`sum(max by (detected_by) (meantime_incidents)) + sum(rate(meantime_webhook_requests_total[5m]))`, gauges))
}

// mistake says what is wrong with a query; empty where nothing is.
func mistake(expr string, gauges []string) (found string) {
	filled := strings.NewReplacer(
		"$window", "28d", "$__rate_interval", "5m", "$__interval_ms", "60000", "${__to:date:seconds}", "1700000000", "$__interval", "1m",
		"$__range", "1d",
	).Replace(expr)
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(filled)
	if err != nil {
		return err.Error()
	}
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		s, ok := node.(*parser.VectorSelector)
		if ok && shared.MatchString(s.Name) {
			found = cmp.Or(found, doubled(s.Name, path))
		}
		if !ok || !slices.Contains(gauges, s.Name) {
			return nil
		}
		for _, p := range path {
			if c, ok := p.(*parser.Call); ok && slices.Contains([]string{"rate", "irate", "increase"}, c.Func.Name) {
				found = c.Func.Name + " of the gauge " + s.Name
			}
		}
		return nil
	})
	return found
}

// shared are the metrics of what replicas share, which are the same on each of them.
var shared = regexp.MustCompile(`^meantime_(incidents|measurements|interval|impact|objective|missed|late|alert|open|oldest|incident|milestones|suggested|postmortem|watchdog|blind|other)_?`)

// doubled says how a query would show a shared metric twice where two replicas are scraped; empty where it would not.
func doubled(metric string, path []parser.Node) string {
	for _, p := range slices.Backward(path) {
		a, ok := p.(*parser.AggregateExpr)
		switch {
		case !ok:
		case a.Op == parser.MAX || a.Op == parser.MIN:
			return ""
		default:
			return a.Op.String() + " of what every replica tells of " + metric
		}
	}
	return metric + " of each replica"
}

// gauges lists the gauges that Meantime has, by the golden file of its exposition.
func gauges(t *testing.T) (names []string) {
	text, err := os.ReadFile("../e2e/testdata/metrics.golden")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 4 && f[1] == "TYPE" && f[3] == "gauge" {
			names = append(names, f[2])
		}
	}
	return names
}

// dashboardQueries lists every query of every dashboard.
func dashboardQueries(t *testing.T) (queries []string) {
	files, err := filepath.Glob("../../dashboards/*.json")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		var dashboard struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		require.NoError(t, json.Unmarshal(text, &dashboard), f)
		for _, p := range dashboard.Panels {
			for _, x := range p.Targets {
				queries = append(queries, x.Expr)
			}
		}
	}
	return queries
}

// ruleQueries lists the expression of every rule.
func ruleQueries(t *testing.T) (queries []string) {
	for _, name := range []string{"alerts.yaml", "records.yaml"} {
		text, err := os.ReadFile("../../dashboards/" + name)
		require.NoError(t, err)
		var rules struct {
			Groups []struct{ Rules []struct{ Expr string } }
		}
		require.NoError(t, yaml.Unmarshal(text, &rules))
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				queries = append(queries, r.Expr)
			}
		}
	}
	return queries
}
