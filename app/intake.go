package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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

	// What other processes brought in and could not be read yet: a pass tells of it once.
	following chan struct{} // holds one value while somebody follows
	due       map[incident.RecordKey]bool
	all       bool
}

func newIntake(s store.Store, open *questions, changed func()) *intake {
	return &intake{
		Store: s, changed: changed, open: open, beats: map[string]time.Time{},
		following: make(chan struct{}, 1), due: map[incident.RecordKey]bool{},
	}
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
	if len(f.Sightings)+len(f.Records)+len(f.Reviews)+len(f.Silences)+len(f.Beats) > 0 { // marks are no news
		s.changed()
	}
	return receipt, nil
}

func (s *intake) heard(beats []incident.Beat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range beats {
		at := b.At.Truncate(time.Second) // as they are kept, so that all replicas show the same
		if at.After(s.beats[b.Watchdog]) {
			s.beats[b.Watchdog] = at
		}
	}
}

// lastHeard is when each watchdog was last heard of.
func (s *intake) lastHeard() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.beats)
}

// follow notes what other processes brought in, as far as a pass tells. Where that cannot be read it is tried again with the next.
func (s *intake) follow(ctx context.Context, saved incident.Saved, now time.Time) error {
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.all = s.all || saved.Whole; s.all {
		if err := s.hear(ctx, now); err != nil {
			return err
		}
		s.open.forget()
		if err := s.open.load(ctx, s.Store); err != nil {
			return err
		}
		s.all = false
		clear(s.due)
		return nil
	}
	s.heard(saved.Beats)
	for _, k := range saved.Records {
		s.due[k] = true
	}
	// In one order, so that a simulation of the same seed is the same run.
	byName := func(a, b incident.RecordKey) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.due), byName) {
		if err := s.learn(ctx, k); err != nil {
			return err
		}
		delete(s.due, k)
	}
	return nil
}

// hearBack is how far back the start looks for signs of life.
const hearBack = 7 * 24 * time.Hour

// hear reads the newest signs of life of watchdogs.
func (s *intake) hear(ctx context.Context, now time.Time) error {
	beats, err := s.Beats(ctx, now.Add(-hearBack), now)
	if err != nil {
		return fmt.Errorf("load watchdogs: %w", err)
	}
	s.heard(beats)
	return nil
}

// learn reads the version of a record that counts now.
func (s *intake) learn(ctx context.Context, k incident.RecordKey) error {
	r, err := s.Record(ctx, k)
	if incident.CodeOf(err) == incident.CodeNotFound && err != nil {
		return nil
	}
	if err == nil {
		s.open.put(&r)
	}
	return err
}

// recordKey is the key of a record that a change names as "source/id".
func recordKey(name string) incident.RecordKey {
	source, id, _ := strings.Cut(name, "/")
	return incident.RecordKey{Source: source, ID: id}
}
