package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Sightings implements store.Facts.
func (s *Store) Sightings(ctx context.Context, from, to time.Time) (l []incident.Sighting, err error) {
	defer s.done("sightings", s.now(), &err)
	l, err = all(ctx, s, "SELECT fingerprint, starts_at, body FROM sightings WHERE "+touching, touchingArgs(from, to), sightingScanner())
	byKey(l)
	return l, err
}

// SightingsOf implements store.Facts.
func (s *Store) SightingsOf(ctx context.Context, fingerprints []string) (l []incident.Sighting, err error) {
	defer s.done("sightings_of", s.now(), &err)
	fingerprints = slices.Clone(fingerprints)
	slices.Sort(fingerprints)
	fingerprints = slices.Compact(fingerprints)
	scan := sightingScanner()
	err = inChunks(len(fingerprints), func(from, size int) error {
		args := make([]any, size)
		for i, f := range fingerprints[from : from+size] {
			args[i] = f
		}
		some, err := all(ctx, s, "SELECT fingerprint, starts_at, body FROM sightings WHERE fingerprint IN "+s.db.tuples(1, size), args, scan)
		l = append(l, some...)
		return err
	})
	byKey(l)
	return l, err
}

// sightingScanner reads rows. What it gives shares no memory with them, and texts that many alerts have are one.
func sightingScanner() func(*sql.Rows) (incident.Sighting, error) {
	seen := new(words)
	return func(r *sql.Rows) (incident.Sighting, error) { return scanSighting(r, seen) }
}

func scanSighting(r *sql.Rows, seen *words) (incident.Sighting, error) {
	var fingerprint, body string
	var startsAt int64
	if err := r.Scan(&fingerprint, &startsAt, &body); err != nil {
		return incident.Sighting{}, err
	}
	return readSighting(fingerprint, startsAt, body, seen)
}

func byKey(l []incident.Sighting) {
	slices.SortFunc(l, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
}

// Records implements store.Facts.
func (s *Store) Records(ctx context.Context, from, to time.Time) (_ []incident.Record, err error) {
	defer s.done("records", s.now(), &err)
	return all(ctx, s, "SELECT body FROM records WHERE withdrawn = 0 AND "+touching+" ORDER BY source, id", touchingArgs(from, to), scanBody[incident.Record])
}

// RecordPage implements store.Facts.
func (s *Store) RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) (_ []incident.Record, err error) {
	defer s.done("record_page", s.now(), &err)
	query, args := "SELECT body FROM records WHERE withdrawn = 0 AND (source, id) > ($1, $2)", []any{after.Source, after.ID}
	if source != "" {
		query, args = query+" AND source = $4", append(args, atMost(limit), source)
	} else {
		args = append(args, atMost(limit))
	}
	return all(ctx, s, query+" ORDER BY source, id LIMIT $3", args, scanBody[incident.Record])
}

// Record implements store.Facts.
func (s *Store) Record(ctx context.Context, k incident.RecordKey) (r incident.Record, err error) {
	defer s.done("record", s.now(), &err)
	var body string
	err = s.get(ctx, "SELECT body FROM records WHERE source = $1 AND id = $2", []any{k.Source, k.ID}, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return r, incident.Errorf(incident.CodeNotFound, "no record %s", k)
	}
	if err == nil {
		r, err = readRecord(body)
	}
	return r, s.explain(err)
}

// History implements store.Facts.
func (s *Store) History(ctx context.Context, k incident.RecordKey) (l []incident.Record, err error) {
	defer s.done("history", s.now(), &err)
	l, err = all(ctx, s, `SELECT body FROM records WHERE source = $1 AND id = $2
		UNION ALL SELECT body FROM record_history WHERE source = $1 AND id = $2`, []any{k.Source, k.ID}, scanBody[incident.Record])
	slices.SortFunc(l, func(a, b incident.Record) int {
		switch {
		case incident.Newer(&a, &b):
			return -1
		case incident.Newer(&b, &a):
			return 1
		}
		return 0
	})
	return l, err
}

// Reviews implements store.Facts.
func (s *Store) Reviews(ctx context.Context) (l []incident.Review, err error) {
	defer s.done("reviews", s.now(), &err)
	l, err = all(ctx, s, "SELECT body FROM reviews", nil, scanBody[incident.Review])
	slices.SortFunc(l, func(a, b incident.Review) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return l, err
}

// Marks implements store.Facts.
func (s *Store) Marks(ctx context.Context, source string) (_ []incident.Mark, err error) {
	defer s.done("marks", s.now(), &err)
	query := "SELECT source, name, value FROM marks WHERE source = $1 ORDER BY name"
	return all(ctx, s, query, []any{source}, func(r *sql.Rows) (m incident.Mark, err error) {
		return m, r.Scan(&m.Source, &m.Name, &m.Value)
	})
}

// Review implements store.Facts.
func (s *Store) Review(ctx context.Context, id string) (r incident.Review, err error) {
	defer s.done("review", s.now(), &err)
	found, err := all(ctx, s, "SELECT body FROM reviews WHERE id = $1", []any{id}, scanBody[incident.Review])
	switch {
	case err != nil:
		return r, err
	case len(found) == 0:
		return r, incident.Errorf(incident.CodeNotFound, "no review %s", id)
	}
	return found[0], nil
}

// Silences implements store.Facts.
func (s *Store) Silences(ctx context.Context, from, to time.Time) (_ []incident.Silence, err error) {
	defer s.done("silences", s.now(), &err)
	a := touchingArgs(from, to)
	return all(ctx, s, "SELECT body FROM silences WHERE ends_at >= $1 AND starts_at <= $2 ORDER BY id", a[3:], scanBody[incident.Silence])
}

// Beats implements store.Facts.
func (s *Store) Beats(ctx context.Context, from, to time.Time) (_ []incident.Beat, err error) {
	defer s.done("beats", s.now(), &err)
	a := touchingArgs(from, to)
	return all(ctx, s, "SELECT watchdog, at FROM beats WHERE at BETWEEN $1 AND $2 ORDER BY watchdog, at", a[3:], func(r *sql.Rows) (b incident.Beat, err error) {
		var at int64
		err = r.Scan(&b.Watchdog, &at)
		b.At = fromNanos(at)
		return b, err
	})
}

// scanBody reads a row that is one JSON body.
func scanBody[T any](r *sql.Rows) (v T, err error) {
	var body sql.RawBytes
	if err := r.Scan(&body); err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("%T: body: %w", v, err)
	}
	return v, nil
}
