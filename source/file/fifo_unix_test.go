//go:build unix

package file

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is no file, or leads nowhere, is refused by its name; nothing waits for a FIFO that nobody writes, not even where it takes
// the place of a file that was read.
func TestNoFiles(t *testing.T) {
	b := newBench(t, Options{})
	b.write("a.yaml", "id: a")
	b.write("race.yaml", "id: race")
	require.NoError(t, syscall.Mkfifo(filepath.Join(b.dir, "fifo.yaml"), 0o644))
	require.NoError(t, os.Symlink("loop.yaml", filepath.Join(b.dir, "loop.yaml")))
	require.NoError(t, os.Symlink(".", filepath.Join(b.dir, "self")))
	require.NoError(t, os.Symlink("..", filepath.Join(b.dir, "up")))
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(b.dir, "zero.yaml")))
	require.Equal(t, []string{"a race"}, b.poll())
	require.Equal(t, []string{"fifo.yaml: not a regular file", "loop.yaml: too many levels of symbolic links",
		"zero.yaml: path escapes from parent"}, b.problems())

	b.remove("race.yaml")
	require.NoError(t, syscall.Mkfifo(filepath.Join(b.dir, "race.yaml"), 0o644))
	require.Empty(t, b.poll(), "what it said stays")
	require.Equal(t, []string{"race.yaml: not a regular file"}, b.problems(), "the others were told before")
}
