package sqlstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestBackup copies a store while others write to it. The copy is a state that the store was in: it has everything
// that was acknowledged before it began, and of what came meanwhile a part without a gap.
func TestBackup(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "store.db")
	s := openTest(t, path)
	var next atomic.Int64
	put := func() error {
		_, err := s.Put(ctx, numbered(next.Add(1)-1), time.Now())
		return err
	}
	for range 300 {
		require.NoError(t, put())
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := put(); err != nil {
				stopped <- err
				return
			}
		}
	}()
	before := next.Load() - 1 // the last one may be under way
	file := filepath.Join(dir, "backups.db")
	b, err := Backup(ctx, "sqlite:"+path, file)
	require.NoError(t, err)
	close(stop)
	require.NoError(t, <-stopped)
	require.Equal(t, file, b.File)
	require.GreaterOrEqual(t, b.Sightings, before)
	require.Equal(t, b.Sightings, b.Records)
	require.Positive(t, b.Bytes)

	content, err := os.ReadFile(file)
	require.NoError(t, err)
	_, err = Backup(ctx, "sqlite:"+path, file)
	require.ErrorContains(t, err, file+" exists already, and a backup overwrites nothing")
	require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, content, after)

	// It is a store like any other, also one to go on with.
	copied := openTest(t, file)
	for n := range b.Sightings {
		l, err := copied.SightingsOf(ctx, []string{fmt.Sprint("f", n)})
		require.NoError(t, err)
		require.Len(t, l, 1, n)
	}
	_, err = copied.Put(ctx, numbered(1e6), time.Now())
	require.NoError(t, err)
	requireOnly(t, dir, "backups.db", "store.db")
}

func TestBackupRefusals(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	file := filepath.Join(dir, "backup.db")
	fails := func(code incident.Code, dsn, file string, words ...string) {
		t.Helper()
		_, err := Backup(ctx, dsn, file)
		require.Error(t, err)
		for _, w := range words {
			require.ErrorContains(t, err, w)
		}
		require.Equal(t, code, incident.CodeOf(err))
		require.NotContains(t, err.Error(), "hunter2")
	}
	fails(incident.CodeInvalid, "postgres://ann:hunter2@host/db", file, "pg_dump --format=custom --file="+file+" DATABASE")
	fails(incident.CodeInvalid, "mysql://ann:hunter2@host/db", file, `unknown kind of database "mysql"`)
	fails(incident.CodeNotFound, "sqlite:"+filepath.Join(dir, "none.db"), file, "none.db does not exist")

	path := written(t)
	fails(incident.CodeInternal, "sqlite:"+path, filepath.Join(dir, "none", "backup.db"), "no such file or directory")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b[:len(b)/2], 0o600))
	fails(incident.CodeInternal, "sqlite:"+path, file, path+" is damaged", "restore a backup")
	requireOnly(t, dir) // nothing is left of what did not work
}

// requireOnly checks which databases a directory holds, and that nothing else is there but what belongs to them.
func requireOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	known := map[string]bool{}
	for _, n := range names {
		for _, suffix := range []string{"", "-lock", "-wal", "-shm"} {
			known[n+suffix] = true
		}
	}
	for _, e := range entries {
		require.True(t, known[e.Name()], "%s is left", e.Name())
	}
}
