package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func trySourceCommand(a *kingpin.Application) command {
	c := a.Command("try-source", "Ask one configured source once, tell what it says and what would be made of it, and store nothing.")
	name := c.Arg("name", "The source's name.").Required().String()
	saved := c.Flag("file",
		"An answer of the server that was saved, or a table (CSV): it is read in the server's place.").PlaceHolder("FILE").ExistingFile()
	return command{c, func(ctx context.Context, p *program) error {
		return app.TrySource(ctx, p.options(), *name, *saved, p.stdout)
	}}
}
