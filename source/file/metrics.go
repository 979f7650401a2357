package file

import "github.com/prometheus/client_golang/prometheus"

// Metrics tell what is wrong in the folders. All file sources share them.
type Metrics struct {
	bad     *prometheus.GaugeVec
	unknown *prometheus.GaugeVec
}

// NewMetrics makes the metrics and registers them, unless reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		bad: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_bad_files", Help: "Files of the source with a record that cannot be read, as of the last poll.",
		}, []string{"source"}),
		unknown: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_source_unknown_keys", Help: "Keys in the files of the source that are not read, as of the last poll.",
		}, []string{"source"}),
	}
	if reg != nil {
		reg.MustRegister(m.bad, m.unknown)
	}
	return m
}

func (m *Metrics) found(source string, bad, unknown int) {
	m.bad.WithLabelValues(source).Set(float64(bad))
	m.unknown.WithLabelValues(source).Set(float64(unknown))
}

func (m *Metrics) forget(source string) {
	m.bad.DeleteLabelValues(source)
	m.unknown.DeleteLabelValues(source)
}
