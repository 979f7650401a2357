package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"meantime/incident"
	"meantime/store"
)

const (
	// keepPasses is for how many passes it is kept what they touched.
	keepPasses = 64
	// maxTouched is how much a pass may touch for that to be told in parts.
	maxTouched = 5000
)

// touched is what a pass touched, as its row has it: keys alone, for who follows wants what is there now.
type touched struct {
	Whole     bool                 `json:"whole,omitempty"`
	Incidents []string             `json:"incidents,omitempty"`
	Episodes  []touchedEpisode     `json:"episodes,omitempty"`
	Ledger    []string             `json:"ledger,omitempty"`
	Records   []incident.RecordKey `json:"records,omitempty"`
	Beats     map[string]int64     `json:"beats,omitempty"` // the newest of each watchdog
}

type touchedEpisode struct {
	Fingerprint string `json:"f"`
	StartsAt    int64  `json:"s"`
}

// size is how much it is.
func (t *touched) size() int {
	return len(t.Incidents) + len(t.Episodes) + len(t.Ledger) + len(t.Records)
}

// note writes down what a pass up to a cursor touched, and under which number. It comes before the feed is forgotten, which
// tells of the records and beats.
func (t *touched) note(s *session, cursor, number int64) error {
	t.Beats = map[string]int64{}
	read := func(r *sql.Rows) error {
		var seq int64
		var body string
		if err := r.Scan(&seq, &body); err != nil {
			return err
		}
		changes, err := readChanges(seq, body)
		for _, c := range changes {
			switch c.Kind {
			case incident.ChangeRecord:
				source, id, _ := strings.Cut(c.Key, "/")
				t.Records = append(t.Records, incident.RecordKey{Source: source, ID: id})
			case incident.ChangeBeat:
				newest(t.Beats, c.Key, nanos(c.From))
			}
		}
		return err
	}
	if !t.Whole && t.size() <= maxTouched {
		if err := s.query(`SELECT seq, body FROM feed WHERE seq <= $1 AND (body LIKE '%["record"%' OR body LIKE '%["beat"%')`, []any{cursor}, read); err != nil {
			return err
		}
	}
	if t.Whole || t.size() > maxTouched {
		*t = touched{Whole: true}
	}
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if _, err := s.exec("INSERT INTO passes (number, body) VALUES ($1, $2)", number, string(body)); err != nil {
		return err
	}
	_, err = s.exec("DELETE FROM passes WHERE number <= $1", number-keepPasses)
	return err
}

// newest keeps the later of two times of a name.
func newest(of map[string]int64, name string, at int64) {
	if was, ok := of[name]; !ok || at > was {
		of[name] = at
	}
}

// Follow implements store.Derived.
func (s *Store) Follow(ctx context.Context, after int64) (out incident.Saved, err error) {
	defer s.done("follow", s.now(), &err)
	// One statement, so that the passes and their newest number are of one moment.
	type row struct {
		newest int64
		blind  string
		number sql.NullInt64
		body   sql.NullString
	}
	rows, err := all(ctx, s, "SELECT p.passes, p.blind, q.number, q.body FROM progress p LEFT JOIN passes q ON q.number > $1 WHERE p.one = 1 ORDER BY q.number",
		[]any{after}, func(r *sql.Rows) (x row, err error) {
			err = r.Scan(&x.newest, &x.blind, &x.number, &x.body)
			return x, err
		})
	if err != nil || len(rows) == 0 {
		return out, err
	}
	out.Number = rows[0].newest
	if rows[0].blind != "" {
		if err := json.Unmarshal([]byte(rows[0].blind), &out.Blind); err != nil {
			return out, fmt.Errorf("silence of watchdogs: %w", err)
		}
	}
	if after == out.Number {
		return out, nil
	}
	incidents, episodes, ledger := map[string]bool{}, map[touchedEpisode]bool{}, map[string]bool{}
	records, beats := map[incident.RecordKey]bool{}, map[string]int64{}
	for i, r := range rows {
		if !r.number.Valid || r.number.Int64 != after+int64(i)+1 {
			out.Whole = true
			return out, nil
		}
		var t touched
		if err := json.Unmarshal([]byte(r.body.String), &t); err != nil {
			return out, fmt.Errorf("pass %d: %w", r.number.Int64, err)
		}
		for _, id := range t.Incidents {
			incidents[id] = true
		}
		for _, e := range t.Episodes {
			episodes[e] = true
		}
		for _, id := range t.Ledger {
			ledger[id] = true
		}
		for _, k := range t.Records {
			records[k] = true
		}
		for name, at := range t.Beats {
			newest(beats, name, at)
		}
		if out.Whole = t.Whole || len(incidents)+len(episodes)+len(ledger)+len(records) > 4*maxTouched; out.Whole {
			return out, nil
		}
	}
	out.Records = slices.SortedFunc(maps.Keys(records), func(a, b incident.RecordKey) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range slices.Sorted(maps.Keys(beats)) {
		out.Beats = append(out.Beats, incident.Beat{Watchdog: name, At: fromNanos(beats[name])})
	}
	return out, s.readTouched(ctx, &out, incidents, episodes, ledger)
}

// readTouched reads what is there now of what was touched; the rest is no more.
func (s *Store) readTouched(ctx context.Context, out *incident.Saved, incidents map[string]bool, episodes map[touchedEpisode]bool, ledger map[string]bool) error {
	seen, names := new(words), make(map[string]map[string]string)
	err := readKeys(ctx, s, "SELECT id, head FROM incidents WHERE id IN", slices.Sorted(maps.Keys(incidents)), func(r *sql.Rows) error {
		var id, head string
		if err := r.Scan(&id, &head); err != nil {
			return err
		}
		i, err := readHead(id, head, seen)
		out.Incidents = append(out.Incidents, i)
		delete(incidents, id)
		return err
	})
	if err != nil {
		return err
	}
	out.Removed = slices.Sorted(maps.Keys(incidents))
	keys := slices.Collect(maps.Keys(episodes))
	err = inChunks(len(keys), func(from, size int) error {
		args := make([]any, 0, 2*size)
		for _, k := range keys[from : from+size] {
			args = append(args, k.StartsAt, k.Fingerprint)
		}
		return eachOf(ctx, s, "WITH k (starts_at, fingerprint) AS (VALUES "+s.db.tuples(size, 2, "BIGINT", "TEXT")+") "+
			"SELECT v.body FROM k CROSS JOIN verdicts v WHERE v.starts_at = k.starts_at AND v.fingerprint = k.fingerprint", args, func(r *sql.Rows) error {
			var body string
			if err := r.Scan(&body); err != nil {
				return err
			}
			v, _, err := readVerdict(&reader{s: body, words: seen}, names)
			out.Verdicts = append(out.Verdicts, v)
			delete(episodes, touchedEpisode{v.Episode.Fingerprint, nanos(v.Episode.StartsAt)})
			return err
		})
	})
	if err != nil {
		return err
	}
	for k := range episodes {
		out.Gone = append(out.Gone, incident.EpisodeKey{Fingerprint: k.Fingerprint, StartsAt: fromNanos(k.StartsAt)})
	}
	slices.SortFunc(out.Gone, incident.EpisodeKey.Compare)
	slices.SortFunc(out.Verdicts, func(a, b incident.Verdict) int { return a.Episode.Key().Compare(b.Episode.Key()) })
	return readKeys(ctx, s, "SELECT body FROM observed WHERE incident IN", slices.Sorted(maps.Keys(ledger)), func(r *sql.Rows) error {
		o, err := scanBody[incident.Observed](r)
		out.Observed = append(out.Observed, o)
		return err
	})
}

// readKeys calls row for each row of a query that ends in a list of keys.
func readKeys(ctx context.Context, s *Store, query string, keys []string, row func(*sql.Rows) error) error {
	return inChunks(len(keys), func(from, size int) error {
		args := make([]any, 0, size)
		for _, k := range keys[from : from+size] {
			args = append(args, k)
		}
		return eachOf(ctx, s, query+" (VALUES "+s.db.tuples(size, 1, "TEXT")+")", args, row)
	})
}

func eachOf(ctx context.Context, s *Store, query string, args []any, row func(*sql.Rows) error) error {
	rows, err := s.query(ctx, query, args...)
	if err != nil {
		return err
	}
	return s.explain(eachRow(rows, row))
}

var _ store.Shared = (*Store)(nil)
