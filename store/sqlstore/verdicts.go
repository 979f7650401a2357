package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/incident"
	"meantime/store"
)

// verdictRow is a verdict as it is stored: without what its sightings tell.
type verdictRow struct {
	startsAt    int64
	fingerprint string
	endsAt      int64 // math.MaxInt64 while it fires, so that it never counts as over
	outcome     string
	body        string
}

// compare orders rows by key.
func (v verdictRow) compare(o verdictRow) int {
	return cmp.Or(cmp.Compare(v.startsAt, o.startsAt), strings.Compare(v.fingerprint, o.fingerprint))
}

func newVerdictRow(v *incident.Verdict) (verdictRow, error) {
	e := &v.Episode
	if err := checkKey("fingerprint of an episode", e.Fingerprint); err != nil {
		return verdictRow{}, err
	}
	startsAt, ok := unixNanos(e.StartsAt)
	if !ok {
		return verdictRow{}, incident.Errorf(incident.CodeInvalid, "episode of %s: starts at %s, which is out of range", e.Fingerprint, e.StartsAt.UTC().Format(time.RFC3339))
	}
	row := verdictRow{startsAt: startsAt, fingerprint: e.Fingerprint, endsAt: math.MaxInt64, outcome: string(v.Outcome)}
	if !e.Firing() {
		row.endsAt = nanos(e.EndsAt)
	}
	last := e.StartsAt
	for _, t := range e.Starts {
		if t.After(last) {
			last = t
		}
	}
	// One column, because reading a row costs as much as its columns, and a start reads them all.
	b := append(appendString([]byte{'['}, e.Fingerprint), ',')
	b = append(appendTime(b, e.StartsAt), ',')
	b = append(appendTime(b, e.EndsAt), ',')
	b = append(appendString(b, string(e.End)), ',')
	b = append(strconv.AppendInt(b, int64(last.Sub(e.StartsAt)), 10), ',')
	for _, s := range []string{e.Name(), v.Service, v.Severity, string(v.Outcome)} {
		b = append(appendString(b, s), ',')
	}
	b = append(appendString(b, v.Incident), ',')
	b = append(strconv.AppendBool(b, v.Opens), ',')
	row.body = string(append(appendString(b, v.Why), ']'))
	return row, nil
}

// readVerdict reads a verdict's body; last is the start of its episode's last sighting.
func readVerdict(r *reader, names map[string]map[string]string) (v incident.Verdict, last time.Time, err error) {
	e := &v.Episode
	var span time.Duration
	field := 0
	for ok := r.open('['); ok && r.more(']'); field++ { //nolint:staticcheck // ok says whether there is a list at all
		switch field {
		case 0:
			e.Fingerprint = r.str()
		case 1:
			e.StartsAt = r.time()
		case 2:
			e.EndsAt = r.time()
		case 3:
			e.End = incident.EndKind(r.str())
		case 4:
			span = time.Duration(r.int())
		case 5:
			// Verdicts of one name share one map; nobody writes to it.
			name := r.str()
			if names[name] == nil {
				names[name] = map[string]string{"alertname": name}
			}
			e.Labels = names[name]
		case 6:
			v.Service = r.str()
		case 7:
			v.Severity = r.str()
		case 8:
			v.Outcome = incident.Outcome(r.str())
		case 9:
			v.Incident = r.str()
		case 10: // absent from what earlier versions wrote
			v.Opens = r.flag()
		case 11:
			v.Why = r.str()
		default:
			r.skip()
		}
	}
	if err := r.end(); err != nil {
		return v, last, fmt.Errorf("verdict of %s: %w", e.Key(), err)
	}
	return v, e.StartsAt.Add(span), nil
}

// replaceVerdict is what becomes of a verdict whose key is there.
const replaceVerdict = " ON CONFLICT (starts_at, fingerprint) DO UPDATE SET ends_at = excluded.ends_at, outcome = excluded.outcome, body = excluded.body"

func saveVerdicts(s *session, table string, rows []verdictRow, conflict string) error {
	return inChunks(len(rows), func(from, size int) error {
		args := make([]any, 0, 5*size)
		for _, v := range rows[from : from+size] {
			args = append(args, v.startsAt, v.fingerprint, v.endsAt, v.outcome, v.body)
		}
		_, err := s.exec("INSERT INTO "+table+" (starts_at, fingerprint, ends_at, outcome, body) VALUES "+s.db.tuples(size, 5)+conflict, args...)
		return err
	})
}

// EachVerdict implements store.Derived.
func (s *Store) EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error] {
	return s.eachVerdict(ctx, "each_verdict", "starts_at BETWEEN $1 AND $2", touchingArgs(from, to)[3:]...)
}

// Firing implements store.Derived.
func (s *Store) Firing(ctx context.Context) (list []incident.Verdict, err error) {
	for v, err := range s.eachVerdict(ctx, "firing", "ends_at = $1 ORDER BY starts_at, fingerprint", int64(math.MaxInt64)) {
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (s *Store) eachVerdict(ctx context.Context, what, where string, args ...any) iter.Seq2[incident.Verdict, error] {
	return func(yield func(incident.Verdict, error) bool) {
		seen, names := new(words), make(map[string]map[string]string)
		each(ctx, s, what, "SELECT body FROM verdicts WHERE "+where, args, func(r *sql.Rows) (incident.Verdict, error) {
			var body sql.RawBytes
			if err := r.Scan(&body); err != nil {
				return incident.Verdict{}, err
			}
			v, _, err := readVerdict(&reader{s: string(body), words: seen}, names)
			return v, err
		})(yield)
	}
}

// Verdicts implements store.Derived.
func (s *Store) Verdicts(ctx context.Context, q store.VerdictQuery) (page []incident.Verdict, next string, err error) {
	defer s.done("verdicts", s.now(), &err)
	w := where{}
	w.window("starts_at", q.From, q.To)
	if q.Outcome != "" {
		w.add("outcome = ?", string(q.Outcome))
	}
	if err := w.after(q.Cursor, "starts_at", "fingerprint"); err != nil {
		return nil, "", err
	}
	limit := atMost(q.Limit)
	names := make(map[string]map[string]string)
	query := "SELECT body FROM verdicts" + w.sql() + " ORDER BY starts_at DESC, fingerprint DESC LIMIT " + w.param(limit+1)
	rows, err := all(ctx, s, query, w.args, func(r *sql.Rows) (judged, error) { return scanJudged(r, names) })
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		last := &rows[limit-1].Episode
		next = cursor(nanos(last.StartsAt), last.Fingerprint)
	}
	if err := s.fill(ctx, rows); err != nil {
		return nil, "", err
	}
	for i := range rows {
		page = append(page, rows[i].Verdict)
	}
	return page, next, nil
}

func scanJudged(r *sql.Rows, names map[string]map[string]string) (v judged, err error) {
	var body string
	if err = r.Scan(&body); err == nil {
		v.Verdict, v.last, err = readVerdict(&reader{s: body}, names)
	}
	return v, err
}

// sightingsOfEpisode finds the sightings of an episode by fingerprint, first and last start, and those whose sender did
// not know the start, of which only some are within.
const sightingsOfEpisode = "SELECT fingerprint, starts_at, body FROM sightings WHERE fingerprint = $1 AND (starts_at BETWEEN $2 AND $3 OR starts_at = 0)"

// within says whether a sighting begins in [first, last]: at its start, or when it was first heard of.
func within(s incident.Sighting, first, last time.Time) bool {
	s.ConditionAt = time.Time{}
	begin, _ := s.Span()
	return !begin.Before(first) && !begin.After(last)
}

// fill completes the episodes of verdicts from their sightings.
func (s *Store) fill(ctx context.Context, rows []judged) error {
	lives, senders, err := s.Reach(ctx)
	if err != nil {
		return err
	}
	reach := incident.NewReach(lives, senders)
	return inChunks(len(rows), func(from, size int) error {
		args := make([]any, 0, 4*size)
		for i, v := range rows[from : from+size] {
			args = append(args, i, v.Episode.Fingerprint, nanos(v.Episode.StartsAt), nanos(v.last))
		}
		found := make([][]incident.Sighting, size)
		next := make([][]incident.Sighting, size) // that of the next start, before which an episode's mutes lie
		// As sightingsOfEpisode, for many.
		query := "WITH k (n, fingerprint, first, last) AS (VALUES " + s.db.tuples(size, 4, "BIGINT", "TEXT", "BIGINT", "BIGINT") + ") " +
			"SELECT k.n, s.fingerprint, s.starts_at, s.body FROM k CROSS JOIN sightings s WHERE s.fingerprint = k.fingerprint AND s.starts_at BETWEEN k.first AND k.last " +
			"UNION ALL SELECT k.n, s.fingerprint, s.starts_at, s.body FROM k CROSS JOIN sightings s WHERE s.fingerprint = k.fingerprint AND s.starts_at = 0 " +
			"UNION ALL SELECT k.n, s.fingerprint, s.starts_at, s.body FROM k CROSS JOIN sightings s WHERE s.fingerprint = k.fingerprint AND s.starts_at = " +
			"(SELECT MIN(starts_at) FROM sightings WHERE fingerprint = k.fingerprint AND starts_at > k.last)"
		_, err := all(ctx, s, query, args, func(r *sql.Rows) (none struct{}, err error) {
			var n int
			var fingerprint, body string
			var startsAt int64
			if err := r.Scan(&n, &fingerprint, &startsAt, &body); err != nil {
				return none, err
			}
			x, err := readSighting(fingerprint, startsAt, body, nil)
			switch v := &rows[from+n]; {
			case err != nil:
			case within(x, v.Episode.StartsAt, v.last):
				found[n] = append(found[n], x)
			case x.StartsAt.After(v.last):
				next[n] = append(next[n], x)
			}
			return none, err
		})
		for n, of := range found {
			if e := &rows[from+n].Episode; len(of) > 0 {
				// Silence and clock decide only about the end, which the verdict knows.
				whole := incident.Episodes(slices.Concat(of, next[n]), math.MaxInt64, rows[from+n].last)[0]
				whole.StartsAt, whole.EndsAt, whole.End = e.StartsAt, e.EndsAt, e.End
				reach.Judge(&whole)
				if e.End != incident.EndVanished {
					whole.EndReason = ""
				}
				*e = whole
			}
		}
		return err
	})
}
