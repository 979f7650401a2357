package source

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tell of every source whether it answers.
type Metrics struct {
	up       *prometheus.GaugeVec
	success  *prometheus.GaugeVec
	polls    *prometheus.CounterVec
	errors   *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := []string{"source"}
	m := &Metrics{
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_up", Help: "Whether the last poll of the source could read all of it; no value before the first poll is done.",
		}, labels),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_last_success_timestamp_seconds", Help: "When the source was last read without a mistake.",
		}, labels),
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_polls_total", Help: "Polls of the source.",
		}, labels),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_errors_total", Help: "Polls of the source that failed.",
		}, labels),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meantime_source_poll_duration_seconds", Help: "Duration of the polls of the source.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60},
		}, labels),
	}
	if reg != nil {
		reg.MustRegister(m.up, m.success, m.polls, m.errors, m.duration)
	}
	return m
}

// sourceMetrics are those of one source.
type sourceMetrics struct {
	*Metrics
	name string
}

// of makes a source's counters appear at 0.
func (m *Metrics) of(name string) *sourceMetrics {
	m.polls.WithLabelValues(name)
	m.errors.WithLabelValues(name)
	return &sourceMetrics{m, name}
}

func (m *sourceMetrics) polled(err error, took time.Duration, now time.Time) {
	m.polls.WithLabelValues(m.name).Inc()
	m.duration.WithLabelValues(m.name).Observe(took.Seconds())
	if err != nil {
		m.errors.WithLabelValues(m.name).Inc()
		m.up.WithLabelValues(m.name).Set(0)
		return
	}
	m.up.WithLabelValues(m.name).Set(1)
	m.success.WithLabelValues(m.name).Set(float64(now.UnixNano()) / 1e9)
}

func (m *Metrics) forget(name string) {
	m.up.DeleteLabelValues(name)
	m.success.DeleteLabelValues(name)
	m.polls.DeleteLabelValues(name)
	m.errors.DeleteLabelValues(name)
	m.duration.DeleteLabelValues(name)
}
