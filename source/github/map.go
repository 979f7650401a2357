package github

import (
	"encoding/json"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type issueJSON struct {
	Number      int
	Title       string
	State       string
	StateReason string `json:"state_reason"`
	Body        string
	HTMLURL     string `json:"html_url"`
	Labels      []struct{ Name string }
	CreatedAt   source.Stamp    `json:"created_at"`
	UpdatedAt   source.Stamp    `json:"updated_at"`
	ClosedAt    source.Stamp    `json:"closed_at"`
	PullRequest json.RawMessage `json:"pull_request"`
}

type eventJSON struct {
	Event     string
	CreatedAt source.Stamp `json:"created_at"`
	Label     struct{ Name string }
	Actor     struct{ Type string }
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var is issueJSON
	if err := it.Decode(&is); err != nil {
		return nil, err
	}
	events, err := source.DecodePart[eventJSON](it, "timeline")
	if err != nil {
		return nil, err
	}
	r := incident.Record{
		ID: it.ID, Title: is.Title, URL: is.HTMLURL, CreatedAt: is.CreatedAt.Time, UpdatedAt: is.UpdatedAt.Time, State: incident.StateOpen,
	}
	var labels []string
	for _, l := range is.Labels {
		labels = append(labels, l.Name)
	}
	c.severities.Severity(&r, labels)
	c.milestones.Label(&r, labelled(events), "GitHub label")
	set := func(name incident.MilestoneName, at time.Time, evidence string) {
		if _, said := r.Milestones[name]; !said {
			source.Set(&r, name, at, evidence)
		}
	}
	for i := range events {
		if events[i].Event == "reopened" {
			tracker.Reopened(&r, events[i].CreatedAt.Time)
		}
	}
	if _, said := r.Milestones[incident.Detected]; !said {
		source.SetAbout(&r, incident.Detected, is.CreatedAt.Time, "GitHub issue created")
	}
	set(incident.Acknowledged, assigned(events), "GitHub issue assigned by a person")
	_, over := r.Milestones[incident.Resolved]
	switch {
	case is.StateReason == "not_planned" || is.StateReason == "duplicate":
		if is.State == "closed" {
			r.State = incident.StateCancelled
			delete(r.Milestones, incident.Resolved)
		}
	case is.State == "closed":
		r.State = incident.StateResolved
		set(incident.Resolved, is.ClosedAt.Time, "GitHub issue closed")
	case over:
		r.State = incident.StateResolved // people close an issue when the paperwork is done
	}
	tracker.AddText(&r.References, is.Body)
	return []incident.Record{r}, nil
}

// labelled are the changes of labels among what happened.
func labelled(events []eventJSON) []tracker.Labelled {
	var out []tracker.Labelled
	for i := range events {
		if e := &events[i]; e.Event == "labeled" || e.Event == "unlabeled" {
			out = append(out, tracker.Labelled{At: e.CreatedAt.Time, Label: e.Label.Name, On: e.Event == "labeled"})
		}
	}
	return out
}

// assigned is when a person first gave the issue to somebody; zero where none did. What a robot assigns is no sign of anybody.
func assigned(events []eventJSON) time.Time {
	var first time.Time
	for i := range events {
		if e := &events[i]; e.Event == "assigned" && e.Actor.Type != "Bot" {
			first = incident.Earliest(first, e.CreatedAt.Time)
		}
	}
	return first
}
