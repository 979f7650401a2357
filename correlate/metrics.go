package correlate

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics tell how the Runner's passes go.
type Metrics struct {
	duration            prometheus.Histogram
	incidents, episodes prometheus.Counter
	failures            prometheus.Counter
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		duration: f.NewHistogram(prometheus.HistogramOpts{
			Name: "meantime_correlation_pass_duration_seconds", Help: "How long correlation passes took that found something to do.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, NativeHistogramBucketFactor: 1.1,
		}),
		incidents: f.NewCounter(
			prometheus.CounterOpts{
				Name: "meantime_correlation_incidents_total",
				Help: "Incidents that correlation passes computed new or changed.",
			},
		),
		episodes: f.NewCounter(
			prometheus.CounterOpts{
				Name: "meantime_correlation_episodes_total",
				Help: "Episodes whose verdict correlation passes computed new or changed.",
			},
		),
		failures: f.NewCounter(
			prometheus.CounterOpts{
				Name: "meantime_correlation_failures_total",
				Help: "Correlation passes that ended early and were tried again.",
			},
		),
	}
}

func (m *Metrics) pass(took time.Duration, incidents, episodes int) {
	m.duration.Observe(took.Seconds())
	m.incidents.Add(float64(incidents))
	m.episodes.Add(float64(episodes))
}
