package app

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"meantime/correlate"
	"meantime/incident"
	"meantime/source"
	"meantime/store"
)

// term is the time for which this process holds the lease: it correlates, reads the sources and prunes. Each has parts of
// its own, so that nothing is left of what an earlier one knew.
type term struct {
	token   int64
	runner  *correlate.Runner
	sources *source.Runner

	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of it runs any more
	lost   chan struct{} // closed when the store says that the lease is another's
	once   sync.Once
}

// beginTerm begins a term in the background.
func (a *App) beginTerm(token int64) *term {
	t := &term{token: token, done: make(chan struct{}), lost: make(chan struct{}), sources: source.NewRunner(source.Options{Logger: a.logger, Metrics: a.metrics.sources})}
	var ctx context.Context
	ctx, t.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(t.done)
		a.serveTerm(ctx, t)
	}()
	return t
}

// stop has a term end; nil has ended already.
func (t *term) stop() {
	if t != nil {
		t.cancel()
	}
}

// end ends a term and waits until it has.
func (t *term) end() {
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// wasLost is closed when the lease of the term is known to be another's; nil for no term.
func (t *term) wasLost() <-chan struct{} {
	if t == nil {
		return nil
	}
	return t.lost
}

// serveTerm does what only the holder of the lease does, until ctx ends.
func (a *App) serveTerm(ctx context.Context, t *term) {
	// What the last holder saved is the ground on which this one goes on. It can save nothing more.
	for !a.catchUp(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
	a.reloading.Lock()
	c := a.config.Load()
	rules, err := a.rules(ctx, c)
	for err != nil { // other rules would have all worked out again
		a.logger.Error("What was learned of dependencies cannot be read, it is tried again", "err", err)
		select {
		case <-ctx.Done():
			a.reloading.Unlock()
			return
		case <-time.After(lookEvery):
		}
		rules, err = a.rules(ctx, c)
	}
	facts := correlate.FactsReader(a.store.Store)
	if a.shared {
		facts = &overheard{FactsReader: a.store.Store, app: a}
	}
	t.runner = correlate.NewRunner(correlate.Options{
		Facts: facts, Rules: rules, Now: a.now, Logger: a.logger.With("component", "correlate"), Metrics: a.metrics.correlate,
		Progress: a.correlating(),
		Deliver:  func(ctx context.Context, d incident.Pass) error { return a.deliver(ctx, t, d) },
	})
	jobs, err := a.jobs(c)
	if err == nil {
		err = t.sources.Reload(jobs)
	}
	if err != nil { // they were tried when the configuration was taken; a file of theirs may be gone since
		a.logger.Error("Sources are not read", "err", err)
	}
	a.term.Store(t)
	a.reloading.Unlock()
	defer a.term.CompareAndSwap(t, nil)

	polling, stopPolling := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPolling()
	var wg sync.WaitGroup
	wg.Go(func() { _ = t.runner.Run(ctx) })
	wg.Go(func() { t.sources.Run(polling) })
	wg.Go(func() { _ = a.prune(ctx) })
	wg.Go(func() { a.settle(ctx, t) })
	wg.Go(func() { a.bells(ctx, t) })
	wg.Go(func() { a.poster().Run(ctx) })
	<-ctx.Done()
	_ = t.sources.Reload(nil) // their metrics go: whoever holds the lease next tells how they are
	stopPolling()
	wg.Wait()
}

// deliver takes in a correlation pass, and has what it linked measured.
func (a *App) deliver(ctx context.Context, t *term, d incident.Pass) error {
	err := a.pipeline.deliver(ctx, t.token, d)
	if errors.Is(err, store.ErrLeaseLost) {
		t.cancel()
		t.once.Do(func() { close(t.lost) })
	}
	if err != nil {
		return err
	}
	if (d.Reset || len(d.Incidents) > 0) && !d.More {
		triggerAll(t.sources, prometheusJob)
	}
	return nil
}

// settle has incidents counted in the all-time histogram when they have settled.
func (a *App) settle(ctx context.Context, t *term) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		err := a.pipeline.count(ctx, t.token)
		if errors.Is(err, store.ErrLeaseLost) {
			t.cancel()
			t.once.Do(func() { close(t.lost) })
		}
		if err != nil && ctx.Err() == nil {
			a.logger.Error("Incidents that have settled are not counted, it is tried again", "component", "figures", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// factsChanged says that this process stored facts. Where it does not correlate, the store tells who does.
func (a *App) factsChanged() {
	if t := a.term.Load(); t != nil {
		t.runner.Notify()
	}
}

// trigger has what is of a kind asked at once, where this process is the one that asks.
func (a *App) trigger(job string) {
	if t := a.term.Load(); t != nil {
		triggerAll(t.sources, job)
	}
}

// triggerAll has all of one kind asked at once.
func triggerAll(sources *source.Runner, kind string) {
	for _, s := range sources.Status() {
		if s.Name == kind || strings.HasPrefix(s.Name, kind+"/") {
			sources.Trigger(s.Name)
		}
	}
}

// overheard are the facts as correlation reads them. What other processes stored and this one shows by itself is noted.
type overheard struct {
	correlate.FactsReader
	app *App
}

func (o *overheard) Changes(ctx context.Context, after int64, limit int) ([]incident.Change, error) {
	changes, err := o.FactsReader.Changes(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		switch c.Kind {
		case incident.ChangeBeat:
			o.app.store.heard([]incident.Beat{{Watchdog: c.Key, At: c.From}})
		case incident.ChangeRecord:
			if err := o.app.store.learn(ctx, recordKey(c.Key)); err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}
