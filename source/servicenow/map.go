package servicenow

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

// The states of an incident.
const (
	stateResolved  = "6"
	stateClosed    = "7"
	stateCancelled = "8"
)

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var in rowJSON
	if err := it.Decode(&in); err != nil {
		return nil, err
	}
	times := map[string]time.Time{}
	for _, column := range []string{"opened_at", "sys_created_on", "sys_updated_on", "resolved_at", "closed_at"} {
		var err error
		if times[column], err = in.at(column); err != nil {
			return nil, err
		}
	}
	r := incident.Record{
		ID: in["sys_id"].Value, Title: in["short_description"].Value, State: incident.StateOpen,
		CreatedAt: times["sys_created_on"], UpdatedAt: times["sys_updated_on"],
		Severity: cmp.Or(in["severity"].seen(), in["priority"].seen(), in["urgency"].seen()),
		URL:      c.client.Base() + "/incident.do?sys_id=" + url.QueryEscape(in["sys_id"].Value),
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = times["opened_at"]
	}
	if number := in["number"].Value; number != "" {
		r.Labels = map[string]string{"key": number}
	}
	// Without what people see of it, a service is an id that says nothing.
	if service := cmp.Or(in["business_service"].Shown, in["cmdb_ci"].Shown); service != "" {
		r.Services = []string{service}
	}
	source.Set(&r, incident.Detected, times["opened_at"], "ServiceNow opened_at")
	switch in["state"].Value {
	case stateResolved, stateClosed:
		r.State = incident.StateResolved
		source.Set(&r, incident.Resolved, times["resolved_at"], "ServiceNow resolved_at")
	case stateCancelled:
		r.State = incident.StateCancelled
	}
	if err := c.custom(&r, in); err != nil {
		return nil, err
	}
	if parent := in["parent_incident"].Value; parent != "" {
		r.Related = []incident.Related{{ID: it.Source + "/" + parent, How: "part_of"}}
	}
	end := times["closed_at"]
	if !times["resolved_at"].IsZero() && r.State == incident.StateResolved {
		end = times["resolved_at"]
	}
	refer(&r, it.Source, in, times["opened_at"], end)
	return []incident.Record{r}, nil
}

// custom reads the columns that the configuration names.
func (c *Connector) custom(r *incident.Record, in rowJSON) error {
	var services []string
	for _, column := range slices.Sorted(maps.Keys(c.fields)) {
		cell := in[column]
		switch to := c.fields.Of(column); {
		case cell.Value == "" || to == "other":
		case to == "severity":
			r.Severity = cell.seen()
		case to == "service":
			services = append(services, cell.seen())
		default:
			at, err := in.at(column)
			if err != nil {
				return err
			}
			if name := incident.MilestoneName(to); name != incident.Resolved || r.State == incident.StateResolved { // else it was reopened
				source.Set(r, name, at, "ServiceNow "+column)
			}
		}
	}
	if len(services) > 0 {
		r.Services = slices.Compact(services)
	}
	return nil
}

// refer tells which alerts and records the incident was about: by the key of what opened it, and in its description.
func refer(r *incident.Record, name string, in rowJSON, from, to time.Time) {
	r.References.AddKey(name, in["correlation_id"].Value, from, to)
	tracker.AddText(&r.References, strings.ReplaceAll(in["description"].Value, "\r\n", "\n"))
	if len(r.References.Groups) > 0 {
		r.DetectedBy = incident.ByAlert
	}
}
