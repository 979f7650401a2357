package post

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tell of letters.
type Metrics struct {
	attempts *prometheus.CounterVec
	end      *prometheus.GaugeVec
}

// NewMetrics makes them. They are not exposed where reg is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meantime_letter_posts_total", Help: "Attempts to post a letter to its webhook, by what became of them.",
		}, []string{"letter", "outcome"}),
		end: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "meantime_letter_told_timestamp_seconds",
			Help: "The end of the newest period whose letter was taken by its webhook; where none was yet, since when it is wanted.",
		}, []string{"letter"}),
	}
	if reg != nil {
		reg.MustRegister(m.attempts, m.end)
	}
	return m
}

func (m *Metrics) failed(letter string) { m.attempts.WithLabelValues(letter, "failed").Inc() }

func (m *Metrics) posted(letter string, end time.Time) {
	m.attempts.WithLabelValues(letter, "posted").Inc()
	m.upTo(letter, end)
}

func (m *Metrics) upTo(letter string, end time.Time) {
	m.end.WithLabelValues(letter).Set(float64(end.Unix()))
}
