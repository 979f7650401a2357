package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func backupCommand(a *kingpin.Application) command {
	c := a.Command("backup", "Copy the SQLite store to a new file, while the daemon may be running on it.")
	file := c.Arg("file", "The file to write; one that exists is not overwritten.").Required().String()
	return command{c, func(ctx context.Context, p *program) error {
		b, err := app.Backup(ctx, p.options(), *file)
		if err != nil {
			return err
		}
		for _, name := range b.Swept {
			if _, err := fmt.Fprintf(p.stdout, "%s: removed, a backup that was killed had left it\n", name); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(p.stdout, "%s: %d sightings, %d records and %d incidents in %d bytes\n", b.File, b.Sightings, b.Records, b.Incidents, b.Bytes)
		return err
	}}
}
