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

// subject is what becomes an incident: a report, outbreaks that no record tells of, or alerts that each open one.
type subject struct {
	report *report
	opened *outbreak // the first of them
	single *alert    // the first of them
}

// placement is what an incident has to do with an alert.
type placement struct {
	subject
	state    incident.LinkState
	score    float64
	evidence []string
}

// choice is an incident that an alert may belong to.
type choice struct {
	subject
	score    float64
	evidence func() []string    // nil for none; many choices come to nothing
	state    incident.LinkState // as a person decided; empty where nobody did
	at       time.Time          // of the decision
	decision string             // in words
}

// settled is what a settlement decided of an outbreak: all that the links of its alerts depend on.
type settled struct {
	matches []*match
	to      []*match
	part    bool
	odds    float64 // of a part, or of the opened incident
	home    subject // the incident it belongs to; zero for none
}

func (s *settlement) settled(o *outbreak) settled {
	d := settled{matches: s.matches(o)}
	if p := s.openedBy[o]; p != nil {
		d.home, d.odds = subject{opened: p.outbreaks[0]}, p.odds
		return d
	}
	if d.to, d.part = s.attached(o); len(d.to) > 0 {
		d.home = subject{report: d.to[0].report}
	}
	if d.part {
		d.odds = s.partOdds[o]
	}
	return d
}

func (d *settled) equal(e *settled) bool {
	return d.part == e.part && d.odds == e.odds && d.home == e.home && slices.Equal(d.matches, e.matches) && slices.Equal(d.to, e.to)
}

// claims are what follows from that for the alerts of the outbreak.
type claims struct {
	settled
	outbreak *outbreak
	free     map[*alert][]choice // of alerts that no incident is sure enough of and that may open one by themselves
	touches  []subject           // the incidents that have to do with any of the alerts
}

// claim works out claims.
func (s *settlement) claim(o *outbreak, d settled) *claims {
	c := &claims{settled: d, outbreak: o}
	for _, x := range o.members {
		choices := s.choices(x, &c.settled)
		if s.dir.alone(x) && !slices.ContainsFunc(choices, s.links) {
			if c.free == nil {
				c.free = map[*alert][]choice{}
			}
			c.free[x] = choices
		}
		x.placed = s.place(x, choices, nil)
		for _, p := range x.placed {
			if !slices.Contains(c.touches, p.subject) {
				c.touches = append(c.touches, p.subject)
			}
		}
	}
	if c.home != (subject{}) && !slices.Contains(c.touches, c.home) {
		c.touches = append(c.touches, c.home)
	}
	return c
}

// choices are the incidents that an alert of an outbreak may belong to, the likeliest first.
func (s *settlement) choices(x *alert, d *settled) []choice {
	var out []choice
	if d.home.opened != nil {
		out = append(out, choice{subject: d.home, score: sigmoid(openOdds(x, d.odds)), evidence: func() []string { return s.openEvidence(x) }})
	}
	for _, m := range d.matches {
		odds := looseBase + looseMatch*m.odds
		belongs := slices.ContainsFunc(d.to, func(a *match) bool { return a.report == m.report })
		if belongs {
			odds = s.linkOdds(x, m, d)
		} else if d.home != (subject{}) {
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
			out = append(out, choice{subject: subject{report: m.report}, score: score, evidence: func() []string { return s.evidence(x, m, d, belongs) }})
		}
	}
	for _, m := range d.to { // joined by a person where nothing else speaks for it
		of := subject{report: m.report}
		if !slices.ContainsFunc(out, func(c choice) bool { return c.subject == of }) {
			out = append(out, choice{subject: of, score: sigmoid(certain), evidence: words("a person said that its outbreak is of this incident")})
		}
	}
	slices.SortStableFunc(out, func(a, b choice) int { return cmp.Compare(b.score, a.score) })
	return out
}

// referred are the incidents whose records name an alert that by itself says nothing, or that it names.
func (s *settlement) referred(x *alert, naming []*report) []choice {
	var out []choice
	if x.naming {
		naming = s.reports
	}
	for _, r := range naming {
		if x.StartsAt.Before(r.from) || x.StartsAt.After(r.to) {
			continue
		}
		for _, rec := range r.records {
			said, odds := refersToAlert(rec, x)
			if odds < byReference {
				continue // that names a group or a rule, of which this is the part that fires all the time
			}
			near := clamp(math.Log(r.density(x.StartsAt)/x.rate), -4, 2)
			out = append(out, choice{subject: subject{report: r}, score: sigmoid(linkReference + near), evidence: words(said, r.when(x), howUsual(x))})
			break
		}
	}
	slices.SortStableFunc(out, func(a, b choice) int { return cmp.Compare(b.score, a.score) })
	return out
}

// place links an alert to the best of its choices and keeps the runner-up as a suggestion, for which half the score is
// enough. What people decided comes first; named finds the incidents that reviews name.
func (s *settlement) place(x *alert, choices []choice, named map[string]subject) (placed []placement) {
	choices = slices.Clone(choices)
	for _, r := range s.reviews.episodes[x.Fingerprint] {
		of, ok := named[r.Incident]
		if !ok || !slices.ContainsFunc(x.Starts, r.Episode.StartsAt.Equal) {
			continue
		}
		state, what := incident.LinkConfirmed, r.By+" confirmed that it belongs to it"
		if r.Action == incident.ReviewReject {
			state, what = incident.LinkRejected, r.By+" said that it does not belong to it"
		}
		i := slices.IndexFunc(choices, func(c choice) bool { return c.subject == of })
		if i < 0 {
			choices, i = append(choices, choice{subject: of}), len(choices)
		}
		choices[i].state, choices[i].at = state, r.At
		if d := &choices[i].decision; *d == "" {
			*d = sentence(what, r.Reason)
		} else {
			*d = sentence(what, r.Reason) + "\n" + *d
		}
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
		p := placement{subject: c.subject, state: state, score: round(c.score)}
		if c.decision != "" {
			p.evidence = strings.Split(c.decision, "\n")
		}
		if c.evidence != nil {
			p.evidence = append(p.evidence, c.evidence()...)
		}
		placed = append(placed, p)
	}
	return placed
}

// words is evidence that is known.
func words(said ...string) func() []string { return func() []string { return said } }

// links says whether the score of a choice is enough for a link. An alert is of the incident that it opened whatever the score.
func (s *settlement) links(c choice) bool {
	return c.score >= s.dir.rules.LinkAt || c.report == nil
}

// round keeps of a score what means something.
func round(score float64) float64 { return math.Round(score*1000) / 1000 }

// The odds of an alert of an incident that alerts opened.
const (
	openedBase  = 0.4
	openedOdds  = 0.15
	openedAlone = -0.8
)

func openOdds(x *alert, odds float64) float64 {
	odds = openedBase + openedOdds*clamp(odds, 0, 6)
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
func (s *settlement) evidence(x *alert, m *match, d *settled, belongs bool) []string {
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
	} else if others := len(d.matches); others > 1 && d.matches[1].odds > m.odds-2 {
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
