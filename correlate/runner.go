package correlate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"meantime/incident"
)

// FactsReader is the part of a store that correlation reads. See package store for what each method promises.
type FactsReader interface {
	Changes(ctx context.Context, after int64, limit int) ([]incident.Change, error)
	Sightings(ctx context.Context, from, to time.Time) ([]incident.Sighting, error)
	SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error)
	Records(ctx context.Context, from, to time.Time) ([]incident.Record, error)
	Reviews(ctx context.Context) ([]incident.Review, error)
	Silences(ctx context.Context, from, to time.Time) ([]incident.Silence, error)
	Beats(ctx context.Context, from, to time.Time) ([]incident.Beat, error)
	Position(ctx context.Context) (cursor int64, rules string, err error)
	IncidentsTouching(ctx context.Context, from, to time.Time) ([]incident.Incident, error)
}

// Delta is what a pass found new, changed or gone.
type Delta struct {
	// Cursor, Rules, Reset, Removed, Gone, Incidents and Verdicts are those of an incident.Pass. Incidents carry no
	// measurements yet.
	Cursor    int64
	Rules     string
	Reset     bool
	Removed   []string
	Gone      []incident.EpisodeKey
	Incidents []incident.Incident
	Verdicts  []incident.Verdict
	// Blind are the stretches in which a watchdog was silent, all of them, by watchdog.
	Blind map[string][]incident.Impact
}

// Options are what a Runner needs. Facts, Rules and Deliver are required.
type Options struct {
	Facts FactsReader
	Rules Rules
	// Now is the clock; nil means time.Now.
	Now     func() time.Time
	Logger  *slog.Logger // nil means silent
	Metrics *Metrics     // nil means not exposed
	// Deliver stores and publishes a delta. Until it returns nil the delta counts as not delivered, and what it held is
	// delivered again, with whatever came since. It is never called twice at once.
	Deliver func(context.Context, Delta) error
}

// Runner follows the store's feed of changes and keeps incidents and verdicts what Correlate would make of all facts.
type Runner struct {
	facts   FactsReader
	now     func() time.Time
	logger  *slog.Logger
	deliver func(context.Context, Delta) error
	metrics *Metrics

	rules atomic.Pointer[ruleSet]
	wake  chan struct{}

	cursor    int64
	current   string            // digest of the rules of the newest delivered pass
	incidents map[string]string // id -> digest of what was delivered
	verdicts  map[incident.EpisodeKey]string
	next      time.Time // when the clock alone changes something
}

// ruleSet are rules with their digest.
type ruleSet struct {
	Rules
	digest string
}

// NewRunner makes a Runner. Nothing happens before Run.
func NewRunner(o Options) *Runner {
	r := &Runner{facts: o.Facts, now: o.Now, logger: o.Logger, deliver: o.Deliver, metrics: o.Metrics, wake: make(chan struct{}, 1)}
	if r.now == nil {
		r.now = time.Now
	}
	if r.metrics == nil {
		r.metrics = NewMetrics(nil)
	}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	r.rules.Store(&ruleSet{o.Rules, o.Rules.Digest()})
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
	r.rules.Store(&ruleSet{rules, rules.Digest()})
	r.Notify()
}

const (
	pollEvery  = 5 * time.Second // changes that nobody notified of, such as another replica's
	retryAfter = time.Second     // doubled up to retryMost while the store is down
	retryMost  = 30 * time.Second
)

// Run works until the context ends, and returns its error.
func (r *Runner) Run(ctx context.Context) error {
	wait := retryAfter
	for {
		err := r.pass(ctx)
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
			if !r.next.IsZero() {
				pause = min(pause, max(0, r.next.Sub(r.now())))
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
		case <-timer.C:
		}
	}
}

// CatchUp brings everything up to date once, for who has facts to work through and no daemon to run. It must not be called
// while Run runs.
func (r *Runner) CatchUp(ctx context.Context) error { return r.pass(ctx) }

// pass brings everything up to date once.
func (r *Runner) pass(ctx context.Context) error {
	rules, now := r.rules.Load(), r.now()
	first := r.incidents == nil
	if first {
		cursor, digest, err := r.facts.Position(ctx)
		if err != nil {
			return err
		}
		r.cursor, r.current = cursor, digest
	}
	const most = 10_000
	cursor, changed := r.cursor, false
	for {
		changes, err := r.facts.Changes(ctx, cursor, most)
		if err != nil {
			return err
		}
		for _, c := range changes {
			cursor, changed = c.Seq, true
		}
		if len(changes) < most {
			break
		}
	}
	reset := first || rules.digest != r.current
	if !changed && !reset && (r.next.IsZero() || now.Before(r.next)) {
		return nil
	}
	begun := time.Now()
	f, err := r.load(ctx)
	if err != nil {
		return err
	}
	res := Correlate(f, &rules.Rules, now)
	d := Delta{Cursor: cursor, Rules: rules.digest, Reset: reset, Blind: res.Blind}
	incidents, verdicts := map[string]string{}, map[incident.EpisodeKey]string{}
	for _, in := range res.Incidents {
		incidents[in.ID] = digest(in)
		if reset || r.incidents[in.ID] != incidents[in.ID] {
			d.Incidents = append(d.Incidents, in)
		}
	}
	for _, v := range res.Verdicts {
		k := v.Episode.Key()
		verdicts[k] = digest(v)
		if reset || r.verdicts[k] != verdicts[k] {
			d.Verdicts = append(d.Verdicts, v)
		}
	}
	if !reset {
		for id := range r.incidents {
			if _, ok := incidents[id]; !ok {
				d.Removed = append(d.Removed, id)
			}
		}
		for k := range r.verdicts {
			if _, ok := verdicts[k]; !ok {
				d.Gone = append(d.Gone, k)
			}
		}
	}
	if err := r.deliver(ctx, d); err != nil {
		return err
	}
	r.cursor, r.current, r.incidents, r.verdicts = cursor, rules.digest, incidents, verdicts
	r.next = now.Add(time.Minute)
	r.metrics.pass(time.Since(begun), len(d.Incidents), len(d.Verdicts))
	return nil
}

// load reads all facts.
func (r *Runner) load(ctx context.Context) (incident.Facts, error) {
	var f incident.Facts
	var err error
	from, to := time.Unix(0, 0).UTC(), r.now().AddDate(100, 0, 0)
	if f.Sightings, err = r.facts.Sightings(ctx, from, to); err != nil {
		return f, err
	}
	if f.Records, err = r.facts.Records(ctx, time.Time{}, time.Time{}); err != nil {
		return f, err
	}
	if f.Reviews, err = r.facts.Reviews(ctx); err != nil {
		return f, err
	}
	if f.Silences, err = r.facts.Silences(ctx, from, to); err != nil {
		return f, err
	}
	f.Beats, err = r.facts.Beats(ctx, from, to)
	return f, err
}

// Digest names the rules by their content: rules that decide the same have the same digest.
func (r *Rules) Digest() string { return digest(r) }

// digest is a short hash of a value's JSON form, which writes maps in the order of their keys.
func digest(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error() // no type here holds what JSON cannot: it would differ from every digest, and be delivered again
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}
