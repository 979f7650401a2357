package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/common/model"

	"meantime/backfill"
	"meantime/collector"
	"meantime/incident"
	"meantime/measure"
	"meantime/progress"
)

// Past says what past to write.
type Past struct {
	From string // an RFC 3339 time; empty: a year before To
	To   string // an RFC 3339 time; empty: three hours ago, the newest that may be imported beside a running Prometheus
	Step string // a duration, such as 1h
	// Parts asks for several files, each of one block.
	Parts bool
	// RemoteWrite is the URL of a Prometheus' remote write receiver, to which everything goes instead of to files; empty for none.
	RemoteWrite string
	// Job and Cluster are the labels that scrapes of this Meantime have; empty for none.
	Job, Cluster string
}

const (
	// headTime is how much of the newest past Prometheus still has in the block that it writes to.
	headTime = 3 * time.Hour
	// usualPast is how far back a backfill goes where nothing is said.
	usualPast = 365 * 24 * time.Hour
	// blockTime is the longest block that Prometheus makes in its usual settings, and one that promtool can make: each is
	// three times the one before, beginning with 2 h.
	blockTime = 486 * time.Hour
)

// Backfill writes what scrapes would have shown in the past, as OpenMetrics with a time on every sample. open opens what
// holds the samples from a time on: all of them, or a part; nothing is opened where they are sent by remote write.
func Backfill(ctx context.Context, o Options, p Past, open func(first time.Time) (io.WriteCloser, error)) (err error) {
	x, err := ask(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	to := x.now().Add(-headTime)
	if p.To != "" {
		if to, err = incident.ParseTime(p.To); err != nil {
			return fmt.Errorf("to: %w", err)
		}
	}
	from := to.Add(-usualPast)
	if p.From != "" {
		if from, err = incident.ParseTime(p.From); err != nil {
			return fmt.Errorf("from: %w", err)
		}
	}
	step, err := model.ParseDuration(p.Step)
	if err != nil {
		return fmt.Errorf("step: %w", err)
	}

	m := measureOptions(x.config())
	watched, err := x.Began(ctx)
	if err != nil {
		return err
	}
	var part time.Duration
	if p.Parts {
		part = blockTime
	}
	board := newApp(o).progress
	what := "Writing the past"
	if p.RemoteWrite != "" {
		what = "Sending the past"
	}
	bo := backfill.Options{
		Computing: board.Report(progress.Kind{What: "Working out the past", Unit: "steps"}),
		Writing:   board.Report(progress.Kind{What: what, Unit: "metrics"}),
		Measure:   m, Watched: watched, From: from, To: to, Step: time.Duration(step), Part: part, Facts: x.Store,
		Labels:  map[string]string{"job": p.Job, "cluster": p.Cluster},
		Metrics: past{collector.New(collector.Options{Intervals: m.Intervals, Objectives: m.Objectives, By: m.By})},
	}
	var out backfill.Written
	if p.RemoteWrite != "" {
		out, err = backfill.Send(ctx, p.RemoteWrite, o.Logger, bo)
	} else {
		out, err = backfill.Write(ctx, open, bo)
	}
	if err != nil {
		return err
	}
	o.Logger.Info("The past is written", "from", out.From, "to", out.To, "series", out.Series, "samples", out.Samples)
	return nil
}

// past is the daemon's collector, shown figures of the past.
type past struct{ *collector.Collector }

func (p past) Publish(f *measure.Figures) { p.Collector.Publish(collector.Snapshot{Figures: f}) }

var _ backfill.Metrics = past{}
