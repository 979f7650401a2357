package measure

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"meantime/incident"
)

// many are incidents of 50 services over the 90 days before t0, a few still open.
func many(n int) iter.Seq2[incident.Incident, error] {
	return func(yield func(incident.Incident, error) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			s := -float64(r.IntN(90*day)) - 1
			inc := made(fmt.Sprintf("r%016x", i), at{"started": s, "detected": s + r.ExpFloat64()*5, "acknowledged": s + 6, "mitigated": s + 20, "resolved": s + r.ExpFloat64()*60}, func(x *incident.Incident) {
				x.Title = fmt.Sprintf("Requests to the service number %d are slow or fail", i%50)
				x.Services = []string{fmt.Sprintf("service-%d", i%50)}
				x.Severity = []string{"critical", "warning", "info"}[i%3]
				x.Impacts = []incident.Impact{{From: minute(s), To: minute(s + 20)}}
				if i%1000 == 0 {
					delete(x.Milestones, "resolved")
					open(x)
				}
			})
			if !yield(inc, nil) {
				return
			}
		}
	}
}

func manyVerdicts(n int) iter.Seq2[incident.Verdict, error] {
	return func(yield func(incident.Verdict, error) bool) {
		r := rand.New(rand.NewPCG(3, 4))
		for i := range n {
			v := incident.Verdict{
				Episode: incident.Episode{Fingerprint: fmt.Sprintf("%016x", i%5000), StartsAt: minute(-r.Float64() * 90 * day), Labels: map[string]string{"alertname": fmt.Sprintf("Alert%d", i%200)}},
				Service: fmt.Sprintf("service-%d", i%50), Severity: []string{"critical", "warning", "info"}[i%3], Outcome: incident.Outcomes[i%3],
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

var manyOptions = Options{
	Windows:   []Window{{"7d", 7 * 24 * time.Hour}, {"28d", 28 * 24 * time.Hour}, {"90d", 90 * 24 * time.Hour}},
	Intervals: incident.DefaultIntervals(), Newest: 100, MaxServices: 100, MaxNames: 20,
}

func full(b *testing.B, incidents, verdicts int) *Book {
	b.Helper()
	book := NewBook(manyOptions)
	if err := book.Load(many(incidents), manyVerdicts(verdicts)); err != nil {
		b.Fatal(err)
	}
	return book
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkMemory reports what a book of 100,000 incidents and a million episodes holds, and a ledger of the former.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		ledger := NewLedger(incident.DefaultIntervals(), 100, 0)
		before := heap()
		book := full(b, 100_000, 0)
		incidents := heap() - before
		runtime.KeepAlive(book)
		book = full(b, 100_000, 1_000_000)
		b.ReportMetric(incidents/1e6, "MB-incidents")
		b.ReportMetric((heap()-before)/1e6, "MB-all")
		book.Figures(t0)
		b.ReportMetric((heap()-before)/1e6, "MB-with-figures")
		runtime.KeepAlive(book)

		var incs []incident.Incident
		for inc, err := range many(100_000) {
			if err != nil {
				b.Fatal(err)
			}
			incs = append(incs, inc)
			if len(incs) == 1000 {
				incs = commit(ledger, incs)
			}
		}
		incs = nil
		b.ReportMetric((heap()-before)/1e6, "MB-ledger")
		runtime.KeepAlive(ledger)
	}
}

// commit gives a batch to the ledger, and the batch back, empty.
func commit(l *Ledger, incs []incident.Incident) []incident.Incident {
	l.Commit(l.Next(incs, t0))
	clear(incs)
	return incs[:0]
}

// BenchmarkFigures is the cost of the figures after nothing, one incident or one episode changed, as the clock goes on by a second.
func BenchmarkFigures(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		for _, what := range []string{"all", "nothing", "incident", "episode"} {
			b.Run(fmt.Sprintf("incidents=%d/changed=%s", n, what), func(b *testing.B) {
				book := full(b, n, 10*n)
				now := t0
				book.Figures(now)
				i := 0
				for b.Loop() {
					i++
					now = now.Add(time.Millisecond)
					switch what {
					case "all":
						book.last = nil
					case "incident":
						book.Apply([]incident.Incident{made("changing", at{"started": -10, "resolved": float64(i)}, func(x *incident.Incident) { x.Services = []string{"service-1"} })}, nil)
					case "episode":
						book.ApplyVerdicts([]incident.Verdict{{Episode: incident.Episode{Fingerprint: "ff", StartsAt: minute(-1)}, Service: "service-1", Outcome: incident.Outcomes[i%3]}}, nil)
					}
					book.Figures(now)
				}
			})
		}
	}
}
