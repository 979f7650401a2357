package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"meantime/incident"
	"meantime/store"
)

// Any number of processes may share a store. All of them take facts and answer; one at a time holds the lease, and it alone
// correlates, reads the sources and prunes. The others show what it saved.
const (
	// leaseLength is for how long the lease is the holder's after it was renewed last. It is renewed at a third of that, so
	// that one that is lost on the way does no harm, and whoever died is followed within two lengths.
	leaseLength = 10 * time.Second
	renewEvery  = leaseLength / 3
	// forEver is the length where no other process can be.
	forEver = 100 * 365 * 24 * time.Hour
	// lookEvery is how often the store is looked at where it tells of nothing.
	lookEvery = time.Second
	// lookRest is the least time between two looks, so that a storm of passes is taken in in few.
	lookRest = 100 * time.Millisecond
	// releaseWithin bounds giving up the lease at the end.
	releaseWithin = 3 * time.Second
	// termEndsWithin is for giving up the lease and for what was under way under it to end.
	termEndsWithin = 6 * time.Second
)

// replica is what a process needs to be one of several.
type replica struct {
	name   string // in the lease
	shared bool   // there can be others
	free   chan struct{}
	passes chan struct{}
}

func newReplica(dsn string) replica {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return replica{
		// A process that starts again is another one: it knows nothing of what the first had under way.
		name:   fmt.Sprintf("%.100s/%d/%08x", host, os.Getpid(), rand.Uint32()),
		shared: !strings.HasPrefix(dsn, "sqlite:"),
		free:   make(chan struct{}, 1), passes: make(chan struct{}, 1),
	}
}

func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// hold keeps the lease, or waits for it, until ctx ends; then it gives it up at once. begin begins a term under a token.
func (a *App) hold(ctx context.Context, begin func(token int64) *term) error {
	logger := a.logger.With("component", "lease", "replica", a.name)
	length := leaseLength
	if !a.shared {
		length = forEver
	}
	var t *term
	defer func() {
		// A pass under way is not waited for: once another has the lease it is refused.
		t.stop()
		a.metrics.lease.Set(0)
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
		defer cancel()
		if err := a.store.Release(stop, a.name); err != nil {
			logger.Warn("Lease not given up, another replica takes it when it is over", "err", err)
		}
		t.end()
	}()
	var until time.Time // as long as this process can be sure, by its own clock
	held, trouble := false, false
	for {
		asked := time.Now()
		asking, cancel := context.WithTimeout(ctx, renewEvery)
		lease, err := a.store.Acquire(asking, a.name, length)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := renewEvery
		switch {
		case err != nil:
			// Whatever is computed meanwhile: what may be saved the store decides.
			if !trouble {
				logger.Warn("The lease cannot be asked for, trying again", "err", err)
			}
			wait = lookEvery
		case lease.Holder == a.name:
			until = asked.Add(length)
			if !a.shared {
				wait = forEver
			}
			held = true
			if t == nil || t.token != lease.Token {
				t.end()
				t = begin(lease.Token)
				a.told(logger, "Holds the lease: this replica correlates and reads the sources", "token", lease.Token)
			}
		default:
			until = time.Time{}
			wait = min(max(lease.Left, lookRest), renewEvery)
			if held {
				a.told(logger, "Lost the lease: this replica follows", "holder", lease.Holder, "token", lease.Token)
			}
			held = false
			t.end()
			t = nil
		}
		trouble = err != nil
		if asked.Before(until) {
			a.metrics.lease.Set(1)
		} else {
			a.metrics.lease.Set(0)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-a.free:
		case <-t.wasLost():
			t.end()
			t = nil
		}
		timer.Stop()
	}
}

// follow shows what other processes saved, until ctx ends.
func (a *App) follow(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.passes:
			select {
			case <-tick.C:
				a.factsChanged()
			default:
			}
		case <-tick.C:
			a.factsChanged() // those that nobody told of
			select {
			case <-a.passes: // one look is for both
			default:
			}
		}
		if a.term.Load() == nil {
			a.catchUp(ctx)
		}
		rest := time.NewTimer(lookRest)
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		rest.Stop()
	}
}

// listen wakes those who wait for what other processes do, until ctx ends.
func (a *App) listen(ctx context.Context) error {
	return a.store.Listen(ctx, func(e store.Event) {
		switch e {
		case store.EventFacts:
			a.factsChanged()
		case store.EventPass:
			poke(a.passes)
		case store.EventLease:
			poke(a.free)
		default:
			a.factsChanged()
			poke(a.passes)
			poke(a.free)
		}
	})
}

// catchUp takes in what other processes saved, and says whether it could.
func (a *App) catchUp(ctx context.Context) bool {
	saved, err := a.pipeline.follow(ctx)
	if err == nil {
		err = a.store.follow(ctx, saved, a.now())
	}
	if err == nil {
		var rules string
		_, rules, err = a.store.Position(ctx)
		a.others.Store(err == nil && rules != "" && rules != a.config.Load().Rules.Digest())
	}
	if ctx.Err() != nil {
		return false
	}
	if before := a.behind.Swap(err != nil); err != nil && !before {
		a.logger.Warn("What other replicas saved cannot be read, the figures stay as they are", "component", "replicas", "err", err)
	}
	return err == nil
}

// told logs what matters only where there are several.
func (a *App) told(logger interface {
	Info(string, ...any)
	Debug(string, ...any)
}, msg string, args ...any) {
	if a.shared {
		logger.Info(msg, args...)
	} else {
		logger.Debug(msg, args...)
	}
}

// leased holds the lease of a store for a program that works on it beside the daemon, until end is called.
func leased(ctx context.Context, s store.Store, r replica) (token int64, end func() error, err error) {
	l, err := s.Acquire(ctx, r.name, leaseLength)
	if err != nil {
		return 0, nil, err
	}
	if l.Holder != r.name {
		return 0, nil, incident.Errorf(incident.CodeConflict, "the store is in use by a running Meantime, %s; stop it, or name another store", l.Holder)
	}
	renewing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-tick.C:
				_, _ = s.Acquire(renewing, r.name, leaseLength) // where it is lost, nothing can be saved, and that is told
			}
		}
	}()
	return l.Token, func() error {
		stop()
		<-done
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
		defer cancel()
		if err := s.Release(ctx, r.name); err != nil {
			return errors.Join(errors.New("lease not given up"), err)
		}
		return nil
	}, nil
}
