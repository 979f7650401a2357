package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func healthcheckCommand(a *kingpin.Application) command {
	c := a.Command("healthcheck", "Ask a running Meantime whether it is alive; exit status 1 says that it is not.")
	url := c.Flag("url", "What to ask.").Default("http://127.0.0.1:10049/-/healthy").Envar("MEANTIME_HEALTHCHECK_URL").String()
	timeout := c.Flag("timeout", "How long to wait for an answer.").Default("5s").Duration()
	return command{c, func(ctx context.Context, _ *program) error { return app.Healthcheck(ctx, *url, *timeout) }}
}
