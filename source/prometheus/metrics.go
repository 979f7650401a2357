package prometheus

import (
	"github.com/prometheus/client_golang/prometheus"

	"meantime/incident"
)

// Metrics count what Prometheus was asked.
type Metrics struct {
	questions *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{questions: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meantime_source_conditions_total",
		Help: "Questions when an alert's condition became true, by answer: measured, estimated from the rule's for, or unknown.",
	}, []string{"source", "answer"})}
	if reg != nil {
		reg.MustRegister(m.questions)
	}
	return m
}

func (m *Metrics) asked(source string, how incident.ConditionSource) {
	answer := "unknown"
	switch how {
	case incident.ConditionMeasured:
		answer = "measured"
	case incident.ConditionFromFor:
		answer = "estimated"
	}
	m.questions.WithLabelValues(source, answer).Inc()
}
