package access

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what a Gate refused.
type Metrics struct{ wrong prometheus.Counter }

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounter(prometheus.CounterOpts{
		Name: "meantime_web_wrong_tokens_total", Help: "Requests with a wrong token.",
	})}
	if reg != nil {
		reg.MustRegister(m.wrong)
	}
	return m
}
