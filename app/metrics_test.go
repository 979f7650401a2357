package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"meantime/collector"
	"meantime/incident"
	"meantime/measure"
	"meantime/store/sqlstore"
)

// descriptions are those of all metrics that the daemon can expose, of which many have no value until something happens.
func descriptions(t *testing.T) []string {
	m := newMetrics()
	_, err := sqlstore.Open(t.Context(), "sqlite:"+t.TempDir()+"/m.db", sqlstore.Options{Registerer: m.registry})
	require.NoError(t, err)
	require.NoError(t, m.show(collector.New(collector.Options{Intervals: incident.DefaultIntervals(), Objectives: []measure.Objective{{Interval: "resolve"}}})))
	ch := make(chan *prometheus.Desc, 10_000)
	m.registry.Describe(ch)
	close(ch)
	var out []string
	for d := range ch {
		out = append(out, d.String())
	}
	return out
}

// families are the names of all metrics of Meantime's own.
func families(t *testing.T) []string {
	name := regexp.MustCompile(`fqName: "(meantime_[a-z0-9_]+)"`)
	var out []string
	for _, d := range descriptions(t) {
		if found := name.FindStringSubmatch(d); found != nil {
			out = append(out, found[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ofTargets are the labels that Prometheus' operator and its usual configurations give to a target. A metric that carries one
// of them has it renamed to exported_… by every scrape, so that rules and dashboards find the target's own in its place.
var ofTargets = []string{"endpoint", "service", "namespace", "pod", "container", "instance", "job", "node", "cluster"}

func clashes(description string) (out []string) {
	for _, part := range []string{`variableLabels: \{([^}]*)\}`, `constLabels: \{([^}]*)\}`} {
		found := regexp.MustCompile(part).FindStringSubmatch(description)
		for _, label := range strings.FieldsFunc(found[1], func(c rune) bool { return c == ',' || c == ' ' }) {
			label, _, _ = strings.Cut(label, "=")
			if slices.Contains(ofTargets, label) {
				out = append(out, label)
			}
		}
	}
	return out
}

func TestNoMetricHasALabelOfTargets(t *testing.T) {
	const name, help = "meantime_x", "Of a test."
	require.Equal(t, []string{"pod", "job"}, clashes(prometheus.NewDesc(name, help, []string{"kind", "pod"}, prometheus.Labels{"job": "a"}).String()))
	require.Empty(t, clashes(prometheus.NewDesc(name, help, []string{"affected_service"}, nil).String()))
	for _, d := range descriptions(t) {
		require.Empty(t, clashes(d), d)
	}
}

// Every metric is in docs/metrics.md, and nothing else is.
func TestMetricsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	var documented []string
	for line := range strings.Lines(string(doc)) {
		if !strings.HasPrefix(line, "| `meantime_") {
			continue
		}
		cell, _, _ := strings.Cut(line[2:], " |")
		for _, n := range regexp.MustCompile("`(meantime_[a-z0-9_]+)").FindAllStringSubmatch(cell, -1) {
			documented = append(documented, n[1])
		}
	}
	slices.Sort(documented)
	require.Equal(t, families(t), documented)
}
