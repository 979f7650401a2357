package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

// Extent implements store.Facts.
func (s *Store) Extent(ctx context.Context) (from, to time.Time, err error) {
	defer s.done("extent", s.now(), &err)
	for _, table := range []string{"sightings", "records"} {
		for class := range len(spanLengths) + 1 {
			var first, last sql.NullInt64
			err := s.get(ctx, fmt.Sprintf("SELECT MIN(span_from), MAX(span_from) FROM %s WHERE span_class = $1", table), []any{class}, &first, &last)
			if err != nil {
				return from, to, s.explain(err)
			}
			if !first.Valid {
				continue
			}
			end := fromNanos(last.Int64)
			if class < len(spanLengths) {
				end = end.Add(spanLengths[class])
			} else {
				// The longest are few: their ends are read.
				if err := s.get(ctx, fmt.Sprintf("SELECT MAX(span_to) FROM %s WHERE span_class = $1", table), []any{class}, &last); err != nil {
					return from, to, s.explain(err)
				}
				end = fromNanos(last.Int64)
			}
			from, to = joinSpans(from, to, fromNanos(first.Int64), end)
		}
	}
	return from, to, nil
}

// Began implements store.Facts.
func (s *Store) Began(ctx context.Context) (from time.Time, err error) {
	defer s.done("began", s.now(), &err)
	get := func(query string, args []any, into *sql.NullInt64) error { return s.get(ctx, query, args, into) }
	first, err := earliest(get, append(
		append(spanStarts("sightings WHERE"), spanStarts("records WHERE withdrawn = 0 AND")...),
		"SELECT MIN(from_at) FROM lives", "SELECT MIN(CAST(value AS BIGINT)) FROM marks WHERE source = '' AND name = 'began'",
	))
	if err != nil || !first.Valid {
		return time.Time{}, s.explain(err)
	}
	return fromNanos(first.Int64), nil
}

// spanStarts are queries of when the first of some facts begins, one for each class of their spans, as the index is.
func spanStarts(of string) (queries []string) {
	for class := range len(spanLengths) + 1 {
		queries = append(queries, fmt.Sprintf("SELECT MIN(span_from) FROM %s span_class = %d", of, class))
	}
	return queries
}

// earliest is the smallest of what the queries find.
func earliest(get func(query string, args []any, into *sql.NullInt64) error, queries []string) (first sql.NullInt64, err error) {
	for _, q := range queries {
		var at sql.NullInt64
		if err := get(q, nil, &at); err != nil {
			return first, err
		}
		if at.Valid && (!first.Valid || at.Int64 < first.Int64) {
			first = at
		}
	}
	return first, nil
}

// keepBegan keeps when the first sighting was, of which a store that loses the oldest ones would no longer tell.
func keepBegan(s *session) error {
	get := func(query string, args []any, into *sql.NullInt64) error {
		_, err := s.get(query, args, into)
		return err
	}
	first, err := earliest(get, spanStarts("sightings WHERE"))
	if err != nil || !first.Valid {
		return err
	}
	_, err = s.exec(`INSERT INTO marks (source, name, value) VALUES ('', 'began', $1) ON CONFLICT (source, name) DO UPDATE
		SET value = excluded.value WHERE CAST(excluded.value AS BIGINT) < CAST(marks.value AS BIGINT)`, strconv.FormatInt(first.Int64, 10))
	return err
}
