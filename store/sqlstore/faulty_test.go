package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"meantime/store"
	"meantime/store/storetest"
	"meantime/test/servers"
)

func TestFaultyStore(t *testing.T) {
	if testing.Short() {
		t.Skip("every call fails once, which takes its time")
	}
	t.Parallel()
	storetest.RunFaulty(t, func(t *testing.T, f *storetest.Faults) store.Store {
		path := filepath.Join(t.TempDir(), "store.db")
		s := openTest(t, path)
		connector := func(dsn string) driver.Connector {
			c, err := sqlite.NewConnector(dsn)
			require.NoError(t, err)
			return c
		}
		return broken(t, s, f, connector(writerDSN(path)), connector(readerDSN(path)))
	})
}

// TestFaultyDisk runs the whole suite while reads, writes, syncs, truncations and deletions of the file system fail, each operation of the
// store at its first of them, the next at its second, and so on.
func TestFaultyDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("every call fails once, which takes its time")
	}
	t.Parallel()
	storetest.RunFailing(t, func(t *testing.T, f *storetest.Faults) store.Store {
		dir := t.TempDir()
		path := filepath.Join(dir, "store.db")
		s := openTest(t, path)
		connector := func(dsn string) driver.Connector {
			c, err := sqlite.NewConnector(dsn)
			require.NoError(t, err)
			return c
		}
		broken(t, s, &storetest.Faults{}, connector(writerDSN(path)), connector(readerDSN(path)))
		watch(t, dir, failing{f})
		return s
	})
}

func TestFaultyStorePostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("every call fails once, which takes its time")
	}
	t.Parallel() // it waits for its database more than it works
	schemas := newSchemas(t)
	storetest.RunFaulty(t, func(t *testing.T, f *storetest.Faults) store.Store {
		dsn := schemas.next(t)
		s, err := Open(t.Context(), dsn, Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		config, err := pgx.ParseConfig(dsn)
		require.NoError(t, err)
		c := stdlib.GetConnector(*config)
		return broken(t, s, f, c, c)
	})
}

// schemas are of one database. A schema for each test is much faster than a database.
type schemas struct {
	db  *sql.DB
	dsn string
	n   int
}

func newSchemas(t *testing.T) *schemas {
	// Whether commits outlive the machine makes no difference to a suite.
	dsn := servers.Postgres(t, "-c", "fsync=off").Database("store") + "&synchronous_commit=off"
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &schemas{db: db, dsn: dsn}
}

// next is the DSN of an empty schema.
func (s *schemas) next(t *testing.T) string {
	s.n++
	_, err := s.db.Exec(fmt.Sprint("CREATE SCHEMA test", s.n))
	require.NoError(t, err)
	return fmt.Sprint(s.dsn, "&search_path=test", s.n)
}

// broken puts connections that fail as f says into the place of a store's own, which nothing has used yet.
func broken(t *testing.T, s *Store, f *storetest.Faults, write, read driver.Connector) *Store {
	put := func(pool **sql.DB, c driver.Connector) {
		most := (*pool).Stats().MaxOpenConnections
		require.NoError(t, (*pool).Close())
		*pool = sql.OpenDB(faultyConnector{c, f})
		(*pool).SetMaxOpenConns(most)
	}
	put(&s.db.write, write)
	put(&s.db.read, read)
	return s
}

type faultyConnector struct {
	driver.Connector
	faults *storetest.Faults
}

func (c faultyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.faults.Call(false) != storetest.Works {
		return nil, storetest.ErrInjected
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, ofDisk(err)
	}
	return &faultyConn{Conn: conn, faults: c.faults}, nil
}

// faultyConn is a connection. Once it is gone every call fails, until the pool closes it, with its open transaction.
type faultyConn struct {
	driver.Conn
	faults *storetest.Faults
	gone   atomic.Bool
}

// call makes a call, or what is to become of it.
func (c *faultyConn) call(query string, do func() error) error {
	if c.gone.Load() {
		return storetest.ErrInjected
	}
	switch c.faults.Call(query == "COMMIT") {
	case storetest.Fails:
		return storetest.ErrInjected
	case storetest.Breaks:
		c.gone.Store(true)
		return storetest.ErrInjected
	case storetest.Loses:
		if err := do(); err != nil {
			return err
		}
		c.gone.Store(true)
		return storetest.ErrInjected
	}
	return ofDisk(do())
}

// ofDisk marks what the file system made fail as what it is: nothing but a test does so here.
func ofDisk(err error) error {
	if isSQLite(err, sqlite3.SQLITE_IOERR) || isSQLite(err, sqlite3.SQLITE_CANTOPEN) {
		return errors.Join(storetest.ErrInjected, err)
	}
	return err
}

func (c *faultyConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !c.gone.Load() && (!ok || v.IsValid())
}

func (c *faultyConn) ResetSession(ctx context.Context) error {
	if c.gone.Load() {
		return driver.ErrBadConn
	}
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *faultyConn) PrepareContext(ctx context.Context, query string) (st driver.Stmt, err error) {
	err = c.call(query, func() (err error) {
		st, err = c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &faultyStmt{Stmt: st, conn: c, query: query}, nil
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (res driver.Result, err error) {
	err = c.call(query, func() (err error) {
		res, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
	return res, err
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.rows(query, func() (driver.Rows, error) { return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args) })
}

func (c *faultyConn) rows(query string, do func() (driver.Rows, error)) (rows driver.Rows, err error) {
	err = c.call(query, func() (err error) {
		rows, err = do()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &faultyRows{Rows: rows, conn: c}, nil
}

type faultyStmt struct {
	driver.Stmt
	conn  *faultyConn
	query string
}

func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (res driver.Result, err error) {
	err = s.conn.call(s.query, func() (err error) {
		res, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	})
	return res, err
}

func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.rows(s.query, func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) })
}

// faultyRows can fail at its first rows; at later ones would be no different.
type faultyRows struct {
	driver.Rows
	conn *faultyConn
	n    int
}

func (r *faultyRows) Next(dest []driver.Value) error {
	if r.n++; r.n > 2 {
		if r.conn.gone.Load() {
			return storetest.ErrInjected
		}
		return ofDisk(r.Rows.Next(dest))
	}
	return r.conn.call("", func() error { return r.Rows.Next(dest) })
}
