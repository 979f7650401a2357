package webhook

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"meantime/incident"
)

// Metrics count what the webhooks received.
type Metrics struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	bytes     *prometheus.HistogramVec
	alerts    *prometheus.CounterVec
	merges    *prometheus.CounterVec
	truncated prometheus.Counter
	refused   *prometheus.CounterVec
	events    *prometheus.CounterVec
	slow      prometheus.Counter
	ignored   prometheus.Counter
	kept      prometheus.Counter
	bells     *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_webhook_requests_total",
			Help: "Requests to the webhooks, by receiver and status code.",
		}, []string{"receiver", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meantime_webhook_request_duration_seconds", Help: "Time from a request to its answer, which is after the commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"receiver"}),
		bytes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meantime_webhook_body_bytes", Help: "Size of the bodies read.",
			Buckets: prometheus.ExponentialBuckets(256, 4, 9), // to 16 MiB
		}, []string{"receiver"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_webhook_alerts_total",
			Help: "Alerts stored from notifications, by status.",
		}, []string{"status"}),
		merges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_webhook_merges_total",
			Help: "What the alerts of notifications added to what was known: new, repeated by the same Alertmanager, duplicate from another, resolved, or late (firing after its resolved).",
		}, []string{"kind"}),
		truncated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meantime_webhook_truncated_alerts_total",
			Help: "Alerts that notifications left out, as they told.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_webhook_refused_total",
			Help: "Alerts and events refused out of requests that could be read, by receiver and reason.",
		}, []string{"receiver", "reason"}),
		kept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meantime_webhook_mutes_kept_total",
			Help: "Silences and inhibitions told before their alert, kept for it; those whose alert never came are refused as unknown_alert.",
		}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_webhook_events_total",
			Help: "Events of Alertmanager's event recorder received, by type.",
		}, []string{"type"}),
		bells: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_webhooks_total",
			Help: "Webhooks of vendors, which have their source read at once: rung, repeated, ignored, or refused.",
		}, []string{"source", "outcome"}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meantime_webhook_slow_bodies_total",
			Help: "Requests cut with 503 because their body came too slowly.",
		}),
		ignored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meantime_alerts_ignored_total",
			Help: "Alerts of notifications and events that are stored nowhere because the configuration ignores them.",
		}),
	}
	for _, k := range incident.MergeKinds {
		m.merges.WithLabelValues(string(k))
	}
	for _, s := range []string{statusFiring, statusResolved} {
		m.alerts.WithLabelValues(s)
	}
	for _, e := range []string{"alertmanager", "events"} {
		m.requests.WithLabelValues(e, "200")
	}
	for e, reasons := range refusals {
		for _, r := range reasons {
			m.refused.WithLabelValues(e, string(r))
		}
	}
	for _, t := range eventTypes {
		m.events.WithLabelValues(t)
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.duration, m.bytes, m.alerts, m.merges, m.truncated, m.refused,
			m.events, m.slow, m.ignored, m.kept, m.bells)
	}
	return m
}

func (m *Metrics) request(receiver string, status int, took time.Duration) {
	m.requests.WithLabelValues(receiver, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(receiver).Observe(took.Seconds())
}

func (m *Metrics) body(receiver string, size int) {
	m.bytes.WithLabelValues(receiver).Observe(float64(size))
}

// stored counts the alerts of a notification after they were stored.
func (m *Metrics) stored(firing, resolved int, kinds []incident.MergeKind) {
	m.alerts.WithLabelValues(statusFiring).Add(float64(firing))
	m.alerts.WithLabelValues(statusResolved).Add(float64(resolved))
	for _, k := range kinds {
		m.merges.WithLabelValues(string(k)).Inc()
	}
}

// leftOut counts the alerts that a notification told of without carrying them.
func (m *Metrics) leftOut(n uint64) { m.truncated.Add(float64(n)) }

func (m *Metrics) refuse(receiver string, r refusal) {
	m.refused.WithLabelValues(receiver, string(r)).Inc()
}

// ignore counts the alerts that the configuration leaves out.
func (m *Metrics) ignore(n int) { m.ignored.Add(float64(n)) }

// muted counts the mutes that wait for their alert, and those that waited in vain.
func (m *Metrics) muted(r incident.Receipt) {
	for _, known := range r.Mutes {
		if !known {
			m.kept.Inc()
		}
	}
	m.refused.WithLabelValues("events", string(refusedUnknown)).Add(float64(r.MutesForgotten))
}

func (m *Metrics) event(typ string, n int) { m.events.WithLabelValues(typ).Add(float64(n)) }

// Expect makes the counters of a source's webhooks appear at 0.
func (m *Metrics) Expect(source string) {
	for _, o := range bellOutcomes {
		m.bells.WithLabelValues(source, o)
	}
}

// bell counts a vendor's webhook.
func (m *Metrics) bell(source, outcome string) {
	m.Expect(source)
	m.bells.WithLabelValues(source, outcome).Inc()
}
