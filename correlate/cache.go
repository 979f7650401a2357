package correlate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"meantime/incident"
)

// cache keeps the episodes and answers of the cells used lately, and brings others from the store.
type cache struct {
	facts FactsReader
	book  *book
	beats []incident.Beat
	// cells are those at hand, the one used last at the end; held is how many episodes they have together.
	cells []*cell
	held  int
}

func (s *cache) load(ctx context.Context, c *cell) error {
	missing := s.missing(c)
	if len(missing) == 0 {
		return nil
	}
	if s.windowIsLess(c, missing) {
		// Most are as what was heard in the cell's time says. What came before or after decides a few.
		list, err := s.facts.Sightings(ctx, time.Unix(0, c.from-around).UTC(), time.Unix(0, c.to+around).UTC())
		if err != nil {
			return err
		}
		s.fill(c, list, missing)
		missing = s.missing(c)
	}
	for prints := range slices.Chunk(sortedKeys(missing), readPrints) {
		list, err := s.facts.SightingsOf(ctx, prints)
		if err != nil {
			return err
		}
		s.fill(c, list, missing)
	}
	if missing = s.missing(c); len(missing) > 0 {
		return incident.Errorf(incident.CodeUnavailable, "%d alerts changed while they were read", len(missing))
	}
	return nil
}

const (
	around     = int64(time.Hour) // read before and after a cell
	readPrints = 500              // alerts read at once
)

// missing are the alerts of a cell of which an episode is not at hand.
func (s *cache) missing(c *cell) map[string]bool {
	out := map[string]bool{}
	for _, e := range c.entries {
		if e.episode == nil {
			out[e.series.fingerprint] = true
		}
	}
	return out
}

// windowIsLess says whether all that fired in a cell's time is fewer episodes than all there ever were of some alerts.
func (s *cache) windowIsLess(c *cell, prints map[string]bool) bool {
	ever := 0
	for f := range prints {
		ever += len(s.book.series[f].entries)
	}
	from, to := c.from-around, c.to+around
	window := len(s.book.firing) // nearly all of them began before
	for n := floor(from, dayLength); n <= floor(to, dayLength); n++ {
		if d := s.book.days[n]; d != nil {
			window += beginBefore(d.entries, to) - beginBefore(d.entries, from)
		}
	}
	return window < ever
}

// beginBefore is how many of some episodes, in order of start, begin before a time.
func beginBefore(list []*entry, t int64) int {
	n, _ := slices.BinarySearchFunc(list, t, func(e *entry, t int64) int { return cmp.Compare(e.start, t) })
	return n
}

// fill gives the cell's episodes that sightings tell, where they are as the book knows them.
func (s *cache) fill(c *cell, list []incident.Sighting, missing map[string]bool) {
	of := map[string][]incident.Sighting{}
	for _, x := range list {
		if missing[x.Fingerprint] {
			of[x.Fingerprint] = append(of[x.Fingerprint], x)
		}
	}
	for f, sightings := range of {
		all := s.book.episodes(sightings)
		at := make(map[int64]*incident.Episode, len(all))
		for i := range all {
			at[all[i].StartsAt.UnixNano()] = &all[i]
		}
		for _, e := range s.book.series[f].entries {
			if e.cell != c || e.episode != nil {
				continue
			}
			if ep := at[e.start]; ep != nil && digestOf(ep) == e.digest {
				one := *ep // not the array of all of them
				e.episode = &one
			}
		}
	}
}

// worked puts away what was used longest ago.
func (s *cache) worked(_ context.Context, c *cell) error {
	if c != nil {
		if i := slices.Index(s.cells, c); i >= 0 {
			s.cells = slices.Delete(s.cells, i, i+1)
		}
		s.cells = append(s.cells, c)
	}
	s.held = 0
	for _, c := range s.cells {
		s.held += len(c.entries)
	}
	for s.held > s.book.sizes.atHand && len(s.cells) > 1 {
		old := s.cells[0]
		s.cells = s.cells[1:]
		s.held -= len(old.entries)
		old.answer = nil
		for _, e := range old.entries {
			if e.cell == old {
				e.episode = nil
			}
		}
	}
	return nil
}

func (s *cache) record(ctx context.Context, k incident.RecordKey) (*incident.Record, error) {
	r, err := s.facts.Record(ctx, k)
	return &r, err
}
