package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"meantime/incident"
)

const (
	// sqliteMagic begins every SQLite file.
	sqliteMagic = "SQLite format 3\x00"
	// journalMagic begins every rollback journal that has anything in it.
	journalMagic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	// applicationID marks a SQLite file as Meantime's: "Mean".
	applicationID = 0x4d65616e
	// headLength is the length of a SQLite file's header.
	headLength = 100
)

// realPath is the file that a path leads to, through links and also where it does not exist yet.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range 40 { // as many as Linux follows
		target, err := os.Readlink(path)
		if err != nil {
			break // not a link, or nothing there
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path, nil // what is wrong with the directory is told by whoever looks at it
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// checkDir says what is wrong with the directory of a database, which holds the log and the lock beside it.
func checkDir(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return incident.Errorf(incident.CodeInvalid, "directory %s does not exist; create it, or name another place for the store", dir)
	case err != nil:
		return incident.Errorf(incident.CodeUnavailable, "directory of the store: %w", err)
	case !st.IsDir():
		return incident.Errorf(incident.CodeInvalid, "%s is not a directory", dir)
	}
	f, err := os.CreateTemp(dir, ".meantime-*")
	if err != nil {
		return incident.Errorf(
			incident.CodeUnavailable,
			"directory %s must be writable, for the store keeps its log and its lock there: %w",
			dir,
			err,
		)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkGone refuses to begin a new store where a file is missing, or has nothing in it, and something says that it had.
func checkGone(l *fileLock) error {
	st, err := os.Stat(l.path)
	is := "is empty"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		is = "is missing"
	case err == nil && st.IsDir():
		return incident.Errorf(incident.CodeInvalid, "%s is a directory; the store is a file", l.path)
	case err != nil || st.Size() > 0:
		return nil // opening it tells what is wrong
	}
	if wal, err := os.Stat(l.path + "-wal"); err == nil && wal.Size() > 0 {
		return incident.Errorf(
			incident.CodeInvalid,
			"%s %s but its log %s-wal is there; put the database back, or move the log away to start with an empty store",
			l.path,
			is,
			l.path,
		)
	}
	if j := readJournal(l.path); j.pages > 1 {
		return incident.Errorf(
			incident.CodeInvalid,
			"%s %s but its journal %s-journal tells of a database of %d pages; "+
				"put the database back, or move the journal away to start with an empty store",
			l.path,
			is,
			l.path,
			j.pages,
		)
	}
	said, err := l.said()
	if err == nil && said != "" {
		err = incident.Errorf(
			incident.CodeInvalid,
			"%s %s but %s-lock says: %s; put the database back or restore a backup, or remove %s-lock as well to start with an empty store",
			l.path,
			is,
			l.path,
			said,
			l.path,
		)
	}
	return err
}

// checkHead says what is wrong with a file that SQLite would refuse with few words.
func checkHead(path string, f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return incident.Errorf(incident.CodeUnavailable, "read %s: %w", path, err)
	}
	head, err := readFileHead(f)
	switch {
	case err != nil:
		return incident.Errorf(incident.CodeUnavailable, "read %s: %w", path, err)
	case len(head) == 0:
		return nil // an empty file is an empty database
	case !bytes.HasPrefix(head, []byte(sqliteMagic)):
		return incident.Errorf(incident.CodeInvalid, "%s is not a SQLite database; name another file, or move this one away", path)
	case len(head) < headLength:
		return damaged(path, fmt.Errorf("it ends after %d bytes", len(head)))
	}
	return checkLength(path, head, st.Size())
}

// readFileHead reads as much of a file's header as there is.
func readFileHead(f *os.File) ([]byte, error) {
	head := make([]byte, headLength)
	n, err := f.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// checkLength compares the length of a file with the number of pages its header tells. A file with a log may be shorter.
func checkLength(path string, head []byte, size int64) error {
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 65536
	}
	told := bytes.Equal(head[24:28], head[92:96]) // else the number of pages is not kept up
	if want := int64(binary.BigEndian.Uint32(head[28:])) * page; told && size < want {
		return damaged(path, fmt.Errorf("it has %d bytes and should have %d", size, want))
	}
	return nil
}

// journal is what lies beside a database in whose transaction the program was killed, while it was not in WAL mode yet.
type journal struct {
	there bool
	pages int64 // of the database before that transaction; 0 where nothing can be read of it
}

func readJournal(path string) (j journal) {
	f, err := os.Open(path + "-journal")
	if err != nil {
		return j
	}
	defer f.Close()
	var head [20]byte
	n, _ := f.ReadAt(head[:], 0)
	j.there = n > 0
	if n == len(head) && string(head[:8]) == journalMagic {
		j.pages = int64(binary.BigEndian.Uint32(head[16:]))
	}
	return j
}

// playBack has SQLite undo what was under way when a Meantime was killed that created the store or changed its mode. A
// reader cannot, so the check that reads alone would refuse the store for ever. Another program's database is left as it is.
func playBack(ctx context.Context, path string, f *os.File) (err error) {
	j := readJournal(path)
	if !j.there {
		return nil
	}
	head, err := readFileHead(f)
	if err != nil {
		return err
	}
	ours := len(head) == headLength && binary.BigEndian.Uint32(head[68:]) == applicationID
	if j.pages > 1 && !ours {
		return incident.Errorf(
			incident.CodeInvalid,
			"%s is a SQLite database in which another program was interrupted, and not a store of Meantime's; name another file",
			path,
		)
	}
	db, err := sql.Open("sqlite", dsnSQLite(path, "rw", "busy_timeout(10000)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master").Scan(new(int64))
}

// checkContent reads enough of a file to know that it is whole enough to work with and that it is a store of Meantime's,
// or empty. It reads only: what is neither is left as it is.
func checkContent(ctx context.Context, path string) (empty bool, err error) {
	db, err := sql.Open("sqlite", dsnSQLite(path, "ro", "busy_timeout(10000)"))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var id, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return false, err
	}
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master").Scan(&tables); err != nil {
		return false, err
	}
	if id != applicationID && (id != 0 || tables > 0) {
		return false, incident.Errorf(
			incident.CodeInvalid,
			"%s is a SQLite database, but not a store of Meantime's; name another file",
			path,
		)
	}
	return id == 0, nil
}

// keepPrivate takes from everybody else on the machine the right to read a store that an earlier Meantime created for all. What
// is created now is its owner's alone; what a group was given stays.
func keepPrivate(path string, logger *slog.Logger) {
	for _, name := range []string{path, path + "-wal", path + "-shm", path + "-lock"} {
		st, err := os.Stat(name)
		if err != nil || st.Mode().Perm()&0o007 == 0 {
			continue
		}
		if err := os.Chmod(name, st.Mode().Perm()&^0o007); err != nil {
			logger.Warn("Everybody on this machine may open the store", "component", "store", "file", name, "err", err)
		} else {
			logger.Info("The store is closed to others on this machine", "component", "store", "file", name)
		}
	}
}
