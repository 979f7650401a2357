package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"meantime/incident"
)

// BackedUp is what a backup holds.
type BackedUp struct {
	File                          string
	Sightings, Records, Incidents int64
	Bytes                         int64
	// Swept are the files that backups which were killed had left in the same directory, and which are removed now.
	Swept []string
}

// partSuffix ends the name of a backup that is not whole yet.
const partSuffix = ".meantime-part"

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

	swept, err := sweepParts(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	part, err := createPart(file)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, removePart(part.Name()), part.Close()) // removed while it is locked, so that nobody else's is
	}()
	if err := vacuumInto(ctx, source, part.Name()); err != nil {
		return nil, err
	}
	failpoint("backup copied")
	if err := part.Sync(); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b, err := checkBackup(ctx, part.Name())
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	failpoint("backup checked")
	b.File, b.Swept = file, swept
	return b, publish(part.Name(), file)
}

// createPart creates the file that a backup is written to before it has its name, and locks it as somebody's at work.
func createPart(file string) (*os.File, error) {
	name := file + partSuffix
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, incident.Errorf(incident.CodeUnavailable, "backup: %s is being written by another backup; if there is none, remove it", name)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	failpoint("backup created")
	locked, err := tryLock(f, storeAt, storeLength)
	if err == nil && locked {
		locked, err = samePath(f, name)
	}
	if err == nil && !locked { // another one sweeps at this very moment, and took it for a dead one's
		err = incident.Errorf(incident.CodeUnavailable, "backup: another backup began in %s at the same moment; try again", filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweepParts removes what backups into a directory have left that were killed. Those that are being written are locked.
func sweepParts(dir string) (swept []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil // one may write into it without reading it
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := filepath.Join(dir, strings.TrimSuffix(e.Name(), "-journal"))
		if !strings.HasSuffix(name, partSuffix) || !e.Type().IsRegular() {
			continue
		}
		dead, err := isDead(name)
		if err == nil && dead {
			err = removePart(name)
		}
		if err != nil {
			return swept, err
		}
		if dead && !slices.Contains(swept, name) {
			swept = append(swept, name)
		}
	}
	return swept, nil
}

// isDead says whether the process that wrote a part of a backup is gone; then this one has its lock for a moment.
func isDead(name string) (bool, error) {
	if !canLockStores {
		return false, nil // nobody can tell
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // its journal alone is left
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	return tryLock(f, storeAt, storeLength)
}

// removePart removes a part of a backup with what SQLite may have left beside it.
func removePart(name string) error {
	var errs []error
	for _, n := range []string{name + "-journal", name} {
		if err := os.Remove(n); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
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
	failpoint("backup named")
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
