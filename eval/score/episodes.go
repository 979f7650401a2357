package score

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// episodes finds for each episode of the answer the true one it is, and counts what is missing, extra or wrong.
func (s *scorer) episodes() {
	listed := s.listed()
	keys := slices.SortedFunc(maps.Keys(listed), func(a, b heard) int {
		return cmp.Or(cmp.Compare(a.fingerprint, b.fingerprint), cmp.Compare(a.start.Seconds, b.start.Seconds))
	})
	claimed := map[*episode][]heard{}
	extra := 0
	for _, h := range keys {
		e := s.trueOf(h, listed[h])
		s.is[h] = e
		if e == nil {
			extra++
		} else {
			claimed[e] = append(claimed[e], h)
		}
	}
	mentioned := map[string]bool{}
	for _, h := range keys {
		mentioned[h.fingerprint] = true
	}
	all, found, exact, wrongStart, wrongEnd := 0, 0, 0, 0, 0
	for _, e := range s.real {
		if s.answer.Episodes == nil && !mentioned[e.Fingerprint] {
			continue
		}
		all++
		hs := claimed[e]
		if len(hs) == 0 {
			continue
		}
		found++
		extra += len(hs) - 1
		h := slices.MinFunc(hs, func(a, b heard) int {
			return cmp.Compare(math.Abs(a.start.Seconds-e.from), math.Abs(b.start.Seconds-e.from))
		})
		badStart := math.Abs(h.start.Seconds-e.from) > s.tol.Start
		// The end of one whose resolved never came is nobody's to know.
		end := listed[h]
		badEnd := e.ObservedEnd.Known && (!end.Known || math.Abs(end.Seconds-e.ObservedEnd.Seconds) > s.tol.End)
		wrongStart += count(badStart)
		wrongEnd += count(badEnd)
		exact += count(!badStart && !badEnd)
	}
	s.out["episodes_true"] = float64(all)
	s.out["episodes_answered"] = float64(len(listed))
	s.out["episodes_missing"] = float64(all - found)
	s.out["episodes_extra"] = float64(extra)
	s.out["episodes_wrong_start"] = float64(wrongStart)
	s.out["episodes_wrong_end"] = float64(wrongEnd)
	s.out["episodes_exact_f1"] = ratio(2*exact, all+len(listed))
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listed are all episodes that the answer mentions, each with its earliest end.
func (s *scorer) listed() map[heard]Time {
	out := map[heard]Time{}
	add := func(es []AnsweredEpisode) {
		for _, e := range es {
			if s.dogs[e.Fingerprint] || !e.StartsAt.Known {
				continue
			}
			h := heard{e.Fingerprint, e.StartsAt}
			if old := out[h]; !old.Known || (e.EndsAt.Known && e.EndsAt.Seconds < old.Seconds) {
				out[h] = e.EndsAt
			}
		}
	}
	for _, i := range s.answer.Incidents {
		add(i.Episodes)
	}
	add(s.answer.Episodes)
	return out
}

// trueOf is the true episode that one of the answer is: the nearest start within tolerance, else the most overlap, else
// one at most a minute away, else nil.
func (s *scorer) trueOf(h heard, end Time) *episode {
	type rank struct {
		far   bool
		worse float64
		start float64
	}
	var best *episode
	var of rank
	for _, e := range s.of[h.fingerprint] {
		to := e.to
		if end.Known {
			to = end.Seconds
		}
		overlap := min(to, e.to) - max(h.start.Seconds, e.from)
		off := math.Abs(h.start.Seconds - e.from)
		far := off > s.tol.Start
		if far && overlap < -60 {
			continue
		}
		r := rank{far, -overlap, e.from}
		if !end.Known {
			r.worse = off // without an end, the nearest start
		}
		if best == nil ||
			cmp.Or(cmp.Compare(count(r.far), count(of.far)), cmp.Compare(r.worse, of.worse), cmp.Compare(r.start, of.start)) < 0 {
			best, of = e, r
		}
	}
	return best
}
