package correlate

import (
	"context"
	"maps"
	"slices"
	"time"

	"meantime/incident"
)

// hearts follow the watchdogs' signs of life, so that a pass need not read them all.
type hearts struct {
	dogs []Watchdog
	// blind are the gaps between signs of life that were longer than the watchdog's Every; last is the newest sign.
	blind map[string][]incident.Impact
	last  map[string]time.Time
	// silent says which watchdogs were silent at the last look.
	silent map[string]bool
}

// load reads all signs of life, and gives them.
func (h *hearts) load(ctx context.Context, facts FactsReader, dogs []Watchdog, now time.Time) (beats []incident.Beat, err error) {
	if len(dogs) > 0 {
		if beats, err = facts.Beats(ctx, time.Unix(0, 0).UTC(), now.AddDate(1, 0, 0)); err != nil {
			return nil, err
		}
	}
	*h = hearts{dogs: dogs, blind: map[string][]incident.Impact{}, last: map[string]time.Time{}, silent: map[string]bool{}}
	h.add(beats)
	return beats, nil
}

// add takes in signs of life that are not older than those known, by watchdog and time.
func (h *hearts) add(beats []incident.Beat) {
	for _, w := range h.dogs {
		for _, b := range beats {
			if b.Watchdog != w.Name || !b.At.After(h.last[w.Name]) {
				continue
			}
			if last := h.last[w.Name]; !last.IsZero() && b.At.Sub(last) > w.Every {
				h.blind[w.Name] = append(h.blind[w.Name], incident.Impact{From: last, To: b.At})
			}
			h.last[w.Name] = b.At
		}
	}
}

// beat takes in what changed, and gives the stretches in which that may have changed whether the organisation was blind. Of
// what is to come it counts as blind while a watchdog is silent.
func (h *hearts) beat(ctx context.Context, facts FactsReader, dogs []Watchdog, changed []incident.Change, now time.Time) (turned []stretch, err error) {
	again := !slices.EqualFunc(h.dogs, dogs, func(a, b Watchdog) bool { return a.Name == b.Name && a.Every == b.Every })
	for _, c := range changed {
		again = again || !c.From.After(h.last[c.Key])
	}
	was := h.silent
	switch {
	case again: // late, or of other watchdogs: what was between two signs may be no gap
		beats, err := h.load(ctx, facts, dogs, now)
		if err != nil {
			return nil, err
		}
		for _, c := range changed {
			s := stretch{c.From, forever}
			for _, b := range beats { // in order of time
				if b.Watchdog == c.Key && b.At.Before(c.From) {
					s.from = b.At
				}
				if b.Watchdog == c.Key && b.At.After(c.From) {
					s.to = b.At
					break
				}
			}
			turned = append(turned, s)
		}
	case len(changed) > 0:
		span := stretch{}
		for _, c := range changed {
			span = span.join(stretch{c.From, c.To})
		}
		beats, err := facts.Beats(ctx, span.from, span.to)
		if err != nil {
			return nil, err
		}
		before, last := map[string]int{}, maps.Clone(h.last)
		for name, gaps := range h.blind {
			before[name] = len(gaps)
		}
		h.add(beats)
		for name := range was { // it was silent since, as far as was known
			turned = append(turned, stretch{last[name], forever})
		}
		for name, gaps := range h.blind {
			for _, g := range gaps[before[name]:] {
				turned = append(turned, stretch{g.From, g.To})
			}
		}
	}
	h.silent = map[string]bool{}
	for _, w := range h.dogs {
		if last := h.last[w.Name]; !last.IsZero() && now.Sub(last) > w.Every {
			if h.silent[w.Name] = true; !was[w.Name] {
				turned = append(turned, stretch{last, forever})
			}
		}
	}
	return turned, nil
}

// windows are the stretches in which each watchdog was silent; without an end where it is silent still.
func (h *hearts) windows(now time.Time) map[string][]incident.Impact {
	out := map[string][]incident.Impact{}
	for _, w := range h.dogs {
		list := slices.Clone(h.blind[w.Name])
		if last := h.last[w.Name]; !last.IsZero() && now.Sub(last) > w.Every {
			list = append(list, incident.Impact{From: last})
		}
		if len(list) > 0 {
			out[w.Name] = list
		}
	}
	return out
}
