package app

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"meantime/incident"
	"meantime/store"
	"meantime/store/sqlstore"
)

// askStoreEvery is how often a database that did not answer at the start is asked again.
const askStoreEvery = 3 * time.Second

// openStore opens the store, and registers that it is closed. A PostgreSQL that does not answer is waited for until ctx ends,
// and meanwhile everybody who asks is told so: it may be starting too, and what comes in is sent again. Whatever waiting does
// not mend, such as a wrong password, is an error, and so is everything about SQLite, which nobody else will bring back.
func (a *App) openStore(ctx context.Context, l *lifecycle, dsn string) (store.Store, error) {
	if a.options.World != nil {
		return a.options.World.Store, nil
	}
	for {
		db, err := sqlstore.Open(ctx, dsn, sqlstore.Options{Logger: a.logger, Registerer: a.metrics.registry, Now: a.now, DSN: a.dsn})
		if err == nil {
			l.onStop("store", storeStopsWithin, func(context.Context) error { return db.Close() })
			return db, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !a.shared || incident.CodeOf(err) != incident.CodeUnavailable {
			return nil, fmt.Errorf("open store: %w", err)
		}
		if a.server == nil {
			if err := a.serve(l, a.waiting()); err != nil {
				return nil, err
			}
		}
		a.logger.Warn("The store does not answer, waiting for it", "component", "store", "again_in", askStoreEvery, "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-l.fail:
			return nil, err
		case <-time.After(askStoreEvery):
		}
	}
}

// dsn names the store with its password as it is now: its file may be replaced at any time, the configuration by a reload.
func (a *App) dsn() string {
	s := a.config.Load().Store
	if !s.File.IsZero() {
		return s.File.Reveal()
	}
	return string(s.DSN)
}

// waiting is what is answered while the store is waited for.
func (a *App) waiting() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", a.metrics.handler(a.logger))
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", strconv.Itoa(int(askStoreEvery.Seconds())))
		http.Error(w, "Meantime is starting: it waits for its database, which does not answer. The log says why.", http.StatusServiceUnavailable)
	})
	return mux
}
