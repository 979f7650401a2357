package assign

import (
	"encoding/binary"
	"math"
	"slices"
)

// choose decides which new incidents there are, from the outcome of a pass: kept are those that are worth it; of those,
// given up are those that a record explains better; and a burst inside a record that an incident of its own explains
// better becomes one. fall: none may come anew. It says whether anything changed.
func (s *solver) choose(fall bool) bool {
	before := len(s.seeds)
	seeds := map[int]bool{}
	for _, st := range s.opened {
		if !s.forced[st.seed] && !s.keeps(st) {
			continue
		}
		if !s.forced[st.seed] && s.givenUp(st) {
			s.banned[st.seed] = true
			continue
		}
		seeds[st.seed] = true
	}
	for i := range s.alerts {
		if x := &s.alerts[i]; x.Seed && !seeds[i] && !x.Quiet &&
			(s.out[i].sure < s.opt.LinkAt || s.out[i].best.state == nil || s.out[i].best.state.known == nil && !s.kept(s.out[i].best.state)) {
			seeds[i], s.forced[i] = true, true
		}
	}
	changed := len(seeds) != before
	for i := range seeds {
		changed = changed || !s.seeds[i]
	}
	if !fall {
		for _, i := range s.splits() {
			if !seeds[i] && s.maySeed(i) {
				seeds[i], changed = true, true
			}
		}
	}
	s.seeds = seeds
	return changed
}

// keeps says whether what begins with a seed is an incident.
func (s *solver) keeps(st *state) bool {
	if st.worth > keepWorth {
		return true
	}
	return !s.opt.Weigh && slices.ContainsFunc(st.members, func(i int) bool {
		return s.alerts[i].Opens && (i == st.seed || s.out[i].sure >= s.opt.LinkAt)
	})
}

// givenUp says whether an incident of records explains what an opened one holds better than that one does.
func (s *solver) givenUp(st *state) bool {
	own := s.scoreNew(st.members)
	seen := map[*Known]bool{}
	var shifted *Known
	var by float64
	for _, i := range st.members {
		for c := range s.base[i] {
			seen[s.base[i][c].known] = true
		}
	}
	first := &s.alerts[st.seed]
	for _, id := range sortedKeys(s.known) {
		k := s.known[id]
		if k.From() > first.Start+ReachAfter || k.To() < first.Start || s.opt.Apart[pair(k.ID, st.id)] {
			continue
		}
		unheard := !k.Maintenance && !s.answered(k) && !s.elsewhere(k, first)
		if seen[k] && s.suggests(k, st.members) { // nothing is given to what none of it may then be linked to
			score := s.scoreKnown(k, st.members)
			if unheard && score > 0 {
				score += unanswered
			}
			if score > own {
				return true
			}
		}
		if unheard && shifted == nil && s.shift[k.ID] == 0 && len(st.members) > 1 && // one alert may be there by chance
			slices.ContainsFunc(st.members, func(i int) bool { return slices.Contains(k.Services, s.alerts[i].Service) }) {
			for _, off := range []float64{1, -1, 2, -2} {
				if d := first.Start - (k.Onset + off); d >= -clockOff && d <= clockOn {
					shifted, by = k, off
				}
			}
		}
	}
	if shifted == nil {
		return false
	}
	s.shift[shifted.ID] = by
	s.weighStatic(slices.Collect(valuesOf(s.known)))
	return true
}

// elsewhere says whether an alert fired in another place than an incident's records tell.
func (s *solver) elsewhere(k *Known, x *Alert) bool {
	factor, _ := s.place(s.newState(k), x)
	return factor < 1
}

// suggests says whether an incident of records is likely enough for any of some alerts by what its records tell.
func (s *solver) suggests(k *Known, list []int) bool {
	return slices.ContainsFunc(list, func(i int) bool {
		t := s.of(s.newState(k), i, nil)
		rate := t.rate()
		return rate >= s.opt.SuggestAt*(rate+s.habit[i]+s.seedRate)
	})
}

// answered says whether any alert of the services that a record names belongs to it and began before it was long under way.
func (s *solver) answered(k *Known) bool {
	st := s.states[k.ID]
	if st == nil {
		return false
	}
	by := k.Onset + s.shift[k.ID] + answerWithin*s.tempo
	return slices.ContainsFunc(st.members, func(i int) bool {
		return s.alerts[i].Start <= by && s.out[i].sure >= sureFrom &&
			(len(k.Services) == 0 || slices.Contains(k.Services, s.alerts[i].Service))
	})
}

// scoreNew is what alerts are worth, in nats over their habit, as an incident of their own.
func (s *solver) scoreNew(list []int) float64 {
	if len(list) == 0 {
		return 0
	}
	x := &s.alerts[list[0]]
	st := &state{onset: x.Start, at: math.Inf(-1), until: math.Inf(-1), last: math.Inf(-1), group: x.Group, seed: list[0]}
	if v := s.service[list[0]]; v != 0 {
		st.services = []int{v}
	}
	sum := math.Log(s.seedRate / s.habit[list[0]])
	s.add(st, list[0], 1)
	return sum + s.scoreRest(st, list[1:])
}

// scoreKnown is the same under an incident of records, in the company of what it holds besides: alerts among which they fired
// are of one piece with them.
func (s *solver) scoreKnown(k *Known, list []int) (sum float64) {
	st, own := s.newState(k), map[int]bool{}
	for _, i := range list {
		own[i] = true
	}
	var has []int
	if now := s.states[k.ID]; now != nil {
		has = now.members
	}
	for _, i := range list {
		for ; len(has) > 0 && has[0] < i; has = has[1:] {
			if j := has[0]; !own[j] {
				s.add(st, j, s.out[j].sure)
			}
		}
		sum += s.scoreRest(st, []int{i})
	}
	return sum
}

func (s *solver) scoreRest(st *state, list []int) (sum float64) {
	for _, i := range list {
		t := s.of(st, i, nil)
		if rate := t.rate(); rate > s.habit[i] {
			sum += math.Log(rate / s.habit[i])
			s.add(st, i, rate/(rate+s.habit[i]))
		}
	}
	return sum
}

// splits are the first alerts of bursts inside incidents of records that are better explained as incidents of their own.
func (s *solver) splits() (seeds []int) {
	for _, id := range sortedKeys(s.known) {
		st := s.states[id]
		if st == nil || st.known == nil || st.known.Maintenance {
			continue
		}
		done := map[int]bool{}
		for n, i := range st.members {
			if done[i] || s.out[i].fixed || s.out[i].sure < sureFrom {
				continue
			}
			x := &s.alerts[i]
			burst := []int{i}
			key := binary.AppendVarint(nil, int64(i))
			for _, j := range st.members[n+1:] {
				y := &s.alerts[j]
				if y.Start > x.Start+splitWithin {
					break
				}
				if !done[j] && !s.out[j].fixed && s.out[j].sure >= sureFrom && s.tied(s.service[i], s.service[j]) {
					burst, key = append(burst, j), binary.AppendVarint(key, int64(j))
				}
			}
			key = append(key, st.id...)
			if len(burst) < fewestApart || s.frozen && s.scored[string(key)] {
				continue
			}
			if s.frozen {
				s.scored[string(key)] = true
			}
			own := s.scoreNew(burst)
			if own > keepWorth && own > s.scoreKnown(st.known, burst) {
				seeds = append(seeds, i)
				for _, j := range burst {
					done[j] = true
				}
			}
		}
	}
	return seeds
}

const fewestApart = 3 // alerts that can be worth an incident of their own inside another

func (s *solver) tied(a, b int) bool {
	if a == 0 || b == 0 {
		return false
	}
	t, _ := s.tie([]int{a}, b)
	u, _ := s.tie([]int{b}, a)
	return t.Share >= shareJoined || u.Share >= shareJoined
}

func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

func valuesOf[K comparable, V any](m map[K]V) func(func(V) bool) {
	return func(yield func(V) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}
