// Package correlate works out which alerts belong to which incident. Correlate is a pure function from facts, rules and
// a clock to incidents, links and verdicts: the same facts give the same answer, whatever order they came in and however
// often. The Runner drives it: it follows the store's feed of changes and recomputes what they can reach.
package correlate

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// Rules are everything an organisation can say about how its alerts and incidents belong together.
// Build them with the config package, or start from DefaultRules.
type Rules struct {
	Services   catalog.Services
	Severities catalog.Severities

	// LinkAt and SuggestAt split scores in 0..1 into linked, suggested and nothing.
	LinkAt, SuggestAt float64
	// Dependencies say which service needs which.
	Dependencies []catalog.Dependency
	// Learned are dependencies that were seen, such as in traces; see catalog.Rules.
	Learned []catalog.Dependency `json:",omitempty"`
	// Places are the labels that say where something is.
	Places []string
	Open   Open
	// Silence is how long nothing may be heard of a firing alert before its episode is expired. It must be longer than
	// Alertmanager's repeat_interval.
	Silence time.Duration
	// OpenFor is how long a record that neither says its state nor has an end counts as open after the last thing known of it.
	OpenFor time.Duration
	// Sources are the names of the sources, the one that wins a disagreement first. A source not listed comes last.
	Sources   []string
	Watchdogs []Watchdog
	// Ignore: an alert that any of these sets matches belongs to no incident and no figure, also where it was stored before.
	Ignore []labels.Matchers
	// Maintenance are alerts that belong to no incident.
	Maintenance []Maintenance
	// Labels are kept with an incident as its alerts carry them, where its records say nothing of them.
	Labels []string `json:",omitempty"`
}

// Maintenance says which alerts are maintenance, which belongs to no incident: in one stretch of time, in a stretch of each
// week, or always where it names neither.
type Maintenance struct {
	Matchers labels.Matchers
	From, To time.Time // zero for no bound
	Weekly   *Weekly
}

// Weekly is a stretch of each week, in the time of a zone.
type Weekly struct {
	Day      time.Weekday
	From, To time.Duration // since midnight; a To that is not after From is of the next day
	Zone     *time.Location
}

// MarshalJSON names the zone: a location says nothing in JSON by itself.
func (w *Weekly) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{w.Day, w.From, w.To, w.Zone.String()})
}

// Covers says whether an alert that begins at a time is in it.
func (m *Maintenance) Covers(t time.Time) bool {
	if !m.From.IsZero() && t.Before(m.From) || !m.To.IsZero() && !t.Before(m.To) {
		return false
	}
	return m.Weekly == nil || m.Weekly.covers(t)
}

func (w *Weekly) covers(t time.Time) bool {
	t = t.In(w.Zone)
	clock := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
	if w.To > w.From {
		return t.Weekday() == w.Day && clock >= w.From && clock < w.To
	}
	return t.Weekday() == w.Day && clock >= w.From || t.Weekday() == (w.Day+1)%7 && clock < w.To
}

// catalog is the part of the rules that the catalog is made of.
func (r *Rules) catalog() *catalog.Rules {
	return &catalog.Rules{
		Services: r.Services, Severities: r.Severities, Dependencies: r.Dependencies, Learned: r.Learned, Places: r.Places, Ignore: r.Ignore,
	}
}

// GravestSeverities is a regular expression of what people call the gravest severities, in whatever case.
const GravestSeverities = `(?i)(critical|crit|page|pager|paging|emergency|emerg|fatal|disaster|urgent|` +
	`(p|prio|priority|s|sev|severity)[-_ ]?[01])`

var gravest = regexp.MustCompile("^(?:" + GravestSeverities + ")$")

// OpenGravest matches alerts whose severity, in the first or a further label, is one of the gravest by GravestSeverities or
// one of some further names, in whatever case.
func OpenGravest(severityLabels []string, names ...string) (out []labels.Matchers) {
	words := GravestSeverities
	for _, n := range names {
		if !gravest.MatchString(n) {
			words += "|(?i)" + regexp.QuoteMeta(n)
		}
	}
	for _, l := range severityLabels {
		if m, err := labels.NewMatcher(labels.MatchRegexp, l, words); err == nil { // of quoted names it always is
			out = append(out, labels.Matchers{m})
		}
	}
	return out
}

// Open says which alerts open an incident by themselves, and how they group.
type Open struct {
	// Matchers: an alert that any of these sets matches opens an incident. None means that no alert does.
	Matchers []labels.Matchers
	// Weigh: an alert that matches opens an incident only where what fired together is likely one. Otherwise each opens one
	// that belongs to no other.
	Weigh   bool
	GroupBy []string // label names; "service" means the canonical service
	// Quiet is how long nothing may fire before the incident counts as over; ReopenWithin is how long after that a
	// new firing is a relapse of it.
	Quiet, ReopenWithin time.Duration
}

// Watchdog is an alert that always fires. Where nothing is heard of it for longer than Every, detection is blind.
type Watchdog struct {
	Name     string
	Matchers labels.Matchers
	Every    time.Duration
}

// DefaultRules are the rules where the configuration says nothing.
func DefaultRules() Rules {
	return Rules{
		Services:   catalog.Services{Labels: []string{"service", "app", "job"}},
		Severities: catalog.Severities{Labels: []string{"severity"}, Order: []string{"critical", "warning", "info"}},
		LinkAt:     0.6, SuggestAt: 0.4,
		Places: catalog.DefaultPlaces,
		Open: Open{
			Matchers: OpenGravest([]string{"severity"}), GroupBy: []string{"service"}, Quiet: 10 * time.Minute, ReopenWithin: time.Hour,
		},
		Silence: 25 * time.Hour, OpenFor: 7 * 24 * time.Hour,
	}
}

// Result is what Correlate makes of facts. Incidents are ordered by ID, verdicts by episode key.
type Result struct {
	Incidents []incident.Incident
	Verdicts  []incident.Verdict
	// Blind are the stretches of time in which a watchdog was silent, by watchdog.
	Blind map[string][]incident.Impact
}
