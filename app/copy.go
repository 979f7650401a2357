package app

import (
	"context"

	"meantime/progress"
	"meantime/store/sqlstore"
)

// Copy copies the store that one DSN names into the empty one, or the interrupted copy, that the other names.
func Copy(ctx context.Context, o Options, from, to string) ([]sqlstore.CopiedTable, error) {
	board := newApp(o).progress
	return sqlstore.Copy(ctx, from, to, sqlstore.Options{
		Logger: o.Logger, Copied: board.Report(progress.Kind{What: "Copying the store", Unit: "rows"}),
		Compared: board.Report(progress.Kind{What: "Comparing the copy", Unit: "rows"}),
	})
}
