package alertmanager

import (
	"context"
	"sync"
)

// Ways are what is known of the ways from all Alertmanagers that are asked to here. They outlive the sources, and are safe for
// concurrent use.
type Ways struct {
	mu    sync.Mutex
	of    map[string]way // by source
	asked chan struct{}  // closed, and another, whenever one was asked
}

type way struct {
	tree *Routing // nil where it could not be read
	ours map[string]bool
}

// NewWays makes Ways of which nothing is known.
func NewWays() *Ways { return &Ways{of: map[string]way{}, asked: make(chan struct{})} }

// set notes what a source knows now.
func (w *Ways) set(name string, tree *Routing, ours map[string]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of[name] = way{tree, ours}
	close(w.asked)
	w.asked = make(chan struct{})
}

func (w *Ways) forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.of, name)
}

// Wait waits until each of the sources has asked once, or ctx ends.
func (w *Ways) Wait(ctx context.Context, names []string) {
	for {
		w.mu.Lock()
		all, next := true, w.asked
		for _, n := range names {
			_, ok := w.of[n]
			all = all && ok
		}
		w.mu.Unlock()
		if all {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-next:
		}
	}
}

// Sends says whether a receiver of a source's Alertmanager is known to send here, and a route to lead to it.
func (w *Ways) Sends(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	x := w.of[name]
	return x.tree != nil && len(x.tree.Reached(x.ours)) > 0
}

// Elsewhere says whether an alert with these labels comes here from none of the sources' Alertmanagers, where all of that is
// known.
func (w *Ways) Elsewhere(names []string, labels map[string]string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range names {
		x := w.of[n]
		if x.tree == nil || !x.tree.Elsewhere(x.tree.ReceiversOf(labels), x.ours) {
			return false
		}
	}
	return len(names) > 0
}
