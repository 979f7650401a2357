package sqlstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"meantime/incident"
)

// benchSighting is an alert as a real rule and a real Alertmanager would make it.
func benchSighting(n uint64, at time.Time) incident.Sighting {
	pod := fmt.Sprintf("checkout-7d9f8b6c5d-%05x", n%0xfffff)
	return incident.Sighting{
		Fingerprint: fmt.Sprintf("%016x", n*0x9e3779b97f4a7c15), StartsAt: at, FiringFirst: at.Add(30 * time.Second), FiringLast: at.Add(30 * time.Second), ToldAt: at.Add(30 * time.Second),
		Labels: map[string]string{
			"alertname": "CheckoutErrorBudgetBurn", "cluster": "eu-west-1", "namespace": "checkout", "pod": pod, "service": "checkout",
			"severity": "critical", "prometheus": "monitoring/k8s", "instance": "10.12.7.133:8080",
		},
		Annotations: map[string]string{
			"summary":     "Checkout burns its error budget 14 times too fast",
			"description": "Pod " + pod + " answers 3.2% of its requests with errors, over the last hour and the last five minutes.",
			"runbook_url": "https://runbooks.example.org/checkout/error-budget",
		},
		GeneratorURL:  "http://prometheus.example.org/graph?g0.expr=job%3Aslo_errors%3Arate1h+%3E+14.4%2A0.001&g0.tab=1",
		GroupKeys:     []string{`{}/{severity="critical"}:{alertname="CheckoutErrorBudgetBurn"}`},
		Alertmanagers: []string{"http://alertmanager.example.org:9093"},
	}
}

// commitLog is the bare minimum to compare with: it appends what it is given to a file and returns after an fsync that
// concurrent callers share.
type commitLog struct {
	f       *os.File
	mu      sync.Mutex
	waiting [][]byte
	done    []chan error
	wake    chan struct{}
}

func newCommitLog(path string) (*commitLog, error) {
	f, err := os.Create(path)
	l := &commitLog{f: f, wake: make(chan struct{}, 1)}
	return l, err
}

func (l *commitLog) run() {
	for range l.wake {
		l.mu.Lock()
		waiting, done := l.waiting, l.done
		l.waiting, l.done = nil, nil
		l.mu.Unlock()
		var all []byte
		for _, b := range waiting {
			all = append(all, b...)
		}
		_, err := l.f.Write(all)
		if err == nil {
			err = l.f.Sync()
		}
		for _, d := range done {
			d <- err
		}
	}
}

func (l *commitLog) append(b []byte) error {
	done := make(chan error, 1)
	l.mu.Lock()
	l.waiting, l.done = append(l.waiting, b), append(l.done, done)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return <-done
}

// BenchmarkPut compares durable Puts of 1 and of 100 alerts by 64 callers with a commit log that appends the same
// alerts, written as compactly, to a file.
func BenchmarkPut(b *testing.B) {
	for _, alerts := range []int{1, 100} {
		b.Run(fmt.Sprintf("alerts=%d/file", alerts), func(b *testing.B) {
			l, err := newCommitLog(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			go l.run()
			defer close(l.wake)
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			callers(b, alerts, func(from uint64) error {
				var text []byte
				for i := range alerts {
					s := benchSighting(from+uint64(i), at)
					text = appendSighting(text, &s)
				}
				return l.append(text)
			})
		})
		for _, kind := range []string{"new", "repeated"} {
			b.Run(fmt.Sprintf("alerts=%d/%s", alerts, kind), func(b *testing.B) {
				s, err := Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db"), Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
				callers(b, alerts, func(from uint64) error {
					var f incident.Facts
					for i := range alerts {
						n := from + uint64(i)
						if kind == "repeated" {
							n %= 10_000
						}
						x := benchSighting(n, at)
						if kind == "repeated" {
							x.FiringLast = at.Add(time.Duration(rand.Int64N(1e15)))
						}
						f.Sightings = append(f.Sightings, x)
					}
					_, err := s.Put(context.Background(), f, at)
					return err
				})
			})
		}
	}
}

// callers lets 64 goroutines call do b.N times, with a number that no other call has.
func callers(b *testing.B, alerts int, do func(from uint64) error) {
	const n = 64
	calls := make(chan uint64, n)
	var wg sync.WaitGroup
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for c := range calls {
				if err := do(c * uint64(alerts)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range b.N {
		calls <- uint64(i)
	}
	close(calls)
	wg.Wait()
	b.ReportMetric(float64(b.N*alerts)/b.Elapsed().Seconds(), "alerts/s")
}
