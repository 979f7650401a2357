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

// families are the names of all metrics that the daemon can expose, of which many have no value until something happens.
func families(t *testing.T) []string {
	m := newMetrics()
	_, err := sqlstore.Open(t.Context(), "sqlite:"+t.TempDir()+"/m.db", sqlstore.Options{Registerer: m.registry})
	require.NoError(t, err)
	require.NoError(t, m.show(nil, collector.New(collector.Options{Intervals: incident.DefaultIntervals(), Objectives: []measure.Objective{{Interval: "resolve"}}})))
	ch := make(chan *prometheus.Desc, 10_000)
	m.registry.Describe(ch)
	close(ch)
	name := regexp.MustCompile(`fqName: "(meantime_[a-z0-9_]+)"`)
	var out []string
	for d := range ch {
		if found := name.FindStringSubmatch(d.String()); found != nil {
			out = append(out, found[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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
