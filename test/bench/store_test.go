package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// BenchmarkStore measures a Meantime at rest, and with a small and a large store: a scrape against the same number of
// ready-made metrics, memory, the time from start to ready, and the time from a new fact to the incident it changes.
// Filling the large one takes minutes.
func BenchmarkStore(b *testing.B) {
	for _, size := range []struct {
		incidents, episodes int
	}{{0, 0}, {1000, 10_000}, {100_000, 1_000_000}} {
		b.Run(fmt.Sprintf("%d incidents %d episodes", size.incidents, size.episodes), func(b *testing.B) {
			m := servers.Meantime(b, servers.MeantimeOptions{Config: "windows: [7d, 28d, 90d]\nsources: []\n"})
			now := time.Now().UTC()
			fill(b, m, now, size.incidents, size.episodes)
			settle(b, m, size.episodes)
			b.ResetTimer()
			for b.Loop() {
				require.NoError(b, m.Stop())
				start := time.Now()
				m.Restart()
				b.ReportMetric(time.Since(start).Seconds(), "s-to-ready")

				ours, theirs, series := scrapes(b, m)
				b.ReportMetric(ours/theirs, "of-ready-made")
				b.ReportMetric(ours*1e3, "ms/scrape")
				b.ReportMetric(series, "series")
				b.ReportMetric(resident(b, m.Pid()), "MB-resident")
				b.ReportMetric(reaction(b, m, now).Seconds(), "s-to-correlate")
				if info, err := os.Stat(m.Database()); err == nil {
					b.ReportMetric(float64(info.Size())/1e6, "MB-on-disk")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fill tells Meantime of incidents and episodes spread evenly over the last 90 days.
func fill(b *testing.B, m *servers.MeantimeServer, now time.Time, incidents, episodes int) {
	const perBody = 200
	jobs := make(chan func() (int, []byte, error))
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for job := range jobs {
				if status, answer, err := job(); err != nil || status/100 != 2 {
					b.Errorf("status %d: %v %s", status, err, answer)
				}
			}
		})
	}
	at := func(i, n int) time.Time {
		return now.Add(-time.Duration(float64(89*24*time.Hour) * float64(i+1) / float64(n)))
	}
	for i := range incidents {
		jobs <- func() (int, []byte, error) {
			start := at(i, incidents)
			return m.Do("PUT", fmt.Sprintf("/api/v1/records/bench/%d", i), map[string]any{
				"id": fmt.Sprint(i), "title": fmt.Sprintf("Incident %d", i), "services": []string{fmt.Sprintf("service-%d", i%100)},
				"severity": []string{"critical", "warning"}[i%2], "state": "resolved", "detected_by": "staff",
				"milestones": map[string]any{
					"started": start, "detected": start.Add(4 * time.Minute), "acknowledged": start.Add(6 * time.Minute),
					"mitigated": start.Add(30 * time.Minute), "resolved": start.Add(45 * time.Minute),
				},
			})
		}
	}
	for i := 0; i < episodes; i += perBody {
		jobs <- func() (int, []byte, error) {
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
				return 0, nil, err
			}
			return m.Do("POST", "/webhook/alertmanager", body)
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

// scrapes compares scrapes of Meantime with scrapes of the same metrics ready-made: seconds of the fastest of each, in
// turns, and the number of series.
func scrapes(b *testing.B, m *servers.MeantimeServer) (ours, theirs, series float64) {
	exposition := m.Must("GET", "/metrics", nil)
	file := filepath.Join(b.TempDir(), "metrics")
	require.NoError(b, os.WriteFile(file, exposition, 0o644))
	other := bare(b, "metrics", file)
	for line := range bytes.Lines(exposition) {
		if line[0] != '#' {
			series++
		}
	}
	scrape := func(url string) float64 {
		start := time.Now()
		resp, err := client.Get(url + "/metrics")
		require.NoError(b, err)
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, resp.StatusCode)
		return time.Since(start).Seconds()
	}
	ours, theirs = math.Inf(1), math.Inf(1)
	for range 50 {
		theirs, ours = min(theirs, scrape(other)), min(ours, scrape(m.URL))
	}
	return ours, theirs, series
}

// reaction is the time from the acknowledgement of a new record until its incident can be read; the median of several.
func reaction(b *testing.B, m *servers.MeantimeServer, now time.Time) time.Duration {
	var sequence atomic.Int64
	var all []float64
	for range 11 {
		id := fmt.Sprintf("new-%d-%d", m.Pid(), sequence.Add(1))
		m.Must("PUT", "/api/v1/records/bench/"+id, map[string]any{
			"id": id, "title": id, "services": []string{"service-7"}, "severity": "critical", "state": "resolved",
			"milestones": map[string]any{"started": now.Add(-time.Hour), "resolved": now.Add(-time.Minute)},
		})
		start := time.Now()
		servers.Eventually(b, time.Minute, func() error {
			answer := m.Must("GET", "/api/v1/incidents?service=service-7&limit=50&from="+now.Add(-2*time.Hour).Format(time.RFC3339), nil)
			if !strings.Contains(string(answer), id) {
				return fmt.Errorf("record %s is not an incident yet", id)
			}
			return nil
		})
		all = append(all, time.Since(start).Seconds())
	}
	return time.Duration(median(all) * float64(time.Second))
}

// resident is the memory a process holds, in MB.
func resident(b *testing.B, pid int) float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("memory is read from /proc: %v", err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb float64
		if n, _ := fmt.Sscanf(s.Text(), "VmRSS: %f kB", &kb); n == 1 {
			return kb * 1024 / 1e6
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
