package collector

import (
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// crowded has n incidents of 20 services and three severities in its windows.
func crowded(b *testing.B, n int) *house {
	h := newHouse(b, 0)
	incs := make([]incident.Incident, n)
	for i := range incs {
		s := -float64(i%(80*24*60)) - 1
		incs[i] = made(fmt.Sprintf("r%016x", i), at{"started": s, "detected": s + 3, "acknowledged": s + 5, "mitigated": s + 20, "resolved": s + 30}, func(x *incident.Incident) {
			x.Services, x.Severity = []string{fmt.Sprintf("service-%d", i%20)}, []string{"critical", "warning", "info"}[i%3]
			x.DetectedBy = incident.Detectors[i/60%2]
			x.Impacts = []incident.Impact{{From: minute(s), To: minute(s + 20)}}
		})
	}
	h.take(incs)
	h.publish(t0)
	return h
}

// consts collects the same families as another gatherer, as the library's own ready-made const metrics.
type consts []prometheus.Metric

func (c consts) Describe(chan<- *prometheus.Desc) {}
func (c consts) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c {
		ch <- m
	}
}

func constsOf(b *testing.B, g prometheus.Gatherer) consts {
	families, err := g.Gather()
	require.NoError(b, err)
	var out consts
	for _, mf := range families {
		for _, m := range mf.Metric {
			var names, values []string
			for _, l := range m.Label {
				names, values = append(names, l.GetName()), append(values, l.GetValue())
			}
			d := prometheus.NewDesc(mf.GetName(), mf.GetHelp(), names, nil)
			switch mf.GetType() {
			case dto.MetricType_GAUGE:
				out = append(out, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, m.Gauge.GetValue(), values...))
			case dto.MetricType_COUNTER:
				out = append(out, prometheus.MustNewConstMetric(d, prometheus.CounterValue, m.Counter.GetValue(), values...))
			case dto.MetricType_HISTOGRAM:
				buckets := map[float64]uint64{}
				for _, x := range m.Histogram.Bucket {
					buckets[x.GetUpperBound()] = x.GetCumulativeCount()
				}
				out = append(out, prometheus.MustNewConstHistogram(d, m.Histogram.GetSampleCount(), m.Histogram.GetSampleSum(), buckets, values...))
			}
		}
	}
	return out
}

// BenchmarkScrape compares a scrape with one of the same number of the library's ready-made const metrics, at 1,000 and 100,000
// incidents. The two take turns and are compared by the processor time they use, so that a busy machine slows both.
func BenchmarkScrape(b *testing.B) {
	registered := func(c prometheus.Collector) *prometheus.Registry {
		reg := prometheus.NewRegistry()
		require.NoError(b, reg.Register(c))
		return reg
	}
	scrape := func(reg *prometheus.Registry) (series int, used time.Duration) {
		before := processorTime(b)
		families, err := reg.Gather()
		require.NoError(b, err)
		e := expfmt.NewEncoder(io.Discard, plain)
		for _, mf := range families {
			series += len(mf.Metric)
			require.NoError(b, e.Encode(mf))
		}
		return series, processorTime(b) - before
	}
	for _, n := range []int{1_000, 100_000} {
		h := crowded(b, n)
		ours, consts := registered(h.c), registered(constsOf(b, h.reg))
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			var ms, ns int
			var mine, theirs time.Duration
			runs := 0
			for b.Loop() {
				runtime.GC() // what one leaves behind is not cleared away in the other's time
				m, t := scrape(ours)
				ms, mine = m, mine+t
				runtime.GC()
				m, t = scrape(consts)
				ns, theirs = m, theirs+t
				runs++
			}
			require.Equal(b, ns, ms)
			b.ReportMetric(float64(ms), "metrics")
			b.ReportMetric(mine.Seconds()*1000/float64(runs), "ms-meantime")
			b.ReportMetric(theirs.Seconds()*1000/float64(runs), "ms-const")
			b.ReportMetric(mine.Seconds()/theirs.Seconds(), "ratio")
		})
	}
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPublish is the cost of a new snapshot after one incident changed.
func BenchmarkPublish(b *testing.B) {
	h := crowded(b, 1_000)
	i := 0
	for b.Loop() {
		i++
		h.take([]incident.Incident{made("changing", at{"started": -float64(i) / 1e6, "resolved": 10})})
		h.publish(t0)
	}
}
