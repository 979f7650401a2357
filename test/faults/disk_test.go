package faults

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// disk is a file system of a few megabytes.
func disk(t *testing.T, megabytes int) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		servers.LeftOut(t, fmt.Sprintf("a file system of a limited size needs the right to mount: %v", err))
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// TestDiskFull fills the disk under a Meantime that takes notifications. It says 503 with when to come again, names the
// file in its log, and shows what it knows. With room again everything is taken, without a restart.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := disk(t, 64)
	filler := filepath.Join(dir, "filler")
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, Dir: dir})
	bodies := some("A", 2000)
	s := send(t, m, 16, bodies)
	s.until(t, 300)
	fill(t, filler)
	big := firing("B", time.Now().Add(-time.Hour))
	big.Annotations["description"] = strings.Repeat("what happened, at length; ", 2000)
	servers.Eventually(t, soon, func() error { // what is small may still find room in the log
		status, retry, err := s.post(servers.Notification(big))
		if err == nil && (status != http.StatusServiceUnavailable || retry == "") {
			err = fmt.Errorf("status %d, Retry-After %q", status, retry)
		}
		return err
	})
	require.Contains(t, m.Log(), m.Database()+": the disk is full, nothing was stored; free some space")
	servers.Eventually(t, soon, func() error { // a load balancer must send what comes to another one
		if ready(m) == nil {
			return errors.New("it is ready although the disk is full")
		}
		return nil
	})
	require.Equal(t, http.StatusServiceUnavailable, get(t, m, "/-/ready"), "and stays so")
	require.Equal(t, http.StatusOK, get(t, m, "/metrics"))
	requireEpisodes(t, m, nil) // they can be read

	require.NoError(t, os.Remove(filler))
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	servers.Eventually(t, soon, func() error { return ready(m) })
	require.NoError(t, m.Stop())
	m.Restart()
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
}

// fill writes a file until nothing more fits.
func fill(t *testing.T, name string) {
	f, err := os.Create(name)
	require.NoError(t, err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
}

// TestReadOnlyDisk starts Meantime on a store that must not be written. It ends at once, says what is wrong, and has
// touched nothing; once it may write it goes on with what there is.
func TestReadOnlyDisk(t *testing.T) {
	dir := disk(t, 12)
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, Dir: dir})
	bodies := some("A", 20)
	s := send(t, m, 4, bodies)
	s.until(t, len(bodies))
	s.giveUp()
	require.NoError(t, m.Stop())
	before, err := os.ReadFile(m.Database())
	require.NoError(t, err)

	remount := func(flags uintptr) {
		require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""))
	}
	remount(syscall.MS_RDONLY)
	t.Cleanup(func() { _ = syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "") })
	status, output := servers.MeantimeFails(t, servers.MeantimeOptions{DSN: "sqlite:" + m.Database()})
	require.Equal(t, 1, status, output)
	require.Contains(t, output, "directory "+dir+" must be writable, for the store keeps its log and its lock there")
	require.Contains(t, output, "read-only file system")
	after, err := os.ReadFile(m.Database())
	require.NoError(t, err)
	require.Equal(t, before, after)

	remount(0)
	m.Restart()
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
}

// TestDamagedStore starts Meantime on files that something has damaged. It refuses each, names it and the way out, and
// leaves it as it is; never does it begin anew in its place. Then the way out is gone: a backup, made while Meantime ran.
func TestDamagedStore(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config})
	bodies := some("A", 500)
	s := send(t, m, 16, bodies)
	s.until(t, len(bodies)/2)
	backup := filepath.Join(t.TempDir(), "backup.db")
	saved := s.names()
	status, output := servers.MeantimeRun(t, m.Dir, "backup", backup)
	require.Equal(t, 0, status, output)
	require.Contains(t, output, backup+": ")
	s.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
	good, err := os.ReadFile(m.Database())
	require.NoError(t, err)

	for name, damage := range map[string]func([]byte) []byte{
		"cut in the middle":      func(b []byte) []byte { return b[:len(b)/2] },
		"cut in the header":      func(b []byte) []byte { return b[:60] },
		"a bit of the magic":     func(b []byte) []byte { b[3] ^= 0x10; return b },
		"a bit of its size":      func(b []byte) []byte { b[28] ^= 0x01; return b },
		"the schema overwritten": func(b []byte) []byte { copy(b[100:], strings.Repeat("\xa5", 3000)); return b },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "meantime.db")
			bad := damage([]byte(string(good)))
			require.NoError(t, os.WriteFile(file, bad, 0o644))
			status, output := servers.MeantimeFails(t, servers.MeantimeOptions{DSN: "sqlite:" + file})
			require.Equal(t, 1, status, output)
			require.Contains(t, output, "open store: "+file+" is ")
			if !strings.Contains(output, "is not a SQLite database; name another file, or move this one away") {
				require.Contains(t, output, "is damaged: ")
				require.Contains(t, output, "keep it, restore a backup in its place, or save what can be read with: sqlite3 "+file+" .dump (docs/reliability.md tells how)")
			}
			after, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, bad, after)
		})
	}

	require.NoError(t, os.Truncate(m.Database(), int64(len(good)/2)))
	require.NoError(t, os.Rename(m.Database(), m.Database()+".damaged"))
	require.NoError(t, os.Rename(backup, m.Database()))
	m.Restart()
	requireEpisodes(t, m, saved)
	again := send(t, m, 16, bodies) // as Alertmanager and the reconcile would
	again.until(t, len(bodies))
	requireEpisodes(t, m, namesOf(bodies))
	require.NoError(t, m.Stop())
}
