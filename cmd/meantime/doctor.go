package main

import (
	"context"
	"errors"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func doctorCommand(a *kingpin.Application) command {
	c := a.Command("doctor", "Say what is connected, what would open an incident and what keeps times from being known, "+
		"each with the lines to write. Exit status 1 says that something is missing or wrong.")
	url := c.Flag("url", "The address of a running daemon, such as http://127.0.0.1:10049; "+
		"without it the configuration is read and each server asked once.").String()
	return command{c, func(ctx context.Context, p *program) error {
		ready, err := app.Doctor(ctx, p.options(), *url, p.stdout)
		if err == nil && !ready {
			err = errors.New("something is missing or wrong")
		}
		return err
	}}
}
