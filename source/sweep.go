package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"meantime/incident"
)

const (
	sweepEvery = 24 * time.Hour
	// sweepBack is how far back it is looked for deleted incidents where no more of the past is read.
	sweepBack = 90 * 24 * time.Hour
	// sweepBrake: of this many stored records, most cannot be deleted from one day to the next.
	sweepBrake = 10
	sweepPage  = 500
	// sweepSpan is the length of one question where the vendor bounds none.
	sweepSpan = 30 * 24 * time.Hour
)

// sweepState is what is kept of the last sweep.
type sweepState struct {
	At time.Time `json:"at,omitzero"`
	// Missed are the records that it did not see.
	Missed []string `json:"missed,omitempty"`
}

// sweeping is a sweep under way. It is not kept over a restart: it then begins again.
type sweeping struct {
	began, from time.Time
	run         *reading
	to          time.Time // what was made before is not asked for yet
	ids         map[string]bool
}

// sweep lists the ids of all incidents once a day, in slices, and withdraws the records of those that two sweeps in a row did
// not see.
func (p *Poller) sweep(ctx, inner context.Context) error {
	if !p.traits.Vanishes || p.Now().Sub(p.state.sweep.At) < sweepEvery {
		return nil
	}
	p.moved = false // what was read before is stored
	w := p.sweeping
	if w == nil {
		now := p.Now().UTC()
		w = &sweeping{began: now, from: now.Add(-max(p.Backfill, sweepBack)), to: now, ids: map[string]bool{}}
		p.sweeping = w
	}
	for w.to.After(w.from) {
		if inner.Err() != nil {
			return &Again{}
		}
		if w.run == nil {
			span := sweepSpan
			if p.traits.MadeSpan > 0 {
				span = min(span, p.traits.MadeSpan)
			}
			from := w.to.Add(-span)
			if from.Before(w.from) || p.traits.NoMade {
				from = w.from
			}
			w.run = &reading{From: from, To: w.to}
		}
		r, tooMany, what := w.run, false, Listed
		if p.traits.NoChanged {
			what = Made
		}
		_, err := p.pages(ctx, inner, what, r, func(items []Item, page *Page) error {
			tooMany = page.TooMany && r.To.Sub(r.From) > leastWindow
			for i := range items {
				p.note(ctx, w.ids, &items[i])
			}
			p.moved = true
			if p.traits.NoChanged {
				return p.again(ctx, items)
			}
			return nil
		})
		switch {
		case err != nil:
			if !cutShort(ctx, err) {
				p.sweeping = nil
			}
			return err
		case tooMany:
			w.run = &reading{From: r.From.Add(r.To.Sub(r.From) / 2), To: r.To}
		case r.Next == "":
			w.to, w.run = r.From, nil
		}
	}
	p.sweeping = nil
	return p.withdraw(ctx, w)
}

// cutShort says that a poll ended before its work did, and that nothing is wrong with what was asked: the next one goes on there.
func cutShort(ctx context.Context, err error) bool {
	var s *StatusError
	return ctx.Err() != nil || errors.Is(err, errNoTime) || (errors.As(err, &s) && s.Limited)
}

// again stores what is said now of those items of which something is stored. The others were not to be read.
func (p *Poller) again(ctx context.Context, items []Item) error {
	known := slices.DeleteFunc(slices.Clone(items), func(it Item) bool {
		_, err := p.Store.Record(ctx, incident.RecordKey{Source: p.Name(), ID: it.ID})
		return incident.CodeOf(err) == incident.CodeNotFound
	})
	return p.store(ctx, known)
}

// note remembers the ids of an item.
func (p *Poller) note(ctx context.Context, ids map[string]bool, it *Item) {
	if it.Gone {
		return
	}
	if it.ID != "" {
		ids[it.ID] = true
		return
	}
	records, err := p.recordsOf(ctx, it)
	if err != nil {
		return
	}
	for i := range records {
		ids[records[i].ID] = true
	}
}

// withdraw compares what a sweep saw with what is stored.
func (p *Poller) withdraw(ctx context.Context, w *sweeping) error {
	stored, missed := 0, []string{}
	var after incident.RecordKey
	for {
		page, err := p.Store.RecordPage(ctx, p.Name(), after, sweepPage)
		if err != nil {
			return fmt.Errorf("list stored records: %w", err)
		}
		for i := range page {
			r := &page[i]
			if r.CreatedAt.IsZero() || r.CreatedAt.Before(w.from.Add(time.Hour)) || r.CreatedAt.After(w.began.Add(-time.Hour)) {
				continue // whether it should have been seen is not certain
			}
			if stored++; !w.ids[r.ID] {
				missed = append(missed, r.ID)
			}
		}
		if len(page) < sweepPage {
			break
		}
		after = page[len(page)-1].Key()
	}
	late := func() { p.state.sweep.At = w.began }
	if stored > 0 && (len(w.ids) == 0 || (stored >= sweepBrake && 2*len(missed) > stored)) {
		if err := p.store(ctx, nil, late); err != nil {
			return err
		}
		return fmt.Errorf("%d of %d stored incidents are listed no more; so many are not deleted in a day, so none is withdrawn: "+
			"may the token still read all of them?", len(missed), stored)
	}
	before := map[string]bool{}
	for _, id := range p.state.sweep.Missed {
		before[id] = true
	}
	var gone []Item
	left := map[string]bool{}
	for _, id := range missed {
		if before[id] {
			gone = append(gone, Item{ID: id, Gone: true})
		} else {
			left[id] = true
		}
	}
	if len(gone) > 0 {
		p.log.Info("Incidents are listed no more, their records are withdrawn", "records", len(gone))
	}
	return p.store(ctx, gone, func() {
		late()
		p.state.sweep.Missed = slices.Sorted(maps.Keys(left))
	})
}
