package backfill

import (
	"context"
	"io"
	"runtime"
	"testing"
	"time"
)

// BenchmarkYear writes a year of hours of a team with 500 incidents and 5,000 alerts, and says what that is.
func BenchmarkYear(b *testing.B) {
	w := invent(1, 450, 500, 5000)
	for b.Loop() {
		var wrote counter
		out, err := Write(context.Background(), to(&wrote), options(w, t0.AddDate(-1, 0, 0), t0, time.Hour))
		if err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(out.Series), "series")
		b.ReportMetric(float64(out.Samples)/1e6, "Msamples")
		b.ReportMetric(float64(wrote)/1e6, "MB")
		b.ReportMetric(float64(m.Sys)/1e6, "MB-memory")
	}
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

var _ io.Writer = (*counter)(nil)
