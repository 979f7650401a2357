package pagerduty

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"meantime/incident"
	"meantime/source"
)

// incidentJSON is what is read of an incident.
type incidentJSON struct {
	ID          string       `json:"id"`
	Title       string       `json:"title"`
	Summary     string       `json:"summary"`
	HTMLURL     string       `json:"html_url"`
	Status      string       `json:"status"`
	IncidentKey *string      `json:"incident_key"`
	CreatedAt   source.Stamp `json:"created_at"`
	UpdatedAt   source.Stamp `json:"updated_at"`
	ResolvedAt  source.Stamp `json:"resolved_at"`
	Service     named        `json:"service"`
	Impacted    []named      `json:"impacted_services"`
	Teams       []named      `json:"teams"`
	Priority    *named       `json:"priority"`
	Urgency     string       `json:"urgency"`
	AlertCounts struct {
		All int `json:"all"`
	} `json:"alert_counts"`
	ResolveReason *struct {
		Type     string `json:"type"`
		Incident named  `json:"incident"`
	} `json:"resolve_reason"`
}

type named struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
}

// entryJSON is what is read of a log entry. PagerDuty publishes no schema of channel: the key and the details stand in one of
// two places, or in none.
type entryJSON struct {
	ID        string       `json:"id"`
	Type      string       `json:"type"`
	CreatedAt source.Stamp `json:"created_at"`
	Agent     *named       `json:"agent"`
	Incident  named        `json:"incident"`
	Service   named        `json:"service"`
	Channel   struct {
		IncidentKey string      `json:"incident_key"`
		Details     detailsJSON `json:"details"`
		CEF         struct {
			DedupKey string      `json:"dedup_key"`
			Details  detailsJSON `json:"details"`
		} `json:"cef_details"`
	} `json:"channel"`
}

// detailsJSON are the details of an event as Alertmanager sends them: a list of alerts from its version 0.30 on, a text before.
type detailsJSON struct{ Firing json.RawMessage }

// UnmarshalJSON reads details, which may be anything.
func (d *detailsJSON) UnmarshalJSON(b []byte) error {
	var o struct {
		Firing json.RawMessage `json:"firing"`
	}
	if json.Unmarshal(b, &o) == nil {
		d.Firing = o.Firing
	}
	return nil
}

type alertJSON struct {
	ID         string       `json:"id"`
	AlertKey   string       `json:"alert_key"`
	CreatedAt  source.Stamp `json:"created_at"`
	ResolvedAt source.Stamp `json:"resolved_at"`
	Body       struct {
		Details detailsJSON `json:"details"`
	} `json:"body"`
}

// key is what the sent event named its group by; empty where the entry does not tell.
func (e *entryJSON) key() string { return cmp.Or(e.Channel.CEF.DedupKey, e.Channel.IncidentKey) }

// told says whether the incident or its log tells the key of its alert.
func told(it *source.Item, in *incidentJSON) bool {
	if in.IncidentKey != nil && *in.IncidentKey != "" {
		return true
	}
	entries, err := source.DecodePart[entryJSON](it, "log_entries")
	return err == nil && slices.ContainsFunc(entries, func(e entryJSON) bool { return e.key() != "" })
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var in incidentJSON
	if err := it.Decode(&in); err != nil {
		return nil, err
	}
	entries, err := source.DecodePart[entryJSON](it, "log_entries")
	if err != nil {
		return nil, err
	}
	alerts, err := source.DecodePart[alertJSON](it, "alerts")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(entries, func(a, b entryJSON) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	r := incident.Record{
		ID: in.ID, Title: cmp.Or(in.Title, in.Summary), URL: in.HTMLURL, CreatedAt: in.CreatedAt.Time, UpdatedAt: in.UpdatedAt.Time,
		State: incident.StateOpen, Severity: in.Urgency,
	}
	if in.Priority != nil {
		r.Severity = cmp.Or(in.Priority.Summary, in.Urgency)
	}
	for _, s := range append([]named{in.Service}, in.Impacted...) {
		if s.Summary != "" && !slices.Contains(r.Services, s.Summary) {
			r.Services = append(r.Services, s.Summary)
		}
	}
	if len(in.Teams) > 0 && in.Teams[0].Summary != "" {
		r.Labels = map[string]string{"team": in.Teams[0].Summary}
	}
	source.Set(&r, incident.Detected, in.CreatedAt.Time, "PagerDuty opened the incident")
	c.milestones(&r, &in, entries)
	refer(&r, it.Source, &in, entries, alerts)
	return []incident.Record{r}, nil
}

// milestones tells what the log says of acknowledgement and end.
func (c *Connector) milestones(r *incident.Record, in *incidentJSON, entries []entryJSON) {
	var last *entryJSON // the entry that resolved it last
	for i := range entries {
		e := &entries[i]
		r.UpdatedAt = source.Latest(r.UpdatedAt, e.CreatedAt.Time)
		switch e.Type {
		case "acknowledge_log_entry":
			if _, before := r.Milestones[incident.Acknowledged]; !before && byPerson(e) {
				source.Set(r, incident.Acknowledged, e.CreatedAt.Time, "PagerDuty acknowledge_log_entry "+e.ID+" by a person")
			}
		case "resolve_log_entry":
			last = e
		case "trigger_log_entry":
			if byPerson(e) {
				r.DetectedBy = incident.ByStaff
			}
		}
	}
	switch {
	case in.Status != "resolved":
		return
	case in.ResolveReason != nil && strings.HasPrefix(in.ResolveReason.Type, "merge"):
		r.State = incident.StateCancelled
		return
	}
	r.State = incident.StateResolved
	at, evidence := in.ResolvedAt.Time, "PagerDuty resolved_at"
	if last != nil {
		evidence = "PagerDuty resolve_log_entry " + last.ID
		if at.IsZero() {
			at = last.CreatedAt.Time
		}
		if byIntegration(last) {
			source.Set(r, incident.Mitigated, last.CreatedAt.Time, evidence+" by an integration: closed by the alert")
		}
	}
	source.Set(r, incident.Resolved, at, evidence)
}

func byPerson(e *entryJSON) bool { return e.Agent != nil && strings.HasPrefix(e.Agent.Type, "user") }

func byIntegration(e *entryJSON) bool {
	return e.Agent != nil && strings.Contains(e.Agent.Type, "integration")
}

// refer tells which alerts the incident was about.
func refer(r *incident.Record, name string, in *incidentJSON, entries []entryJSON, alerts []alertJSON) {
	if r.State == incident.StateCancelled && in.ResolveReason.Incident.ID != "" {
		r.Related = []incident.Related{{ID: name + "/" + in.ResolveReason.Incident.ID, How: "merged_into"}}
	}
	if in.IncidentKey != nil {
		r.References.AddKey(name, *in.IncidentKey, in.CreatedAt.Time, in.ResolvedAt.Time)
	}
	for i := range entries {
		if e := &entries[i]; e.Type == "trigger_log_entry" {
			r.References.AddKey(name, e.key(), e.CreatedAt.Time, in.ResolvedAt.Time)
			source.AddAlerts(&r.References, e.Channel.Details.Firing)
			source.AddAlerts(&r.References, e.Channel.CEF.Details.Firing)
		}
	}
	for i := range alerts {
		a := &alerts[i]
		r.References.AddKey(name, a.AlertKey, a.CreatedAt.Time, a.ResolvedAt.Time)
		source.AddAlerts(&r.References, a.Body.Details.Firing)
	}
	if len(r.References.Groups)+len(r.References.Alerts) > 0 && r.DetectedBy == "" {
		r.DetectedBy = incident.ByAlert
	}
}
