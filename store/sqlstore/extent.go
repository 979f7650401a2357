package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"meantime/incident"
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
	earlier := func(query string, args ...any) error {
		var first sql.NullInt64
		if err := s.get(ctx, "SELECT MIN(t) FROM ("+query+") q", args, &first); err != nil {
			return s.explain(err)
		}
		if first.Valid {
			from = incident.Earliest(from, fromNanos(first.Int64))
		}
		return nil
	}
	for _, of := range []string{"sightings WHERE", "records WHERE withdrawn = 0 AND"} {
		for class := range len(spanLengths) + 1 {
			if err := earlier("SELECT span_from AS t FROM "+of+" span_class = $1 ORDER BY span_from LIMIT 1", class); err != nil {
				return time.Time{}, err
			}
		}
	}
	return from, earlier("SELECT MIN(from_at) AS t FROM lives")
}
