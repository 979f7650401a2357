package gitlab

import (
	"fmt"
	"regexp"
	"slices"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type issueJSON struct {
	ID           int
	IID          int
	Project      int `json:"project_id"`
	Title        string
	Description  string
	State        string
	Severity     string
	Labels       []string
	Confidential bool
	WebURL       string       `json:"web_url"`
	CreatedAt    source.Stamp `json:"created_at"`
	UpdatedAt    source.Stamp `json:"updated_at"`
	ClosedAt     source.Stamp `json:"closed_at"`
	MovedTo      *int         `json:"moved_to_id"`
	Links        struct {
		Duplicate string `json:"closed_as_duplicate_of"`
	} `json:"_links"`
}

// incidentJSON is what GraphQL tells of an incident.
type incidentJSON struct {
	MovedTo *struct {
		IID       string
		ProjectID int
	}
}

type eventJSON struct {
	OccurredAt source.Stamp
	Tags       struct {
		Nodes []struct{ Name string }
	} `json:"timelineEventTags"`
}

type stateJSON struct {
	CreatedAt source.Stamp `json:"created_at"`
	State     string
}

type labelJSON struct {
	CreatedAt source.Stamp `json:"created_at"`
	Action    string
	Label     *struct{ Name string }
}

// tags are GitLab's own tags of a timeline's events, with what they say.
var tags = map[string]incident.MilestoneName{
	"Start time": incident.Started, "Impact detected": incident.Detected, "Response initiated": incident.Acknowledged,
	"Cause identified": incident.Identified, "Impact mitigated": incident.Mitigated, "End time": incident.Resolved,
}

// elsewhere finds an issue in an address of the API.
var elsewhere = regexp.MustCompile(`/projects/([0-9]+)/issues/([0-9]+)$`)

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var is issueJSON
	if err := it.Decode(&is); err != nil {
		return nil, err
	}
	more, err := source.DecodePart[incidentJSON](it, "incident")
	if err != nil {
		return nil, err
	}
	events, err := source.DecodePart[eventJSON](it, "timeline")
	if err != nil {
		return nil, err
	}
	labels, err := source.DecodePart[labelJSON](it, "labels")
	if err != nil {
		return nil, err
	}
	states, err := source.DecodePart[stateJSON](it, "states")
	if err != nil {
		return nil, err
	}
	r := incident.Record{
		ID: it.ID, Title: is.Title, URL: is.WebURL, CreatedAt: is.CreatedAt.Time, UpdatedAt: is.UpdatedAt.Time, State: incident.StateOpen,
	}
	if is.Severity != "UNKNOWN" {
		r.Severity = is.Severity
	}
	c.severities.Severity(&r, is.Labels)
	var changes []tracker.Labelled
	for _, l := range labels {
		if l.Label != nil { // a label that was deleted has no name
			changes = append(changes, tracker.Labelled{At: l.CreatedAt.Time, Label: l.Label.Name, On: l.Action == "add"})
		}
	}
	c.milestones.Label(&r, changes, "GitLab label")
	tagged(&r, events)
	for _, s := range states {
		if s.State == "opened" || s.State == "reopened" {
			tracker.Reopened(&r, s.CreatedAt.Time)
		}
	}
	if _, said := r.Milestones[incident.Detected]; !said {
		source.SetAbout(&r, incident.Detected, is.CreatedAt.Time, "GitLab incident created")
	}
	switch _, said := r.Milestones[incident.Resolved]; {
	case said:
		r.State = incident.StateResolved // people close an incident when the paperwork is done
	case is.State == "closed":
		r.State = incident.StateResolved
		source.Set(&r, incident.Resolved, is.ClosedAt.Time, "GitLab incident closed")
	}
	tracker.AddText(&r.References, is.Description)
	merged(&r, it.Source, &is, more)
	return []incident.Record{r}, nil
}

// tagged states what the tags of a timeline say: the first of each, of the end the last. They stand above labels.
func tagged(r *incident.Record, events []eventJSON) {
	slices.SortStableFunc(events, func(a, b eventJSON) int { return a.OccurredAt.Compare(b.OccurredAt.Time) })
	said := map[incident.MilestoneName]bool{}
	for i := range events {
		for _, t := range events[i].Tags.Nodes {
			name := tags[t.Name]
			if name == "" || said[name] && name != incident.Mitigated && name != incident.Resolved {
				continue
			}
			said[name] = true
			source.Set(r, name, events[i].OccurredAt.Time, "GitLab timeline, tagged "+t.Name)
		}
	}
}

// merged says of an incident that was moved, or that repeats another, which one counts.
func merged(r *incident.Record, name string, is *issueJSON, more []incidentJSON) {
	to := ""
	if m := elsewhere.FindStringSubmatch(is.Links.Duplicate); m != nil {
		to = m[1] + "/" + m[2]
	}
	for _, x := range more {
		if x.MovedTo != nil && x.MovedTo.IID != "" && x.MovedTo.ProjectID > 0 {
			to = fmt.Sprintf("%d/%s", x.MovedTo.ProjectID, x.MovedTo.IID)
		}
	}
	if is.MovedTo == nil && to == "" {
		return
	}
	r.State = incident.StateCancelled
	delete(r.Milestones, incident.Resolved)
	if to != "" {
		r.Related = append(r.Related, incident.Related{ID: name + "/" + to, How: "merged_into"})
	}
}
