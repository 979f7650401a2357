package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"meantime/incident"
)

// Which bytes are locked. Of a lock file it is those that SQLite locks in a database, for an earlier Meantime took an empty
// database for its lock. Of a store it is one that SQLite never locks and no database reaches.
const (
	lockFileAt, lockFileLength = 0x40000000, 512
	storeAt, storeLength       = 1 << 60, 1
)

// fileLock keeps other processes from a SQLite store: it holds a file beside it by its path, and the store itself, so that no link
// and no removed lock file leads a second process to it. The lock file also remembers that there was a store.
type fileLock struct {
	path        string // of the store
	file, store *os.File
	release     func() error // of what else holds the lock file; nil for nothing
}

// lockSQLite takes the lock file beside a store. The operating system lets go of it with the process, however that ends.
func lockSQLite(ctx context.Context, path string) (_ *fileLock, err error) {
	l := &fileLock{path: path}
	name := path + "-lock"
	if !canLockStores {
		l.release, err = lockByDatabase(ctx, path, name)
		return l, err
	}
	for { // it may be removed by hand between opening and locking
		if l.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return nil, incident.Errorf(incident.CodeUnavailable, "lock: %w", err)
		}
		locked, err := tryLock(l.file, lockFileAt, lockFileLength)
		if err == nil && !locked {
			err = inUse(path, name)
		}
		if err != nil {
			return nil, errors.Join(coded(incident.CodeUnavailable, "lock "+name, err), l.file.Close())
		}
		if same, err := samePath(l.file, name); err != nil || same {
			failpoint("lock file taken")
			return l, err
		}
		if err := l.file.Close(); err != nil {
			return nil, err
		}
	}
}

// coded gives an error that has no code one, and words before it.
func coded(code incident.Code, what string, err error) error {
	var has *incident.Error
	if errors.As(err, &has) {
		return err
	}
	return incident.Errorf(code, "%s: %w", what, err)
}

func inUse(path, holds string) error {
	return incident.Errorf(incident.CodeUnavailable,
		"%s is in use by another Meantime (it holds %s); one process at a time can write to a SQLite store", path, holds)
}

// lockByDatabase takes an empty database for a lock, where files cannot be locked otherwise.
func lockByDatabase(ctx context.Context, path, name string) (unlock func() error, err error) {
	db, err := sql.Open("sqlite", dsnSQLite(name, "rwc", "busy_timeout(0)", "journal_mode(MEMORY)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err == nil {
		return func() error { return errors.Join(conn.Close(), db.Close()) }, nil
	}
	defer db.Close()
	if conn != nil {
		defer conn.Close()
	}
	if isSQLite(err, sqlite3.SQLITE_BUSY) {
		return nil, inUse(path, name)
	}
	return nil, incident.Errorf(incident.CodeUnavailable, "lock %s: %w", name, err)
}

// samePath says whether a path still leads to an open file.
func samePath(f *os.File, path string) (bool, error) {
	open, err := f.Stat()
	if err != nil {
		return false, err
	}
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(open, st), err
}

// takeStore opens the store's file, creates it where there is none, and takes it by itself. It stays open until the lock is
// let go: closing it earlier would let go of SQLite's own locks.
func (l *fileLock) takeStore() error {
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return incident.Errorf(incident.CodeUnavailable, "the store must be readable and writable: %w", err)
	}
	l.store = f
	failpoint("store file there")
	locked, err := tryLock(f, storeAt, storeLength)
	switch {
	case err != nil:
		return incident.Errorf(incident.CodeUnavailable, "lock %s: %w", l.path, err)
	case !locked:
		return inUse(l.path, "the file itself, by another path or with another lock file")
	}
	return nil
}

// there says what became of the store's file under the running program: what is written to one that has no name, or another
// one's, is gone with the process.
func (l *fileLock) there() error {
	same, err := samePath(l.store, l.path)
	switch {
	case err != nil:
		return incident.Errorf(incident.CodeUnavailable, "is the store still there? %w", err)
	case !same:
		return incident.Errorf(
			incident.CodeUnavailable,
			"%s was deleted, moved or replaced under the running Meantime, nothing was stored; "+
				"put the file back, or stop Meantime and start it on the one that is to count",
			l.path,
		)
	}
	st, err := l.store.Stat()
	if err != nil {
		return incident.Errorf(incident.CodeUnavailable, "is the store still there? %w", err)
	}
	if st.Size() == 0 {
		return incident.Errorf(
			incident.CodeUnavailable,
			"%s was emptied under the running Meantime, nothing was stored; stop it and restore a backup",
			l.path,
		)
	}
	if _, err := os.Stat(l.path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		return incident.Errorf(
			incident.CodeUnavailable,
			"%s-wal, the store's log, was deleted under the running Meantime, nothing was stored; "+
				"stop Meantime, which writes what it has of the log to the store, and start it again",
			l.path,
		)
	}
	return nil
}

// said is what the lock file remembers of a store at the path; empty for nothing.
func (l *fileLock) said() (string, error) {
	if !canLockStores {
		return "", nil // the lock file is a database
	}
	text, err := os.ReadFile(l.path + "-lock")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", incident.Errorf(incident.CodeUnavailable, "read %s-lock: %w", l.path, err)
	}
	line, _, _ := strings.Cut(string(text[:min(len(text), 100)]), "\n")
	return strings.Trim(line, "\x00 "), nil
}

// remember writes down that there is a store now, once.
func (l *fileLock) remember(now time.Time) error {
	if said, err := l.said(); err != nil || said != "" || !canLockStores {
		return err
	}
	if _, err := fmt.Fprintf(io.NewOffsetWriter(l.file, 0), "held a store at %s\n", now.UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("write %s-lock: %w", l.path, err)
	}
	failpoint("lock file written")
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("write %s-lock: %w", l.path, err)
	}
	return nil
}

// close lets go. The lock file stays, for what it remembers and because removing it would let two processes lock two files.
func (l *fileLock) close() error {
	var errs []error
	for _, f := range []*os.File{l.store, l.file} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if l.release != nil {
		errs = append(errs, l.release())
	}
	return errors.Join(errs...)
}

// usedElsewhere says that a store with several names is in use under another of them. Whoever read it under this one would
// read it without its log.
func usedElsewhere(path string) error {
	st, err := os.Stat(path)
	if err != nil || !canLockStores || links(st) < 2 {
		return nil // what is wrong with the file is told by whoever opens it
	}
	locked := func(name string, at, length int64) bool {
		f, err := os.Open(name)
		if err != nil {
			return false
		}
		defer f.Close()
		held, err := isLocked(f, at, length)
		return err == nil && held
	}
	if locked(path, storeAt, storeLength) && !locked(path+"-lock", lockFileAt, lockFileLength) {
		return incident.Errorf(
			incident.CodeUnavailable,
			"%s is in use by a Meantime under another name of the same file; name that one, beside which the log lies",
			path,
		)
	}
	return nil
}
