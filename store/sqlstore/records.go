package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"meantime/incident"
)

// body is the JSON of a fact.
func body(kind, id string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", incident.Errorf(incident.CodeInvalid, "%s %q: %w", kind, id, err)
	}
	return string(b), nil
}

func recordBody(r *incident.Record) (string, error) { return body("record", r.Key().String(), r) }

func readRecord(body string) (r incident.Record, err error) {
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("record: body: %w", err)
	}
	return r, nil
}

func (b *batch) putRecords(f *facts) error {
	for i := range f.Records {
		changed, err := b.putRecord(f.Records[i], f.received)
		if err != nil {
			return err
		}
		f.receipt.Records[i] = changed
	}
	return nil
}

// putRecord stores one version of a record and says whether it changed what counts.
func (b *batch) putRecord(next incident.Record, received time.Time) (bool, error) {
	var text string
	known, err := b.session.get("SELECT body FROM records WHERE source = $1 AND id = $2", []any{next.Source, next.ID}, &text)
	if err != nil {
		return false, err
	}
	var counts incident.Record
	if known {
		if counts, err = readRecord(text); err != nil {
			return false, err
		}
		same, told := incident.Same(&counts, &next), !next.UpdatedAt.IsZero()
		if same && !(told && next.UpdatedAt.After(counts.UpdatedAt)) {
			return false, nil
		}
		if !told {
			if next.UpdatedAt = received; !received.After(counts.UpdatedAt) {
				next.UpdatedAt = counts.UpdatedAt.Add(time.Nanosecond)
			}
		}
		if !incident.Newer(&next, &counts) {
			return false, b.keepVersion(&next)
		}
		if !same {
			if err := b.keepVersion(&counts); err != nil {
				return false, err
			}
		}
	} else {
		b.added.records++
		if next.UpdatedAt.IsZero() {
			next.UpdatedAt = received
		}
	}
	if text, err = recordBody(&next); err != nil {
		return false, err
	}
	from, to := next.Span()
	_, err = b.session.exec(`INSERT INTO records (source, id, withdrawn, span_class, span_from, span_to, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (source, id) DO UPDATE SET withdrawn = excluded.withdrawn, span_class = excluded.span_class,
		span_from = excluded.span_from, span_to = excluded.span_to, body = excluded.body`,
		next.Source, next.ID, number(next.Withdrawn), spanClass(from, to), nanos(from), nanos(to), text)
	if err != nil {
		return false, err
	}
	if known {
		before, after := counts.Span()
		switch {
		case counts.Withdrawn && !next.Withdrawn: // a withdrawn record spoke of nothing
		case next.Withdrawn && !counts.Withdrawn:
			from, to = before, after
		default:
			from, to = joinSpans(from, to, before, after)
		}
	}
	b.feed = append(b.feed, incident.Change{Kind: incident.ChangeRecord, Key: next.Key().String(), From: from, To: to})
	return true, nil
}

// keepVersion keeps a version of a record that does not count. One that is kept already is not kept twice.
func (b *batch) keepVersion(r *incident.Record) error {
	text, err := recordBody(r)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text))
	_, err = b.session.exec(`INSERT INTO record_history (source, id, updated_at, digest, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (source, id, updated_at, digest) DO NOTHING`, r.Source, r.ID, nanos(r.UpdatedAt), hex.EncodeToString(sum[:8]), text)
	return err
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
