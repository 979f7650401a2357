package incident

import "time"

// MilestoneName is a point in an incident's life. The order of milestones in time is not fixed: a real incident healed
// itself before anybody knew why, so its identified came after its resolved.
type MilestoneName string

const (
	Started      MilestoneName = "started"      // users began to be affected
	Detected     MilestoneName = "detected"     // the organisation first knew, by an alert or a person
	Acknowledged MilestoneName = "acknowledged" // somebody began to work on it
	Identified   MilestoneName = "identified"   // the cause was known
	Mitigated    MilestoneName = "mitigated"    // users stopped being affected
	Resolved     MilestoneName = "resolved"     // the incident was over for good
)

// MilestoneNames lists every milestone in its usual order.
var MilestoneNames = []MilestoneName{Started, Detected, Acknowledged, Identified, Mitigated, Resolved}

// Valid says whether n is a milestone.
func (n MilestoneName) Valid() bool {
	for _, m := range MilestoneNames {
		if m == n {
			return true
		}
	}
	return false
}

// Origin says where a milestone's time comes from.
type Origin string

const (
	OriginReview     Origin = "review"     // a person's decision
	OriginRecord     Origin = "record"     // a source's record of the incident
	OriginPostmortem Origin = "postmortem" // a written postmortem
	OriginPrometheus Origin = "prometheus" // measured: when the alert's condition became true
	OriginAlert      Origin = "alert"      // the alert's own start, end or notification
)

// Origins lists every origin, the strongest first.
var Origins = []Origin{OriginReview, OriginRecord, OriginPostmortem, OriginPrometheus, OriginAlert}

// Rank is the origin's place in Origins: 0 is the strongest. An unknown origin ranks last.
func (o Origin) Rank() int {
	for i := range Origins {
		if Origins[i] == o {
			return i
		}
	}
	return len(Origins)
}

// Precision says how exactly a time is known.
type Precision string

const (
	PrecisionSecond      Precision = "second"
	PrecisionMinute      Precision = "minute"
	PrecisionApproximate Precision = "approximate"
)

// Valid says whether p is a precision.
func (p Precision) Valid() bool {
	return p == PrecisionSecond || p == PrecisionMinute || p == PrecisionApproximate
}

// DefaultPrecision is the precision of a time that came without one: a time on the whole minute was almost always typed
// by a person who meant the minute.
func DefaultPrecision(t time.Time) Precision {
	if t.Second() == 0 && t.Nanosecond() == 0 {
		return PrecisionMinute
	}
	return PrecisionSecond
}

// Candidate is one answer to "when was this milestone?".
type Candidate struct {
	At        time.Time `json:"at"`
	Precision Precision `json:"precision"`
	Origin    Origin    `json:"origin"`
	// Evidence is a sentence or a link that a person can check.
	Evidence string `json:"evidence,omitempty"`
	// From names the fact it came from: a record as "source/id", an episode's key or a review's id.
	From string `json:"from,omitempty"`
	// Placeholder marks a started that only repeats its record's own detected or creation time: it loses to any
	// other candidate, and no detect interval is measured from it.
	Placeholder bool `json:"placeholder,omitempty"`
}

// Milestone is the candidate that counts, with all that were there to choose from (the one that counts first).
type Milestone struct {
	Candidate
	Candidates []Candidate `json:"candidates"`
}
