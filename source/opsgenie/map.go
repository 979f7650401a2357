package opsgenie

import (
	"cmp"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type incidentJSON struct {
	ID          string       `json:"id"`
	Message     string       `json:"message"`
	Status      string       `json:"status"`
	Priority    string       `json:"priority"`
	CreatedAt   source.Stamp `json:"createdAt"`
	UpdatedAt   source.Stamp `json:"updatedAt"`
	ImpactStart source.Stamp `json:"impactStartDate"`
	ImpactEnd   source.Stamp `json:"impactEndDate"`
	Links       struct {
		Web string `json:"web"`
	} `json:"links"`
}

type entryJSON struct {
	Type      string       `json:"type"`
	EventTime source.Stamp `json:"eventTime"`
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	if c.incidents {
		return c.incident(it)
	}
	var a tracker.OpsAlert
	if err := it.Decode(&a); err != nil {
		return nil, err
	}
	r := incident.Record{
		ID: a.ID, Title: a.Message, CreatedAt: a.CreatedAt.Time, UpdatedAt: a.UpdatedAt.Time, State: incident.StateOpen, Severity: a.Priority,
	}
	service, _ := a.Details["service"].(string)
	if service = cmp.Or(service, a.Entity); service != "" {
		r.Services = []string{service}
	}
	source.Set(&r, incident.Detected, a.CreatedAt.Time, "Opsgenie createdAt of the alert")
	source.Set(&r, incident.Acknowledged, a.AcknowledgedAt(), "Opsgenie report.ackTime by a person")
	if a.Status == "closed" {
		r.State = incident.StateResolved
		if a.ClosedByIntegration() {
			source.Set(&r, incident.Mitigated, a.ClosedAt(), "Opsgenie report.closeTime: closed by the alert")
		}
		source.Set(&r, incident.Resolved, a.ClosedAt(), "Opsgenie report.closeTime")
	}
	a.Refer(&r.References, it.Source)
	return []incident.Record{r}, nil
}

// incident makes the record of an incident. An impact that begins with the record is the form's own time, nobody's word.
func (c *Connector) incident(it *source.Item) ([]incident.Record, error) {
	var in incidentJSON
	if err := it.Decode(&in); err != nil {
		return nil, err
	}
	entries, err := source.DecodePart[entryJSON](it, "timeline")
	if err != nil {
		return nil, err
	}
	r := incident.Record{
		ID: in.ID, Title: in.Message, URL: in.Links.Web, CreatedAt: in.CreatedAt.Time, UpdatedAt: in.UpdatedAt.Time, State: incident.StateOpen,
		Severity: in.Priority,
	}
	source.Set(&r, incident.Detected, in.CreatedAt.Time, "Opsgenie createdAt of the incident")
	if in.ImpactStart.Sub(in.CreatedAt.Time).Abs() > time.Second {
		source.Set(&r, incident.Started, in.ImpactStart.Time, "Opsgenie impactStartDate")
	}
	source.Set(&r, incident.Mitigated, in.ImpactEnd.Time, "Opsgenie impactEndDate")
	var end time.Time
	for _, e := range entries {
		r.UpdatedAt = source.Latest(r.UpdatedAt, e.EventTime.Time)
		switch e.Type {
		case "IncidentResolved", "IncidentClosed":
			if end.IsZero() || e.Type == "IncidentResolved" {
				end = source.Latest(end, e.EventTime.Time)
			}
		}
	}
	if in.Status == "resolved" || in.Status == "closed" {
		r.State = incident.StateResolved
		source.Set(&r, incident.Resolved, end, "Opsgenie timeline: resolved")
	}
	return []incident.Record{r}, nil
}
