package assign

import (
	"context"
	"maps"
	"math"
	"slices"

	"meantime/incident"
)

// solver works out one cell. What it holds besides its input is the outcome of the last pass.
type solver struct {
	ctx     context.Context // asked now and then; what is left undone once it ended is never given out
	alerts  []Alert
	known   map[string]*Known
	carried []*Carried
	aliases map[string]int
	org     *Org
	opt     *Options
	graph   *Graph

	tempo, scale float64
	seedRate     float64
	base         [][]candidate // of each alert, the incidents of records that it may be of by what they tell
	burst        []float64
	shift        map[string]float64 // of incidents whose clock is wrong

	passes int
	terms  int // how often those of an alert and an incident were worked out

	habit []float64
	// habitBy is what each habit was judged by.
	habitBy []habitKind
	frozen  bool
	out     []outcome
	states  map[string]*state
	opened  []*state
	hot     []hotState // in order; of what alerts opened and is carried only what was asked for, unless every is set
	// hotKnown are those of records among them.
	hotKnown  []hotState
	every     bool
	places    int              // given out so far
	weighedAt float64          // when the last alert that was weighed began
	woken     []*state         // of what is carried
	met       map[int][]*state // incidents that alerts opened, by the service of a member
	seeds     map[int]bool     // alerts that begin an incident of their own
	banned    map[int]bool     // that a record explains better
	forced    map[int]bool     // that a person spoke of
	lost      map[int]int      // how often what may open an incident belonged to nothing after a pass

	service   []int            // of each alert, by number
	services  map[string][]int // of each incident of records
	names     []string         // of services
	ids       map[string]int   // of services
	own       int              // how many of the services, the first, are of alerts
	ties      [][]uint8        // by service of an incident and service of an alert, by place in tied; 0 was not looked up
	tieKinds  []Tie
	nearby    map[int][]int  // services tied to a service
	byID      map[string]int // what is carried
	carriedBy map[int][]int  // what is carried and alerts opened, by service
	seedIDs   map[int]string
	scored    map[string]bool // bursts that were looked at since habits are frozen
}

// candidate is an incident of records with its static terms for an alert.
type candidate struct {
	known *Known
	terms terms
}

// outcome is what became of an alert in a pass.
type outcome struct {
	best, second choice
	habit        float64
	sum          float64
	sure         float64 // how likely it belongs to the best, 0 where that is its habit
	fixed        bool    // by a statement or a person
}

// choice is one incident that an alert may be of.
type choice struct {
	state *state
	terms terms
	rate  float64
}

func newSolver(in *Input) *solver {
	s := &solver{
		alerts: in.Alerts, known: map[string]*Known{}, aliases: in.Aliases, org: &in.Org, graph: in.Graph,
		shift: map[string]float64{}, seeds: map[int]bool{}, banned: map[int]bool{}, forced: map[int]bool{},
		seedIDs: map[int]string{}, scored: map[string]bool{}, nearby: map[int][]int{},
	}
	opt := *in.Options
	opt.LinkAt, opt.SuggestAt = uncalibrated(opt.LinkAt), uncalibrated(opt.SuggestAt)
	s.opt, s.tempo = &opt, s.org.Tempo()
	s.scale = timeScale * s.tempo
	s.seedRate = seedShare * s.org.RecordRate * seedBurst * seedServices / math.Max(1, s.org.Services)
	s.out = make([]outcome, len(s.alerts))
	for _, k := range in.Known {
		s.known[k.ID] = k
	}
	s.carried = slices.DeleteFunc(slices.Clone(in.Carried), func(c *Carried) bool { return c.Told && s.known[c.ID] == nil })
	s.intern(in.Known)
	s.weighStatic(in.Known)
	return s
}

// weighStatic finds the incidents of records that each alert may be of. list is any order.
func (s *solver) weighStatic(list []*Known) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *Known) int {
		switch {
		case a.From() != b.From():
			return cmpFloat(a.From(), b.From())
		case a.ID < b.ID:
			return -1
		}
		return 1
	})
	s.base = make([][]candidate, len(s.alerts))
	var near []*Known
	next := 0
	for i := range s.alerts {
		x := &s.alerts[i]
		for ; next < len(list) && list[next].From() <= x.Start; next++ {
			near = append(near, list[next])
		}
		near = slices.DeleteFunc(near, func(k *Known) bool { return k.To() < x.Start })
		for _, k := range near {
			if t := s.static(k, i); t.rate() >= reachSilent {
				s.base[i] = append(s.base[i], candidate{k, t})
			}
		}
	}
}

const askEvery = 512 // alerts

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// pass gives each alert, in order of time, to what explains it best. With seed what nothing explains begins a new incident.
func (s *solver) pass(seed bool) {
	if !s.frozen || s.habit == nil {
		s.habit = s.habits()
	}
	s.begun()
	out := make([]outcome, len(s.alerts))
	for i := range s.alerts {
		if i%askEvery == 0 && s.ctx.Err() != nil {
			break
		}
		out[i] = s.one(i, seed)
	}
	s.out = out
	s.lookBack()
	s.passes++
}

// one weighs one alert, and makes it a member of what it belongs to.
func (s *solver) one(i int, seed bool) outcome {
	x := &s.alerts[i]
	o := outcome{habit: s.habit[i]}
	switch {
	case x.Quiet:
		return o
	case x.Confirmed != "" && !x.Own:
		o.fixed, o.sure = true, 1
		if st := s.stateOf(s.called(x.Confirmed)); st != nil {
			o.best = choice{state: st}
			s.join(st, i, 1, 1)
		}
		return o
	case len(x.Stated) > 0:
		o.fixed, o.sure = true, 1
		for k := range x.Stated {
			if st := s.stateOf(x.Stated[k].Incident); st != nil && !slices.Contains(x.Rejected, st.id) {
				if o.best.state == nil {
					o.best = choice{state: st}
				}
				s.join(st, i, 1, 1)
			}
		}
		if o.best.state != nil {
			return o
		}
		o.fixed, o.sure = false, 0
	}
	s.weigh(i, &o)
	if n := s.lost[i]; n >= lostTwice || n > 0 && !(o.best.rate >= o.habit && s.explains(o.best.state, share(&o))) {
		s.seeds[i], s.forced[i] = true, true
	}
	if s.seeds[i] {
		st := s.begin(i)
		o.second = o.best
		if o.best.state == nil || o.best.rate < o.habit {
			o.second = choice{}
		}
		o.best = choice{
			state: st,
			rate:  s.seedRate,
			terms: terms{
				share: shareSame,
				tie:   Tie{Kind: Same, Share: shareSame},
				via:   s.service[i],
				time:  s.seedRate / shareSame,
				end:   1,
				place: 1,
			},
		}
		o.sure = 1
		return o
	}
	if unexplained := o.best.state == nil || o.best.rate < o.habit; unexplained ||
		seed && s.maySeed(i) && o.best.rate < s.opt.SuggestAt*o.sum {
		if seed && s.maySeed(i) {
			st := s.begin(i)
			o.best, o.second = choice{state: st, rate: s.seedRate}, o.best
		}
		return o
	}
	o.sure = share(&o)
	s.join(o.best.state, i, o.sure, o.best.rate)
	return o
}

// share is the best's part of all that explains an alert, rounded.
func share(o *outcome) float64 { return math.Round(64*o.best.rate/o.sum) / 64 }

// not says whether a person said that an alert is not of an incident.
func (x *Alert) not(id string) bool {
	return slices.Contains(x.Rejected, id) || slices.Contains(x.Excluded, id)
}

// denied says whether a person said that what an alert opens is no incident of its own.
func (s *solver) denied(i int) bool {
	x := &s.alerts[i]
	return len(x.Rejected) > 0 && slices.Contains(x.Rejected, s.seedID(i))
}

// maySeed says whether an alert may begin an incident. One of a burst begins none where it may not open one either: there may be
// thousands of them, and what else fires begins it.
func (s *solver) maySeed(i int) bool {
	return !s.banned[i] && !s.denied(i) && (s.alerts[i].Opens || s.bursts()[i] == 1)
}

// begin opens an incident with an alert.
func (s *solver) begin(i int) *state {
	x := &s.alerts[i]
	st := &state{id: s.seedID(i), onset: x.Start, at: math.Inf(-1), until: math.Inf(-1), last: math.Inf(-1), group: x.Group, seed: i}
	if v := s.service[i]; v != 0 {
		st.services = []int{v}
	}
	s.states[st.id] = st
	s.opened = append(s.opened, st)
	s.join(st, i, 1, s.seedRate)
	return st
}

// join makes an alert a member.
func (s *solver) join(st *state, i int, p, rate float64) {
	s.meets(st, i)
	s.add(st, i, p)
	st.worth += math.Log(rate / s.habit[i])
	s.heat(st)
}

func (s *solver) seedID(i int) string {
	id, ok := s.seedIDs[i]
	if !ok {
		id = incident.EpisodeID(s.alerts[i].Key)
		s.seedIDs[i] = id
	}
	return id
}

// stateOf is the state of an incident that is named; nil where this cell knows nothing of it.
func (s *solver) stateOf(id string) *state {
	if st := s.states[id]; st != nil {
		return st
	}
	if i, ok := s.byID[id]; ok {
		return s.wake(i)
	}
	if k := s.known[id]; k != nil {
		st := s.newState(k)
		s.states[id] = st
		return st
	}
	return nil
}

// called is the id of the incident that an id means, by the outcome of the last pass.
func (s *solver) called(id string) string {
	if j, ok := s.aliases[id]; ok && s.out[j].best.state != nil && s.out[j].sure > 0 {
		return s.out[j].best.state.id
	}
	return id
}

// weigh finds the two likeliest incidents of an alert, and the sum of all rates.
func (s *solver) weigh(i int, o *outcome) {
	x := &s.alerts[i]
	o.sum = o.habit + s.seedRate
	consider := func(st *state, base *terms) {
		st.stamp = i + 1
		if st.known == nil && st.group != x.Group || x.not(st.id) {
			return
		}
		t := s.of(st, i, base)
		rate := t.rate()
		o.sum += rate
		switch {
		case rate > o.best.rate || rate == o.best.rate && o.best.state != nil && st.id < o.best.state.id:
			o.best, o.second = choice{st, t, rate}, o.best
		case rate > o.second.rate:
			o.second = choice{st, t, rate}
		}
	}
	for k := range s.base[i] {
		c := &s.base[i][k]
		consider(s.stateOf(c.known.ID), &c.terms)
	}
	s.company(i, func(st *state) { consider(st, nil) })
}

// lookBack gives what nothing explains for sure to an incident of which two sure alerts begin soon after it on a service tied
// to its own: it was the first of them.
func (s *solver) lookBack() {
	// In a storm they are few, or none: each alert looks at them, and not at each other alert. None looks at one before itself,
	// so what the loop changes changes nothing here.
	var sure []int
	for j := range s.out {
		if f := &s.out[j]; f.sure >= sureFrom && f.best.state != nil && s.kept(f.best.state) {
			sure = append(sure, j)
		}
	}
	for i := range s.alerts {
		for len(sure) > 0 && sure[0] <= i {
			sure = sure[1:]
		}
		o, x := &s.out[i], &s.alerts[i]
		if o.fixed || o.sure >= sureFrom || x.Quiet || o.best.state != nil && o.best.state.seed == i && s.seeds[i] {
			continue
		}
		type next struct {
			n   int
			gap float64
		}
		follow := map[*state]*next{}
		var order []*state
		for _, j := range sure {
			if s.alerts[j].Start > x.Start+lookBack*math.Min(1, s.tempo) {
				break
			}
			st := s.out[j].best.state
			if follow[st] == nil {
				follow[st] = &next{gap: s.alerts[j].Start - x.Start}
				order = append(order, st)
			}
			follow[st].n++
		}
		for _, st := range order {
			if follow[st].n < 2 || x.not(st.id) || st.known == nil && (st.group != x.Group || s.denied(i)) {
				continue
			}
			t := s.of(st, i, nil)
			if t.share < shareJoined*sureFrom {
				continue
			}
			t.time, t.how, t.gap = companyShare/s.scale*math.Exp(-follow[st].gap/s.scale), afterMember, -follow[st].gap
			if rate := t.rate(); rate > o.habit && rate > o.best.rate {
				if o.best.state == st {
					o.sum -= o.best.rate
				} else {
					o.second = o.best
				}
				o.best, o.sum = choice{st, t, rate}, o.sum+rate
				o.sure = math.Round(64*rate/o.sum) / 64
			}
		}
	}
}

// kept says whether a state is one of an incident: what only seeds in this pass is none yet.
func (s *solver) kept(st *state) bool { return st.known != nil || st.carried || s.seeds[st.seed] }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
