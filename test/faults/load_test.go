package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestStop asks Meantime to end in the middle of notifications. It finishes what it took, refuses the rest, and ends well
// within its bound; what it said yes to is there after the next start.
func TestStop(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config})
	bodies := some("A", 3000)
	s := send(t, m, 64, bodies)
	s.until(t, len(bodies)/3)
	require.NoError(t, m.Stop(), "exit status 0, and in time") // Stop has a bound of its own
	acknowledged := s.names()
	require.Less(t, len(acknowledged), len(bodies))
	m.Restart()
	requireEpisodes(t, m, acknowledged)
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
}

// TestOverload sends many times more than the store can take: for longer than Meantime lets anybody wait, the database
// commits nothing at all. Everybody who waited too long is told 503 and when to come again, memory stays bounded however
// much is offered, scrapes are answered, and once the storm is over everything is in.
func TestOverload(t *testing.T) {
	t.Parallel()
	postgres := servers.Postgres(t)
	dsn := postgres.Database("meantime")
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: dsn})
	idle := status(t, m, "VmRSS")

	// 1,000 senders with 100 kB each: three times the memory that Meantime has for what waits.
	bodies := map[string][]byte{}
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	for i := range 1000 {
		name := fmt.Sprint("A", i)
		a := firing(name, start)
		a.Annotations["description"] = strings.Repeat("what happened; ", 6500)
		bodies[name] = servers.Notification(a)
	}
	release := hold(t, dsn)
	s := send(t, m, len(bodies), bodies)
	slowest := time.Duration(0)
	servers.Eventually(t, 3*soon, func() error {
		begun := time.Now()
		m.Must("GET", "/metrics", nil)
		slowest = max(slowest, time.Since(begun))
		if n := s.again.Load(); n < int64(len(bodies)/2) {
			return fmt.Errorf("%d of %d senders were told to come again", n, len(bodies))
		}
		return nil
	})
	require.Zero(t, s.done.Load())
	require.Less(t, slowest, 30*time.Second, "a scrape takes milliseconds; machines that run tests are busy")
	most := status(t, m, "VmHWM")
	t.Logf("the slowest scrape took %s; %d MB of memory, %d MB before", slowest, most/1024, idle/1024)
	require.Less(t, most, 400<<10)
	release()
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
}

// hold keeps everybody from writing to a PostgreSQL store, with the lock that every writer takes, until release is called.
func hold(t *testing.T, dsn string) (release func()) {
	t.Helper()
	psql, err := exec.LookPath("psql")
	if err != nil {
		servers.LeftOut(t, err.Error())
	}
	cmd := exec.Command(psql, "--no-psqlrc", "--quiet", "--tuples-only", dsn)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = fmt.Fprintf(in, "SELECT pg_advisory_lock(%d);\nSELECT 'held';\n", 0x4d65616e)
	require.NoError(t, err)
	var seen []byte
	for !bytes.Contains(seen, []byte("held")) {
		b := make([]byte, 1024)
		n, err := out.Read(b)
		require.NoError(t, err)
		seen = append(seen, b[:n]...)
	}
	done := false
	release = func() {
		if !done {
			done = true
			_ = in.Close()
			require.NoError(t, cmd.Wait())
		}
	}
	t.Cleanup(release)
	return release
}

// TestBurst has 5,000 groups of a real Alertmanager due at once, each with one alert, a fifth of them a second time from
// another Alertmanager, and then a third of them resolved. Nothing is refused, and every fact is stored once.
func TestBurst(t *testing.T) {
	const groups, copied, ended = 5000, 1000, 1667
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config})
	route := fmt.Sprintf(`
route: {receiver: meantime, group_by: ['...'], group_wait: 4s, group_interval: 4s, repeat_interval: 1h}
receivers: [{name: meantime, webhook_configs: [{url: %q, send_resolved: true}]}]
`, m.URL+"/webhook/alertmanager")
	first := servers.Alertmanager(t, servers.AlertmanagerOptions{Config: route})
	second := servers.Alertmanager(t, servers.AlertmanagerOptions{Config: route})
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	alerts := make([]map[string]any, groups)
	names := map[string]bool{}
	for i := range alerts {
		name := fmt.Sprint("A", i)
		names[name] = true
		alerts[i] = map[string]any{"startsAt": start, "labels": map[string]string{"alertname": name, "service": "checkout", "severity": "warning"}}
	}
	most, stop, stopped := new(atomic.Int64), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				most.Store(max(most.Load(), int64(descriptors(t, m))))
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	tell(t, first, alerts)
	tell(t, second, alerts[:copied])
	servers.Eventually(t, 2*soon, func() error { return merged(t, m, groups+copied) })
	requireEpisodes(t, m, names)

	for _, a := range alerts[:ended] {
		a["endsAt"] = time.Now().UTC().Add(-time.Second)
	}
	tell(t, first, alerts[:ended])
	servers.Eventually(t, 2*soon, func() error { return merged(t, m, groups+copied+ended) })
	requireEpisodes(t, m, names)

	e, err := servers.Scrape(m.URL)
	require.NoError(t, err)
	for series, value := range e {
		if strings.HasPrefix(series, "meantime_webhook_requests_total{") && !strings.Contains(series, `code="200"`) {
			require.Equal(t, "0", value, series)
		}
	}
	e, err = servers.Scrape(first.URL)
	require.NoError(t, err)
	require.Equal(t, "0", e[`alertmanager_notifications_failed_total{integration="webhook"}`])
	t.Logf("at most %d files open and %d MB of memory", most.Load(), status(t, m, "VmHWM")/1024)
	require.Less(t, most.Load(), int64(groups+copied+200), "a connection each, and not more")
	require.Less(t, status(t, m, "VmHWM"), 400<<10)
}

// merged returns nil once so many alerts were taken in.
func merged(t *testing.T, m *servers.MeantimeServer, want int) error {
	e, err := servers.Scrape(m.URL)
	require.NoError(t, err)
	got := 0.0
	for series, value := range e {
		if strings.HasPrefix(series, "meantime_webhook_merges_total{") {
			v, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err)
			got += v
		}
	}
	if int(got) < want {
		return fmt.Errorf("%.0f of %d alerts were taken in", got, want)
	}
	return nil
}

// tell gives an Alertmanager alerts, as Prometheus does.
func tell(t *testing.T, am *servers.AlertmanagerServer, alerts any) {
	t.Helper()
	b, err := json.Marshal(alerts)
	require.NoError(t, err)
	resp, err := http.Post(am.URL+"/api/v2/alerts", "application/json", bytes.NewReader(b))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// TestIdleSenders has 2,000 senders that announce bodies, some of them huge, and send next to nothing of them. A webhook
// that is meant is answered all the same, memory stays bounded, and those that come too slowly are cut and counted.
func TestIdleSenders(t *testing.T) {
	t.Parallel()
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config})
	begins := []string{
		"Content-Length: 16777216\r\n\r\n{",
		"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"Content-Length: 16777216\r\n\r\n" + strings.Repeat(" ", 50<<10),
		"Transfer-Encoding: chunked\r\n\r\nc800\r\n" + strings.Repeat(" ", 50<<10) + "\r\n",
		"Content-Length: 1000\r\n\r\n",
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	var opened atomic.Int64
	for i := range 2000 {
		wg.Go(func() {
			for { // opened again when it was cut
				conn, err := net.Dial("tcp", m.Address())
				if err == nil {
					opened.Add(1)
					_, _ = fmt.Fprint(conn, "POST /webhook/alertmanager HTTP/1.1\r\nHost: x\r\n"+begins[i%len(begins)])
					hungUp := make(chan struct{})
					go func() { defer close(hungUp); _, _ = io.Copy(io.Discard, conn) }()
					select {
					case <-hungUp:
					case <-stop:
					}
					_ = conn.Close()
				}
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
				}
			}
		})
	}
	servers.Eventually(t, soon, func() error {
		if n := opened.Load(); n < 2000 {
			return fmt.Errorf("%d senders", n)
		}
		return nil
	})
	slowest := time.Duration(0)
	bodies := some("A", 20)
	for name, body := range bodies {
		begun := time.Now()
		code, answer, err := m.Do("POST", "/webhook/alertmanager", body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, code, "%s: %s", name, answer)
		slowest = max(slowest, time.Since(begun))
		time.Sleep(200 * time.Millisecond)
	}
	most := status(t, m, "VmHWM")
	t.Logf("%d connections of idle senders; the slowest webhook took %s; %d MB of memory", opened.Load(), slowest, most/1024)
	require.Less(t, slowest, 20*time.Second, "one that waits for idle senders waits 30 s; machines that run tests are busy")
	require.Less(t, most, 300<<10)
	requireEpisodes(t, m, namesOf(bodies))
	e, err := servers.Scrape(m.URL)
	require.NoError(t, err)
	require.NotEqual(t, "0", e["meantime_webhook_slow_bodies_total"])
	require.NoError(t, m.Stop())
}
