package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"meantime/incident"
)

// A pass with Reset may be larger than memory, and most of it may be stored as it is. So each part of it is compared with what is
// stored when it comes, and what differs is laid aside, in short transactions that let others write between them. Where it lies are
// temporary tables of the writer's one connection: nobody else sees them, and however the process or the connection ends,
// they end too. The last part has all of it moved to where it belongs, in one transaction of a few statements.

// laid begins the names of the tables where what differs lies.
const laid = "next_"

// laidTables are those tables: as the ones of the same name, but without keys, and what is stored and goes, or is replaced.
var laidTables = []struct{ name, definition string }{
	{"incidents", "AS SELECT * FROM incidents WHERE 1 = 0"},
	{"incident_rests", "AS SELECT * FROM incident_rests WHERE 1 = 0"},
	{"incident_services", "AS SELECT * FROM incident_services WHERE 1 = 0"},
	{"incident_aliases", "AS SELECT * FROM incident_aliases WHERE 1 = 0"},
	{"verdicts", "AS SELECT * FROM verdicts WHERE 1 = 0"},
	{"observed", "(incident TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)"},
	{"removed", "(id TEXT NOT NULL)"},
	{"gone", "(starts_at BIGINT NOT NULL, fingerprint TEXT NOT NULL)"},
}

// moves move what is laid aside, in this order. What is replaced is removed first.
var moves = []string{
	"DELETE FROM incident_rests WHERE incident IN (SELECT id FROM next_removed)",
	"DELETE FROM incident_services WHERE incident IN (SELECT id FROM next_removed)",
	"DELETE FROM incident_aliases WHERE incident IN (SELECT id FROM next_removed)",
	"INSERT INTO incident_rests (incident, rest) SELECT incident, rest FROM next_incident_rests",
	"INSERT INTO incident_services (service, at, incident) SELECT DISTINCT service, at, incident FROM next_incident_services",
	"INSERT INTO incident_aliases (alias, incident) SELECT DISTINCT alias, incident FROM next_incident_aliases",
	"DELETE FROM verdicts WHERE (starts_at, fingerprint) IN (SELECT starts_at, fingerprint FROM next_gone)",
	// Without a condition SQLite takes what follows for a part of the selection.
	"INSERT INTO verdicts (starts_at, fingerprint, ends_at, outcome, body) SELECT starts_at, fingerprint, ends_at, outcome, body FROM next_verdicts WHERE 1 = 1" + replaceVerdict,
	"INSERT INTO observed (incident, body) SELECT incident, body FROM next_observed WHERE 1 = 1 ON CONFLICT (incident) DO UPDATE SET body = excluded.body",
}

// How much is laid aside in one transaction.
const (
	laidIncidents = 500
	laidRows      = 4096
)

// reset is what came of a pass with Reset so far.
type reset struct {
	token  int64
	part   int               // the newest
	stored map[string]string // the digests of the incidents that are stored, by ID
	told   map[string]bool   // the incidents that came, by ID
	last   verdictRow        // the last verdict that came
	conn   *sql.Conn         // holds what differs; nil while nothing does
	size   int               // how much differs
}

// errBrokeOff says that what was laid aside is lost.
var errBrokeOff = incident.Errorf(incident.CodeUnavailable, "the connection that held the parts of a pass broke off; it has to come again from the first")

// saveReset takes in a pass with Reset, or a part of one. saving is held.
func (s *Store) saveReset(ctx context.Context, p incident.Pass) error {
	err := s.takeReset(ctx, p)
	if errors.Is(err, errBrokeOff) && p.Part <= 1 {
		err = s.takeReset(ctx, p) // all of it is here
	}
	return err
}

func (s *Store) takeReset(ctx context.Context, p incident.Pass) (err error) {
	r := s.reset
	s.reset = nil // where a part fails, those before it are for nothing
	if p.Part <= 1 {
		if r, err = s.beginReset(ctx); err != nil {
			return err
		}
	} else if r == nil || p.Part != r.part+1 || p.Token != r.token {
		return incident.Errorf(incident.CodeConflict, "part %d of a pass without the parts before it", p.Part)
	}
	r.part, r.token = p.Part, p.Token
	for some := range slices.Chunk(p.Incidents, laidIncidents) {
		if err := s.layIncidents(ctx, r, some); err != nil {
			return err
		}
	}
	if err := s.layVerdicts(ctx, r, &p); err != nil {
		return err
	}
	for some := range slices.Chunk(p.Observed, laidRows) {
		rows, err := observedRows(some)
		if err != nil {
			return err
		}
		if err := s.lay(ctx, r, len(rows), func(x *session) error { return saveObserved(x, laid+"observed", rows) }); err != nil {
			return err
		}
	}
	if p.More {
		s.reset = r
		return nil
	}
	var removed []string
	for id := range r.stored {
		if !r.told[id] {
			removed = append(removed, id)
		}
	}
	for some := range slices.Chunk(removed, laidRows) {
		if err := s.lay(ctx, r, len(some), func(x *session) error { return layRemoved(x, some...) }); err != nil {
			return err
		}
	}
	return s.alone(ctx, 1, func(x *session) error { return r.finish(x, &p) })
}

// beginReset reads what all parts are compared with.
func (s *Store) beginReset(ctx context.Context) (*reset, error) {
	r := &reset{stored: map[string]string{}, told: map[string]bool{}}
	for x, err := range each(ctx, s, "compare", "SELECT id, digest FROM incidents", nil, func(r *sql.Rows) (x [2]string, err error) {
		err = r.Scan(&x[0], &x[1])
		return x, err
	}) {
		if err != nil {
			return nil, err
		}
		r.stored[x[0]] = x[1]
	}
	return r, nil
}

// lay lays n rows aside in a transaction of their own.
func (s *Store) lay(ctx context.Context, r *reset, n int, do func(*session) error) error {
	if n == 0 {
		return nil
	}
	r.size += n
	return s.alone(ctx, 1, func(x *session) error {
		if r.conn == nil {
			for _, t := range laidTables {
				// Those of a pass that never came to its end may be there.
				for _, statement := range []string{"DROP TABLE IF EXISTS " + laid + t.name, "CREATE TEMPORARY TABLE " + laid + t.name + " " + t.definition} {
					if _, err := x.conn.ExecContext(context.Background(), statement); err != nil {
						return err
					}
				}
			}
			r.conn = x.conn
		}
		if err := r.there(x); err != nil {
			return err
		}
		if err := do(x); err != nil {
			return err
		}
		return checkToken(x, r.token)
	})
}

// there says whether what was laid aside is still there.
func (r *reset) there(x *session) error {
	if r.conn != x.conn {
		return errBrokeOff
	}
	return nil
}

// layIncidents lays aside which of some incidents are new or changed.
func (s *Store) layIncidents(ctx context.Context, r *reset, list []incident.Incident) error {
	rows, err := incidentRows(list)
	if err != nil {
		return err
	}
	var replaced, again []string
	changed := rows[:0]
	for _, row := range rows {
		digest, stored := r.stored[row.ID]
		if !r.told[row.ID] && stored && digest == row.digest {
			r.told[row.ID] = true
			continue
		}
		if stored {
			replaced = append(replaced, row.ID)
		}
		if r.told[row.ID] { // of two the last counts
			again = append(again, row.ID)
			changed = slices.DeleteFunc(changed, func(c incidentRow) bool { return c.ID == row.ID })
		}
		r.told[row.ID] = true
		changed = append(changed, row)
	}
	return s.lay(ctx, r, len(changed), func(x *session) error {
		for _, id := range again {
			if _, err := removeIncident(x, laid, id); err != nil {
				return err
			}
		}
		for i := range changed {
			if err := changed[i].save(x, laid); err != nil {
				return err
			}
		}
		return layRemoved(x, replaced...)
	})
}

func layRemoved(x *session, ids ...string) error {
	for _, id := range ids {
		if _, err := x.exec("INSERT INTO next_removed (id) VALUES ($1)", id); err != nil {
			return err
		}
	}
	return nil
}

// layVerdicts lays aside which verdicts of a part are new or changed, and which of those stored that lie before its last one are
// gone; the last part has no end.
func (s *Store) layVerdicts(ctx context.Context, r *reset, p *incident.Pass) error {
	rows, err := verdictRows(p.Verdicts)
	if err != nil {
		return err
	}
	query, args := "SELECT starts_at, fingerprint, body FROM verdicts WHERE (starts_at, fingerprint) > ($1, $2)", []any{r.last.startsAt, r.last.fingerprint}
	if r.last.fingerprint == "" {
		query, args = "SELECT starts_at, fingerprint, body FROM verdicts WHERE 1 = 1", nil
	}
	if n := len(rows); n > 0 {
		if r.last.fingerprint != "" && rows[0].compare(r.last) <= 0 {
			return incident.Errorf(incident.CodeInvalid, "part %d of a pass: the episode of %s comes in or before the part before it", p.Part, rows[0].fingerprint)
		}
		r.last = rows[n-1]
		r.last.body = ""
	} else if p.More {
		return nil
	}
	if p.More {
		query += " AND (starts_at, fingerprint) <= " + []string{"($1, $2)", "($3, $4)"}[len(args)/2]
		args = append(args, r.last.startsAt, r.last.fingerprint)
	}
	var changed, gone []verdictRow
	flush := func(atLeast int) error {
		if len(changed)+len(gone) < atLeast {
			return nil
		}
		now, no := changed, gone
		changed, gone = nil, nil
		return s.lay(ctx, r, len(now)+len(no), func(x *session) error {
			for _, v := range no {
				if _, err := x.exec("INSERT INTO next_gone (starts_at, fingerprint) VALUES ($1, $2)", v.startsAt, v.fingerprint); err != nil {
					return err
				}
			}
			return saveVerdicts(x, laid+"verdicts", now, "")
		})
	}
	next := 0
	for old, err := range each(ctx, s, "compare", query+" ORDER BY starts_at, fingerprint", args, func(r *sql.Rows) (v verdictRow, err error) {
		err = r.Scan(&v.startsAt, &v.fingerprint, &v.body)
		return v, err
	}) {
		if err != nil {
			return err
		}
		for ; next < len(rows) && rows[next].compare(old) < 0; next++ {
			changed = append(changed, rows[next])
		}
		if next == len(rows) || rows[next].compare(old) > 0 {
			gone = append(gone, old)
		} else {
			if rows[next].body != old.body {
				changed = append(changed, rows[next])
			}
			next++
		}
		if err := flush(laidRows); err != nil {
			return err
		}
	}
	for ; next < len(rows); next++ {
		changed = append(changed, rows[next])
		if err := flush(laidRows); err != nil {
			return err
		}
	}
	return flush(1)
}

// finish makes the pass what is stored.
func (r *reset) finish(x *session, p *incident.Pass) error {
	var t touched
	added := int64(0)
	if r.conn != nil {
		err := r.there(x)
		if err == nil {
			err = r.touched(x, &t)
		}
		if err == nil {
			added, err = move(x)
		}
		if err != nil {
			return err
		}
		x.spent = true
	}
	return passed(x, p, added, &t)
}

// forget has the connection end with what was laid aside of a pass that will not come to its end; nil is of none.
func (r *reset) forget(x *session) {
	x.spent = r != nil && r.conn == x.conn
}

// touched tells what the pass touches.
func (r *reset) touched(x *session, t *touched) error {
	if t.Whole = r.size > maxTouched; t.Whole {
		return nil
	}
	keys := func(query string, into *[]string) error {
		return x.query(query, nil, func(row *sql.Rows) error {
			var key string
			err := row.Scan(&key)
			*into = append(*into, key)
			return err
		})
	}
	if err := keys("SELECT id FROM next_removed UNION SELECT id FROM next_incidents ORDER BY 1", &t.Incidents); err != nil {
		return err
	}
	if err := keys("SELECT incident FROM next_observed ORDER BY incident", &t.Ledger); err != nil {
		return err
	}
	return x.query("SELECT fingerprint, starts_at FROM next_verdicts UNION SELECT fingerprint, starts_at FROM next_gone ORDER BY 2, 1", nil, func(row *sql.Rows) error {
		var e touchedEpisode
		err := row.Scan(&e.Fingerprint, &e.StartsAt)
		t.Episodes = append(t.Episodes, e)
		return err
	})
}

// move moves what was laid aside to where it belongs, and says how many incidents that adds.
func move(x *session) (added int64, err error) {
	removed, err := x.exec("DELETE FROM incidents WHERE id IN (SELECT id FROM next_removed)")
	if err != nil {
		return 0, err
	}
	const columns = "id, at, state, severity, span_class, span_from, span_to, digest, head"
	added, err = x.exec("INSERT INTO incidents (" + columns + ") SELECT " + columns + " FROM next_incidents")
	for _, statement := range moves {
		if err == nil {
			_, err = x.exec(statement)
		}
	}
	return added - removed, err
}
