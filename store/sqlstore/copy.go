package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"meantime/incident"
)

// CopiedTable is what a copy holds of one table, read back from both databases and found the same.
type CopiedTable struct {
	Name     string
	Rows     int64
	Written  int64  // rows that this run wrote; the others were there from one that was interrupted
	Checksum string // of all rows in order, the same for the same content in either kind of database
}

// Copy copies a store into an empty one, of another kind or of the same: the facts, the ledger, and also what is derived
// from them with the place that correlation has come to, so that the copy goes on where the original stopped and answers
// the same from its first moment. No Meantime may run on either meanwhile.
//
// Copy may be interrupted at any time. Called again with the same two it goes on: it leaves what is there and the same,
// and writes the rest. Until it has come to its end and has compared the two, table by table, nothing else opens the
// target.
func Copy(ctx context.Context, from, to string, o Options) ([]CopiedTable, error) {
	return copyStore(ctx, from, to, o, nil)
}

// copyStore is Copy; wrote is called after each transaction with the table and how many rows it wrote, nil for nobody.
func copyStore(ctx context.Context, from, to string, o Options, wrote func(table string, rows int)) (done []CopiedTable, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	source, err := openSource(ctx, from, o)
	if err != nil {
		return nil, fmt.Errorf("copy from: %w", err)
	}
	defer func() { err = errors.Join(err, source.closeAll()) }()
	o.ReadOnly, o.unfinished = false, true
	target, err := Open(ctx, named(to), o)
	if err != nil {
		return nil, fmt.Errorf("copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	c := &copier{source: source, target: target, wrote: wrote, copied: o.Copied, compared: o.Compared}
	if err := c.begin(ctx); err != nil {
		return nil, fmt.Errorf("copy to: %w", err)
	}
	if done, err = c.copy(ctx, o.Logger); err != nil {
		return nil, err
	}
	if err := c.verify(ctx, done); err != nil {
		return nil, err
	}
	return done, c.end(ctx)
}

// openSource opens the store to copy from, which must be there, and stay as it is meanwhile.
func openSource(ctx context.Context, dsn string, o Options) (*database, error) {
	o.ReadOnly = true
	d, err := open(ctx, named(dsn), o)
	if err != nil {
		return nil, err
	}
	if d.kind == kindPostgres {
		err = d.unused(ctx)
	} else if lock, locked := lockSQLite(ctx, d.name); locked != nil {
		err = locked
	} else {
		d.close = lock.close
	}
	if err != nil {
		return nil, errors.Join(err, d.closeAll())
	}
	return d, nil
}

// copyName is how a copy's connections are called.
const copyName = "meantime-copy"

// named is a DSN by which the server knows a copy from a Meantime that runs.
func named(dsn string) string {
	if k, _, err := kindOf(dsn); err != nil || k != kindPostgres {
		return dsn
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "application_name=" + copyName
}

// unused says no where a Meantime is connected to a PostgreSQL database. One that has just ended may seem to be for a moment.
func (d *database) unused(ctx context.Context) error {
	var n int
	for range 20 {
		err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'meantime' AND pid <> pg_backend_pid()`).Scan(&n)
		if err != nil || n == 0 {
			return explained(d, err)
		}
		select {
		case <-ctx.Done():
			return explained(d, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return incident.Errorf(incident.CodeUnavailable, "%s is in use by another Meantime with %d connections; stop it first", d.name, n)
}

// refuseUnfinished says no to what a copy has not come to the end of.
func (d *database) refuseUnfinished(ctx context.Context) error {
	source, err := d.unfinishedCopy(ctx)
	if err == nil && source != "" {
		err = incident.Errorf(incident.CodeInvalid, "%s holds a part of a copy of %s; the same meantime copy again completes it", d.name, source)
	}
	return err
}

// unfinishedCopy is the source of a copy that has not come to its end; empty where there is none.
func (d *database) unfinishedCopy(ctx context.Context) (source string, err error) {
	query := "SELECT COUNT(*) FROM sqlite_master WHERE name = 'copying'"
	if d.kind == kindPostgres {
		query = "SELECT COUNT(to_regclass('copying'))"
	}
	var n int
	if err := d.read.QueryRowContext(ctx, query).Scan(&n); err != nil || n == 0 {
		return "", explained(d, err)
	}
	err = d.read.QueryRowContext(ctx, "SELECT source FROM copying").Scan(&source)
	return source, explained(d, err)
}

// copier copies one store into another.
type copier struct {
	source *database
	target *Store
	wrote  func(table string, rows int)

	copied, compared func(done, total int64)
	rows, passed     int64 // of all tables of the source, and how many of them were dealt with
}

// pass says that so many more rows were dealt with.
func (c *copier) pass(n int64, tell func(done, total int64)) {
	c.passed += n
	if tell != nil {
		tell(min(c.passed, c.rows), c.rows)
	}
}

// begin marks the target as a copy in the making, unless it holds anything else.
func (c *copier) begin(ctx context.Context) error {
	if c.target.db.kind == kindPostgres {
		if err := c.target.db.unused(ctx); err != nil {
			return err
		}
	}
	var made string
	// A file of the same name may be another store by now.
	if err := c.source.read.QueryRowContext(ctx, "SELECT CAST(MIN(tstamp) AS TEXT) FROM goose_db_version").Scan(&made); err != nil {
		return explained(c.source, err)
	}
	source := fmt.Sprintf("%s made at %s", c.source.name, made)
	of, err := c.target.db.unfinishedCopy(ctx)
	switch {
	case err != nil:
		return err
	case of == source:
		return nil
	case of != "":
		return incident.Errorf(incident.CodeInvalid, "%s holds a part of a copy of %s, and not of %s; complete that one, or name an empty database", c.target.db.name, of, source)
	}
	return c.target.alone(ctx, 1, func(x *session) error {
		for _, t := range copiedTables {
			if t.name == "progress" {
				continue // it always has its row
			}
			var one int
			found, err := x.get("SELECT 1 FROM "+t.name+" LIMIT 1", nil, &one)
			if err != nil {
				return err
			}
			if found {
				return incident.Errorf(incident.CodeInvalid, "%s is not empty, it has %s; name an empty database to copy to", c.target.db.name, t.name)
			}
		}
		if _, err := x.exec("CREATE TABLE copying (source TEXT NOT NULL)"); err != nil {
			return err
		}
		_, err := x.exec("INSERT INTO copying (source) VALUES ($1)", source)
		return err
	})
}

// copy makes the target's tables the same as the source's.
func (c *copier) copy(ctx context.Context, logger *slog.Logger) (done []CopiedTable, err error) {
	from, end, err := snapshot(ctx, c.source)
	if err != nil {
		return nil, err
	}
	defer end()
	for _, t := range copiedTables {
		var n int64
		if err := from.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+t.name).Scan(&n); err != nil {
			return nil, explained(c.source, err)
		}
		c.rows += n
	}
	for _, t := range copiedTables {
		n, err := c.table(ctx, from, t)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w; the same command again goes on from here", t.name, err)
		}
		logger.Info("Copied a table", "table", t.name, "rows_written", n)
		done = append(done, CopiedTable{Name: t.name, Written: n})
	}
	return done, nil
}

// end makes the target a store like any other.
func (c *copier) end(ctx context.Context) error {
	return c.target.alone(ctx, 1, func(x *session) error {
		_, err := x.exec("DROP TABLE copying")
		return err
	})
}

// verify compares every table of both, as they are now.
func (c *copier) verify(ctx context.Context, done []CopiedTable) error {
	there, endThere, err := snapshot(ctx, c.source)
	if err != nil {
		return err
	}
	defer endThere()
	here, endHere, err := snapshot(ctx, c.target.db)
	if err != nil {
		return err
	}
	defer endHere()
	c.passed = 0
	for i, t := range copiedTables {
		rows, sum, err := checksum(ctx, there, t)
		if err != nil {
			return fmt.Errorf("verify %s: %w", t.name, explained(c.source, err))
		}
		copied, copiedSum, err := checksum(ctx, here, t)
		if err != nil {
			return fmt.Errorf("verify %s: %w", t.name, explained(c.target.db, err))
		}
		if rows != copied || sum != copiedSum {
			return incident.Errorf(incident.CodeInternal,
				"verify %s: the original has %d rows with checksum %s and the copy %d with %s; was something writing meanwhile? Stop it, and the same command again copies the difference",
				t.name, rows, sum, copied, copiedSum)
		}
		done[i].Rows, done[i].Checksum = rows, sum
		c.pass(rows, c.compared)
	}
	return nil
}

// snapshot is a connection that reads one state of a database until end is called.
func snapshot(ctx context.Context, d *database) (_ *sql.Conn, end func(), err error) {
	begin := "BEGIN"
	if d.kind == kindPostgres {
		begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	}
	conn, err := d.read.Conn(ctx)
	if err != nil {
		return nil, nil, explained(d, err)
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return nil, nil, errors.Join(explained(d, err), conn.Close())
	}
	if d.kind == kindPostgres {
		// It waits for the writing of what was read, which may take its time.
		if _, err := conn.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return nil, nil, errors.Join(explained(d, err), conn.Close())
		}
	}
	return conn, func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // it has changed nothing
		_ = conn.Close()
	}, nil
}

func commas(columns []string) string { return strings.Join(columns, ", ") }
