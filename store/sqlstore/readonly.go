package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"

	"meantime/incident"
)

// readSQLite opens the database file at path for reading alone, beside whoever writes to it. Nothing is created, locked or
// migrated.
func readSQLite(ctx context.Context, path string) (_ *database, err error) {
	if path, err = realPath(path); err != nil {
		return nil, err
	}
	if err := checkReadable(ctx, path); err != nil {
		return nil, err
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
	var id, tables, versions int64
	if err := d.read.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return nil, err
	}
	const query = "SELECT COUNT(*), COUNT(*) FILTER (WHERE name = 'goose_db_version') FROM sqlite_master"
	if err := d.read.QueryRowContext(ctx, query).Scan(&tables, &versions); err != nil {
		return nil, err
	}
	switch {
	case id == 0 && tables == 0, id == applicationID && versions == 0:
		return nil, unbegun(path)
	case id != applicationID:
		return nil, incident.Errorf(incident.CodeInvalid, "%s is not a store of Meantime's; name another file", path)
	}
	return d, checkVersion(ctx, d.read, path, goose.DialectSQLite3)
}

// unbegun says that nothing is in a store: none ever was, or what was is gone.
func unbegun(path string) error {
	if said, err := (&fileLock{path: path}).said(); err != nil || said != "" {
		return errors.Join(err, damaged(path, fmt.Errorf("it is empty, but %s-lock says: %s", path, said)))
	}
	return incident.Errorf(incident.CodeNotFound, "%s holds nothing yet: the Meantime that was to create it was interrupted; start one on it", path)
}

// checkReadable makes a file one that can be opened for reading alone, or says why it is none.
func checkReadable(ctx context.Context, path string) error {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return incident.Errorf(incident.CodeNotFound, "%s does not exist; name the store of a Meantime that has run", path)
	}
	if err != nil {
		return incident.Errorf(incident.CodeUnavailable, "the store must be readable: %w", err)
	}
	if err := usedElsewhere(path); err != nil {
		return err
	}
	if readJournal(path).there {
		f, err := os.Open(path)
		if err != nil {
			return incident.Errorf(incident.CodeUnavailable, "the store must be readable: %w", err)
		}
		if err := errors.Join(playBack(ctx, path, f), f.Close()); err != nil {
			return err
		}
		if st, err = os.Stat(path); err != nil {
			return err
		}
	}
	if st.Size() == 0 {
		return unbegun(path)
	}
	return nil
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
