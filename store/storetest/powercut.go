package storetest

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

// Medium is the disk of a store under test, which remembers what a power cut would leave of it.
type Medium interface {
	// Watch remembers what a cut would leave at up to n random moments until Left is called.
	Watch(n int)
	// Left opens what a cut would have left at those moments, and at the moment of the call, which comes last.
	Left(t *testing.T) []store.Store
}

// RunPowerCuts holds a store to its contract while the power is cut at random moments: what was acknowledged is there
// afterwards, and of a write under way all or nothing. open gives an empty store and its medium, and closes it at the end of
// the test. One of every so many writes is looked at.
func RunPowerCuts(t *testing.T, every int, open func(t *testing.T) (store.Store, Medium)) {
	fewerChecks(t)
	var writes, cuts atomic.Int64
	Run(t, func(t *testing.T) store.Store {
		s, m := open(t)
		return &powered{Store: s, t: t, medium: m, every: int64(every), writes: &writes, cuts: &cuts}
	})
	t.Logf("%d power cuts in %d writes", cuts.Load(), writes.Load())
	require.Greater(t, cuts.Load(), int64(20))
}

// powered is a store that is looked at after cuts of its power.
type powered struct {
	store.Store
	t      *testing.T
	medium Medium
	every  int64
	writes *atomic.Int64
	cuts   *atomic.Int64
	alone  sync.RWMutex // the write that is looked at is the only one
	closed atomic.Bool
}

// write does a write; of some it looks at what power cuts during and after it leave.
func (p *powered) write(do func() error) error {
	looked := p.writes.Add(1)%p.every == rand.Int64N(p.every) && !p.closed.Load() && p.alone.TryLock()
	if !looked {
		p.alone.RLock()
		defer p.alone.RUnlock()
		return do()
	}
	defer p.alone.Unlock()
	before := p.said(p.Store)
	p.medium.Watch(3)
	err := do()
	left := p.medium.Left(p.t)
	after := p.said(p.Store)
	for i, s := range left {
		p.cuts.Add(1)
		got := p.said(s)
		if i == len(left)-1 || got != before {
			require.Equal(p.t, after, got, "after a power cut")
		}
		require.NoError(p.t, s.Close())
	}
	return err
}

// said is what a store says of itself, with what it says wherever lists are asked for in any order.
func (p *powered) said(s store.Store) string {
	b, err := json.MarshalIndent(stateOf(p.t, s), "", " ")
	require.NoError(p.t, err)
	return string(b)
}

// written is a write with an answer.
func written[T any](p *powered, do func() (T, error)) (v T, err error) {
	err = p.write(func() (err error) {
		v, err = do()
		return err
	})
	return v, err
}

func (p *powered) Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error) {
	return written(p, func() (incident.Receipt, error) { return p.Store.Put(ctx, f, received) })
}

func (p *powered) Save(ctx context.Context, pass incident.Pass) error {
	return p.write(func() error { return p.Store.Save(ctx, pass) })
}

func (p *powered) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	return written(p, func() (int, error) { return p.Store.Prune(ctx, before, limit) })
}

func (p *powered) Acquire(ctx context.Context, holder string, length time.Duration) (store.Lease, error) {
	return written(p, func() (store.Lease, error) { return p.Store.Acquire(ctx, holder, length) })
}

func (p *powered) Ping(ctx context.Context) error {
	return p.write(func() error { return p.Store.Ping(ctx) })
}

func (p *powered) Close() error {
	p.closed.Store(true)
	return p.Store.Close()
}
