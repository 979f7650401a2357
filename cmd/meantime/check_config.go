package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func checkConfigCommand(a *kingpin.Application) command {
	c := a.Command("check-config", "Check the configuration and list every mistake with its line.")
	return command{c, func(_ context.Context, p *program) error {
		if err := app.CheckConfig(p.options()); err != nil {
			return err
		}
		name := p.configFile
		if name == "" {
			name = "the defaults and the environment"
		}
		fmt.Fprintf(p.stdout, "%s: no mistakes\n", name)
		return nil
	}}
}
