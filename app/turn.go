package app

import "sync"

// turn is a mutex that is held for as long as a store may take to answer. Who waits for it waits on a channel, so that a
// simulated clock goes on meanwhile: see testing/synctest.
type turn struct {
	once sync.Once
	held chan struct{}
}

// Lock waits until nobody else holds it.
func (t *turn) Lock() {
	t.once.Do(func() { t.held = make(chan struct{}, 1) })
	t.held <- struct{}{}
}

// Unlock lets the next one have it.
func (t *turn) Unlock() { <-t.held }
