package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func copyCommand(a *kingpin.Application) command {
	c := a.Command("copy", "Copy a store into an empty one, such as from SQLite to PostgreSQL, and compare the two. Interrupted, the same command goes on.")
	from := c.Flag("from", "The store to copy, such as sqlite:meantime.db; no Meantime may run on it meanwhile.").Required().String()
	to := c.Flag("to", "The empty store, such as postgres://user@host:5432/database.").Required().String()
	return command{c, func(ctx context.Context, p *program) error {
		tables, err := app.Copy(ctx, p.options(), *from, *to)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "table\trows\twritten\tchecksum of both")
		for _, t := range tables {
			fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", t.Name, t.Rows, t.Written, t.Checksum)
		}
		return w.Flush()
	}}
}
