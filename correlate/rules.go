// Package correlate works out which alerts belong to which incident. Correlate is a pure function from facts, rules and
// a clock to incidents, links and verdicts: the same facts give the same answer, whatever order they came in and however
// often. The Runner drives it: it follows the store's feed of changes and recomputes what they can reach.
package correlate

import (
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

	// Before and After widen an incident's impact: an alert that starts this long before or after it can still belong.
	Before, After time.Duration
	// LinkAt and SuggestAt split scores in 0..1 into linked, suggested and nothing.
	LinkAt, SuggestAt float64
	// Dependencies say which service needs which.
	Dependencies []catalog.Dependency
	Open         Open
	// Weights say how much each sort of evidence counts.
	Weights Weights
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
}

// Open says which alerts open an incident by themselves, and how they group.
type Open struct {
	// Matchers: an alert that any of these sets matches opens an incident. None means no alert does.
	Matchers []labels.Matchers
	// Every: each alert that matches and belongs to no incident opens one. Otherwise it is weighed whether what fired together
	// is an incident; alone one opens an incident if it fires long, or if no other of its severity fired in the four weeks before.
	Every   bool
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

// Weights multiply what each sort of evidence says about an outbreak of alerts and an incident, in logarithms of odds. A
// weight of 0 leaves the evidence out.
type Weights struct {
	Time       float64 // when it began, by the most precise milestone
	OtherTimes float64 // when it began, by all other milestones
	End        float64 // when it ended
	Service    float64 // which services it hit, through aliases and dependencies
	Place      float64 // in which region or cluster
	Reference  float64 // the record names an alert, or an alert the record
	Words      float64 // words in common
	Size       float64 // how many different alerts fired
	History    float64 // what people confirmed and rejected before
}

// DefaultWeights were fitted by maximum likelihood to labelled organisations and rounded.
func DefaultWeights() Weights {
	return Weights{Time: 0.6, OtherTimes: 0.2, End: 1.4, Service: 0.7, Place: 1, Reference: 0.5, Words: 1, Size: 0.3, History: 1}
}

// DefaultRules are the rules where the configuration says nothing.
func DefaultRules() Rules {
	return Rules{
		Services:   catalog.Services{Labels: []string{"service", "app", "job"}},
		Severities: catalog.Severities{Labels: []string{"severity"}, Order: []string{"critical", "warning", "info"}},
		Before:     30 * time.Minute, After: 15 * time.Minute,
		LinkAt: 0.75, SuggestAt: 0.4,
		Weights: DefaultWeights(),
		Open:    Open{GroupBy: []string{"service"}, Quiet: 10 * time.Minute, ReopenWithin: time.Hour},
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
