package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// refused opens a store that must be refused, and checks that the file there is as it was.
func refused(t *testing.T, path string, code incident.Code, words ...string) {
	t.Helper()
	before, _ := os.ReadFile(path)
	_, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.Error(t, err)
	for _, w := range append(words, path) {
		require.ErrorContains(t, err, w)
	}
	require.Equal(t, code, incident.CodeOf(err))
	after, _ := os.ReadFile(path)
	require.True(t, bytes.Equal(before, after), "a refused file stays as it was")
}

// written is a closed store with some facts in it.
func written(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	for n := range int64(500) {
		f := numbered(n)
		f.Sightings[0].Labels = map[string]string{"alertname": strings.Repeat("x", 500)}
		_, err := s.Put(t.Context(), f, time.Now())
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	return path
}

func TestOpenFirstTimeAndAgain(t *testing.T) {
	for _, name := range []string{"new.db", "with space & ?#%41.db"} {
		path := filepath.Join(t.TempDir(), name)
		for n := range 2 {
			s, err := Open(t.Context(), "sqlite:"+path, Options{})
			require.NoError(t, err)
			st, err := s.Stats(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, n, st.Sightings)
			require.Positive(t, st.Bytes)
			_, err = s.Put(t.Context(), numbered(int64(n)), time.Now())
			require.NoError(t, err)
			require.NoError(t, s.Close())
		}
		_, err := os.Stat(path)
		require.NoError(t, err)
		_, err = os.Stat(path + "-wal")
		require.ErrorIs(t, err, os.ErrNotExist, "a closed store is one file")
	}

	empty := filepath.Join(t.TempDir(), "empty.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	openTest(t, empty)

	t.Chdir(t.TempDir())
	s, err := Open(t.Context(), "sqlite:relative.db", Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = os.Stat("relative.db")
	require.NoError(t, err)
}

func TestOpenOtherKinds(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://ann:hunter2@host/db": `unknown kind of database "mysql"`,
		"meantime.db":                 "write sqlite:PATH",
		"sqlite:":                     "needs the path of a file",
		"sqlite::memory:":             "needs the path of a file",
	} {
		_, err := Open(t.Context(), dsn, Options{})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
	}
}

func TestOpenNewerDatabase(t *testing.T) {
	path := written(t)
	change(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	refused(t, path, incident.CodeInvalid, "newer Meantime", "version 999", "knows up to")
}

// change runs a statement in a closed store.
func change(t *testing.T, path, query string, args ...any) {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(query, args...)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestOpenForeignFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	refused(t, write("text", []byte("store: {dsn: \"sqlite:meantime.db\"}\n")), incident.CodeInvalid, "is not a SQLite database")
	refused(t, write("one byte", []byte("S")), incident.CodeInvalid, "is not a SQLite database")
	refused(t, write("zeros", make([]byte, 8192)), incident.CodeInvalid, "is not a SQLite database")
	refused(t, write("cut", []byte(sqliteMagic)), incident.CodeInternal, "damaged", "ends after 16 bytes")

	other := filepath.Join(dir, "other.db")
	change(t, other, "CREATE TABLE grafana (x)")
	refused(t, other, incident.CodeInvalid, "not a store of Meantime's")

	_, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, "none", "store.db"), Options{})
	require.ErrorContains(t, err, "directory "+filepath.Join(dir, "none")+" does not exist; create it")
	require.NoDirExists(t, filepath.Join(dir, "none"))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o700))
	_, err = Open(t.Context(), "sqlite:"+filepath.Join(dir, "dir"), Options{})
	require.ErrorContains(t, err, "is a directory; the store is a file")
	_, err = Open(t.Context(), "sqlite:"+filepath.Join(other, "store.db"), Options{})
	require.ErrorContains(t, err, "is not a directory")

	// The database was moved away, its log was not: a new one would take the log for its own.
	gone := filepath.Join(dir, "gone.db")
	write("gone.db-wal", []byte("something"))
	_, err = Open(t.Context(), "sqlite:"+gone, Options{})
	require.ErrorContains(t, err, "is missing but its log")
	require.NoFileExists(t, gone)
}

func TestOpenDamaged(t *testing.T) {
	content := func(t *testing.T, path string) []byte {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return b
	}
	t.Run("truncated", func(t *testing.T) {
		path := written(t)
		b := content(t, path)
		require.NoError(t, os.WriteFile(path, b[:len(b)/2], 0o600))
		refused(t, path, incident.CodeInternal, "damaged", fmt.Sprintf("it has %d bytes and should have %d", len(b)/2, len(b)), "restore a backup")
	})
	t.Run("schema overwritten", func(t *testing.T) {
		path := written(t)
		b := content(t, path)
		copy(b[100:], bytes.Repeat([]byte{0xa5}, 3000))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		refused(t, path, incident.CodeInternal, "damaged", "malformed")
	})
	t.Run("a page of rows overwritten", func(t *testing.T) {
		path := written(t)
		b := content(t, path)
		at := bytes.Index(b, []byte(`"alertname":"xxxx`))
		require.Positive(t, at)
		copy(b[at/4096*4096:], bytes.Repeat([]byte{0xa5}, 4096))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s := openTest(t, path) // a page that nobody reads cannot be known to be bad
		_, err := s.Sightings(t.Context(), time.Time{}, time.Time{})
		require.ErrorContains(t, err, "damaged")
		require.ErrorContains(t, err, path)
		require.Equal(t, incident.CodeInternal, incident.CodeOf(err))
	})
}

func TestOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openTest(t, path)
	_, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.ErrorContains(t, err, path+" is in use by another Meantime")
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))

	out, err := child(t, "open", path).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), path+" is in use by another Meantime")

	// The one who was refused has not loosened the lock.
	out, err = child(t, "open", path).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "is in use")
	require.NoError(t, s.Close())
	out, err = child(t, "open", path).Output()
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", string(out))
}

// TestReadOnly opens stores that may not be written, as a user who is not root.
func TestReadOnly(t *testing.T) {
	// A place that everybody can reach, with a copy of this binary.
	dir, err := os.MkdirTemp("", "readonly-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	exe, err := os.Executable()
	require.NoError(t, err)
	binary := filepath.Join(dir, "test")
	copyFile(t, exe, binary, 0o755)
	open := func(path string) string {
		cmd := child(t, "open", path)
		cmd.Path, cmd.Args, cmd.Dir = binary, []string{binary}, dir
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		b, err := cmd.Output()
		require.NoError(t, err)
		return string(b)
	}
	data := filepath.Join(dir, "data")
	require.NoError(t, os.Mkdir(data, 0o777))
	path := filepath.Join(data, "store.db")
	copyFile(t, written(t), path, 0o444)

	require.NoError(t, os.Chmod(data, 0o555))
	require.Contains(t, open(path), "directory "+data+" must be writable")
	require.NoError(t, os.Chmod(data, 0o777)) // not what the umask made of it
	got := open(path)
	require.Contains(t, got, "the store must be readable and writable: open "+path+": permission denied")
	require.NoError(t, os.Chmod(path, 0o666))
	require.Equal(t, "<nil>\n", open(path))
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, b, mode))
}

func TestDiskFull(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	_, err := s.Put(ctx, numbered(1), time.Now())
	require.NoError(t, err)

	limit := func(pages int) {
		require.NoError(t, s.alone(ctx, 1, func(x *session) error {
			_, err := x.get(fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, new(int64))
			return err
		}))
	}
	limit(1) // no page more than there are
	big := numbered(2)
	big.Sightings[0].Labels = map[string]string{"alertname": strings.Repeat("x", 100_000)}
	_, err = s.Put(ctx, big, time.Now())
	require.ErrorContains(t, err, "the disk is full")
	require.ErrorContains(t, err, s.db.name)
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	got, err := s.SightingsOf(ctx, []string{"f2"})
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = s.Record(ctx, big.Records[0].Key())
	require.Equal(t, incident.CodeNotFound, incident.CodeOf(err))

	limit(1 << 30)
	_, err = s.Put(ctx, big, time.Now())
	require.NoError(t, err)
	got, err = s.SightingsOf(ctx, []string{"f1", "f2"})
	require.NoError(t, err)
	require.Len(t, got, 2)
}

// TestDurable looks whether the connection that writes waits for the disk. TestPowerCut shows what that is for.
func TestDurable(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, s.alone(t.Context(), 1, func(x *session) error {
		var mode string
		var synchronous, keys int
		_, err := x.get("PRAGMA journal_mode", nil, &mode)
		require.NoError(t, err)
		_, err = x.get("PRAGMA synchronous", nil, &synchronous)
		require.NoError(t, err)
		_, err = x.get("PRAGMA foreign_keys", nil, &keys)
		require.NoError(t, err)
		require.Equal(t, []any{"wal", 2, 1}, []any{mode, synchronous, keys})
		return nil
	}))
}
