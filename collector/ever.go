package collector

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"meantime/incident"
	"meantime/measure"
)

// buckets of the classic histogram: 1m 2m 5m 10m 15m 30m 1h 2h 4h 8h 12h 1d 3d 7d 30d.
var buckets = []float64{60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 259200, 604800, 2592000}

// ever is the all-time histogram: it only grows, whatever is corrected later. Its histograms are real ones, but what a
// scrape sends of them is made when they change.
type ever struct {
	intervals []incident.Interval
	durations *prometheus.HistogramVec
	restated  *prometheus.CounterVec
	desc      *prometheus.Desc // of durations

	mu       sync.Mutex
	places   map[seriesKey]int // in shown
	shown    []prometheus.Metric
	snapshot atomic.Pointer[[]prometheus.Metric] // a copy of shown
}

// seriesKey names one histogram.
type seriesKey struct {
	interval string
	measure.Labels
}

// keyOf is the key of labels from outside, which may be no UTF-8.
func keyOf(interval string, l measure.Labels) seriesKey {
	valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	return seriesKey{valid(interval), measure.Labels{Service: valid(l.Service), Severity: valid(l.Severity), DetectedBy: incident.DetectedBy(valid(string(l.DetectedBy)))}}
}

func newEver(intervals []incident.Interval) *ever {
	e := &ever{
		intervals: intervals,
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "meantime_interval_duration_seconds",
			Help:    "All-time durations: each interval of an incident counts once, when the incident has settled, under its first service; never taken back.",
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
		places: map[seriesKey]int{},
	}
	descs := make(chan *prometheus.Desc, 1)
	e.durations.Describe(descs)
	e.desc = <-descs
	for _, iv := range intervals {
		e.restated.WithLabelValues(iv.Name)
	}
	return e
}

// observe counts values, with exemplars where they are new.
func (e *ever) observe(values iter.Seq[measure.Observation], exemplars bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed := map[seriesKey]bool{}
	for v := range values {
		k := keyOf(v.Interval, v.Labels)
		h := e.histogram(k)
		if x, ok := h.(prometheus.ExemplarObserver); ok && exemplars && len(v.Incident) <= 64 && utf8.ValidString(v.Incident) {
			x.ObserveWithExemplar(v.Seconds, prometheus.Labels{"incident": v.Incident})
		} else {
			h.Observe(v.Seconds)
		}
		changed[k] = true
	}
	e.show(changed)
}

// know makes the histograms at 0 those of the given labels: which labels incidents have now is a function of the facts, and
// every process shows the same, whatever they had meanwhile.
func (e *ever) know(labels []measure.Labels) {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed, known := map[seriesKey]bool{}, make(map[seriesKey]bool, len(labels)*len(e.intervals))
	for _, l := range labels {
		for _, iv := range e.intervals {
			k := keyOf(iv.Name, l)
			known[k] = true
			if _, ok := e.places[k]; !ok {
				e.histogram(k)
				changed[k] = true
			}
		}
	}
	e.drop(known)
	e.show(changed)
}

// drop takes away the histograms that have counted nothing and are not among those known.
func (e *ever) drop(known map[seriesKey]bool) {
	gone := map[int]bool{}
	for k, i := range e.places {
		if m, ok := e.shown[i].(*ready); ok && !known[k] && m.histogram.GetSampleCount() == 0 {
			gone[i] = true
			delete(e.places, k)
			e.durations.DeleteLabelValues(k.interval, k.Service, k.Severity, string(k.DetectedBy))
		}
	}
	if len(gone) == 0 {
		return
	}
	kept, moved := make([]prometheus.Metric, 0, len(e.shown)-len(gone)), make([]int, len(e.shown))
	for i, m := range e.shown {
		if moved[i] = len(kept); !gone[i] {
			kept = append(kept, m)
		}
	}
	for k, i := range e.places {
		e.places[k] = moved[i]
	}
	e.shown = kept
	shown := e.shown
	e.snapshot.Store(&shown)
}

func (e *ever) histogram(k seriesKey) prometheus.Observer {
	return e.durations.WithLabelValues(k.interval, k.Service, k.Severity, string(k.DetectedBy))
}

// show makes anew what a scrape sends of the histograms that changed.
func (e *ever) show(changed map[seriesKey]bool) {
	if len(changed) == 0 {
		return
	}
	e.shown = slices.Clone(e.shown) // a scrape may be reading the one before
	for k := range changed {
		var m dto.Metric
		h, ok := e.histogram(k).(prometheus.Metric)
		if !ok || h.Write(&m) != nil {
			continue // a histogram is a metric, and writing one does not fail
		}
		made := &ready{desc: e.desc, labels: m.Label, histogram: m.Histogram}
		if i, ok := e.places[k]; ok {
			e.shown[i] = made
		} else {
			e.places[k] = len(e.shown)
			e.shown = append(e.shown, made)
		}
	}
	shown := e.shown
	e.snapshot.Store(&shown)
}

func (e *ever) restate(n map[string]int) {
	for interval, k := range n {
		e.restated.WithLabelValues(interval).Add(float64(k))
	}
}

func (e *ever) describe(ch chan<- *prometheus.Desc) {
	e.durations.Describe(ch)
	e.restated.Describe(ch)
}

func (e *ever) collect(ch chan<- prometheus.Metric) {
	if s := e.snapshot.Load(); s != nil {
		for _, m := range *s {
			ch <- m
		}
	}
	e.restated.Collect(ch)
}
