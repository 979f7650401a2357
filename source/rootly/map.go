package rootly

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type incidentJSON struct {
	ID         string
	Attributes struct {
		Kind, Title, Status, URL string
		Private                  bool
		CreatedAt                source.Stamp `json:"created_at"`
		UpdatedAt                source.Stamp `json:"updated_at"`
		StartedAt                source.Stamp `json:"started_at"`
		DetectedAt               source.Stamp `json:"detected_at"`
		AcknowledgedAt           source.Stamp `json:"acknowledged_at"`
		MitigatedAt              source.Stamp `json:"mitigated_at"`
		ResolvedAt               source.Stamp `json:"resolved_at"`
		Severity                 *struct {
			Data *struct {
				Attributes struct{ Slug, Name string }
			}
		}
		Parent    string `json:"parent_incident_id"`
		Duplicate string `json:"duplicate_incident_id"`

		PagerDuty  string `json:"pagerduty_incident_url"`
		Opsgenie   string `json:"opsgenie_incident_url"`
		Jira       string `json:"jira_issue_url"`
		GitHub     string `json:"github_issue_url"`
		GitLab     string `json:"gitlab_issue_url"`
		ServiceNow string `json:"service_now_incident_url"`
		Postmortem string `json:"postmortem_document_url"`
	}
	Relationships struct {
		Services struct{ Data []struct{ ID string } }
	}
}

type serviceJSON struct {
	ID, Type   string
	Attributes struct{ Name, Slug string }
}

type alertJSON struct {
	Attributes struct {
		Source    string
		StartedAt source.Stamp `json:"started_at"`
		EndedAt   source.Stamp `json:"ended_at"`
		Labels    []struct{ Key, Value string }
		Data      struct {
			GroupKey string `json:"groupKey"`
			Alerts   json.RawMessage
		}
	}
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var in incidentJSON
	if err := it.Decode(&in); err != nil {
		return nil, err
	}
	services, err := source.DecodePart[serviceJSON](it, "services")
	if err != nil {
		return nil, err
	}
	alerts, err := source.DecodePart[alertJSON](it, "alerts")
	if err != nil {
		return nil, err
	}
	x := &in.Attributes
	r := incident.Record{
		ID: in.ID, Title: x.Title, URL: x.URL, CreatedAt: x.CreatedAt.Time, UpdatedAt: x.UpdatedAt.Time,
		State: stateOf(x.Status), Kind: kindOf(x.Kind),
	}
	if x.Severity != nil && x.Severity.Data != nil {
		r.Severity = cmp.Or(x.Severity.Data.Attributes.Name, x.Severity.Data.Attributes.Slug)
	}
	for _, ref := range in.Relationships.Services.Data {
		i := slices.IndexFunc(services, func(s serviceJSON) bool { return s.Type == "services" && s.ID == ref.ID })
		if i < 0 {
			continue // an id by itself names no service
		}
		tracker.Add(&r.Services, cmp.Or(services[i].Attributes.Name, services[i].Attributes.Slug))
	}
	for _, m := range []struct {
		name  incident.MilestoneName
		at    time.Time
		field string
	}{
		{incident.Started, x.StartedAt.Time, "started_at"},
		{incident.Detected, x.DetectedAt.Time, "detected_at"},
		{incident.Acknowledged, x.AcknowledgedAt.Time, "acknowledged_at"},
		{incident.Mitigated, x.MitigatedAt.Time, "mitigated_at"},
		{incident.Resolved, x.ResolvedAt.Time, "resolved_at"},
	} {
		if m.name == incident.Started && !x.CreatedAt.IsZero() && m.at.Sub(x.CreatedAt.Time).Abs() <= time.Second {
			continue // Rootly fills it in when the incident is declared
		}
		if m.name == incident.Resolved && r.State == incident.StateOpen {
			continue // it was reopened
		}
		source.Set(&r, m.name, m.at, "Rootly "+m.field)
	}
	refer(&r, it.Source, &in, alerts)
	return []incident.Record{r}, nil
}

func stateOf(status string) incident.State {
	switch status {
	case "resolved", "closed", "completed":
		return incident.StateResolved
	case "cancelled":
		return incident.StateCancelled
	}
	return incident.StateOpen
}

// kindOf reads kinds such as test, test_sub, example, normal, scheduled_sub and backfilled.
func kindOf(kind string) incident.Kind {
	switch strings.TrimSuffix(kind, "_sub") {
	case "test", "example":
		return incident.KindDrill
	case "scheduled":
		return incident.KindMaintenance
	}
	return incident.KindIncident
}

// refer tells which alerts and other records the incident was about.
func refer(r *incident.Record, name string, in *incidentJSON, alerts []alertJSON) {
	x := &in.Attributes
	if x.Parent != "" {
		r.Related = append(r.Related, incident.Related{ID: name + "/" + x.Parent, How: "part_of"})
	}
	if x.Duplicate != "" {
		r.State = incident.StateCancelled
		r.Related = append(r.Related, incident.Related{ID: name + "/" + x.Duplicate, How: "merged_into"})
	}
	for _, u := range []string{x.PagerDuty, x.Opsgenie, x.Jira, x.GitHub, x.GitLab, x.ServiceNow, x.Postmortem} {
		tracker.Add(&r.References.URLs, u)
	}
	for i := range alerts {
		a := &alerts[i].Attributes
		if a.Data.GroupKey != "" {
			r.References.AddKey(name, a.Data.GroupKey, a.StartedAt.Time, a.EndedAt.Time)
		}
		if len(a.Data.Alerts) > 0 {
			source.AddAlerts(&r.References, a.Data.Alerts)
		} else if strings.EqualFold(a.Source, "alertmanager") {
			labels := map[string]string{}
			for _, l := range a.Labels {
				labels[l.Key] = l.Value
			}
			source.AddLabelled(&r.References, labels, a.StartedAt.Time)
		}
	}
	if len(r.References.Alerts)+len(r.References.Groups) > 0 {
		r.DetectedBy = incident.ByAlert
	}
}
