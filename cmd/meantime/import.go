package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func importCommand(a *kingpin.Application) command {
	c := a.Command("import", "Read written postmortems as records, with what they leave open. Exit status 3 says that questions are open.")
	var in app.Import
	c.Arg("file", "Documents: Markdown, HTML or text.").Required().StringsVar(&in.Files)
	c.Flag("dry-run", "Print the records and their questions and store nothing.").BoolVar(&in.DryRun)
	c.Flag("answers", "Answers to the questions, for all files; otherwise NAME.answers.yaml beside each file where it exists.").StringVar(&in.Answers)
	c.Flag("source", "The source under which the records are stored.").Default("postmortems").StringVar(&in.Source)
	format := c.Flag("format", "table, yaml or json; a table, and yaml with --dry-run, where it is not given.").Enum("", "table", "yaml", "json")
	explain := c.Flag("explain",
		"Print, in a table, by which words each line was understood, and what speaks for and against what it may be.").Bool()
	return command{c, func(ctx context.Context, p *program) error {
		if *format == "" && *explain {
			*format = "table"
		}
		if *explain && *format != "table" {
			return fmt.Errorf("--explain with --format %s: only a table can be explained", *format)
		}
		r, err := app.ReadPostmortems(ctx, p.options(), in)
		if err != nil {
			return err
		}
		if *format == "" && in.DryRun {
			*format = "yaml"
		}
		if err := r.Print(p.stdout, *format, *explain); err != nil {
			return err
		}
		for _, x := range r.Replaced {
			p.logger.Warn("An earlier record was replaced; rename the document if it is of another incident", "what", x)
		}
		if r.Questions > 0 {
			return errQuestions
		}
		return nil
	}}
}
