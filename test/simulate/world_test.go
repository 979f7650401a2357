package simulate

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/app"
	"meantime/incident"
	"meantime/store"
	"meantime/store/sqlstore"
)

// plant is a fault that is planted on purpose, so that the simulation shows that it would be found.
type plant int

const (
	sound      plant = iota
	plantAck         // a fact that could not be stored is acknowledged
	plantDirty       // a change of a record is now and then not told of
	plantStale       // a record is now and then read as it was the time before
)

// epoch is when every world begins: when synctest's clock does, and some.
var epoch = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// world is one run.
type world struct {
	seed      uint64
	rng       *rand.Rand // the world's own: only its loop draws
	hub       *hub
	config    string // the file's path
	processes [replicas]*process
	runs      int
	agenda    []event
	calm      atomic.Bool
	calmSince time.Time
	amBroken  atomic.Bool // Alertmanager and Prometheus do not answer as they should
	bystander
	trace  []string
	keep   bool // the trace
	sum    uint64
	calls  int
	faults map[string]int
}

const replicas = 2

// process is one run of one replica; it is the store as that has it.
type process struct {
	hub     *hub
	replica int
	run     int
	stop    context.CancelFunc
	done    chan struct{}
	handler atomic.Pointer[http.Handler]
	dead    atomic.Bool // killed
	frozen  time.Time   // nothing it asks is answered until then
	cut     time.Time   // everything it asks fails until then
	skew    atomic.Int64
	err     error
}

func (p *process) String() string {
	if p == nil {
		return "nobody"
	}
	return fmt.Sprintf("replica %d (run %d)", p.replica, p.run)
}

// event is something that happens at a time.
type event struct {
	at   time.Time
	name string
	do   func()
}

// result is what came of a run.
type result struct {
	broken []string // what must hold and did not
	sum    uint64   // the same for the same run
	trace  []string
	calls  int
	faults map[string]int
}

// simulate is the run of a seed.
func simulate(t *testing.T, seed uint64, p plant, keep bool) (out result) {
	t.Helper()
	// One processor: goroutines that wake at one moment go on in the order in which they do.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	dir := room(t)
	config := filepath.Join(dir, "meantime.yml")
	require.NoError(t, os.WriteFile(config, []byte(configText), 0o600))
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(epoch))
		db, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(dir, "m.db"), sqlstore.Options{})
		require.NoError(t, err)
		w := &world{
			seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), config: config, keep: keep, faults: map[string]int{},
			hub: &hub{Store: db, plant: p, arrived: make(chan struct{}, 1), ears: map[*process]ear{}, stale: map[incident.RecordKey]staleRead{}},
		}
		w.bystander.world = w
		w.live()
		require.NoError(t, db.Close())
		out = result{w.hub.broken, w.sum, w.trace, w.calls, w.faults}
	})
	return out
}

// room is a directory for a store. In memory where there is such a file system: what survives a power cut is tested elsewhere.
func room(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "meantime-simulate-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// live is the whole of a run: a storm, a calm, a storm, and then quiet, in which everything comes to rest and is looked at.
func (w *world) live() {
	for i := range replicas {
		w.at(w.between(0, time.Second), "start", func() { w.start(i) })
	}
	w.populate()
	w.storm(w.between(40*time.Second, 90*time.Second))
	w.peace(w.between(80*time.Second, 100*time.Second))
	w.storm(w.between(20*time.Second, 60*time.Second))
	w.heal()
	w.closing.Store(true)
	deadline := time.Now().Add(10 * time.Minute)
	for !w.allSaid() && time.Now().Before(deadline) {
		w.pass(time.Second)
	}
	if !w.allSaid() {
		w.hub.breaks("ten minutes after the last fault not everything is acknowledged: %v", w.unsaid())
	}
	w.pass(settleTime)
	w.judged()
	w.agenda = nil // nobody is started any more
	for _, p := range w.processes {
		p.stop()
	}
	w.until(func() bool {
		return !slices.ContainsFunc(w.processes[:], func(p *process) bool { return !ended(p.done) })
	})
	w.ended.Store(true)
	w.pass(90 * time.Second) // what still goes on ends
}

// judged is judge, to whose end the world goes on whatever happens: nobody may be left in it.
func (w *world) judged() {
	defer func() {
		if p := recover(); p != nil {
			w.hub.breaks("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w.judge()
}

func ended(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// between draws a time.
func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Int64N(int64(to-from)))
}

// at has something happen in a while.
func (w *world) at(in time.Duration, name string, do func()) {
	w.agenda = append(w.agenda, event{time.Now().Add(in), name, do})
	slices.SortStableFunc(w.agenda, func(a, b event) int { return a.at.Compare(b.at) })
}

// note writes down what happened.
func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf("%12s ", time.Since(epoch)) + fmt.Sprintf(format, args...)
	f := fnv.New64a()
	_, _ = fmt.Fprintf(f, "%x %s", w.sum, line)
	w.sum = f.Sum64()
	if w.keep {
		w.trace = append(w.trace, line)
	}
}

// pass lets a time pass.
func (w *world) pass(d time.Duration) {
	end := time.Now().Add(d)
	w.until(func() bool { return !time.Now().Before(end) }, end)
}

// until lets time pass until something is so. It looks when something happens, and at the times given.
func (w *world) until(so func() bool, look ...time.Time) {
	for {
		synctest.Wait() // everybody is at rest
		w.hear()
		w.drawWaiting()
		if so() {
			return
		}
		now := time.Now()
		if len(w.agenda) > 0 && !w.agenda[0].at.After(now) {
			e := w.agenda[0]
			w.agenda = w.agenda[1:]
			if e.name != "" {
				w.note("%s", e.name)
			}
			e.do()
			continue
		}
		if c := w.next(now); c != nil {
			w.goOn(c)
			continue
		}
		w.sleep(now, look)
	}
}

// sleep sleeps until something is due or somebody calls.
func (w *world) sleep(now time.Time, look []time.Time) {
	wake := now.Add(time.Second)
	for _, t := range look {
		if t.Before(wake) {
			wake = t
		}
	}
	if len(w.agenda) > 0 && w.agenda[0].at.Before(wake) {
		wake = w.agenda[0].at
	}
	w.hub.mu.Lock()
	for _, c := range w.hub.waiting {
		if c.due.Before(wake) {
			wake = c.due
		}
	}
	w.hub.mu.Unlock()
	timer := time.NewTimer(wake.Sub(now))
	select {
	case <-timer.C:
	case <-w.hub.arrived:
	}
	timer.Stop()
}

// hear draws when those who listen are told what happened.
func (w *world) hear() {
	w.hub.mu.Lock()
	told := w.hub.told
	w.hub.told = nil
	w.hub.mu.Unlock()
	for _, x := range told {
		for i := range replicas {
			for range w.copies() {
				w.at(w.newsTakes(), "", func() {
					w.hub.mu.Lock()
					ear := w.hub.ears[w.processes[i]]
					w.hub.mu.Unlock()
					if ear != nil {
						w.note("replica %d hears of %s", i, x.what)
						ear(x.what)
					}
				})
			}
		}
	}
}

// drawWaiting draws how long the calls take that have come.
func (w *world) drawWaiting() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.hub.waiting = slices.DeleteFunc(w.hub.waiting, func(c *call) bool { return c.gone })
	slices.SortStableFunc(w.hub.waiting, order)
	for _, c := range w.hub.waiting {
		if c.due.IsZero() {
			c.due = time.Now().Add(w.callTakes())
		}
	}
}

// next is the call that goes on now; nil where none is due.
func (w *world) next(now time.Time) *call {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	var due []*call
	for _, c := range w.hub.waiting {
		if c.by.dead.Load() || !c.due.After(now) && !c.by.frozen.After(now) {
			due = append(due, c)
		} else if c.by.frozen.After(c.due) {
			c.due = c.by.frozen
		}
	}
	if len(due) == 0 {
		return nil
	}
	c := due[w.rng.IntN(len(due))]
	w.hub.waiting = slices.DeleteFunc(w.hub.waiting, func(x *call) bool { return x == c })
	return c
}

// goOn lets a call go on.
func (w *world) goOn(c *call) {
	o := w.becomes(c)
	if o != works {
		w.faults[c.kind+" "+o.String()]++
	}
	w.calls++
	w.note("%s: %s %s %s", c.by, c.kind, c.key, o)
	c.goOn <- o
}

// start starts a replica.
func (w *world) start(i int) {
	w.runs++
	ctx, stop := context.WithCancel(context.Background())
	p := &process{hub: w.hub, replica: i, run: w.runs, stop: stop, done: make(chan struct{})}
	if !w.calm.Load() {
		p.skew.Store(int64(w.between(-5*time.Second, 5*time.Second)))
	}
	w.processes[i] = p
	go func() {
		defer close(p.done)
		p.err = app.Run(ctx, app.Options{
			ConfigFile: w.config, Environ: []string{"HOME=/"}, Logger: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return time.Now().Add(time.Duration(p.skew.Load())) },
			World: &app.World{Store: p, Transport: w, Serve: func(h http.Handler) {
				time.Sleep(time.Millisecond) // so that not everything that is done at intervals is done at the same moments
				p.handler.Store(&h)
			}},
		})
		p.handler.Store(nil)
	}()
	w.at(time.Second, "", func() { w.watch(p) })
}

// watch starts a replica again that ended by itself, as a supervisor does.
func (w *world) watch(p *process) {
	switch {
	case w.processes[p.replica] != p, p.dead.Load():
	case ended(p.done):
		w.note("%s ended by itself: %v", p, p.err)
		w.start(p.replica)
	default:
		w.at(time.Second, "", func() { w.watch(p) })
	}
}

// answer is what a request to a replica is answered with; status 0 where nobody answers.
func (w *world) answer(i int, method, path, body string, header ...string) (status int, text string) {
	p := w.processes[i]
	if p == nil {
		return 0, ""
	}
	h := p.handler.Load()
	if h == nil || p.dead.Load() {
		return 0, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "http://meantime"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k := 0; k+1 < len(header); k += 2 {
		r.Header.Set(header[k], header[k+1])
	}
	rec := httptest.NewRecorder()
	(*h).ServeHTTP(rec, r)
	if p.dead.Load() {
		return 0, "" // the answer died with it
	}
	return rec.Code, rec.Body.String()
}

var _ store.Store = (*hub)(nil)
