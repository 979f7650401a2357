package correlate

import (
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// settlement decides which outbreaks belong to which reports, over all that is at hand.
type settlement struct {
	*correlator
	main     map[*report]*match   // the outbreak a report is about
	owner    map[*outbreak]*match // the report an outbreak belongs to before all others
	sharers  map[*outbreak][]*match
	part     map[*outbreak]*match // the report an outbreak is a further part of
	partOdds map[*outbreak]float64
	opened   []*opening
	openedBy map[*outbreak]*opening
	ids      map[*outbreak][]string // by which reviews name episodes of it
	byID     map[string]*alert      // those episodes
	said     map[*outbreak][]*match // its matches, where reviews name any of its episodes
}

// What decides about outbreaks as a whole, in logarithms of odds.
const (
	mainOdds    = -1.2 // a report's best outbreak, where no other report has a better claim
	shareGain   = 3.0  // by how much a second report must explain part of an outbreak better than the first
	partOdds    = -0.5
	partRelated = 1.5 // it hits what the main outbreak hits; against it where not
	partSmall   = 1.0
	partPlace   = 0.5
	partApart   = -2.0
	partLate    = -1.0 // it begins more than an hour after the last alert before
	smallKinds  = 3
)

func (c *correlator) settle() *settlement {
	s := &settlement{
		correlator: c, main: map[*report]*match{}, owner: map[*outbreak]*match{}, sharers: map[*outbreak][]*match{},
		part: map[*outbreak]*match{}, partOdds: map[*outbreak]float64{}, openedBy: map[*outbreak]*opening{}, said: map[*outbreak][]*match{},
	}
	s.nameAlerts()
	s.joined()
	s.mains()
	s.parts()
	s.open()
	return s
}

// matches are those of an outbreak, the likeliest first.
func (s *settlement) matches(o *outbreak) []*match {
	if said, ok := s.said[o]; ok {
		return said
	}
	return s.matchesOf[o]
}

// mains gives each report the outbreak it is about: of all pairs the likeliest first, each report and each outbreak once.
// A report that is left may share the outbreak of another, where it explains part of it clearly better.
func (s *settlement) mains() {
	all := s.allMatches
	if len(s.said) > 0 {
		all = nil
		for _, m := range s.allMatches {
			if said, ok := s.said[m.outbreak]; !ok || slices.Contains(said, m) {
				all = append(all, m)
			}
		}
	}
	for _, m := range all {
		if s.main[m.report] == nil && s.owner[m.outbreak] == nil && m.odds > mainOdds {
			s.main[m.report], s.owner[m.outbreak] = m, m
		}
	}
	for _, m := range all {
		o := s.owner[m.outbreak]
		if s.main[m.report] != nil || o == nil || m.odds <= mainOdds {
			continue
		}
		if m.gain(o.report, s.dir) >= shareGain {
			s.main[m.report] = m
			s.sharers[m.outbreak] = append(s.sharers[m.outbreak], m)
		}
	}
}

// gain is how much better the report of a match explains its outbreak than another report does.
func (m *match) gain(than *report, dir *directory) float64 {
	if m.than != than { // it is asked for in every pass, and seldom anew
		m.than, m.gained = than, 0
		for _, t := range m.outbreak.troubles {
			m.gained += max(0, min(3, m.report.explains(t, dir)-than.explains(t, dir)))
		}
	}
	return m.gained
}

// parts finds the incidents that further outbreaks belong to: what flared up again, or fired too late to be of the first.
func (s *settlement) parts() {
	for _, o := range s.breaks {
		s.dir.ask()
		if s.owner[o] != nil || s.part[o] != nil {
			continue
		}
		best := partOdds
		for _, m := range s.matches(o) {
			main := s.main[m.report]
			if main == nil {
				continue
			}
			odds := m.odds + m.partly(main.outbreak)
			if odds > best {
				best, s.part[o], s.partOdds[o] = odds, m, odds
			}
		}
	}
}

// partly is what speaks for an outbreak being a further part of an incident that another is the main part of.
func (m *match) partly(of *outbreak) float64 {
	if m.of == of { // it is asked for in every pass, and seldom anew
		return m.fits
	}
	o, odds := m.outbreak, 0.0
	if o.look().kinds < smallKinds {
		odds += partSmall
	}
	if of.related(o) {
		odds += partRelated
	} else {
		odds -= partRelated
	}
	if of.apart(o) {
		odds += partApart
	} else {
		odds += partPlace
	}
	if o.first.Sub(of.last) > time.Hour {
		odds += partLate
	}
	m.of, m.fits = of, odds
	return odds
}

// attached are the matches through which an outbreak belongs to reports, and whether as a part.
func (s *settlement) attached(o *outbreak) (to []*match, part bool) {
	if m := s.owner[o]; m != nil {
		return append([]*match{m}, s.sharers[o]...), false
	}
	if m := s.part[o]; m != nil {
		return []*match{m}, true
	}
	return nil, false
}

// The odds of one alert's link, from what is known of its outbreak and of itself. They were fitted to labelled
// organisations by maximum likelihood and rounded.
const (
	linkBase      = 2.3
	linkMargin    = 0.4
	linkMatch     = 0.45
	linkExplains  = 0.65
	linkSame      = 1.2
	linkUnrelated = -2.0  // of one or two alerts, no way between its service and those that the record names is known
	linkKinds     = -0.45 // large outbreaks are more often several incidents
	linkAlone     = -1.2  // its service has no other alert
	linkSmall     = 1.2   // per logarithm of odds below 1, of an outbreak of one or two alerts, which may well be chance
	linkOutside   = -4.5  // further from the impact than the configured tolerance
	linkReference = 4.5
	looseBase     = -2.5 // an outbreak that belongs to nothing
	looseMatch    = 0.6
)

// linkOdds is the logarithm of the odds that an alert of an attached outbreak belongs to the report.
func (s *settlement) linkOdds(x *alert, m *match, d *settled) float64 {
	odds := m.odds
	if d.part {
		odds = d.odds
	}
	second := -9.0
	for _, other := range d.matches {
		if other.report != m.report {
			second = max(second, other.odds)
		}
	}
	sum := linkBase + linkMatch*clamp(odds, -2, 4) + linkMargin*clamp(odds-second, -3, 4) + linkKinds*math.Log(x.outbreak.look().kinds) + linkExplains*clamp(m.report.explains(x.trouble, s.dir), -8, 2)
	if slices.Contains(m.report.services, x.service) {
		sum += linkSame
	}
	if x.outbreak.look().kinds < smallKinds && s.dir.Apart(x.service, m.report.services) {
		sum += linkUnrelated
	}
	if len(x.trouble.members) == 1 {
		sum += linkAlone
	}
	if x.outbreak.look().kinds < smallKinds {
		sum += linkSmall * min(0, odds-1)
	}
	if at := x.StartsAt.Add(-m.shift); at.Before(m.report.onset.Add(-s.dir.rules.Before)) || at.After(m.report.over.Add(s.dir.rules.After)) {
		sum += linkOutside
	}
	return sum
}

func clamp(v, least, most float64) float64 { return max(least, min(most, v)) }

func sigmoid(odds float64) float64 { return 1 / (1 + math.Exp(-odds)) }

// joined gives reports the outbreaks that a person said are of the same incident, and keeps apart what a person said are two.
func (s *settlement) joined() {
	for _, o := range s.breaks {
		if len(s.ids[o]) == 0 {
			continue
		}
		s.said[o] = []*match{}
		for _, m := range s.matchesOf[o] {
			if !s.decidedOn(m.report, o, incident.ReviewSplit) {
				s.said[o] = append(s.said[o], m)
			}
		}
		for _, r := range s.reports {
			if s.owner[o] != nil || !s.decidedOn(r, o, incident.ReviewMerge) {
				continue
			}
			m := &match{report: r, outbreak: o, odds: certain}
			if i := slices.IndexFunc(s.said[o], func(m *match) bool { return m.report == r }); i >= 0 {
				sure := *s.said[o][i]
				sure.odds = certain
				m = &sure
				s.said[o] = append([]*match{m}, slices.Delete(s.said[o], i, i+1)...)
			}
			if s.main[r] == nil {
				s.main[r], s.owner[o] = m, m
			} else {
				s.part[o], s.partOdds[o] = m, certain
			}
		}
	}
}

// decidedOn says whether the newest decision about a report and an outbreak is the given one.
func (s *settlement) decidedOn(r *report, o *outbreak, action incident.ReviewAction) bool {
	for _, id := range s.ids[o] {
		for _, other := range r.ids() {
			if d, ok := s.reviews.joins[pair(id, other)]; ok && d.Action == action {
				return true
			}
		}
	}
	return false
}

// certain are the odds of what a person said.
const certain = 9.0

// nameAlerts finds the alerts whose ids reviews name incidents by.
func (s *settlement) nameAlerts() {
	s.ids, s.byID = map[*outbreak][]string{}, map[string]*alert{}
	if len(s.reviews.episodeIDs) == 0 {
		return
	}
	for _, o := range s.breaks {
		for _, x := range o.look().openers {
			for _, id := range o.openerIDs(x) {
				if s.reviews.episodeIDs[id] {
					s.ids[o], s.byID[id] = append(s.ids[o], id), x
				}
			}
		}
	}
}

// openerIDs are the ids of an alert of the outbreak, made once.
func (o *outbreak) openerIDs(x *alert) []string {
	if o.seen.ids == nil {
		o.seen.ids = map[*alert][]string{}
	}
	ids, ok := o.seen.ids[x]
	if !ok {
		ids = x.ids()
		o.seen.ids[x] = ids
	}
	return ids
}
