package source

import (
	"errors"
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
	polling  pollingMetrics
}

// pollingMetrics are those of sources that a Poller reads.
type pollingMetrics struct {
	records, cut, limited, stated *prometheus.CounterVec
	remaining, cursor             *prometheus.GaugeVec
}

func newPollingMetrics(reg prometheus.Registerer) pollingMetrics {
	labels := []string{"source"}
	m := pollingMetrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_records_total", Help: "Incidents read from the source, by what became of them.",
		}, []string{"source", "outcome"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_shortened_total",
			Help: "Texts and lists of the source that were longer than a record may hold and were shortened.",
		}, labels),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_rate_limited_total", Help: "Polls that the source's server ended by asking to be left alone.",
		}, labels),
		stated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_stated_references_total", Help: "Alerts and groups of alerts that stored records of the source name exactly.",
		}, labels),
		remaining: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_backfill_remaining_seconds", Help: "How much of the source's past is still to be read, in seconds of that past.",
		}, labels),
		cursor: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_cursor_timestamp_seconds", Help: "Up to when changes of the source are read, by its own clock.",
		}, labels),
	}
	if reg != nil {
		reg.MustRegister(m.records, m.cut, m.limited, m.stated, m.remaining, m.cursor)
	}
	return m
}

// begin makes a source's counters appear at 0.
func (m *pollingMetrics) begin(name string) {
	for _, o := range outcomes {
		m.records.WithLabelValues(name, o)
	}
	m.cut.WithLabelValues(name)
	m.limited.WithLabelValues(name)
	m.stated.WithLabelValues(name)
}

func (m *pollingMetrics) forget(name string) {
	m.records.DeletePartialMatch(prometheus.Labels{"source": name})
	for _, c := range []*prometheus.CounterVec{m.cut, m.limited, m.stated} {
		c.DeleteLabelValues(name)
	}
	m.remaining.DeleteLabelValues(name)
	m.cursor.DeleteLabelValues(name)
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
	m.polling = newPollingMetrics(reg)
	return m
}

// sourceMetrics are those of one source.
type sourceMetrics struct {
	*Metrics
	name string
}

// of makes a source's counters appear at 0.
func (m *Metrics) of(name string, polled bool) *sourceMetrics {
	if polled {
		m.polling.begin(name)
	}
	m.polls.WithLabelValues(name)
	m.errors.WithLabelValues(name)
	return &sourceMetrics{m, name}
}

func (m *sourceMetrics) polled(err error, took time.Duration, now time.Time) {
	m.polls.WithLabelValues(m.name).Inc()
	m.duration.WithLabelValues(m.name).Observe(took.Seconds())
	var again *Again
	if errors.As(err, &again) {
		m.up.WithLabelValues(m.name).Set(1)
		return // not all of it is read
	}
	if err != nil {
		m.errors.WithLabelValues(m.name).Inc()
		m.up.WithLabelValues(m.name).Set(0)
		return
	}
	m.up.WithLabelValues(m.name).Set(1)
	m.success.WithLabelValues(m.name).Set(float64(now.UnixNano()) / 1e9)
}

func (m *Metrics) forget(name string) {
	m.polling.forget(name)
	m.up.DeleteLabelValues(name)
	m.success.DeleteLabelValues(name)
	m.polls.DeleteLabelValues(name)
	m.errors.DeleteLabelValues(name)
	m.duration.DeleteLabelValues(name)
}
