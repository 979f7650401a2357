package faults

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// kills is how often each kind of work is killed; `make kills` does it hundreds of times.
var kills = flag.Int("kills", 8, "how often each kind of work of TestKilledEarly is killed")

// TestKilledEarly kills first starts, copies and backups within their first milliseconds, again and again. Each time the same
// command once more goes on with what that left, and a Meantime starts on it.
func TestKilledEarly(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config})
	bodies := some("A", 60)
	s := send(t, m, 8, bodies)
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
	serve := []string{"serve", "--web.listen-address=127.0.0.1:0"}
	// killed runs a command and kills it a moment after a file appears; false where it was done before.
	killed := func(t *testing.T, dir, file string, args ...string) bool {
		p := servers.MeantimeCommand(t, dir, args...)
		done := func() bool {
			return strings.Contains(p.Log(), "checksum of both") || strings.Contains(p.Log(), "sightings, ")
		}
		for deadline := time.Now().Add(soon); !done(); {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
				break
			}
			require.True(t, time.Now().Before(deadline), p.Log())
		}
		time.Sleep(time.Duration(rand.IntN(12_000)) * time.Microsecond)
		p.Kill()
		return done()
	}
	listens := func(t *testing.T, dir string, args ...string) {
		t.Helper()
		p := servers.MeantimeCommand(t, dir, append(args, serve...)...)
		servers.Eventually(t, soon, func() error {
			if strings.Contains(p.Log(), "open store") {
				t.Fatalf("the store is refused: %s", p.Log())
			}
			if !strings.Contains(p.Log(), "Listening") {
				return errors.New(p.Log())
			}
			return nil
		})
		p.Kill()
	}
	for i := range *kills {
		t.Run(fmt.Sprint("first start ", i), func(t *testing.T) {
			dir := t.TempDir()
			killed(t, dir, "meantime.db", serve...)
			listens(t, dir)
			listens(t, dir)
		})
		t.Run(fmt.Sprint("copy ", i), func(t *testing.T) {
			dir := t.TempDir()
			args := []string{"copy", "--from=sqlite:" + m.Database(), "--to=sqlite:" + filepath.Join(dir, "copy.db")}
			killed(t, dir, "copy.db", args...)
			status, output := servers.MeantimeRun(t, dir, args...)
			if status != 0 {
				require.Contains(t, output, "is not empty", "it was through before it was killed")
			}
			listens(t, dir, "--store.dsn=sqlite:"+filepath.Join(dir, "copy.db"))
		})
		t.Run(fmt.Sprint("backup ", i), func(t *testing.T) {
			dir := t.TempDir()
			backup := func(name string) []string {
				return []string{"--store.dsn=sqlite:" + m.Database(), "backup", filepath.Join(dir, name)}
			}
			if !killed(t, dir, "monday.db.meantime-part", backup("monday.db")...) {
				status, output := servers.MeantimeRun(t, dir, backup("tuesday.db")...)
				require.Zero(t, status, output)
			}
			status, output := servers.MeantimeRun(t, dir, backup("wednesday.db")...)
			require.Zero(t, status, output)
			left, err := filepath.Glob(filepath.Join(dir, "*part*"))
			require.NoError(t, err)
			require.Empty(t, left)
			listens(t, dir, "--store.dsn=sqlite:"+filepath.Join(dir, "wednesday.db"))
		})
	}
}
