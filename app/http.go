package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"meantime/access"
)

// The server's patience with a client. Webhooks are small and come from near; nothing here streams.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// requestsEndWithin is how long requests may take that are under way when the program is told to stop.
const requestsEndWithin = 5 * time.Second

// endRequests takes no more requests and lets those under way end. Those that do not are cut: they were not acknowledged, so
// whoever sent them sends them again, and no sender can keep the program from stopping.
func (a *App) endRequests(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestsEndWithin*9/10)
	defer cancel()
	if a.hooks != nil {
		draining, cancel := context.WithTimeout(ctx, drainWithin)
		defer cancel()
		go a.hooks.Drain(draining)
	}
	err := a.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		a.logger.Warn("Requests under way were cut, they took too long", "component", "web")
		return a.server.Close()
	}
	return err
}

// drainWithin is how long bodies of notifications may still take to arrive.
const drainWithin = time.Second

// serve has requests answered by a handler. The first time it binds every address before it serves any, so that a taken
// port is an error of the start; after that the new handler takes the place of the old one.
func (a *App) serve(l *lifecycle, handler http.Handler) error {
	a.front.Store(&handler)
	if a.options.World != nil {
		a.options.World.Serve(handler)
		return nil
	}
	if a.server != nil {
		// Once more, so that requests end before the parts end that the new handler needs.
		l.onStop("web requests", requestsEndWithin, a.endRequests)
		return nil
	}
	flags := a.options.Web
	if len(*flags.WebListenAddresses) == 0 {
		return errors.New("web.listen-address: at least one address is needed")
	}
	if *flags.WebConfigFile != "" {
		if err := toolkit.Validate(*flags.WebConfigFile); err != nil {
			return fmt.Errorf("web.config.file: %w", err)
		}
	}
	var listeners []net.Listener
	for _, addr := range *flags.WebListenAddresses {
		ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return fmt.Errorf("web.listen-address: %w", err)
		}
		listeners = append(listeners, ln)
		a.addrs = append(a.addrs, ln.Addr())
	}
	server := &http.Server{
		Handler: access.Hosts(func() []string { return a.config.Load().Web.AllowedHosts }, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			(*a.front.Load()).ServeHTTP(w, r)
		})),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
	a.server = server
	l.run("web", stepWithin, func(ctx context.Context) error {
		err := toolkit.ServeMultiple(listeners, server, flags, a.logger)
		if errors.Is(err, http.ErrServerClosed) {
			<-ctx.Done() // closed by the step below
			return nil
		}
		return err
	})
	// Registered last, so run first: what was taken is finished and answered, and nothing new is taken.
	l.onStop("web requests", requestsEndWithin, a.endRequests)
	return nil
}

func healthy(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Meantime is healthy.") }

// routes is every path the daemon answers.
func (a *App) routes(metrics, webhook, events, bells, records, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", a.contacts.scraped(metrics))
	mux.Handle("/webhook/alertmanager", webhook)
	mux.Handle("/webhook/alertmanager/events", events)
	mux.Handle("/webhook/", bells)
	mux.Handle("/api/", records)
	mux.Handle("/", pages)
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if !a.ready.Load() {
			http.Error(w, "Meantime is starting.", http.StatusServiceUnavailable)
		} else if err := a.store.Ping(ctx); err != nil {
			a.logger.Error("Store does not answer", "component", "web", "err", err)
			http.Error(w, "The store cannot take a write.", http.StatusServiceUnavailable)
		} else {
			fmt.Fprintln(w, "Meantime is ready.")
		}
	})
	mux.Handle("POST /-/reload", http.NewCrossOriginProtection().Handler(http.HandlerFunc(a.reloadByHTTP)))
	if a.options.EnablePprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return a.contacts.missed(a.place.under(mux))
}

// reloadByHTTP takes a new configuration: for who has the token for writing or, where there is none, for anybody where a flag
// says so.
func (a *App) reloadByHTTP(w http.ResponseWriter, r *http.Request) {
	want := a.config.Load().Web.WriteToken.Reveal()
	if want == "" && !a.options.EnableLifecycle {
		http.Error(w, "Reload by HTTP is not enabled: configure web.write_token_file, start with --web.enable-lifecycle, or send SIGHUP.", http.StatusForbidden)
		return
	}
	var refused *access.Refused
	if err := a.gate.Request(r, want); errors.As(err, &refused) {
		if refused.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(refused.RetryAfter.Seconds())))
		} else {
			w.Header().Set("WWW-Authenticate", `Bearer realm="meantime"`)
		}
		http.Error(w, refused.Detail, refused.Status())
		return
	}
	if err := a.reload(r.Context()); err != nil {
		http.Error(w, "The configuration was not taken, the old one stays:\n"+strings.TrimSpace(err.Error()), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "The configuration was taken.")
}
