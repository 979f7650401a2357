package source

import (
	"context"
	"fmt"
	"time"
)

// pastState is how far the past is read, newest first.
type pastState struct {
	// DoneTo: what was made at or after it is read.
	DoneTo time.Time     `json:"done_to,omitzero"`
	Span   time.Duration `json:"span,omitempty"`  // how long the next window is
	Items  int           `json:"items,omitempty"` // incidents read so far
	Run    *reading      `json:"run,omitempty"`
}

// firstSpan is the length of the first window.
const firstSpan = 24 * time.Hour

// pastFrom is where reading the past ends.
func (p *Poller) pastFrom() time.Time { return p.Now().UTC().Add(-p.Backfill).Truncate(24 * time.Hour) }

// past reads a slice of the past, and says whether all of it is read.
func (p *Poller) past(ctx, inner context.Context) (done bool, err error) {
	if p.Backfill <= 0 || p.traits.NoMade {
		return true, nil
	}
	from := p.pastFrom()
	p.anew = true
	defer func() { p.anew = false }()
	for {
		s := &p.state.past
		if s.Run == nil && !s.DoneTo.After(from) {
			return true, nil
		}
		if p.since.IsZero() {
			p.since, p.behind = p.Now(), s.DoneTo.Sub(from)
			p.log.Info("Reads incidents of the past", "from", from, "to", s.DoneTo)
		}
		if inner.Err() != nil {
			return false, nil
		}
		if s.Run == nil {
			span := s.Span
			if span == 0 {
				span = firstSpan
			}
			if most := p.traits.MadeSpan; most > 0 {
				span = min(span, most)
			}
			begin := s.DoneTo.Add(-span)
			if begin.Before(from) {
				begin = from
			}
			s.Run = &reading{From: begin, To: s.DoneTo}
		}
		r, tooMany := s.Run, false
		_, err := p.pages(ctx, inner, Made, r, func(items []Item, page *Page) error {
			if err := asked(r, items); err != nil {
				return err
			}
			if tooMany = page.TooMany && r.To.Sub(r.From) > leastWindow; tooMany {
				return p.store(ctx, nil, func() { s.Span, s.Run = r.To.Sub(r.From)/2, nil })
			}
			return p.store(ctx, items, func() {
				s.Items += len(items)
				if r.Next == "" {
					s.DoneTo, s.Run, s.Span = r.From, nil, nextSpan(r)
				}
			})
		})
		if err != nil {
			return false, err
		}
		p.show()
		if !tooMany && s.Run == nil && !s.DoneTo.After(from) {
			p.log.Info("Past is read", "incidents", s.Items, "from", from, "took", p.Now().Sub(p.since).Round(time.Second))
		}
	}
}

// asked says that a page of the past was of another time than it was asked for: then nothing is known of that time.
func asked(r *reading, items []Item) error {
	for i := range items {
		at := items[i].Made
		if at.IsZero() || !at.Before(r.From.Add(-madeSlack)) && !at.After(r.To.Add(madeSlack)) {
			return nil
		}
	}
	if len(items) == 0 {
		return nil
	}
	return fmt.Errorf("asked for incidents made from %s to %s, it gave %d made at other times, the first at %s",
		r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), len(items), items[0].Made.Format(time.RFC3339))
}

// madeSlack is how far a vendor may round times.
const madeSlack = time.Minute

// nextSpan is the length of the window after one: longer where it held little.
func nextSpan(r *reading) time.Duration {
	span := r.To.Sub(r.From)
	if r.Items < fewItems {
		return 2 * span
	}
	return span
}

// show brings metrics and progress up to date.
func (p *Poller) show() {
	m, name := p.Metrics.polling, p.Name()
	m.cursor.WithLabelValues(name).Set(float64(p.state.cursor.At.UnixMilli()) / 1e3)
	left := time.Duration(0)
	if p.Backfill > 0 && !p.traits.NoMade {
		left = max(0, p.state.past.DoneTo.Sub(p.pastFrom()))
		if r := p.state.past.Run; r != nil && left == 0 {
			left = time.Second
		}
	}
	m.remaining.WithLabelValues(name).Set(left.Seconds())
	text := ""
	switch {
	case p.state.cursor.Behind:
		text = "catching up: changes are read up to " + p.state.cursor.At.Format("2006-01-02 15:04")
	case left > 0:
		text = fmt.Sprintf("reading the past: back to %s of %s, %d incidents", p.state.past.DoneTo.Format(time.DateOnly),
			p.pastFrom().Format(time.DateOnly), p.state.past.Items)
		if e := p.remaining(left); e > 0 {
			text += ", about " + e.String() + " to go"
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress = text
}

// remaining is about how long reading the rest of the past takes, as fast as it went so far; 0 where that cannot be told yet.
func (p *Poller) remaining(left time.Duration) time.Duration {
	done, took := p.behind-left, p.Now().Sub(p.since)
	if p.since.IsZero() || done <= 0 || took < 5*time.Second {
		return 0
	}
	e := time.Duration(float64(took) * float64(left) / float64(done))
	if e < time.Minute {
		return max(time.Second, e.Round(time.Second))
	}
	return e.Round(time.Minute)
}
