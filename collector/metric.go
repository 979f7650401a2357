package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// ready is a metric that was made when a snapshot was published and is only sent at a scrape. Unlike those that
// prometheus.NewConstMetric makes, the many metrics of one group share their labels, which is most of what a metric weighs.
// It is never written to.
type ready struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // by name
	// One of these.
	gauge     *dto.Gauge
	histogram *dto.Histogram
}

func (m *ready) Desc() *prometheus.Desc { return m.desc }

// Write implements prometheus.Metric. What it hands out is shared and read only.
func (m *ready) Write(out *dto.Metric) error {
	out.Label, out.Gauge, out.Histogram = m.labels, m.gauge, m.histogram
	return nil
}

// desc is a description with variable labels.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("meantime_"+name, help, labels, nil)
}

// label is a label that metrics can share.
func label(name, value string) *dto.LabelPair {
	value = strings.ToValidUTF8(value, "\uFFFD")
	return &dto.LabelPair{Name: &name, Value: &value}
}

// gauge is a ready-made gauge. The names of its labels must be those of the description, in any order.
func gauge(d *prometheus.Desc, v float64, labels ...*dto.LabelPair) prometheus.Metric {
	l := slices.Clone(labels)
	slices.SortFunc(l, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return &ready{desc: d, labels: l, gauge: &dto.Gauge{Value: &v}}
}

// unix is a time in unix seconds.
func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
