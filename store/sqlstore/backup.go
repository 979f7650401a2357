package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"meantime/incident"
)

// BackedUp is what a backup holds.
type BackedUp struct {
	File                          string
	Sightings, Records, Incidents int64
	Bytes                         int64
}

// Backup writes a copy of the SQLite store that dsn names to a new file: the store as it was at one moment, while a
// Meantime may be running on it. The file is there, whole, durable and read once from its first page to its last, or it
// is not there at all. One that exists is never overwritten.
func Backup(ctx context.Context, dsn, file string) (_ *BackedUp, err error) {
	k, path, err := kindOf(dsn)
	if err != nil {
		return nil, err
	}
	if k == kindPostgres {
		return nil, incident.Errorf(incident.CodeInvalid,
			"a backup of PostgreSQL is what its own tools make, such as: pg_dump --format=custom --file=%s DATABASE; this command copies a SQLite store", file)
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return nil, existing(file)
	}
	// It is opened as a reader to be told what is wrong with it, if anything.
	source, err := readSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.closeAll()) }()

	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".part-*")
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer func() {
		_ = part.Close()
		if gone := os.Remove(part.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	if err := vacuumInto(ctx, source, part.Name()); err != nil {
		return nil, err
	}
	if err := part.Sync(); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b, err := checkBackup(ctx, part.Name())
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b.File = file
	return b, publish(part.Name(), file)
}

func existing(file string) error {
	return incident.Errorf(incident.CodeInvalid, "%s exists already, and a backup overwrites nothing; name another file", file)
}

// vacuumInto copies the content of a store into an empty file. It reads one state of the store, and holds up nobody who
// writes to it meanwhile.
func vacuumInto(ctx context.Context, source *database, file string) error {
	db, err := sql.Open("sqlite", dsnSQLite(source.name, "ro", "busy_timeout(10000)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		if isFull(err) { // it is not the store's disk that is full
			return incident.Errorf(incident.CodeUnavailable, "backup: the disk of %s is full: %w", file, err)
		}
		return explained(source, err)
	}
	return nil
}

// checkBackup reads a store to the end and compares what it counts with what it has.
func checkBackup(ctx context.Context, file string) (_ *BackedUp, err error) {
	d, err := readSQLite(ctx, file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.closeAll()) }()
	var check string
	if err := d.read.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&check); err != nil {
		return nil, explained(d, err)
	}
	if check != "ok" {
		return nil, damaged(file, errors.New(check))
	}
	b := &BackedUp{}
	var sightings, records, incidents int64
	err = d.read.QueryRowContext(ctx, `SELECT sightings, records, incidents, (SELECT COUNT(*) FROM sightings), (SELECT COUNT(*) FROM records),
		(SELECT COUNT(*) FROM incidents) FROM progress WHERE one = 1`).Scan(&b.Sightings, &b.Records, &b.Incidents, &sightings, &records, &incidents)
	if err != nil {
		return nil, explained(d, err)
	}
	if b.Sightings != sightings || b.Records != records || b.Incidents != incidents {
		return nil, damaged(file, fmt.Errorf("it has %d sightings, %d records and %d incidents and should have %d, %d and %d",
			sightings, records, incidents, b.Sightings, b.Records, b.Incidents))
	}
	b.Bytes, err = sizeSQLite(file)
	return b, err
}

// publish gives a file that is whole its name, unless something has that name by now, and makes the name durable.
func publish(part, file string) error {
	switch err := os.Link(part, file); {
	case errors.Is(err, fs.ErrExist):
		return existing(file)
	case err != nil: // a file system without links
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return existing(file)
		}
		if err := os.Rename(part, file); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
