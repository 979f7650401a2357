package correlate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"meantime/incident"
)

// FactsReader is the part of a store that correlation reads. See package store for what each method promises.
type FactsReader interface {
	Changes(ctx context.Context, after int64, limit int) ([]incident.Change, error)
	Extent(ctx context.Context) (from, to time.Time, err error)
	Sightings(ctx context.Context, from, to time.Time) ([]incident.Sighting, error)
	SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error)
	Records(ctx context.Context, from, to time.Time) ([]incident.Record, error)
	Record(ctx context.Context, k incident.RecordKey) (incident.Record, error)
	Reviews(ctx context.Context) ([]incident.Review, error)
	Review(ctx context.Context, id string) (incident.Review, error)
	Silences(ctx context.Context, from, to time.Time) ([]incident.Silence, error)
	Beats(ctx context.Context, from, to time.Time) ([]incident.Beat, error)
	Reach(ctx context.Context) ([]incident.Life, []incident.Sender, error)
	Position(ctx context.Context) (cursor int64, rules string, err error)
	Incident(ctx context.Context, id string) (incident.Incident, error)
	EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error]
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
}

// Options are what a Runner needs. Facts, Rules and Deliver are required.
type Options struct {
	Facts FactsReader
	Rules Rules
	// Now is the clock; nil means time.Now.
	Now     func() time.Time
	Logger  *slog.Logger // nil means silent
	Metrics *Metrics     // nil means not exposed
	// Deliver stores and publishes what a pass found new, changed or gone: all of an incident.Pass but Observed and Token.
	// Incidents carry no measurements yet. Until it returns nil the pass counts as not delivered, and is delivered again
	// before any other. It is never called twice at once.
	Deliver func(context.Context, incident.Pass) error
	// Progress is told how far it is where everything is worked out, and why that is. nil: nobody wants to know.
	Progress func(why Why, done, total int64)
	// Part is how many alerts are worked out before they are delivered as a part, where everything is; 0 for the usual
	// number, which is large.
	Part int
}

// Why is why everything is worked out.
type Why int

// The reasons.
const (
	// Restarted: what is stored, and so what is shown, is right already.
	Restarted Why = iota
	// FirstTime: nothing was worked out before.
	FirstTime
	// OtherRules: what is shown is by other rules until everything is worked out.
	OtherRules
)

// Runner follows the store's feed of changes and keeps incidents and verdicts what Correlate would make of all facts. It
// tells what changed to a book, and delivers what became different. A start and new rules are a book that is told
// everything.
type Runner struct {
	facts   FactsReader
	now     func() time.Time
	logger  *slog.Logger
	deliver func(context.Context, incident.Pass) error
	metrics *Metrics
	told    func(why Why, done, total int64)

	rules atomic.Pointer[ruleSet]
	wake  chan struct{}
	sizes sizes

	// What follows belongs to the goroutine of Run.
	book    *book // nil before it was told everything
	cache   *cache
	current *ruleSet // of the book
	cursor  int64
	pending *incident.Pass // was not delivered
}

// ruleSet are rules with their digest.
type ruleSet struct {
	Rules
	digest string
}

func newRuleSet(rules Rules) *ruleSet { return &ruleSet{Rules: rules, digest: rules.Digest()} }

// NewRunner makes a Runner. Nothing happens before Run.
func NewRunner(o Options) *Runner {
	r := &Runner{
		facts:   o.Facts,
		now:     o.Now,
		logger:  o.Logger,
		deliver: o.Deliver,
		metrics: o.Metrics,
		told:    o.Progress,
		wake:    make(chan struct{}, 1),
		sizes:   usualSizes,
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.metrics == nil {
		r.metrics = NewMetrics(nil)
	}
	if r.told == nil {
		r.told = func(Why, int64, int64) {}
	}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	if o.Part > 0 {
		r.sizes.flush = o.Part
	}
	r.rules.Store(newRuleSet(o.Rules))
	return r
}

// Notify says that facts were stored. It never blocks; calls that come while a pass runs are one call.
func (r *Runner) Notify() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// SetRules gives the Runner new rules. Where they differ from the old ones everything is computed again, and delivered
// as one delta with Reset; until then readers see what the old rules made.
func (r *Runner) SetRules(rules Rules) {
	r.rules.Store(newRuleSet(rules))
	r.Notify()
}

const (
	pollEvery  = 5 * time.Second // changes that nobody notified of, such as another replica's
	retryAfter = time.Second     // doubled up to retryMost while the store is down
	retryMost  = 30 * time.Second
	// Facts wake the Runner when no more came for quiet, and after a pass it rests for restShare times as long as that took,
	// but no facts wait for longer than restMost.
	quiet     = 50 * time.Millisecond
	restShare = 3
	restMost  = time.Second
)

// Run works until the context ends, and returns its error.
func (r *Runner) Run(ctx context.Context) error {
	wait := retryAfter
	for {
		begun := time.Now()
		err := r.CatchUp(ctx)
		ended := time.Now()
		pause := pollEvery
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.metrics.failures.Inc()
			r.logger.Error("Correlation pass ended early", "err", err, "retry_in", wait)
			pause, wait = wait, min(2*wait, retryMost)
		default:
			wait = retryAfter
			if next := r.book.next(); !next.IsZero() {
				pause = min(pause, next.Sub(r.now()))
			}
			if pause <= 0 {
				continue // it is due already
			}
		}
		timer := time.NewTimer(pause)
		wake := r.wake
		if err != nil {
			wake = nil // a store that is down is not asked more often because facts are tried
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-wake:
			timer.Stop()
			if err := r.rest(ctx, ended, ended.Sub(begun)); err != nil {
				return err
			}
		case <-timer.C:
		}
	}
}

// rest waits for a quiet moment after a pass that ended and took so long, and returns the context's error. A storm of facts
// is worked off in few passes: whoever brings them needs the machine too.
func (r *Runner) rest(ctx context.Context, ended time.Time, took time.Duration) error {
	woken, rested := time.Now(), ended.Add(min(restShare*took, restMost))
	wait := func() time.Duration { return min(max(quiet, time.Until(rested)), restMost-time.Since(woken)) }
	timer := time.NewTimer(wait())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.wake:
			timer.Reset(wait())
		case <-timer.C:
			return nil
		}
	}
}

// CatchUp brings everything up to date once. It is what Run does, for who has facts to work through and no daemon to run; it
// must not be called while Run runs.
func (r *Runner) CatchUp(ctx context.Context) error {
	for more := true; more; {
		var err error
		if more, err = r.once(ctx); err != nil {
			return err
		}
	}
	return nil
}

// once is one pass, and says whether there is more to do.
func (r *Runner) once(ctx context.Context) (more bool, err error) {
	begun := time.Now()
	if r.pending != nil {
		if err := r.send(ctx, *r.pending, begun); err != nil {
			return false, err
		}
	}
	rules := r.rules.Load()
	if r.book == nil || r.current.digest != rules.digest {
		if err := r.rebuild(ctx, rules); err != nil {
			r.book = nil
			return false, err
		}
		return true, nil
	}
	r.book.now = r.now()
	changes, more, err := r.read(ctx)
	if err != nil {
		return false, err
	}
	cursor := r.cursor
	if n := len(changes); n > 0 {
		cursor = changes[n-1].Seq
	}
	if err := r.tell(ctx, changes); err != nil {
		return false, err
	}
	r.book.expire()
	if cursor == r.cursor && r.book.calm() {
		return false, nil
	}
	if err := r.book.settle(ctx, r.cache, nil); err != nil {
		return false, err
	}
	d, err := r.book.show(ctx, r.cache, nil)
	if err != nil {
		r.book = nil // what it had worked out of it is not told; a new one compares with what is stored
		return false, err
	}
	p := incident.Pass{
		Cursor:    cursor,
		Rules:     rules.digest,
		Blind:     r.book.blind,
		Incidents: d.incidents,
		Removed:   d.removed,
		Verdicts:  d.verdicts,
		Gone:      d.gone,
	}
	return more, r.send(ctx, p, begun)
}

// send delivers a pass, which stays pending until that was done.
func (r *Runner) send(ctx context.Context, p incident.Pass, begun time.Time) error {
	r.pending = &p
	if err := r.deliver(ctx, p); err != nil {
		return err
	}
	r.pending, r.cursor = nil, p.Cursor
	r.metrics.pass(time.Since(begun), len(p.Incidents), len(p.Verdicts))
	return nil
}

const mostChanges = 10_000

// read reads the feed; a long one is worked off in several passes, so that none holds all of it.
func (r *Runner) read(ctx context.Context) (changes []incident.Change, more bool, err error) {
	after := r.cursor
	for range 5 {
		list, err := r.facts.Changes(ctx, after, mostChanges)
		if err != nil {
			return nil, false, err
		}
		changes = append(changes, list...)
		if more = len(list) == mostChanges; !more {
			break
		}
		after = list[len(list)-1].Seq
	}
	return changes, more, nil
}

// tell tells the book what changed. Telling it again does no harm, so an error leaves nothing behind.
func (r *Runner) tell(ctx context.Context, changes []incident.Change) error {
	prints, records, silences := map[string]bool{}, map[incident.RecordKey]bool{}, map[string]incident.Change{}
	reviews, beats := map[string]bool{}, false
	for _, c := range changes {
		switch c.Kind {
		case incident.ChangeSighting:
			prints[c.Key] = true
		case incident.ChangeRecord:
			records[recordKey(c.Key)] = true
		case incident.ChangeReview:
			reviews[c.Key] = true
		case incident.ChangeSilence:
			silences[c.Key] = c
		case incident.ChangeBeat:
			beats = true
		case incident.ChangeReach:
			for f := range r.book.during(c.From, c.To) {
				prints[f] = true
			}
		}
	}
	if len(prints) > 0 {
		if err := r.reach(ctx); err != nil {
			return err
		}
	}
	for f := range r.book.due() {
		prints[f] = true
	}
	if err := r.tellPrints(ctx, sortedKeys(prints)); err != nil {
		return err
	}
	for _, k := range slices.SortedFunc(maps.Keys(records), compareRecords) {
		rec, err := r.facts.Record(ctx, k)
		switch {
		case incident.CodeOf(err) == incident.CodeNotFound && err != nil:
			rec = incident.Record{Source: k.Source, ID: k.ID, Withdrawn: true}
		case err != nil:
			return err
		}
		r.book.tellRecord(&rec)
	}
	for _, id := range sortedKeys(silences) {
		c := silences[id]
		list, err := r.facts.Silences(ctx, c.From, c.To)
		if err != nil {
			return err
		}
		for _, s := range list {
			if s.ID == id {
				r.book.tellSilence(s)
			}
		}
	}
	if err := r.review(ctx, sortedKeys(reviews)); err != nil {
		return err
	}
	return r.watch(ctx, beats)
}

// fewReviews are read one by one, more all at once.
const fewReviews = 100

// review tells the book of reviews that are new or otherwise than they were.
func (r *Runner) review(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	all := len(ids) > fewReviews
	var some []incident.Review
	for i := 0; i < len(ids) && !all; i++ {
		v, ok, err := stored(r.facts.Review(ctx, ids[i]))
		if err != nil {
			return err
		}
		some, all = append(some, v), !ok // a feed written by an earlier version has the ids of incidents
	}
	if all {
		list, err := r.facts.Reviews(ctx)
		if err != nil {
			return err
		}
		r.book.tellReviews(list)
		return nil
	}
	r.book.tellReviews(replaced(r.book.reviews.all, some))
	return nil
}

// replaced is a list of reviews with some others in it, in the place of those of the same ids, in the order in which a store
// gives them.
func replaced(list, some []incident.Review) []incident.Review {
	ids := make(map[string]bool, len(some))
	for i := range some {
		ids[some[i].ID] = true
	}
	out := slices.DeleteFunc(slices.Clone(list), func(v incident.Review) bool { return ids[v.ID] })
	out = append(out, some...)
	slices.SortFunc(out, func(a, b incident.Review) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return out
}

// reach reads who could tell of alerts, and when.
func (r *Runner) reach(ctx context.Context) error {
	lives, senders, err := r.facts.Reach(ctx)
	r.book.reach = incident.NewReach(lives, senders)
	return err
}

// during are the alerts that fired in a stretch of time.
func (b *book) during(from, to time.Time) iter.Seq[string] {
	return func(yield func(string) bool) {
		for f, s := range b.series {
			if slices.ContainsFunc(s.entries, func(e *entry) bool { return e.start <= to.UnixNano() && e.end >= from.UnixNano() }) &&
				!yield(f) {
				return
			}
		}
	}
}

// tellPrints tells the book all episodes of some alerts.
func (r *Runner) tellPrints(ctx context.Context, prints []string) error {
	for len(prints) > 0 {
		some := prints[:min(len(prints), 500)]
		prints = prints[len(some):]
		list, err := r.facts.SightingsOf(ctx, some)
		if err != nil {
			return err
		}
		of := map[string][]incident.Sighting{}
		for _, s := range list {
			of[s.Fingerprint] = append(of[s.Fingerprint], s)
		}
		for _, f := range some {
			r.book.tell(f, r.book.episodes(of[f]))
		}
	}
	return nil
}

// watch tells the book when watchdogs were silent. beats says that signs of life came.
func (r *Runner) watch(ctx context.Context, beats bool) error {
	dogs := r.book.rules.Watchdogs
	if len(dogs) == 0 {
		return nil
	}
	if beats || r.cache.beats == nil {
		list, err := r.facts.Beats(ctx, time.Time{}, time.Time{})
		if err != nil {
			return err
		}
		r.cache.beats = list
	}
	r.book.tellBlind(blindness(dogs, r.cache.beats, r.book.now))
	return nil
}

// edition counts up whenever this program makes something else of the same facts and rules than the one before it: what a
// store derived by an earlier edition is then worked out again when it is opened.
const edition = 11

// Digest names the rules by their content, and what this program makes of them: rules that decide the same have the same
// digest.
func (r *Rules) Digest() string {
	b, err := json.Marshal(struct {
		Edition int
		*Rules
	}{edition, r})
	if err != nil {
		return err.Error() // no rule holds what JSON cannot: it would differ from every digest, and be computed again
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

func recordKey(s string) incident.RecordKey {
	for i := range len(s) {
		if s[i] == '/' {
			return incident.RecordKey{Source: s[:i], ID: s[i+1:]}
		}
	}
	return incident.RecordKey{Source: s}
}

// stored says whether a store has what was read; that it has not is no error here.
func stored[T any](v T, err error) (T, bool, error) {
	if err != nil && incident.CodeOf(err) == incident.CodeNotFound {
		return v, false, nil
	}
	return v, err == nil, err
}

// same says whether an incident is what is stored of it.
func same(a, b *incident.Incident) bool {
	if len(a.Links) != len(b.Links) { // of most that differ this is what does, and there may be many
		return false
	}
	x, y := *a, *b
	x.Measurements, y.Measurements = nil, nil
	p, err1 := json.Marshal(&x)
	q, err2 := json.Marshal(&y)
	return errors.Join(err1, err2) == nil && bytes.Equal(p, q)
}

// next is when time alone changes an answer; zero for never.
func (b *book) next() time.Time {
	var next time.Time
	if b == nil {
		return next
	}
	for _, t := range b.firing {
		next = incident.Earliest(next, t)
	}
	for _, p := range b.parts {
		next = incident.Earliest(next, p.next)
	}
	return next
}

// due are the alerts of which nothing was heard for too long.
func (b *book) due() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range sortedKeys(b.firing) {
			if !b.firing[f].After(b.now) && !yield(f) {
				return
			}
		}
	}
}

// expire marks the incidents that time alone changes.
func (b *book) expire() {
	for _, p := range b.parts {
		if !p.next.IsZero() && !p.next.After(b.now) {
			b.touched[p] = true
		}
	}
}

// calm says that nothing is marked.
func (b *book) calm() bool {
	return len(b.dirty)+len(b.reordered)+len(b.reweek)+len(b.touched)+len(b.judged)+len(b.gone)+len(b.mutings.unsure) == 0 &&
		!b.renamed && !b.relearn &&
		!b.recount &&
		!b.regrouped &&
		!b.told
}

// tellBlind takes in the stretches in which watchdogs were silent, and marks the incidents of those that changed.
func (b *book) tellBlind(blind map[string][]incident.Impact) {
	var turned []incident.Impact
	for _, pair := range [][2]map[string][]incident.Impact{{b.blind, blind}, {blind, b.blind}} {
		for name, list := range pair[0] {
			for _, w := range list {
				if !slices.Contains(pair[1][name], w) {
					turned = append(turned, w)
				}
			}
		}
	}
	b.blind = blind
	if len(turned) == 0 {
		return
	}
	b.told = true
	for _, p := range b.parts {
		for _, w := range turned {
			if !w.From.After(p.to) && (w.To.IsZero() || !w.To.Before(p.from)) {
				b.touched[p] = true
			}
		}
	}
}
