package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"meantime/incident"
	"meantime/store"
)

// Acquire implements store.Shared.
func (s *Store) Acquire(ctx context.Context, holder string, length time.Duration) (l store.Lease, err error) {
	defer s.done("acquire", s.now(), &err)
	if err := checkKey("holder of the lease", holder); err != nil {
		return l, err
	}
	err = s.aside(ctx, func(row rowReader) error {
		clock := s.db.clock
		l = store.Lease{Holder: holder, Left: length}
		taken, err := row(`UPDATE lease SET token = CASE WHEN holder = $1 THEN token ELSE token + 1 END, holder = $1, expires = `+clock+` + $2
			WHERE one = 1 AND (holder = $1 OR holder = '' OR expires <= `+clock+`) RETURNING token`, []any{holder, length.Milliseconds()}, &l.Token)
		if err != nil || taken {
			return err
		}
		var left int64
		_, err = row("SELECT holder, token, expires - "+clock+" FROM lease WHERE one = 1", nil, &l.Holder, &l.Token, &left)
		l.Left = time.Duration(left) * time.Millisecond
		return err
	})
	return l, err
}

// Release implements store.Shared.
func (s *Store) Release(ctx context.Context, holder string) (err error) {
	defer s.done("release", s.now(), &err)
	return s.aside(ctx, func(row rowReader) error {
		var token int64
		released, err := row("UPDATE lease SET holder = '', expires = 0 WHERE one = 1 AND holder = $1 RETURNING token", []any{holder}, &token)
		if err != nil || !released || !s.db.shared() {
			return err
		}
		_, err = row(tell, []any{string(store.EventLease)}, new(any))
		return err
	})
}

// rowReader reads the one row of a statement; found is false where there is none.
type rowReader func(query string, args []any, into ...any) (found bool, err error)

// aside runs short statements that must not wait for the writes that wait. Where processes share the database they have a
// connection of their own and do not take part in the order of writes; else they are the next that is written.
func (s *Store) aside(ctx context.Context, do func(rowReader) error) error {
	switch {
	case s.writer == nil:
		return s.writer.put(ctx, nil)
	case !s.db.shared():
		return s.writer.put(ctx, &write{weight: 1, urgent: true, do: func(x *session) error { return do(x.get) }})
	}
	return s.explain(do(func(query string, args []any, into ...any) (bool, error) {
		err := s.db.write.QueryRowContext(ctx, query, args...).Scan(into...)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		return err == nil, err
	}))
}

// checkToken refuses a transaction under a lease that is another's by now. It comes last, for from then to the commit
// nobody can take or renew the lease.
func checkToken(s *session, token int64) error {
	n, err := s.exec("UPDATE lease SET token = token WHERE one = 1 AND token = $1", token)
	if err == nil && n == 0 {
		err = &incident.Error{Code: incident.CodeConflict, Err: store.ErrLeaseLost}
	}
	return err
}

// tell tells the other processes what happened, once it is committed.
const tell = "SELECT pg_notify('" + channel + "', $1)"

// channel is the name under which processes tell each other.
const channel = "meantime"

// tellOthers tells the other processes, where there can be any, what the transaction does.
func (s *session) tellOthers(e store.Event) error {
	if !s.db.shared() {
		return nil
	}
	_, err := s.get(tell, []any{string(e)}, new(any))
	return err
}

// Listen implements store.Shared.
func (s *Store) Listen(ctx context.Context, told func(store.Event)) error {
	if s.db.listen == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	const retry, most = time.Second, 10 * time.Second
	for wait := retry; ; wait = min(2*wait, most) {
		err := s.db.listen(ctx, func(what string) {
			wait = retry
			told(store.Event(what))
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.logger.Warn("What other replicas do is seen late while the store cannot be listened to", "component", "store", "err", s.explain(err), "retry_in", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
