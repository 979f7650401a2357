package alertmanager

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what Alertmanager knew that its notifications had not told.
type Metrics struct {
	found  *prometheus.CounterVec
	closed *prometheus.CounterVec
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
	}
	if reg != nil {
		reg.MustRegister(m.found, m.closed)
	}
	return m
}

func (m *Metrics) reconciled(source string, found, closed int) {
	m.found.WithLabelValues(source).Add(float64(found))
	m.closed.WithLabelValues(source).Add(float64(closed))
}
