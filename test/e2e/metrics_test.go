package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestMetrics holds the whole /metrics of the real binary to a golden file and to promtool. The names and labels in it
// are Meantime's interface: a line that goes or changes breaks somebody's dashboard.
func TestMetrics(t *testing.T) {
	const config = `
sources: [{name: files, type: file, dir: records}]
windows: [36500d]
limits: {recent_incidents: 2}
objectives: [{severity: critical, interval: resolve, within: 1h}]
watchdogs: [{matchers: ['alertname="Watchdog"'], every: 5m}]
correlate:
  open: {matchers: ['severity="critical"'], group_by: [service], quiet: 10m}
`
	start := time.Date(2024, 7, 18, 9, 0, 0, 0, time.UTC)

	var lines []string
	line := func(at time.Time, what string) {
		lines = append(lines, fmt.Sprintf(`{"at":%q,%s}`, at.Format(time.RFC3339), what))
	}
	// They are played, because what lies in the past was not notified of to who starts now. None opens an incident
	// before there are records, because the histogram since ever keeps what was right only for a while.
	told := func(alert servers.Alert, since, length time.Duration) {
		fired := start.Add(since)
		line(fired.Add(90*time.Second), `"body":`+string(servers.Notification(alert)))
		line(fired.Add(length), `"body":`+string(servers.Notification(alert.Resolved(fired.Add(length)))))
	}
	linked := servers.Firing("CheckoutErrors", "checkout", start.Add(4*time.Minute))
	linked.Labels["severity"] = "warning" // alone it opens none
	told(linked, 4*time.Minute, 26*time.Minute)
	lonely := servers.Firing("DiskFull", "search", start.Add(12*time.Hour))
	lonely.Labels["severity"] = "warning"
	told(lonely, 12*time.Hour, time.Hour)
	told(servers.Firing("SearchErrors", "search", start.Add(36*time.Hour)), 36*time.Hour, time.Hour)
	dir := recordsDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "archive.jsonl"), []byte(strings.Join(lines, "\n")), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "replay.yml"), []byte(`correlate: {open: {matchers: ['severity="none"']}}`), 0o644))
	status, log := servers.MeantimeRun(t, dir, "replay", "--config.file=replay.yml", "archive.jsonl")
	require.Zero(t, status, log)
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, Dir: dir})

	// Enough incidents that every statistic has its sample, one of each status, linked and unlinked alerts.
	for i := range 60 {
		at := start.Add(time.Duration(i) * 24 * time.Hour)
		m.Must("PUT", fmt.Sprintf("/api/v1/records/ours/%d", i), map[string]any{
			"title": "Checkout answers with errors", "services": []string{"checkout"}, "severity": "critical", "state": "resolved", "detected_by": "staff",
			"milestones": map[string]any{
				"started": at, "detected": at.Add(5 * time.Minute), "acknowledged": at.Add(7 * time.Minute), "identified": at.Add(20 * time.Minute),
				"mitigated": at.Add(30 * time.Minute), "resolved": at.Add(time.Duration(40+i) * time.Minute),
			},
			"impacts": []any{map[string]any{"from": at, "to": at.Add(30 * time.Minute)}},
		})
	}
	m.Must("POST", "/webhook/alertmanager", servers.Notification(servers.Firing("Watchdog", "", start)))

	const everything = `meantime_incidents{affected_service="",detected_by="staff",severity="",window="36500d"}`
	servers.Eventually(t, soon, func() error {
		e := scrape(t, m, figures)
		if e[everything] != "60" {
			return fmt.Errorf("%s is %q", everything, e[everything])
		}
		for _, name := range []string{"CheckoutErrors", "DiskFull", "SearchErrors"} {
			if !strings.Contains(fmt.Sprint(e), name) {
				return fmt.Errorf("nothing of %s", name)
			}
		}
		return nil
	})

	text := m.Must("GET", "/metrics", nil)
	output, ok := servers.Promtool(t, string(text), "check", "metrics", "--extended")
	require.True(t, ok, "promtool: %s", output)

	golden := filepath.Join("testdata", "metrics.golden")
	got := stable(text)
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	if d := diff.Diff("want", want, "got", got); len(d) > 0 {
		t.Fatalf("run the test with -update where this is meant:\n%.5000s", d)
	}
}

// recordsDir is a working directory with a folder of records in it.
func recordsDir(t *testing.T) string {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "records"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "records", "drill.yaml"), []byte(`
id: drill
title: The yearly drill
services: [search]
severity: info
kind: drill
state: resolved
milestones: {started: 2024-07-20T09:00:00Z, resolved: 2024-07-20T10:00:00Z}
`), 0o644))
	return dir
}

var (
	// others are the families of libraries: of them only that they are there is held.
	others = regexp.MustCompile(`^(# (HELP|TYPE) )?(go|process|promhttp)_`)
	// passing are the series whose values are different every time: how long and how often the machine worked, and what
	// depends on when a notification was received.
	passing = regexp.MustCompile(`^meantime_(api|web|webhook|correlation|store|source)_\w*(duration_seconds|size_bytes)|` +
		`^meantime_(build_info|external_url_info|correlation_|store_|config_last_reload_success_timestamp|source_last_success|source_polls|watchdog_last_seen|alert_lead)|` +
		`^meantime_interval_\w+_seconds.*interval="(notify|detect)"`)
	value = regexp.MustCompile(` \S+$`)
	build = regexp.MustCompile(`(branch|goarch|goos|goversion|revision|tags|url|version)="[^"]*"`)
)

// stable is an exposition without what is different every time.
func stable(text []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		switch {
		case strings.HasPrefix(line, "meantime_store_operation") && !strings.Contains(line, `operation="put"`):
			continue // what a pass asks the store depends on what it found done
		case others.MatchString(line) && !strings.HasPrefix(line, "# TYPE "):
			continue
		case passing.MatchString(line), servers.UntilNow(line):
			line = value.ReplaceAllString(build.ReplaceAllString(line, `$1="…"`), " …")
		}
		out.WriteString(line + "\n")
	}
	return out.Bytes()
}
