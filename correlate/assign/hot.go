package assign

import "slices"

// hotState is a state that company may still come to, in the order in which states became so. It counts while the state's
// place is still the one it holds here.
type hotState struct {
	*state
	place int
}

func (h hotState) holds() bool { return h.hot && h.heated == h.place }

// begun makes ready for a pass. What is carried is hot from the start, in its order; an incident that alerts opened is
// made a state of only where something asks for it, since there may be as many as there are services.
func (s *solver) begun() {
	s.states, s.opened, s.hot, s.hotKnown = map[string]*state{}, nil, nil, nil
	s.woken, s.places, s.weighedAt = make([]*state, len(s.carried)), len(s.carried), -1
	s.every = false
	if s.carriedBy == nil {
		s.index()
	}
	s.met = map[int][]*state{}
	for i, c := range s.carried {
		if s.known[c.ID] != nil {
			s.wake(i)
		}
	}
}

// index finds what is carried by what it is asked for: its id, and the services that it has or that joined it.
func (s *solver) index() {
	s.byID, s.carriedBy = map[string]int{}, map[int][]int{}
	for i, c := range s.carried {
		s.byID[c.ID] = i
		if s.known[c.ID] != nil {
			continue
		}
		seen := map[int]bool{}
		if len(c.Services) == 0 {
			seen[0] = true
		}
		for _, v := range c.Services {
			seen[s.ids[v]] = true
		}
		for v := range c.Joined {
			seen[s.ids[v]] = true
		}
		for v := range seen {
			s.carriedBy[v] = append(s.carriedBy[v], i)
		}
	}
}

// wake makes the state of a carried incident.
func (s *solver) wake(i int) *state {
	if st := s.woken[i]; st != nil {
		return st
	}
	st := s.carried[i].state(s)
	st.carriedAs, st.hot, st.heated = i, true, i
	s.woken[i], s.states[st.id] = st, st
	if st.known != nil {
		s.hotKnown = append(s.hotKnown, hotState{st, i})
	}
	if s.every || st.known != nil {
		s.hot = append(s.hot, hotState{st, i})
	}
	return st
}

// heat notes that company may come to a state.
func (s *solver) heat(st *state) {
	if st.hot {
		return
	}
	st.hot, st.heated = true, s.places
	s.places++
	s.hot = append(s.hot, hotState{st, st.heated})
	if st.known != nil {
		s.hotKnown = append(s.hotKnown, hotState{st, st.heated})
	}
}

// cold says that no company comes to a state any more that begins at a time.
func (s *solver) cold(st *state, at float64) bool {
	return at-st.at > coolAfter*s.scale && st.until+s.opt.Quiet+s.opt.Reopen < at
}

// company gives all hot states for an alert that were not weighed for it yet, in order, but for those that alerts opened and
// that come to nothing: an alert that may open an incident of its own joins only one of which a service is tied to its own.
// What it leaves out has the rate 0 and would change no sum.
func (s *solver) company(i int, consider func(*state)) {
	x := &s.alerts[i]
	s.weighedAt = x.Start
	if !x.Opens || !s.opt.ByService || s.service[i] == 0 {
		s.wakeAll()
		s.hot = slices.DeleteFunc(s.hot, func(h hotState) bool { return s.cools(h, i, consider) })
		return
	}
	var list []hotState
	s.hotKnown = slices.DeleteFunc(s.hotKnown, func(h hotState) bool {
		return s.cools(h, i, func(st *state) { list = append(list, h) })
	})
	add := func(st *state) {
		if st.asked == i+1 || !st.hot {
			return
		}
		st.asked = i + 1
		if s.cold(st, x.Start) {
			st.hot = false
			return
		}
		list = append(list, hotState{st, st.heated})
	}
	for _, v := range s.near(s.service[i]) {
		for _, k := range s.carriedBy[v] {
			add(s.wake(k))
		}
		for _, st := range s.met[v] {
			add(st)
		}
	}
	slices.SortFunc(list, func(a, b hotState) int { return a.place - b.place })
	for _, h := range list {
		consider(h.state)
	}
}

// cools says whether a state is hot no more when an alert begins, and gives it to weigh where it is and was not weighed yet.
func (s *solver) cools(h hotState, i int, give func(*state)) bool {
	switch {
	case !h.holds():
		return true
	case h.stamp == i+1:
		return false
	case s.cold(h.state, s.alerts[i].Start):
		h.hot = false
		return true
	}
	give(h.state)
	return false
}

// wakeAll makes the states of all that is carried, for who asks for each.
func (s *solver) wakeAll() {
	if s.every {
		return
	}
	s.every = true
	for i := range s.carried {
		if st := s.woken[i]; st == nil {
			s.wake(i)
		} else if st.known == nil && st.heated == i {
			s.hot = append(s.hot, hotState{st, i})
		}
	}
	slices.SortStableFunc(s.hot, func(a, b hotState) int { return a.place - b.place })
}

// near are the services to which one is tied, itself and that of none, 0, among them, as far as they are known here.
func (s *solver) near(service int) []int {
	list := s.nearby[service]
	if list == nil {
		list = []int{0, service}
		for name := range s.graph.catalog.Relatives(s.names[service]) {
			if v, ok := s.ids[name]; ok && v != service {
				list = append(list, v)
			}
		}
		s.nearby[service] = list
	}
	return list
}

// meets notes, before an alert becomes a member, by which service a state will be asked for.
func (s *solver) meets(st *state, i int) {
	if st.hot && st.known == nil && s.cold(st, s.weighedAt) {
		st.hot = false // nobody has asked since
	}
	if v := s.service[i]; st.known == nil && (v != 0 && find(st.joined, v) == nil || v == 0 && len(st.services) == 0) {
		s.met[v] = append(s.met[v], st)
	}
	st.turned = true
}
