package sqlstore

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"meantime/incident"
)

// Options are what a Store can be given. The zero Options are good.
type Options struct {
	Logger     *slog.Logger          // nil means none
	Registerer prometheus.Registerer // nil means no metrics
	Now        func() time.Time      // the clock of the metrics; nil means time.Now
	// ReadOnly opens a store that exists for reading, beside a Meantime that runs on it. Whatever writes is refused.
	ReadOnly bool
	// DSN is what the dsn reads now, for each new connection to PostgreSQL: its password may change. nil means that it is the same.
	DSN func() string
	// Copied and Compared are told how many rows of how many a Copy has dealt with, and has read back from both; nil for nobody.
	Copied, Compared func(done, total int64)

	unfinished bool // opens what a copy has not come to the end of too
}

// metrics tell how the store is doing.
type metrics struct {
	now        func() time.Time
	operations *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	commit     prometheus.Histogram
	writes     prometheus.Histogram
	waiting    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer, now func() time.Time) *metrics {
	m := &metrics{
		now: now,
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_store_operations_total",
			Help: "Operations on the store, by outcome: ok, or the code of the error.",
		}, []string{"operation", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "meantime_store_operation_duration_seconds",
			Help:    "How long operations on the store took, with waiting.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"operation"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "meantime_store_transaction_duration_seconds",
			Help:    "How long one transaction of the writer took, to the end of its fsync.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
		writes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "meantime_store_transaction_writes",
			Help:    "How many writes shared one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7),
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "meantime_store_waiting_writes",
			Help: "Writes that wait for the writer now.",
		}),
	}
	if r != nil {
		r.MustRegister(m.operations, m.seconds, m.commit, m.writes, m.waiting)
	}
	return m
}

// done counts an operation that began at begun and ended with *err. It is deferred.
func (m *metrics) done(operation string, begun time.Time, err *error) {
	outcome := "ok"
	if *err != nil {
		outcome = string(incident.CodeOf(*err))
	}
	m.operations.WithLabelValues(operation, outcome).Inc()
	m.seconds.WithLabelValues(operation).Observe(m.now().Sub(begun).Seconds())
}

// committed counts a transaction of the writer that began at begun and held that many writes.
func (m *metrics) committed(writes int, begun time.Time) {
	m.writes.Observe(float64(writes))
	m.commit.Observe(m.now().Sub(begun).Seconds())
}
