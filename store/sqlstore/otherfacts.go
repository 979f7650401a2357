package sqlstore

import (
	"encoding/json"
	"slices"
	"time"

	"meantime/incident"
)

// putReview stores a review, in the place of the one with its ID.
func (b *batch) putReview(next incident.Review) error {
	next.At, next.Time = next.At.UTC(), next.Time.UTC()
	text, err := body("review", next.ID, &next)
	if err != nil {
		return err
	}
	before, err := b.review(next.ID)
	if err != nil {
		return err
	}
	if before != nil {
		if old, err := body("review", next.ID, before); err != nil || old == text {
			return err
		}
	}
	_, err = b.session.exec("INSERT INTO reviews (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body", next.ID, text)
	if err != nil {
		return err
	}
	// The times that either version speaks of, each once.
	var told []time.Time
	for _, r := range []*incident.Review{before, &next} {
		if r == nil {
			continue
		}
		at, err := b.spokenOf(r)
		if err != nil {
			return err
		}
		if !slices.Contains(told, at) {
			told = append(told, at)
			b.feed = append(b.feed, incident.Change{Kind: incident.ChangeReview, Key: next.ID, From: at, To: at})
		}
	}
	return nil
}

// review is the stored review with that ID, nil where there is none.
func (b *batch) review(id string) (*incident.Review, error) {
	var text string
	found, err := b.session.get("SELECT body FROM reviews WHERE id = $1", []any{id}, &text)
	if err != nil || !found {
		return nil, err
	}
	r := &incident.Review{}
	return r, json.Unmarshal([]byte(text), r)
}

// spokenOf is the time that a review names, zero for none. A review that takes another back names what that one named.
func (b *batch) spokenOf(r *incident.Review) (time.Time, error) {
	switch {
	case r.Episode != nil:
		return r.Episode.StartsAt.UTC(), nil
	case !r.Time.IsZero():
		return r.Time.UTC(), nil
	case r.Action != incident.ReviewWithdraw:
		return time.Time{}, nil
	}
	other, err := b.review(r.Other)
	if err != nil || other == nil || other.Action == incident.ReviewWithdraw {
		return time.Time{}, err
	}
	return b.spokenOf(other)
}

// putSilence stores a silence. Of two with one ID the one updated later counts, with the earlier time of creation.
func (b *batch) putSilence(next incident.Silence) error {
	utcSilence(&next)
	text, err := body("silence", next.ID, &next)
	if err != nil {
		return err
	}
	var old string
	known, err := b.session.get("SELECT body FROM silences WHERE id = $1", []any{next.ID}, &old)
	if err != nil {
		return err
	}
	from, to := next.StartsAt, next.EndsAt
	if known {
		var before incident.Silence
		if err := json.Unmarshal([]byte(old), &before); err != nil {
			return err
		}
		next, text, err = mergeSilences(before, next)
		if err != nil || text == old {
			return err
		}
		from, to = joinSpans(next.StartsAt, next.EndsAt, before.StartsAt, before.EndsAt)
	}
	_, err = b.session.exec(`INSERT INTO silences (id, starts_at, ends_at, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, body = excluded.body`,
		next.ID, nanos(next.StartsAt), nanos(next.EndsAt), text)
	b.feed = append(b.feed, incident.Change{Kind: incident.ChangeSilence, Key: next.ID, From: from, To: to})
	return err
}

// mergeSilences is what two versions of a silence say together, with its body. It is commutative, associative and
// idempotent: of two updated at the same moment the one whose content sorts last counts.
func mergeSilences(a, b incident.Silence) (incident.Silence, string, error) {
	created, _ := joinSpans(a.CreatedAt, time.Time{}, b.CreatedAt, time.Time{})
	a.CreatedAt, b.CreatedAt = created, created
	textA, err := body("silence", a.ID, &a)
	if err != nil {
		return a, "", err
	}
	textB, err := body("silence", b.ID, &b)
	if c := a.UpdatedAt.Compare(b.UpdatedAt); c > 0 || c == 0 && textA > textB {
		return a, textA, err
	}
	return b, textB, err
}

func utcSilence(s *incident.Silence) {
	s.StartsAt, s.EndsAt = s.StartsAt.UTC(), s.EndsAt.UTC()
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
}

// putBeat stores a beat, to the second: more would cost a row for each Alertmanager of a pair.
func (b *batch) putBeat(next incident.Beat) error {
	at := next.At.UTC().Truncate(time.Second)
	n, err := b.session.exec("INSERT INTO beats (watchdog, at) VALUES ($1, $2) ON CONFLICT (watchdog, at) DO NOTHING", next.Watchdog, nanos(at))
	if n > 0 {
		b.feed = append(b.feed, incident.Change{Kind: incident.ChangeBeat, Key: next.Watchdog, From: at, To: at})
	}
	return err
}

// putMark stores a mark, or takes it away where it is empty.
func (b *batch) putMark(m incident.Mark) error {
	if m.Value == "" {
		_, err := b.session.exec("DELETE FROM marks WHERE source = $1 AND name = $2", m.Source, m.Name)
		return err
	}
	_, err := b.session.exec(`INSERT INTO marks (source, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (source, name) DO UPDATE SET value = excluded.value`, m.Source, m.Name, m.Value)
	return err
}
