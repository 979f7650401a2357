package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// lifecycle starts the parts in order and stops them in the opposite one. A part that ends by itself before it is told
// to ends the program.
type lifecycle struct {
	logger *slog.Logger
	steps  []step

	fail chan error
	wg   sync.WaitGroup
}

type step struct {
	name   string
	within time.Duration
	stop   func(context.Context) error
}

// stepWithin is how long a step of a stop may take that says nothing else. Each has a time of its own, so that one that
// hangs takes nothing from those after it. Together they stay under what a supervisor waits before it kills, 30 s in
// most; one that does not hang takes milliseconds.
const stepWithin = 2 * time.Second

func newLifecycle(logger *slog.Logger) *lifecycle {
	return &lifecycle{logger: logger, fail: make(chan error, 1)}
}

// onStop registers what must be done, and within what time, to undo a start step that has just succeeded.
func (l *lifecycle) onStop(name string, within time.Duration, stop func(context.Context) error) {
	l.steps = append(l.steps, step{name, within, stop})
}

// run starts a part that runs until its context ends, and registers its stop: end the context and wait.
func (l *lifecycle) run(name string, within time.Duration, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.wg.Go(func() {
		defer close(done)
		err := part(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		select {
		case l.fail <- fmt.Errorf("%s: %w", name, err):
		default: // another part failed first
		}
	})
	l.onStop(name, within, func(stop context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-stop.Done():
			return stop.Err()
		}
	})
}

// wait returns nil when ctx ends and the error of the first part that fails before that.
func (l *lifecycle) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.fail:
		return err
	}
}

// stop undoes every step, the last first, each within its own time, whether it heeds it or not.
func (l *lifecycle) stop(ctx context.Context) error {
	var errs []error
	for i := len(l.steps) - 1; i >= 0; i-- {
		s := l.steps[i]
		l.logger.Debug("Stopping", "component", s.name)
		if err := s.undo(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
	}
	l.steps = nil
	return errors.Join(errs...)
}

func (s step) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.stop(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select { // one that heeds its time is about to say so
	case err := <-done:
		return err
	case <-time.After(s.within / 10):
		return ctx.Err()
	}
}
