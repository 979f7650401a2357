package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// What a body is held to while it arrives.
const (
	// firstBuffer is the most that a body holds before more than that has arrived. It is what a connection holds anyway.
	firstBuffer = 4 << 10
	// smallBody is the size up to which a body has a share that larger ones cannot take: some 40 usual alerts.
	smallBody = 64 << 10
	// stepShare says how much must arrive in a while: at least firstBuffer, or this part of what the body holds already,
	// so that one that holds much must come fast.
	stepShare = 64
	// slowAfter is the while for a body that is in nobody's way.
	slowAfter = 5 * time.Second
	// stalledAfter is the while for a body that holds what another one waits for.
	stalledAfter = 500 * time.Millisecond
	// lookForStalled is how often somebody who waits looks for a body that stalls.
	lookForStalled = 100 * time.Millisecond
)

var (
	// errSlow is of a body that arrives too slowly.
	errSlow = errors.New("it came too slowly")
	// errCrowded is of a body that waited for memory and held what smaller ones wait for.
	errCrowded = errors.New("others need the memory")
	// errStopping is of a body that was not here yet when the program was told to stop.
	errStopping = errors.New("stopping")
)

// The shares of the memory. A body moves from one to the next as it grows.
const (
	inNone   = iota - 1
	inSmall  // bodies up to smallBody
	inShared // of any size; what arrived is charged
	inWhole  // of any size; charged with all that they can become, so that whoever is in here can always go on
	shares
)

// budget bounds the memory that all bodies hold together, from their first byte until the store has them.
//
// What is charged is what has arrived, not what was announced, so an announcement costs its sender as much as it costs
// us. Bodies that grow while they wait for each other could stand still for ever; one share is therefore given only whole.
// Whoever waits for memory has the body cut that stalls the longest: senders that send nothing are in nobody's way,
// however many they are.
type budget struct {
	mu      sync.Mutex
	total   int64 // bytes
	free    [shares]int64
	bodies  map[*arrival]struct{} // that arrive
	closing bool                  // no more of them are taken
	waiting [queues][]*arrival    // in the order of their coming
}

// The queues of those who wait. Who holds something already goes before those who hold nothing, because those may wait
// for just that.
const (
	smallGrows = iota // a body that was announced as small, and the first bytes of one that was not announced
	largeGrows        // all else
	smallBegins
	largeBegins
	queues
)

// arrival is one body's part in the budget.
type arrival struct {
	budget   *budget
	known    bool  // its length was announced
	limit    int64 // bytes that it can become
	share    int
	charged  int64                 // bytes, of its share
	want     int64                 // bytes that it waits for; 0 where it does not wait
	granted  chan error            // nil when it may hold them
	deadline func(time.Time) error // of reading; safe beside a Read

	arrived int64     // bytes
	mark    time.Time // when it last was as fast as it must be
	marked  int64     // what had arrived then
	cut     error     // why it is not read on
}

// newBudget makes a budget for bodies of up to maxBody bytes. Together they hold memory bytes, or what a body of each
// share needs if that is more.
func newBudget(memory, maxBody int64) *budget {
	own := max(memory/4, firstBuffer)
	shared := max(memory-own-maxBody, own)
	return &budget{total: own + shared + maxBody + 1, free: [shares]int64{own, shared, maxBody + 1}, bodies: map[*arrival]struct{}{}}
}

// read reads a body of length bytes, or of up to limit bytes where length is negative. deadline sets until when a Read
// may wait. Whatever it returns, the body must be released. ctx bounds the whole of it.
func (b *budget) read(ctx context.Context, in io.Reader, length, limit int64, deadline func(time.Time) error) (*arrival, []byte, error) {
	known := length >= 0
	if !known {
		length = limit + 1 // one more byte, so that in can say that there are too many
	}
	begun := time.Now()
	h := &arrival{budget: b, known: known, limit: length, share: inNone, deadline: deadline, mark: begun, granted: make(chan error, 1)}
	b.mu.Lock()
	b.bodies[h] = struct{}{}
	if b.closing {
		h.cut = errStopping
	}
	b.mu.Unlock()
	var buf []byte
	for {
		if len(buf) == cap(buf) {
			if known && int64(len(buf)) == length {
				h.complete(length)
				return h, buf, nil
			}
			size := min(max(2*int64(cap(buf)), firstBuffer), length)
			if err := h.grow(ctx, size); err != nil {
				return h, nil, err
			}
			buf = append(make([]byte, 0, size), buf...)
		}
		err := h.await(ctx)
		if err == nil {
			var n int
			n, err = in.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
			err = h.advance(n, err)
		}
		switch {
		case err == nil || (known && int64(len(buf)) == length):
		case errors.Is(err, io.EOF) && !known:
			h.complete(int64(cap(buf)))
			return h, buf, nil
		case errors.Is(err, io.EOF):
			return h, nil, fmt.Errorf("%d of %d bytes: %w", len(buf), length, io.ErrUnexpectedEOF)
		case errors.Is(err, errSlow):
			return h, nil, fmt.Errorf("after %d bytes and %s: %w", len(buf), time.Since(begun).Round(time.Millisecond), errSlow)
		default:
			return h, nil, err
		}
	}
}

// grow waits until the body may hold size bytes.
func (h *arrival) grow(ctx context.Context, size int64) error {
	b := h.budget
	b.mu.Lock()
	if h.share == inWhole { // its room is there, whoever waits
		b.mu.Unlock()
		return nil
	}
	h.want = size
	queue := h.queue()
	b.waiting[queue] = append(b.waiting[queue], h)
	b.serve()
	waits := h.want > 0
	b.mu.Unlock()
	if !waits {
		return <-h.granted
	}
	look := time.NewTicker(lookForStalled)
	defer look.Stop()
	for {
		select {
		case err := <-h.granted:
			return err
		case <-ctx.Done():
			b.mu.Lock()
			defer b.mu.Unlock()
			if h.want == 0 { // answered at the same moment
				return <-h.granted
			}
			b.leave(h)
			return ctx.Err()
		case <-look.C:
			b.cutStalled(h.small(size))
		}
	}
}

// small says whether a body is small, or may be so as far as it has come.
func (h *arrival) small(size int64) bool {
	return h.known && h.limit <= smallBody || !h.known && size <= firstBuffer
}

// queue is where a body waits.
func (h *arrival) queue() int {
	q := smallGrows
	if h.share == inNone {
		q = smallBegins
	}
	if !h.small(h.want) {
		q++
	}
	return q
}

// leave takes a body out of those who wait. mu is held.
func (b *budget) leave(h *arrival) {
	q := h.queue()
	b.waiting[q] = slices.DeleteFunc(b.waiting[q], func(o *arrival) bool { return o == h })
	h.want = 0
	b.serve() // who came after it may fit
}

// serve gives memory to those who wait, in their order, as far as it goes. mu is held.
func (b *budget) serve() {
	for again := true; again; {
		again = false
		for q := range b.waiting {
			for len(b.waiting[q]) > 0 {
				h := b.waiting[q][0]
				if !b.give(h) {
					break
				}
				b.waiting[q] = b.waiting[q][1:]
				h.want = 0
				h.mark, h.marked = time.Now(), h.arrived // it was not its sender who was slow
				h.granted <- nil
				again = again || q == largeGrows // what it held of another share is free now
			}
		}
	}
}

// give charges a body with what it wants, where there is room. mu is held.
func (b *budget) give(h *arrival) bool {
	from := inSmall
	if !h.small(h.want) {
		from = inShared
	}
	for share := max(from, h.share); share < shares; share++ {
		size, held := h.want, int64(0)
		if share == inWhole {
			if h.share == inNone {
				return false // it holds nothing yet, so nobody waits for it
			}
			size = h.limit
		}
		if share == h.share {
			held = h.charged
		}
		if b.free[share] < size-held {
			continue
		}
		if share != h.share && h.share != inNone {
			b.free[h.share] += h.charged
		}
		b.free[share] -= size - held
		h.share, h.charged = share, size
		return true
	}
	return false
}

// cutStalled cuts the body that stalls the longest of those that hold what somebody waits for, who is small or not.
func (b *budget) cutStalled(small bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var worst *arrival
	for h := range b.bodies {
		if h.cut != nil || h.share == inNone || h.share == inSmall && !small || time.Since(h.mark) < stalledAfter {
			continue
		}
		// One that waits by itself is not slow, but must not keep the small from their share.
		if h.want > 0 && (!small || h.share != inSmall || h.small(h.want)) {
			continue
		}
		if worst == nil || h.mark.Before(worst.mark) {
			worst = h
		}
	}
	switch {
	case worst == nil:
	case worst.want > 0:
		worst.refuse(errCrowded)
	default:
		worst.refuse(errSlow)
	}
}

// refuse has a body read no further. mu is held.
func (h *arrival) refuse(why error) {
	h.cut = why
	if h.want > 0 {
		h.budget.leave(h)
		h.granted <- why
		return
	}
	_ = h.deadline(time.Now().Add(-time.Second)) // one that knows no deadline goes on, and is cut at its next byte
}

// drain takes no more bodies, and lets those finish that come fast. It returns when none is on its way any more.
func (b *budget) drain(ctx context.Context) {
	b.mu.Lock()
	b.closing = true
	b.mu.Unlock()
	look := time.NewTicker(lookForStalled)
	defer look.Stop()
	for {
		b.mu.Lock()
		for h := range b.bodies {
			if h.cut == nil && (h.want > 0 || time.Since(h.mark) >= stalledAfter || ctx.Err() != nil) {
				h.refuse(errStopping)
			}
		}
		left := len(b.bodies)
		b.mu.Unlock()
		if left == 0 || ctx.Err() != nil {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

// step is how many bytes must arrive in a while.
func (h *arrival) step() int64 { return max(firstBuffer, h.charged/stepShare) }

// await makes the next Read end in time.
func (h *arrival) await(ctx context.Context) error {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	if h.cut != nil {
		return h.cut
	}
	until := h.mark.Add(slowAfter)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	_ = h.deadline(until)
	return nil
}

// advance notes how a Read went.
func (h *arrival) advance(n int, err error) error {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.arrived += int64(n)
	if h.arrived-h.marked >= h.step() {
		h.mark, h.marked = time.Now(), h.arrived
	}
	var late interface{ Timeout() bool }
	switch {
	case h.cut != nil:
		return h.cut
	case errors.As(err, &late) && late.Timeout():
		return errSlow
	}
	return err
}

// complete says that the body is here and holds that many bytes. It stays charged until it is released.
func (h *arrival) complete(size int64) {
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.bodies, h)
	if h.share != inNone && size < h.charged {
		b.free[h.share] += h.charged - size
		h.charged = size
		b.serve()
	}
}

// release gives back what the body holds. It must hold nothing of it any more.
func (h *arrival) release() {
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.bodies, h)
	if h.share != inNone {
		b.free[h.share] += h.charged
		h.share, h.charged = inNone, 0
	}
	b.serve()
}
