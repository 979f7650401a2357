package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"meantime/app"
)

func serveCommand(a *kingpin.Application) command {
	c := a.Command("serve", "Run the daemon.").Default()
	flags := kingpinflag.AddFlags(c, ":10049")
	return command{c, func(ctx context.Context, p *program) error {
		o := p.options()
		o.Web = flags
		return app.Run(ctx, o)
	}}
}
