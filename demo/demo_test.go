package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
	"meantime/test/servers"
)

var end = time.Date(2026, 3, 2, 15, 4, 5, 0, time.UTC)

func archive(t *testing.T, y *year) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, y.archive(&b))
	return b.Bytes()
}

// TestYear: the year is the same every time, is as large as a year is, and is what Meantime reads.
func TestYear(t *testing.T) {
	y := newYear(end)
	text := archive(t, y)
	require.Equal(t, text, archive(t, newYear(end)), "the same every time")
	require.NotEqual(t, text, archive(t, newYear(end.AddDate(0, 0, 1))))
	require.Equal(t, y.postmortems(), newYear(end).postmortems())

	begun, gone, going := map[string]bool{}, 0, 0
	last := time.Time{}
	alerts := 0
	for _, l := range y.lines {
		require.False(t, l.At.Before(last), "in order")
		require.False(t, l.At.After(y.end), "nothing from the future")
		require.False(t, l.At.Before(y.from))
		last = l.At
		if l.Record == nil {
			alerts++
			continue
		}
		b, err := json.Marshal(l.Record)
		require.NoError(t, err)
		r, err := incident.DecodeRecordAs(incident.RecordKey{Source: l.Source}, b)
		require.NoError(t, err, string(b))
		require.NoError(t, r.CheckPast(l.At), r.ID)
		if m, ok := r.Milestones[incident.Started]; ok && m.At.After(y.end.AddDate(-1, 0, 0)) {
			begun[r.ID] = true
		}
		switch r.State {
		case incident.StateResolved:
			gone++
		case incident.StateOpen, "":
			going++
		}
	}
	require.InDelta(t, 200, len(begun), 80, "incidents of the last year")
	require.Greater(t, alerts, 5000)
	require.Greater(t, gone, 150)
	require.Positive(t, going)
	require.InDelta(t, 20, len(y.postmortems()), 10)
	for _, x := range y.troubles {
		if x.kind == "incident" && !x.resolved.IsZero() {
			require.False(t, x.detected.Before(x.started))
			require.False(t, x.acknowledged.Before(x.detected))
			require.False(t, x.mitigated.Before(x.acknowledged))
			require.False(t, x.resolved.Before(x.mitigated))
		}
	}
}

func TestDataOnly(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, run(context.Background(), options{
		dir: dir, dataOnly: true, end: end, out: io.Discard, listen: "127.0.0.1:0", prometheusListen: "127.0.0.1:0",
	}))
	for _, name := range []string{"archive.jsonl", "meantime.yml", "prometheus.yml", "rules.yml"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	said, ok := servers.Promtool(t, "", "check", "config", filepath.Join(dir, "prometheus.yml"))
	require.True(t, ok, said)
	out, err := exec.Command(servers.Binary(t), "check-config", "--config.file="+filepath.Join(dir, "meantime.yml")).CombinedOutput()
	require.NoError(t, err, string(out))

	require.EqualError(t, run(context.Background(), options{dataOnly: true}), "--data-only wants a --dir")
}

// TestDemo runs all of it, holds the trends in its Prometheus to Meantime's own reports, and ends it.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	if said, ok := servers.Promtool(t, "", "--version"); !ok {
		t.Fatal(said)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ready := make(chan started, 1)
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, options{
			meantime: servers.Binary(t), listen: servers.Address(t), prometheusListen: servers.Address(t), step: 48 * time.Hour, end: time.Now(), out: io.Discard,
			started: func(s started) { ready <- s },
		})
	}()
	var s started
	select {
	case s = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	require.Contains(t, get(t, s.meantime+"/metrics"), `meantime_open_incidents{affected_service="",severity=""} 2`)
	require.Contains(t, get(t, s.meantime+"/"), "checkout")

	// Not the newest month: since the past was written, Meantime has learnt more of it from Prometheus.
	for month := 1; month < 12; month++ {
		at := time.Now().Add(-5*time.Hour).AddDate(0, -month, 0)
		at = time.Unix(at.Unix()/(48*3600)*(48*3600), 0).UTC() // where there is a sample
		cmd := exec.Command(servers.Binary(t), "report", "--config.file="+filepath.Join(s.dir, "meantime.yml"), "--window=28d",
			"--by=service,severity", "--format=json", "--to="+at.Format(time.RFC3339))
		text, err := cmd.Output()
		require.NoError(t, err)
		var r measure.Report
		require.NoError(t, json.Unmarshal(text, &r))
		checked := 0
		for _, g := range r.Groups {
			for _, iv := range g.Now.Intervals {
				if iv.Mean == nil {
					continue
				}
				labels := `{window="28d",affected_service="` + g.Service + `",severity="` + g.Severity + `",interval="` + iv.Interval + `"}`
				require.InDelta(t, *iv.Mean, value(t, s.prometheus, "meantime_interval_mean_seconds"+labels, at), 1e-6, "%s at %s", labels, at)
				require.InDelta(t, iv.Median.Value, value(t, s.prometheus, "meantime_interval_median_seconds"+labels, at), 1e-6, "%s at %s", labels, at)
				checked++
			}
			if g.Service != "" {
				break // everything, and one service
			}
		}
		require.Greater(t, checked, 6, at)
	}

	cancel()
	require.NoError(t, <-done)
	require.NoDirExists(t, s.dir)
	for _, addr := range []string{s.meantime, s.prometheus} {
		res, err := http.Get(addr)
		if err == nil {
			require.NoError(t, res.Body.Close())
		}
		require.Error(t, err, "%s has ended", addr)
	}
}

func TestEndsWithItsServer(t *testing.T) {
	err := run(context.Background(), options{meantime: "/bin/false", listen: "127.0.0.1:0", prometheusListen: "127.0.0.1:0", end: end, out: io.Discard})
	require.ErrorContains(t, err, "false import: exit status 1")
}

func TestTakenPort(t *testing.T) {
	first, err := free("127.0.0.1:0")
	require.NoError(t, err)
	again, err := free(first)
	require.NoError(t, err)
	require.Equal(t, first, again)
	l, err := net.Listen("tcp", first)
	require.NoError(t, err)
	defer l.Close()
	other, err := free(first)
	require.NoError(t, err)
	require.NotEqual(t, first, other)
	_, err = free("nonsense")
	require.Error(t, err)
}

func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(text))
	return string(text)
}

// value is the one value of an expression at a time.
func value(t *testing.T, prometheus, expr string, at time.Time) float64 {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	q := url.Values{"query": {expr}, "time": {strconv.FormatInt(at.Unix(), 10)}}
	require.NoError(t, json.Unmarshal([]byte(get(t, prometheus+"/api/v1/query?"+q.Encode())), &answer))
	require.Len(t, answer.Data.Result, 1, expr)
	v, err := strconv.ParseFloat(answer.Data.Result[0].Value[1].(string), 64)
	require.NoError(t, err)
	return v
}
