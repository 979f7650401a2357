package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store/sqlstore"
	"meantime/test/servers"
	"meantime/webhook"
)

// BenchmarkStore measures a Meantime at rest, and with a small and a large store, over each database: the first correlation and the
// most memory that it took, a scrape against the same number of ready-made metrics, memory, the time from start to ready, the time from a new fact to the incident it
// changes, and that of a correlation pass. Filling the large one takes minutes.
func BenchmarkStore(b *testing.B) {
	for _, db := range databases {
		for _, size := range []struct {
			incidents, episodes int
		}{{0, 0}, {1000, 10_000}, {100_000, 1_000_000}} {
			b.Run(fmt.Sprintf("%s/%d incidents %d episodes", db.name, size.incidents, size.episodes), func(b *testing.B) {
				dsn := db.open(b)
				now := time.Now().UTC()
				begun := time.Now()
				fill(b, dsn, now, 89, size.incidents, size.episodes)
				b.Logf("filled in %.0f s", time.Since(begun).Seconds())
				m := servers.Meantime(b, servers.MeantimeOptions{Config: "windows: [7d, 28d, 90d]\nsources: []\n", DSN: dsn})
				settle(b, m, size.episodes)
				b.Logf("correlated after %.0f s, %.1f s of processor time", time.Since(begun).Seconds(), cpuTime(b, m.Pid()))
				first, peak := series(b, m, passSeconds), memory(b, m.Pid(), "VmHWM")
				b.ResetTimer()
				for b.Loop() {
					require.NoError(b, m.Stop())
					start := time.Now()
					m.Restart()
					ready := time.Since(start).Seconds()
					b.ReportMetric(ready, "s-to-ready")

					scrapes(b, m)
					resident := memory(b, m.Pid(), "VmRSS")
					b.ReportMetric(resident, "MB-resident")
					if size.episodes == 1_000_000 {
						of := ", 1,000,000 episodes and 100,000 incidents, " + db.name
						results.atMost("first correlation"+of, first, 120, "s")
						results.atMost("start to ready"+of, ready, 2, "s")
						results.atMost("resident"+of, resident, 250, "MB")
					}
					seconds, passes := series(b, m, passSeconds), series(b, m, passCount)
					b.ReportMetric(reaction(b, m, now), "s-to-correlate")
					b.ReportMetric((series(b, m, passSeconds)-seconds)/(series(b, m, passCount)-passes), "s-for-a-pass")
					b.ReportMetric(series(b, m, "meantime_store_size_bytes")/1e6, "MB-on-disk")
				}
				b.ReportMetric(first, "s-first-correlation")
				b.ReportMetric(peak, "MB-peak")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkMonth is what thirty days of 100,000 alerts and 300 incidents each leave: the first correlation, a start, memory, and one
// more alert as it fires. Filling it takes many minutes.
func BenchmarkMonth(b *testing.B) {
	const days, each, of = 30, 100_000, ", 30 days of 100,000 alerts"
	dsn := databases[0].open(b)
	fill(b, dsn, time.Now().UTC(), days, days*300, days*each)
	m := servers.Meantime(b, servers.MeantimeOptions{Config: "windows: [7d, 28d, 90d]\nsources: []\n", DSN: dsn})
	settle(b, m, days*each)
	results.add("first correlation"+of, series(b, m, passSeconds), "s")
	results.add("most memory resident at the first correlation"+of, memory(b, m.Pid(), "VmHWM"), "MB")
	for b.Loop() {
		require.NoError(b, m.Stop())
		start := time.Now()
		m.Restart()
		results.atMost("start to ready"+of, time.Since(start).Seconds(), 2, "s")
		settled(b, m)
		resident := memory(b, m.Pid(), "VmRSS")
		results.add("resident"+of, resident, "MB")
		results.atMost("memory for each alert"+of, resident*1e3/(days*each), 3, "kB")
		results.atMost("one more alert as it fires, processor time"+of, oneMore(b, m), 50, "ms")
	}
	b.ReportMetric(0, "ns/op")
}

// The time of correlation passes and their number.
const (
	passSeconds = "meantime_correlation_pass_duration_seconds_sum"
	passCount   = "meantime_correlation_pass_duration_seconds_count"
)

// series is the value of one series.
func series(b *testing.B, m *servers.MeantimeServer, name string) (v float64) {
	for line := range strings.Lines(string(m.Must("GET", "/metrics", nil))) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			_, err := fmt.Sscan(rest, &v)
			require.NoError(b, err)
			return v
		}
	}
	b.Fatalf("no %s", name)
	return 0
}

// fill stores incidents and episodes spread evenly over the last days: what Meantime makes of records and notifications, each
// received when its alerts had ended, but without a Meantime that correlates meanwhile, so that it is all there after a
// minute or two.
func fill(b *testing.B, dsn string, now time.Time, days, incidents, episodes int) {
	const perPut = 1000
	perBody := min(200, 1+episodes/(days*24*2)) // half an hour of them
	store, err := sqlstore.Open(b.Context(), dsn, sqlstore.Options{})
	require.NoError(b, err)
	defer func() { require.NoError(b, store.Close()) }()
	jobs := make(chan func() error)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for job := range jobs {
				if err := job(); err != nil {
					b.Errorf("fill: %v", err)
				}
			}
		})
	}
	at := func(i, n int) time.Time {
		return now.Add(-time.Duration(float64(days) * float64(24*time.Hour) * float64(i+1) / float64(n)))
	}
	for i := 0; i < incidents; i += perPut {
		jobs <- func() error {
			var f incident.Facts
			for k := i; k < min(i+perPut, incidents); k++ {
				start := at(k, incidents)
				f.Records = append(f.Records, incident.Record{
					Source: "bench", ID: fmt.Sprint(k), Title: fmt.Sprintf("Incident %d", k), Services: []string{fmt.Sprintf("service-%d", k%100)},
					Severity: []string{"critical", "warning"}[k%2], State: incident.StateResolved, DetectedBy: incident.ByStaff,
					Milestones: map[incident.MilestoneName]incident.Stated{
						incident.Started: {At: start}, incident.Detected: {At: start.Add(4 * time.Minute)}, incident.Acknowledged: {At: start.Add(6 * time.Minute)},
						incident.Mitigated: {At: start.Add(30 * time.Minute)}, incident.Resolved: {At: start.Add(45 * time.Minute)},
					},
				})
			}
			_, err := store.Put(b.Context(), f, now)
			return err
		}
	}
	for i := 0; i < episodes; i += perBody {
		jobs <- func() error {
			var list []map[string]any
			for k := i; k < min(i+perBody, episodes); k++ {
				start := at(k, episodes)
				list = append(list, map[string]any{
					"status": "resolved", "startsAt": start, "endsAt": start.Add(10 * time.Minute), "annotations": map[string]string{},
					"labels": map[string]string{
						"alertname": fmt.Sprintf("Alert%d", k%40), "service": fmt.Sprintf("service-%d", (k/10)%100), "severity": "warning",
						"instance": fmt.Sprintf("10.0.%d.%d:8080", k/250, k%250),
					},
				})
			}
			body, err := json.Marshal(map[string]any{"version": "4", "groupKey": "{}:{}", "externalURL": "http://alertmanager.example.org", "status": "resolved", "alerts": list})
			if err != nil {
				return err
			}
			heard := at(i, episodes).Add(15 * time.Minute)
			w := httptest.NewRecorder()
			hook := webhook.New(webhook.Options{Store: store, Now: func() time.Time { return heard }}).Alertmanager()
			hook.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook/alertmanager", bytes.NewReader(body)))
			if w.Code != http.StatusOK {
				return fmt.Errorf("status %d: %s", w.Code, w.Body)
			}
			return nil
		}
	}
	close(jobs)
	wg.Wait()
}

// settle waits until every episode is correlated.
func settle(b *testing.B, m *servers.MeantimeServer, episodes int) {
	servers.Eventually(b, 30*time.Minute, func() error {
		n := 0.0
		for line := range bytes.Lines(m.Must("GET", "/metrics", nil)) {
			var v float64
			if rest, ok := bytes.CutPrefix(line, []byte(`meantime_alert_episodes{`)); ok &&
				bytes.HasPrefix(line, []byte(`meantime_alert_episodes{affected_service="",`)) &&
				bytes.Contains(rest, []byte(`severity=""`)) && bytes.Contains(rest, []byte(`window="90d"`)) {
				_, err := fmt.Sscan(string(line[bytes.LastIndexByte(line, ' ')+1:]), &v)
				require.NoError(b, err)
				n += v
			}
		}
		if int(n) != episodes {
			return fmt.Errorf("%.0f of %d episodes are correlated", n, episodes)
		}
		return nil
	})
}

// scrapes compares scrapes of Meantime with scrapes of the same metrics ready-made, in turns, by the fastest of each and
// by the processor time of all.
func scrapes(b *testing.B, m *servers.MeantimeServer) {
	exposition := m.Must("GET", "/metrics", nil)
	file := filepath.Join(b.TempDir(), "metrics")
	require.NoError(b, os.WriteFile(file, exposition, 0o644))
	other := bare(b, "metrics", file)
	n := 0
	for line := range bytes.Lines(exposition) {
		if line[0] != '#' {
			n++
		}
	}
	scrape := func(of target) (seconds, cpu float64) {
		start, before := time.Now(), cpuTime(b, of.pid)
		for range 10 {
			resp, err := client.Get(of.url + "/metrics")
			require.NoError(b, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(b, err)
			require.NoError(b, resp.Body.Close())
			require.Equal(b, http.StatusOK, resp.StatusCode)
		}
		return time.Since(start).Seconds() / 10, cpuTime(b, of.pid) - before
	}
	best, bareBest, cpu, bareCPU := math.Inf(1), math.Inf(1), 0.0, 0.0
	for range 10 {
		seconds, used := scrape(other)
		bareBest, bareCPU = min(bareBest, seconds), bareCPU+used
		seconds, used = scrape(target{m.URL, m.Pid()})
		best, cpu = min(best, seconds), cpu+used
	}
	b.ReportMetric(best/bareBest, "times-ready-made")
	b.ReportMetric(cpu/bareCPU, "times-ready-made-cpu")
	b.ReportMetric(best*1e3, "ms/scrape")
	b.ReportMetric(float64(n), "series")
}

// reaction is the time from the acknowledgement of a new record until its incident can be read: the median of several.
func reaction(b *testing.B, m *servers.MeantimeServer, now time.Time) float64 {
	var all []float64
	for i := range 11 {
		id := fmt.Sprintf("new-%d-%d", m.Pid(), i)
		m.Must("PUT", "/api/v1/records/bench/"+id, map[string]any{
			"id": id, "title": id, "services": []string{"service-7"}, "severity": "critical", "state": "resolved",
			"milestones": map[string]any{"started": now.Add(-time.Hour), "resolved": now.Add(-time.Minute)},
		})
		start, path := time.Now(), "/api/v1/incidents?service=service-7&limit=50&from="+now.Add(-2*time.Hour).Format(time.RFC3339)
		for !strings.Contains(string(m.Must("GET", path, nil)), id) {
			if time.Since(start) > time.Minute {
				b.Fatalf("record %s is not an incident after a minute", id)
			}
			time.Sleep(5 * time.Millisecond)
		}
		all = append(all, time.Since(start).Seconds())
	}
	return median(all)
}

// memory is what a process holds now (VmRSS) or held at most (VmHWM), in MB.
func memory(b *testing.B, pid int, which string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(text)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, which+": %f kB", &kB); n == 1 {
			return kB * 1024 / 1e6
		}
	}
	b.Fatalf("no %s", which)
	return 0
}

// cpuTime is the processor time a process has used, in seconds.
func cpuTime(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	// The name in brackets can hold anything; utime and stime are the 12th and 13th field after it, in hundredths.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var user, system float64
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	require.NoError(b, err)
	return (user + system) / 100
}
