package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/stretchr/testify/require"

	"meantime/app"
	"meantime/test/servers"
)

// TestClockSteps turns Meantime's clock an hour forth, two hours back and right again while facts come in, and has
// Alertmanagers and records whose clocks are an hour off from the start. Everything is taken; no measurement is ever
// negative; and once the clock is right everything is as it is where the clock was right all the time, but for what is
// measured by when something was received.
func TestClockSteps(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	calm, stepped := newClocked(t), newClocked(t)
	for n, offset := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		stepped.offset.Store(int64(offset))
		for _, c := range []*clocked{calm, stepped} {
			c.facts(t, now, n)
		}
	}
	servers.Eventually(t, soon, func() error {
		want, err := calm.incidents(t)
		if err != nil {
			return err
		}
		got, err := stepped.incidents(t)
		if err == nil && want != got {
			err = fmt.Errorf("with a clock that is right:\n%s\nwith one that was turned:\n%s", want, got)
		}
		if n := strings.Count(want, "\n"); err == nil && n < 24 { // those of the records, and what alerts opened
			err = fmt.Errorf("only %d incidents:\n%s", n, want)
		}
		return err
	})
}

// clocked is a Meantime with a clock that can be turned. It runs in the test's own process, for the clock is the machine's
// otherwise.
type clocked struct {
	url    string
	offset atomic.Int64
}

func newClocked(t *testing.T) *clocked {
	c := &clocked{}
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	no, none := false, ""
	go func() {
		ended <- app.Run(ctx, app.Options{
			Environ: []string{"MEANTIME_WINDOWS=90d", "MEANTIME_SOURCES=[]", `MEANTIME_CORRELATE_OPEN_MATCHERS=["severity=\"critical\""]`},
			DSN:     "sqlite:" + filepath.Join(t.TempDir(), "meantime.db"),
			Web:     &toolkit.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebSystemdSocket: &no, WebConfigFile: &none},
			Logger:  slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) },
			Listening: func(addrs []net.Addr) { listening <- addrs[0] },
		})
	}()
	select {
	case addr := <-listening:
		c.url = "http://" + addr.String()
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return c
}

// facts tells of incidents of several kinds, each with clocks that are right, an hour ahead and an hour behind.
func (c *clocked) facts(t *testing.T, now time.Time, n int) {
	for k, off := range []time.Duration{0, time.Hour, -time.Hour} {
		name := []string{"right", "ahead", "behind"}[k]
		id := fmt.Sprint(name, n)
		start := now.Add(-time.Duration(8+48*n+16*k) * time.Hour) // far from each other
		// What people say is right, and the alert's clock is off; what alerts say is right, and the record's clock is off.
		people := firing("people-"+id, start.Add(off))
		people.Labels["service"] = "people-" + id
		c.send(t, "POST", "/webhook/alertmanager", servers.Notification(people, people.Resolved(start.Add(off+30*time.Minute))))
		c.record(t, "people-"+id, start)
		start = start.Add(-8 * time.Hour)
		alerts := firing("alerts-"+id, start)
		alerts.Labels["service"] = "alerts-" + id
		c.send(t, "POST", "/webhook/alertmanager", servers.Notification(alerts, alerts.Resolved(start.Add(30*time.Minute))))
		c.record(t, "alerts-"+id, start.Add(off))
		// One that fires now, by a clock that is off, and ends in the next step.
		c.send(t, "POST", "/webhook/alertmanager", servers.Notification(firing("now-"+name, now.Add(off-time.Minute))))
	}
}

func (c *clocked) record(t *testing.T, service string, start time.Time) {
	b, err := json.Marshal(map[string]any{
		"id": service, "title": service, "services": []string{service}, "severity": "critical", "state": "resolved", "updated_at": start.Add(3 * time.Hour),
		"milestones": map[string]any{
			"started": start, "detected": start.Add(4 * time.Minute), "acknowledged": start.Add(6 * time.Minute), "resolved": start.Add(time.Hour),
		},
	})
	require.NoError(t, err)
	c.send(t, "PUT", "/api/v1/records/ours/"+service, b)
}

func (c *clocked) send(t *testing.T, method, path string, body []byte) []byte {
	t.Helper()
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 2, resp.StatusCode/100, "%s", answer)
	return answer
}

// incidents are all incidents in the words of what does not depend on when something was received, a line each.
func (c *clocked) incidents(t *testing.T) (string, error) {
	var page struct {
		Incidents []struct {
			ID           string
			Title, State string
			Milestones   map[string]struct {
				At     time.Time
				Origin string
			}
			Measurements map[string]struct {
				Status  string
				Seconds *float64
			}
			Links []struct {
				State   string
				Episode struct {
					Labels   map[string]string
					StartsAt time.Time `json:"starts_at"`
					EndsAt   time.Time `json:"ends_at"`
				}
			}
		}
	}
	if err := json.Unmarshal(c.send(t, "GET", "/api/v1/incidents?limit=500", nil), &page); err != nil {
		return "", err
	}
	var lines []string
	for _, i := range page.Incidents {
		line := fmt.Sprint(i.ID, " ", i.Title, " ", i.State)
		for _, name := range []string{"started", "mitigated", "resolved"} {
			m := i.Milestones[name]
			line += fmt.Sprintf("; %s %s by %s", name, m.At.Format(time.RFC3339Nano), m.Origin)
		}
		for _, name := range []string{"mitigate", "resolve"} {
			line += fmt.Sprintf("; %s %s", name, i.Measurements[name].Status)
		}
		for name, m := range i.Measurements {
			if m.Seconds != nil && *m.Seconds < 0 {
				t.Fatalf("%s: %s is %g s", i.Title, name, *m.Seconds)
			}
		}
		for _, l := range i.Links {
			line += fmt.Sprintf("; %s %s %s to %s", l.State, l.Episode.Labels["alertname"], l.Episode.StartsAt.Format(time.RFC3339Nano), l.Episode.EndsAt.Format(time.RFC3339Nano))
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}
