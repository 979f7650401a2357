package app

import (
	"context"

	"meantime/store/sqlstore"
)

// Backup writes a copy of the configured SQLite store to a new file, beside a daemon that may be running on it.
func Backup(ctx context.Context, o Options, file string) (*sqlstore.BackedUp, error) {
	c, err := newApp(o).load()
	if err != nil {
		return nil, err
	}
	return sqlstore.Backup(ctx, string(c.Store.DSN), file)
}
