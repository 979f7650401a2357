package tracker

import (
	"encoding/json"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
)

// OpsAlert is an alert of Opsgenie, and of the operations of Jira Service Management, which are the same.
type OpsAlert struct {
	ID           string       `json:"id"`
	Alias        string       `json:"alias"`
	Message      string       `json:"message"`
	Status       string       `json:"status"`
	Acknowledged bool         `json:"acknowledged"`
	CreatedAt    source.Stamp `json:"createdAt"`
	UpdatedAt    source.Stamp `json:"updatedAt"`
	Priority     string       `json:"priority"`
	Description  string       `json:"description"`
	Entity       string       `json:"entity"`
	Details      map[string]any
	Report       struct {
		// AckTime and CloseTime are milliseconds after the alert was made.
		AckTime        int64  `json:"ackTime"`
		CloseTime      int64  `json:"closeTime"`
		AcknowledgedBy string `json:"acknowledgedBy"`
		ClosedBy       string `json:"closedBy"`
	} `json:"report"`
}

// person says whether who did something is a person, who is known by an address there; where it is not told, it may be one.
func person(who string) bool { return who == "" || strings.Contains(who, "@") }

// AcknowledgedAt is when a person first acknowledged the alert; zero where none did.
func (a *OpsAlert) AcknowledgedAt() time.Time {
	if a.Report.AckTime <= 0 || !person(a.Report.AcknowledgedBy) {
		return time.Time{}
	}
	return a.CreatedAt.Add(time.Duration(a.Report.AckTime) * time.Millisecond)
}

// ClosedAt is when the alert was closed; zero where it is not.
func (a *OpsAlert) ClosedAt() time.Time {
	if a.Status != "closed" || a.Report.CloseTime <= 0 {
		return time.Time{}
	}
	return a.CreatedAt.Add(time.Duration(a.Report.CloseTime) * time.Millisecond)
}

// ClosedByIntegration says whether nobody closed it by hand.
func (a *OpsAlert) ClosedByIntegration() bool {
	return !a.ClosedAt().IsZero() && (a.Report.ClosedBy == "" || !person(a.Report.ClosedBy))
}

// Refer adds what the alert says of the group of alerts that it is about.
func (a *OpsAlert) Refer(refs *incident.References, name string) {
	refs.AddKey(name, a.Alias, a.CreatedAt.Time, a.ClosedAt())
	text, _ := json.Marshal(a.Description)
	source.AddAlerts(refs, text)
}
