package sqlstore

import (
	"database/sql"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/incident"
)

// facts are what one Put stores, checked and in the form they are stored in.
type facts struct {
	incident.Facts
	received time.Time
	keys     []sightingKey // of Sightings
	receipt  incident.Receipt
}

// sightingKey is the key of a sighting as its row has it.
type sightingKey struct {
	fingerprint string
	startsAt    int64
}

// checkFacts brings f into that form, without changing f, and refuses what cannot be stored, so that it cannot fail a transaction it shares with others.
func checkFacts(f incident.Facts, received time.Time) (*facts, error) {
	c := &facts{Facts: f, received: received.UTC().Round(0)}
	c.keys = make([]sightingKey, len(f.Sightings))
	for i := range f.Sightings {
		s := &f.Sightings[i]
		at, ok := unixNanos(s.StartsAt)
		if !ok {
			return nil, incident.Errorf(incident.CodeInvalid, "sighting of %q: starts at %s, which is out of range", s.Fingerprint, s.StartsAt.UTC().Format(time.RFC3339))
		}
		if err := checkKey("fingerprint of a sighting", s.Fingerprint); err != nil {
			return nil, err
		}
		c.keys[i] = sightingKey{s.Fingerprint, at}
		if !s.Settled() {
			if &c.Sightings[0] == &f.Sightings[0] {
				c.Sightings = slices.Clone(f.Sightings)
			}
			c.Sightings[i] = incident.Merge(*s, *s)
		}
	}
	c.Records = slices.Clone(f.Records)
	for i := range c.Records {
		r := &c.Records[i]
		if err := checkKey("source of a record", r.Source); err != nil {
			return nil, err
		}
		if err := checkKey("id of a record", r.ID); err != nil {
			return nil, err
		}
		r.Impacts = slices.Clone(r.Impacts)
		r.Normalize()
		if _, err := recordBody(r); err != nil {
			return nil, err
		}
	}
	for i := range f.Reviews {
		if err := checkKey("id of a review", f.Reviews[i].ID); err != nil {
			return nil, err
		}
		if _, err := body("review", f.Reviews[i].ID, &f.Reviews[i]); err != nil {
			return nil, err
		}
	}
	for i := range f.Silences {
		if err := checkKey("id of a silence", f.Silences[i].ID); err != nil {
			return nil, err
		}
		if _, err := body("silence", f.Silences[i].ID, &f.Silences[i]); err != nil {
			return nil, err
		}
	}
	for _, b := range f.Beats {
		if err := checkKey("watchdog of a beat", b.Watchdog); err != nil {
			return nil, err
		}
	}
	for _, m := range f.Marks {
		if err := checkKey("source of a mark", m.Source); err != nil {
			return nil, err
		}
		if err := checkKey("name of a mark", m.Name); err != nil {
			return nil, err
		}
		if m.Value != "" && !isText(m.Value) {
			return nil, incident.Errorf(incident.CodeInvalid, "mark %q of %q: not UTF-8 text", m.Name, m.Source)
		}
	}
	return c, checkReach(&f)
}

// maxKey is how long a key can be, in bytes: a row of an index of PostgreSQL holds 2700, and some have two.
const maxKey = 1024

// checkKey refuses what not every database can hold as text.
func checkKey(what, k string) error {
	if k == "" {
		return incident.Errorf(incident.CodeInvalid, "%s: missing", what)
	}
	if len(k) > maxKey {
		return incident.Errorf(incident.CodeInvalid, "%s: %d bytes are more than the %d allowed", what, len(k), maxKey)
	}
	if !isText(k) {
		return incident.Errorf(incident.CodeInvalid, "%s: not UTF-8 text: %q", what, k)
	}
	return nil
}

// isText says whether every database can hold a string as text.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// batch stores the facts of several Puts in one transaction. The sightings of all of them are read together, merged in
// memory in the order the Puts came in, and written together.
type batch struct {
	session   *session
	puts      []*facts
	sightings map[sightingKey]*sighting
	order     []*sighting
	feed      []incident.Change
	senders   map[string]int64 // those known by now, with when each was first heard of
	// added is how many rows there are more than before.
	added struct{ sightings, records int64 }
}

// sighting is a sighting's row on its way from and to the database.
type sighting struct {
	key      sightingKey
	now      *incident.Sighting // nil while nothing is known of it
	stored   bool               // there is a row
	changed  bool
	from, to time.Time // the span of the row
	body     string
}

func newBatch(s *session) *batch {
	return &batch{session: s, sightings: make(map[sightingKey]*sighting)}
}

func (b *batch) add(f *facts) {
	b.puts = append(b.puts, f)
	rows := make([]sighting, len(f.keys))
	for i, k := range f.keys {
		if b.sightings[k] == nil {
			rows[i].key = k
			b.sightings[k] = &rows[i]
			b.order = append(b.order, &rows[i])
		}
	}
}

// store does all of it. It may be called again after it failed.
func (b *batch) store() error {
	if err := b.readSightings(); err != nil {
		return err
	}
	for _, f := range b.puts {
		b.merge(f)
	}
	if err := b.placeMutes(); err != nil {
		return err
	}
	if err := b.writeSightings(); err != nil {
		return err
	}
	if err := b.putReach(); err != nil {
		return err
	}
	for _, f := range b.puts {
		if err := b.putRecords(f); err != nil {
			return err
		}
		for i := range f.Reviews {
			if err := b.putReview(f.Reviews[i]); err != nil {
				return err
			}
		}
		for i := range f.Silences {
			if err := b.putSilence(f.Silences[i]); err != nil {
				return err
			}
		}
		for i := range f.Beats {
			if err := b.putBeat(f.Beats[i]); err != nil {
				return err
			}
		}
		for i := range f.Marks {
			if err := b.putMark(f.Marks[i]); err != nil {
				return err
			}
		}
	}
	return b.writeFeed()
}

// merge brings a Put's sightings into the rows and says what each was.
func (b *batch) merge(f *facts) {
	kinds := make([]incident.MergeKind, len(f.Sightings))
	for i := range f.Sightings {
		next, row := &f.Sightings[i], b.sightings[f.keys[i]]
		kinds[i] = incident.KindOf(row.now, *next)
		if row.now == nil {
			row.now, row.changed = next, true
		} else if m := incident.Merge(*row.now, *next); !incident.Equal(m, *row.now) {
			row.now, row.changed = &m, true
		}
	}
	f.receipt = incident.Receipt{Sightings: kinds, Records: make([]bool, len(f.Records)), Mutes: make([]bool, len(f.Mutes))}
}

func (b *batch) readSightings() error {
	return inChunks(len(b.order), func(from, size int) error {
		args := make([]any, 0, 2*size)
		for _, row := range b.order[from : from+size] {
			args = append(args, row.key.fingerprint, row.key.startsAt)
		}
		query := "WITH k (fingerprint, starts_at) AS (VALUES " + b.session.db.tuples(size, 2, "TEXT", "BIGINT") + ") " +
			"SELECT s.fingerprint, s.starts_at, s.body FROM k CROSS JOIN sightings s WHERE s.fingerprint = k.fingerprint AND s.starts_at = k.starts_at"
		return b.session.query(query, args, func(r *sql.Rows) error {
			var k sightingKey
			var body string
			if err := r.Scan(&k.fingerprint, &k.startsAt, &body); err != nil {
				return err
			}
			s, err := readSighting(k.fingerprint, k.startsAt, body, nil)
			if err != nil {
				return err
			}
			row := b.sightings[k]
			row.now, row.stored = &s, true
			row.from, row.to = s.Span()
			return nil
		})
	})
}

func (b *batch) writeSightings() error {
	// A row whose place in the index of spans stays is written by a statement that does not touch that index.
	var stay, move []*sighting
	var text []byte
	for _, row := range b.order {
		if !row.changed {
			continue
		}
		text = appendSighting(text[:0], row.now)
		row.body = string(text)
		from, to := row.now.Span()
		c := incident.Change{Kind: incident.ChangeSighting, Key: row.key.fingerprint, From: from, To: to}
		if !row.stored {
			b.added.sightings++
			stay = append(stay, row)
		} else {
			if nanos(from) == nanos(row.from) && spanClass(from, to) == spanClass(row.from, row.to) {
				stay = append(stay, row)
			} else {
				move = append(move, row)
			}
			c.From, c.To = joinSpans(from, to, row.from, row.to)
		}
		b.feed = append(b.feed, c)
		row.from, row.to = from, to
	}
	if err := b.upsertSightings(stay, "span_to = excluded.span_to, body = excluded.body"); err != nil {
		return err
	}
	return b.upsertSightings(move, "span_class = excluded.span_class, span_from = excluded.span_from, span_to = excluded.span_to, body = excluded.body")
}

func (b *batch) upsertSightings(rows []*sighting, set string) error {
	return inChunks(len(rows), func(from, size int) error {
		args := make([]any, 0, 6*size)
		for _, row := range rows[from : from+size] {
			args = append(args, row.key.fingerprint, row.key.startsAt, spanClass(row.from, row.to), nanos(row.from), nanos(row.to), row.body)
		}
		_, err := b.session.exec("INSERT INTO sightings (fingerprint, starts_at, span_class, span_from, span_to, body) VALUES "+
			b.session.db.tuples(size, 6)+" ON CONFLICT (fingerprint, starts_at) DO UPDATE SET "+set, args...)
		return err
	})
}
