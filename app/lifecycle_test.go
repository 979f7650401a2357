package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A step of a stop that hangs is named in the error, and takes no time from those after it, whether it looks at its context
// or not.
func TestStopSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		var mu sync.Mutex // a step that is given up runs beside the next
		var order []string
		note := func(name string, takes time.Duration, heeds bool) {
			l.onStop(name, 2*time.Second, func(ctx context.Context) error {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				until, ok := ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, 2*time.Second, time.Until(until), name)
				if !heeds {
					time.Sleep(takes)
					return nil
				}
				select {
				case <-time.After(takes):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}
		l.run("part that ends", 2*time.Second, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		note("quick", time.Second, true)
		note("hangs", time.Hour, true)
		note("deaf", time.Minute, false)
		note("first", 0, true)
		begun := time.Now()
		err := l.stop(t.Context())
		require.EqualError(t, err, "stop deaf: context deadline exceeded\nstop hangs: context deadline exceeded")
		mu.Lock()
		require.Equal(t, []string{"first", "deaf", "hangs", "quick"}, order)
		mu.Unlock()
		require.Less(t, time.Since(begun), 6*time.Second)
		require.NoError(t, l.stop(t.Context()), "there is nothing left to stop")
		time.Sleep(time.Hour) // the deaf one ends too
	})
}

// A part that ends by itself ends the program, with its reason.
func TestPartEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		l.run("web", time.Second, func(context.Context) error { return errors.New("port taken") })
		l.run("other", time.Second, func(ctx context.Context) error { <-ctx.Done(); return nil })
		require.EqualError(t, l.wait(t.Context()), "web: port taken")
		require.NoError(t, l.stop(t.Context()))
	})
}
