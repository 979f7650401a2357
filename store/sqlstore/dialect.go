package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"

	"meantime/incident"
)

//go:embed migrations
var migrations embed.FS

// database is an opened database with what its kind does differently. All other SQL text is the same for every kind.
type database struct {
	kind kind
	// name says in errors and logs which database it is, without secrets.
	name string
	// write and read are pools; only the writer's goroutine uses write, and only one connection of it at a time.
	write, read *sql.DB
	// begin are the statements that begin a transaction of the writer. After them no other writer's transaction can
	// commit before this one, so that what it read still holds and the order of the feed is the order of commits.
	begin []string
	// placeholder is the n-th parameter of a generated statement, from 1.
	placeholder func(n int) string
	// clock is the database's own time in milliseconds, as an expression.
	clock string
	// listen calls told with what other processes tell, until ctx ends; nil where there are none.
	listen func(ctx context.Context, told func(string)) error
	// size is how many bytes it takes on disk.
	size func(ctx context.Context) (int64, error)
	// explain gives an error of the driver its code, and words where the driver's do not say what to do. It is nil for an
	// error that is not the driver's.
	explain func(err error) *incident.Error
	// there says what became of the database under the running program, before each commit; nil where nothing can.
	there func() error
	// probe writes something that changes, within a transaction.
	probe func(x *session) error
	// close is called after both pools are closed.
	close func() error
}

// kind is a kind of database.
type kind int

const (
	kindSQLite kind = iota
	kindPostgres
)

// kindOf is the kind of database that dsn names, and for SQLite the path.
func kindOf(dsn string) (k kind, path string, err error) {
	name, rest, ok := strings.Cut(dsn, ":")
	switch {
	case ok && name == "sqlite":
		return kindSQLite, rest, nil
	case ok && (name == "postgres" || name == "postgresql"):
		return kindPostgres, "", nil
	}
	// What follows the colon may hold a password.
	return 0, "", incident.Errorf(incident.CodeInvalid, "unknown kind of database %q; write sqlite:PATH or postgres://USER@HOST/DATABASE", name)
}

// shared says that other processes may write at the same time.
func (d *database) shared() bool { return d.kind == kindPostgres }

// open opens the database that dsn names.
func open(ctx context.Context, dsn string, o Options) (d *database, err error) {
	k, path, err := kindOf(dsn)
	switch {
	case err != nil:
		return nil, err
	case k == kindPostgres:
		d, err = openPostgres(ctx, dsn, o.DSN, o.Logger, o.ReadOnly)
	case o.ReadOnly:
		d, err = readSQLite(ctx, path)
	default:
		d, err = openSQLite(ctx, path, o)
	}
	if err != nil {
		return nil, err
	}
	d.kind = k
	if !o.unfinished {
		if err := d.refuseUnfinished(ctx); err != nil {
			return nil, errors.Join(err, d.closeAll())
		}
	}
	return d, nil
}

// migrate brings the schema up to date. Where others may do the same at the same time, an option brings the lock.
func migrate(ctx context.Context, db *sql.DB, name string, dialect goose.Dialect, logger *slog.Logger, options ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, "migrations/"+string(dialect))
	if err != nil {
		return err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	p, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return err
	}
	current, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("schema version of %s: %w", name, err)
	}
	if current > newest {
		return incident.Errorf(incident.CodeInvalid,
			"%s was written by a newer Meantime: its schema is version %d and this program knows up to %d; run the newer program, or restore a backup from before it",
			name, current, newest)
	}
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate %s from schema version %d to %d: %w", name, current, newest, err)
	}
	if len(done) > 0 {
		logger.Info("Migrated the store", "store", name, "from_version", current, "to_version", newest)
	}
	return nil
}
