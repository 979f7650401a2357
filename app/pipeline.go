package app

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"meantime/collector"
	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
	"meantime/store"
)

// pipeline takes what correlation found, measures it, stores it and shows it: the last step of the one way of the data.
// Nothing is shown before it is stored, so what a scrape saw is still true after a crash.
type pipeline struct {
	store   store.Store
	logger  *slog.Logger // nil means silent
	metrics *metrics
	now     func() time.Time
	heard   func() map[string]time.Time // when each watchdog was last heard of

	mu        turn // one delta, configuration or look at a time
	view      view
	book      *measure.Book
	ledger    *measure.Ledger
	collector *collector.Collector
	blind     map[string][]incident.Impact
	watched   time.Time // since when anything is known
	// seen is the number of the newest pass that is shown. It may fall behind by passes that this process saved itself
	// without learning that it had: what they hold is shown, and being told of it again does no harm.
	seen  int64
	parts *parts // of a Reset that is not whole yet; nil for none
	// awaited is the ledger that knows of all stored incidents when they are to be counted.
	awaited *measure.Ledger
}

// parts are what is known of a Reset that comes in parts: rows and entries, which are small, of what the store has laid aside.
type parts struct {
	newest int // the number of the newest
	ledger *measure.Ledger
	steps  []measure.LedgerStep
	book   *measure.Book
}

// view is how a configuration wants what is stored to be shown.
type view struct {
	book        measure.Options
	collector   collector.Options
	maxServices int
	settle      time.Duration
	windows     []config.Window
	watchdogs   []correlate.Watchdog
}

// configure shows what is stored as the configuration wants it. Where it returns an error everything stays as it was.
func (p *pipeline) configure(ctx context.Context, c *config.Validated) error {
	o := measureOptions(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load(ctx, view{
		book: o, collector: collector.Options{Intervals: c.Intervals, Objectives: o.Objectives, By: o.By}, maxServices: c.Limits.Services, settle: c.Settle,
		windows: c.Windows, watchdogs: c.Rules.Watchdogs,
	})
}

// measureOptions are what a configuration wants measured.
func measureOptions(c *config.Validated) measure.Options {
	o := measure.Options{
		Intervals: c.Intervals, Newest: c.Limits.RecentIncidents, MaxServices: c.Limits.Services, MaxNames: c.Limits.AlertNames,
		Objectives: objectives(c),
		By:         c.By,
		OpenFor:    c.Rules.OpenFor,
	}
	names := namesOf(c)
	for _, a := range c.Availability {
		o.Availability = append(o.Availability, measure.Availability{
			Service: names.Canonical(a.Service), Severities: a.Severities, Objective: a.Objective,
		})
	}
	o.Windows = windowsOf(c)
	return o
}

// load reads everything and shows it. mu is held.
func (p *pipeline) load(ctx context.Context, v view) error {
	saved, err := p.store.Follow(ctx, -1) // before everything is read, so that nothing is missed
	if err != nil {
		return fmt.Errorf("load passes: %w", err)
	}
	book, ledger := measure.NewBook(v.book), measure.NewLedger(v.book.Intervals, v.maxServices, v.settle)
	now := p.now()
	from := now.Add(-v.longest())
	watched, err := p.store.Began(ctx)
	if err != nil {
		return fmt.Errorf("load the first time known: %w", err)
	}
	loaded := make(chan error, 1)
	go func() { loaded <- ledger.Load(p.store.Ledger(ctx)) }()
	bookErr, ledgerErr := book.Load(p.store.EachIncident(ctx, from.Add(-v.book.OpenFor)),
		p.store.EachVerdict(ctx, from, now.Add(24*time.Hour))), <-loaded
	if bookErr != nil {
		return fmt.Errorf("load incidents: %w", bookErr)
	}
	if ledgerErr != nil {
		return fmt.Errorf("load ledger: %w", ledgerErr)
	}
	p.watched = watched
	book.Watched(watched)
	shown := collector.New(v.collector)
	shown.Replay(ledger.All())
	shown.Restate(ledger.Restatements())

	p.view, p.book, p.ledger, p.collector, p.blind, p.seen = v, book, ledger, shown, saved.Blind, saved.Number
	p.show(now)
	go debug.FreeOSMemory() // reading takes several times what is kept
	return p.metrics.show(shown)
}

// deliver takes in one correlation pass under the lease with that token, or a part of one, which has an effect when the last of
// them is delivered. It has no effect where it returns an error; of a pass in parts the first has to come again then.
func (p *pipeline) deliver(ctx context.Context, token int64, d incident.Pass) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.parts
	p.parts = nil
	switch {
	case !d.Reset:
		all = nil
	case d.Part <= 1:
		all = &parts{ledger: p.ledger, book: measure.NewBook(p.view.book)}
	case all == nil || d.Part != all.newest+1 || all.ledger != p.ledger:
		return incident.Errorf(incident.CodeConflict, "part %d of a pass: the parts before it were measured otherwise than is wanted now", d.Part)
	}
	now := p.now()
	step := p.ledger.Next(d.Incidents, now)
	d.Observed, d.Token = step.Observed, token
	news := p.news(ctx, &d)
	if err := p.store.Save(ctx, d); err != nil {
		return err
	}
	for _, n := range news {
		n.say(p.logger)
	}
	if all != nil {
		step.Observed = nil // stored, and large
		all.newest, all.steps = d.Part, append(all.steps, step)
		all.book.Apply(d.Incidents, nil)
		all.book.ApplyVerdicts(d.Verdicts, nil)
		if d.More {
			p.parts = all
			return nil
		}
		step, p.book = measure.Joined(all.steps), all.book
		p.book.Watched(p.watched)
		defer func() { go debug.FreeOSMemory() }() // computing everything takes many times what is kept
	} else {
		p.book.Apply(d.Incidents, d.Removed)
		p.book.ApplyVerdicts(d.Verdicts, d.Gone)
	}
	p.seen++ // nobody else can have saved one, for the token was good
	p.ledger.Commit(step)
	p.take(step, d.Blind, now)
	return nil
}

// follow takes in what other processes saved, and says what it was.
func (p *pipeline) follow(ctx context.Context) (incident.Saved, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	saved, err := p.store.Follow(ctx, p.seen)
	switch {
	case err != nil:
		return saved, err
	case saved.Whole:
		return saved, p.load(ctx, p.view)
	case saved.Number == p.seen:
		return saved, nil
	}
	step := p.ledger.Follow(saved.Observed, saved.Incidents)
	p.book.Apply(saved.Incidents, saved.Removed)
	p.book.ApplyVerdicts(saved.Verdicts, saved.Gone)
	p.seen = saved.Number
	p.take(step, saved.Blind, p.now())
	return saved, nil
}

// settleEvery is how often incidents are looked for that have settled, and countAtOnce how many are counted in one go.
const (
	settleEvery = 20 * time.Second
	countAtOnce = 500
)

// count counts the incidents that have settled in the all-time histogram, under the lease with that token.
func (p *pipeline) count(ctx context.Context, token int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parts != nil || p.view.settle == 0 {
		return nil // all are looked at in that pass; or each was counted when it was measured
	}
	now := p.now()
	if p.awaited != p.ledger {
		for inc, err := range p.store.EachIncident(ctx, now.Add(-p.view.longest())) {
			if err != nil {
				return err
			}
			p.ledger.Await(&inc, now)
		}
		p.awaited = p.ledger
	}
	for ids := p.ledger.Due(now, countAtOnce); len(ids) > 0; ids = p.ledger.Due(now, countAtOnce) {
		var list []incident.Incident
		for _, id := range ids {
			in, err := p.store.Incident(ctx, id)
			if err != nil && incident.CodeOf(err) != incident.CodeNotFound {
				return err
			}
			p.ledger.Forget(id) // where it is to wait longer, Next says so
			if err == nil && in.ID == id {
				list = append(list, in)
			}
		}
		step := p.ledger.Next(list, now)
		if len(step.Observed) > 0 {
			cursor, rules, err := p.store.Position(ctx)
			if err == nil {
				err = p.store.Save(ctx, incident.Pass{Cursor: cursor, Rules: rules, Blind: p.blind, Observed: step.Observed, Token: token})
			}
			if err != nil {
				p.awaited = nil // what was taken out is found again
				return err
			}
			p.seen++
		}
		p.ledger.Commit(step)
		p.take(step, p.blind, now)
	}
	return nil
}

// longest is the length of the longest window.
func (v view) longest() (length time.Duration) {
	for _, w := range v.windows {
		length = max(length, w.Duration)
	}
	return length
}

// take shows what a pass added. mu is held.
func (p *pipeline) take(step measure.LedgerStep, blind map[string][]incident.Impact, now time.Time) {
	p.blind = blind
	p.collector.Observe(step.New)
	p.collector.Restate(step.Restated)
	p.show(now)
}

// show makes what is known now what the next scrape sees. mu is held.
func (p *pipeline) show(now time.Time) {
	s := collector.Snapshot{Figures: p.book.Figures(now)}
	p.collector.Know(p.ledger.Meet(p.book.Known()))
	if len(p.view.watchdogs) > 0 {
		heard := p.heard()
		s.Watchdogs, s.Blind = map[string]time.Time{}, map[string]float64{}
		for _, w := range p.view.watchdogs {
			s.Watchdogs[w.Name] = heard[w.Name]
		}
		for _, w := range p.view.windows {
			s.Blind[w.Name] = measure.BlindSeconds(p.blind, now.Add(-w.Duration), now)
		}
	}
	p.collector.Publish(s)
}

// follows shows what the clock changes, and since when anything is known, which no pass tells.
func (p *pipeline) follows(ctx context.Context) {
	watched, err := p.store.Began(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil { // else the store's own metrics tell
		p.watched = watched
		p.book.Watched(watched)
	}
	p.show(p.now())
}

// showEvery is how often the figures follow the clock where nothing changed; without a change it costs next to nothing.
const showEvery = 5 * time.Second

// run shows the figures again as the windows slide.
func (p *pipeline) run(ctx context.Context) error {
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			p.follows(ctx)
			if s, err := p.store.Stats(ctx); err == nil { // else the store's own metrics tell
				p.metrics.size(s)
			}
		}
	}
}
