package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"meantime/incident"
	"meantime/store"
)

var _ store.Store = (*Store)(nil)

// Store is the store.Store of an SQL database.
type Store struct {
	db      *database
	writer  *writer
	metrics *metrics
	logger  *slog.Logger

	saving sync.Mutex // a pass; it guards reset
	reset  *reset     // what came of a pass in parts so far; nil for none

	mu    sync.Mutex
	stmts map[string]*sql.Stmt // of the pool for reading; nil after Close
	once  sync.Once
	err   error // of Close
}

// Open opens the store that dsn names and brings its schema up to date. A dsn is "sqlite:" and the path of a file, which
// is created where there is none, or a postgres:// URL of a database that exists. Errors say what to do, and hold no
// password.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d, err := open(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	s := &Store{db: d, metrics: newMetrics(o.Registerer, o.Now), logger: o.Logger, stmts: make(map[string]*sql.Stmt)}
	if o.ReadOnly {
		return s, nil
	}
	if !d.shared() {
		// Whoever had the lease is gone, for the store is this process's alone.
		if _, err := d.write.ExecContext(ctx, "UPDATE lease SET holder = '', expires = 0 WHERE holder <> ''"); err != nil {
			return nil, errors.Join(s.explain(err), d.closeAll())
		}
	}
	s.writer = newWriter(d, s.metrics)
	return s, nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.once.Do(func() {
		if s.writer != nil {
			s.writer.close()
		}
		s.mu.Lock()
		s.stmts = nil
		s.mu.Unlock()
		s.err = s.db.closeAll()
	})
	return s.err
}

// Put implements store.Facts.
func (s *Store) Put(ctx context.Context, f incident.Facts, received time.Time) (_ incident.Receipt, err error) {
	defer s.done("put", s.now(), &err)
	checked, err := checkFacts(f, received)
	if err != nil {
		return incident.Receipt{}, err
	}
	weight := 1 + len(f.Sightings) + len(f.Records) + len(f.Reviews) + len(f.Silences) + len(f.Beats) + len(f.Mutes)
	if err := s.writer.put(ctx, &write{facts: checked, weight: weight}); err != nil {
		return incident.Receipt{}, err
	}
	return checked.receipt, nil
}

// alone writes in a transaction of its own.
func (s *Store) alone(ctx context.Context, weight int, do func(*session) error) error {
	return s.writer.put(ctx, &write{do: do, weight: weight})
}

// Ping implements store.Store: it writes, because a disk that is full can still be read.
func (s *Store) Ping(ctx context.Context) (err error) {
	defer s.done("ping", s.now(), &err)
	return s.alone(ctx, 1, s.db.probe)
}

// Stats implements store.Store.
func (s *Store) Stats(ctx context.Context) (st store.Stats, err error) {
	defer s.done("stats", s.now(), &err)
	err = s.get(ctx, "SELECT sightings, records, incidents, last_seq - cursor FROM progress WHERE one = 1", nil,
		&st.Sightings, &st.Records, &st.Incidents, &st.Backlog)
	if err == nil {
		st.Bytes, err = s.db.size(ctx)
	}
	return st, s.explain(err)
}

func (s *Store) now() time.Time { return s.metrics.now() }

// done counts an operation; it is deferred.
func (s *Store) done(operation string, begun time.Time, err *error) {
	s.metrics.done(operation, begun, err)
}

func (s *Store) explain(err error) error { return explained(s.db, err) }

// stmt is the prepared statement of a text for reading.
func (s *Store) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	if s.stmts == nil {
		return nil, incident.Errorf(incident.CodeUnavailable, "the store is closed")
	}
	st, err := s.db.read.PrepareContext(ctx, query)
	if err == nil {
		s.stmts[query] = st
	}
	return st, err
}

// query reads rows.
func (s *Store) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, s.explain(err)
	}
	rows, err := st.QueryContext(ctx, args...)
	return rows, s.explain(err)
}

// get reads the one row of a query; sql.ErrNoRows where there is none.
func (s *Store) get(ctx context.Context, query string, args []any, into ...any) error {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return err
	}
	return st.QueryRowContext(ctx, args...).Scan(into...)
}

// all reads every row of a query as one value.
func all[T any](ctx context.Context, s *Store, query string, args []any, read func(*sql.Rows) (T, error)) ([]T, error) {
	rows, err := s.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var l []T
	err = eachRow(rows, func(r *sql.Rows) error {
		v, err := read(r)
		l = append(l, v)
		return err
	})
	if err != nil {
		return nil, s.explain(err)
	}
	return l, nil
}

// atMost is a limit, 100 where none was given.
func atMost(limit int) int {
	if limit <= 0 {
		return 100
	}
	return limit
}
