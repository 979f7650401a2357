package correlate

import (
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
	missing := map[string]bool{}
	for _, e := range c.entries {
		if e.episode == nil {
			missing[e.series.fingerprint] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	// Most are as what was heard in the cell's time says. What came before or after decides a few.
	list, err := s.facts.Sightings(ctx, time.Unix(0, c.from-int64(time.Hour)).UTC(), time.Unix(0, c.to+int64(time.Hour)).UTC())
	if err != nil {
		return err
	}
	s.fill(c, list, missing)
	if len(missing) == 0 {
		return nil
	}
	prints := sortedKeys(missing)
	if list, err = s.facts.SightingsOf(ctx, prints); err != nil {
		return err
	}
	s.fill(c, list, missing)
	if len(missing) > 0 {
		return incident.Errorf(incident.CodeUnavailable, "%d alerts changed while they were read", len(missing))
	}
	return nil
}

// fill gives the cell's episodes that sightings tell, where they are as the book knows them.
func (s *cache) fill(c *cell, list []incident.Sighting, missing map[string]bool) {
	of := map[string][]incident.Sighting{}
	for _, x := range list {
		if missing[x.Fingerprint] {
			of[x.Fingerprint] = append(of[x.Fingerprint], x)
		}
	}
	episodes := map[incident.EpisodeKey]*incident.Episode{}
	for _, f := range sortedKeys(of) {
		all := s.book.episodes(of[f])
		for i := range all {
			episodes[utc(all[i].Key())] = &all[i]
		}
	}
	clear(missing)
	for _, e := range c.entries {
		if e.episode != nil {
			continue
		}
		if ep := episodes[e.key()]; ep != nil && digestOf(ep) == e.digest {
			e.episode = ep
		} else {
			missing[e.series.fingerprint] = true
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
