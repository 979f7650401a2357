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
		return app.Run(ctx, app.Options{ConfigFile: p.configFile, DSN: p.dsn, Web: flags, Logger: p.logger})
	}}
}
