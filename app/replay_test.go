package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
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
