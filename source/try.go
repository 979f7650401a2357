package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"meantime/incident"
)

// Trial is what asking once shows.
type Trial struct {
	// From is how far back it was asked, Seen how many incidents were there; Rest says that there are more.
	From time.Time
	Seen int
	Rest bool
	// LeftOut are those that `only` or `private` leaves out.
	LeftOut int
	// Newest are the newest three as they would be stored.
	Newest []incident.Record
	// Refused are those that could not be taken, and why.
	Refused []string
	// Notes are what the connector says of the other side's settings.
	Notes []string
	// Took is how long it took.
	Took time.Duration
}

// trialBack are the stretches of time that are asked for, until there are enough incidents.
var trialBack = []time.Duration{7 * 24 * time.Hour, 30 * 24 * time.Hour, 180 * 24 * time.Hour}

// trialNewest is how many records are shown.
const trialNewest = 3

// Try asks once, stores nothing, and tells what it saw. The error says what is wrong, in the words of a Poll's.
func (p *Poller) Try(ctx context.Context) (*Trial, error) {
	began := time.Now()
	t := &Trial{}
	now := p.Now().UTC()
	for _, back := range trialBack {
		if span := p.traits.MadeSpan; span > 0 {
			back = min(back, span)
		}
		before := *t
		*t = Trial{From: now.Add(-back)}
		what := Made
		if p.traits.NoMade {
			what = Changed
		}
		page, err := p.Connector.Page(ctx, Ask{What: what, From: t.From, To: now, Heard: p.Heard})
		if errors.Is(err, errNoTime) && !before.From.IsZero() {
			*t = before // it may not be asked as soon again
			break
		}
		if err != nil {
			return nil, p.hinted(err)
		}
		if err := p.look(ctx, t, page.Items); err != nil {
			return nil, err
		}
		t.Rest = page.Next != "" || page.TooMany
		if len(t.Newest) >= trialNewest || t.Rest {
			break
		}
	}
	t.Cut()
	t.Notes = p.said()
	t.Took = time.Since(began)
	return t, nil
}

// Cut leaves the newest three of Newest.
func (t *Trial) Cut() {
	at := func(r *incident.Record) time.Time {
		latest := r.CreatedAt
		for _, m := range r.Milestones {
			if r.CreatedAt.IsZero() {
				latest = incident.Latest(latest, m.At)
			}
		}
		return latest
	}
	slices.SortStableFunc(t.Newest, func(a, b incident.Record) int { return at(&b).Compare(at(&a)) })
	t.Newest = t.Newest[:min(len(t.Newest), trialNewest)]
}

func (p *Poller) look(ctx context.Context, t *Trial, items []Item) error {
	for i := range items {
		t.Seen++
		records, err := p.recordsOf(ctx, &items[i])
		switch {
		case err != nil:
			t.Refused = append(t.Refused, fmt.Sprintf("%s: %s", cmp.Or(items[i].ID, fmt.Sprintf("incident %d of the answer", i+1)), shown(err)))
		case len(records) == 0:
			t.LeftOut++
		}
		t.Newest = append(t.Newest, records...)
	}
	return ctx.Err()
}
