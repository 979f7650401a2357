// Package post sends the letter of a period that is over to webhooks: once a period, again until it is taken.
package post

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/prometheus/common/version"

	"meantime/incident"
	"meantime/letter"
	"meantime/measure"
)

// Destination is to whom a letter goes.
type Destination struct {
	Name string
	// URL and BearerToken are asked for at each attempt, because their files can change.
	URL, BearerToken func() string
	Form             string // one of letter.Forms
	Weekly           bool
	Zone             *time.Location
	After            time.Duration // how long after the period's end
	Service          string
	Severity         string
}

// Store remembers which periods were told.
type Store interface {
	Marks(ctx context.Context, source string) ([]incident.Mark, error)
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
}

// Options are what a Poster needs. All but Transport are needed.
type Options struct {
	Destinations func() []Destination
	Letter       func(ctx context.Context, period string, q measure.Question) (*letter.Letter, error)
	Store        Store
	Now          func() time.Time
	Logger       *slog.Logger
	Metrics      *Metrics
	Transport    http.RoundTripper // carries the requests instead of one of its own, such as in a test
}

const (
	lookEvery   = 5 * time.Second
	within      = 30 * time.Second // of one attempt
	leastWait   = time.Minute      // between two attempts; it doubles
	mostWait    = time.Hour
	maxAnswer   = 64 << 10
	shownAnswer = 200
)

// The names of marks: since when a letter is wanted, and the newest period that was told.
const (
	markSince = "since"
	markTold  = "told"
)

// source is under which name the marks of a letter are kept. No source of records can be called so.
func source(name string) string { return "letter/" + name }

// Poster sends letters. Only the holder of the lease runs one.
type Poster struct {
	Options
	rest  *resty.Client
	known map[string]*state
}

// state is what is known of a letter while this process holds the lease.
type state struct {
	since time.Time
	told  string
	next  time.Time // before which it is not tried again
	wait  time.Duration
}

// New makes a Poster.
func New(o Options) *Poster {
	c := resty.New().SetTimeout(within).SetResponseBodyLimit(maxAnswer).SetRedirectPolicy(resty.NoRedirectPolicy()).
		SetLogger(silent{}).SetHeader("User-Agent", version.ComponentUserAgent("Meantime"))
	if o.Transport != nil {
		c.SetTransport(o.Transport)
	}
	return &Poster{Options: o, rest: c, known: map[string]*state{}}
}

// silent keeps what resty would log, which can hold a secret.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// Run sends what is due until ctx ends.
func (p *Poster) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		p.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look sends what is due now.
func (p *Poster) Look(ctx context.Context) {
	for _, d := range p.Destinations() {
		if err := p.tell(ctx, d); err != nil && ctx.Err() == nil {
			p.Metrics.failed(d.Name)
			p.Logger.Error("Letter not sent, it is tried again", "letter", d.Name, "again_in", p.known[d.Name].wait, "err", err)
		}
	}
}

// Due is the newest period of a letter that is over for long enough, with its end.
func (d *Destination) Due(now time.Time) (period string, end time.Time) {
	t := now.Add(-d.After).In(d.Zone)
	if d.Weekly {
		end = time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, d.Zone)
		return letter.Week(end.AddDate(0, 0, -7)), end
	}
	end = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, d.Zone)
	return end.AddDate(0, -1, 0).Format("2006-01"), end
}

// tell sends a letter where one is due.
func (p *Poster) tell(ctx context.Context, d Destination) error {
	s := p.known[d.Name]
	if s == nil {
		s = &state{wait: leastWait}
		p.known[d.Name] = s
	}
	now := p.Now()
	period, end := d.Due(now)
	if period == s.told || now.Before(s.next) || !s.since.IsZero() && !end.After(s.since) {
		return nil
	}
	later := func(err error) error {
		s.next = now.Add(s.wait)
		s.wait = min(2*s.wait, mostWait)
		return err
	}
	if err := p.recall(ctx, d.Name, s, now); err != nil {
		return later(err)
	}
	// What was over before anybody wanted the letter is not told: on the first evening its figures would be of half the past.
	switch {
	case period == s.told:
		p.Metrics.upTo(d.Name, end)
		return nil
	case !end.After(s.since):
		p.Metrics.upTo(d.Name, s.since)
		return nil
	}
	l, err := p.Letter(ctx, period, d.Question())
	if err != nil {
		return later(err)
	}
	if err := p.send(ctx, d, l); err != nil {
		return later(err)
	}
	if err := p.note(ctx, d.Name, incident.Mark{Name: markTold, Value: period}, now); err != nil {
		return later(fmt.Errorf("it was taken, and that could not be noted: %w", err))
	}
	s.told, s.wait = period, leastWait
	p.Metrics.posted(d.Name, end)
	p.Logger.Info("Letter sent", "letter", d.Name, "period", period)
	return nil
}

// recall reads what was told, also by another replica. A letter that nobody knows begins now.
func (p *Poster) recall(ctx context.Context, name string, s *state, now time.Time) error {
	marks, err := p.Store.Marks(ctx, source(name))
	if err != nil {
		return err
	}
	for _, m := range marks {
		switch m.Name {
		case markTold:
			s.told = m.Value
		case markSince:
			if s.since, err = incident.ParseTime(m.Value); err != nil {
				return err
			}
		}
	}
	if !s.since.IsZero() {
		return nil
	}
	if err := p.note(ctx, name, incident.Mark{Name: markSince, Value: now.UTC().Format(time.RFC3339Nano)}, now); err != nil {
		return err
	}
	s.since = now
	p.Logger.Info("Letter wanted; the first is of the period that is going on", "letter", name)
	return nil
}

func (p *Poster) note(ctx context.Context, name string, m incident.Mark, now time.Time) error {
	m.Source = source(name)
	_, err := p.Store.Put(ctx, incident.Facts{Marks: []incident.Mark{m}}, now)
	return err
}

// send posts a letter. Errors do not tell the address, which is a secret.
func (p *Poster) send(ctx context.Context, d Destination, l *letter.Letter) error {
	body, contentType, err := l.Body(d.Form)
	if err != nil {
		return err
	}
	address := strings.TrimSpace(d.URL())
	r := p.rest.R().SetContext(ctx).SetHeader("Content-Type", contentType).SetBody(body)
	if token := d.BearerToken(); token != "" {
		r.SetAuthToken(token)
	}
	resp, err := r.Post(address)
	var told *url.Error
	switch {
	case errors.As(err, &told):
		return fmt.Errorf("the webhook cannot be reached: %w", told.Err)
	case err != nil:
		return fmt.Errorf("the webhook cannot be reached: %s", strings.ReplaceAll(err.Error(), address, "…"))
	case !resp.IsSuccess():
		said := strings.Join(strings.Fields(strings.ReplaceAll(resp.String(), address, "…")), " ")
		return fmt.Errorf("the webhook answers %s: %.*q", resp.Status(), shownAnswer, said)
	}
	return nil
}

// Question is the group of a destination, of its zone.
func (d *Destination) Question() measure.Question {
	return measure.Question{Zone: d.Zone.String(), Service: d.Service, Severity: d.Severity}
}
