package sqlstore

import (
	"context"
	"crypto/sha256"
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
	observed  []observedRow
}

type incidentRow struct {
	*incident.Incident
	at                 int64
	from, to           time.Time
	digest, head, rest string
}

type observedRow struct{ incident, body string }

// Save implements store.Derived.
func (s *Store) Save(ctx context.Context, p incident.Pass) (err error) {
	defer s.done("save", s.now(), &err)
	s.saving.Lock() // between comparing with what is stored and writing the difference, nobody else saves
	defer s.saving.Unlock()
	if p.Reset {
		return s.saveReset(ctx, p)
	}
	rows := &pass{Pass: p}
	if rows.incidents, err = incidentRows(p.Incidents); err != nil {
		return err
	}
	if rows.verdicts, err = verdictRows(p.Verdicts); err != nil {
		return err
	}
	if rows.observed, err = observedRows(p.Observed); err != nil {
		return err
	}
	given := s.reset
	s.reset = nil
	return s.alone(ctx, 1, func(x *session) error {
		given.forget(x)
		return rows.save(x)
	})
}

func incidentRows(list []incident.Incident) (rows []incidentRow, err error) {
	rows = make([]incidentRow, len(list))
	for i := range list {
		if rows[i], err = newIncidentRow(&list[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func verdictRows(list []incident.Verdict) (rows []verdictRow, err error) {
	rows = make([]verdictRow, len(list))
	for i := range list {
		if rows[i], err = newVerdictRow(&list[i]); err != nil {
			return nil, err
		}
	}
	// One statement cannot write a row twice. Of two verdicts on one episode the last counts.
	slices.Reverse(rows)
	slices.SortStableFunc(rows, verdictRow.compare)
	return slices.CompactFunc(rows, func(a, b verdictRow) bool { return a.compare(b) == 0 }), nil
}

func observedRows(list []incident.Observed) ([]observedRow, error) {
	rows := make([]observedRow, len(list))
	for i := range list {
		if err := checkKey("incident of the ledger", list[i].Incident); err != nil {
			return nil, err
		}
		b, err := json.Marshal(&list[i])
		if err != nil {
			return nil, incident.Errorf(incident.CodeInvalid, "ledger of incident %s: %w", list[i].Incident, err)
		}
		rows[i] = observedRow{list[i].Incident, string(b)}
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

func (p *pass) save(s *session) error {
	t := touched{Incidents: slices.Clone(p.Removed)}
	added := int64(len(p.incidents))
	for _, id := range p.Removed {
		n, err := removeIncident(s, "", id)
		if err != nil {
			return err
		}
		added -= n
	}
	for _, k := range p.Gone {
		t.Episodes = append(t.Episodes, touchedEpisode{k.Fingerprint, nanos(k.StartsAt)})
		if _, err := s.exec("DELETE FROM verdicts WHERE starts_at = $1 AND fingerprint = $2", nanos(k.StartsAt), k.Fingerprint); err != nil {
			return err
		}
	}
	for i := range p.incidents {
		r := &p.incidents[i]
		t.Incidents = append(t.Incidents, r.ID)
		replaced, err := removeIncident(s, "", r.ID)
		if err != nil {
			return err
		}
		added -= replaced
		if err := r.save(s, ""); err != nil {
			return err
		}
	}
	for _, v := range p.verdicts {
		t.Episodes = append(t.Episodes, touchedEpisode{v.fingerprint, v.startsAt})
	}
	if err := saveVerdicts(s, "verdicts", p.verdicts, replaceVerdict); err != nil {
		return err
	}
	for _, o := range p.observed {
		t.Ledger = append(t.Ledger, o.incident)
	}
	if err := saveObserved(s, "observed", p.observed); err != nil {
		return err
	}
	return passed(s, &p.Pass, added, &t)
}

// passed writes down that a pass is stored, which added so many incidents and touched what t says.
func passed(s *session, p *incident.Pass, added int64, t *touched) error {
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
	if err := t.note(s, p.Cursor, number); err != nil {
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

func saveObserved(s *session, table string, rows []observedRow) error {
	for _, o := range rows {
		_, err := s.exec("INSERT INTO "+table+" (incident, body) VALUES ($1, $2) ON CONFLICT (incident) DO UPDATE SET body = excluded.body", o.incident, o.body)
		if err != nil {
			return err
		}
	}
	return nil
}

// removeIncident deletes an incident from the tables whose names begin so, and says how many, 0 or 1, there were.
func removeIncident(s *session, prefix, id string) (int64, error) {
	n, err := s.exec("DELETE FROM "+prefix+"incidents WHERE id = $1", id)
	if err != nil || n == 0 {
		return 0, err
	}
	for _, table := range incidentTables {
		if _, err := s.exec("DELETE FROM "+prefix+table+" WHERE incident = $1", id); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// incidentTables hold what belongs to an incident, besides its own.
var incidentTables = []string{"incident_rests", "incident_services", "incident_aliases"}

// save writes an incident that is not there to the tables whose names begin so.
func (r *incidentRow) save(s *session, prefix string) error {
	from, to := nanos(r.from), nanos(r.to)
	for _, k := range r.Records {
		var f, t int64
		found, err := s.get("SELECT span_from, span_to FROM records WHERE source = $1 AND id = $2", []any{k.Source, k.ID}, &f, &t)
		if err != nil {
			return err
		}
		if found {
			if from == 0 || f < from {
				from = f
			}
			to = max(to, t)
		}
	}
	_, err := s.exec("INSERT INTO "+prefix+"incidents (id, at, state, severity, span_class, span_from, span_to, digest, head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		r.ID, r.at, string(r.State), plainKey(r.Severity), spanClass(fromNanos(from), fromNanos(to)), from, to, r.digest, r.head)
	if err != nil {
		return err
	}
	if _, err := s.exec("INSERT INTO "+prefix+"incident_rests (incident, rest) VALUES ($1, $2)", r.ID, r.rest); err != nil {
		return err
	}
	for _, name := range r.Services {
		if _, err := s.exec("INSERT INTO "+prefix+"incident_services (service, at, incident) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", plainKey(name), r.at, r.ID); err != nil {
			return err
		}
	}
	for _, a := range r.Aliases {
		if _, err := s.exec("INSERT INTO "+prefix+"incident_aliases (alias, incident) VALUES ($1, $2) ON CONFLICT DO NOTHING", a, r.ID); err != nil {
			return err
		}
	}
	return nil
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
