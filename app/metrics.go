package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"meantime/source/file"
)

// metrics tell how the last reload went, and hold those that outlive a reload.
type metrics struct {
	reloadAt prometheus.Gauge
	ok       prometheus.Gauge
	files    *file.Metrics
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		ok: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_last_reload_successful", Help: "1 where the newest configuration was taken, 0 where it had a mistake and the old one stays.",
		}),
		reloadAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_config_last_reload_success_timestamp_seconds", Help: "When a configuration was last taken.",
		}),
	}
	m.files = file.NewMetrics(reg)
	reg.MustRegister(m.ok, m.reloadAt)
	return m
}

// reloaded notes how a reload, or the start, went.
func (m *metrics) reloaded(err error, at time.Time) {
	if err != nil {
		m.ok.Set(0)
		return
	}
	m.ok.Set(1)
	m.reloadAt.Set(float64(at.UnixNano()) / 1e9)
}
