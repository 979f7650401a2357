package measure

import (
	"time"

	"meantime/incident"
)

// Other is the service, severity and alert name under which everything over a series limit is shown.
const Other = "(other)"

// Window is a rolling window.
type Window struct {
	Name   string // as the config says it, such as "28d"
	Length time.Duration
}

// Objective is how soon an interval should be over for incidents of a severity; an empty severity means every severity
// that has no objective of its own.
type Objective struct {
	Severity string        `json:"severity"`
	Interval string        `json:"interval"`
	Within   time.Duration `json:"within"`
}

// Figures are everything shown of all incidents and episodes at one moment. They are never written to after they were
// handed out, and parts that did not change are the same pointers as in the Figures before.
type Figures struct {
	At      time.Time
	Windows []WindowFigures // in the order of Options.Windows

	// Open counts the open incidents by service and severity in the same four ways as groups; the first is the count over everything.
	Open []OpenCount
	// OldestOpen is when the oldest open incident began; zero where none is open or none knows.
	OldestOpen time.Time
	// Newest are the newest incidents, the newest first; drills and maintenance are not among them.
	Newest []*Head
	// Milestones counts the milestones of the incidents of the longest window and of all open ones by the origin that counts;
	// placeholders are not known and not counted.
	Milestones map[incident.MilestoneName]map[incident.Origin]int
	// Suggested counts the episodes that may belong to an incident, where a person has not said.
	Suggested int
	// Ended counts the episodes of the longest window that fire no more, by how they came to.
	Ended map[incident.EndKind]int
	// OtherServices, OtherSeverities and OtherNames are how many services, severities and alert names are shown under Other.
	OtherServices, OtherSeverities, OtherNames int
}

// WindowFigures are the figures of one window.
type WindowFigures struct {
	Window Window
	// Groups has the figures over everything first, then by service, by severity, by both, by each label, and by that and severity.
	Groups []*Group
	// Reliability is that of the same groups in the same order, without those of which nothing was watched.
	Reliability []*Reliability
	Alerts      []*AlertGroup
}

// Grouping says what a figure is grouped by; an empty field means not by this.
type Grouping struct {
	Service  string `json:"service"`
	Severity string `json:"severity"`
	// Label is one of Options.By and Value its value; both are empty for a group that is not by one.
	Label string `json:"label,omitempty"`
	Value string `json:"value,omitempty"`
}

// Everything says whether it is not grouped at all.
func (g Grouping) Everything() bool { return g == Grouping{} }

// OpenCount counts the open incidents of a group.
type OpenCount struct {
	Grouping
	N int
}

// Group are the figures of the incidents of one group in one window.
type Group struct {
	Grouping
	// Incidents counts all of them, also drills and cancelled ones, by who detected them: for each interval its statuses add up to the same.
	Incidents  int                         `json:"incidents"`
	DetectedBy map[incident.DetectedBy]int `json:"detected_by"`
	Intervals  []IntervalFigures           `json:"intervals"`
	// Impact is the summed impact in seconds, nil where no incident tells any.
	Impact *float64 `json:"impact_seconds,omitempty"`
	// Recall is the share of measured incidents that an alert caught first. Incidents in a watchdog's blind window are in
	// neither count: whether an alert would have caught them is not known.
	Recall *Ratio `json:"alert_recall,omitempty"`
	// Missed counts the incidents of Recall to which no alert belongs, Late those of which an alert told after a person knew.
	Missed int `json:"missed_detections"`
	Late   int `json:"late_alerts"`
	// Lead is the median of first person aware minus first alert in seconds, negative where people were first.
	Lead *float64 `json:"alert_lead_seconds,omitempty"`
	// Objectives are the shares of recorded measurements inside the objective for their incident's severity, by interval.
	Objectives []ObjectiveFigures `json:"objectives,omitempty"`
}

// ObjectiveFigures is the share of measurements of an interval that kept to the objective.
type ObjectiveFigures struct {
	Interval string `json:"interval"`
	Ratio
}

// IntervalFigures are the statistics of one interval. A nil one has too few measurements to say anything.
type IntervalFigures struct {
	Interval string                  `json:"interval"`
	Status   map[incident.Status]int `json:"status"`
	// N is the number of recorded measurements, which are all that the statistics hold.
	N             int       `json:"n"`
	Median        *Estimate `json:"median,omitempty"`
	GeometricMean *Estimate `json:"geometric_mean,omitempty"`
	Mean          *float64  `json:"mean,omitempty"`
	P90           *float64  `json:"p90,omitempty"`
	P95           *float64  `json:"p95,omitempty"`
	Max           *float64  `json:"max,omitempty"`
	// Survival is the Kaplan-Meier median, for intervals that end in mitigated or resolved.
	Survival *float64 `json:"survival_median,omitempty"`
}

// AlertGroup are the figures of the episodes of one group in one window.
type AlertGroup struct {
	Grouping
	// Precision is the share of episodes that belonged to an incident.
	Precision Ratio
	// Episodes counts them by alert name and outcome, sorted; nothing is listed with 0.
	Episodes []EpisodeCount
}

// EpisodeCount counts episodes.
type EpisodeCount struct {
	Name    string
	Outcome incident.Outcome
	N       int
}

// Head is what a list shows of an incident.
type Head struct {
	ID, Title, Service, Severity string
	DetectedBy                   incident.DetectedBy
	State                        incident.State
	At                           time.Time
	Milestones                   []HeadMilestone // those known, in the usual order
}

// HeadMilestone is a milestone that counts.
type HeadMilestone struct {
	Name   incident.MilestoneName
	At     time.Time
	Origin incident.Origin
}
