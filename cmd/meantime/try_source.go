package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func trySourceCommand(a *kingpin.Application) command {
	c := a.Command("try-source", "Ask one configured source once, tell what it says and what would be made of it, and store nothing.")
	name := c.Arg("name", "The source's name.").Required().String()
	return command{c, func(ctx context.Context, p *program) error { return app.TrySource(ctx, p.options(), *name, p.stdout) }}
}
