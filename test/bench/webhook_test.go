package bench

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

var (
	before = flag.String("before", "", "another build of Meantime, which BenchmarkWebhooks measures in turns with this one")
	rounds = flag.Int("rounds", 5, "how often BenchmarkWebhooks has each of them take a turn")
)

// connections is how many senders there are at once.
const connections = 64

// databases are the kinds of database, and how to have an empty one.
var databases = []struct {
	name string
	open func(b *testing.B) (dsn string)
}{
	{"SQLite", func(b *testing.B) string { return "sqlite:" + filepath.Join(b.TempDir(), "meantime.db") }},
	{"PostgreSQL", func(b *testing.B) string { return servers.Postgres(b).Database("meantime") }},
}

// BenchmarkWebhooks compares durable webhooks per second with the bare server's, in turns, and reports the median of
// the ratios. Correlation of what came runs beside it, as it does for its users; before the bare server's turn Meantime
// comes to rest, so that what it put off does not slow the other. Because other work on the machine takes from both, it
// also compares the processor time of a webhook, with all that comes of it; of PostgreSQL it knows only Meantime's part.
func BenchmarkWebhooks(b *testing.B) {
	for _, db := range databases {
		for _, load := range []struct {
			connections, alerts int
			atLeast             float64
		}{{1, 1, 0.6}, {16, 1, 0.5}, {64, 1, 0.5}, {1, 100, 0.4}, {16, 100, 0.4}, {64, 100, 0.4}} {
			b.Run(fmt.Sprintf("%s/%d connections %d alerts each", db.name, load.connections, load.alerts), func(b *testing.B) {
				other := bare(b, "webhook", filepath.Join(b.TempDir(), "bodies"))
				m := servers.Meantime(b, servers.MeantimeOptions{Config: "sources: []\n", DSN: db.open(b)})
				our := target{m.URL, m.Pid()}
				var earlier *target
				if *before != "" {
					o := servers.Meantime(b, servers.MeantimeOptions{Config: "sources: []\n", DSN: db.open(b), Program: *before})
					earlier = &target{o.URL, o.Pid()}
				}
				// One sequence for both servers, so that each is new to each.
				var sequence atomic.Int64
				run := func(to target, d time.Duration) (rate, cpu float64) {
					before := cpuTime(b, to.pid)
					n, rate := send(b, to, &sequence, load.connections, load.alerts, d)
					rest(b, to.pid)
					return rate, (cpuTime(b, to.pid) - before) / float64(n)
				}
				run(other, time.Second/2)
				run(our, time.Second/2)
				if earlier != nil {
					run(*earlier, time.Second/2)
				}
				b.ResetTimer()
				for b.Loop() {
					var ratios, cpuRatios, rates, bareRates, earlierRatios, earlierCPU []float64
					for range *rounds {
						bareRate, bareCPU := run(other, 2*time.Second)
						rate, cpu := run(our, 2*time.Second)
						rates, bareRates = append(rates, rate), append(bareRates, bareRate)
						ratios, cpuRatios = append(ratios, rate/bareRate), append(cpuRatios, cpu/bareCPU)
						if earlier != nil {
							rate, cpu := run(*earlier, 2*time.Second)
							earlierRatios, earlierCPU = append(earlierRatios, rate/bareRate), append(earlierCPU, cpu/bareCPU)
						}
					}
					b.ReportMetric(median(ratios), "of-bare")
					b.ReportMetric(median(cpuRatios), "times-bare-cpu")
					b.ReportMetric(median(rates), "webhooks/s")
					b.ReportMetric(median(rates)*float64(load.alerts), "alerts/s")
					b.ReportMetric(median(bareRates), "bare-webhooks/s")
					what := fmt.Sprintf("%s, %d connections, %d alerts each: webhooks of a bare server's", db.name, load.connections, load.alerts)
					results.atLeast(what, median(ratios), load.atLeast, "")
					results.add(what+", processor time", median(cpuRatios), "times")
					if earlier != nil {
						b.ReportMetric(median(earlierRatios), "of-bare-before")
						b.ReportMetric(median(earlierCPU), "times-bare-cpu-before")
						results.add(what+", by the other build", median(earlierRatios), "")
						results.add(what+", processor time, by the other build", median(earlierCPU), "times")
					}
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// send sends notifications over so many connections for a while. It returns how many the server acknowledged, and how many
// per second.
func send(b *testing.B, to target, sequence *atomic.Int64, connections, alerts int, d time.Duration) (n int64, rate float64) {
	var done atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for time.Since(start) < d {
				status, err := post(to.url, notification(sequence.Add(1), alerts, time.Now()))
				if err != nil || status != http.StatusOK {
					b.Errorf("status %d: %v", status, err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return done.Load(), float64(done.Load()) / time.Since(start).Seconds()
}

// BenchmarkBurst is one Alertmanager with 5,000 groups due at once: 1,200 requests under way on 5,000 connections. It
// reports how long until all are acknowledged, and the time that a notification of 5,000 alerts takes.
func BenchmarkBurst(b *testing.B) {
	const groups, atOnce = 5000, 1200
	m := servers.Meantime(b, servers.MeantimeOptions{Config: "sources: []\n"})
	var sequence atomic.Int64
	b.ResetTimer()
	for b.Loop() {
		start := time.Now()
		limit := make(chan struct{}, atOnce)
		var refused atomic.Int64
		var wg sync.WaitGroup
		for range groups {
			limit <- struct{}{}
			wg.Go(func() {
				defer func() { <-limit }()
				if status, err := post(m.URL, notification(sequence.Add(1), 1, time.Now())); err != nil || status != http.StatusOK {
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		b.ReportMetric(time.Since(start).Seconds(), "s-for-5000-groups")
		b.ReportMetric(float64(refused.Load()), "refused")
		results.atMost("refused of 5,000 groups at once", float64(refused.Load()), 0, "")

		body := notification(sequence.Add(1), 5000, time.Now())
		start = time.Now()
		status, err := post(m.URL, body)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, status)
		b.ReportMetric(time.Since(start).Seconds(), "s-for-5000-alerts")
		results.atMost("one notification of 5,000 alerts", time.Since(start).Seconds(), 1, "s")
		b.ReportMetric(float64(len(body))/1e6, "MB")
	}
	b.ReportMetric(0, "ns/op")
}

func post(server string, body []byte) (int, error) {
	resp, err := client.Post(server+"/webhook/alertmanager", "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// notification is one of so many alerts that nobody has seen before, about as large as real ones are.
func notification(sequence int64, alerts int, at time.Time) []byte {
	list := make([]map[string]any, alerts)
	for i := range list {
		list[i] = map[string]any{
			"status": "firing",
			"labels": map[string]string{
				"alertname": fmt.Sprintf("HighErrorRate%d", i%50), "service": fmt.Sprintf("service-%d", sequence%100),
				"severity": "warning", "cluster": "eu-west-1", "namespace": "production", "job": "kubernetes-pods",
				"prometheus": "monitoring/k8s", "region": "eu-west-1", "team": "payments",
				"instance": fmt.Sprintf("10.0.%d.%d:8080", sequence, i), "pod": fmt.Sprintf("service-7d4b9c-%d-%d", sequence, i),
			},
			"annotations": map[string]string{
				"summary": "More than 5 % of the requests are answered with an error.",
				"description": "The share of requests that were answered with a status of 500 and above over the last five minutes is 7.3 %, " +
					"which is more than the 5 % that the service promises. Look at the dashboard first, then at the newest deployment.",
				"runbook_url": "https://runbooks.example.org/high-error-rate",
			},
			"startsAt": at.Add(-time.Minute), "endsAt": time.Time{},
			"generatorURL": "http://prometheus.example.org/graph?g0.expr=sum+by+%28service%29+%28rate%28errors%5B5m%5D%29%29+%3E+0.05&g0.tab=1",
			"fingerprint":  fmt.Sprintf("%016x", uint64(sequence)<<16|uint64(i)),
		}
	}
	b, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": fmt.Sprintf(`{}:{alertname="HighErrorRate", group="%d"}`, sequence), "truncatedAlerts": 0,
		"status": "firing", "receiver": "meantime", "groupLabels": map[string]string{"alertname": "HighErrorRate"},
		"commonLabels": map[string]string{"severity": "warning"}, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager.example.org", "alerts": list,
	})
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return b
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
