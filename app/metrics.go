package app

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"meantime/access"
	"meantime/api"
	"meantime/collector"
	"meantime/correlate"
	"meantime/letter/post"
	"meantime/source"
	"meantime/source/alertmanager"
	"meantime/source/file"
	promsource "meantime/source/prometheus"
	"meantime/source/prometheus/history"
	"meantime/store"
	"meantime/web"
	"meantime/webhook"
)

// metrics is the registry with the metrics of every part, in one visible list. They outlive reloads.
type metrics struct {
	registry *prometheus.Registry
	figures  figures

	stored  *prometheus.GaugeVec
	bytes   prometheus.Gauge
	backlog prometheus.Gauge

	questions *prometheus.GaugeVec
	external  *prometheus.GaugeVec
	lease     prometheus.Gauge

	secrets  prometheus.Gauge
	reloadOK prometheus.Gauge
	reloadAt prometheus.Gauge

	access       *access.Metrics
	webhook      *webhook.Metrics
	api          *api.Metrics
	pages        *web.Metrics
	sources      *source.Metrics
	files        *file.Metrics
	alertmanager *alertmanager.Metrics
	prometheus   *promsource.Metrics
	history      *history.Metrics
	correlate    *correlate.Metrics
	letters      *post.Metrics
}

func newMetrics() *metrics {
	reg := prometheus.NewRegistry()
	m := &metrics{
		registry: reg,
		stored: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_store_entries", Help: "What the store holds, by kind: sightings of alerts, records, incidents.",
		}, []string{"kind"}),
		bytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_store_size_bytes", Help: "What the store takes on disk; 0 where the database does not say.",
		}),
		backlog: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_correlation_backlog", Help: "Changes that are stored and not yet correlated.",
		}),
		questions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_postmortem_questions", Help: "What written postmortems leave open and nobody has answered, by kind.",
		}, []string{"kind"}),
		external: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_external_url_info", Help: "Always 1; url is where this process is reached from outside, for links of dashboards.",
		}, []string{"url"}),
		lease: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_lease_held", Help: "1 where this process is the one that correlates and reads the sources, 0 where it follows another.",
		}),
		secrets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_unreadable_secrets", Help: "Files of secrets that cannot be used as they are now; the last good values are.",
		}),
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_last_reload_successful", Help: "1 where the newest configuration was taken, 0 where it had a mistake and the old one stays.",
		}),
		reloadAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_last_reload_success_timestamp_seconds", Help: "When a configuration was last taken.",
		}),
		access: access.NewMetrics(reg), webhook: webhook.NewMetrics(reg), api: api.NewMetrics(reg), pages: web.NewMetrics(reg), sources: source.NewMetrics(reg),
		files: file.NewMetrics(reg), alertmanager: alertmanager.NewMetrics(reg), prometheus: promsource.NewMetrics(reg),
		history: history.NewMetrics(reg), correlate: correlate.NewMetrics(reg),
		letters: post.NewMetrics(reg),
	}
	reg.MustRegister(m.stored, m.bytes, m.backlog, m.questions, m.external, m.lease, m.secrets, m.reloadOK, m.reloadAt,
		versioncollector.NewCollector("meantime"),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// reloaded notes how a reload, or the start, went.
func (m *metrics) reloaded(err error, at time.Time) {
	if err != nil {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadAt.Set(float64(at.UnixNano()) / 1e9)
}

// size notes what the store holds.
func (m *metrics) size(s store.Stats) {
	m.stored.WithLabelValues("sightings").Set(float64(s.Sightings))
	m.stored.WithLabelValues("records").Set(float64(s.Records))
	m.stored.WithLabelValues("incidents").Set(float64(s.Incidents))
	m.bytes.Set(float64(s.Bytes))
	m.backlog.Set(float64(s.Backlog))
}

// figures are those of the newest collector. They are registered once, so that no scrape comes between two and sees none.
type figures struct {
	newest atomic.Pointer[collector.Collector]
}

func (f *figures) Describe(ch chan<- *prometheus.Desc) { f.newest.Load().Describe(ch) }

func (f *figures) Collect(ch chan<- prometheus.Metric) { f.newest.Load().Collect(ch) }

// show exposes what a collector says in place of what the one before it said.
func (m *metrics) show(c *collector.Collector) error {
	if before := m.figures.newest.Swap(c); before != nil {
		return nil
	}
	return m.registry.Register(&m.figures)
}

// handler answers a scrape.
func (m *metrics) handler(logger *slog.Logger) http.Handler {
	return promhttp.InstrumentMetricHandler(m.registry, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError), Registry: m.registry, EnableOpenMetrics: true,
	}))
}
