package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"meantime/incident"
)

// openSQLite opens the database file at path and creates it where there is none. What is there and is not a store of
// Meantime's is refused and left as it is.
func openSQLite(ctx context.Context, path string, o Options) (_ *database, err error) {
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, incident.Errorf(incident.CodeInvalid, "sqlite: needs the path of a file, such as sqlite:meantime.db")
	}
	if path, err = realPath(path); err != nil {
		return nil, err
	}
	if err := checkDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock, err := lockSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	d := &database{name: path, begin: []string{"BEGIN IMMEDIATE"}, placeholder: func(int) string { return "?" }}
	d.clock = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	d.explain = func(err error) *incident.Error { return explainSQLite(path, err) }
	d.close = lock.close
	d.there = lock.there
	d.probe = probeSQLite
	d.size = func(context.Context) (int64, error) { return sizeSQLite(path) }
	defer func() {
		if err != nil {
			err = errors.Join(explained(d, err), d.closeAll())
		}
	}()
	empty, err := checkSQLite(ctx, lock)
	if err != nil {
		return nil, err
	}
	keepPrivate(path, o.Logger)
	d.write, err = sql.Open("sqlite", writerDSN(path))
	if err != nil {
		return nil, err
	}
	d.write.SetMaxOpenConns(1)
	if empty {
		// The mark comes before the schema, so that a start that is cut off leaves nothing that the next one would refuse.
		if _, err := d.write.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return nil, err
		}
	}
	failpoint("store marked")
	if err := migrate(ctx, d.write, path, goose.DialectSQLite3, o.Logger); err != nil {
		return nil, err
	}
	failpoint("store migrated")
	if err := lock.remember(o.Now()); err != nil { // the next start tries again
		o.Logger.Warn("That there is a store could not be written down", "component", "store", "err", err)
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

// checkSQLite takes the file for this process and says whether it is empty, or why it cannot be worked with. Where there is none it
// creates an empty one.
func checkSQLite(ctx context.Context, lock *fileLock) (empty bool, err error) {
	if err := checkGone(lock); err != nil {
		return false, err
	}
	if err := lock.takeStore(); err != nil {
		return false, err
	}
	if err := playBack(ctx, lock.path, lock.store); err != nil {
		return false, err
	}
	if err := checkHead(lock.path, lock.store); err != nil {
		return false, err
	}
	return checkContent(ctx, lock.path)
}

// probeSQLite writes something that changes: a write that changes no byte is none to SQLite, and says nothing of the disk.
func probeSQLite(x *session) error {
	ctx := context.Background()
	var n int32
	if err := x.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n); err != nil {
		return err
	}
	_, err := x.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", (n+1)&math.MaxInt32))
	return err
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
