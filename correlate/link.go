package correlate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// choice is an incident that an alert may belong to.
type choice struct {
	draft    *draft
	score    float64
	evidence []string
	state    incident.LinkState // as a person decided; empty where nobody did
	at       time.Time          // of the decision
}

// drafts makes the incidents of a settlement: one for each report, in their order, and one for each that alerts opened.
// loose are the alerts, in order of key, that are of no outbreak.
func (s *settlement) drafts(loose []*alert) []*draft {
	of := map[*report]*draft{}
	opened := map[*opening]*draft{}
	var out []*draft
	for _, r := range s.reports {
		of[r] = &draft{records: r.records, merged: r.merged}
		out = append(out, of[r])
	}
	for _, p := range s.opened {
		opened[p] = &draft{}
		out = append(out, opened[p])
	}
	home := func(o *outbreak) *draft {
		if p := s.openedBy[o]; p != nil {
			return opened[p]
		}
		if to, _ := s.attached(o); len(to) > 0 {
			return of[to[0].report]
		}
		return nil
	}
	named := map[string]*draft{} // by the ids that reviews name
	for r, d := range of {
		for _, rec := range r.records {
			named[incident.RecordID(rec.Key())] = d
		}
	}
	for id, x := range s.ids {
		if d := home(x.outbreak); d != nil {
			named[id] = d
			d.also = append(d.also, id)
		}
	}
	for _, o := range s.breaks {
		if d := home(o); d != nil && (s.openedBy[o] != nil || o.opens() > 0) {
			for _, x := range o.look().openers {
				d.openers = append(d.openers, utc(x.Key()))
			}
		}
	}
	may := map[*alert][]choice{}
	var all, free []*alert
	for _, o := range s.breaks {
		for _, x := range o.members {
			may[x] = s.choices(x, of, opened)
			all = append(all, x)
		}
	}
	for _, x := range loose {
		may[x] = s.referred(x, of)
		all = append(all, x)
	}
	slices.SortFunc(all, byKey)
	for _, x := range all {
		if s.dir.alone(x) && !slices.ContainsFunc(may[x], s.links) {
			free = append(free, x)
		}
	}
	for _, g := range openSingly(free, s.dir) {
		out = append(out, g.draft)
		for _, x := range g.alerts {
			may[x] = append(may[x], choice{draft: g.draft, score: sigmoid(openedBase), evidence: []string{"no record tells of it, and " + g.why, howUsual(x)}})
			for _, t := range x.Starts {
				named[incident.EpisodeID(incident.EpisodeKey{Fingerprint: x.Fingerprint, StartsAt: t})] = g.draft
			}
		}
	}
	for _, x := range all {
		s.place(x, may[x], named)
	}
	return slices.DeleteFunc(out, func(d *draft) bool {
		slices.Sort(d.also)
		slices.SortFunc(d.openers, incident.EpisodeKey.Compare)
		// What alerts opened is nothing once a person took all of its alerts away.
		return len(d.records) == 0 && !slices.ContainsFunc(d.links, func(l incident.Link) bool { return l.State.Counts() })
	})
}

// choices are the incidents that an alert of an outbreak may belong to, the likeliest first.
func (s *settlement) choices(x *alert, of map[*report]*draft, opened map[*opening]*draft) []choice {
	var out []choice
	if p := s.openedBy[x.outbreak]; p != nil {
		out = append(out, choice{draft: opened[p], score: sigmoid(s.openOdds(x, p)), evidence: s.openEvidence(x)})
	}
	to, part := s.attached(x.outbreak)
	for _, m := range s.matches[x.outbreak] {
		odds := looseBase + looseMatch*m.odds
		belongs := slices.ContainsFunc(to, func(a *match) bool { return a.report == m.report })
		if belongs {
			odds = s.linkOdds(x, m, part)
		} else if len(to) > 0 || s.openedBy[x.outbreak] != nil {
			odds -= 1 // its outbreak belongs elsewhere
		}
		if x.outbreak.look().naming || slices.ContainsFunc(m.report.records, refers) {
			for _, rec := range m.report.records {
				if _, r := refersToAlert(rec, x); r > 0 {
					odds += linkReference * r / byReference
					break
				}
			}
		}
		odds += s.weights.History * s.reviews.habit(x)
		if score := sigmoid(odds); belongs || score >= s.dir.rules.SuggestAt/2 {
			out = append(out, choice{draft: of[m.report], score: score, evidence: s.evidence(x, m, belongs)})
		}
	}
	for _, m := range to { // joined by a person where nothing else speaks for it
		if !slices.ContainsFunc(out, func(c choice) bool { return c.draft == of[m.report] }) {
			out = append(out, choice{draft: of[m.report], score: sigmoid(certain), evidence: []string{"a person said that its outbreak is of this incident"}})
		}
	}
	slices.SortStableFunc(out, func(a, b choice) int { return cmp.Compare(b.score, a.score) })
	return out
}

// referred are the incidents whose records name an alert that by itself says nothing.
func (s *settlement) referred(x *alert, of map[*report]*draft) []choice {
	var out []choice
	naming := x.Labels["incident"]+x.Labels["incident_id"]+x.Labels["incident_key"] != ""
	for _, r := range s.reports {
		if x.StartsAt.Before(r.from) || x.StartsAt.After(r.to) || !naming && !slices.ContainsFunc(r.records, refers) {
			continue
		}
		for _, rec := range r.records {
			said, odds := refersToAlert(rec, x)
			if odds < byReference {
				continue // that names a group or a rule, of which this is the part that fires all the time
			}
			near := clamp(math.Log(r.density(x.StartsAt)/x.rate), -4, 2)
			out = append(out, choice{draft: of[r], score: sigmoid(linkReference + near), evidence: []string{said, r.when(x), howUsual(x)}})
			break
		}
	}
	slices.SortStableFunc(out, func(a, b choice) int { return cmp.Compare(b.score, a.score) })
	return out
}

// place links an alert to the best of its choices and keeps the runner-up as a suggestion, for which half the score is
// enough. What people decided comes first.
func (s *settlement) place(x *alert, choices []choice, named map[string]*draft) {
	for _, r := range s.reviews.episodes[x.Fingerprint] {
		d := named[r.Incident]
		if d == nil || !slices.ContainsFunc(x.Starts, r.Episode.StartsAt.Equal) {
			continue
		}
		state, what := incident.LinkConfirmed, r.By+" confirmed that it belongs to it"
		if r.Action == incident.ReviewReject {
			state, what = incident.LinkRejected, r.By+" said that it does not belong to it"
		}
		i := slices.IndexFunc(choices, func(c choice) bool { return c.draft == d })
		if i < 0 {
			choices, i = append(choices, choice{draft: d}), len(choices)
		}
		choices[i].state, choices[i].at = state, r.At
		choices[i].evidence = append([]string{sentence(what, r.Reason)}, choices[i].evidence...)
	}
	rank := func(c choice) int {
		switch c.state {
		case incident.LinkConfirmed:
			return 0
		case incident.LinkRejected:
			return 2
		}
		return 1
	}
	// Of several confirmed the one confirmed last counts: that is how a link is moved.
	slices.SortStableFunc(choices, func(a, b choice) int {
		return cmp.Or(rank(a)-rank(b), b.at.Compare(a.at), cmp.Compare(b.score, a.score))
	})
	linked, suggested := false, false
	for _, c := range choices {
		state := c.state
		switch {
		case state == incident.LinkRejected:
		case linked && state == incident.LinkConfirmed:
			continue // moved away
		case state == incident.LinkConfirmed:
			c.score = 1
		case !linked && s.links(c):
			state = incident.LinkLinked
		case !suggested && (c.score >= s.dir.rules.SuggestAt || linked && c.score >= s.dir.rules.SuggestAt/2):
			state, suggested = incident.LinkSuggested, true
		default:
			continue
		}
		linked = linked || state.Counts()
		c.draft.links = append(c.draft.links, incident.Link{Episode: x.Episode, State: state, Score: round(c.score), Evidence: c.evidence})
	}
}

// links says whether the score of a choice is enough for a link. An alert is of the incident that it opened whatever the score.
func (s *settlement) links(c choice) bool {
	return c.score >= s.dir.rules.LinkAt || len(c.draft.records) == 0
}

// round keeps of a score what means something.
func round(score float64) float64 { return math.Round(score*1000) / 1000 }

// The odds of an alert of an incident that alerts opened.
const (
	openedBase  = 0.4
	openedOdds  = 0.15
	openedAlone = -0.8
)

func (s *settlement) openOdds(x *alert, p *opening) float64 {
	odds := openedBase + openedOdds*clamp(p.odds, 0, 6)
	if len(x.trouble.members) == 1 && len(x.outbreak.troubles) > 1 {
		odds += openedAlone
	}
	return odds
}

func (s *settlement) openEvidence(x *alert) []string {
	out := []string{x.outbreak.why()}
	if x.outbreak.root != "" && len(x.outbreak.troubles) > 1 {
		out = append(out, s.way(x.service, x.outbreak.root))
	}
	return append(out, howUsual(x))
}

// evidence says in words what speaks for and against a link.
func (s *settlement) evidence(x *alert, m *match, belongs bool) []string {
	var out []string
	r, o := m.report, x.outbreak
	for _, rec := range r.records {
		if said, _ := refersToAlert(rec, x); said != "" {
			out = append(out, said)
			break
		}
	}
	out = append(out, s.services(x, r), r.when(x))
	if n := len(o.members); n > 1 {
		together := fmt.Sprintf("%s of %s fired together from %s", plural(n, "alert"), plural(max(1, len(o.look().services)), "service"), o.first.Format("15:04:05"))
		if o.root != "" && len(o.troubles) > 1 {
			together += ", beginning at " + o.root
		}
		out = append(out, together)
	}
	if m.shift != 0 {
		out = append(out, fmt.Sprintf("their times go with the record's if its clock is %s off", short(m.shift)))
	}
	switch {
	case r.place != "" && r.place == x.place:
		out = append(out, "same "+strings.Replace(x.place, "=", " ", 1))
	case elsewhere(r.place, x.place):
		out = append(out, fmt.Sprintf("the record speaks of %s, it fired in %s", r.place, x.place))
	}
	if len(m.said) > 0 {
		out = append(out, "words in common: "+strings.Join(m.said, ", "))
	}
	out = append(out, howUsual(x))
	if confirmed, rejected := s.reviews.habits(x); confirmed+rejected > 0 {
		out = append(out, fmt.Sprintf("of earlier links of %s alerts of this service people confirmed %d and rejected %d", x.Name(), confirmed, rejected))
	}
	if !belongs {
		out = append(out, "what it fired together with does not go with this incident, or goes better with another")
	} else if others := len(s.matches[o]); others > 1 && s.matches[o][1].odds > m.odds-2 {
		out = append(out, fmt.Sprintf("%s of about the same time could be meant as well", plural(others-1, "other incident")))
	}
	return out
}

// services says how the alert's service stands to those the report names.
func (s *settlement) services(x *alert, r *report) string {
	if len(r.services) == 0 {
		return "the record names no service"
	}
	best, name := strangers, r.services[0]
	for _, t := range r.services {
		if k := s.dir.kin(x.service, t); k < best {
			best, name = k, t
		}
	}
	if best == itself {
		return "same service " + name
	}
	return s.way(x.service, name)
}

// way says in words how a service stands to another.
func (s *settlement) way(service, other string) string {
	switch s.dir.kin(service, other) {
	case itself:
		return "service " + service
	case needs:
		return fmt.Sprintf("%s needs %s", service, other)
	case needed:
		return fmt.Sprintf("%s needs %s", other, service)
	case far:
		return fmt.Sprintf("%s and %s are two steps apart along dependencies", service, other)
	case siblings:
		return fmt.Sprintf("%s and %s need a service in common", service, other)
	}
	if service == "" {
		return "the alert names no service"
	}
	return fmt.Sprintf("no dependency between %s and %s is known", service, other)
}

// when says where in the incident the alert fired.
func (r *report) when(x *alert) string {
	c := &r.clues[0]
	off := x.StartsAt.Sub(c.said)
	switch {
	case off < 0:
		return fmt.Sprintf("it fired %s before %s", short(off), c.told)
	case x.StartsAt.After(r.over):
		return fmt.Sprintf("it fired %s after the incident was over", short(x.StartsAt.Sub(r.over)))
	}
	return fmt.Sprintf("it fired %s after %s", short(off), c.told)
}

// howUsual says how usual the alert is.
func howUsual(x *alert) string {
	if x.rate <= rareRate {
		return "it seldom fires"
	}
	if perDay := x.rate * 24; perDay >= 1 {
		return fmt.Sprintf("it fires in about %.0f hours of a day anyway", perDay)
	}
	return fmt.Sprintf("it fires in about %.0f hours of a week anyway", x.rate*24*7)
}

// short writes a duration, whatever its sign, without parts that are zero.
func short(d time.Duration) string {
	s := d.Abs().Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
