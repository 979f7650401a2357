package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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
	name string
	stop func(context.Context) error
}

func newLifecycle(logger *slog.Logger) *lifecycle {
	return &lifecycle{logger: logger, fail: make(chan error, 1)}
}

// onStop registers what must be done to undo a start step that has just succeeded.
func (l *lifecycle) onStop(name string, stop func(context.Context) error) {
	l.steps = append(l.steps, step{name, stop})
}

// run starts a part that runs until its context ends, and registers its stop: end the context and wait.
func (l *lifecycle) run(name string, part func(context.Context) error) {
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
	l.onStop(name, func(stop context.Context) error {
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

// stop undoes every step, the last first, within ctx.
func (l *lifecycle) stop(ctx context.Context) error {
	var errs []error
	for i := len(l.steps) - 1; i >= 0; i-- {
		s := l.steps[i]
		l.logger.Debug("Stopping", "component", s.name)
		if err := s.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
	}
	l.steps = nil
	return errors.Join(errs...)
}
