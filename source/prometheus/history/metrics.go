package history

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tell how far the past has been read.
type Metrics struct {
	read     *prometheus.GaugeVec
	from, to *prometheus.GaugeVec
	episodes *prometheus.CounterVec
	requests *prometheus.CounterVec
	samples  *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := []string{"source"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		read: gauge("meantime_history_read_ratio", "How much of the configured past of a Prometheus has been read, 0 to 1."),
		from: gauge("meantime_history_from_timestamp_seconds", "Since when the past of a Prometheus has been read."),
		to:   gauge("meantime_history_to_timestamp_seconds", "Until when the past of a Prometheus has been read."),
		episodes: counter("meantime_history_episodes_total", "Alert episodes found in the past of a Prometheus, by what became of them: "+
			"stored, ignored by alerts.ignore, dropped on the way to Alertmanager, elsewhere (no receiver of theirs sends here), "+
			"before (they began before all that there is), refused.", "source", "outcome"),
		requests: counter("meantime_history_requests_total", "Questions to a Prometheus about its past.", "source"),
		samples:  counter("meantime_history_samples_total", "Samples that a Prometheus answered about its past.", "source"),
	}
	if reg != nil {
		reg.MustRegister(m.read, m.from, m.to, m.episodes, m.requests, m.samples)
	}
	return m
}

// outcome is what became of an episode that was found.
type outcome string

const (
	stored    outcome = "stored"
	ignored   outcome = "ignored"
	dropped   outcome = "dropped"
	elsewhere outcome = "elsewhere"
	tooOld    outcome = "before"
	refused   outcome = "refused"
)

var outcomes = []outcome{stored, ignored, dropped, elsewhere, tooOld, refused}

// begin makes a source's counters appear at 0.
func (m *Metrics) begin(source string) {
	for _, o := range outcomes {
		m.episodes.WithLabelValues(source, string(o))
	}
	m.requests.WithLabelValues(source)
	m.samples.WithLabelValues(source)
}

func (m *Metrics) asked(source string, samples int) {
	m.requests.WithLabelValues(source).Inc()
	m.samples.WithLabelValues(source).Add(float64(samples))
}

func (m *Metrics) found(source string, o outcome) {
	m.episodes.WithLabelValues(source, string(o)).Inc()
}

func (m *Metrics) reached(source string, ratio float64, from, to time.Time) {
	m.read.WithLabelValues(source).Set(ratio)
	m.from.WithLabelValues(source).Set(float64(from.UnixMilli()) / 1000)
	m.to.WithLabelValues(source).Set(float64(to.UnixMilli()) / 1000)
}

func (m *Metrics) forget(source string) {
	for _, v := range []*prometheus.GaugeVec{m.read, m.from, m.to} {
		v.DeleteLabelValues(source)
	}
	for _, o := range outcomes {
		m.episodes.DeleteLabelValues(source, string(o))
	}
	m.requests.DeleteLabelValues(source)
	m.samples.DeleteLabelValues(source)
}
