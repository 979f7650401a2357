package app

import (
	"context"
	"maps"
	"sync"
	"time"

	"meantime/incident"
	"meantime/store"
)

// intake is the store as everything sees it that brings facts in: after each Put that stored something, correlation is
// told, and what the metrics say of facts themselves is noted: signs of life of watchdogs, and open questions.
type intake struct {
	store.Store
	changed func()
	open    *questions

	mu    sync.Mutex
	beats map[string]time.Time // watchdog -> when last heard of
}

func (s *intake) Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error) {
	receipt, err := s.Store.Put(ctx, f, received)
	if err != nil {
		return receipt, err
	}
	s.heard(f.Beats)
	for i := range f.Records {
		if receipt.Records[i] {
			s.open.put(&f.Records[i])
		}
	}
	s.changed()
	return receipt, nil
}

func (s *intake) heard(beats []incident.Beat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range beats {
		if b.At.After(s.beats[b.Watchdog]) {
			s.beats[b.Watchdog] = b.At
		}
	}
}

// lastHeard is when each watchdog was last heard of.
func (s *intake) lastHeard() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.beats)
}
