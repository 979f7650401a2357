package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"meantime/incident"
)

// keptMutes is for how long mutes are kept after they were told, and mostMutes how many. A start is told within seconds of
// its mutes, and Alertmanager says them again at every flush.
const (
	keptMutes = time.Hour
	mostMutes = 50_000
)

// checkReach refuses what cannot be stored.
func checkReach(f *incident.Facts) error {
	for _, m := range f.Mutes {
		if err := checkKey("fingerprint of a mute", m.Fingerprint); err != nil {
			return err
		}
		if m.By != "" {
			if err := checkKey("silence of a mute", m.By); err != nil {
				return err
			}
		}
	}
	for _, l := range f.Lives {
		if l.From.IsZero() || l.To.Before(l.From) {
			return incident.Errorf(
				incident.CodeInvalid,
				"life from %s to %s: no stretch of time",
				l.From.UTC().Format(time.RFC3339),
				l.To.UTC().Format(time.RFC3339),
			)
		}
	}
	for _, s := range f.Senders {
		if err := checkKey("key of a sender", s.Key); err != nil {
			return err
		}
	}
	return nil
}

// Reach implements store.Facts.
func (s *Store) Reach(ctx context.Context) (lives []incident.Life, senders []incident.Sender, err error) {
	defer s.done("reach", s.now(), &err)
	lives, err = all(ctx, s, selectLives, nil, scanLife)
	if err != nil {
		return nil, nil, err
	}
	senders, err = all(
		ctx,
		s,
		"SELECT key, url, route, first_at FROM senders ORDER BY key",
		nil,
		func(r *sql.Rows) (x incident.Sender, err error) {
			var first int64
			err = r.Scan(&x.Key, &x.URL, &x.Route, &first)
			x.First = fromNanos(first)
			return x, err
		},
	)
	return lives, senders, err
}

const selectLives = "SELECT from_at, to_at FROM lives ORDER BY from_at"

func scanLife(r *sql.Rows) (l incident.Life, err error) {
	var from, to int64
	err = r.Scan(&from, &to)
	return incident.Life{From: fromNanos(from), To: fromNanos(to)}, err
}

// putReach stores lives and senders.
func (b *batch) putReach() error {
	var lives []incident.Life
	for _, f := range b.puts {
		for _, l := range f.Lives {
			lives = append(lives, incident.Life{From: l.From.UTC(), To: l.To.UTC()})
		}
	}
	if err := b.putLives(lives); err != nil {
		return err
	}
	b.senders = make(map[string]int64)
	for _, f := range b.puts {
		for _, s := range f.Senders {
			if err := b.putSender(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// putLives joins lives with those that are stored.
func (b *batch) putLives(lives []incident.Life) error {
	if len(lives) == 0 {
		return nil
	}
	var before []incident.Life
	err := b.session.query(selectLives, nil, func(r *sql.Rows) error {
		l, err := scanLife(r)
		before = append(before, l)
		return err
	})
	if err != nil {
		return err
	}
	after := incident.JoinLives(slices.Concat(before, lives))
	for _, l := range before {
		if !slices.ContainsFunc(after, func(x incident.Life) bool { return x.From.Equal(l.From) }) {
			if _, err := b.session.exec("DELETE FROM lives WHERE from_at = $1", nanos(l.From)); err != nil {
				return err
			}
		}
	}
	for _, l := range after {
		if slices.Contains(before, l) {
			continue
		}
		_, err := b.session.exec(
			"INSERT INTO lives (from_at, to_at) VALUES ($1, $2) ON CONFLICT (from_at) DO UPDATE SET to_at = excluded.to_at",
			nanos(l.From),
			nanos(l.To),
		)
		if err != nil {
			return err
		}
	}
	// That the last life went on, or that another began, says nothing of words that came before.
	n := len(before)
	if n == 0 ||
		len(after) >= n && slices.Equal(before[:n-1], after[:n-1]) && before[n-1].From.Equal(after[n-1].From) && len(after) <= n+1 {
		return nil
	}
	for _, l := range lives {
		b.feed = append(b.feed, incident.Change{Kind: incident.ChangeReach, Key: "lives", From: l.From, To: l.To})
	}
	return nil
}

// putSender stores a sender with the earlier time.
func (b *batch) putSender(s incident.Sender) error {
	first := nanos(s.First)
	known, ok := b.senders[s.Key]
	if !ok {
		var err error
		if ok, err = b.session.get("SELECT first_at FROM senders WHERE key = $1", []any{s.Key}, &known); err != nil {
			return err
		}
		if ok {
			b.senders[s.Key] = known
		}
	}
	if ok && known <= first {
		return nil
	}
	_, err := b.session.exec(
		"INSERT INTO senders (key, url, route, first_at) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO UPDATE SET first_at = excluded.first_at",
		s.Key,
		s.URL,
		s.Route,
		first,
	)
	if err != nil {
		return err
	}
	b.senders[s.Key] = first
	if ok {
		b.feed = append(b.feed, incident.Change{Kind: incident.ChangeReach, Key: s.Key, From: s.First.UTC(), To: fromNanos(known)})
		return nil
	}
	var count int
	if _, err := b.session.get("SELECT COUNT(*) FROM senders", nil, &count); err != nil || count <= incident.MaxSenders {
		return err
	}
	_, err = b.session.exec("DELETE FROM senders WHERE key = (SELECT key FROM senders ORDER BY first_at DESC, key DESC LIMIT 1)")
	clear(b.senders)
	return err
}

// placeMutes gives the mutes of the batch, and those kept, to the starts that they belong to, as far as these are known now.
func (b *batch) placeMutes() error {
	var told []incident.MutedAlert
	prints := map[string]bool{}
	var received time.Time
	for _, f := range b.puts {
		told = append(told, f.Mutes...)
		if len(f.Mutes) > 0 && f.received.After(received) {
			received = f.received
		}
	}
	for _, m := range told {
		prints[m.Fingerprint] = true
	}
	if len(told) == 0 {
		// A start that is new may be the one that kept mutes belong to.
		for _, row := range b.order {
			if !row.stored {
				prints[row.key.fingerprint] = true
			}
		}
		if len(prints) == 0 {
			return nil
		}
		var some int
		if found, err := b.session.get("SELECT 1 FROM mutes LIMIT 1", nil, &some); err != nil || !found {
			return err
		}
	}
	kept, err := b.keepMutes(told, slices.Sorted(maps.Keys(prints)), received)
	if err != nil || len(kept) == 0 {
		return err
	}
	sightings, err := b.sightingsOf(prints)
	if err != nil {
		return err
	}
	mutes := make([]incident.MutedAlert, len(kept))
	for i := range kept {
		mutes[i] = kept[i].MutedAlert
	}
	learned, placed := incident.PlaceMutes(sightings, mutes)
	for i := range learned {
		row := b.sightings[sightingKey{learned[i].Fingerprint, nanos(learned[i].StartsAt)}]
		if m := incident.Merge(*row.now, learned[i]); !incident.Equal(m, *row.now) {
			row.now, row.changed = &m, true
		}
	}
	known := map[string]bool{} // the alerts of which a mute was placed
	for i, k := range kept {
		if placed[i] {
			known[k.key()] = true
		}
		if placed[i] && !k.placed {
			const place = "UPDATE mutes SET placed = 1 WHERE fingerprint = $1 AND silence = $2 AND at = $3"
			if _, err := b.session.exec(place, k.Fingerprint, k.By, nanos(k.At)); err != nil {
				return err
			}
		}
	}
	for _, f := range b.puts {
		for i := range f.Mutes {
			k := keptMute{MutedAlert: f.Mutes[i]}
			f.receipt.Mutes[i] = known[k.key()]
		}
	}
	if len(told) == 0 {
		return nil
	}
	return b.forgetMutes(received)
}

// sightingsOf are all sightings of some alerts as the batch knows them. Those that it did not know yet it knows afterwards.
func (b *batch) sightingsOf(prints map[string]bool) (list []incident.Sighting, err error) {
	names := slices.Sorted(maps.Keys(prints))
	err = inChunks(len(names), func(from, size int) error {
		args := make([]any, size)
		for i, f := range names[from : from+size] {
			args[i] = f
		}
		return b.session.query(
			"SELECT fingerprint, starts_at, body FROM sightings WHERE fingerprint IN "+b.session.db.tuples(1, size),
			args,
			func(r *sql.Rows) error {
				x, err := scanSighting(r, nil)
				if err != nil {
					return err
				}
				k := sightingKey{x.Fingerprint, nanos(x.StartsAt)}
				if b.sightings[k] == nil {
					row := &sighting{key: k, now: &x, stored: true}
					row.from, row.to = x.Span()
					b.sightings[k] = row
					b.order = append(b.order, row)
				}
				return nil
			},
		)
	})
	for _, row := range b.order {
		if prints[row.key.fingerprint] {
			list = append(list, *row.now)
		}
	}
	return list, err
}

// forgetMutes forgets what is too old or too much, and tells of those that no alert was ever told for.
func (b *batch) forgetMutes(received time.Time) error {
	var lost int
	forget := func(where string, arg any) error {
		n, err := b.session.exec("DELETE FROM mutes WHERE placed = 0 AND "+where, arg)
		if err == nil {
			lost += int(n)
			_, err = b.session.exec("DELETE FROM mutes WHERE "+where, arg)
		}
		return err
	}
	if err := forget("received < $1", nanos(received.Add(-keptMutes))); err != nil {
		return err
	}
	var count int
	if _, err := b.session.get("SELECT COUNT(*) FROM mutes", nil, &count); err != nil {
		return err
	}
	if count > mostMutes {
		var newest int64 // of those that go
		const nth = "SELECT received FROM mutes ORDER BY received LIMIT 1 OFFSET $1"
		if _, err := b.session.get(nth, []any{count - mostMutes - 1}, &newest); err != nil {
			return err
		}
		if err := forget("received <= $1", newest); err != nil {
			return err
		}
	}
	for _, f := range b.puts {
		if len(f.Mutes) > 0 {
			f.receipt.MutesForgotten = lost
			break
		}
	}
	return nil
}

// keptMute is a mute as its row has it.
type keptMute struct {
	incident.MutedAlert
	placed bool
}

func (k *keptMute) key() string {
	return incident.EpisodeKey{Fingerprint: k.Fingerprint, StartsAt: k.At}.String() + k.By
}

// keepMutes stores the mutes that were told, forgets what is too old or too much, and gives all that are kept of some alerts.
func (b *batch) keepMutes(told []incident.MutedAlert, prints []string, received time.Time) (kept []keptMute, err error) {
	err = inChunks(len(told), func(from, size int) error {
		args := make([]any, 0, 5*size)
		for _, m := range told[from : from+size] {
			args = append(args, m.Fingerprint, m.By, nanos(m.At), nanos(received), 0)
		}
		_, err := b.session.exec("INSERT INTO mutes (fingerprint, silence, at, received, placed) VALUES "+b.session.db.tuples(size, 5)+
			" ON CONFLICT (fingerprint, silence, at) DO NOTHING", args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = inChunks(len(prints), func(from, size int) error {
		args := make([]any, size)
		for i, f := range prints[from : from+size] {
			args[i] = f
		}
		return b.session.query(
			"SELECT fingerprint, silence, at, placed FROM mutes WHERE fingerprint IN "+b.session.db.tuples(1, size),
			args,
			func(r *sql.Rows) error {
				var k keptMute
				var at int64
				var placed int
				err := r.Scan(&k.Fingerprint, &k.By, &at, &placed)
				k.At, k.placed = fromNanos(at), placed != 0
				kept = append(kept, k)
				return err
			},
		)
	})
	return kept, err
}
