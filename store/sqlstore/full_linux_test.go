package sqlstore

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestFileSystemFull fills a real file system of a few megabytes. TestDiskFull shows the same where none can be mounted.
func TestFileSystemFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		require.NotEqual(t, "true", os.Getenv("CI"), "CI leaves nothing out, and a file system of a limited size needs the right to mount: %v", err)
		t.Skipf("no file system of a limited size here: mount: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	filler := filepath.Join(dir, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, 2_000_000), 0o600))

	path := filepath.Join(dir, "store.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	facts := func(n int64) incident.Facts {
		f := numbered(n)
		f.Sightings[0].Labels = map[string]string{"alertname": strings.Repeat("x", 3000)}
		return f
	}
	stored := int64(0)
	for ; err == nil; stored++ {
		_, err = s.Put(t.Context(), facts(stored), time.Now())
	}
	stored--
	require.ErrorContains(t, err, path+": the disk is full")
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	l, err := s.Sightings(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err, "what is stored can be read")
	require.Len(t, l, int(stored))
	// What is small may still find room in the log, and a probe is small.
	for n := 0; err == nil; n++ {
		require.Less(t, n, 100, "a full disk is found out by a few probes")
		err = s.Ping(t.Context())
	}
	require.ErrorContains(t, err, path+": the disk is full")
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	require.Error(t, s.Ping(t.Context()), "and stays found out")

	require.NoError(t, os.Remove(filler))
	require.NoError(t, s.Ping(t.Context()))
	_, err = s.Put(t.Context(), facts(stored), time.Now())
	require.NoError(t, err, "with room again it goes on by itself")
	require.NoError(t, s.Close())
	s, err = Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	st, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, stored+1, st.Sightings)
	require.NoError(t, s.Close())
}
