package app

import (
	"context"
	"time"

	"meantime/incident"
)

// liveEvery is how often a sign of life is stored. Two must fit into incident.RestartGap, with room for a slow store: what
// lies further apart counts as an outage.
const liveEvery = 10 * time.Second

// live stores signs of life, the first at once, until ctx ends, and one more then. They say when this process could be told
// of alerts; while the store takes none, no webhook is taken either.
func (a *App) live(ctx context.Context) error {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	failing := false
	sign := func(ctx context.Context) {
		// Of the moment it is asked for: a machine that slept was not there meanwhile.
		now := a.now().UTC()
		ctx, cancel := context.WithTimeout(ctx, liveEvery)
		defer cancel()
		_, err := a.store.Store.Put(ctx, incident.Facts{Lives: []incident.Life{{From: now, To: now}}}, now)
		if failed := err != nil && ctx.Err() == nil; failed != failing {
			if failing = failed; failed {
				a.logger.Warn(
					"The store takes no sign of life: alerts that fire now will not count as detected",
					"component",
					"store",
					"err",
					err,
				)
			}
		}
	}
	for {
		sign(ctx)
		select {
		case <-ctx.Done():
			sign(context.WithoutCancel(ctx))
			return ctx.Err()
		case <-tick.C:
		}
	}
}
