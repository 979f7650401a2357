package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// options say how the demo runs.
type options struct {
	meantime         string // path of the program
	listen           string
	prometheusListen string
	step             time.Duration
	dir              string // empty: a temporary one
	dataOnly         bool
	end              time.Time
	out              io.Writer
	started          func(started) // called when all of it runs; nil: nobody wants to know
}

// started says where everything is.
type started struct {
	dir, meantime string
	prometheus    string // empty where it is not installed
}

// run runs the demo until ctx ends.
func run(ctx context.Context, o options) (err error) {
	if o.dir == "" {
		if o.dataOnly {
			return errors.New("--data-only wants a --dir")
		}
		if o.dir, err = os.MkdirTemp("", "meantime-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	d := &demo{options: o}
	defer func() { err = errors.Join(err, d.stop()) }()
	steps := []func(context.Context) error{d.choose, d.writeData}
	if !o.dataOnly {
		steps = append(steps, d.takeIn, d.writePast, d.startPrometheus, d.startMeantime, d.wait)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// demo is a running demo.
type demo struct {
	options
	promtool, prometheus string // paths; empty where Prometheus is not installed
	servers              []*server
}

// choose finds Prometheus and addresses that are free.
func (d *demo) choose(context.Context) (err error) {
	if d.meantime, err = filepath.Abs(d.meantime); err != nil {
		return err
	}
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return err
	}
	d.prometheus, _ = exec.LookPath("prometheus") // without it there is less to see
	d.promtool, _ = exec.LookPath("promtool")
	if d.promtool == "" {
		d.prometheus = ""
	}
	if d.listen, err = free(d.listen); err != nil {
		return err
	}
	d.prometheusListen, err = free(d.prometheusListen)
	return err
}

// free is the address, with another port where that one is taken.
func free(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		host, _, bad := net.SplitHostPort(addr)
		if bad != nil {
			return "", bad
		}
		if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return "", err
		}
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// writeData writes what the year left behind, and the configurations.
func (d *demo) writeData(context.Context) error {
	y := newYear(d.end)
	d.say("Made up: %d incidents and %d lines of notifications and records, up to %s", len(y.troubles), len(y.lines), y.end.Format(time.RFC1123))
	if err := os.MkdirAll(d.path("postmortems"), 0o755); err != nil {
		return err
	}
	for name, text := range y.postmortems() {
		if err := os.WriteFile(d.path(filepath.Join("postmortems", name+".md")), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"meantime.yml": meantimeConfig(d), "prometheus.yml": prometheusConfig(d), "rules.yml": rulesFile(),
	} {
		if err := os.WriteFile(d.path(name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	f, err := os.Create(d.path("archive.jsonl"))
	if err != nil {
		return err
	}
	return errors.Join(y.archive(f), f.Close())
}

// takeIn has Meantime read the postmortems and the archive. The postmortems are a source of its too, which finds nothing
// new in them.
func (d *demo) takeIn(ctx context.Context) error {
	documents, err := filepath.Glob(d.path("postmortems/*.md"))
	if err != nil {
		return err
	}
	err = d.meantimeDoes(ctx, append([]string{"import"}, documents...)...)
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 3 {
		err = nil // it left questions open, as real ones do
	}
	if err != nil {
		return err
	}
	d.say("Read: %d postmortems", len(documents))
	return d.meantimeDoes(ctx, "replay", d.path("archive.jsonl"))
}

// headTime is how much of the newest past a Prometheus that runs already would still have in the block that it writes to.
const headTime = 3 * time.Hour

// writePast makes Prometheus' blocks of the past year.
func (d *demo) writePast(ctx context.Context) error {
	if d.prometheus == "" {
		d.say("Prometheus is not installed here (prometheus and promtool), so there are no trends of the past year to see.")
		return nil
	}
	d.say("Writing the figures of the past year ...")
	// Prometheus looks back for one step here. What was written has to end before that: a status that nobody has any more, or the
	// larger of two figures, would be shown from it beside what is scraped.
	to := time.Now().UTC().Add(-max(d.step, headTime)).Format(time.RFC3339)
	if err := d.meantimeDoes(ctx, "backfill", "--output="+d.path("past")+"/", "--to="+to, "--step="+duration(d.step)); err != nil {
		return err
	}
	parts, err := filepath.Glob(d.path("past/*.om"))
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := d.does(ctx, d.promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=486h", part, d.path("prometheus")); err != nil {
			return err
		}
		if err := os.Remove(part); err != nil {
			return err
		}
	}
	return nil
}

// duration is a duration as Meantime reads them.
func duration(t time.Duration) string { return fmt.Sprintf("%ds", int(t.Seconds())) }

// does runs a program to its end.
func (d *demo) does(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = d.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopWithin
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], err, said)
	}
	return nil
}

// meantimeDoes runs a command of Meantime's.
func (d *demo) meantimeDoes(ctx context.Context, args ...string) error {
	return d.does(ctx, d.meantime, append(args, "--config.file="+d.path("meantime.yml"))...)
}

func (d *demo) startPrometheus(ctx context.Context) error {
	if d.prometheus == "" {
		return nil
	}
	return d.start(ctx, "Prometheus", "http://"+d.prometheusListen+"/-/ready", d.prometheus,
		"--config.file="+d.path("prometheus.yml"), "--storage.tsdb.path="+d.path("prometheus"), "--storage.tsdb.retention.time=2y",
		// As long as a step, so that a graph of any resolution is whole.
		"--query.lookback-delta="+duration(max(d.step, 5*time.Minute)), "--web.listen-address="+d.prometheusListen)
}

func (d *demo) startMeantime(ctx context.Context) error {
	return d.start(ctx, "Meantime", "http://"+d.listen+"/-/ready", d.meantime,
		"serve", "--config.file="+d.path("meantime.yml"), "--web.listen-address="+d.listen)
}

// wait says where everything is and waits for the end.
func (d *demo) wait(ctx context.Context) error {
	s := started{dir: d.dir, meantime: "http://" + d.listen}
	d.say("\nMeantime    %s/", s.meantime)
	d.say("its metrics %s/metrics", s.meantime)
	if d.prometheus != "" {
		s.prometheus = "http://" + d.prometheusListen
		d.say("Prometheus  %s/", s.prometheus)
		d.say("a trend     %s/graph?g0.range_input=52w&g0.tab=0&g0.step_input=%d&g0.expr=meantime_interval_median_seconds%%7Bwindow%%3D%%2228d%%22%%2Caffected_service%%3D%%22%%22%%2Cseverity%%3D%%22%%22%%7D", s.prometheus, int(d.step.Seconds()))
		d.say("\nGrafana: add that Prometheus as a data source and import dashboards/*.json.")
	}
	d.say("\nOn this machine only; Ctrl-C ends it.")
	if d.started != nil {
		d.started(s)
	}
	ended := make(chan *server, len(d.servers))
	for _, s := range d.servers {
		go func() {
			<-s.done
			ended <- s
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case s := <-ended:
		return fmt.Errorf("%s ended: %w\n%s", s.name, s.err, s.log())
	}
}

// stop ends what runs, the last started first.
func (d *demo) stop() (err error) {
	for len(d.servers) > 0 {
		last := len(d.servers) - 1
		err = errors.Join(err, d.servers[last].stop())
		d.servers = d.servers[:last]
	}
	return err
}
