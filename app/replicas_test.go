package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"meantime/config"
	"meantime/incident"
	"meantime/store"
	"meantime/store/sqlstore"
)

// pair is two pipelines on one store, as two replicas have them.
func pair(t *testing.T, s store.Store) (a, b *pipeline) {
	t.Helper()
	c, err := config.Load("", nil)
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	v.Settle = 0
	made := func() *pipeline {
		p := &pipeline{store: s, metrics: newMetrics(), now: time.Now, heard: func() map[string]time.Time { return nil }}
		require.NoError(t, p.configure(t.Context(), v))
		return p
	}
	return made(), made()
}

// TestNoScrapeIsEmpty scrapes while one collector takes the place of another, as where a replica that fell far behind reads
// everything anew: each scrape shows the figures.
func TestNoScrapeIsEmpty(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "m.db"), sqlstore.Options{})
	require.NoError(t, err)
	defer s.Close()
	p, _ := pair(t, s)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() {
			if err := p.metrics.show(p.collector); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for scrape := range 200 {
		n, err := testutil.GatherAndCount(p.metrics.registry, "meantime_incidents")
		require.NoError(t, err)
		if !assert.Positive(t, n, "scrape %d shows no figures", scrape) {
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

// over is an incident that took an hour.
func over(id string, ended time.Duration) incident.Incident {
	start := time.Now().Add(-24 * time.Hour).UTC()
	at := func(d time.Duration) incident.Milestone {
		return incident.Milestone{Candidate: incident.Candidate{At: start.Add(d), Precision: incident.PrecisionSecond, Origin: incident.OriginRecord}}
	}
	return incident.Incident{
		ID: id, Services: []string{"checkout"}, Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved, DetectedBy: incident.ByStaff,
		Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: at(0), incident.Resolved: at(ended)},
	}
}

// shows is how many resolved incidents a pipeline counts, in the all-time histogram and in the longest window.
func (p *pipeline) shows() (ever, windows int) {
	for range p.ledger.All() {
		ever++
	}
	f := p.book.Figures(time.Now())
	for _, g := range f.Windows[len(f.Windows)-1].Groups {
		if g.Service == "" && g.Severity == "" {
			for _, n := range g.DetectedBy {
				windows += n
			}
		}
	}
	return ever, windows
}

// TestFollowing hands the lease from one replica to the other and back. Who loses it in the middle of a pass has no effect
// with it, and goes on from what the other saved.
func TestFollowing(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "m.db"), sqlstore.Options{})
	require.NoError(t, err)
	defer s.Close()
	ctx := t.Context()
	a, b := pair(t, s)
	lease := func(holder string) int64 {
		l, err := s.Acquire(ctx, holder, time.Hour)
		require.NoError(t, err)
		require.Equal(t, holder, l.Holder)
		return l.Token
	}
	follow := func(p *pipeline) incident.Saved {
		saved, err := p.follow(ctx)
		require.NoError(t, err)
		return saved
	}
	delta := func(in ...incident.Incident) incident.Pass { return incident.Pass{Incidents: in} }

	first := lease("a")
	require.NoError(t, a.deliver(ctx, first, delta(over("i1", time.Hour), over("i2", time.Hour))))
	require.EqualValues(t, 1, a.seen)
	require.EqualValues(t, 1, follow(b).Number)
	for _, p := range []*pipeline{a, b} {
		require.Empty(t, follow(p).Incidents, "told once")
		ever, windows := p.shows()
		require.Equal(t, []int{2, 2}, []int{ever, windows})
	}

	require.NoError(t, s.Release(ctx, "a"))
	second := lease("b")
	require.ErrorIs(t, a.deliver(ctx, first, delta(over("late", time.Hour))), store.ErrLeaseLost)
	ever, windows := a.shows()
	require.Equal(t, []int{2, 2}, []int{ever, windows}, "what was refused is not shown")
	require.NoError(t, b.deliver(ctx, second, incident.Pass{Removed: []string{"i2"}, Incidents: []incident.Incident{over("i1", 2*time.Hour), over("i3", time.Hour)}}))
	require.EqualValues(t, 2, follow(a).Number)
	for _, p := range []*pipeline{a, b} {
		ever, windows := p.shows()
		require.Equal(t, []int{3, 2}, []int{ever, windows}, "what was counted once stays counted")
		require.Equal(t, 1, p.ledger.Restatements()["resolve"])
	}

	// A pass that was saved although its holder was told that it was not: it is delivered again, and told of, and counts once.
	require.NoError(t, s.Release(ctx, "b"))
	third := lease("a")
	lost := &losing{Store: s}
	a.store = lost
	lost.lose = true
	require.Error(t, a.deliver(ctx, third, delta(over("i4", time.Hour))))
	lost.lose = false
	require.NoError(t, a.deliver(ctx, third, delta(over("i4", time.Hour))))
	for _, p := range []*pipeline{a, b} {
		follow(p)
		ever, windows := p.shows()
		require.Equal(t, []int{4, 3}, []int{ever, windows})
		require.EqualValues(t, 4, p.seen)
	}

	// Who slept for too long reads everything.
	for range 100 {
		require.NoError(t, a.deliver(ctx, third, delta(over("i5", time.Hour))))
	}
	require.True(t, follow(b).Whole)
	ever, windows = b.shows()
	require.Equal(t, []int{5, 4}, []int{ever, windows})
	require.Equal(t, a.seen, b.seen)
}

// losing is a store whose answers to Save get lost.
type losing struct {
	store.Store
	lose bool
}

func (l *losing) Save(ctx context.Context, p incident.Pass) error {
	err := l.Store.Save(ctx, p)
	if l.lose {
		return errors.New("the connection broke")
	}
	return err
}

// leases are a store that has nothing but a lease, which a test gives and takes.
type leases struct {
	store.Store
	mu       sync.Mutex
	holder   string
	token    int64
	down     bool
	released []string
}

// set has somebody hold the lease, and the database be down or not.
func (l *leases) set(holder string, down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holder, l.down = holder, down
}

func (l *leases) Acquire(_ context.Context, holder string, length time.Duration) (store.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return store.Lease{}, errors.New("the database is down")
	}
	if l.holder == "" {
		l.holder, l.token = holder, l.token+1
	}
	return store.Lease{Holder: l.holder, Token: l.token, Left: length}, nil
}

func (l *leases) Release(_ context.Context, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released = append(l.released, holder)
	return nil
}

// TestLeaseHeld shows that a process says that it holds the lease only while it can be sure.
func TestLeaseHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(Options{Logger: slog.New(slog.DiscardHandler), Environ: []string{"A=b"}})
		s := &leases{holder: "another"}
		a.replica = newReplica("postgres://db/m")
		a.store = newIntake(s, nil, nil)
		held := func() float64 { return testutil.ToFloat64(a.metrics.lease) }
		idle := func(token int64) *term { // a term that does nothing
			done := make(chan struct{})
			close(done)
			return &term{token: token, done: done, cancel: func() {}, lost: make(chan struct{})}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.hold(ctx, idle) }()
		time.Sleep(time.Minute)
		require.Zero(t, held(), "another has it")
		s.set("", false)
		time.Sleep(renewEvery)
		synctest.Wait()
		require.Equal(t, 1.0, held())
		s.set(a.name, true)
		time.Sleep(leaseLength - renewEvery - time.Second)
		require.Equal(t, 1.0, held(), "nobody else can have it yet")
		time.Sleep(2*renewEvery + time.Second)
		require.Zero(t, held())
		s.set(a.name, false)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1.0, held())
		s.set("another", false)
		time.Sleep(renewEvery)
		synctest.Wait()
		require.Zero(t, held())
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.Equal(t, []string{a.name}, s.released)
	})
}
