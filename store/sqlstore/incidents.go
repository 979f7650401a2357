package sqlstore

import (
	"context"
	"database/sql"
	"iter"
	"strconv"
	"strings"
	"time"

	"meantime/incident"
	"meantime/store"
)

// Incident implements store.Derived.
func (s *Store) Incident(ctx context.Context, id string) (i incident.Incident, err error) {
	defer s.done("incident", s.now(), &err)
	// An ID that is in use outranks an alias; of several incidents with one alias, which only a half-known past can
	// leave, the answer is always the same.
	found, err := all(ctx, s, whole+` WHERE i.id = $1 UNION ALL SELECT * FROM (
		`+whole+` JOIN incident_aliases a ON a.incident = i.id WHERE a.alias = $1 ORDER BY i.id LIMIT 1) x`, []any{id}, scanIncident)
	switch {
	case err != nil:
		return i, err
	case len(found) == 0:
		return i, incident.Errorf(incident.CodeNotFound, "no incident %s", id)
	}
	if last := len(found) - 1; found[last].ID == id {
		return found[last], nil
	}
	return found[0], nil
}

// whole reads incidents with their rest.
const whole = "SELECT i.id, i.head, r.rest FROM incidents i JOIN incident_rests r ON r.incident = i.id"

func scanIncident(r *sql.Rows) (i incident.Incident, err error) {
	var id, head, rest string
	if err := r.Scan(&id, &head, &rest); err != nil {
		return i, err
	}
	if i, err = readHead(id, head, nil); err == nil {
		err = readRest(&i, rest)
	}
	return i, err
}

// Incidents implements store.Derived.
func (s *Store) Incidents(ctx context.Context, q store.IncidentQuery) (page []incident.Incident, next string, err error) {
	defer s.done("incidents", s.now(), &err)
	w := where{}
	query, at, id := whole, "i.at", "i.id"
	if q.Service != "" {
		query, at, id = whole+" JOIN incident_services v ON v.incident = i.id", "v.at", "v.incident"
		w.add("v.service = ?", plainKey(q.Service))
	}
	w.window(at, q.From, q.To)
	if q.Severity != "" {
		w.add("i.severity = ?", plainKey(q.Severity))
	}
	if q.State != "" {
		w.add("i.state = ?", string(q.State))
	}
	if err := w.after(q.Cursor, at, id); err != nil {
		return nil, "", err
	}
	limit := atMost(q.Limit)
	page, err = all(ctx, s, query+w.sql()+" ORDER BY "+at+" DESC, "+id+" DESC LIMIT "+w.param(limit+1), w.args, scanIncident)
	if len(page) > limit {
		page = page[:limit]
		last := &page[limit-1]
		next = cursor(nanos(last.At()), last.ID)
	}
	return page, next, err
}

// IncidentsTouching implements store.Derived.
func (s *Store) IncidentsTouching(ctx context.Context, from, to time.Time) (_ []incident.Incident, err error) {
	defer s.done("incidents_touching", s.now(), &err)
	return all(ctx, s, whole+" WHERE "+touching+" ORDER BY i.id", touchingArgs(from, to), scanIncident)
}

// EachIncident implements store.Derived.
func (s *Store) EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error] {
	query, args := "SELECT id, head FROM incidents", []any(nil)
	if !from.IsZero() {
		query += " WHERE at >= $4 UNION ALL " + query + " WHERE state = $6 AND at < $4 UNION ALL " + query + " WHERE state <> $6 AND at < $4 AND " +
			touching
		args = append(touchingArgs(from, time.Time{}), string(incident.StateOpen))
	}
	return func(yield func(incident.Incident, error) bool) {
		seen := new(words)
		each(ctx, s, "each_incident", query, args, func(r *sql.Rows) (incident.Incident, error) {
			var id string
			var head sql.RawBytes
			if err := r.Scan(&id, &head); err != nil {
				return incident.Incident{}, err
			}
			return readHead(id, string(head), seen)
		})(yield)
	}
}

// IncidentNames implements store.Derived.
func (s *Store) IncidentNames(ctx context.Context) (services, severities []string, err error) {
	defer s.done("incident_names", s.now(), &err)
	scan := func(r *sql.Rows) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}
	if services, err = all(ctx, s, "SELECT DISTINCT service FROM incident_services", nil, scan); err != nil {
		return nil, nil, err
	}
	severities, err = all(ctx, s, "SELECT DISTINCT severity FROM incidents", nil, scan)
	return services, severities, err
}

// Ledger implements store.Derived.
func (s *Store) Ledger(ctx context.Context) iter.Seq2[incident.Observed, error] {
	return each(ctx, s, "ledger", "SELECT body FROM observed ORDER BY incident", nil, scanBody[incident.Observed])
}

// each ranges over the rows of a query. An error is the last thing it gives.
func each[T any](ctx context.Context, s *Store, operation, query string, args []any, read func(*sql.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var err error
		defer s.done(operation, s.now(), &err)
		var none T
		rows, err := s.query(ctx, query, args...)
		if err != nil {
			yield(none, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			v, e := read(rows)
			if e != nil {
				err = s.explain(e)
				yield(none, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err = s.explain(rows.Err()); err != nil {
			yield(none, err)
		}
	}
}

// where collects the conditions of a query, each with its parameters written as "?".
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	for _, a := range args {
		condition = strings.Replace(condition, "?", w.param(a), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// param is the placeholder of a new parameter.
func (w *where) param(a any) string {
	w.args = append(w.args, a)
	return "$" + strconv.Itoa(len(w.args))
}

// window keeps what has its time in [from, to); what has none is in no window.
func (w *where) window(column string, from, to time.Time) {
	if !from.IsZero() {
		w.add(column+" >= ?", nanos(from))
	}
	if !to.IsZero() {
		w.add(column+" < ?", nanos(to))
	}
	if !from.IsZero() || !to.IsZero() {
		w.add(column + " <> 0")
	}
}

// after keeps what comes after a cursor, the newest first.
func (w *where) after(c, at, id string) error {
	if c == "" {
		return nil
	}
	n, rest, ok := strings.Cut(c, "~")
	v, err := strconv.ParseInt(n, 10, 64)
	if !ok || err != nil || rest == "" {
		return incident.Errorf(incident.CodeInvalid, "cursor %.80q: not one that was given out", c)
	}
	w.add("("+at+", "+id+") < (?, ?)", v, rest)
	return nil
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// cursor names the last row of a page.
func cursor(at int64, id string) string { return strconv.FormatInt(at, 10) + "~" + id }
