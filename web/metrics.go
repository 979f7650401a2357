package web

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics count and time the requests for pages.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_web_requests_total",
			Help: "Requests for the pages that people look at, by handler and HTTP status code.",
		}, []string{"handler", "code"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{
			Name:                        "meantime_web_request_duration_seconds",
			Help:                        "Time taken to answer requests for pages, by handler.",
			Buckets:                     []float64{.005, .025, .1, .5, 1, 5, 10},
			NativeHistogramBucketFactor: 1.1,
		}, []string{"handler"}),
	}
}

// instrument counts and times the requests to h under the handler's name.
func (m *Metrics) instrument(name string, h http.Handler) http.Handler {
	l := prometheus.Labels{"handler": name}
	return promhttp.InstrumentHandlerDuration(m.duration.MustCurryWith(l),
		promhttp.InstrumentHandlerCounter(m.requests.MustCurryWith(l), h))
}
