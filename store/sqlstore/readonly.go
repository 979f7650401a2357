package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"meantime/incident"
)

// readSQLite opens the database file at path for reading alone, beside whoever writes to it. Nothing is created, locked or
// migrated.
func readSQLite(ctx context.Context, path string) (_ *database, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, incident.Errorf(incident.CodeNotFound, "%s does not exist; name the store of a Meantime that has run", path)
	}
	d := &database{name: path, close: func() error { return nil }}
	d.explain = func(err error) *incident.Error { return explainSQLite(path, err) }
	d.size = func(context.Context) (int64, error) { return sizeSQLite(path) }
	d.read, err = sql.Open("sqlite", dsnSQLite(path, "ro", "busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(explained(d, err), d.closeAll())
		}
	}()
	var id int64
	if err := d.read.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return nil, err
	}
	if id != applicationID {
		return nil, incident.Errorf(incident.CodeInvalid, "%s is not a store of Meantime's; name another file", path)
	}
	return d, checkVersion(ctx, d.read, path, goose.DialectSQLite3)
}

// checkVersion says why a database cannot be read as it is.
func checkVersion(ctx context.Context, db *sql.DB, name string, dialect goose.Dialect) error {
	var version int64
	if err := db.QueryRowContext(ctx, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied").Scan(&version); err != nil {
		return err
	}
	known, err := newestMigration(dialect)
	if err != nil {
		return err
	}
	if version != known {
		return incident.Errorf(incident.CodeInvalid,
			"the schema of %s is version %d and this program reads %d; use the program that runs on it, or start this one on it once", name, version, known)
	}
	return nil
}

// newestMigration is the schema version that this program works with.
func newestMigration(dialect goose.Dialect) (int64, error) {
	files, err := fs.Sub(migrations, "migrations/"+string(dialect))
	if err != nil {
		return 0, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, n := range names {
		v, err := goose.NumericComponent(n)
		if err != nil {
			return 0, err
		}
		newest = max(newest, v)
	}
	return newest, nil
}
