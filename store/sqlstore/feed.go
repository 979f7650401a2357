package sqlstore

import (
	"context"
	"fmt"
	"strconv"

	"meantime/incident"
	"meantime/store"
)

// feedRow is how many changes share one row of the feed.
const feedRow = 256

// writeFeed writes what the batch changed to the feed, and counts what it added.
func (b *batch) writeFeed() error {
	if len(b.feed) == 0 {
		return nil // nothing counts that did not before
	}
	var last int64
	_, err := b.session.get(`UPDATE progress SET last_seq = last_seq + $1, sightings = sightings + $2, records = records + $3
		WHERE one = 1 RETURNING last_seq`, []any{len(b.feed), b.added.sightings, b.added.records}, &last)
	if err != nil {
		return err
	}
	seq := last - int64(len(b.feed))
	for rest := b.feed; len(rest) > 0; {
		row := rest[:min(feedRow, len(rest))]
		rest = rest[len(row):]
		seq += int64(len(row))
		earliest := row[0].From
		for _, c := range row {
			if c.From.Before(earliest) {
				earliest = c.From
			}
		}
		_, err := b.session.exec("INSERT INTO feed (seq, entries, earliest, body) VALUES ($1, $2, $3, $4)",
			seq, len(row), nanos(earliest), string(appendChanges(nil, row)))
		if err != nil {
			return err
		}
	}
	return b.session.tellOthers(store.EventFacts)
}

// appendChanges writes changes as [[kind, key, from, to], ...]; their numbers follow from the row's.
func appendChanges(b []byte, changes []incident.Change) []byte {
	b = append(b, '[')
	for i, c := range changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(append(b, '['), string(c.Kind)), ',')
		b = append(appendString(b, c.Key), ',')
		b = append(strconv.AppendInt(b, nanos(c.From), 10), ',')
		b = append(strconv.AppendInt(b, nanos(c.To), 10), ']')
	}
	return append(b, ']')
}

// readChanges reads what appendChanges wrote; last is the number of the last.
func readChanges(last int64, body string) ([]incident.Change, error) {
	var all []incident.Change
	r := reader{s: body}
	for ok := r.open('['); ok && r.more(']'); {
		var c incident.Change
		field := 0
		for ok := r.open('['); ok && r.more(']'); field++ { //nolint:staticcheck // ok says whether there is a list at all
			switch field {
			case 0:
				c.Kind = incident.ChangeKind(r.str())
			case 1:
				c.Key = r.str()
			case 2:
				c.From = fromNanos(r.int())
			case 3:
				c.To = fromNanos(r.int())
			default:
				r.skip()
			}
		}
		all = append(all, c)
	}
	for i := range all {
		all[i].Seq = last - int64(len(all)-1-i)
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("feed up to %d: %w", last, err)
	}
	return all, nil
}

// Changes implements store.Facts.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (all []incident.Change, err error) {
	defer s.done("changes", s.now(), &err)
	limit = atMost(limit)
	rows, err := s.query(ctx, "SELECT seq, body FROM feed WHERE seq > $1 ORDER BY seq", after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for len(all) < limit && rows.Next() {
		var seq int64
		var body string
		if err := rows.Scan(&seq, &body); err != nil {
			return nil, s.explain(err)
		}
		changes, err := readChanges(seq, body)
		if err != nil {
			return nil, s.explain(err)
		}
		for _, c := range changes {
			if c.Seq > after && len(all) < limit {
				all = append(all, c)
			}
		}
	}
	return all, s.explain(rows.Err())
}
