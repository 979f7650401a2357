package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/store"
)

// pass is an incident.Pass in the form its rows have, made before the writer is asked to wait for it.
type pass struct {
	incident.Pass
	incidents []incidentRow
	verdicts  []verdictRow // in order of key, each once
	observed  []string     // bodies
}

type incidentRow struct {
	*incident.Incident
	at                 int64
	from, to           time.Time
	digest, head, rest string
}

// Save implements store.Derived.
func (s *Store) Save(ctx context.Context, p incident.Pass) (err error) {
	defer s.done("save", s.now(), &err)
	rows, err := passRows(p)
	if err != nil {
		return err
	}
	s.saving.Lock() // between comparing with what is stored and writing the difference, nobody else saves
	defer s.saving.Unlock()
	if p.Reset {
		if err := s.leaveUnchanged(ctx, rows); err != nil {
			return err
		}
	}
	return s.alone(ctx, 1, rows.save)
}

func passRows(p incident.Pass) (*pass, error) {
	rows := &pass{Pass: p, incidents: make([]incidentRow, len(p.Incidents)), observed: make([]string, len(p.Observed))}
	for i := range p.Incidents {
		row, err := newIncidentRow(&p.Incidents[i])
		if err != nil {
			return nil, err
		}
		rows.incidents[i] = row
	}
	for i := range p.Verdicts {
		v, err := newVerdictRow(&p.Verdicts[i])
		if err != nil {
			return nil, err
		}
		rows.verdicts = append(rows.verdicts, v)
	}
	// One statement cannot write a row twice. Of two verdicts on one episode the last counts.
	slices.Reverse(rows.verdicts)
	slices.SortStableFunc(rows.verdicts, verdictRow.compare)
	rows.verdicts = slices.CompactFunc(rows.verdicts, func(a, b verdictRow) bool { return a.compare(b) == 0 })
	for i := range p.Observed {
		if err := checkKey("incident of the ledger", p.Observed[i].Incident); err != nil {
			return nil, err
		}
		b, err := json.Marshal(&p.Observed[i])
		if err != nil {
			return nil, incident.Errorf(incident.CodeInvalid, "ledger of incident %s: %w", p.Observed[i].Incident, err)
		}
		rows.observed[i] = string(b)
	}
	return rows, nil
}

func newIncidentRow(x *incident.Incident) (incidentRow, error) {
	if err := checkKey("id of an incident", x.ID); err != nil {
		return incidentRow{}, err
	}
	for _, a := range x.Aliases {
		if err := checkKey("alias of incident "+x.ID, a); err != nil {
			return incidentRow{}, err
		}
	}
	for name, m := range x.Measurements {
		if m.Seconds != nil && (math.IsNaN(*m.Seconds) || math.IsInf(*m.Seconds, 0)) {
			return incidentRow{}, incident.Errorf(incident.CodeInvalid, "incident %s: %s is %v seconds", x.ID, name, *m.Seconds)
		}
	}
	rest, err := appendRest(x)
	if err != nil {
		return incidentRow{}, incident.Errorf(incident.CodeInvalid, "incident %s: %w", x.ID, err)
	}
	row := incidentRow{Incident: x, at: nanos(x.At()), head: string(appendHead(nil, x)), rest: string(rest)}
	h := sha256.New()
	_, _ = io.WriteString(h, row.head+"\n"+row.rest) // never fails
	row.digest = hex.EncodeToString(h.Sum(nil)[:12])
	row.from, row.to = x.Span() // its records' are added when it is stored
	return row, nil
}

// leaveUnchanged turns a pass that holds all there is into the difference to what is stored. After a restart there is
// hardly any, and writing everything again would keep facts waiting for many seconds.
func (s *Store) leaveUnchanged(ctx context.Context, p *pass) error {
	p.Reset, p.Removed, p.Gone = false, nil, nil
	stored := make(map[string]string)
	for x, err := range each(ctx, s, "compare", "SELECT id, digest FROM incidents", nil, func(r *sql.Rows) (x [2]string, err error) {
		err = r.Scan(&x[0], &x[1])
		return x, err
	}) {
		if err != nil {
			return err
		}
		stored[x[0]] = x[1]
	}
	now := make(map[string]bool, len(p.incidents))
	for i := range p.incidents {
		now[p.incidents[i].ID] = true
	}
	p.incidents = slices.DeleteFunc(p.incidents, func(r incidentRow) bool { return stored[r.ID] == r.digest })
	for id := range stored {
		if !now[id] {
			p.Removed = append(p.Removed, id)
		}
	}

	changed, next := p.verdicts[:0], 0
	for old, err := range each(ctx, s, "compare", "SELECT starts_at, fingerprint, body FROM verdicts ORDER BY starts_at, fingerprint", nil, func(r *sql.Rows) (v verdictRow, err error) {
		err = r.Scan(&v.startsAt, &v.fingerprint, &v.body)
		return v, err
	}) {
		if err != nil {
			return err
		}
		for next < len(p.verdicts) && p.verdicts[next].compare(old) < 0 {
			changed = append(changed, p.verdicts[next])
			next++
		}
		if next == len(p.verdicts) || p.verdicts[next].compare(old) > 0 {
			p.Gone = append(p.Gone, incident.EpisodeKey{Fingerprint: old.fingerprint, StartsAt: fromNanos(old.startsAt)})
			continue
		}
		if p.verdicts[next].body != old.body {
			changed = append(changed, p.verdicts[next])
		}
		next++
	}
	p.verdicts = append(changed, p.verdicts[next:]...)
	return nil
}

func (p *pass) save(s *session) error {
	added := int64(len(p.incidents))
	for _, id := range p.Removed {
		n, err := removeIncident(s, id)
		if err != nil {
			return err
		}
		added -= n
	}
	for _, k := range p.Gone {
		if _, err := s.exec("DELETE FROM verdicts WHERE starts_at = $1 AND fingerprint = $2", nanos(k.StartsAt), k.Fingerprint); err != nil {
			return err
		}
	}
	for i := range p.incidents {
		replaced, err := p.incidents[i].save(s)
		if err != nil {
			return err
		}
		added -= replaced
	}
	if err := saveVerdicts(s, p.verdicts); err != nil {
		return err
	}
	for i, o := range p.Observed {
		_, err := s.exec("INSERT INTO observed (incident, body) VALUES ($1, $2) ON CONFLICT (incident) DO UPDATE SET body = excluded.body", o.Incident, p.observed[i])
		if err != nil {
			return err
		}
	}
	blind := ""
	if len(p.Blind) > 0 {
		b, err := json.Marshal(p.Blind)
		if err != nil {
			return err
		}
		blind = string(b)
	}
	var number int64
	if _, err := s.get(`UPDATE progress SET cursor = $1, rules = $2, last_seq = CASE WHEN last_seq < $1 THEN $1 ELSE last_seq END,
		incidents = incidents + $3, passes = passes + 1, blind = $4 WHERE one = 1 RETURNING passes`, []any{p.Cursor, p.Rules, added, blind}, &number); err != nil {
		return err
	}
	if err := p.note(s, number); err != nil {
		return err
	}
	if _, err := s.exec("DELETE FROM feed WHERE seq <= $1", p.Cursor); err != nil {
		return err
	}
	if err := s.tellOthers(store.EventPass); err != nil {
		return err
	}
	return checkToken(s, p.Token)
}

// removeIncident deletes an incident and says how many, 0 or 1, there were.
func removeIncident(s *session, id string) (int64, error) {
	n, err := s.exec("DELETE FROM incidents WHERE id = $1", id)
	if err != nil || n == 0 {
		return 0, err
	}
	for _, table := range []string{"incident_rests", "incident_services", "incident_aliases"} {
		if _, err := s.exec("DELETE FROM "+table+" WHERE incident = $1", id); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// save writes an incident in the place of those with its ID, and says how many there were.
func (r *incidentRow) save(s *session) (replaced int64, err error) {
	if replaced, err = removeIncident(s, r.ID); err != nil {
		return 0, err
	}
	from, to := nanos(r.from), nanos(r.to)
	for _, k := range r.Records {
		var f, t int64
		found, err := s.get("SELECT span_from, span_to FROM records WHERE source = $1 AND id = $2", []any{k.Source, k.ID}, &f, &t)
		if err != nil {
			return 0, err
		}
		if found {
			if from == 0 || f < from {
				from = f
			}
			to = max(to, t)
		}
	}
	_, err = s.exec(`INSERT INTO incidents (id, at, state, severity, span_class, span_from, span_to, digest, head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.ID, r.at, string(r.State), plainKey(r.Severity), spanClass(fromNanos(from), fromNanos(to)), from, to, r.digest, r.head)
	if err != nil {
		return 0, err
	}
	if _, err := s.exec("INSERT INTO incident_rests (incident, rest) VALUES ($1, $2)", r.ID, r.rest); err != nil {
		return 0, err
	}
	for _, name := range r.Services {
		if _, err := s.exec("INSERT INTO incident_services (service, at, incident) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", plainKey(name), r.at, r.ID); err != nil {
			return 0, err
		}
	}
	for _, a := range r.Aliases {
		if _, err := s.exec("INSERT INTO incident_aliases (alias, incident) VALUES ($1, $2) ON CONFLICT DO NOTHING", a, r.ID); err != nil {
			return 0, err
		}
	}
	return replaced, nil
}

// plainKey is a service or a severity as it is searched by. A label can make one of any length and content.
func plainKey(name string) string {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", "\ufffd"), "\ufffd")
	if len(name) > maxKey {
		return strings.ToValidUTF8(name[:maxKey], "")
	}
	return name
}

// Position implements store.Derived.
func (s *Store) Position(ctx context.Context) (cursor int64, rules string, err error) {
	defer s.done("position", s.now(), &err)
	err = s.get(ctx, "SELECT cursor, rules FROM progress WHERE one = 1", nil, &cursor, &rules)
	return cursor, rules, s.explain(err)
}
