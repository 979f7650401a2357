package correlate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"log/slog"
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
	Silences(ctx context.Context, from, to time.Time) ([]incident.Silence, error)
	Beats(ctx context.Context, from, to time.Time) ([]incident.Beat, error)
	Reach(ctx context.Context) ([]incident.Life, []incident.Sender, error)
	Position(ctx context.Context) (cursor int64, rules string, err error)
	Incident(ctx context.Context, id string) (incident.Incident, error)
	IncidentsTouching(ctx context.Context, from, to time.Time) ([]incident.Incident, error)
	EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error]
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
	Firing(ctx context.Context) ([]incident.Verdict, error)
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
	// Incidents carry no measurements yet. Until it returns nil the pass counts as not delivered, and what it held is
	// delivered again, with whatever came since. It is never called twice at once.
	Deliver func(context.Context, incident.Pass) error
}

// Runner follows the store's feed of changes and keeps incidents and verdicts what Correlate would make of all facts. A
// pass reads and computes the stretches of time that a change can reach, and nothing else.
type Runner struct {
	facts   FactsReader
	now     func() time.Time
	logger  *slog.Logger
	deliver func(context.Context, incident.Pass) error
	metrics *Metrics

	rules atomic.Pointer[ruleSet]
	wake  chan struct{}
	handy int // how many alerts a store may hold for a desk to know all of them

	// What follows belongs to the goroutine of Run.
	started bool
	cursor  int64
	current string // digest of the rules of the newest delivered pass
	clock   clock
	hearts  hearts
	desk    *desk    // nil for none
	again   []string // ids of incidents that reviews name, to be looked at again
}

// ruleSet are rules with their digest.
type ruleSet struct {
	Rules
	digest string
	dir    *directory // for the goroutine of Run
}

func newRuleSet(rules Rules) *ruleSet {
	r := &ruleSet{Rules: rules, digest: rules.Digest()}
	r.dir = newDirectory(&r.Rules, nil)
	return r
}

// NewRunner makes a Runner. Nothing happens before Run.
func NewRunner(o Options) *Runner {
	r := &Runner{facts: o.Facts, now: o.Now, logger: o.Logger, deliver: o.Deliver, metrics: o.Metrics, wake: make(chan struct{}, 1), handy: handyAlerts}
	if r.now == nil {
		r.now = time.Now
	}
	if r.metrics == nil {
		r.metrics = NewMetrics(nil)
	}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
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
	// After a pass the Runner rests for restShare times as long as it took, restMost at most, before facts wake it again.
	restShare = 3
	restMost  = 500 * time.Millisecond
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
			if next := r.clock.next(); !next.IsZero() {
				pause = min(pause, max(0, next.Sub(r.now())))
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
			// A storm of facts is worked off in few passes: whoever brings them needs the machine too.
			rest := time.NewTimer(min(restShare*ended.Sub(begun), restMost) - time.Since(ended))
			select {
			case <-ctx.Done():
				rest.Stop()
				return ctx.Err()
			case <-rest.C:
			}
		case <-timer.C:
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
	rules, now := r.rules.Load(), r.now()
	silent := r.hearts.silent
	defer func() {
		if err != nil {
			r.hearts.silent = silent // so that it is told again
		}
	}()
	rules.dir.ctx = ctx
	defer rules.dir.guard(&err, func() { r.desk = nil })
	if !r.started {
		if err := r.start(ctx, rules, now); err != nil {
			return false, err
		}
	}
	begun := time.Now()
	todo, err := r.todo(ctx, now)
	if err != nil {
		return false, err
	}
	blind, err := r.hearts.beat(ctx, r.facts, rules.Watchdogs, todo.beats, now)
	if err != nil {
		return false, err
	}
	todo.stretches = append(todo.stretches, blind...)
	lives, senders, err := r.facts.Reach(ctx)
	if err != nil {
		return false, err
	}
	p := &pass{Runner: r, rules: rules, dir: rules.dir, now: now, todo: todo, reach: incident.NewReach(lives, senders), moments: map[string]moment{}}
	switch {
	case rules.digest != r.current:
		err = p.everything(ctx)
	case len(todo.stretches)+len(todo.due)+len(todo.reviewed) > 0 || todo.cursor != r.cursor:
		err = p.changes(ctx)
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.metrics.pass(time.Since(begun), p.incidents, p.verdicts)
	return todo.more || len(r.again) > 0, nil
}

// start takes up where the newest pass stored left off.
func (r *Runner) start(ctx context.Context, rules *ruleSet, now time.Time) error {
	var err error
	if r.cursor, r.current, err = r.facts.Position(ctx); err != nil {
		return err
	}
	// What the clock alone changed while nobody looked: whatever was open or fired.
	r.clock = clock{}
	for in, err := range r.facts.EachIncident(ctx, now.AddDate(1000, 0, 0)) {
		if err != nil {
			return err
		}
		from, to := in.Span()
		for k := 0; from.IsZero() && k < len(in.Records); k++ { // of which no record tells a milestone
			rec, _, err := stored(r.facts.Record(ctx, in.Records[k]))
			if err != nil {
				return err
			}
			from, to = rec.Span()
		}
		r.clock.set(in.ID, moment{at: now, of: stretch{from, to}})
	}
	firing, err := r.facts.Firing(ctx)
	if err != nil {
		return err
	}
	fires := map[incident.EpisodeKey]bool{}
	prints := map[string][]incident.Sighting{}
	for i := range firing {
		k := utc(firing[i].Episode.Key())
		fires[k], prints[k.Fingerprint] = true, nil
	}
	list, err := r.facts.SightingsOf(ctx, sortedKeys(prints))
	if err != nil {
		return err
	}
	for _, s := range list {
		prints[s.Fingerprint] = append(prints[s.Fingerprint], s)
	}
	for _, list := range prints {
		for _, e := range incident.Episodes(list, rules.Silence, now) {
			if k := utc(e.Key()); fires[k] {
				m := moment{now, stretch{e.StartsAt, e.StartsAt}, e.Fingerprint}
				if e.Firing() {
					m.at = e.LastSeen.Add(rules.Silence + 1)
				}
				r.clock.set(k.String(), m)
			}
		}
	}
	if _, err := r.hearts.load(ctx, r.facts, rules.Watchdogs, now); err != nil {
		return err
	}
	r.started = true
	return nil
}

// edition counts up whenever this program makes something else of the same facts and rules than the one before it: what a
// store derived by an earlier edition is then worked out again when it is opened.
const edition = 2

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
