package dashboards_test

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"meantime/api"
	"meantime/collector"
	"meantime/correlate"
	"meantime/incident"
	"meantime/source"
	"meantime/source/file"
	"meantime/store/sqlstore"
	"meantime/webhook"
)

// recorder is a registerer that only writes down what is registered: each metric's name with its labels.
type recorder map[string][]string

var descOf = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

func (r recorder) Register(c prometheus.Collector) error {
	ch := make(chan *prometheus.Desc)
	go func() { c.Describe(ch); close(ch) }()
	for d := range ch {
		m := descOf.FindStringSubmatch(d.String())
		r[m[1]] = nil
		if m[2] != "" {
			r[m[1]] = strings.Split(m[2], ",")
		}
	}
	return nil
}

func (r recorder) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		_ = r.Register(c)
	}
}

func (r recorder) Unregister(prometheus.Collector) bool { return false }

// known lists every metric that Prometheus has of Meantime, asked of the code that makes them.
func known(t *testing.T) recorder {
	r := recorder{
		// The daemon's own, and those of the libraries and of Prometheus.
		"meantime_build_info":                                   {"version", "revision", "branch", "goversion", "goos", "goarch", "tags"},
		"meantime_config_last_reload_successful":                nil,
		"meantime_config_last_reload_success_timestamp_seconds": nil,
		"meantime_external_url_info":                            {"url"},
		"meantime_lease_held":                                   nil,
		"meantime_store_entries":                                {"kind"},
		"meantime_postmortem_questions":                         {"kind"},
		"ALERTS_FOR_STATE":                                      nil,
		"go_memstats_heap_inuse_bytes":                          nil,
		"process_cpu_seconds_total":                             nil,
		"process_resident_memory_bytes":                         nil,
		"process_start_time_seconds":                            nil,
		"scrape_duration_seconds":                               nil,
		"scrape_samples_scraped":                                nil,
	}
	r.MustRegister(collector.New(collector.Options{Intervals: incident.DefaultIntervals()}))
	source.NewMetrics(r)
	file.NewMetrics(r)
	webhook.NewMetrics(r)
	api.NewMetrics(r)
	correlate.NewMetrics(r)
	s, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), sqlstore.Options{Registerer: r})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return r
}

// labelsOf are the labels of a metric by the name it has in a query, which for a histogram can end in _bucket.
func (r recorder) labelsOf(name string) ([]string, bool) {
	if l, ok := r[name]; ok {
		return l, true
	}
	for _, s := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, s); ok {
			if l, ok := r[base]; ok {
				return append([]string{"le"}, l...), true
			}
		}
	}
	return nil, false
}

// selection is one metric of a query with the text of its matchers.
type selection struct {
	metric   string
	matchers map[string]string // label -> operator and value, several joined by a space
}

var (
	selected = regexp.MustCompile(`\b((?:meantime|go|process|scrape)_[a-z0-9_]+|ALERTS_FOR_STATE)(\{[^}]*\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)("[^"]*")`)
)

func selections(expr string) []selection {
	var out []selection
	for _, m := range selected.FindAllStringSubmatch(expr, -1) {
		s := selection{m[1], map[string]string{}}
		for _, x := range matcher.FindAllStringSubmatch(m[2], -1) {
			s.matchers[x[1]] = strings.TrimSpace(s.matchers[x[1]] + " " + x[2] + x[3])
		}
		out = append(out, s)
	}
	return out
}
