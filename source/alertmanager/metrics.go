package alertmanager

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what Alertmanager knew that its notifications had not told.
type Metrics struct {
	found  *prometheus.CounterVec
	closed *prometheus.CounterVec

	elsewhere, problems, unread *prometheus.GaugeVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		found: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_found_alerts_total", Help: "Alerts that Alertmanager listed as active for ten minutes and of which no notification came.",
		}, []string{"source"}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_source_closed_alerts_total", Help: "Alerts closed because Alertmanager no longer listed them, though no resolved came.",
		}, []string{"source"}),
		elsewhere: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_unrouted_alerts", Help: "Alerts that Alertmanager listed at the last poll and that were left out, because no receiver of theirs sends here.",
		}, []string{"source"}),
		problems: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_route_problems", Help: "Settings of Alertmanager's routes and receivers that send here and that keep times from being known, by the setting.",
		}, []string{"source", "reason"}),
		unread: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_routes_unread", Help: "1 where Alertmanager's configuration could not be read at the last poll, else 0.",
		}, []string{"source"}),
	}
	if reg != nil {
		reg.MustRegister(m.found, m.closed, m.elsewhere, m.problems, m.unread)
	}
	return m
}

func (m *Metrics) reconciled(source string, found, closed, elsewhere int) {
	m.found.WithLabelValues(source).Add(float64(found))
	m.closed.WithLabelValues(source).Add(float64(closed))
	m.elsewhere.WithLabelValues(source).Set(float64(elsewhere))
}

// routed sets how many problems there are for each reason.
func (m *Metrics) routed(source string, problems []Problem) {
	for _, reason := range reasons {
		n := 0
		for _, p := range problems {
			if p.Reason == reason {
				n++
			}
		}
		m.problems.WithLabelValues(source, string(reason)).Set(float64(n))
	}
}

// read sets whether the configuration could be read.
func (m *Metrics) read(source string, err error) {
	n := 0.0
	if err != nil {
		n = 1
	}
	m.unread.WithLabelValues(source).Set(n)
}

// forget drops the gauges of a source that is asked no more: what they say would never change.
func (m *Metrics) forget(source string) {
	m.elsewhere.DeleteLabelValues(source)
	m.unread.DeleteLabelValues(source)
	m.problems.DeletePartialMatch(prometheus.Labels{"source": source})
}
