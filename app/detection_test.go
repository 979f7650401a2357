package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
)

// TestFirstContact plays archives in which the first thing heard of an alert is not its first notification, beside one in which
// it is. Only the time to detect is lost by that.
func TestFirstContact(t *testing.T) {
	said := func(at, status, start, end, extra string) string {
		return fmt.Sprintf(`{"at":"2026-11-20T%sZ","body":{"version":"4","status":%q,"groupKey":"{}:{}","externalURL":"http://alertmanager.example.org"%s,
			"alerts":[{"status":%q,"labels":{"alertname":"QueueStuck","severity":"critical","service":"edge"},"startsAt":%q,"endsAt":%q}]}}`, at, status, extra, status, start, end)
	}
	never, week := "0001-01-01T00:00:00Z", "2026-11-13T08:00:00Z"
	other := strings.NewReplacer("QueueStuck", "Other", "critical", "info", "edge", "mail").Replace(said("06:00:10", "firing", "2026-11-20T06:00:00Z", never, ""))
	tests := []struct {
		name    string
		lines   []string
		detect  incident.Measurement
		resolve float64
	}{
		{
			"the first line is of an alert that has fired for a week",
			[]string{said("08:00:10", "firing", week, never, ""), said("08:30:10", "resolved", week, "2026-11-20T08:30:00Z", "")},
			incident.Measurement{Status: incident.StatusMissing, Why: "of QueueStuck: it had fired 7 days before Meantime began to listen"}, 7*86400 + 1800,
		}, {
			"nothing but an end",
			[]string{said("08:30:10", "resolved", week, "2026-11-20T08:30:00Z", "")},
			incident.Measurement{Status: incident.StatusMissing, Why: "of QueueStuck: only its end was told"}, 7*86400 + 1800,
		}, {
			"it still fires: that nobody knows does not wait for its end",
			[]string{said("08:00:10", "firing", week, never, "")},
			incident.Measurement{Status: incident.StatusMissing, Why: "of QueueStuck: it had fired 7 days before Meantime began to listen"}, 0,
		}, {
			"a tutorial's start of years ago",
			[]string{said("08:00:10", "firing", "2019-01-01T00:00:00Z", never, ""), said("08:30:10", "resolved", "2019-01-01T00:00:00Z", "2026-11-20T08:30:00Z", "")},
			incident.Measurement{Status: incident.StatusMissing, Why: "of QueueStuck: it had fired 2880 days before Meantime began to listen"}, 2880*86400 + 30600,
		}, {
			"a route that was added while it fired",
			[]string{other, strings.Replace(said("08:00:10", "firing", "2026-11-20T07:00:00Z", never, ""), `{}:{}`, `{}/{team=\"edge\"}:{}`, 1), said("08:30:10", "resolved", "2026-11-20T07:00:00Z", "2026-11-20T08:30:00Z", "")},
			incident.Measurement{Status: incident.StatusMissing, Why: `of QueueStuck: the first word ever of http://alertmanager.example.org by the route {}/{team="edge"} came 60 min after it had fired`}, 5400,
		}, {
			"a repeat of what was never heard",
			[]string{other, said("08:00:10", "firing", "2026-11-20T07:00:00Z", never, `,"notification_reason":"repeat interval elapsed"`), said("08:30:10", "resolved", "2026-11-20T07:00:00Z", "2026-11-20T08:30:00Z", "")},
			incident.Measurement{Status: incident.StatusMissing, Why: "of QueueStuck: the first notification that came only repeats an earlier one"}, 5400,
		}, {
			"told late by a route that was there: it was muted",
			[]string{other, said("08:00:00", "firing", "2026-11-20T07:00:00Z", never, ""), said("08:30:10", "resolved", "2026-11-20T07:00:00Z", "2026-11-20T08:30:00Z", "")},
			incident.Recorded(3600e9), 5400,
		}, {
			"the first alert there ever was",
			[]string{said("08:00:10", "firing", "2026-11-20T08:00:00Z", never, ""), said("08:30:10", "resolved", "2026-11-20T08:00:00Z", "2026-11-20T08:30:00Z", "")},
			incident.Recorded(10e9), 1800,
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			in, _ := replayed(t, tc.lines...)
			require.Equal(t, tc.detect, in.Measurements["detect"])
			require.Equal(t, tc.detect, in.Measurements["notify"])
			if tc.resolve > 0 {
				// The last line is the end of all there is, and an incident stays open for a while.
				require.Equal(t, tc.resolve, in.Alerts.Ended.Sub(in.Alerts.Fired).Seconds())
			}
			require.Equal(t, incident.ByAlert, in.DetectedBy)
		})
	}
}

// TestFirstOfSeveral: where it is not known when somebody was told of the first alert of an incident, what was told of a
// later one is no detection.
func TestFirstOfSeveral(t *testing.T) {
	line := func(at, name, start string) string {
		return fmt.Sprintf(`{"at":"2026-11-20T%sZ","body":{"version":"4","status":"firing","groupKey":"{}:{}","externalURL":"http://am",
			"alerts":[{"status":"firing","labels":{"alertname":%q,"severity":"critical","service":"edge"},"startsAt":"2026-11-20T%sZ","endsAt":"0001-01-01T00:00:00Z"}]}}`, at, name, start)
	}
	in, _ := replayed(t, line("08:00:00", "Down", "07:40:00"), line("08:00:20", "Slow", "08:00:00"))
	require.Len(t, in.Linked(), 2)
	require.Equal(t, incident.StatusMissing, in.Measurements["detect"].Status)
	require.Contains(t, in.Measurements["detect"].Why, "of Down: it had fired")

	in, explained := replayed(t, line("08:00:00", "Down", "07:59:40"), line("08:00:20", "Slow", "08:00:00"))
	require.Equal(t, incident.Recorded(20e9), in.Measurements["detect"])
	require.Empty(t, explained)
}

// replayed plays lines into a new store, gives the incident of service edge, and why it is in no figure of detect.
func replayed(t *testing.T, lines ...string) (incident.Incident, string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.jsonl")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	out, err := Replay(t.Context(), Options{
		Logger: slog.New(slog.DiscardHandler), DSN: "sqlite:" + filepath.Join(dir, "m.db"), Environ: []string{`MEANTIME_CORRELATE_OPEN_MATCHERS=["severity=\"critical\""]`},
	}, []string{file})
	require.NoError(t, err)
	for _, in := range out.Incidents {
		if !strings.Contains(in.Title, "Other") {
			e, err := measure.Explain(func(yield func(incident.Incident, error) bool) { yield(in, nil) }, measure.ExplainOptions{
				Interval: incident.DefaultIntervals()[0], Period: measure.Rolling(measure.Window{Name: "x", Length: 4e18}, out.At.Add(1e9)),
			})
			require.NoError(t, err)
			why := ""
			if len(e.LeftOut) > 0 {
				why = e.LeftOut[0].Why
			}
			if m := in.Measurements["detect"]; m.Why != "" {
				require.Contains(t, why, m.Why)
			}
			return in, why
		}
	}
	t.Fatal("there is no incident")
	return incident.Incident{}, ""
}
