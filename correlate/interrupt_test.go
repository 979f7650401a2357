package correlate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// impatient is a context that ends after it was asked so often whether it has.
type impatient struct {
	context.Context
	left int
}

func (i *impatient) Err() error {
	if i.left--; i.left < 0 {
		return context.Canceled
	}
	return nil
}

// A pass of any size can be interrupted in the middle of what it computes. It says so, has delivered nothing, and what comes
// after is as if it had never begun.
func TestInterrupted(t *testing.T) {
	for _, c := range []struct {
		name              string
		episodes, records int
		roomy             bool
	}{{"a quiet day", 300, 10, true}, {"a day", 3000, 60, true}, {"a day, read in parts", 1200, 24, false}} {
		t.Run(c.name, func(t *testing.T) {
			f, rules := busyDay(c.episodes, c.records)
			fresh := func() *world {
				w := newWorld(t, rules, true)
				if !c.roomy {
					w.sizes = sizes{cell: 100, atHand: 300, flush: 500}
				}
				w.restart()
				return w
			}
			w := fresh()
			w.now = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
			w.shelf.put(f)
			asked := &impatient{t.Context(), 1 << 30}
			require.NoError(t, w.runner.CatchUp(asked), "as often as it asks")
			most := 1<<30 - asked.left
			require.Greater(t, most*usualSizes.cell, c.episodes, "it asks often enough")

			w = fresh()
			w.now = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
			w.shelf.put(f)
			rng := rand.New(rand.NewPCG(1, 2))
			for range 10 {
				require.ErrorIs(t, w.runner.CatchUp(&impatient{t.Context(), rng.IntN(most)}), context.Canceled)
			}
			w.settle()
			w.check()
			// One more alert, told late, computed on what is kept.
			at := w.now.Add(-12 * time.Hour)
			for i := range 10 {
				x := f.Sightings[i*97%len(f.Sightings)]
				x.StartsAt, x.EndsAt, x.ResolvedFirst, x.FiringFirst, x.FiringLast, x.ToldAt = at, time.Time{}, time.Time{}, at, at, w.now
				x.Labels = map[string]string{"alertname": fmt.Sprint("Late", i), "service": x.Labels["service"], "severity": "critical"}
				x.Fingerprint = fmt.Sprintf("%016x", i)
				w.shelf.put(incident.Facts{Sightings: []incident.Sighting{x}})
				if i == 9 {
					w.settle()
					break
				}
				_ = w.runner.CatchUp(&impatient{t.Context(), rng.IntN(40)})
			}
			w.check()
		})
	}
}
