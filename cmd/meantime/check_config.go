package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"meantime/config"
)

func checkConfigCommand(a *kingpin.Application) command {
	c := a.Command("check-config", "Check the configuration and list every mistake with its line.")
	return command{c, func(_ context.Context, p *program) error {
		if _, err := loadConfig(p); err != nil {
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

// loadConfig is the configuration as the flags, the file and the environment give it.
func loadConfig(p *program) (*config.Validated, error) {
	c, err := config.Load(p.configFile, os.Environ())
	if err != nil {
		return nil, err
	}
	return c.Validate()
}
