package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/test/servers"
)

// BenchmarkReset measures a first pass over everything in parts, and one after it of which every tenth incident and episode
// differs: all of it, its last part, and the longest that a fact had to wait meanwhile.
func BenchmarkReset(b *testing.B) {
	const all = 100_000 // incidents; ten times as many episodes
	for name, dsn := range map[string]func(b *testing.B) string{
		"SQLite":     func(b *testing.B) string { return "sqlite:" + filepath.Join(b.TempDir(), "store.db") },
		"PostgreSQL": func(b *testing.B) string { return servers.Postgres(b).Database("reset") },
	} {
		b.Run(name, func(b *testing.B) {
			s, err := Open(b.Context(), dsn(b), Options{})
			require.NoError(b, err)
			defer func() { require.NoError(b, s.Close()) }()
			for b.Loop() {
				measureReset(b, s, "first", all, func(int) string { return "" })
				measureReset(b, s, "next", all, func(n int) string { return []string{"another ", ""}[min(1, n%10)] })
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func measureReset(b *testing.B, s *Store, name string, all int, title func(int) string) {
	ctx, stop := context.WithCancel(b.Context())
	longest := make(chan time.Duration, 1)
	go func() {
		most := time.Duration(0)
		for n := int64(0); ctx.Err() == nil; n++ {
			begun := time.Now()
			if _, err := s.Put(b.Context(), numbered(n), begun); err != nil {
				b.Errorf("put: %v", err)
			}
			most = max(most, time.Since(begun))
		}
		longest <- most
	}()
	begun, last := time.Now(), time.Duration(0)
	for p := range resetParts(all, 5000, title) {
		part := time.Now()
		require.NoError(b, s.Save(ctx, p))
		last = time.Since(part)
	}
	stop()
	b.ReportMetric(time.Since(begun).Seconds(), name+"-s")
	b.ReportMetric(last.Seconds(), name+"-s-last-part")
	b.ReportMetric((<-longest).Seconds(), name+"-s-longest-put")
}

// resetParts are the parts of a pass of so many incidents, each with ten episodes, some incidents at a time.
func resetParts(all, some int, title func(n int) string) func(yield func(incident.Pass) bool) {
	t1 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func(yield func(incident.Pass) bool) {
		for from := 0; from < all; from += some {
			p := incident.Pass{Reset: true, Part: 1 + from/some, More: from+some < all}
			for n := from; n < min(all, from+some); n++ {
				in := benchIncident(n, t1)
				in.Title = title(n) + in.Title
				p.Incidents = append(p.Incidents, in)
				for k := range 10 {
					at := t1.Add(time.Duration(10*n+k) * 7 * time.Second)
					p.Verdicts = append(p.Verdicts, incident.Verdict{
						Episode: incident.Episode{Fingerprint: fmt.Sprintf("%016x", uint64(10*n+k)*0x9e3779b97f4a7c15), StartsAt: at, EndsAt: at.Add(time.Minute), End: incident.EndResolved, Labels: map[string]string{"alertname": "CheckoutErrorBudgetBurn"}},
						Service: "checkout", Severity: "critical", Outcome: incident.OutcomeLinked, Incident: title(n) + in.ID,
					})
				}
				p.Observed = append(p.Observed, incident.Observed{Incident: in.ID, Service: "checkout", Severity: "critical", Seconds: map[string]float64{"detect": 95, "resolve": 3600}})
			}
			if !yield(p) {
				return
			}
		}
	}
}
