package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// In a replay it is the time of the line: what a record then says of later times is refused, however long ago they are today.
func TestReplayRefusesWhatLiesAheadOfItsLine(t *testing.T) {
	const at = "2026-01-02T12:00:00Z"
	for name, c := range map[string]struct{ record, want string }{
		"the same moment":        {`{"id":"1","milestones":{"started":"2026-01-02T11:00:00Z","resolved":"2026-01-02T12:00:00Z"}}`, ""},
		"clocks that differ":     {`{"id":"1","milestones":{"started":"2026-01-02T11:00:00Z","resolved":"2026-01-02T12:05:00Z"}}`, ""},
		"an end that will come":  {`{"id":"1","milestones":{"resolved":"2026-01-02T12:05:01Z"}}`, "milestones.resolved: 2026-01-02T12:05:01Z is later than now (" + at + ")"},
		"in another zone":        {`{"id":"1","milestones":{"resolved":"2026-01-02T12:30:00-01:00"}}`, "milestones.resolved: 2026-01-02T13:30:00Z is later"},
		"an impact":              {`{"id":"1","impacts":[{"from":"2026-01-02T11:00:00Z","to":"2026-01-03T00:00:00Z"}]}`, "impacts[0].to: 2026-01-03T00:00:00Z is later"},
		"a maintenance, planned": {`{"id":"1","kind":"maintenance","milestones":{"started":"2026-01-03T00:00:00Z"}}`, ""},
	} {
		dir := t.TempDir()
		archive := filepath.Join(dir, "a.jsonl")
		lines := `{"at":"2026-01-02T09:00:00Z","source":"ours","record":{"id":"0","milestones":{"started":"2026-01-02T08:00:00Z"}}}` + "\n" +
			`{"at":"2026-01-09T09:00:00Z","source":"ours","record":{"id":"2","milestones":{"started":"2026-01-09T08:00:00Z"}}}` + "\n" +
			fmt.Sprintf(`{"at":%q,"source":"ours","record":%s}`, at, c.record) + "\n"
		require.NoError(t, os.WriteFile(archive, []byte(lines), 0o600))
		store := filepath.Join(dir, "m.db")
		out, err := Replay(t.Context(), Options{Logger: slog.New(slog.DiscardHandler), Environ: []string{"MEANTIME_STORE_DSN=sqlite:" + store}}, []string{archive})
		if c.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, 3, out.Records, name)
			continue
		}
		require.ErrorContains(t, err, archive+":3: "+c.want, name)
		require.NoFileExists(t, store, name)
	}
}

// What a replay prints has no end of an alert whose end is not known, and when it was last heard of.
func TestReplayTellsNoEndThatIsNotKnown(t *testing.T) {
	for name, c := range map[string]struct {
		annotations string
		known       bool
	}{"resolved": {"", true}, "a rule that was paused": {`{"grafana_state_reason":"Paused"}`, false}} {
		dir := t.TempDir()
		archive := filepath.Join(dir, "a.jsonl")
		const start, end = "2026-11-20T08:00:00Z", "2026-11-20T08:10:00Z"
		lines := told("2026-11-20T08:00:10Z", "firing", start, "", "") + "\n" + told("2026-11-20T08:10:10Z", "resolved", start, end, c.annotations) + "\n"
		require.NoError(t, os.WriteFile(archive, []byte(lines), 0o600))
		config := filepath.Join(dir, "m.yml")
		require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf("store: {dsn: %q}\ncorrelate: {open: {matchers: ['severity=\"critical\"']}}\n", "sqlite:"+filepath.Join(dir, "m.db"))), 0o600))
		out, err := Replay(t.Context(), Options{Logger: slog.New(slog.DiscardHandler), Environ: []string{}, ConfigFile: config}, []string{archive})
		require.NoError(t, err)
		require.Len(t, out.Episodes, 1)
		require.Len(t, out.Incidents, 1)
		for _, e := range []incident.Episode{out.Episodes[0].Episode, out.Incidents[0].Links[0].Episode} {
			require.False(t, e.Firing(), name)
			require.Equal(t, c.known, !e.EndsAt.IsZero(), name)
			require.False(t, e.LastSeen.IsZero(), name)
		}
	}
}

// A program that reads the answer finds a list also where there is no incident.
func TestReplayOfNothingHasNoIncidents(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "a.jsonl")
	line := `{"at":"2026-01-02T09:00:00Z","body":{"version":"4","groupKey":"{}:{}","status":"firing","alerts":[` +
		`{"status":"firing","labels":{"alertname":"Slow","severity":"warning"},"startsAt":"2026-01-02T08:59:00Z"}]}}`
	require.NoError(t, os.WriteFile(archive, []byte(line+"\n"), 0o600))
	out, err := Replay(t.Context(), Options{
		Logger: slog.New(slog.DiscardHandler), Environ: []string{"MEANTIME_STORE_DSN=sqlite:" + filepath.Join(t.TempDir(), "m.db")},
	}, []string{archive})
	require.NoError(t, err)
	b, err := json.Marshal(out)
	require.NoError(t, err)
	require.Contains(t, string(b), `"incidents":[]`)
	require.Equal(t, 1, out.Notifications)
}
