package firehydrant

import (
	"cmp"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type incidentJSON struct {
	ID, Name    string
	Description string
	Severity    string
	Priority    string
	Current     string       `json:"current_milestone"`
	URL         string       `json:"incident_url"`
	CreatedAt   source.Stamp `json:"created_at"`
	UpdatedAt   source.Stamp `json:"updated_at"`
	DiscardedAt source.Stamp `json:"discarded_at"`
	Services    []struct{ Name string }
	Milestones  []struct {
		Type       string
		OccurredAt source.Stamp `json:"occurred_at"`
		UpdatedAt  source.Stamp `json:"updated_at"`
	}
	Links []struct {
		Href string `json:"href_url"`
		URL  string `json:"url"`
	} `json:"external_links"`
}

// updated is when any part of it changed last.
func (in *incidentJSON) updated() time.Time {
	at := source.Latest(in.CreatedAt.Time, in.UpdatedAt.Time)
	for _, m := range in.Milestones {
		at = source.Latest(at, m.UpdatedAt.Time)
	}
	return at
}

type alertJSON struct {
	Integration string       `json:"integration_name"`
	RemoteID    string       `json:"remote_id"`
	StartsAt    source.Stamp `json:"starts_at"`
	EndsAt      source.Stamp `json:"ends_at"`
	Labels      map[string]string
}

// milestones are FireHydrant's own slugs of phases that say a milestone. Others, such as investigating and postmortem_started,
// say none.
var milestones = map[string]incident.MilestoneName{
	"started": incident.Started, "detected": incident.Detected, "acknowledged": incident.Acknowledged,
	"identified": incident.Identified, "mitigated": incident.Mitigated, "resolved": incident.Resolved,
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var in incidentJSON
	if err := it.Decode(&in); err != nil {
		return nil, err
	}
	alerts, err := source.DecodePart[alertJSON](it, "alerts")
	if err != nil {
		return nil, err
	}
	r := incident.Record{
		ID: in.ID, Title: in.Name, URL: in.URL, CreatedAt: in.CreatedAt.Time, UpdatedAt: in.updated(), State: stateOf(in.Current),
	}
	if r.Severity = cmp.Or(unset(in.Severity), unset(in.Priority)); in.Severity == "GAMEDAY" {
		r.Kind = incident.KindDrill
	}
	for _, s := range in.Services {
		tracker.Add(&r.Services, s.Name)
	}
	for _, m := range in.Milestones {
		name, ok := milestones[m.Type]
		// What is stamped when the incident is made is a placeholder: nobody stated it.
		if !ok || m.OccurredAt.Sub(in.CreatedAt.Time).Abs() <= time.Second || name == incident.Resolved && r.State == incident.StateOpen {
			continue
		}
		source.Set(&r, name, m.OccurredAt.Time, "FireHydrant milestone "+m.Type)
	}
	refer(&r, it.Source, &in, alerts)
	return []incident.Record{r}, nil
}

func unset(s string) string {
	if s == "UNSET" {
		return ""
	}
	return s
}

func stateOf(milestone string) incident.State {
	switch milestone {
	case "resolved", "closed", "postmortem_started", "postmortem_completed":
		return incident.StateResolved
	}
	return incident.StateOpen
}

// refer tells which alerts and other records the incident was about. FireHydrant documents the MD5 of the group's key as the
// idempotency key of what Alertmanager sends.
func refer(r *incident.Record, name string, in *incidentJSON, alerts []alertJSON) {
	for _, l := range in.Links {
		tracker.Add(&r.References.URLs, cmp.Or(l.Href, l.URL))
	}
	for i := range alerts {
		a := &alerts[i]
		r.References.AddKey(name, a.RemoteID, a.StartsAt.Time, a.EndsAt.Time)
		if strings.EqualFold(a.Integration, "alertmanager") {
			source.AddLabelled(&r.References, a.Labels, a.StartsAt.Time)
		}
	}
	if len(r.References.Alerts)+len(r.References.Groups) > 0 {
		r.DetectedBy = incident.ByAlert
	}
}
