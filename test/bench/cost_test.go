package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// The benchmarks of this file send what costs correlation most to the built program, and report the processor time that it
// takes until it has come to rest, which other work on the machine changes less than the time that passes.

// BenchmarkBurstMemory is a burst of 100,000 alerts, all firing: the most memory that the program held meanwhile, what it holds
// for each alert after it, and what one more alert costs then.
func BenchmarkBurstMemory(b *testing.B) {
	const notifications, alerts = 1000, 100
	m := costly(b)
	idle := heap(b, m)
	for b.Loop() {
		start, before := time.Now(), cpuTime(b, m.Pid())
		at := start.Add(-time.Hour)
		sendAll(b, m.URL, notifications, func(i int) []byte { return notification(int64(i+1), alerts, at.Add(time.Duration(i)*time.Second)) })
		b.ReportMetric(time.Since(start).Seconds(), "s-to-acknowledge")
		settled(b, m)
		results.add("a burst of 100,000 alerts, processor time", cpuTime(b, m.Pid())-before, "s")
		results.atMost("a burst of 100,000 alerts, most memory resident", memory(b, m.Pid(), "VmHWM"), 300, "MB")
		results.atMost("memory for each alert of the working set", (heap(b, m)-idle)/(notifications*alerts)/1e3, 3, "kB")
		results.atMost("one more alert as it fires, 100,000 firing, processor time", oneMore(b, m), 50, "ms")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOneMore is one more alert as it fires, after a day of 100,000 that have ended.
func BenchmarkOneMore(b *testing.B) {
	m := costly(b)
	now := time.Now()
	sendAll(b, m.URL, 1000, func(i int) []byte {
		at := now.Add(-24 * time.Hour).Add(time.Duration(i) * 24 * time.Hour / 1000)
		list := make([]map[string]any, 100)
		for k := range list {
			start := at.Add(time.Duration(k) * 800 * time.Millisecond)
			list[k] = alertOf("Rule"+fmt.Sprint(k%12), fmt.Sprintf("service-%03d", (i*7+k)%200), fmt.Sprintf("10.%d.%d.1", i%50, k), start)
			list[k]["status"], list[k]["endsAt"] = "resolved", start.Add(time.Duration(1+k%15)*time.Minute)
		}
		return message(list)
	})
	settled(b, m)
	for b.Loop() {
		results.atMost("one more alert as it fires, on a day of 100,000, processor time", oneMore(b, m), 50, "ms")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOneService is 30,000 instances of one service at once.
func BenchmarkOneService(b *testing.B) {
	const instances, each = 30_000, 5000
	m := costly(b)
	for b.Loop() {
		start, before := time.Now().Add(-time.Hour), cpuTime(b, m.Pid())
		for from := 0; from < instances; from += each {
			list := make([]map[string]any, each)
			for k := range list {
				i := from + k
				list[k] = alertOf("Down", "checkout", fmt.Sprint("i", i), start.Add(time.Duration(i%3600)*time.Second))
			}
			status, err := post(m.URL, message(list))
			require.NoError(b, err)
			require.Equal(b, http.StatusOK, status)
		}
		settled(b, m)
		results.atMost("30,000 instances of one service at once, processor time", cpuTime(b, m.Pid())-before, 3, "s")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLateWebhook is one alert a month late, of a day on which 44,500 began that fire still.
func BenchmarkLateWebhook(b *testing.B) {
	const late, notifications, alerts = 30 * 24 * time.Hour, 445, 100
	m := costly(b)
	day := time.Now().Add(-late).Truncate(24 * time.Hour)
	sendAll(b, m.URL, notifications, func(i int) []byte {
		return notification(int64(i+1), alerts, day.Add(time.Duration(i)*24*time.Hour/notifications))
	})
	settled(b, m)
	for b.Loop() {
		n, before := 3, cpuTime(b, m.Pid())
		for i := range n {
			status, err := post(m.URL, message([]map[string]any{
				alertOf("One", fmt.Sprint("other-", i), "a", day.Add(time.Duration(6+6*i)*time.Hour)),
			}))
			require.NoError(b, err)
			require.Equal(b, http.StatusOK, status)
			settled(b, m)
		}
		results.atMost("one webhook a month late into a day of 44,500, processor time", (cpuTime(b, m.Pid())-before)/float64(n), 2, "s")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAlikeRecords is 3,000 records of one source alike in every word and time.
func BenchmarkAlikeRecords(b *testing.B) {
	const records = 3000
	m := costly(b)
	for b.Loop() {
		idle, before := heap(b, m), cpuTime(b, m.Pid())
		for i := range records {
			m.Must("PUT", fmt.Sprint("/api/v1/records/bench/", i), map[string]any{
				"title":      "Checkout is down",
				"milestones": map[string]any{"detected": "2026-03-02T00:00:00Z", "resolved": "2026-03-02T01:00:00Z"},
			})
		}
		taken := cpuTime(b, m.Pid()) - before
		settled(b, m)
		results.add("3,000 records alike, processor time with taking them in", cpuTime(b, m.Pid())-before, "s")
		results.atMost("3,000 records alike, memory", heap(b, m)/1e6-idle/1e6, 100, "MB")
		results.atMost("3,000 records alike, most memory resident", memory(b, m.Pid(), "VmHWM"), 160, "MB")
		before = cpuTime(b, m.Pid())
		m.Must("PUT", "/api/v1/records/bench/one-more", map[string]any{
			"title":      "Checkout is down",
			"milestones": map[string]any{"detected": "2026-03-02T00:00:00Z", "resolved": "2026-03-02T01:00:00Z"},
		})
		settled(b, m)
		results.add("one more of them, processor time", 1e3*(cpuTime(b, m.Pid())-before), "ms")
		require.NoError(b, m.Stop())
		m.Restart()
		settled(b, m)
		results.atMost("3,000 records alike, a start, processor time", cpuTime(b, m.Pid()), 2, "s")
		b.ReportMetric(taken, "s-to-take-in")
	}
	b.ReportMetric(0, "ns/op")
}

// costly starts the program with nothing in its store.
func costly(b *testing.B) *servers.MeantimeServer {
	m := servers.Meantime(b, servers.MeantimeOptions{Config: "sources: []\n", Args: []string{"--web.enable-pprof"}})
	settled(b, m)
	return m
}

// oneMore is the processor time of one more alert as it fires, in milliseconds.
func oneMore(b *testing.B, m *servers.MeantimeServer) float64 {
	const n = 20
	passes := series(b, m, passCount)
	settled(b, m)
	before := cpuTime(b, m.Pid())
	for i := range n {
		status, err := post(m.URL, message([]map[string]any{alertOf("One", fmt.Sprintf("service-%03d", i), fmt.Sprint("new-", i), time.Now())}))
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, status)
		time.Sleep(time.Second)
	}
	settled(b, m)
	used := cpuTime(b, m.Pid()) - before
	b.ReportMetric((series(b, m, passCount)-passes)/n, "passes-each")
	return used / n * 1e3
}

// sendAll sends notifications over 16 connections.
func sendAll(b *testing.B, to string, n int, body func(i int) []byte) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range next {
				if status, err := post(to, body(i)); err != nil || status != http.StatusOK {
					b.Errorf("status %d: %v", status, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

func alertOf(name, service, instance string, at time.Time) map[string]any {
	return map[string]any{
		"status": "firing", "startsAt": at, "endsAt": time.Time{}, "annotations": map[string]string{},
		"labels": map[string]string{"alertname": name, "service": service, "severity": "critical", "instance": instance},
	}
}

func message(alerts []map[string]any) []byte {
	b, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": "{}:{}", "externalURL": "http://alertmanager.example.org", "status": "firing", "alerts": alerts,
	})
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return b
}

// heap is what the program's objects take after a collection of garbage, in bytes.
func heap(b *testing.B, m *servers.MeantimeServer) (bytes float64) {
	for line := range strings.Lines(string(m.Must("GET", "/debug/pprof/heap?gc=1&debug=1", nil))) {
		if n, _ := fmt.Sscanf(line, "# HeapAlloc = %f", &bytes); n == 1 {
			return bytes
		}
	}
	b.Fatal("no HeapAlloc")
	return 0
}

// settled waits until what came is correlated, and the program at rest.
func settled(b *testing.B, m *servers.MeantimeServer) {
	begun := time.Now()
	for rest(b, m.Pid()); series(b, m, "meantime_correlation_backlog") > 0; rest(b, m.Pid()) {
		if time.Since(begun) > 20*time.Minute {
			b.Fatal("the program does not come to an end")
		}
	}
}

// rest waits until a process has come to rest: until it has used next to no processor time for a second.
func rest(b *testing.B, pid int) {
	const look, still = 500 * time.Millisecond, 2
	last, n := cpuTime(b, pid), 0
	for begun := time.Now(); n < still; {
		if time.Since(begun) > 10*time.Minute {
			b.Fatal("the program does not come to rest")
		}
		time.Sleep(look)
		now := cpuTime(b, pid)
		if now-last < 0.02 { // a timer of its own may run
			n++
		} else {
			n = 0
		}
		last = now
	}
}
