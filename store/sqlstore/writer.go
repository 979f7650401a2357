package sqlstore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"meantime/incident"
)

// Bounds of the queue of writes, so that overload is answered at once and memory stays bounded. The first is well over
// what one Alertmanager sends at once; the second bounds the memory of big notifications.
const (
	maxWaiting      = 16_384
	maxWaitingFacts = 200_000
	// maxGroup is how many facts share one transaction at most.
	maxGroup = 10_000
)

// write is one caller's write.
type write struct {
	// facts are merged together with those of other writes; nil for a write that needs a transaction of its own, which do
	// then does.
	facts  *facts
	do     func(*session) error
	weight int  // facts in it
	urgent bool // it is not held up by those that wait
	taken  atomic.Bool
	done   chan error
}

// writer is the one goroutine that writes, with its queue.
type writer struct {
	session *session
	metrics *metrics
	explain func(error) error

	mu     sync.Mutex
	queue  []*write
	weight int
	closed bool

	wake chan struct{}
	idle chan struct{} // closed when the goroutine has ended
}

func newWriter(d *database, m *metrics) *writer {
	w := &writer{
		session: &session{db: d}, metrics: m, explain: func(err error) error { return explained(d, err) },
		wake: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	go w.run()
	return w
}

// put queues a write and waits until it is durable. A context that ends while the write waits takes it back; one that
// ends later leaves it open whether it was stored.
func (w *writer) put(ctx context.Context, x *write) error {
	if w == nil {
		return incident.Errorf(incident.CodeInvalid, "the store was opened for reading")
	}
	if err := ctx.Err(); err != nil {
		return &incident.Error{Code: incident.CodeUnavailable, Err: err}
	}
	x.done = make(chan error, 1)
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return incident.Errorf(incident.CodeUnavailable, "the store is closed")
	case x.urgent:
	case len(w.queue) >= maxWaiting || (len(w.queue) > 0 && w.weight+x.weight > maxWaitingFacts):
		n := len(w.queue)
		w.mu.Unlock()
		return incident.Errorf(incident.CodeUnavailable, "%d writes are waiting for the store already", n)
	}
	if x.urgent {
		w.queue = slices.Insert(w.queue, 0, x)
	} else {
		w.queue = append(w.queue, x)
	}
	w.weight += x.weight
	w.metrics.waiting.Set(float64(len(w.queue)))
	w.mu.Unlock()
	w.poke()
	select {
	case err := <-x.done:
		return err
	case <-ctx.Done():
	}
	if x.taken.CompareAndSwap(false, true) { // the goroutine will pass over it
		return &incident.Error{Code: incident.CodeUnavailable, Err: ctx.Err()}
	}
	select {
	case err := <-x.done:
		return err
	default:
		return &incident.Error{Code: incident.CodeUnavailable, Err: ctx.Err()}
	}
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close waits until everything queued is written. Writes after it are refused.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.poke()
	<-w.idle
}

func (w *writer) run() {
	defer close(w.idle)
	defer w.session.close()
	for range w.wake {
		for group := w.take(); len(group) > 0; group = w.take() {
			w.commit(group)
		}
		w.mu.Lock()
		end := w.closed && len(w.queue) == 0
		w.mu.Unlock()
		if end {
			return
		}
	}
}

// take takes the writes of the next transaction from the queue: as many as may share one, in their order.
func (w *writer) take() []*write {
	w.mu.Lock()
	defer w.mu.Unlock()
	var group []*write
	facts, n := 0, 0
	for ; n < len(w.queue); n++ {
		x := w.queue[n]
		alone := x.facts == nil
		if len(group) > 0 && (alone || group[0].facts == nil || facts+x.weight > maxGroup) {
			break
		}
		w.weight -= x.weight
		if x.taken.CompareAndSwap(false, true) {
			group, facts = append(group, x), facts+x.weight
		}
	}
	clear(w.queue[:n])
	w.queue = w.queue[n:]
	if len(w.queue) == 0 {
		w.queue = nil
	}
	w.metrics.waiting.Set(float64(len(w.queue)))
	return group
}

// commit stores a group in one transaction and tells each caller. Where a group fails for a reason that may lie in one
// of its writes, each is tried alone.
func (w *writer) commit(group []*write) {
	begun := w.metrics.now()
	err := w.explain(w.session.transact(func(s *session) error { return runGroup(s, group) }))
	w.metrics.committed(len(group), begun)
	if err != nil && len(group) > 1 && incident.CodeOf(err) != incident.CodeUnavailable {
		for _, x := range group {
			w.commit([]*write{x})
		}
		return
	}
	for _, x := range group {
		x.done <- err
	}
}

// runGroup does what the writes of a group ask, within a transaction.
func runGroup(s *session, group []*write) error {
	if group[0].facts == nil {
		return group[0].do(s)
	}
	b := newBatch(s)
	for _, x := range group {
		b.add(x.facts)
	}
	return b.store()
}
