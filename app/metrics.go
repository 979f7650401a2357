package app

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"meantime/api"
	"meantime/collector"
	"meantime/correlate"
	"meantime/source"
	"meantime/source/alertmanager"
	"meantime/source/file"
	"meantime/web"
	"meantime/webhook"
)

// metrics is the registry with the metrics of every part, in one visible list. They outlive reloads.
type metrics struct {
	registry *prometheus.Registry

	reloadOK prometheus.Gauge
	reloadAt prometheus.Gauge

	webhook      *webhook.Metrics
	api          *api.Metrics
	pages        *web.Metrics
	sources      *source.Metrics
	files        *file.Metrics
	alertmanager *alertmanager.Metrics
	correlate    *correlate.Metrics
}

func newMetrics() *metrics {
	reg := prometheus.NewRegistry()
	m := &metrics{
		registry: reg,
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_last_reload_successful", Help: "1 where the newest configuration was taken, 0 where it had a mistake and the old one stays.",
		}),
		reloadAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_last_reload_success_timestamp_seconds", Help: "When a configuration was last taken.",
		}),
		webhook: webhook.NewMetrics(reg), api: api.NewMetrics(reg), pages: web.NewMetrics(reg), sources: source.NewMetrics(reg),
		files: file.NewMetrics(reg), alertmanager: alertmanager.NewMetrics(reg), correlate: correlate.NewMetrics(reg),
	}
	reg.MustRegister(m.reloadOK, m.reloadAt, versioncollector.NewCollector("meantime"),
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

// show exposes what a collector says in place of what old said, which is nil at first.
func (m *metrics) show(old, c *collector.Collector) error {
	if old != nil {
		m.registry.Unregister(old)
	}
	return m.registry.Register(c)
}

// handler answers a scrape.
func (m *metrics) handler(logger *slog.Logger) http.Handler {
	return promhttp.InstrumentMetricHandler(m.registry, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError), Registry: m.registry, EnableOpenMetrics: true,
	}))
}
