package statuspage

import (
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type incidentJSON struct {
	ID, Name, Status, Impact, Shortlink string

	CreatedAt    source.Stamp `json:"created_at"`
	UpdatedAt    source.Stamp `json:"updated_at"`
	StartedAt    source.Stamp `json:"started_at"`
	MonitoringAt source.Stamp `json:"monitoring_at"`
	ResolvedAt   source.Stamp `json:"resolved_at"`
	ScheduledFor source.Stamp `json:"scheduled_for"`
	Components   []struct {
		Name  string
		Group bool
	}
	Updates []updateJSON `json:"incident_updates"`
}

type updateJSON struct {
	Status, Body string
	CreatedAt    source.Stamp `json:"created_at"`
	UpdatedAt    source.Stamp `json:"updated_at"`
	DisplayAt    source.Stamp `json:"display_at"`
	Affected     []struct {
		Code string
		New  string `json:"new_status"`
	} `json:"affected_components"`
}

// at is when an update says that it was so, which people may write anew; when it was typed is another matter.
func (u *updateJSON) at() time.Time {
	if !u.DisplayAt.IsZero() {
		return u.DisplayAt.Time
	}
	return u.CreatedAt.Time
}

// updated is when any part of it changed last.
func (in *incidentJSON) updated() time.Time {
	at := source.Latest(in.CreatedAt.Time, in.UpdatedAt.Time)
	for i := range in.Updates {
		at = source.Latest(at, in.Updates[i].UpdatedAt.Time)
	}
	return at
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var in incidentJSON
	if err := it.Decode(&in); err != nil {
		return nil, err
	}
	slices.Reverse(in.Updates) // the newest stands first
	slices.SortStableFunc(in.Updates, func(a, b updateJSON) int { return a.at().Compare(b.at()) })
	r := incident.Record{
		ID: in.ID, Title: in.Name, URL: in.Shortlink, CreatedAt: in.CreatedAt.Time, UpdatedAt: in.updated(), State: stateOf(in.Status),
	}
	if in.Impact != "none" && in.Impact != "maintenance" {
		r.Severity = in.Impact
	}
	for _, x := range in.Components {
		if !x.Group {
			tracker.Add(&r.Services, x.Name)
		}
	}
	if !in.StartedAt.IsZero() && in.StartedAt.Sub(in.CreatedAt.Time).Abs() > time.Second { // Statuspage fills it in by itself
		source.Set(&r, incident.Started, in.StartedAt.Time, "Statuspage started_at")
	}
	if !in.ScheduledFor.IsZero() || in.Impact == "maintenance" {
		r.Kind = incident.KindMaintenance
	} else {
		affected(&r, in.Updates)
		told(&r, in.Updates)
	}
	ended(&r, &in)
	var text strings.Builder
	for i := range in.Updates {
		text.WriteString(in.Updates[i].Body + "\n")
	}
	tracker.AddText(&r.References, text.String())
	return []incident.Record{r}, nil
}

func stateOf(status string) incident.State {
	switch status {
	case "resolved", "postmortem", "completed":
		return incident.StateResolved
	}
	return incident.StateOpen
}

// affected tells when components did not work: stretches in which at least one of them did not.
func affected(r *incident.Record, updates []updateJSON) {
	down := map[string]bool{}
	for i := range updates {
		was := len(down)
		for _, x := range updates[i].Affected {
			if x.New == "" || x.New == "operational" || x.New == "under_maintenance" {
				delete(down, x.Code)
			} else {
				down[x.Code] = true
			}
		}
		switch at := updates[i].at(); {
		case at.IsZero():
		case was == 0 && len(down) > 0:
			r.Impacts = append(r.Impacts, incident.Impact{From: at, Evidence: "Statuspage: components that do not work"})
			if _, said := r.Milestones[incident.Started]; !said {
				source.Set(r, incident.Started, at, "Statuspage: the first component left operational")
			}
		case was > 0 && len(down) == 0 && len(r.Impacts) > 0:
			r.Impacts[len(r.Impacts)-1].To = at
		}
	}
}

// told tells what the page told its readers, one update after the other. A status that says that it goes on takes back that it
// was over.
func told(r *incident.Record, updates []updateJSON) {
	for i := range updates {
		u := &updates[i]
		if _, said := r.Milestones[incident.Detected]; !said && u.Status != "postmortem" && !u.at().IsZero() {
			source.SetAbout(r, incident.Detected, u.at(), "Statuspage: the first update")
		}
		name := map[string]incident.MilestoneName{
			"identified": incident.Identified, "monitoring": incident.Mitigated, "resolved": incident.Resolved,
		}[u.Status]
		switch u.Status {
		case "investigating", "identified":
			delete(r.Milestones, incident.Mitigated)
			delete(r.Milestones, incident.Resolved)
		case "monitoring":
			delete(r.Milestones, incident.Resolved)
		}
		if _, said := r.Milestones[name]; !said && name != "" {
			source.Set(r, name, u.at(), "Statuspage update "+u.Status)
		}
	}
}

// ended takes the fields of an incident where no update says when it ended.
func ended(r *incident.Record, in *incidentJSON) {
	if r.State == incident.StateOpen {
		delete(r.Milestones, incident.Resolved)
		return
	}
	if _, said := r.Milestones[incident.Resolved]; !said {
		source.Set(r, incident.Resolved, in.ResolvedAt.Time, "Statuspage resolved_at")
	}
	if _, said := r.Milestones[incident.Mitigated]; !said && r.Kind != incident.KindMaintenance && len(in.Updates) == 0 {
		source.Set(r, incident.Mitigated, in.MonitoringAt.Time, "Statuspage monitoring_at")
	}
}
