package incident

import "time"

// IncidentQuery selects incidents. Zero fields select all.
type IncidentQuery struct {
	From, To time.Time // by Incident.At, From inclusive, To exclusive
	Service  string
	Severity string
	State    State
	Cursor   string // the next of the page before
	Limit    int    // 0 means 100
}

// VerdictQuery selects episodes by start. Zero fields select all.
type VerdictQuery struct {
	From, To time.Time // From inclusive, To exclusive
	Outcome  Outcome
	Cursor   string
	Limit    int // 0 means 100
}
