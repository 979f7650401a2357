package main

import (
	"context"
	"errors"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func backfillCommand(a *kingpin.Application) command {
	c := a.Command("backfill", "What scrapes would have shown in the past, as OpenMetrics for promtool tsdb create-blocks-from openmetrics.")
	var p app.Past
	c.Flag("from", "The first moment, such as 2026-01-01T00:00:00Z; a year before --to where it is not given.").StringVar(&p.From)
	c.Flag("to", "The last moment; three hours ago where it is not given.").StringVar(&p.To)
	c.Flag("step", "The time from one sample to the next; samples are at its whole multiples.").Default("1h").StringVar(&p.Step)
	output := c.Flag("output", "The file to write; - is the standard output.").Default("-").String()
	return command{c, func(ctx context.Context, program *program) error {
		if *output == "-" {
			return app.Backfill(ctx, program.options(), p, program.stdout)
		}
		f := lateFile{name: *output}
		return errors.Join(app.Backfill(ctx, program.options(), p, &f), f.close())
	}}
}

// lateFile is a file that is made when something is written to it, so that a mistake in the question spoils no file.
type lateFile struct {
	name string
	f    *os.File
}

func (l *lateFile) Write(b []byte) (n int, err error) {
	if l.f == nil {
		if l.f, err = os.Create(l.name); err != nil {
			return 0, err
		}
	}
	return l.f.Write(b)
}

func (l *lateFile) close() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}
