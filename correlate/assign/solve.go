package assign

import (
	"context"
	"math"
	"slices"
	"strings"

	"meantime/incident"
)

// Input is what one cell, a stretch of time, is worked out from.
type Input struct {
	Alerts  []Alert  // that begin in the cell, by start, then fingerprint
	Known   []*Known // whose stretch reaches into the cell
	Carried []*Carried
	Org     Org
	Options *Options
	Graph   *Graph
	Until   float64 // where the cell ends
	// Aliases are ids by which reviews name incidents, each of an alert of the cell, by place.
	Aliases map[string]int
}

// Output is what became of its alerts, in their order, and what the next cell has to know.
type Output struct {
	Verdicts []Verdict
	Opened   []Opened
	Carried  []*Carried
	// Weighed is how often an alert was weighed against an incident: what the work grows with.
	Weighed int
}

// Verdict is what became of one alert.
type Verdict struct {
	Links []Link
	// Moved: a person put it where it is, and not where its own id says.
	Moved bool
	// Noise is how likely it began for nothing: 0, one half or 1. Unwritten: it belongs to an incident that nobody wrote about or
	// spoke of, which at the same time of day again and again is none.
	Noise     float64
	Unwritten bool
	// Why says why it opened an incident, belongs to one or does not, in words that many alerts share.
	Why string
}

// Link is an incident that an alert belongs to, or may belong to.
type Link struct {
	Incident string
	State    incident.LinkState
	Score    float64
	Evidence []string
}

// Opened is an incident that alerts of this cell opened: its ID, and the alerts that may open one, by place.
type Opened struct {
	ID      string
	Openers []int
}

// Carried is what the next cell has to know of an incident that may go on in it. It is never changed: where no alert of a
// cell joined it, it is carried on as it is.
type Carried struct {
	ID string
	// Told: records tell of it, or it is a maintenance. Where what they tell no longer reaches, nothing more comes to it; it is
	// never taken for one that alerts opened.
	Told                     bool
	Onset                    float64
	Services                 []string
	Joined                   map[string]float64
	Company, At, Last, Until float64
	Places                   []placeWeights
	Early                    map[string]float64
	Group                    string
}

const (
	mostCarried = 24.0 // hours after which an opened incident takes nothing more
	settledIn   = 12   // passes in which seeds may fall away
)

// state is a carried incident as a pass goes on with it.
func (c *Carried) state(s *solver) *state {
	st := &state{
		id: c.ID, known: s.known[c.ID], onset: c.Onset, company: c.Company, at: c.At, last: c.Last, until: c.Until,
		joined: s.numbered(c.Joined), early: s.numbered(c.Early), group: c.Group, carried: true, seed: -1,
	}
	for _, v := range c.Services {
		st.services = append(st.services, s.ids[v])
	}
	for _, l := range c.Places {
		st.places = append(st.places, placeWeights{label: l.label, values: slices.Clone(l.values), total: l.total})
	}
	return st
}

// numbered are weights by the numbers of services, named by their names.
func (s *solver) numbered(m map[string]float64) (out []weight) {
	for _, v := range sortedKeys(m) {
		out = append(out, weight{s.ids[v], m[v]})
	}
	return out
}

func (s *solver) named(list []weight) map[string]float64 {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]float64, len(list))
	for _, w := range list {
		out[s.names[w.service]] = w.of
	}
	return out
}

// Solve works out a cell. The error is the context's.
func Solve(ctx context.Context, in *Input) (*Output, error) {
	s := newSolver(in)
	s.ctx = ctx
	s.pass(false)
	for n := range 3 {
		s.pass(n == 0)
		s.choose(false)
	}
	s.frozen = true
	for range 3 { // what a pass gives follows from habits and seeds: where these stay, so does it
		if s.pass(false); !s.choose(false) {
			break
		}
	}
	for range settledIn {
		s.pass(false)
		if !s.choose(true) || ctx.Err() != nil {
			break
		}
	}
	for !s.opt.Weigh && ctx.Err() == nil && s.findLost() {
		s.pass(false)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.output(in.Until), nil
}

// findLost finds the alerts that may open an incident and came to nothing, and says whether a pass more may help any.
func (s *solver) findLost() (found bool) {
	if s.lost == nil {
		s.lost = map[int]int{}
	}
	openers := s.openers()
	for i := range s.alerts {
		x, o := &s.alerts[i], &s.out[i]
		if !x.Opens || x.Quiet || o.fixed || s.seeds[i] || s.denied(i) {
			continue
		}
		st := o.best.state
		if !s.explains(st, o.sure) || st.known == nil && !st.carried && len(openers[st]) == 0 {
			s.lost[i]++
			found = found || s.lost[i] <= lostTwice
		}
	}
	return found
}

// lostTwice is how often an alert was lost that opens an incident though something seems to explain it: what that is came to nothing.
const lostTwice = 2

// explains says whether an alert that may open an incident has to do with another, as likely as p: it is suggested at least
// or, where only that makes it one, linked.
func (s *solver) explains(st *state, p float64) bool {
	return st != nil && (p >= s.opt.LinkAt || p > 0 && rounded(p) >= s.opt.SuggestAt && (st.known != nil || st.carried || s.seeds[st.seed]))
}

// openers are for each incident of no record that is kept the alerts, by place, that open it.
func (s *solver) openers() map[*state][]int {
	out := map[*state][]int{}
	for i := range s.alerts {
		o := &s.out[i]
		st := o.best.state
		if st == nil || st.known != nil || st.carried || !s.seeds[st.seed] {
			continue
		}
		if s.alerts[i].Opens && o.sure >= s.opt.LinkAt || i == st.seed && s.alerts[i].Seed {
			out[st] = append(out[st], i)
		}
	}
	return out
}

func (s *solver) output(until float64) *Output {
	out := &Output{Verdicts: make([]Verdict, len(s.alerts)), Weighed: s.terms}
	ids := map[*state]string{} // of those that opened
	for _, st := range s.states {
		if st.known != nil || st.carried {
			ids[st] = st.id
		}
	}
	openers := s.openers()
	for _, st := range s.opened {
		if list := openers[st]; len(list) > 0 {
			ids[st] = s.seedID(list[0])
			out.Opened = append(out.Opened, Opened{ids[st], list})
		}
	}
	slices.SortFunc(out.Opened, func(a, b Opened) int { return a.Openers[0] - b.Openers[0] })
	for i := range s.alerts {
		out.Verdicts[i] = s.verdict(i, ids)
	}
	out.Carried = s.carry(until, ids)
	return out
}

func (s *solver) verdict(i int, ids map[*state]string) Verdict {
	x, o := &s.alerts[i], &s.out[i]
	v := Verdict{Noise: 1}
	link := func(id string, state incident.LinkState, score float64, evidence ...string) {
		v.Links = append(v.Links, Link{id, state, score, evidence})
	}
	for _, id := range x.Rejected {
		link(id, incident.LinkRejected, 0)
	}
	switch {
	case x.Confirmed != "" && !x.Own:
		id := x.Confirmed
		if o.best.state != nil && ids[o.best.state] != "" {
			id = ids[o.best.state]
		}
		link(id, incident.LinkConfirmed, 1)
		v.Noise, v.Moved, v.Why = 0, true, "a person put it into its incident"
		return v
	case x.Quiet:
		v.Why = "correlate.maintenance says that it is maintenance"
		return v
	case o.fixed:
		for _, m := range x.Stated {
			if !slices.Contains(x.Rejected, m.Incident) {
				link(m.Incident, incident.LinkStated, 1, m.How)
			}
		}
		v.Noise, v.Why = 0, "a record states that it belongs to its incident"
		return v
	}
	s.weighed(i, ids, &v, link)
	return v
}

// weighed adds what an alert was given to by weight.
func (s *solver) weighed(i int, ids map[*state]string, v *Verdict, link func(string, incident.LinkState, float64, ...string)) {
	o := &s.out[i]
	best := ids[o.best.state]
	if o.best.state == nil || o.sure == 0 || best == "" {
		v.Why = s.note(i, ids)
		return
	}
	if k := o.best.state.known; k != nil && k.Maintenance {
		if o.sure >= s.opt.SuggestAt {
			v.Why = "a silence that was made beforehand explains it: it is maintenance"
		}
		return
	}
	p := s.score(i)
	switch {
	case s.alerts[i].Own:
		link(best, incident.LinkConfirmed, 1)
		v.Noise, v.Why = 0, "a person said that it is an incident"
	case p >= s.opt.LinkAt:
		link(best, incident.LinkLinked, rounded(calibrated(s.out[i].sure)), s.evidence(i, ids)...)
		v.Noise, v.Unwritten, v.Why = 0, o.best.state.known == nil, s.joined(i, ids)
	case p >= s.opt.SuggestAt:
		link(best, incident.LinkSuggested, rounded(calibrated(s.out[i].sure)), s.evidence(i, ids)...)
		v.Noise, v.Why = 0.5, "it may belong to the incident, which a person decides"
	default:
		v.Why = s.note(i, ids)
		return
	}
	if second := ids[o.second.state]; second != "" && o.second.state != o.best.state &&
		!(o.second.state.known != nil && o.second.state.known.Maintenance) {
		if q := math.Round(100*o.second.rate/o.sum) / 100; q >= runnerUp {
			link(second, incident.LinkSuggested, q, s.words(i, &o.second)...)
		}
	}
}

const runnerUp = 0.2 // a share from which the runner-up is shown

// score is the best's share of all that explains an alert.
func (s *solver) score(i int) float64 { return rounded(s.out[i].sure) }

// calibration says of a share which part of the links to records that had one like it was right, on labelled organisations.
// Between two it is a line; below the first it is the share itself. Nothing is surer than the last.
var calibration = [][2]float64{{0.6, 0.6}, {0.82, 0.76}, {0.92, 0.85}, {0.97, 0.92}, {1, 0.99}}

// calibrated is the probability that stands for a share; uncalibrated is the share of a probability.
func calibrated(share float64) float64 { return along(share, 0, 1) }

func uncalibrated(p float64) float64 { return along(p, 1, 0) }

func along(x float64, from, to int) float64 {
	if last := calibration[len(calibration)-1]; x > last[from] {
		return last[to]
	}
	for i := 1; i < len(calibration); i++ {
		if a, b := calibration[i-1], calibration[i]; x > a[from] && x <= b[from] {
			return a[to] + (x-a[from])/(b[from]-a[from])*(b[to]-a[to])
		}
	}
	return x
}

func rounded(p float64) float64 { return math.Round(100*p) / 100 }

// carry is what may go on, in order of id.
func (s *solver) carry(until float64, ids map[*state]string) []*Carried {
	type kept struct {
		id string
		*Carried
	}
	var list []kept
	for i, c := range s.carried {
		if s.woken[i] == nil && !s.ended(nil, c, until) {
			list = append(list, kept{c.ID, c})
		}
	}
	for id, st := range s.states {
		if ids[st] == "" || len(st.members) == 0 && !st.carried {
			continue
		}
		if st.carried && !st.turned {
			if c := s.carried[st.carriedAs]; !s.ended(st.known, c, until) {
				list = append(list, kept{id, c})
			}
			continue
		}
		c := &Carried{
			ID: ids[st], Onset: st.onset, Joined: s.named(st.joined), Company: st.company, At: st.at, Last: st.last, Until: st.until,
			Early: s.named(st.early), Group: st.group, Told: st.known != nil,
		}
		if s.ended(st.known, c, until) {
			continue
		}
		for _, l := range st.places {
			c.Places = append(c.Places, placeWeights{label: l.label, values: l.values, total: l.total})
		}
		for _, v := range st.services {
			c.Services = append(c.Services, s.names[v])
		}
		list = append(list, kept{id, c})
	}
	slices.SortFunc(list, func(a, b kept) int { return strings.Compare(a.id, b.id) })
	var out []*Carried
	for _, k := range list {
		out = append(out, k.Carried)
	}
	return out
}

// ended says that nothing more comes to an incident after a time.
func (s *solver) ended(known *Known, c *Carried, at float64) bool {
	if known != nil {
		return known.To() < at
	}
	return at-c.Onset > mostCarried || at-c.At > coolAfter*s.scale && c.Until+s.opt.Quiet+s.opt.Reopen < at
}
