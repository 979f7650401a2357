package incident

import (
	"slices"
	"time"
)

// Incident is what happened: one or more records of it, or alerts that opened it by themselves, with what belongs to
// it. It is derived from facts by correlation and never edited.
type Incident struct {
	// ID stays the same for as long as the fact it is anchored at exists: its first record, or the first episode of
	// an incident that alerts opened. See RecordID and EpisodeID.
	ID string `json:"id"`
	// Aliases are the IDs of every other record and opening episode in it, so that an ID once given still finds it after
	// incidents became one.
	Aliases []string `json:"aliases,omitempty"`

	Title    string            `json:"title"`
	URL      string            `json:"url,omitempty"`
	Services []string          `json:"services"` // canonical names, the first is the one it counts under first
	Severity string            `json:"severity"`
	Kind     Kind              `json:"kind"`
	State    State             `json:"state"`
	Labels   map[string]string `json:"labels,omitempty"`

	// Opened is when the first of its records was made; zero where none says so.
	Opened time.Time `json:"opened,omitzero"`
	// OpenUntil is when an incident that neither says its state nor has an end counts as over; zero where the state is said.
	OpenUntil time.Time `json:"open_until,omitzero"`

	DetectedBy DetectedBy `json:"detected_by"`
	// OpenedByAlerts: no record of it exists.
	OpenedByAlerts bool `json:"opened_by_alerts"`
	// MissedDetection: no linked alert at all. LateAlert: an alert is linked, but a person knew first.
	MissedDetection bool `json:"missed_detection"`
	LateAlert       bool `json:"late_alert"`
	// Blind: it was detected, or its alerts were missed, while a watchdog was silent.
	Blind bool `json:"blind,omitempty"`

	Records    []RecordKey                 `json:"records"`
	Milestones map[MilestoneName]Milestone `json:"milestones"`
	// Impacts are the windows in which users were affected, in order; each after the first is a relapse.
	Impacts []Impact `json:"impacts"`
	// Alerts are the times that its linked episodes tell.
	Alerts AlertTimes `json:"alerts,omitzero"`

	Measurements map[string]Measurement `json:"measurements"`
	Links        []Link                 `json:"links"`
	// Merged says, for each record after the first, why it is the same incident.
	Merged  []string  `json:"merged,omitempty"`
	Related []Related `json:"related,omitempty"`
	Actions []Action  `json:"actions,omitempty"`
	// Reviews are the ids of the reviews that shaped it.
	Reviews []string `json:"reviews,omitempty"`
}

// AlertTimes are the times of an incident's linked episodes, zero where none tells.
type AlertTimes struct {
	Condition time.Time `json:"condition,omitzero"` // the condition of the first to fire became true
	Fired     time.Time `json:"fired,omitzero"`     // the first fired
	Notified  time.Time `json:"notified,omitzero"`  // the first notification of the first to fire
	// NotifiedUnknown and FirstUnknown say in words why Notified and First are not known; empty where they are.
	NotifiedUnknown string    `json:"notified_unknown,omitempty"`
	FirstUnknown    string    `json:"first_unknown,omitempty"`
	Ended           time.Time `json:"ended,omitzero"`  // the last ended; zero while one fires, and where that is not known
	Heard           time.Time `json:"heard,omitzero"`  // the last word of any that fired no more then; zero while one fires
	First           time.Time `json:"first,omitzero"`  // the first notification of any
	Person          time.Time `json:"person,omitzero"` // the first person aware, as a record or review tells
}

// At is the time an incident counts under: when it started, else its first milestone known, else its first alert.
// Zero where nothing is known.
func (i *Incident) At() time.Time {
	if m, ok := i.Milestones[Started]; ok && !m.Placeholder {
		return m.At
	}
	var first time.Time
	for _, m := range i.Milestones {
		first = Earliest(first, m.At)
	}
	for _, w := range i.Impacts {
		first = Earliest(first, w.From)
	}
	return Earliest(first, i.Alerts.Fired)
}

// Span is the stretch from the first to the last time that the incident tells of: milestones with all their candidates,
// impacts, and episodes, those that a person rejected left out. Zero where nothing is known.
func (i *Incident) Span() (from, to time.Time) {
	add := func(t time.Time) { from, to = Earliest(from, t), Latest(to, t) }
	for _, m := range i.Milestones {
		add(m.At)
		for _, c := range m.Candidates {
			add(c.At)
		}
	}
	for _, w := range i.Impacts {
		add(w.From)
		add(w.To)
	}
	for k := range i.Links {
		if l := &i.Links[k]; l.State != LinkRejected {
			add(l.Episode.StartsAt)
			add(l.Episode.EndsAt)
			if l.Episode.Firing() {
				add(l.Episode.LastSeen)
			}
		}
	}
	return from, to
}

// Relapses is the number of impact windows after the first.
func (i *Incident) Relapses() int { return max(0, len(i.Impacts)-1) }

// Point is the time of a milestone or of one of the alert points, zero where it is not known. A milestone that is only
// a placeholder is not known.
func (i *Incident) Point(p Point) time.Time {
	switch p {
	case PointCondition:
		return i.Alerts.Condition
	case PointFired:
		return i.Alerts.Fired
	case PointNotified:
		return i.Alerts.Notified
	case PointEnded:
		return i.Alerts.Ended
	case PointOpened:
		if i.Opened.IsZero() {
			return i.Alerts.First
		}
		return i.Opened
	}
	if m, ok := i.Milestones[MilestoneName(p)]; ok && !m.Placeholder {
		return m.At
	}
	return time.Time{}
}

// WhyUnknown says in words why a point that alerts would tell is not known; empty where there is nothing to say.
func (i *Incident) WhyUnknown(p Point) string {
	switch p {
	case PointNotified:
		if i.Alerts.Notified.IsZero() {
			return i.Alerts.NotifiedUnknown
		}
	case Point(Detected), PointOpened:
		if i.Point(p).IsZero() {
			return i.Alerts.FirstUnknown
		}
	}
	return ""
}

// LinkState says what became of a link between an episode and an incident.
type LinkState string

const (
	LinkStated    LinkState = "stated"    // a record says exactly so (References.States)
	LinkLinked    LinkState = "linked"    // the score reached link_at
	LinkSuggested LinkState = "suggested" // it reached suggest_at, or it is the runner-up
	LinkConfirmed LinkState = "confirmed" // a person said so
	LinkRejected  LinkState = "rejected"  // a person said no
)

// Counts says whether an episode in this state belongs to the incident.
func (s LinkState) Counts() bool { return s == LinkStated || s == LinkLinked || s == LinkConfirmed }

// Link ties an episode to an incident.
type Link struct {
	Episode Episode   `json:"episode"`
	State   LinkState `json:"state"`
	// Score is how likely the episode belongs to the incident, 0 to 1. Of one that alerts opened it is no probability, since
	// nobody says whether there was an incident: it only ranks its links.
	Score float64 `json:"score"`
	// Evidence says in words, one sentence each, what speaks for and against.
	Evidence []string `json:"evidence"`
}

// Linked are the episodes that belong to the incident, by start.
func (i *Incident) Linked() []*Episode {
	var out []*Episode
	for k := range i.Links {
		if i.Links[k].State.Counts() {
			out = append(out, &i.Links[k].Episode)
		}
	}
	slices.SortFunc(out, func(a, b *Episode) int { return a.Key().Compare(b.Key()) })
	return out
}

// Unended are the linked episodes because of which it is not known when the last alert ended, although none fires: nobody
// told when they did, and none of the same alert began after them.
func (i *Incident) Unended() []*Episode {
	linked := i.Linked()
	newest := map[string]*Episode{}
	for _, e := range linked {
		newest[e.Fingerprint] = e
	}
	return slices.DeleteFunc(linked, func(e *Episode) bool { return newest[e.Fingerprint] != e || e.Ended() || e.Firing() })
}

// Outcome says what became of an episode.
type Outcome string

const (
	OutcomeLinked    Outcome = "linked"    // it belongs to an incident
	OutcomeSuggested Outcome = "suggested" // it may; a person has not said
	OutcomeNone      Outcome = "none"      // it never belonged to one
)

// OutcomeWatchdog is for an alert that always fires to show that alerting works: it is not asked whether it belonged to an
// incident, so it is not among the Outcomes.
const OutcomeWatchdog Outcome = "watchdog"

// Outcomes lists every outcome.
var Outcomes = []Outcome{OutcomeLinked, OutcomeSuggested, OutcomeNone}

// Verdict is what correlation says of one episode.
type Verdict struct {
	Episode  Episode `json:"episode"`
	Service  string  `json:"service"`  // canonical; empty where the alert names none
	Severity string  `json:"severity"` // canonical
	Outcome  Outcome `json:"outcome"`
	// Incident is the incident it belongs to, or may belong to; empty for none.
	Incident string `json:"incident,omitempty"`
	// Opens: the rules let it open an incident by itself. Why says why it opened one, belongs to one or does not.
	Opens bool   `json:"opens"`
	Why   string `json:"why,omitempty"`
}
