package simulate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"sync"
	"time"

	"meantime/incident"
	"meantime/store"
)

// hub is the one store of a world, with the lease and the news that go with it. Processes reach it through calls, which wait
// until the world lets them go on.
type hub struct {
	store.Store
	plant plant

	mu      sync.Mutex
	waiting []*call
	arrived chan struct{}
	told    []told                           // what is to be told to those who listen, not drawn yet
	ears    map[*process]ear                 // who listens
	lease   lease                            // by the world's clock
	stale   map[incident.RecordKey]staleRead // what a planted fault remembers
	broken  []string                         // what must never happen and did
}

type ear func(store.Event)

type told struct {
	by   *process
	what store.Event
}

type lease struct {
	holder string
	by     *process
	token  int64
	until  time.Time
}

// call is a call to the store that waits.
type call struct {
	by   *process
	kind string
	key  string // what tells it from another of its kind
	due  time.Time
	gone bool
	goOn chan outcome
}

// outcome is what becomes of a call.
type outcome int

const (
	works outcome = iota
	fails         // it has no effect
	loses         // it has its effect, and the answer is lost
)

func (o outcome) String() string { return []string{"works", "fails", "loses"}[o] }

var errDown = &incident.Error{Code: incident.CodeUnavailable, Err: fmt.Errorf("a simulated fault")}

// wait waits until the world lets a call go on.
func (h *hub) wait(ctx context.Context, by *process, kind, key string) (outcome, error) {
	if by.dead.Load() {
		return fails, errDown
	}
	if err := ctx.Err(); err != nil {
		return fails, &incident.Error{Code: incident.CodeUnavailable, Err: err}
	}
	c := &call{by: by, kind: kind, key: key, goOn: make(chan outcome, 1)}
	h.mu.Lock()
	h.waiting = append(h.waiting, c)
	h.mu.Unlock()
	poke(h.arrived)
	select {
	case o := <-c.goOn:
		return o, nil
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c.gone = true
	return fails, &incident.Error{Code: incident.CodeUnavailable, Err: ctx.Err()}
}

func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (h *hub) breaks(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = append(h.broken, fmt.Sprintf("%s: ", time.Since(epoch).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// tell has those who listen told, in a while or never.
func (h *hub) tell(by *process, what store.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, told{by, what})
}

// digest is a short text for anything.
func digest(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		text = fmt.Append(nil, v)
	}
	f := fnv.New64a()
	_, _ = f.Write(text)
	return fmt.Sprintf("%016x", f.Sum64())
}

// order is the order in which calls are drawn: one that is the same in each run.
func order(a, b *call) int {
	return cmp.Or(cmp.Compare(a.by.replica, b.by.replica), cmp.Compare(a.by.run, b.by.run), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}

// do is a call of a process.
func (p *process) do(ctx context.Context, kind, key string, effect func() error) error {
	o, err := p.hub.wait(ctx, p, kind, key)
	if err != nil {
		return err
	}
	if o == fails {
		return errDown
	}
	err = effect()
	if o == loses {
		return errDown
	}
	return err
}

// ask is a call that has an answer.
func ask[T any](ctx context.Context, p *process, kind, key string, effect func() (T, error)) (v T, err error) {
	err = p.do(ctx, kind, key, func() (err error) {
		v, err = effect()
		return err
	})
	return v, err
}

// page is a call that has a page for an answer.
func page[T any](ctx context.Context, p *process, kind, key string, effect func() ([]T, string, error)) (list []T, next string, err error) {
	err = p.do(ctx, kind, key, func() (err error) {
		list, next, err = effect()
		return err
	})
	return list, next, err
}

// each is a call that ranges.
func each[T any](ctx context.Context, p *process, kind, key string, effect func() iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := p.do(ctx, kind, key, func() error {
			for v, err := range effect() {
				if err != nil {
					return err
				}
				all = append(all, v)
			}
			return nil
		})
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

var _ store.Store = (*process)(nil)

func (p *process) Put(ctx context.Context, f incident.Facts, received time.Time) (r incident.Receipt, err error) {
	o, err := p.hub.wait(ctx, p, "put", digest(f))
	if err != nil {
		return r, err
	}
	if o == fails {
		if p.hub.plant == plantAck && len(f.Records)+len(f.Sightings) > 0 {
			return incident.Receipt{Sightings: make([]incident.MergeKind, len(f.Sightings)), Records: make([]bool, len(f.Records)), Mutes: make([]bool, len(f.Mutes))}, nil
		}
		return r, errDown
	}
	r, err = p.hub.Store.Put(context.WithoutCancel(ctx), f, received)
	if err == nil {
		p.hub.tell(p, store.EventFacts)
	}
	if o == loses {
		return incident.Receipt{}, errDown
	}
	return r, err
}

func (p *process) Changes(ctx context.Context, after int64, limit int) ([]incident.Change, error) {
	l, err := ask(ctx, p, "changes", fmt.Sprint(after), func() ([]incident.Change, error) { return p.hub.Store.Changes(ctx, after, limit) })
	if p.hub.plant == plantDirty {
		l = slices.DeleteFunc(l, func(c incident.Change) bool { return c.Seq%37 == 0 && c.Kind == incident.ChangeRecord })
	}
	return l, err
}

func (p *process) Extent(ctx context.Context) (from, to time.Time, err error) {
	err = p.do(ctx, "extent", "", func() (err error) {
		from, to, err = p.hub.Store.Extent(ctx)
		return err
	})
	return from, to, err
}

func (p *process) IncidentNames(ctx context.Context) (services, severities []string, err error) {
	err = p.do(ctx, "incident names", "", func() (err error) {
		services, severities, err = p.hub.Store.IncidentNames(ctx)
		return err
	})
	return services, severities, err
}

func (p *process) Began(ctx context.Context) (time.Time, error) {
	return ask(ctx, p, "began", "", func() (time.Time, error) { return p.hub.Store.Began(ctx) })
}

func (p *process) Sightings(ctx context.Context, from, to time.Time) ([]incident.Sighting, error) {
	return ask(ctx, p, "sightings", fmt.Sprint(from, to), func() ([]incident.Sighting, error) { return p.hub.Store.Sightings(ctx, from, to) })
}

func (p *process) SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error) {
	return ask(ctx, p, "sightings of", "", func() ([]incident.Sighting, error) { return p.hub.Store.SightingsOf(ctx, fingerprints) })
}

func (p *process) Records(ctx context.Context, from, to time.Time) ([]incident.Record, error) {
	return ask(ctx, p, "records", fmt.Sprint(from, to), func() ([]incident.Record, error) { return p.hub.Store.Records(ctx, from, to) })
}

func (p *process) RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error) {
	return ask(ctx, p, "record page", after.String(), func() ([]incident.Record, error) { return p.hub.Store.RecordPage(ctx, source, after, limit) })
}

// staleRead is what a planted fault remembers of a record.
type staleRead struct {
	now, before incident.Record
	reads       int
}

func (p *process) Record(ctx context.Context, k incident.RecordKey) (incident.Record, error) {
	r, err := ask(ctx, p, "record", k.String(), func() (incident.Record, error) { return p.hub.Store.Record(ctx, k) })
	if p.hub.plant != plantStale || err != nil {
		return r, err
	}
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	old := p.hub.stale[k]
	if old.reads++; !old.now.UpdatedAt.Equal(r.UpdatedAt) {
		old.now, old.before = r, old.now
	}
	p.hub.stale[k] = old
	if old.reads%5 == 0 && old.before.ID != "" {
		return old.before, nil
	}
	return r, nil
}

func (p *process) History(ctx context.Context, k incident.RecordKey) ([]incident.Record, error) {
	return ask(ctx, p, "history", k.String(), func() ([]incident.Record, error) { return p.hub.Store.History(ctx, k) })
}

func (p *process) Marks(ctx context.Context, source string) ([]incident.Mark, error) {
	return ask(ctx, p, "marks", source, func() ([]incident.Mark, error) { return p.hub.Store.Marks(ctx, source) })
}

func (p *process) Reviews(ctx context.Context) ([]incident.Review, error) {
	return ask(ctx, p, "reviews", "", func() ([]incident.Review, error) { return p.hub.Store.Reviews(ctx) })
}

func (p *process) Review(ctx context.Context, id string) (incident.Review, error) {
	return ask(ctx, p, "review", id, func() (incident.Review, error) { return p.hub.Store.Review(ctx, id) })
}

func (p *process) Silences(ctx context.Context, from, to time.Time) ([]incident.Silence, error) {
	return ask(ctx, p, "silences", fmt.Sprint(from, to), func() ([]incident.Silence, error) { return p.hub.Store.Silences(ctx, from, to) })
}

func (p *process) Beats(ctx context.Context, from, to time.Time) ([]incident.Beat, error) {
	return ask(ctx, p, "beats", fmt.Sprint(from, to), func() ([]incident.Beat, error) { return p.hub.Store.Beats(ctx, from, to) })
}

func (p *process) Reach(ctx context.Context) (lives []incident.Life, senders []incident.Sender, err error) {
	err = p.do(ctx, "reach", "", func() (err error) {
		lives, senders, err = p.hub.Store.Reach(ctx)
		return err
	})
	return lives, senders, err
}

func (p *process) Position(ctx context.Context) (cursor int64, rules string, err error) {
	err = p.do(ctx, "position", "", func() (err error) {
		cursor, rules, err = p.hub.Store.Position(ctx)
		return err
	})
	return cursor, rules, err
}

// Save also looks at who writes: nobody may whose lease is another's by now.
func (p *process) Save(ctx context.Context, x incident.Pass) error {
	return p.do(ctx, "save", fmt.Sprint(x.Cursor, x.Part), func() error {
		err := p.hub.Store.Save(context.WithoutCancel(ctx), x)
		if err != nil {
			return err
		}
		h := p.hub
		h.mu.Lock()
		token, by := h.lease.token, h.lease.by
		h.mu.Unlock()
		if x.Token != token || by != p {
			h.breaks("%s saved a pass under lease %d, which is %s's, number %d", p, x.Token, by, token)
		}
		h.tell(p, store.EventPass)
		return nil
	})
}

func (p *process) Follow(ctx context.Context, after int64) (incident.Saved, error) {
	return ask(ctx, p, "follow", fmt.Sprint(after), func() (incident.Saved, error) { return p.hub.Store.Follow(ctx, after) })
}

func (p *process) Incident(ctx context.Context, id string) (incident.Incident, error) {
	return ask(ctx, p, "incident", id, func() (incident.Incident, error) { return p.hub.Store.Incident(ctx, id) })
}

func (p *process) Incidents(ctx context.Context, q store.IncidentQuery) ([]incident.Incident, string, error) {
	return page(ctx, p, "incidents", digest(q), func() ([]incident.Incident, string, error) { return p.hub.Store.Incidents(ctx, q) })
}

func (p *process) IncidentsTouching(ctx context.Context, from, to time.Time) ([]incident.Incident, error) {
	return ask(ctx, p, "incidents touching", fmt.Sprint(from, to), func() ([]incident.Incident, error) { return p.hub.Store.IncidentsTouching(ctx, from, to) })
}

func (p *process) EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error] {
	return each(ctx, p, "each incident", fmt.Sprint(from), func() iter.Seq2[incident.Incident, error] { return p.hub.Store.EachIncident(ctx, from) })
}

func (p *process) Verdicts(ctx context.Context, q store.VerdictQuery) ([]incident.Verdict, string, error) {
	return page(ctx, p, "verdicts", digest(q), func() ([]incident.Verdict, string, error) { return p.hub.Store.Verdicts(ctx, q) })
}

func (p *process) EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error] {
	return each(ctx, p, "each verdict", fmt.Sprint(from, to), func() iter.Seq2[incident.Verdict, error] { return p.hub.Store.EachVerdict(ctx, from, to) })
}

func (p *process) Firing(ctx context.Context) ([]incident.Verdict, error) {
	return ask(ctx, p, "firing", "", func() ([]incident.Verdict, error) { return p.hub.Store.Firing(ctx) })
}

func (p *process) Ledger(ctx context.Context) iter.Seq2[incident.Observed, error] {
	return each(ctx, p, "ledger", "", func() iter.Seq2[incident.Observed, error] { return p.hub.Store.Ledger(ctx) })
}

// Acquire is the lease by the world's clock: the store's own has the machine's.
func (p *process) Acquire(ctx context.Context, holder string, length time.Duration) (store.Lease, error) {
	return ask(ctx, p, "acquire", "", func() (store.Lease, error) {
		h := p.hub
		h.mu.Lock()
		defer h.mu.Unlock()
		now := time.Now()
		if h.lease.holder != "" && h.lease.holder != holder {
			if left := h.lease.until.Sub(now); left > 0 {
				return store.Lease{Holder: h.lease.holder, Token: h.lease.token, Left: left}, nil
			}
			if err := h.Store.Release(context.WithoutCancel(ctx), h.lease.holder); err != nil {
				return store.Lease{}, err
			}
		}
		l, err := h.Store.Acquire(context.WithoutCancel(ctx), holder, 100*365*24*time.Hour)
		if err != nil {
			return l, err
		}
		h.lease = lease{holder, p, l.Token, now.Add(length)}
		l.Left = length
		return l, nil
	})
}

func (p *process) Release(ctx context.Context, holder string) error {
	return p.do(ctx, "release", "", func() error {
		h := p.hub
		h.mu.Lock()
		mine := h.lease.holder == holder
		if mine {
			h.lease.holder = ""
		}
		h.mu.Unlock()
		err := h.Store.Release(context.WithoutCancel(ctx), holder)
		if mine {
			h.tell(p, store.EventLease)
		}
		return err
	})
}

func (p *process) Listen(ctx context.Context, told func(store.Event)) error {
	p.hub.mu.Lock()
	p.hub.ears[p] = told
	p.hub.mu.Unlock()
	<-ctx.Done()
	p.hub.mu.Lock()
	delete(p.hub.ears, p)
	p.hub.mu.Unlock()
	return ctx.Err()
}

func (p *process) Ping(ctx context.Context) error {
	return p.do(ctx, "ping", "", func() error { return p.hub.Store.Ping(ctx) })
}

func (p *process) Stats(ctx context.Context) (store.Stats, error) {
	return ask(ctx, p, "stats", "", func() (store.Stats, error) { return p.hub.Store.Stats(ctx) })
}

func (p *process) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	return ask(ctx, p, "prune", "", func() (int, error) { return p.hub.Store.Prune(context.WithoutCancel(ctx), before, limit) })
}

// Close closes nothing: the store is the world's.
func (p *process) Close() error { return nil }
