package storetest

import (
	"context"
	"errors"
	"flag"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

// ErrInjected is what a call fails with that a test has broken. What a store makes of it must wrap it.
var ErrInjected = errors.New("an injected fault")

// Fault is what becomes of a call to the database.
type Fault int

const (
	// Works is the call as it is.
	Works Fault = iota
	// Fails is a call that is not made and fails; the connection stays.
	Fails
	// Breaks is a call that is not made, and the connection is gone.
	Breaks
	// Loses is a call that is made, but the connection is gone before its answer comes. Of calls that are not a COMMIT it
	// would be the same as Breaks to the database.
	Loses
)

// Faults decides which call to the database fails. The store under test asks it before each.
type Faults struct {
	mu    sync.Mutex
	kind  Fault // Works where nothing is to fail
	left  int   // calls until it is the one
	count int   // calls that failed
}

// Call says what becomes of the next call; commit says that it is a COMMIT.
func (f *Faults) Call(commit bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kind == Works || f.kind == Loses && !commit {
		return Works
	}
	if f.left--; f.left > 0 {
		return Works
	}
	kind := f.kind
	f.kind = Works
	f.count++
	return kind
}

// arm makes the n-th call from now fail, and says whether it did: not where another one waits to fail.
func (f *Faults) arm(kind Fault, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kind != Works {
		return false
	}
	f.kind, f.left = kind, n
	return true
}

// disarm says whether the call that was to fail was made.
func (f *Faults) disarm() (fired bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fired = f.kind == Works
	f.kind = Works
	return fired
}

// RunFaulty holds a store to its contract while calls to its database fail. open gives an empty store that asks Faults
// before each call, and closes it at the end of the test.
//
// The whole suite runs with a failure in each operation, at its first call to the database, at the next operation of that
// kind at its second, and so on, and with a second try after each failure: nothing may show that there was a first. Where
// the answer to a COMMIT is lost the second try may be told that it changed nothing, so there two stores are compared.
func RunFaulty(t *testing.T, open func(t *testing.T, f *Faults) store.Store) {
	RunFailing(t, open)
	for name, kind := range map[string]Fault{"breaks": Breaks, "loses": Loses} {
		t.Run("a call "+name, func(t *testing.T) {
			f := &Faults{}
			testTwins(t, open(t, &Faults{}), open(t, f), f, kind)
		})
	}
	t.Run("answers lost by many at once", func(t *testing.T) {
		f := &Faults{}
		testLostConcurrently(t, open(t, f), f)
	})
}

// RunFailing is the part of RunFaulty in which calls are not made and fail, which is all that calls of the file system can do.
func RunFailing(t *testing.T, open func(t *testing.T, f *Faults) store.Store) {
	fewerChecks(t)
	places := &places{at: map[string]place{}}
	Run(t, func(t *testing.T) store.Store {
		f := &Faults{}
		return &retrying{Store: open(t, f), faults: f, places: places}
	})
	t.Run("a call fails", func(t *testing.T) {
		f := &Faults{}
		testTwins(t, open(t, &Faults{}), open(t, f), f, Fails)
	})
}

// fewerChecks bounds the property tests until the end of the test: here each of their operations is a case.
func fewerChecks(t *testing.T) {
	const name = "rapid.checks"
	before := flag.Lookup(name).Value.String()
	require.NoError(t, flag.Set(name, "20"))
	t.Cleanup(func() { require.NoError(t, flag.Set(name, before)) })
}

// places remember where the next operation of each kind is to fail.
type places struct {
	mu sync.Mutex
	at map[string]place
}

type place struct {
	call int // from 0
	kind Fault
}

func (p *places) next(operation string) place {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[operation]
}

// passed says whether the operation came to its place. After the last one it begins again, with the other kind of fault.
func (p *places) passed(operation string, fired bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.at[operation]
	at.call++
	if !fired {
		at = place{kind: Fails + Breaks - max(at.kind, Fails)}
	}
	p.at[operation] = at
}

// retrying is a store in which every operation fails once, and is tried again.
type retrying struct {
	store.Store
	faults *Faults
	places *places
}

func (r *retrying) try(operation string, do func() error) error {
	at := r.places.next(operation)
	armed := r.faults.arm(max(at.kind, Fails), at.call+1)
	err := do()
	if armed {
		r.places.passed(operation, r.faults.disarm())
	}
	for errors.Is(err, ErrInjected) { // its own, or another's whose transaction it shared
		err = do()
	}
	return err
}

// tried is an operation with an answer.
func tried[T any](r *retrying, operation string, do func() (T, error)) (v T, err error) {
	err = r.try(operation, func() (err error) {
		v, err = do()
		return err
	})
	return v, err
}

// triedPage is an operation that answers a page.
func triedPage[T any](r *retrying, operation string, do func() ([]T, string, error)) (page []T, next string, err error) {
	err = r.try(operation, func() (err error) {
		page, next, err = do()
		return err
	})
	return page, next, err
}

// triedRange ranges over what comes without a failure.
func triedRange[T any](r *retrying, operation string, do func() iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := r.try(operation, func() error {
			all = nil
			for v, err := range do() {
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

func (r *retrying) Ping(ctx context.Context) error {
	return r.try("ping", func() error { return r.Store.Ping(ctx) })
}

func (r *retrying) Stats(ctx context.Context) (store.Stats, error) {
	return tried(r, "stats", func() (store.Stats, error) { return r.Store.Stats(ctx) })
}

func (r *retrying) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	return tried(r, "prune", func() (int, error) { return r.Store.Prune(ctx, before, limit) })
}

func (r *retrying) Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error) {
	return tried(r, "put", func() (incident.Receipt, error) { return r.Store.Put(ctx, f, received) })
}

func (r *retrying) Changes(ctx context.Context, after int64, limit int) ([]incident.Change, error) {
	return tried(r, "changes", func() ([]incident.Change, error) { return r.Store.Changes(ctx, after, limit) })
}

func (r *retrying) Extent(ctx context.Context) (from, to time.Time, err error) {
	err = r.try("extent", func() (err error) {
		from, to, err = r.Store.Extent(ctx)
		return err
	})
	return from, to, err
}

func (r *retrying) IncidentNames(ctx context.Context) (services, severities []string, err error) {
	err = r.try("incident names", func() (err error) {
		services, severities, err = r.Store.IncidentNames(ctx)
		return err
	})
	return services, severities, err
}

func (r *retrying) Began(ctx context.Context) (time.Time, error) {
	return tried(r, "began", func() (time.Time, error) { return r.Store.Began(ctx) })
}

func (r *retrying) Sightings(ctx context.Context, from, to time.Time) ([]incident.Sighting, error) {
	return tried(r, "sightings", func() ([]incident.Sighting, error) { return r.Store.Sightings(ctx, from, to) })
}

func (r *retrying) SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error) {
	return tried(r, "sightings of", func() ([]incident.Sighting, error) { return r.Store.SightingsOf(ctx, fingerprints) })
}

func (r *retrying) Records(ctx context.Context, from, to time.Time) ([]incident.Record, error) {
	return tried(r, "records", func() ([]incident.Record, error) { return r.Store.Records(ctx, from, to) })
}

func (r *retrying) RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error) {
	return tried(r, "record page", func() ([]incident.Record, error) { return r.Store.RecordPage(ctx, source, after, limit) })
}

func (r *retrying) Record(ctx context.Context, k incident.RecordKey) (incident.Record, error) {
	return tried(r, "record", func() (incident.Record, error) { return r.Store.Record(ctx, k) })
}

func (r *retrying) History(ctx context.Context, k incident.RecordKey) ([]incident.Record, error) {
	return tried(r, "history", func() ([]incident.Record, error) { return r.Store.History(ctx, k) })
}

func (r *retrying) Reviews(ctx context.Context) ([]incident.Review, error) {
	return tried(r, "reviews", func() ([]incident.Review, error) { return r.Store.Reviews(ctx) })
}

func (r *retrying) Review(ctx context.Context, id string) (incident.Review, error) {
	return tried(r, "review", func() (incident.Review, error) { return r.Store.Review(ctx, id) })
}

func (r *retrying) Silences(ctx context.Context, from, to time.Time) ([]incident.Silence, error) {
	return tried(r, "silences", func() ([]incident.Silence, error) { return r.Store.Silences(ctx, from, to) })
}

func (r *retrying) Beats(ctx context.Context, from, to time.Time) ([]incident.Beat, error) {
	return tried(r, "beats", func() ([]incident.Beat, error) { return r.Store.Beats(ctx, from, to) })
}

func (r *retrying) Position(ctx context.Context) (cursor int64, rules string, err error) {
	err = r.try("position", func() (err error) {
		cursor, rules, err = r.Store.Position(ctx)
		return err
	})
	return cursor, rules, err
}

func (r *retrying) Save(ctx context.Context, p incident.Pass) error {
	if p.Part > 0 { // one that fails takes those before it with it, so a second try begins with the first: see twinWrites
		return r.Store.Save(ctx, p)
	}
	return r.try("save", func() error { return r.Store.Save(ctx, p) })
}

func (r *retrying) Follow(ctx context.Context, after int64) (incident.Saved, error) {
	return tried(r, "follow", func() (incident.Saved, error) { return r.Store.Follow(ctx, after) })
}

func (r *retrying) Acquire(ctx context.Context, holder string, length time.Duration) (store.Lease, error) {
	return tried(r, "acquire", func() (store.Lease, error) { return r.Store.Acquire(ctx, holder, length) })
}

func (r *retrying) Release(ctx context.Context, holder string) error {
	return r.try("release", func() error { return r.Store.Release(ctx, holder) })
}

func (r *retrying) Incident(ctx context.Context, id string) (incident.Incident, error) {
	return tried(r, "incident", func() (incident.Incident, error) { return r.Store.Incident(ctx, id) })
}

func (r *retrying) Incidents(ctx context.Context, q store.IncidentQuery) ([]incident.Incident, string, error) {
	return triedPage(r, "incidents", func() ([]incident.Incident, string, error) { return r.Store.Incidents(ctx, q) })
}

func (r *retrying) IncidentsTouching(ctx context.Context, from, to time.Time) ([]incident.Incident, error) {
	return tried(r, "incidents touching", func() ([]incident.Incident, error) { return r.Store.IncidentsTouching(ctx, from, to) })
}

func (r *retrying) EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error] {
	return triedRange(r, "each incident", func() iter.Seq2[incident.Incident, error] { return r.Store.EachIncident(ctx, from) })
}

func (r *retrying) Verdicts(ctx context.Context, q store.VerdictQuery) ([]incident.Verdict, string, error) {
	return triedPage(r, "verdicts", func() ([]incident.Verdict, string, error) { return r.Store.Verdicts(ctx, q) })
}

func (r *retrying) EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error] {
	return triedRange(r, "each verdict", func() iter.Seq2[incident.Verdict, error] { return r.Store.EachVerdict(ctx, from, to) })
}

func (r *retrying) Firing(ctx context.Context) ([]incident.Verdict, error) {
	return tried(r, "firing", func() ([]incident.Verdict, error) { return r.Store.Firing(ctx) })
}

func (r *retrying) Ledger(ctx context.Context) iter.Seq2[incident.Observed, error] {
	return triedRange(r, "ledger", func() iter.Seq2[incident.Observed, error] { return r.Store.Ledger(ctx) })
}
