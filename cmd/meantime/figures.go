package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

// figure holds the flags of the commands that read figures. They read the store beside a daemon that may be running on it.
type figure struct {
	app.Question
	format string
}

func (f *figure) flags(c *kingpin.CmdClause) *figure {
	c.Flag("window", "The window, back from --to: the name of a configured one or any duration, such as 28d.").StringVar(&f.Window)
	c.Flag("to", "The end of the window, such as 2026-01-31T00:00:00Z; now where it is not given.").StringVar(&f.To)
	c.Flag("format", "markdown or json.").Default("markdown").EnumVar(&f.format, "markdown", "json")
	return f
}

func (f *figure) one(c *kingpin.CmdClause) *figure {
	c.Flag("interval", "The interval, such as detect or resolve.").Default("resolve").StringVar(&f.Interval)
	c.Flag("service", "Only incidents that affected this service.").StringVar(&f.Service)
	c.Flag("severity", "Only incidents of this severity.").StringVar(&f.Severity)
	return f
}

func (f *figure) print(w io.Writer, v interface{ Markdown(io.Writer) error }) error {
	if f.format == "markdown" {
		return v.Markdown(w)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func reportCommand(a *kingpin.Application) command {
	c := a.Command("report", "The figures of a window and how they compare with the window before.")
	f := new(figure).flags(c)
	return command{c, func(ctx context.Context, p *program) error {
		r, err := app.Report(ctx, p.options(), f.Question)
		if err != nil {
			return err
		}
		return f.print(p.stdout, r)
	}}
}

func explainCommand(a *kingpin.Application) command {
	c := a.Command("explain", "One figure: the incidents in it, both times of each, and who was left out and why.")
	f := new(figure).flags(c).one(c)
	return command{c, func(ctx context.Context, p *program) error {
		e, err := app.Explain(ctx, p.options(), f.Question)
		if err != nil {
			return err
		}
		return f.print(p.stdout, e)
	}}
}

func simulateCommand(a *kingpin.Application) command {
	c := a.Command("simulate", "How large a change a figure could show at all, on your own incidents.")
	f := new(figure).flags(c).one(c)
	var n int
	var change float64
	c.Flag("incidents", "How many incidents there are in each group to compare; as many as the window has where it is 0.").IntVar(&n)
	c.Flag("change", "The true change to look for, as a share.").Default("0.1").Float64Var(&change)
	return command{c, func(ctx context.Context, p *program) error {
		sim, err := app.Simulate(ctx, p.options(), f.Question, n, change)
		if err != nil {
			return err
		}
		return f.print(p.stdout, sim)
	}}
}
