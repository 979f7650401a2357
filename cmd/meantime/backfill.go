package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

func backfillCommand(a *kingpin.Application) command {
	c := a.Command("backfill", "What scrapes would have shown in the past, as OpenMetrics for promtool tsdb create-blocks-from openmetrics.")
	var p app.Past
	c.Flag("from", "The first moment, such as 2026-01-01T00:00:00Z; a year before --to where it is not given.").StringVar(&p.From)
	c.Flag("to", "The last moment; three hours ago where it is not given.").StringVar(&p.To)
	c.Flag("step", "The time from one sample to the next; samples are at its whole multiples.").Default("1h").StringVar(&p.Step)
	c.Flag("job", "The label job that Prometheus gives the scrapes of this Meantime, by which dashboards choose it; empty for none.").
		Default("meantime").StringVar(&p.Job)
	c.Flag("cluster", "The label cluster, where Prometheus gives its targets one.").StringVar(&p.Cluster)
	output := c.Flag("output", "The file to write, or a folder, which gets a file for each block of 486 hours; - is the standard output.").Default("-").String()
	c.Flag("remote-write.url", "Send everything to the remote write receiver of a Prometheus instead, such as http://127.0.0.1:9090/api/v1/write.").StringVar(&p.RemoteWrite)
	return command{c, func(ctx context.Context, program *program) error {
		if p.RemoteWrite != "" && *output != "-" {
			return errors.New("--output and --remote-write.url: only one of them")
		}
		if *output == "-" {
			return app.Backfill(ctx, program.options(), p, func(time.Time) (io.WriteCloser, error) { return unclosed{program.stdout}, nil })
		}
		if !isFolder(*output) {
			return app.Backfill(ctx, program.options(), p, func(time.Time) (io.WriteCloser, error) { return os.Create(*output) })
		}
		p.Parts = true
		return app.Backfill(ctx, program.options(), p, func(first time.Time) (io.WriteCloser, error) {
			if err := os.MkdirAll(*output, 0o755); err != nil {
				return nil, err
			}
			return os.Create(filepath.Join(*output, first.UTC().Format("20060102T150405Z")+".om"))
		})
	}}
}

// isFolder says whether a path names a folder: one that is there, or one to be made.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || strings.HasSuffix(path, "/")
}

// unclosed is a writer that others still use.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }
