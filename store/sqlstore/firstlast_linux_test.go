package sqlstore

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// hotJournal is the rollback journal of a transaction that began with that many pages and was never ended.
func hotJournal(pages uint32) []byte {
	b := make([]byte, 512)
	copy(b, journalMagic)
	binary.BigEndian.PutUint32(b[16:], pages)
	binary.BigEndian.PutUint32(b[20:], 512)
	binary.BigEndian.PutUint32(b[24:], 4096)
	return b
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

// TestKilledInCreationOpens: a start that was killed while it created the store left a page and the journal that undoes
// it. A reader cannot play that back, and the store was refused for ever.
func TestKilledInCreationOpens(t *testing.T) {
	good, err := os.ReadFile(written(t))
	require.NoError(t, err)
	for name, first := range map[string][]byte{
		"its first page is there": good[:4096], "nothing is there": nil, "the page is all zeros": make([]byte, 4096), "a part of the page": good[:512],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			writeFile(t, path, first)
			writeFile(t, path+"-journal", hotJournal(0))
			_, err := Open(t.Context(), "sqlite:"+path, Options{ReadOnly: true})
			require.ErrorContains(t, err, path+" holds nothing yet: the Meantime that was to create it was interrupted; start one on it")
			require.Equal(t, incident.CodeNotFound, incident.CodeOf(err))
			writeFile(t, path, first)
			writeFile(t, path+"-journal", hotJournal(0))
			s := openTest(t, path)
			_, err = s.Put(t.Context(), numbered(1), time.Now())
			require.NoError(t, err)
			require.NoFileExists(t, path+"-journal")
		})
	}
}

// TestJournalOfAnotherProgramStays: what another program has not finished is not undone here.
func TestJournalOfAnotherProgramStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	change(t, path, "CREATE TABLE grafana (x)")
	j := hotJournal(2)
	writeFile(t, path+"-journal", j)
	refused(t, path, incident.CodeInvalid, "another program was interrupted, and not a store of Meantime's")
	after, err := os.ReadFile(path + "-journal")
	require.NoError(t, err)
	require.Equal(t, j, after)
}

// TestEmptiedStoreIsRefused: a new store was begun in the place of an emptied one, and its log thrown away.
func TestEmptiedStoreIsRefused(t *testing.T) {
	type lost struct {
		name  string
		lose  func(t *testing.T, path string)
		words []string
		after string // the file that makes way for an empty store
	}
	empty := func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }
	remove := func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }
	wal := func(lose func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			lose(t, path)
			remove(t, path+"-lock")
			writeFile(t, path+"-wal", []byte("changes"))
		}
	}
	for _, c := range []lost{
		{"emptied", empty, []string{" is empty but ", "-lock says: held a store at 20", "restore a backup, or remove "}, "-lock"},
		{"vanished", remove, []string{" is missing but ", "-lock says: held a store at 20"}, "-lock"},
		{"emptied, with a log", wal(empty), []string{" is empty but its log "}, "-wal"},
		{"vanished, with a log", wal(remove), []string{" is missing but its log "}, "-wal"},
		{"emptied, with a journal", func(t *testing.T, path string) {
			empty(t, path)
			remove(t, path+"-lock")
			writeFile(t, path+"-journal", hotJournal(30))
		}, []string{" is empty but its journal ", "tells of a database of 30 pages"}, "-journal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := written(t)
			c.lose(t, path)
			refused(t, path, incident.CodeInvalid, c.words...)
			_, err := Open(t.Context(), "sqlite:"+path, Options{ReadOnly: true})
			require.Error(t, err)
			refused(t, path, incident.CodeInvalid, c.words...) // and again
			remove(t, path+c.after)
			s := openTest(t, path)
			st, err := s.Stats(t.Context())
			require.NoError(t, err)
			require.Zero(t, st.Sightings)
		})
	}
}

// TestOneFileOneProcess: by a link, or once the lock file was removed, a second process worked on the same file.
func TestOneFileOneProcess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store.db")
	s := openTest(t, path)
	other := filepath.Join(t.TempDir(), "elsewhere.db")
	require.NoError(t, os.Symlink(path, other))
	chain := filepath.Join(dir, "chain.db")
	require.NoError(t, os.Symlink(other, chain))
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Symlink(dir, folder))
	hard := filepath.Join(dir, "hard.db")
	require.NoError(t, os.Link(path, hard))
	open := func(path string) string {
		t.Helper()
		out, err := child(t, "open", path).Output()
		require.NoError(t, err)
		return string(out)
	}
	for _, p := range []string{other, chain, filepath.Join(folder, "store.db"), hard} {
		require.Contains(t, open(p), "is in use by another Meantime", p)
		_, err := os.Lstat(p + "-wal")
		require.Equal(t, p == filepath.Join(folder, "store.db"), err == nil, "nothing was begun beside %s", p)
	}
	// Who reads by another name would read it without its log.
	out, err := child(t, "read", hard).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), hard+" is in use by a Meantime under another name of the same file")
	out, err = child(t, "read", other).Output()
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", string(out), "beside the log a reader may read")

	require.NoError(t, os.Remove(path+"-lock"))
	require.Contains(t, open(path), "is in use by another Meantime (it holds the file itself, by another path or with another lock file)")
	_, err = s.Put(t.Context(), numbered(1), time.Now())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Equal(t, "<nil>\n", open(other))
}

// TestOpenByLinks: a link leads to the store's place, also before there is one.
func TestOpenByLinks(t *testing.T) {
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(filepath.Join(dir, "store.db"), link))
	s, err := Open(t.Context(), "sqlite:"+link, Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.FileExists(t, filepath.Join(dir, "store.db"))
	require.FileExists(t, filepath.Join(dir, "store.db-lock"))
	require.NoFileExists(t, link+"-lock")
}

// TestStoreGoneUnderTheProgram: webhooks were answered 200 into a file that had no name any more.
func TestStoreGoneUnderTheProgram(t *testing.T) {
	move := func(t *testing.T, from, to string) { require.NoError(t, os.Rename(from, to)) }
	for _, c := range []struct {
		name       string
		lose, back func(t *testing.T, path string) // back undoes it; nil where nothing does
		words      string
	}{
		{"deleted", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, nil, "was deleted, moved or replaced under the running Meantime"},
		{"moved away", func(t *testing.T, path string) { move(t, path, path+".away") }, func(t *testing.T, path string) { move(t, path+".away", path) },
			"was deleted, moved or replaced under the running Meantime, nothing was stored; put the file back"},
		{"replaced", func(t *testing.T, path string) { move(t, path, path+".away"); copyFile(t, written(t), path, 0o600) },
			func(t *testing.T, path string) { move(t, path+".away", path) }, "was deleted, moved or replaced"},
		{"emptied", func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }, nil, "was emptied under the running Meantime"},
		{"its log deleted", func(t *testing.T, path string) { require.NoError(t, os.Remove(path+"-wal")) }, nil, "-wal, the store's log, was deleted under the running Meantime"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			s, err := Open(t.Context(), "sqlite:"+path, Options{})
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			_, err = s.Put(t.Context(), numbered(1), time.Now())
			require.NoError(t, err)
			require.NoError(t, s.Ping(t.Context()))
			c.lose(t, path)
			for range 3 {
				_, err = s.Put(t.Context(), numbered(2), time.Now())
				require.ErrorContains(t, err, path)
				require.ErrorContains(t, err, c.words)
				require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
				require.ErrorContains(t, s.Ping(t.Context()), c.words)
			}
			if c.back == nil {
				return
			}
			c.back(t, path)
			require.NoError(t, s.Ping(t.Context()))
			_, err = s.Put(t.Context(), numbered(2), time.Now())
			require.NoError(t, err)
		})
	}

	// What was in the log is written to the store when the program stops.
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	_, err = s.Put(t.Context(), numbered(1), time.Now())
	require.NoError(t, err)
	require.NoError(t, os.Remove(path+"-wal"))
	require.Error(t, s.Ping(t.Context()))
	require.NoError(t, s.Close())
	l, err := openTest(t, path).SightingsOf(t.Context(), []string{"f1"})
	require.NoError(t, err)
	require.Len(t, l, 1)
}

// TestPrivateFiles: everybody on the machine could read the store, whatever the umask of a service makes of it.
func TestPrivateFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	path := filepath.Join(dir, "store.db")
	s := openTest(t, path)
	_, err := s.Put(t.Context(), numbered(1), time.Now())
	require.NoError(t, err)
	_, err = Backup(t.Context(), "sqlite:"+path, filepath.Join(dir, "backup.db"))
	require.NoError(t, err)
	_, err = Copy(t.Context(), "sqlite:"+filepath.Join(dir, "backup.db"), "sqlite:"+filepath.Join(dir, "copy.db"), Options{})
	require.NoError(t, err)
	modes := func() map[string]os.FileMode {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		all := map[string]os.FileMode{}
		for _, e := range entries {
			st, err := e.Info()
			require.NoError(t, err)
			all[e.Name()] = st.Mode().Perm()
		}
		return all
	}
	got := modes()
	for _, name := range []string{"store.db", "store.db-wal", "store.db-shm", "store.db-lock", "backup.db", "backup.db-lock", "copy.db", "copy.db-lock"} {
		require.Contains(t, got, name)
	}
	for name, mode := range got {
		require.Equal(t, os.FileMode(0o600), mode, name)
	}

	// One that was open to all is closed to them; what a group was given stays.
	require.NoError(t, s.Close())
	require.NoError(t, os.Chmod(path, 0o664))
	require.NoError(t, os.Chmod(path+"-lock", 0o666))
	s = openTest(t, path)
	require.NoError(t, s.Ping(t.Context()))
	got = modes()
	for _, name := range []string{"store.db", "store.db-wal", "store.db-lock"} {
		require.Equal(t, os.FileMode(0o660), got[name], name)
	}
}

// TestKilledBackupIsSwept: each backup that was killed left a file of the store's size, under a name of its own.
func TestKilledBackupIsSwept(t *testing.T) {
	path, dir := written(t), t.TempDir()
	dead := filepath.Join(dir, "yesterday.db"+partSuffix)
	writeFile(t, dead, []byte("half"))
	writeFile(t, dead+"-journal", []byte("of it"))
	writeFile(t, filepath.Join(dir, "monday.db"+partSuffix+"-journal"), []byte("alone"))
	own := filepath.Join(dir, "today.db"+partSuffix)
	writeFile(t, own, []byte("half"))
	writeFile(t, filepath.Join(dir, "notes.part-1"), []byte("not a backup's"))
	alive, err := createPart(filepath.Join(dir, "other.db"))
	require.NoError(t, err)
	b, err := Backup(t.Context(), "sqlite:"+path, filepath.Join(dir, "today.db"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "monday.db"+partSuffix), own, dead}, b.Swept)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, "notes.part-1 other.db"+partSuffix+" today.db", strings.Join(names, " "))
	_, err = Backup(t.Context(), "sqlite:"+path, filepath.Join(dir, "other.db"))
	require.ErrorContains(t, err, "is being written by another backup")
	require.NoError(t, alive.Close())
	_, err = Backup(t.Context(), "sqlite:"+path, filepath.Join(dir, "other.db"))
	require.NoError(t, err)
}
