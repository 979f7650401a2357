package correlate

import (
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// made is an incident with what it was made of.
type made struct {
	claims   []*claims
	single   []placed // of alerts that are placed in every pass
	openers  []*alert // of those that open it by themselves
	incident incident.Incident
	next     time.Time // when the clock alone changes it; zero for never
}

// placed is an alert with a placement of it.
type placed struct {
	alert *alert
	placement
}

func (p placed) equal(q placed) bool {
	return p.alert == q.alert && p.subject == q.subject && p.state == q.state && p.score == q.score && slices.Equal(p.evidence, q.evidence)
}

// verdict is what became of an alert.
type verdict struct {
	outcome incident.Outcome
	id      string // of the incident
}

// judged is an alert's verdict as it is told.
func (x *alert) judged() incident.Verdict {
	return incident.Verdict{Episode: x.Episode, Service: x.service, Severity: x.severity, Outcome: x.verdict.outcome, Incident: x.verdict.id}
}

// sameToTell says whether two alerts of one key tell the same.
func sameToTell(x, y *alert) bool {
	return x.EndsAt.Equal(y.EndsAt) && x.End == y.End && x.mark() == y.mark() && x.verdict == y.verdict
}

// conclude makes incidents and verdicts of a settlement, as far as they are not what they were. anew: every link may have changed.
func (s *settlement) conclude(anew bool, gone, fresh []*alert) (ch changes) {
	again := map[*alert]bool{} // whose verdict may have changed
	for _, x := range fresh {
		again[x] = true
	}
	claimed := make(map[*outbreak]*claims, len(s.breaks))
	for _, o := range s.breaks {
		s.dir.ask()
		now := s.settled(o)
		c := s.claimed[o]
		if c == nil || anew || !c.equal(&now) {
			c = s.claim(o, now)
			for _, x := range o.members {
				again[x] = true
			}
		}
		claimed[o] = c
	}
	s.claimed = claimed
	singles, special := s.specials(again)

	// What each incident is made of.
	parts := map[subject]*made{}
	part := func(of subject) *made {
		if parts[of] == nil {
			parts[of] = &made{}
		}
		return parts[of]
	}
	for _, o := range s.breaks {
		for _, of := range claimed[o].touches {
			m := part(of)
			m.claims = append(m.claims, claimed[o])
		}
	}
	for _, x := range special {
		for _, p := range x.placed {
			m := part(p.subject)
			m.single = append(m.single, placed{x, p})
		}
	}
	also := s.also(singles)
	var order []subject
	for _, r := range s.reports {
		order = append(order, subject{report: r})
	}
	for _, p := range s.opened {
		order = append(order, subject{opened: p.outbreaks[0]})
	}
	for _, g := range singles {
		order = append(order, g.subject())
		part(g.subject()).openers = g.alerts
	}
	a := &assembler{dir: s.dir, reviews: s.reviews, silences: s.silences, blind: s.blind, now: s.now}
	all, incidents := make(map[subject]*made, len(order)), make(map[string]*made, len(order))
	for _, of := range order {
		s.dir.ask()
		m, old := part(of), s.made[of]
		if old == nil || anew || s.told.other || len(also[of]) > 0 || !slices.EqualFunc(m.single, old.single, placed.equal) || !slices.Equal(m.claims, old.claims) || !old.next.IsZero() && !s.now.Before(old.next) {
			d := s.draft(of, m)
			if of.report == nil && !slices.ContainsFunc(d.links, func(l incident.Link) bool { return l.State.Counts() }) {
				continue // what alerts opened is nothing once a person took all of its alerts away
			}
			d.also = also[of]
			m.incident, m.next = a.assemble(d)
		} else {
			m = old
		}
		all[of], incidents[m.incident.ID] = m, m
	}
	ch.incidents, ch.removed = compared(s.incidents, incidents)
	s.reconsider(again, all, gone)
	s.made, s.incidents = all, incidents
	for x := range again {
		ch.alerts = append(ch.alerts, x)
	}
	return ch
}

// compared finds the incidents that are new or changed and those that are no more.
func compared(old, now map[string]*made) (changed, removed []*incident.Incident) {
	for id, m := range now {
		if was := old[id]; was == nil || was != m && !same(&was.incident, &m.incident) {
			changed = append(changed, &m.incident)
		}
	}
	for id, m := range old {
		if now[id] == nil {
			removed = append(removed, &m.incident)
		}
	}
	byID := func(a, b *incident.Incident) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(changed, byID)
	slices.SortFunc(removed, byID)
	return changed, removed
}

// subject is what a group of single alerts becomes an incident as.
func (g *lonely) subject() subject { return subject{single: g.alerts[0]} }

// specials places the alerts that are placed in every pass, and gives them with the groups that open an incident each: those
// that no incident is sure enough of, those that people spoke of, and those that are of no outbreak but named by a record.
func (s *settlement) specials(again map[*alert]bool) (singles []*lonely, special []*alert) {
	choices := map[*alert][]choice{}
	var free []*alert
	for _, o := range s.breaks {
		for x, list := range s.claimed[o].free {
			choices[x], free = list, append(free, x)
		}
	}
	var naming []*report
	for _, r := range s.reports {
		if slices.ContainsFunc(r.records, refers) {
			naming = append(naming, r)
		}
	}
	for _, x := range s.loose {
		list := s.referred(x, naming)
		if len(list) > 0 {
			choices[x] = list
		}
		if s.dir.alone(x) && !slices.ContainsFunc(list, s.links) {
			choices[x] = list
			free = append(free, x)
		}
	}
	for fingerprint, reviews := range s.reviews.episodes {
		for _, x := range s.alerts[fingerprint] {
			for _, r := range reviews {
				if _, ok := choices[x]; ok || x.watchdog || !slices.ContainsFunc(x.Starts, r.Episode.StartsAt.Equal) {
					continue
				}
				choices[x] = nil
				if x.rare() {
					choices[x] = s.choices(x, &s.claimed[x.outbreak].settled)
				}
			}
		}
	}
	slices.SortFunc(free, byKey)
	singles = openSingly(free, s.dir)
	for _, g := range singles {
		for _, x := range g.alerts {
			choices[x] = append(slices.Clone(choices[x]), choice{subject: g.subject(), score: sigmoid(openedBase), evidence: words("no record tells of it, and "+g.why, howUsual(x))})
		}
	}
	named := s.names(singles)
	for x, list := range choices {
		x.placed = s.place(x, list, named)
		special, again[x] = append(special, x), true
	}
	for x := range s.special {
		if _, ok := choices[x]; !ok && !x.rare() {
			x.placed, again[x] = nil, true
		}
	}
	s.special = map[*alert]bool{}
	for _, x := range special {
		s.special[x] = true
	}
	slices.SortFunc(special, byKey)
	return singles, special
}

// names finds the incidents by the ids that reviews name them by.
func (s *settlement) names(singles []*lonely) map[string]subject {
	if len(s.reviews.reviews) == 0 {
		return nil
	}
	named := map[string]subject{}
	for _, r := range s.reports {
		for _, id := range r.ids() {
			named[id] = subject{report: r}
		}
	}
	for id, x := range s.byID {
		if home := s.claimed[x.outbreak].home; home != (subject{}) {
			named[id] = home
		}
	}
	for _, g := range singles {
		for _, x := range g.alerts {
			for _, id := range x.ids() {
				named[id] = g.subject()
			}
		}
	}
	return named
}

// also are the further ids that reviews name incidents by, in order.
func (s *settlement) also(singles []*lonely) map[subject][]string {
	alone := map[*alert]bool{}
	for _, g := range singles {
		for _, x := range g.alerts {
			alone[x] = true
		}
	}
	also := map[subject][]string{}
	for id, x := range s.byID {
		if home := s.claimed[x.outbreak].home; home != (subject{}) && !alone[x] {
			also[home] = append(also[home], id)
		}
	}
	for _, ids := range also {
		slices.Sort(ids)
	}
	return also
}

// draft is an incident in the making.
func (s *settlement) draft(of subject, from *made) *draft {
	d := &draft{}
	if of.report != nil {
		d.records, d.merged = of.report.records, of.report.merged
	}
	link := func(x *alert, p *placement) {
		d.links = append(d.links, incident.Link{Episode: x.Episode, State: p.state, Score: p.score, Evidence: p.evidence})
	}
	for _, c := range from.claims {
		for _, x := range c.outbreak.members {
			for i := range x.placed {
				if x.placed[i].subject == of && !s.special[x] {
					link(x, &x.placed[i])
				}
			}
		}
		if c.home == of && (of.opened != nil || c.outbreak.opens() > 0) {
			for _, x := range c.outbreak.look().openers {
				d.openers = append(d.openers, utc(x.Key()))
			}
		}
	}
	for i := range from.single {
		link(from.single[i].alert, &from.single[i].placement)
	}
	for _, x := range from.openers {
		d.openers = append(d.openers, utc(x.Key()))
	}
	slices.SortFunc(d.openers, incident.EpisodeKey.Compare)
	return d
}

// reconsider finds the verdicts that are otherwise than they were, of the alerts given and of those of incidents that are new,
// gone or called otherwise, and leaves those in again.
func (s *settlement) reconsider(again map[*alert]bool, all map[subject]*made, gone []*alert) {
	for of, m := range all {
		if old := s.made[of]; old == nil || old.incident.ID != m.incident.ID {
			m.alerts(again)
		}
	}
	for of, old := range s.made {
		if all[of] == nil {
			old.alerts(again)
		}
	}
	for _, x := range gone {
		delete(again, x)
	}
	for x := range again {
		v := verdict{outcome: incident.OutcomeNone}
		if x.watchdog {
			v.outcome = incident.OutcomeWatchdog
		}
		for _, p := range x.placed {
			m := all[p.subject]
			switch {
			case m == nil:
			case p.state.Counts():
				v = verdict{incident.OutcomeLinked, m.incident.ID}
			case p.state == incident.LinkSuggested && v.outcome == incident.OutcomeNone:
				v = verdict{incident.OutcomeSuggested, m.incident.ID}
			}
		}
		if v == x.verdict {
			delete(again, x)
		}
		x.verdict = v
	}
}

// alerts adds those that an incident was made of.
func (m *made) alerts(to map[*alert]bool) {
	for _, c := range m.claims {
		for _, x := range c.outbreak.members {
			to[x] = true
		}
	}
}
