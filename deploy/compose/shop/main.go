// Command shop pretends to be a small shop that breaks from time to time, so that there is something to alert on: it serves
// /metrics as three services would. One of them at a time answers errors and is slow, each in its turn. It serves no
// customers.
//
// What it says is a function of the time since its start: it keeps nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// services are what the shop has, in the order in which they break.
var services = []string{"checkout", "payments", "search"}

const (
	requestsPerSecond = 50
	// failing is how many of a hundred requests to a broken service fail.
	failing = 40
	// Seconds that a request takes.
	fast, slow = 0.12, 2.5
)

// A shop breaks every so often for a while. It opened at a time, from which its requests are counted.
type shop struct {
	every, broken time.Duration
	opened        time.Time
}

// breaks says how many breaks of the i-th service, whole and begun, lie between the opening and now, how long they were in
// all, and whether it is broken now. Each period ends with its break, so that a shop that was just opened is well.
func (s shop) breaks(i int, now time.Time) (total time.Duration, down bool) {
	n := time.Duration(len(services))
	whole := s.every * n // in which each service breaks once
	since := now.Sub(s.opened)
	if since < 0 {
		return 0, false
	}
	total = since / whole * s.broken
	into := since%whole - s.every*time.Duration(i) - (s.every - s.broken)
	switch {
	case into < 0:
		return total, false
	case into < s.broken:
		return total + into, true
	default:
		return total + s.broken, false
	}
}

// write writes the metrics of a moment as Prometheus reads them.
func (s shop) write(w io.Writer, now time.Time) {
	fmt.Fprintln(w, "# HELP shop_requests_total Requests, by service and code.\n# TYPE shop_requests_total counter")
	for i, name := range services {
		broken, _ := s.breaks(i, now)
		all := max(now.Sub(s.opened), 0).Seconds() * requestsPerSecond
		failed := broken.Seconds() * requestsPerSecond * failing / 100
		fmt.Fprintf(w, "shop_requests_total{service=%q,code=\"200\"} %d\n", name, int64(all-failed))
		fmt.Fprintf(w, "shop_requests_total{service=%q,code=\"500\"} %d\n", name, int64(failed))
	}
	fmt.Fprintln(w, "# HELP shop_request_duration_seconds How long requests take now.\n# TYPE shop_request_duration_seconds gauge")
	for i, name := range services {
		took := fast
		if _, down := s.breaks(i, now); down {
			took = slow
		}
		fmt.Fprintf(w, "shop_request_duration_seconds{service=%q} %g\n", name, took)
	}
}

func main() {
	var s shop
	listen := flag.String("listen", ":8080", "where /metrics is")
	first := flag.Duration("first", time.Minute, "how long after the start the first break begins")
	flag.DurationVar(&s.every, "every", 10*time.Minute, "how often something breaks")
	flag.DurationVar(&s.broken, "for", 3*time.Minute, "for how long")
	flag.Parse()
	if s.broken <= 0 || s.every <= s.broken || *first < 0 {
		fmt.Fprintln(os.Stderr, "shop: --every must be longer than --for, and --first not in the past")
		os.Exit(2)
	}
	// Opened so long ago that the first break is as far ahead as asked.
	s.opened = time.Now().Add(*first - (s.every - s.broken))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		s.write(w, time.Now())
	})
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // nobody waits for a scrape
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}
