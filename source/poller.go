package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"meantime/incident"
	"meantime/source/jq"
)

const (
	defaultLookback = 5 * time.Minute
	// share is the part of a poll's time in which a new page is begun.
	share = 0.85
	// leastWindow is the shortest stretch of time that is asked for in halves no more.
	leastWindow = time.Minute
	// fewItems is so few for a whole window that the next one is asked for twice as long.
	fewItems = 1000
	// maxSamePages and maxEmptyPages are how many pages in a row may bring nothing new before the vendor counts as going
	// round in circles.
	maxSamePages  = 3
	maxEmptyPages = 1000
	// maxSeen bounds how many ids of one run are remembered.
	maxSeen = 200_000
	// maxRepeats is how often a run is made again because incidents moved while it was read.
	maxRepeats = 2
)

// PollerStore is what a Poller needs of the store.
type PollerStore interface {
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
	// Marks are those of one source.
	Marks(ctx context.Context, source string) ([]incident.Mark, error)
	// Record is the version that counts. CodeNotFound where there is none.
	Record(ctx context.Context, k incident.RecordKey) (incident.Record, error)
	// RecordPage lists one source's records that are not withdrawn, in order of key, after the given key, at most limit.
	RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error)
}

// PollerOptions are what a Poller depends on. Name, Connector and Store are required.
type PollerOptions struct {
	Name string
	// Kind is the source's type and address: where it is another than before, reading starts anew.
	Kind      string
	Connector Connector
	Store     PollerStore
	Logger    *slog.Logger     // nil means silent
	Metrics   *Metrics         // nil means not exposed
	Now       func() time.Time // nil means time.Now
	// Backfill is how far back incidents are read that were there before; 0 is not at all.
	Backfill time.Duration
	// Only says which incidents are read, Map changes their records; nil for neither.
	Only, Map *jq.Program
	// Private has incidents read that not everybody at the vendor may see, without their titles.
	Private bool
	// Heard says whether alerts of a stretch of time are stored; nil: always.
	Heard func(ctx context.Context, from, to time.Time) (bool, error)
}

// Poller is the Source around a Connector. One poll asks for what changed, then reads a slice of the past, then looks for
// incidents that are listed no more. How far it is, is stored in one write with what was read, so that a crash or another
// process that takes over repeats at most one page.
type Poller struct {
	PollerOptions
	traits Traits
	log    *slog.Logger

	// Only Poll touches these.
	loaded   bool
	state    state
	started  time.Time // of this poll
	moved    bool      // this poll came further
	anew     bool      // the past is read
	sweeping *sweeping
	since    time.Time // when this process began to read the past
	behind   time.Duration
	told     []string // by the connector, as it is logged

	mu       sync.Mutex
	progress string
	refused  []refusal
}

// NewPoller makes the source of a connector. Nothing is asked before the first Poll.
func NewPoller(o PollerOptions) *Poller {
	p := &Poller{PollerOptions: o, traits: o.Connector.Traits(), log: o.Logger}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.log = p.log.With("component", "source", "name", o.Name)
	if p.Metrics == nil {
		p.Metrics = NewMetrics(nil)
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.traits.Lookback == 0 {
		p.traits.Lookback = defaultLookback
	}
	return p
}

// Name is the source's name.
func (p *Poller) Name() string { return p.PollerOptions.Name }

// Poll implements Source.
func (p *Poller) Poll(ctx context.Context) error {
	p.started, p.moved = p.Now(), false
	if err := p.load(ctx); err != nil {
		return err
	}
	err := p.poll(ctx)
	p.show()
	p.tell()
	var s *StatusError
	var more *Again
	switch {
	case err == nil, errors.As(err, &more):
		return err
	case errors.As(err, &s) && s.Limited:
		p.Metrics.polling.limited.WithLabelValues(p.Name()).Inc()
		return &Again{After: s.After, Why: "the server asks to be left alone", Asked: true}
	case p.moved && (ctx.Err() != nil || errors.Is(err, errNoTime)):
		return &Again{} // it was cut short; how far it came is stored
	}
	return p.hinted(err)
}

// hinted says what an answer means where the connector knows.
func (p *Poller) hinted(err error) error {
	if hint := p.traits.Hints[StatusOf(err)]; hint != "" {
		return fmt.Errorf("%s: %w", hint, err)
	}
	return err
}

func (p *Poller) poll(ctx context.Context) error {
	inner := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		inner, cancel = context.WithDeadline(ctx, time.Now().Add(time.Duration(float64(time.Until(deadline))*share)))
		defer cancel()
	}
	if err := p.changes(ctx, inner); err != nil {
		return err
	}
	done, err := p.past(ctx, inner)
	if err != nil {
		return err
	}
	if !done {
		return &Again{}
	}
	return p.sweep(ctx, inner)
}

// reading is one reading of a stretch of time, page by page, as it is kept between pages.
type reading struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Next string    `json:"next,omitempty"`
	// Began is when its first page was read, by the vendor's clock.
	Began time.Time `json:"began,omitzero"`
	// Latest is the latest change seen.
	Latest  time.Time `json:"latest,omitzero"`
	Items   int       `json:"items,omitempty"`
	Repeats int       `json:"repeats,omitempty"`
	// Part says that there is more to read after To.
	Part bool `json:"part,omitempty"`
}

// changes asks for what changed since the cursor. ctx bounds a page under way, inner when the last may begin.
func (p *Poller) changes(ctx, inner context.Context) error {
	for {
		c := &p.state.cursor
		if c.Run == nil {
			c.Run = p.changesFrom(c.At.Add(-p.traits.Lookback), p.traits.ChangedSpan)
		}
		r, tooMany := c.Run, false
		moved, err := p.pages(ctx, inner, Changed, r, func(items []Item, page *Page) error {
			if r.Began.IsZero() {
				if r.Began = page.Clock; r.Began.IsZero() {
					r.Began = p.Now().UTC()
				}
			}
			for i := range items {
				r.Latest = Latest(r.Latest, items[i].Updated)
			}
			tooMany = page.TooMany && r.To.Sub(r.From) > leastWindow
			if page.Next != "" || tooMany {
				return p.store(ctx, items)
			}
			return p.store(ctx, items, func() { p.advance(r) })
		})
		switch {
		case err != nil:
			return err
		case tooMany:
			c.Run = p.changesFrom(r.From, r.To.Sub(r.From)/2)
			continue
		case c.Run != nil:
			return &Again{} // out of time
		case !moved.IsZero() && p.traits.Shifts:
			// Incidents moved while they were read, and others may have been passed over: they are read again, from where the
			// first one stood.
			from := r.From
			if p.traits.Ascending && moved.After(from) {
				from = moved
			}
			c.At = from.Add(p.traits.Lookback)
			if r.Repeats == maxRepeats {
				return nil // at the next poll
			}
			c.Run = p.changesFrom(from, p.traits.ChangedSpan)
			c.Run.Repeats = r.Repeats + 1
			continue
		case !c.Behind:
			return nil
		case inner.Err() != nil:
			return &Again{}
		}
	}
}

// changesFrom is a reading of changes from a time on, of at most span where that is not 0.
func (p *Poller) changesFrom(from time.Time, span time.Duration) *reading {
	r := &reading{From: from, To: p.Now().UTC()}
	if span > 0 && r.To.Sub(from) > span {
		r.To, r.Part = from.Add(span), true
	}
	return r
}

// advance moves the cursor at the end of a reading: at most to when it began, by the vendor's clock.
func (p *Poller) advance(r *reading) {
	c := &p.state.cursor
	c.Run, c.Behind = nil, r.Part
	if r.Part {
		c.At = Latest(c.At, r.To)
		return
	}
	// What the vendor shows late is seen by the lookback of the next question.
	c.At = Latest(r.Latest, r.Began.Add(-p.traits.Lookback), c.At)
	if c.At.After(r.Began) {
		c.At = r.Began
	}
}

// pages reads a run page by page, as long as inner lasts. take is given each page; it stores it with the run as it is then.
// Where incidents changed meanwhile that were read already, moved is when the first of them had changed before.
func (p *Poller) pages(ctx, inner context.Context, what What, r *reading, take func([]Item, *Page) error) (moved time.Time, err error) {
	seen := map[string]time.Time{}
	used := map[string]bool{}
	same, empty := 0, 0
	resumed := r.Next != ""
	turned := resumed // whether a page was asked for by its number
	known := func(id string, updated time.Time) bool {
		before, twice := seen[id]
		return twice && !updated.After(before)
	}
	for first := true; first || inner.Err() == nil; first = false {
		page, err := p.Connector.Page(ctx, Ask{What: what, From: r.From, To: r.To, Next: r.Next, Heard: p.Heard, Known: known})
		if err != nil {
			// A vendor forgets after a while what leads to a next page, and may refuse it then.
			if status := StatusOf(err); resumed && (status == 400 || status == 404 || status == 410 || status == 422) {
				resumed, r.Next = false, ""
				continue
			}
			return moved, err
		}
		resumed = false
		used[r.Next] = true
		fresh := make([]Item, 0, len(page.Items))
		for _, it := range page.Items {
			id := identity(&it)
			before, twice := seen[id]
			if known(id, it.Updated) {
				continue
			}
			if twice && turned {
				moved = incident.Earliest(moved, before.Add(-time.Nanosecond))
			}
			if len(seen) < maxSeen {
				seen[id] = it.Updated
			}
			fresh = append(fresh, it)
		}
		switch {
		case len(page.Items) == 0:
			empty++
		case len(fresh) == 0:
			same++
		default:
			same, empty = 0, 0
		}
		if page.Next != "" && (used[page.Next] || same >= maxSamePages || empty >= maxEmptyPages) {
			r.Next = ""
			return moved, fmt.Errorf("after %d incidents: %w", r.Items, ErrCircles)
		}
		r.Next = page.Next
		if at := p.readTo(what, &page); at.After(r.From) {
			// No number of a page is as sure as a time: what changes meanwhile moves to the end, and what is not read yet stays.
			r.From, r.Next, used = at, "", map[string]bool{}
		}
		turned = turned || r.Next != ""
		r.Items += len(fresh)
		if err := take(fresh, &page); err != nil {
			return moved, err
		}
		if page.Next == "" || page.TooMany {
			return moved, nil
		}
	}
	return moved, nil
}

// readTo is up to when changes are read after a page of a list that is in order of them and goes on; zero where that is not known.
func (p *Poller) readTo(what What, page *Page) (at time.Time) {
	if what != Changed || !p.traits.Shifts || !p.traits.Ascending || page.Next == "" {
		return at
	}
	for i := range page.Items {
		if page.Items[i].Updated.Before(at) {
			return time.Time{} // it is in another order
		}
		at = page.Items[i].Updated
	}
	return at
}

// identity tells an item from the others of a reading: its id or, where only Map knows that, a digest of it.
func identity(it *Item) string {
	if it.ID != "" {
		return it.ID
	}
	h := sha256.Sum256(it.Raw)
	return string(h[:16])
}

// Again is the error of a poll that went well and is to be followed by another one at a time of its own.
type Again struct {
	// After is when; 0 is at once, because there is more.
	After time.Duration
	Why   string
	// Asked says that the other side asked for it: it is not asked any sooner.
	Asked bool
}

func (a *Again) Error() string { return cmp.Or(a.Why, "there is more to read") }

// RetryAfter is After where the other side asked for it.
func (a *Again) RetryAfter() time.Duration {
	if a.Asked {
		return a.After
	}
	return 0
}

// store puts what items say together with how far reading is. Each of moves is applied to that state first, and taken back
// where it is not stored.
func (p *Poller) store(ctx context.Context, items []Item, moves ...func()) error {
	b, err := p.made(ctx, items)
	if err != nil {
		return err
	}
	before := p.state.clone()
	for _, move := range moves {
		move()
	}
	p.state.Refused = b.refused
	f := incident.Facts{Records: b.records, Marks: p.state.marks(p.Name(), p.Kind)}
	if _, err := p.Store.Put(ctx, f, p.Now().UTC()); err != nil {
		p.state = before
		p.loaded = false // whether it was stored is not known
		return fmt.Errorf("store records: %w", err)
	}
	p.moved = true
	p.count(b)
	return nil
}

// batch is what the items of one page come to.
type batch struct {
	records  []incident.Record
	outcomes map[string]int
	refused  []refusal
	stated   int
	said     []refusal // refusals that are new
}

// refusal is a record that could not be taken, and why.
type refusal struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// maxRefused bounds how many refused records are named.
const maxRefused = 50

// made is what is to be stored of items: the records that are new or say something else than what is stored.
func (p *Poller) made(ctx context.Context, items []Item) (*batch, error) {
	b := &batch{outcomes: map[string]int{}, refused: slices.Clone(p.state.Refused)}
	at := map[string]int{}
	for i := range items {
		it := &items[i]
		records, why := p.recordsOf(ctx, it)
		if errors.Is(why, errStored) {
			return nil, why
		}
		if why != nil {
			b.refuse(cmp.Or(it.ID, "(without id)"), why)
			continue
		}
		if len(records) == 0 {
			records = p.withdrawals(it)
		}
		for _, r := range records {
			r.Source, r.ID = p.Name(), cmp.Or(r.ID, it.ID)
			b.forgive(r.ID)
			keep, outcome, err := p.against(ctx, &r)
			if err != nil {
				return nil, err
			}
			b.outcomes[outcome]++
			if !keep {
				continue
			}
			b.stated += len(r.References.Alerts) + len(r.References.Groups)
			if j, twice := at[r.ID]; twice {
				b.records[j] = r
				continue
			}
			at[r.ID] = len(b.records)
			b.records = append(b.records, r)
		}
	}
	return b, nil
}

// withdrawals take back what may be stored of an item that is left out or gone.
func (p *Poller) withdrawals(it *Item) []incident.Record {
	if it.ID != "" {
		return []incident.Record{{ID: it.ID, Withdrawn: true}}
	}
	made, err := p.Connector.Map(it)
	if err != nil {
		return nil
	}
	var out []incident.Record
	for _, r := range made {
		out = append(out, incident.Record{ID: r.ID, Withdrawn: true})
	}
	return out
}

// recordsOf are the good records of one item; none where it is left out or gone.
func (p *Poller) recordsOf(ctx context.Context, it *Item) ([]incident.Record, error) {
	if it.Gone || (it.Private && !p.Private) {
		return nil, nil
	}
	if p.Only != nil {
		ok, err := p.Only.True(ctx, it.Raw)
		if err != nil {
			return nil, fmt.Errorf("only: %w", err)
		}
		if !ok {
			return nil, nil
		}
	}
	it.Source = p.Name()
	made, err := p.Connector.Map(it)
	if err != nil {
		return nil, err
	}
	var out []incident.Record
	for i := range made {
		r := &made[i]
		r.ID = cmp.Or(r.ID, it.ID)
		if r.UpdatedAt.IsZero() {
			r.UpdatedAt = it.Updated
		}
		if p.Map != nil {
			if r, err = p.Map.Change(ctx, r, it.Raw); err != nil {
				return nil, fmt.Errorf("map: %w", err)
			}
			if r == nil {
				continue
			}
		}
		if err := p.keep(ctx, r); err != nil {
			return nil, err
		}
		if it.Private {
			r.Title = ""
		}
		r.Source = p.Name()
		if n := r.Fit(); n > 0 {
			p.Metrics.polling.cut.WithLabelValues(p.Name()).Add(float64(n))
		}
		r.Normalize()
		if err := r.Validate(); err != nil {
			return nil, err
		}
		if err := r.CheckPast(p.Now()); err != nil {
			return nil, err
		}
		if late := p.Now().Add(futureSlack); r.UpdatedAt.After(late) {
			r.UpdatedAt = time.Time{} // it would outrank every version to come
		}
		out = append(out, *r)
	}
	return out, nil
}

// keep has the connector of a vendor that forgets keep what is stored of a record. What is stored has been through Map, so it is
// put into what Map made: it must not go through it once with every poll. Where the past is read, nothing is kept: what is stored
// may be what another Map made of it.
func (p *Poller) keep(ctx context.Context, r *incident.Record) error {
	k, ok := p.Connector.(Keeper)
	if !ok || p.Store == nil || p.anew { // Try has no store
		return nil
	}
	old, err := p.Store.Record(ctx, incident.RecordKey{Source: p.Name(), ID: r.ID})
	switch {
	case err == nil && !old.Withdrawn:
		k.Keep(r, &old)
	case err != nil && incident.CodeOf(err) != incident.CodeNotFound:
		return fmt.Errorf("%w: %w", errStored, err)
	}
	return nil
}

// errStored is an error of the store, and none of a record.
var errStored = errors.New("read stored record")

// futureSlack is how far a vendor's clock may be ahead.
const futureSlack = 5 * time.Minute

// The outcomes of a record.
const (
	outcomeStored    = "stored"
	outcomeUnchanged = "unchanged"
	outcomeSkipped   = "skipped"
	outcomeRefused   = "refused"
	outcomeWithdrawn = "withdrawn"
)

var outcomes = []string{outcomeStored, outcomeUnchanged, outcomeSkipped, outcomeRefused, outcomeWithdrawn}

// against compares a record with what is stored, and says whether it is to be stored. One that says something else counts
// although the vendor did not move its time: another mapping, or an entry of a log that came late.
func (p *Poller) against(ctx context.Context, r *incident.Record) (keep bool, outcome string, err error) {
	old, err := p.Store.Record(ctx, r.Key())
	known := err == nil
	if err != nil && incident.CodeOf(err) != incident.CodeNotFound {
		return false, "", fmt.Errorf("%w: %w", errStored, err)
	}
	switch {
	case r.Withdrawn && (!known || old.Withdrawn):
		return false, outcomeSkipped, nil
	case r.Withdrawn:
		r.UpdatedAt = time.Time{}
		return true, outcomeWithdrawn, nil
	case known && incident.Same(r, &old):
		return false, outcomeUnchanged, nil
	case known && !r.UpdatedAt.After(old.UpdatedAt):
		r.UpdatedAt = time.Time{}
	}
	return true, outcomeStored, nil
}

func (b *batch) refuse(id string, why error) {
	b.outcomes[outcomeRefused]++
	text := shown(why)
	i := slices.IndexFunc(b.refused, func(r refusal) bool { return r.ID == id })
	if i >= 0 && b.refused[i].Why == text {
		return
	}
	x := refusal{id, text}
	b.said = append(b.said, x)
	switch {
	case i >= 0:
		b.refused[i] = x
	case len(b.refused) < maxRefused:
		b.refused = append(b.refused, x)
	}
}

// forgive forgets that a record was refused.
func (b *batch) forgive(id string) {
	b.refused = slices.DeleteFunc(b.refused, func(r refusal) bool { return r.ID == id })
}

// count tells metrics and log of what was stored.
func (p *Poller) count(b *batch) {
	for outcome, n := range b.outcomes {
		p.Metrics.polling.records.WithLabelValues(p.Name(), outcome).Add(float64(n))
	}
	p.Metrics.polling.stated.WithLabelValues(p.Name()).Add(float64(b.stated))
	for _, r := range b.said {
		p.log.Warn("Record refused, the others are taken", "record", p.Name()+"/"+r.ID, "err", r.Why)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = slices.Clone(p.state.Refused)
}

// Notes implements Noter: what was refused.
func (p *Poller) Notes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.said()
	for i, r := range p.refused {
		if i == 3 {
			out = append(out, fmt.Sprintf("%d more records were refused; the log names them", len(p.refused)-i))
			break
		}
		out = append(out, fmt.Sprintf("record %s was refused: %s", r.ID, r.Why))
	}
	return out
}

// said is what the connector says of the other side's settings.
func (p *Poller) said() []string {
	if n, ok := p.Connector.(Noter); ok {
		return n.Notes()
	}
	return nil
}

// tell logs what the connector says and did not say before.
func (p *Poller) tell() {
	notes := p.said()
	for _, note := range notes {
		if !slices.Contains(p.told, note) {
			p.log.Warn("Source is not read whole", "why", note)
		}
	}
	p.told = notes
}

// Progress implements Progresser.
func (p *Poller) Progress() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// load reads how far reading is, at the first poll and where a write left that open.
func (p *Poller) load(ctx context.Context) error {
	if p.loaded {
		return nil
	}
	marks, err := p.Store.Marks(ctx, p.Name())
	if err != nil {
		return fmt.Errorf("read marks: %w", err)
	}
	p.state = readState(marks, p.Kind)
	if p.state.cursor.At.IsZero() {
		now := p.Now().UTC()
		p.state.cursor.At = now
		if p.traits.NoMade {
			p.state.cursor.At = now.Add(-p.Backfill)
		}
		p.state.past.DoneTo = now
		p.state.sweep.At = now
	}
	p.loaded, p.sweeping = true, nil
	p.mu.Lock()
	p.refused = slices.Clone(p.state.Refused)
	p.mu.Unlock()
	return nil
}

// state is how far a source has been read.
type state struct {
	cursor  cursorState
	past    pastState
	sweep   sweepState
	Refused []refusal

	written map[string]string // marks as they are stored
}

type cursorState struct {
	At     time.Time `json:"at"` // everything that changed before is read
	Behind bool      `json:"behind,omitempty"`
	Run    *reading  `json:"run,omitempty"`
}

func (s *state) clone() state {
	c := *s
	if s.cursor.Run != nil {
		r := *s.cursor.Run
		c.cursor.Run = &r
	}
	if s.past.Run != nil {
		r := *s.past.Run
		c.past.Run = &r
	}
	c.Refused = slices.Clone(s.Refused)
	c.written = maps.Clone(s.written)
	return c
}

// Names of marks.
const (
	markKind     = "kind"
	markCursor   = "cursor"
	markBackfill = "backfill"
	markSweep    = "sweep"
	markRefused  = "refused"
	// MarkRing is written by whoever took a vendor's webhook, so that the process that polls asks at once.
	MarkRing = "ring"
)

// readState reads the marks of a source. Those of another kind of source count for nothing.
func readState(marks []incident.Mark, kind string) state {
	s := state{written: map[string]string{}}
	byName := map[string]string{}
	for _, m := range marks {
		byName[m.Name] = m.Value
	}
	if byName[markKind] != kind {
		return s
	}
	for name, to := range map[string]any{markCursor: &s.cursor, markBackfill: &s.past, markSweep: &s.sweep, markRefused: &s.Refused} {
		if v := byName[name]; v != "" && json.Unmarshal([]byte(v), to) != nil {
			return state{written: map[string]string{}} // of a later version, or damaged: everything is read again
		}
	}
	s.written = byName
	return s
}

// marks are those to be written: what differs from what is stored.
func (s *state) marks(source, kind string) []incident.Mark {
	var out []incident.Mark
	add := func(name, value string) {
		if s.written[name] != value {
			out = append(out, incident.Mark{Source: source, Name: name, Value: value})
			s.written[name] = value
		}
	}
	add(markKind, kind)
	for name, from := range map[string]any{markCursor: s.cursor, markBackfill: s.past, markSweep: s.sweep} {
		text, _ := json.Marshal(from) // times and texts
		add(name, string(text))
	}
	refused := ""
	if len(s.Refused) > 0 {
		text, _ := json.Marshal(s.Refused)
		refused = string(text)
	}
	add(markRefused, refused)
	return out
}
