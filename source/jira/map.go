package jira

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type issueJSON struct {
	ID        string     `json:"id"`
	Key       string     `json:"key"`
	Fields    fieldsJSON `json:"fields"`
	Changelog struct {
		Histories []json.RawMessage `json:"histories"`
	} `json:"changelog"`
}

type fieldsJSON struct {
	Summary string `json:"summary"`
	Status  struct {
		Name     string `json:"name"`
		Category struct {
			Key string `json:"key"`
		} `json:"statusCategory"`
	} `json:"status"`
	Resolution     *named          `json:"resolution"`
	ResolutionDate source.Stamp    `json:"resolutiondate"`
	Created        source.Stamp    `json:"created"`
	Updated        source.Stamp    `json:"updated"`
	Labels         []string        `json:"labels"`
	Components     []named         `json:"components"`
	Priority       *named          `json:"priority"`
	Security       *named          `json:"security"`
	Description    json.RawMessage `json:"description"`
}

type named struct {
	Name string `json:"name"`
}

type changeJSON struct {
	// Created is a time as text in an issue's own changelog, and milliseconds in that of several issues.
	Created json.RawMessage `json:"created"`
	Items   []struct {
		Field    string `json:"field"`
		ToString string `json:"toString"`
	} `json:"items"`
}

func (c *changeJSON) at() time.Time {
	var ms int64
	if json.Unmarshal(c.Created, &ms) == nil {
		return time.UnixMilli(ms).UTC()
	}
	var s source.Stamp
	_ = json.Unmarshal(c.Created, &s) // an entry without a time says nothing
	return s.Time
}

// notIncident are resolutions that say that an issue was none.
var notIncident = []string{"duplicate", "won't do", "won't fix", "declined", "invalid", "not a bug", "rejected", "cannot reproduce"}

// alertLabel is the label that Alertmanager's Jira receiver gives an issue: the hash of the group's key.
var alertLabel = regexp.MustCompile(`^ALERT\{([0-9a-f]{64})\}$`)

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var is issueJSON
	if err := it.Decode(&is); err != nil {
		return nil, err
	}
	changes, err := source.DecodePart[changeJSON](it, "changelog")
	if err != nil {
		return nil, err
	}
	alerts, err := source.DecodePart[tracker.OpsAlert](it, "alerts")
	if err != nil {
		return nil, err
	}
	f := &is.Fields
	r := incident.Record{
		ID: is.ID, Title: f.Summary, CreatedAt: f.Created.Time, UpdatedAt: f.Updated.Time, State: incident.StateOpen,
		Labels: map[string]string{"key": is.Key},
	}
	if is.Key != "" {
		r.URL = c.client.Base() + "/browse/" + is.Key
	}
	for _, x := range f.Components {
		r.Services = append(r.Services, x.Name)
	}
	if f.Priority != nil {
		r.Severity = f.Priority.Name
	}
	c.timeline(&r, &is, changes)
	if err := c.custom(&r, it); err != nil {
		return nil, err
	}
	refer(&r, it.Source, &is)
	c.paged(&r, it.Source, alerts)
	if len(r.References.Groups) > 0 {
		r.DetectedBy = incident.ByAlert
		if _, said := r.Milestones[incident.Detected]; !said {
			source.Set(&r, incident.Detected, f.Created.Time, "Jira created, by an alert")
		}
	}
	return []incident.Record{r}, nil
}

// timeline tells what the statuses of the issue say, one after the other.
func (c *Connector) timeline(r *incident.Record, is *issueJSON, changes []changeJSON) {
	slices.SortStableFunc(changes, func(a, b changeJSON) int { return a.at().Compare(b.at()) })
	for i := range changes {
		at := changes[i].at()
		r.UpdatedAt = source.Latest(r.UpdatedAt, at)
		for _, x := range changes[i].Items {
			if x.Field != "status" {
				continue
			}
			name := incident.MilestoneName(c.statuses.Of(x.ToString))
			_, before := r.Milestones[name]
			if name != incident.Mitigated && name != incident.Resolved {
				delete(r.Milestones, incident.Mitigated) // it went on
				delete(r.Milestones, incident.Resolved)
			}
			if name != "" && (!before || name == incident.Mitigated || name == incident.Resolved) {
				source.Set(r, name, at, "Jira status "+x.ToString)
			}
		}
	}
	f := &is.Fields
	over := !f.ResolutionDate.IsZero() || f.Status.Category.Key == "done" || c.statuses.Of(f.Status.Name) == string(incident.Resolved)
	switch {
	case !over:
		delete(r.Milestones, incident.Resolved)
	case f.Resolution != nil && slices.Contains(notIncident, strings.ToLower(f.Resolution.Name)):
		r.State = incident.StateCancelled
	default:
		r.State = incident.StateResolved
		source.Set(r, incident.Resolved, f.ResolutionDate.Time, "Jira resolutiondate")
	}
}

// custom reads the fields that the configuration names.
func (c *Connector) custom(r *incident.Record, it *source.Item) error {
	var all struct{ Fields map[string]json.RawMessage }
	if err := it.Decode(&all); err != nil {
		return err
	}
	for id, raw := range all.Fields {
		to := c.fields.Of(id)
		value := valueOf(raw)
		if to == "" || value == "" {
			continue
		}
		switch to {
		case "severity":
			r.Severity = value
		case "service":
			r.Services = append(r.Services, value)
		default:
			at, err := source.Time(value)
			if err != nil {
				return &source.OptionError{Key: id, Err: err}
			}
			if name := incident.MilestoneName(to); name != incident.Resolved || r.State != incident.StateOpen { // else it was reopened
				source.Set(r, name, at, "Jira field "+id)
			}
		}
	}
	slices.Sort(r.Services)
	r.Services = slices.Compact(r.Services)
	return nil
}

// valueOf is what a field holds: a text, or the name of what was chosen.
func valueOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var o struct{ Value, Name string }
	if json.Unmarshal(raw, &o) == nil {
		if o.Value != "" {
			return o.Value
		}
		return o.Name
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return valueOf(list[0])
	}
	return ""
}

// refer tells which alerts and records the issue names: by Alertmanager's label, and in its description.
func refer(r *incident.Record, name string, is *issueJSON) {
	end := r.Milestones[incident.Resolved].At
	for _, l := range is.Fields.Labels {
		if m := alertLabel.FindStringSubmatch(l); m != nil {
			r.References.AddKey(name, m[1], is.Fields.Created.Time, end)
		}
	}
	tracker.AddText(&r.References, textOf(is.Fields.Description))
	tracker.AddText(&r.References, string(is.Fields.Description)) // addresses behind words
}

// textOf is the text of a description: a text on Data Center, a tree of nodes on Cloud.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var node struct {
		Type    string
		Text    string
		Content []json.RawMessage
	}
	if json.Unmarshal(raw, &node) != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(node.Text)
	for _, c := range node.Content {
		b.WriteString(textOf(c))
	}
	switch node.Type {
	case "paragraph", "heading", "hardBreak", "codeBlock", "listItem":
		b.WriteString("\n")
	}
	return b.String()
}

// paged adds what the alerts of Jira Service Management say.
func (c *Connector) paged(r *incident.Record, name string, alerts []tracker.OpsAlert) {
	earlier := func(m incident.MilestoneName, at time.Time, evidence string) {
		if old, said := r.Milestones[m]; !at.IsZero() && (!said || at.Before(old.At)) {
			source.Set(r, m, at, evidence)
		}
	}
	ended, last := len(alerts) > 0, time.Time{}
	for i := range alerts {
		a := &alerts[i]
		earlier(incident.Detected, a.CreatedAt.Time, "Jira Service Management createdAt of an alert")
		earlier(incident.Acknowledged, a.AcknowledgedAt(), "Jira Service Management report.ackTime of an alert")
		ended, last = ended && a.ClosedByIntegration(), source.Latest(last, a.ClosedAt())
		a.Refer(&r.References, name)
		r.UpdatedAt = source.Latest(r.UpdatedAt, a.UpdatedAt.Time)
	}
	if _, said := r.Milestones[incident.Mitigated]; ended && !said {
		source.Set(r, incident.Mitigated, last, "Jira Service Management: the alerts ended")
	}
}
