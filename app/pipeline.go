package app

import (
	"context"
	"fmt"
	"iter"
	"sync"
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
	metrics *metrics
	now     func() time.Time
	heard   func() map[string]time.Time // when each watchdog was last heard of

	mu        sync.Mutex // one delta, configuration or look at a time
	windows   []config.Window
	watchdogs []correlate.Watchdog
	book      *measure.Book
	ledger    *measure.Ledger
	collector *collector.Collector
	blind     map[string][]incident.Impact
}

// configure shows what is stored as the configuration wants it. Where it returns an error everything stays as it was.
func (p *pipeline) configure(ctx context.Context, c *config.Validated) error {
	o := measureOptions(c)
	var longest time.Duration
	for _, w := range o.Windows {
		longest = max(longest, w.Length)
	}
	book, ledger := measure.NewBook(o), measure.NewLedger(c.Intervals, c.Limits.Services)

	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	from := now.Add(-longest)
	if err := book.Load(p.store.EachIncident(ctx, from), p.store.EachVerdict(ctx, from, now.Add(24*time.Hour))); err != nil {
		return fmt.Errorf("load incidents: %w", err)
	}
	if err := ledger.Load(p.store.Ledger(ctx)); err != nil {
		return fmt.Errorf("load ledger: %w", err)
	}
	shown := collector.New(collector.Options{Intervals: c.Intervals, Objectives: o.Objectives})
	shown.Know(ledger.Meet(book.Known()))
	shown.Replay(ledger.All())
	shown.Restate(ledger.Restatements())

	old := p.collector
	p.windows, p.watchdogs, p.book, p.ledger, p.collector = c.Windows, c.Rules.Watchdogs, book, ledger, shown
	p.show(now)
	return p.metrics.show(old, shown)
}

// measureOptions are what a configuration wants measured.
func measureOptions(c *config.Validated) measure.Options {
	o := measure.Options{Intervals: c.Intervals, Newest: c.Limits.RecentIncidents, MaxServices: c.Limits.Services, MaxNames: c.Limits.AlertNames, Objectives: objectives(c)}
	for _, w := range c.Windows {
		o.Windows = append(o.Windows, measure.Window{Name: w.Name, Length: w.Duration})
	}
	return o
}

// deliver takes in one correlation pass. It has no effect where it returns an error.
func (p *pipeline) deliver(ctx context.Context, d correlate.Delta) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	step := p.ledger.Next(d.Incidents, now)
	err := p.store.Save(ctx, incident.Pass{
		Cursor: d.Cursor, Rules: d.Rules, Reset: d.Reset, Removed: d.Removed, Gone: d.Gone,
		Incidents: d.Incidents, Verdicts: d.Verdicts, Observed: step.Observed,
	})
	if err != nil {
		return err
	}
	p.ledger.Commit(step)
	p.blind = d.Blind
	if d.Reset {
		// What is given is in memory already, so loading it cannot fail.
		_ = p.book.Load(each(d.Incidents), each(d.Verdicts))
	} else {
		p.book.Apply(d.Incidents, d.Removed)
		p.book.ApplyVerdicts(d.Verdicts, d.Gone)
	}
	p.collector.Know(step.Known)
	p.collector.Observe(step.New)
	p.collector.Restate(step.Restated)
	p.show(now)
	return nil
}

// show makes what is known now what the next scrape sees. mu is held.
func (p *pipeline) show(now time.Time) {
	s := collector.Snapshot{Figures: p.book.Figures(now)}
	if len(p.watchdogs) > 0 {
		heard := p.heard()
		s.Watchdogs, s.Blind = map[string]time.Time{}, map[string]float64{}
		for _, w := range p.watchdogs {
			s.Watchdogs[w.Name] = heard[w.Name]
		}
		for _, w := range p.windows {
			s.Blind[w.Name] = measure.BlindSeconds(p.blind, now.Add(-w.Duration), now)
		}
	}
	p.collector.Publish(s)
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
			p.mu.Lock()
			p.show(p.now())
			p.mu.Unlock()
			if s, err := p.store.Stats(ctx); err == nil { // else the store's own metrics tell
				p.metrics.size(s)
			}
		}
	}
}

func each[T any](s []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range s {
			if !yield(s[i], nil) {
				return
			}
		}
	}
}
