package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"meantime/incident"
)

const (
	// sqliteMagic begins every SQLite file.
	sqliteMagic = "SQLite format 3\x00"
	// applicationID marks a SQLite file as Meantime's: "Mean".
	applicationID = 0x4d65616e
)

// openSQLite opens the database file at path and creates it where there is none. What is there and is not a store of
// Meantime's is refused and left as it is.
func openSQLite(ctx context.Context, path string, logger *slog.Logger) (_ *database, err error) {
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, incident.Errorf(incident.CodeInvalid, "sqlite: needs the path of a file, such as sqlite:meantime.db")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := checkDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	unlock, err := lockSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	d := &database{name: path, begin: []string{"BEGIN IMMEDIATE"}, placeholder: func(int) string { return "?" }}
	d.clock = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	d.explain = func(err error) *incident.Error { return explainSQLite(path, err) }
	d.close = unlock
	d.size = func(context.Context) (int64, error) { return sizeSQLite(path) }
	defer func() {
		if err != nil {
			err = errors.Join(err, d.closeAll())
		}
	}()
	if err := checkFile(path); err != nil {
		return nil, err
	}
	empty, err := checkContent(ctx, path)
	if err != nil {
		return nil, explained(d, err)
	}
	d.write, err = sql.Open("sqlite", writerDSN(path))
	if err != nil {
		return nil, err
	}
	d.write.SetMaxOpenConns(1)
	if empty {
		// The mark comes before the schema, so that a start that is cut off leaves nothing that the next one would refuse.
		if _, err := d.write.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return nil, explained(d, err)
		}
	}
	if err := migrate(ctx, d.write, path, goose.DialectSQLite3, logger); err != nil {
		return nil, explained(d, err)
	}
	d.read, err = sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return nil, err
	}
	// Whoever ranges holds a connection, and may read other things meanwhile.
	d.read.SetMaxOpenConns(32)
	d.read.SetMaxIdleConns(4)
	return d, nil
}

// writerDSN is how the connection that writes is opened. The log is copied back every 32 MB: the same pages of an index
// are written again and again, and copied once. Temporary tables can be larger than memory; SQLite puts them into a file without
// a name, in the directory that TMPDIR says or else in /var/tmp or /tmp.
func writerDSN(path string) string {
	return dsnSQLite(path, "rwc",
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "wal_autocheckpoint(8000)",
		"journal_size_limit(67108864)", "cache_size(-32768)", "temp_store(FILE)")
}

// readerDSN is how those that read are.
func readerDSN(path string) string {
	return dsnSQLite(path, "ro", "busy_timeout(10000)", "query_only(1)", "cache_size(-2048)", "temp_store(MEMORY)")
}

func dsnSQLite(path, mode string, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_pragma": pragmas}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
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
		return incident.Errorf(incident.CodeUnavailable, "directory %s must be writable, for the store keeps its log and its lock there: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// lockSQLite takes the store for this process alone: a transaction held on an empty database beside it. The operating
// system ends it with the process, however that ends.
func lockSQLite(ctx context.Context, path string) (unlock func() error, err error) {
	lock := path + "-lock"
	db, err := sql.Open("sqlite", dsnSQLite(lock, "rwc", "busy_timeout(0)", "journal_mode(MEMORY)"))
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
		return nil, incident.Errorf(incident.CodeUnavailable,
			"%s is in use by another Meantime (it holds %s); one process at a time can write to a SQLite store", path, lock)
	}
	return nil, incident.Errorf(incident.CodeUnavailable, "lock %s: %w", lock, err)
}

// checkFile says what is wrong with a file that SQLite would refuse with few words, or take for an empty one.
func checkFile(path string) error {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			return incident.Errorf(incident.CodeInvalid,
				"%s is missing but its log %s-wal is there; put the database back, or move the log away to start with an empty store", path, path)
		}
		return nil
	}
	if err == nil && st.IsDir() {
		return incident.Errorf(incident.CodeInvalid, "%s is a directory; the store is a file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return incident.Errorf(incident.CodeUnavailable, "the store must be readable and writable: %w", err)
	}
	defer f.Close()
	var head [100]byte
	n, err := io.ReadFull(f, head[:])
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil // an empty file is an empty database
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return incident.Errorf(incident.CodeUnavailable, "read %s: %w", path, err)
	case !bytes.HasPrefix(head[:n], []byte(sqliteMagic)):
		return incident.Errorf(incident.CodeInvalid, "%s is not a SQLite database; name another file, or move this one away", path)
	case n < len(head):
		return damaged(path, fmt.Errorf("it ends after %d bytes", n))
	}
	return checkLength(path, head[:], st.Size())
}

// checkLength compares the length of a file with the number of pages its header tells. A file with a log may be shorter.
func checkLength(path string, head []byte, size int64) error {
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil
	}
	be := func(at, n int) (v int64) {
		for _, c := range head[at : at+n] {
			v = v<<8 | int64(c)
		}
		return v
	}
	page := be(16, 2)
	if page == 1 {
		page = 65536
	}
	told := be(24, 4) == be(92, 4) // else the number of pages is not kept up
	if want := be(28, 4) * page; told && size < want {
		return damaged(path, fmt.Errorf("it has %d bytes and should have %d", size, want))
	}
	return nil
}

// checkContent reads enough of a file to know that it is whole enough to work with and that it is a store of Meantime's,
// or empty. It reads only: what is neither is left as it is.
func checkContent(ctx context.Context, path string) (empty bool, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
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
		return false, incident.Errorf(incident.CodeInvalid, "%s is a SQLite database, but not a store of Meantime's; name another file", path)
	}
	return id == 0, nil
}

func sizeSQLite(path string) (int64, error) {
	var n int64
	for _, p := range []string{path, path + "-wal"} {
		st, err := os.Stat(p)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		if err == nil {
			n += st.Size()
		}
	}
	return n, nil
}

func damaged(path string, err error) *incident.Error {
	return &incident.Error{Code: incident.CodeInternal, Err: fmt.Errorf(
		"%s is damaged: %w; keep it, restore a backup in its place, or save what can be read with: sqlite3 %s .dump (docs/reliability.md tells how)", path, err, path)}
}

func isSQLite(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}

func isFull(err error) bool { return isSQLite(err, sqlite3.SQLITE_FULL) }

func explainSQLite(path string, err error) *incident.Error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	unavailable := func(what string) *incident.Error {
		return &incident.Error{Code: incident.CodeUnavailable, Err: fmt.Errorf("%s: %s: %w", path, what, err)}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return unavailable("the disk is full, nothing was stored; free some space")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return unavailable("the store must be writable, and so must its directory")
	case sqlite3.SQLITE_CANTOPEN:
		return unavailable("the store cannot be opened; is it still there, and are its directory and its files writable?")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return unavailable("another process has locked the store")
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_NOLFS:
		return unavailable("the disk does not answer as it should")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(path, err)
	}
	return &incident.Error{Code: incident.CodeInternal, Err: fmt.Errorf("%s: %w", path, err)}
}
