package correlate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// settlement decides which outbreaks belong to which reports, over all that can have to do with each other.
type settlement struct {
	dir      *directory
	weights  Weights
	reviews  *decisions
	reports  []*report   // in order of the key of their first record
	breaks   []*outbreak // in order of first
	matches  map[*outbreak][]*match
	main     map[*report]*match   // the outbreak a report is about
	owner    map[*outbreak]*match // the report an outbreak belongs to before all others
	sharers  map[*outbreak][]*match
	part     map[*outbreak]*match // the report an outbreak is a further part of
	partOdds map[*outbreak]float64
	opened   []*opening
	openedBy map[*outbreak]*opening
	ids      map[string]*alert // what reviews name by episodes
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

// settle decides. Both lists hold all that can have to do with each other, in their order.
func settle(reports []*report, breaks []*outbreak, dir *directory, reviews *decisions) *settlement {
	s := &settlement{
		dir: dir, weights: dir.rules.Weights, reviews: reviews, reports: reports, breaks: breaks,
		matches: map[*outbreak][]*match{}, main: map[*report]*match{}, owner: map[*outbreak]*match{}, sharers: map[*outbreak][]*match{},
		part: map[*outbreak]*match{}, partOdds: map[*outbreak]float64{}, openedBy: map[*outbreak]*opening{},
	}
	s.ids = namedAlerts(breaks, reviews)
	var all []*match
	for _, r := range reports {
		i, _ := slices.BinarySearchFunc(breaks, r.from, func(o *outbreak, t time.Time) int { return o.first.Compare(t) })
		for ; i < len(breaks) && !breaks[i].first.After(r.to); i++ {
			if s.divided(r, breaks[i]) {
				continue
			}
			if m := r.compare(breaks[i], dir, &s.weights); m != nil {
				all = append(all, m)
				s.matches[breaks[i]] = append(s.matches[breaks[i]], m)
			}
		}
	}
	for _, o := range breaks {
		slices.SortStableFunc(s.matches[o], func(a, b *match) int { return cmp.Compare(b.odds, a.odds) })
	}
	slices.SortStableFunc(all, func(a, b *match) int { return cmp.Compare(b.odds, a.odds) })
	s.joined()
	s.mains(all)
	s.parts()
	s.open()
	return s
}

// mains gives each report the outbreak it is about: of all pairs the likeliest first, each report and each outbreak once.
// A report that is left may share the outbreak of another, where it explains part of it clearly better.
func (s *settlement) mains(all []*match) {
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
		gain := 0.0
		for _, t := range m.outbreak.troubles {
			gain += max(0, min(3, m.report.explains(t, s.dir)-o.report.explains(t, s.dir)))
		}
		if gain >= shareGain {
			s.main[m.report] = m
			s.sharers[m.outbreak] = append(s.sharers[m.outbreak], m)
		}
	}
}

// parts finds the incidents that further outbreaks belong to: what flared up again, or fired too late to be of the first.
func (s *settlement) parts() {
	for _, o := range s.breaks {
		if s.owner[o] != nil {
			continue
		}
		best := partOdds
		for _, m := range s.matches[o] {
			main := s.main[m.report]
			if main == nil {
				continue
			}
			odds := m.odds
			if o.look().kinds < smallKinds {
				odds += partSmall
			}
			if main.outbreak.related(o) {
				odds += partRelated
			} else {
				odds -= partRelated
			}
			if main.outbreak.apart(o) {
				odds += partApart
			} else {
				odds += partPlace
			}
			if o.first.Sub(main.outbreak.last) > time.Hour {
				odds += partLate
			}
			if odds > best {
				best, s.part[o], s.partOdds[o] = odds, m, odds
			}
		}
	}
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
func (s *settlement) linkOdds(x *alert, m *match, part bool) float64 {
	odds := m.odds
	if part {
		odds = s.partOdds[x.outbreak]
	}
	second := -9.0
	for _, other := range s.matches[x.outbreak] {
		if other.report != m.report {
			second = max(second, other.odds)
		}
	}
	sum := linkBase + linkMatch*clamp(odds, -2, 4) + linkMargin*clamp(odds-second, -3, 4) + linkKinds*math.Log(x.outbreak.look().kinds) + linkExplains*clamp(m.report.explains(x.trouble, s.dir), -8, 2)
	if slices.Contains(m.report.services, x.service) {
		sum += linkSame
	}
	if x.outbreak.look().kinds < smallKinds && s.dir.unrelated(x.service, m.report.services) {
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

// divided says whether a person said that a report and an outbreak are two.
func (s *settlement) divided(r *report, o *outbreak) bool {
	return s.said(r, o, incident.ReviewSplit)
}

// said says whether the newest decision about a report and an outbreak is the given one.
func (s *settlement) said(r *report, o *outbreak, action incident.ReviewAction) bool {
	for id, x := range s.ids {
		if x.outbreak != o {
			continue
		}
		for _, rec := range r.records {
			if d, ok := s.reviews.joins[pair(id, incident.RecordID(rec.Key()))]; ok && d.Action == action {
				return true
			}
		}
	}
	return false
}

// joined gives reports the outbreaks that a person said are of the same incident.
func (s *settlement) joined() {
	for _, o := range s.breaks {
		for _, r := range s.reports {
			if len(s.ids) == 0 || s.owner[o] != nil || !s.said(r, o, incident.ReviewMerge) {
				continue
			}
			m := &match{report: r, outbreak: o, odds: certain}
			for _, known := range s.matches[o] {
				if known.report == r {
					known.odds = certain
					m = known
				}
			}
			if s.main[r] == nil {
				s.main[r], s.owner[o] = m, m
			} else {
				s.part[o], s.partOdds[o] = m, certain
			}
		}
	}
}

// certain are the odds of what a person said.
const certain = 9.0

// namedAlerts finds the alerts that reviews name incidents by.
func namedAlerts(breaks []*outbreak, reviews *decisions) map[string]*alert {
	if len(reviews.episodeIDs) == 0 {
		return nil
	}
	out := map[string]*alert{}
	for _, o := range breaks {
		for _, x := range o.members {
			if !x.opens {
				continue
			}
			for _, t := range x.Starts {
				if id := incident.EpisodeID(incident.EpisodeKey{Fingerprint: x.Fingerprint, StartsAt: t}); reviews.episodeIDs[id] {
					out[id] = x
				}
			}
		}
	}
	return out
}
