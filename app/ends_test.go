package app

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store/sqlstore"
)

// told is a notification of one alert as a line of an archive: when it came, its status, start and end, and its annotations.
func told(at, status, start, end, annotations string) string {
	if end == "" {
		end = "0001-01-01T00:00:00Z"
	}
	if annotations == "" {
		annotations = "{}"
	}
	return fmt.Sprintf(`{"at":%q,"body":{"version":"4","status":%q,"externalURL":"http://am.example.org","alerts":[{"status":%q,"labels":{"alertname":"ApiErrors","severity":"critical","service":"edge"},"annotations":%s,"startsAt":%q,"endsAt":%q}]}}`,
		at, status, status, annotations, start, end)
}

// written is a record as a line of an archive.
// written is a ticket; the second names the first, because a tracker's tickets are never one by likeness.
func written(at, id, rest string) string {
	if id == "T2" {
		rest += `,"references":{"keys":["tickets/T1"]}`
	}
	return fmt.Sprintf(`{"at":%q,"source":"tickets","record":{"id":%q,"title":"Payment gateway errors","services":["payments"],"state":"resolved",%s}}`, at, id, rest)
}

// later lets the clock go on to a time at which nothing else is told.
func later(at string) string {
	return fmt.Sprintf(`{"at":%q,"source":"elsewhere","record":{"id":"later","title":"Drill","kind":"drill","state":"resolved","milestones":{"started":%q}}}`, at, at)
}

// TestEnds holds what is measured of alerts and records that tell of their ends in odd ways, or not at all.
func TestEnds(t *testing.T) {
	const start = "2026-11-20T08:00:00Z"
	grafana := func(why string) string { return fmt.Sprintf(`{"grafana_state_reason":%q}`, why) }
	missing := map[string]any{"mitigate": incident.StatusMissing, "resolve": incident.StatusMissing, "paperwork": incident.StatusMissing}
	pending := map[string]any{"mitigate": incident.StatusPending, "resolve": incident.StatusPending}
	over := func(seconds float64) map[string]any { return map[string]any{"mitigate": seconds, "resolve": seconds} }
	paused := []string{told("2026-11-20T08:00:10Z", "firing", start, "", ""), told("2026-11-20T08:10:10Z", "resolved", start, "2026-11-20T08:10:00Z", grafana("Paused"))}
	tickets := []string{
		written("2026-11-20T09:06:40Z", "T1", `"milestones":{"started":"2026-11-20T08:00:00Z","acknowledged":"2026-11-20T08:05:00Z","resolved":"2026-11-20T09:00:00Z"}`),
		written("2026-11-20T09:06:42Z", "T2", `"milestones":{"started":"2026-11-20T08:10:00Z","acknowledged":"2026-11-20T08:15:00Z","resolved":"2026-11-20T08:25:00Z"}`),
	}
	parts := func(first, second, third string) []string {
		into := `"related":[{"id":"P1","how":"merged_into"}],`
		return []string{
			written(first, "P1", `"milestones":{"started":"2026-11-20T08:10:00Z","resolved":"2026-11-20T09:10:00Z"}`),
			written(second, "P2", into+`"milestones":{"started":"2026-11-20T08:12:00Z","resolved":"2026-11-20T08:25:00Z"}`),
			written(third, "P3", into+`"milestones":{"started":"2026-11-20T08:00:00Z","resolved":"2026-11-20T09:30:00Z"}`),
		}
	}
	for name, c := range map[string]struct {
		lines []string
		state incident.State
		end   incident.EndKind // of the first episode
		want  map[string]any   // interval -> seconds or status
	}{
		"no resolved comes":                      {[]string{told("2026-11-20T08:00:30Z", "firing", start, "", ""), later("2026-11-22T08:00:00Z")}, "resolved", "expired", missing},
		"a resolved was lost, a day is not over": {[]string{told("2026-11-20T08:00:30Z", "firing", start, "", ""), later("2026-11-21T07:00:00Z")}, "open", "", pending},
		"repeats every 12h": {[]string{
			told("2026-11-20T08:00:30Z", "firing", start, "", ""), told("2026-11-20T20:00:30Z", "firing", start, "", ""), later("2026-11-21T19:00:00Z"),
		}, "open", "", pending},
		"repeats every 12h, then resolved": {[]string{
			told("2026-11-20T08:00:30Z", "firing", start, "", ""), told("2026-11-20T20:00:30Z", "firing", start, "", ""),
			told("2026-11-20T21:05:00Z", "resolved", start, "2026-11-20T21:00:00Z", ""), later("2026-11-21T19:00:00Z"),
		}, "resolved", "resolved", over(13 * 3600)},

		"Grafana: paused":                 {append(paused, later("2026-11-20T09:00:00Z")), "resolved", "vanished", missing},
		"Grafana: its series are missing": {[]string{paused[0], told("2026-11-20T08:10:10Z", "resolved", start, "2026-11-20T08:10:00Z", grafana("MissingSeries")), later("2026-11-20T09:00:00Z")}, "resolved", "vanished", missing},
		"Grafana: no data, of several":    {[]string{paused[0], told("2026-11-20T08:10:10Z", "resolved", start, "2026-11-20T08:10:00Z", grafana("NoData, KeepLast")), later("2026-11-20T09:00:00Z")}, "resolved", "vanished", missing},
		"Grafana: another reason":         {[]string{paused[0], told("2026-11-20T08:10:10Z", "resolved", start, "2026-11-20T08:10:00Z", grafana("KeepLast")), later("2026-11-20T09:00:00Z")}, "resolved", "resolved", over(600)},
		"Grafana: fires for want of data": {[]string{
			told("2026-11-20T08:00:10Z", "firing", start, "", grafana("NoData")), told("2026-11-20T08:10:10Z", "resolved", start, "2026-11-20T08:10:00Z", ""), later("2026-11-20T09:00:00Z"),
		}, "resolved", "resolved", over(600)},
		"Grafana: edited while it fired, and resolved after": {append([]string{
			told("2026-11-20T08:12:10Z", "firing", "2026-11-20T08:12:00Z", "", ""), told("2026-11-20T08:20:10Z", "resolved", "2026-11-20T08:12:00Z", "2026-11-20T08:20:00Z", ""), later("2026-11-20T10:00:00Z"),
		}, paused...), "resolved", "vanished", over(1200)},

		"resolved before it started":        {[]string{told("2026-11-20T08:11:30Z", "resolved", start, "2026-11-20T07:59:59Z", ""), later("2026-11-20T10:00:00Z")}, "resolved", "vanished", missing},
		"resolved in the second it started": {[]string{paused[0], told("2026-11-20T08:11:30Z", "resolved", start, start, ""), later("2026-11-20T10:00:00Z")}, "resolved", "vanished", missing},

		"a restart tells an end too early": {[]string{
			told("2026-11-20T08:00:10Z", "firing", start, "", ""), told("2026-11-20T08:30:05Z", "resolved", start, "2026-11-20T08:30:00Z", ""),
			told("2026-11-20T08:30:40Z", "firing", start, "", ""), told("2026-11-20T08:32:50Z", "resolved", start, "2026-11-20T08:32:46Z", ""), later("2026-11-20T10:00:00Z"),
		}, "resolved", "resolved", over(1966)},
		"told to be resolved, and repeats after that": {[]string{
			told("2026-11-20T08:00:10Z", "firing", start, "", ""), told("2026-11-20T08:30:05Z", "resolved", start, "2026-11-20T08:30:00Z", ""), told("2026-11-20T09:00:10Z", "firing", start, "", ""),
		}, "open", "", pending},
		"a notification was delivered late": {[]string{
			told("2026-11-20T08:30:05Z", "resolved", start, "2026-11-20T08:30:00Z", ""), told("2026-11-20T08:33:10Z", "firing", start, "", ""), later("2026-11-20T10:00:00Z"),
		}, "resolved", "resolved", over(1800)},

		"two tickets":                        {tickets, "resolved", "", map[string]any{"resolve": 3600.0}},
		"two tickets, the other last":        {[]string{written("2026-11-20T09:06:44Z", "T1", `"milestones":{"started":"2026-11-20T08:00:00Z","acknowledged":"2026-11-20T08:05:00Z","resolved":"2026-11-20T09:00:00Z"}`), tickets[1]}, "resolved", "", map[string]any{"resolve": 3600.0}},
		"merged by the pager":                {parts("2026-11-20T09:40:00Z", "2026-11-20T09:41:00Z", "2026-11-20T09:42:00Z"), "resolved", "", map[string]any{"resolve": 3600.0}},
		"merged by the pager, another order": {parts("2026-11-20T09:42:00Z", "2026-11-20T09:40:00Z", "2026-11-20T09:41:00Z"), "resolved", "", map[string]any{"resolve": 3600.0}},
		"merged into what is not known":      {parts("2026-11-20T09:42:00Z", "2026-11-20T09:40:00Z", "2026-11-20T09:41:00Z")[1:2], "cancelled", "", map[string]any{"resolve": incident.StatusNotApplicable}},
		"one of two tickets is still open": {[]string{
			tickets[0], strings.Replace(written("2026-11-20T09:06:42Z", "T2", `"milestones":{"started":"2026-11-20T08:10:00Z"}`), `"resolved"`, `"open"`, 1),
		}, "open", "", map[string]any{"resolve": incident.StatusPending}},

		"a record that took no time":          {[]string{written("2026-11-20T10:30:00Z", "1", `"milestones":{"started":"2026-11-20T08:00:00Z","resolved":"2026-11-20T08:00:00Z"}`)}, "resolved", "", map[string]any{"resolve": incident.StatusMissing}},
		"a mitigated that repeats the start":  {[]string{written("2026-11-20T10:30:00Z", "1", `"milestones":{"started":"2026-11-20T08:00:40Z","mitigated":"2026-11-20T08:00:00Z","resolved":"2026-11-20T09:00:40Z"}`)}, "resolved", "", map[string]any{"mitigate": incident.StatusMissing, "resolve": 3600.0}},
		"of two, one took no time":            {[]string{tickets[0], written("2026-11-20T09:06:42Z", "T2", `"milestones":{"started":"2026-11-20T08:00:00Z","resolved":"2026-11-20T08:00:00Z"}`)}, "resolved", "", map[string]any{"resolve": 3600.0}},
		"a record that took a minute":         {[]string{written("2026-11-20T10:30:00Z", "1", `"milestones":{"started":"2026-11-20T08:00:00Z","resolved":"2026-11-20T08:01:00Z"}`)}, "resolved", "", map[string]any{"resolve": 60.0}},
		"a record without a time is not open": {[]string{strings.Replace(written("2026-11-20T10:30:00Z", "1", `"severity":"high"`), `"resolved"`, `"open"`, 1)}, "resolved", "", map[string]any{"resolve": incident.StatusMissing}},
		"a record that was made is open":      {[]string{strings.Replace(written("2026-11-20T10:30:00Z", "1", `"created_at":"2026-11-20T10:29:00Z"`), `"resolved"`, `"open"`, 1)}, "open", "", map[string]any{"resolve": incident.StatusPending}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(strings.Join(c.lines, "\n")), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "m.yml"), []byte(fmt.Sprintf(
				"windows: [28d]\nstore: {dsn: %q}\nsources: []\ncorrelate: {open: {matchers: ['severity=\"critical\"']}}\n", "sqlite:"+filepath.Join(dir, "m.db"))), 0o600))
			out, err := Replay(t.Context(), Options{Logger: slog.New(slog.DiscardHandler), Environ: []string{}, ConfigFile: filepath.Join(dir, "m.yml")}, []string{filepath.Join(dir, "a.jsonl")})
			require.NoError(t, err)
			var found []incident.Incident
			for _, in := range out.Incidents {
				if in.Kind != incident.KindDrill {
					found = append(found, in)
				}
			}
			require.Len(t, found, 1)
			in := found[0]
			require.Equal(t, c.state, in.State)
			if len(out.Episodes) > 0 {
				first := out.Episodes[0].Episode
				for _, v := range out.Episodes {
					if v.Episode.StartsAt.Before(first.StartsAt) {
						first = v.Episode
					}
				}
				require.Equal(t, c.end, first.End)
			}
			for interval, want := range c.want {
				m := in.Measurements[interval]
				if s, ok := want.(float64); ok {
					require.Equal(t, incident.Recorded(time.Duration(s*float64(time.Second))), m, interval)
				} else {
					require.Equal(t, incident.Measurement{Status: want.(incident.Status)}, m, interval)
				}
			}
			if in.State == incident.StateResolved && c.want["resolve"] == incident.StatusMissing {
				for _, w := range in.Impacts {
					require.Zero(t, w.To, "an end of impact that nobody told")
				}
			}
		})
	}
}

// TestStoreOfBefore opens a store that the version before made (replay of testdata/before-ends.jsonl with this configuration),
// when an end that nobody told was taken for one. Its figures come to be those that this version makes of the same facts, by
// themselves, and what the histogram had counted of such ends is restated.
func TestStoreOfBefore(t *testing.T) {
	dir := t.TempDir()
	packed, err := os.Open("testdata/before-ends.db.gz")
	require.NoError(t, err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	require.NoError(t, err)
	body, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meantime.db"), body, 0o600))

	const archive = "testdata/before-ends.jsonl"
	lines, err := os.ReadFile(archive)
	require.NoError(t, err)
	all := strings.Split(strings.TrimSpace(string(lines)), "\n")
	last := filepath.Join(dir, "last.jsonl") // what is known already, so that nothing but the program is new
	require.NoError(t, os.WriteFile(last, []byte(all[len(all)-1]), 0o600))
	play := func(store, archive string) *Replayed {
		out, err := Replay(t.Context(), Options{Logger: slog.New(slog.DiscardHandler), Environ: []string{
			"MEANTIME_CORRELATE_EXPIRE_AFTER=5h", "MEANTIME_CORRELATE_OPEN_EVERY=true", `MEANTIME_CORRELATE_OPEN_MATCHERS=["severity=\"critical\""]`, "MEANTIME_WINDOWS=[28d]",
			"MEANTIME_SOURCES=[]", "MEANTIME_STORE_DSN=sqlite:" + filepath.Join(dir, store),
		}}, []string{archive})
		require.NoError(t, err)
		return out
	}
	got, want := play("meantime.db", last), play("new.db", archive)
	resolve := map[string]incident.Measurement{}
	for i := range got.Incidents {
		in := &got.Incidents[i]
		resolve[strings.Join(in.Services, " ")] = in.Measurements["resolve"]
		require.Equal(t, want.Incidents[i].Measurements, in.Measurements, in.ID)
		require.Equal(t, want.Incidents[i].Milestones, in.Milestones, in.ID)
		require.Equal(t, want.Incidents[i].Impacts, in.Impacts, in.ID)
	}
	missing := incident.Measurement{Status: incident.StatusMissing}
	require.Equal(t, map[string]incident.Measurement{
		"edge": missing, "plant": missing, "billing": missing, "search": incident.Recorded(20 * time.Minute), "payments": incident.Recorded(time.Hour),
		"login": missing, "": {Status: incident.StatusNotApplicable},
	}, resolve)
	require.Len(t, got.Episodes, len(want.Episodes))
	for i, v := range got.Episodes {
		require.Equal(t, want.Episodes[i].Episode.End, v.Episode.End, v.Service)
	}
	db, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(dir, "meantime.db"), sqlstore.Options{})
	require.NoError(t, err)
	defer db.Close()
	restated := 0
	for o, err := range db.Ledger(t.Context()) {
		require.NoError(t, err)
		restated += o.Restates["resolve"]
	}
	require.Equal(t, 5, restated, "of edge, plant, billing, payments and login")
}
