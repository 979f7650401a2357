// Package app puts the parts of the daemon together: it starts them in order, carries facts from one to the next, takes
// a new configuration while it runs, and stops them in the opposite order.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"meantime/access"
	"meantime/api"
	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/progress"
	"meantime/source/alertmanager"
	"meantime/store"
	"meantime/web"
	"meantime/webhook"
)

// storeStopsWithin is for what waits to be written.
const storeStopsWithin = 5 * time.Second

// Options are what the command line says.
type Options struct {
	ConfigFile string   // empty: no file
	Environ    []string // nil: the process's own
	DSN        string   // overrides the configured one where given
	Web        *toolkit.FlagConfig
	// ExternalURL is where it is reached from outside, and RoutePrefix what the paths of requests begin with; empty: see newPlace.
	ExternalURL, RoutePrefix string
	// EnableLifecycle lets anybody reload where no token for writing is configured. EnablePprof serves /debug/pprof.
	EnableLifecycle, EnablePprof bool
	Logger                       *slog.Logger
	Now                          func() time.Time // nil: time.Now
	// Listening is called with the bound addresses before the first request is served. nil: nobody wants to know.
	Listening func([]net.Addr)
	// Screen has bars of what takes long; nil: the log has lines.
	Screen *Screen
	// World takes the place of the store and of the network. nil: the real ones.
	World *World
}

// World is a store and a network that are made up, such as those of a simulation.
type World struct {
	// Store is shared by all daemons of the world. None of them closes it.
	Store store.Store
	// Serve is called with what answers requests, in place of listening.
	Serve func(http.Handler)
	// Transport carries requests to what is polled.
	Transport http.RoundTripper
}

// App is the running daemon.
type App struct {
	options Options
	logger  *slog.Logger
	now     func() time.Time
	metrics *metrics
	gate    *access.Gate

	replica

	config   atomic.Pointer[config.Validated]
	ways     *alertmanager.Ways // of the Alertmanagers that are asked
	store    *intake
	shown    shownServices
	pipeline *pipeline
	openings *openings
	contacts *contacts
	progress *progress.Board
	place    place
	term     atomic.Pointer[term] // nil while another process has the lease

	ready      atomic.Bool
	behind     atomic.Bool                  // what others saved could not be read
	others     atomic.Bool                  // what others saved is by other rules than this process's
	server     *http.Server                 // nil before it serves
	hooks      *webhook.Receiver            // nil before it takes any
	front      atomic.Pointer[http.Handler] // what it serves
	addrs      []net.Addr
	reloading  sync.Mutex
	previewing sync.Mutex // one at a time
}

func newApp(o Options) *App {
	a := &App{options: o, logger: o.Logger, now: o.Now, metrics: newMetrics(), ways: alertmanager.NewWays()}
	if a.now == nil {
		a.now = time.Now
	}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	a.progress = progress.New(progress.Options{Logger: a.logger.With("component", "progress"), Screen: o.Screen, Now: o.Now})
	a.contacts = &contacts{logger: a.logger.With("component", "webhook"), now: a.now, known: map[string]bool{}}
	a.gate = access.NewGate(access.Options{Logger: a.logger.With("component", "web"), Metrics: a.metrics.access, Now: a.now})
	if a.options.Environ == nil {
		a.options.Environ = os.Environ()
	}
	return a
}

// Run runs the daemon until ctx ends, and stops it in order. It returns nil after a stop that ctx asked for.
func Run(ctx context.Context, o Options) error {
	a := newApp(o)
	l := newLifecycle(a.logger)
	err := a.start(ctx, l)
	switch {
	case err == nil:
		err = l.wait(ctx)
	case errors.Is(err, ctx.Err()):
		err = nil // told to stop before it had started
	}
	a.ready.Store(false)
	return errors.Join(err, l.stop(context.WithoutCancel(ctx)))
}

func (a *App) start(ctx context.Context, l *lifecycle) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // from the beginning: where nobody hears it, it ends the program
	l.onStop("signals", stepWithin, func(context.Context) error {
		signal.Stop(hangup)
		return nil
	})
	c, err := a.load()
	if err != nil {
		return err
	}
	a.config.Store(c)
	a.metrics.reloaded(nil, a.now())
	if err := a.sayWhoMayWrite(c); err != nil {
		return err
	}

	if a.place, err = newPlace(a.options.ExternalURL, a.options.RoutePrefix); err != nil {
		return err
	}
	a.replica = newReplica(string(c.Store.DSN))
	a.shared = a.shared || a.options.World != nil
	db, err := a.openStore(ctx, l, string(c.Store.DSN))
	if err != nil {
		return err
	}
	open := newQuestions(func(kind string, n int) { a.metrics.questions.WithLabelValues(kind).Set(float64(n)) })
	a.store = newIntake(db, open, a.factsChanged)
	if err := a.store.hear(ctx, a.now()); err != nil {
		return err
	}

	_, heard, err := db.Reach(ctx)
	if err != nil {
		return fmt.Errorf("load senders: %w", err)
	}
	a.contacts.learn(heard)

	a.pipeline = &pipeline{
		store: db, logger: a.logger.With("component", "correlation"), metrics: a.metrics, now: a.now, heard: a.store.lastHeard,
	}
	if err := a.pipeline.configure(ctx, c); err != nil {
		return err
	}
	l.run("figures", stepWithin, a.pipeline.run)
	l.run("questions", stepWithin, func(ctx context.Context) error {
		if err := open.load(ctx, db); err != nil && ctx.Err() == nil {
			a.logger.Error("Open questions of stored records are not counted", "err", err)
		}
		<-ctx.Done()
		return ctx.Err()
	})

	a.openings = &openings{
		store: db, rules: func() *correlate.Rules { return &a.config.Load().Rules }, now: a.now,
		logger: a.logger.With("component", "correlation"),
	}
	l.run("openings", stepWithin, a.openings.run)
	if err := a.tryJobs(c); err != nil {
		return err
	}
	l.run("secrets", stepWithin, a.watchSecrets)
	l.run("reload on SIGHUP", stepWithin, func(ctx context.Context) error { return a.reloadOnHangup(ctx, hangup) })

	if err := a.serve(l, a.handler()); err != nil {
		return err
	}
	if a.shared {
		l.run("replicas", stepWithin, a.follow)
		l.run("news of replicas", stepWithin, a.listen)
	}
	l.run("signs of life", stepWithin, a.live)
	// Last, so that it stops first: another replica can take over while this one still answers.
	l.run("lease", termEndsWithin, func(ctx context.Context) error { return a.hold(ctx, a.beginTerm) })
	a.ready.Store(true)
	a.metrics.external.WithLabelValues(a.address() + "/").Set(1)
	a.logger.Info("Listening", "addresses", fmt.Sprint(a.addrs), "store", c.Store.DSN)
	if a.options.Listening != nil {
		a.options.Listening(a.addrs)
	}
	return nil
}

// handler is everything the daemon answers. What a reload can change is asked of the configuration at each request.
func (a *App) handler() http.Handler {
	a.hooks = webhook.New(webhook.Options{
		Store: a.store, Metrics: a.metrics.webhook, Logger: a.logger, Now: a.now,
		Token: func() string { return a.config.Load().Web.WebhookToken.Reveal() }, Gate: a.gate,
		Watchdogs: func(labels map[string]string) (string, bool) {
			return watchdogOf(a.config.Load().Rules.Watchdogs, labels)
		},
		Intake:    func() incident.Intake { return intakeOf(a.config.Load()) },
		Truncated: func() { a.trigger(alertmanagerJob) }, Heard: a.contacts.heard,
		MaxBody: a.config.Load().Limits.BodyBytes, MaxAlerts: a.config.Load().Limits.AlertsPerWebhook,
	})
	records := api.New(api.Options{
		Store: a.store, Now: a.now, Logger: a.logger.With("component", "api"), Metrics: a.metrics.api,
		Intervals: func() []incident.Interval { return a.config.Load().Intervals },
		Token:     func() string { return a.config.Load().Web.WriteToken.Reveal() }, Gate: a.gate,
		Reserved: a.reserved, ReadPostmortem: a.readPostmortem, Setup: a.checklist, TestAlert: a.testAlert, Dependencies: a.dependencies,
		Prefix: a.place.path, Figures: a.answers(), Preview: a.preview,
	})
	pages := web.New(web.Options{
		Store: a.store, Now: a.now, Logger: a.logger.With("component", "pages"), Metrics: a.metrics.pages,
		Intervals: func() []incident.Interval { return a.config.Load().Intervals },
		Token:     func() string { return a.config.Load().Web.WriteToken.Reveal() }, Gate: a.gate,
		Sources: a.sourceStates, Notes: a.openings.notes, Setup: a.checklist, TestAlert: a.testAlert, Dependencies: a.dependencies,
		Prefix: a.place.path, Going: a.going, Preview: a.preview,
		Figures: a.answers(), Windows: a.windowNames, By: func() []string { return a.config.Load().By },
	})
	return a.routes(a.metrics.handler(a.logger), a.hooks.Alertmanager(), a.hooks.Events(), a.hooks.Bells(a.bell), records, pages)
}

// windowNames are those of the configuration in force.
func (a *App) windowNames() (names []string) {
	for _, w := range a.config.Load().Windows {
		names = append(names, w.Name)
	}
	return names
}

// answers are those of the store and the configuration in force.
func (a *App) answers() *answers { return &answers{a.config.Load, a.store, a.now, a.address} }

// CheckConfig says everything that is wrong with the configuration.
func CheckConfig(o Options) error {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return err
	}
	return a.tryJobs(c)
}

// load reads the configuration, with what the command line overrides.
func (a *App) load() (*config.Validated, error) {
	environ := a.options.Environ
	if a.options.DSN != "" {
		environ = append(environ[:len(environ):len(environ)], "MEANTIME_STORE_DSN="+a.options.DSN)
	}
	c, err := config.Load(a.options.ConfigFile, environ)
	if err != nil {
		return nil, err
	}
	return c.Validate()
}

// reload takes a new configuration. Everything that can fail is done first; where something does, the old one stays.
func (a *App) reload(ctx context.Context) (err error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	defer func() {
		a.metrics.reloaded(err, a.now())
		if err != nil {
			a.logger.Error("Configuration not taken, the old one stays", "err", err)
		} else {
			a.logger.Info("Configuration taken")
		}
	}()
	c, err := a.load()
	if err != nil {
		return err
	}
	old := a.config.Load()
	if c.Store.DSN.String() != old.Store.DSN.String() { // a password may change
		return errors.New("store.dsn: a store cannot be changed while the program runs; start it again")
	}
	if err := a.tryJobs(c); err != nil {
		return err
	}
	if err := a.pipeline.configure(ctx, c); err != nil {
		return err
	}
	a.config.Store(c)
	if err := a.sayWhoMayWrite(c); err != nil {
		a.logger.Warn("Who may write cannot be told", "err", err)
	}
	if t := a.term.Load(); t != nil {
		if err := a.learned(ctx, t); err != nil {
			return err
		}
		jobs, err := a.jobs(c)
		if err != nil {
			return err
		}
		return t.sources.Reload(jobs)
	}
	return nil
}

func (a *App) reloadOnHangup(ctx context.Context, hangup <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hangup:
			_ = a.reload(ctx) // logged and counted there
		}
	}
}

// The prune runs seldom and in small steps, so that it never holds up a webhook for long.
const (
	pruneEvery = time.Hour
	pruneStep  = 500
)

// forgotten is the time before which alerts of no incident are deleted: those that an incident within the retention is judged
// against, as how usual an alert is, are still there.
func forgotten(now time.Time, keep time.Duration) time.Time {
	return now.Add(-keep - correlate.Lookback)
}

// prune deletes what is older than the retention and belongs to no incident.
func (a *App) prune(ctx context.Context) error {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if keep := a.config.Load().Store.Retention; keep > 0 {
			for {
				n, err := a.store.Prune(ctx, forgotten(a.now(), keep), pruneStep)
				if err != nil && ctx.Err() == nil {
					a.logger.Error("Retention stopped early, it goes on later", "component", "store", "err", err)
				}
				if err != nil || n == 0 {
					break
				}
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
