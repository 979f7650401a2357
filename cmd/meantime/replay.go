package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func replayCommand(a *kingpin.Application) command {
	c := a.Command("replay", "Play archived notifications and records into the store, as if received at their time.")
	files := c.Arg("file", `Archives, a JSON object a line: {"at","body"} is a notification, {"at","source","record"} a record.`).Required().Strings()
	format := c.Flag("format", "What to print: a summary as text, or all incidents and episodes as json.").Default("text").Enum("text", "json")
	return command{c, func(ctx context.Context, p *program) error {
		r, err := app.Replay(ctx, p.options(), *files)
		if err != nil {
			return err
		}
		if *format == "json" {
			return json.NewEncoder(p.stdout).Encode(r)
		}
		_, err = fmt.Fprintf(p.stdout, "%d notifications and %d records up to %s: %d episodes, %d incidents\n",
			r.Notifications, r.Records, r.At.Format("2006-01-02T15:04:05Z07:00"), len(r.Episodes), len(r.Incidents))
		return err
	}}
}
