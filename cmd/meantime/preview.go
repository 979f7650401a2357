package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func previewCommand(a *kingpin.Application) command {
	c := a.Command("preview", "What another configuration would make of the same facts; nothing is stored.")
	f := new(figure)
	c.Flag("window", "The window, back from --to: the name of a configured one or any duration, such as 28d.").StringVar(&f.Window)
	c.Flag("from", "The beginning, such as 2026-01-01T00:00:00Z, instead of a window.").StringVar(&f.From)
	c.Flag("to", "The end, such as 2026-01-31T00:00:00Z; now where it is not given.").StringVar(&f.To)
	c.Flag("month", "A calendar month, such as 2026-11, instead of a window.").StringVar(&f.Month)
	c.Flag("zone", "Whose month, such as Europe/Berlin; UTC where it is not given.").StringVar(&f.Zone)
	c.Flag("format", "markdown or json.").Default("markdown").EnumVar(&f.format, "markdown", "json")
	other := c.Arg("file", "The configuration to look at.").Required().ExistingFile()
	return command{c, func(ctx context.Context, p *program) error {
		change, err := app.Preview(ctx, p.options(), *other, f.Question)
		if err != nil {
			return err
		}
		return f.print(p.stdout, change)
	}}
}
