package app

import (
	"context"

	"meantime/store/sqlstore"
)

// Copy copies the store that one DSN names into the empty one, or the interrupted copy, that the other names.
func Copy(ctx context.Context, o Options, from, to string) ([]sqlstore.CopiedTable, error) {
	return sqlstore.Copy(ctx, from, to, sqlstore.Options{Logger: o.Logger})
}
