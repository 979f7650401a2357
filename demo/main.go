// Command demo shows Meantime with a year of incidents that never happened: it makes them up, has Meantime take them in, and
// runs it; where Prometheus is installed it also runs one with the figures of the past year in it. `make demo` starts it.
//
// It uses Meantime as its users do, by its commands alone, and is no part of the shipped program.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	var end string
	flag.StringVar(&o.meantime, "meantime", "bin/meantime", "Meantime's program")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:10049", "where Meantime listens; a free port where this one is taken")
	flag.StringVar(&o.prometheusListen, "prometheus.listen", "127.0.0.1:9090", "where Prometheus listens, likewise")
	flag.DurationVar(&o.step, "step", 12*time.Hour, "the time between two samples of the past year")
	flag.StringVar(&o.dir, "dir", "", "a folder to keep everything in; a temporary one where it is not given")
	flag.BoolVar(&o.dataOnly, "data-only", false, "write the archive, the postmortems and the configuration into --dir and start nothing")
	flag.StringVar(&end, "to", "", "when the year ends, such as 2026-01-31T00:00:00Z; now where it is not given")
	flag.Parse()
	o.end, o.out = time.Now(), os.Stdout
	if end != "" {
		var err error
		if o.end, err = time.Parse(time.RFC3339, end); err != nil {
			fmt.Fprintln(os.Stderr, "demo: --to:", err)
			os.Exit(2)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
