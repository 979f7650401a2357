package simulate

import (
	"fmt"
	"time"
)

// What goes wrong, and how often. In a storm anything may; in a calm nothing does, and everything is quick.

// storm lets a time pass in which things go wrong.
func (w *world) storm(d time.Duration) {
	w.calm.Store(false)
	end := time.Now().Add(d)
	w.upset(end)
	w.pass(d)
}

// upset plans the next disturbance of a storm.
func (w *world) upset(end time.Time) {
	in := w.between(500*time.Millisecond, 9*time.Second)
	if time.Now().Add(in).After(end) {
		return
	}
	i := w.rng.IntN(replicas)
	back := w.between(0, 20*time.Second)
	var do func()
	name := ""
	switch w.rng.IntN(9) {
	case 0, 1:
		name, do = "is killed", func() { w.kill(i, back) }
	case 2:
		name, do = "is stopped", func() { w.restart(i) }
	case 3:
		name, do = "freezes", func() { w.processes[i].frozen = time.Now().Add(back) }
	case 4:
		name, do = "is cut off from the store", func() { w.processes[i].cut = time.Now().Add(back) }
	case 5:
		name, do = "has a clock that is turned", func() { w.processes[i].skew.Store(int64(back/2 - 5*time.Second)) }
	case 6:
		name, do = "loses the lease", func() {
			w.hub.mu.Lock()
			w.hub.lease.until = time.Now()
			w.hub.mu.Unlock()
		}
	case 7:
		name, do = "is there while Alertmanager and Prometheus do not answer", func() {
			w.amBroken.Store(true)
			w.at(back, "they answer again", func() { w.amBroken.Store(false) })
		}
	case 8:
		name, do = "is killed with all others", func() {
			for k := range replicas {
				w.kill(k, back+time.Duration(k)*time.Second)
			}
		}
	}
	w.at(in, fmt.Sprintf("replica %d %s (%s)", i, name, back), func() {
		w.faults[name]++
		if w.processes[i] != nil {
			do()
		}
		w.upset(end)
	})
}

// kill kills a replica at once, and starts it again in a while.
func (w *world) kill(i int, back time.Duration) {
	p := w.processes[i]
	if p == nil || p.dead.Load() {
		return
	}
	p.dead.Store(true)
	p.stop()
	w.at(back, fmt.Sprintf("replica %d comes back", i), func() {
		if w.processes[i] == p {
			w.start(i)
		}
	})
}

// restart stops a replica in order, and starts it again when it has stopped.
func (w *world) restart(i int) {
	p := w.processes[i]
	p.stop()
	var again func()
	again = func() {
		switch {
		case w.processes[i] != p:
		case ended(p.done):
			w.start(i)
		default:
			w.at(100*time.Millisecond, "", again)
		}
	}
	w.at(100*time.Millisecond, "", again)
}

// heal mends everything at once.
func (w *world) heal() {
	w.note("calm")
	w.calm.Store(true)
	w.calmSince = time.Now()
	w.amBroken.Store(false)
	for i, p := range w.processes {
		if p == nil {
			continue
		}
		p.frozen, p.cut = time.Time{}, time.Time{}
		p.skew.Store(0)
		if p.dead.Load() {
			w.start(i)
		}
	}
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	for _, c := range w.hub.waiting {
		if !c.due.IsZero() {
			c.due = time.Now()
		}
	}
}

// peace lets a time pass in which nothing goes wrong.
func (w *world) peace(d time.Duration) {
	w.heal()
	w.pass(d)
}

// callTakes is how long a call to the store takes.
func (w *world) callTakes() time.Duration {
	if w.calm.Load() {
		return w.between(200*time.Microsecond, 4*time.Millisecond)
	}
	switch n := w.rng.IntN(100); {
	case n < 88:
		return w.between(200*time.Microsecond, 10*time.Millisecond)
	case n < 98:
		return w.between(10*time.Millisecond, 500*time.Millisecond)
	default:
		return w.between(500*time.Millisecond, 12*time.Second)
	}
}

// becomes draws what becomes of a call.
func (w *world) becomes(c *call) outcome {
	switch {
	case c.by.dead.Load(), c.by.cut.After(time.Now()):
		return fails
	case w.calm.Load():
		return works
	}
	switch n := w.rng.IntN(100); {
	case n < 3:
		return fails
	case n < 5:
		return loses
	}
	return works
}

// copies is how often news reach somebody who listens.
func (w *world) copies() int {
	if w.calm.Load() {
		return 1
	}
	switch n := w.rng.IntN(10); {
	case n < 2:
		return 0
	case n < 3:
		return 2
	}
	return 1
}

// newsTakes is how long they are under way.
func (w *world) newsTakes() time.Duration {
	if w.calm.Load() {
		return w.between(100*time.Microsecond, 5*time.Millisecond)
	}
	return w.between(100*time.Microsecond, 3*time.Second)
}
