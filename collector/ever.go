package collector

import (
	"iter"

	"github.com/prometheus/client_golang/prometheus"

	"meantime/incident"
	"meantime/measure"
)

// buckets of the classic histogram: 1m 2m 5m 10m 15m 30m 1h 2h 4h 8h 12h 1d 3d 7d 30d.
var buckets = []float64{60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 259200, 604800, 2592000}

// ever is what was counted since ever: it only grows, whatever is corrected later.
type ever struct {
	intervals []incident.Interval
	durations *prometheus.HistogramVec
	restated  *prometheus.CounterVec
}

func newEver(intervals []incident.Interval) *ever {
	e := &ever{
		intervals: intervals,
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "meantime_interval_duration_seconds",
			Help:    "Durations since ever, each counted once when it became known, under the incident's first service; never taken back.",
			Buckets: buckets,
			// At most 10 % between the edges of neighbouring native buckets, from one second up.
			NativeHistogramBucketFactor:    1.1,
			NativeHistogramMaxBucketNumber: 160,
			NativeHistogramZeroThreshold:   1,
		}, []string{"interval", "affected_service", "severity", "detected_by"}),
		restated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_interval_restatements_total",
			Help: "Corrections of durations after they were counted in meantime_interval_duration_seconds.",
		}, []string{"interval"}),
	}
	for _, iv := range intervals {
		e.restated.WithLabelValues(iv.Name)
	}
	return e
}

func (e *ever) of(interval string, l measure.Labels) prometheus.Observer {
	return e.durations.WithLabelValues(interval, l.Service, l.Severity, string(l.DetectedBy))
}

func (e *ever) replay(values iter.Seq[measure.Observation]) {
	for v := range values {
		e.of(v.Interval, v.Labels).Observe(v.Seconds)
	}
}

func (e *ever) observe(values []measure.Observation) {
	for _, v := range values {
		h := e.of(v.Interval, v.Labels)
		if x, ok := h.(prometheus.ExemplarObserver); ok && len(v.Incident) <= 64 {
			x.ObserveWithExemplar(v.Seconds, prometheus.Labels{"incident": v.Incident})
		} else {
			h.Observe(v.Seconds)
		}
	}
}

func (e *ever) restate(n map[string]int) {
	for interval, k := range n {
		e.restated.WithLabelValues(interval).Add(float64(k))
	}
}

func (e *ever) know(labels []measure.Labels) {
	for _, l := range labels {
		for _, iv := range e.intervals {
			e.of(iv.Name, l)
		}
	}
}

func (e *ever) describe(ch chan<- *prometheus.Desc) {
	e.durations.Describe(ch)
	e.restated.Describe(ch)
}

func (e *ever) collect(ch chan<- prometheus.Metric) {
	e.durations.Collect(ch)
	e.restated.Collect(ch)
}
