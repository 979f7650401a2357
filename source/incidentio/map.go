package incidentio

import (
	"cmp"
	"regexp"
	"strings"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

type incidentJSON struct {
	ID, Name, Mode, Visibility, Permalink, Summary, Reference string

	CreatedAt source.Stamp `json:"created_at"`
	UpdatedAt source.Stamp `json:"updated_at"`
	Severity  *struct{ Name string }
	Status    struct{ Category string } `json:"incident_status"`

	Timestamps []struct {
		Timestamp struct{ Name string } `json:"incident_timestamp"`
		Value     *struct{ Value source.Stamp }
	} `json:"incident_timestamp_values"`
	Fields []struct {
		Field  struct{ ID, Name string } `json:"custom_field"`
		Values []struct {
			Text    string                  `json:"value_text"`
			Option  *struct{ Value string } `json:"value_option"`
			Catalog *struct{ Name string }  `json:"value_catalog_entry"`
		}
	} `json:"custom_field_entries"`
	MergedInto string `json:"merged_into_incident_id"`
	Postmortem string `json:"postmortem_document_url"`
	Issue      *struct {
		Permalink string `json:"issue_permalink"`
	} `json:"external_issue_reference"`
}

type alertJSON struct {
	Alert struct {
		Key         string       `json:"deduplication_key"`
		Description string       `json:"description"`
		CreatedAt   source.Stamp `json:"created_at"`
		ResolvedAt  source.Stamp `json:"resolved_at"`
	}
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
		ID: in.ID, Title: in.Name, URL: in.Permalink, CreatedAt: in.CreatedAt.Time, UpdatedAt: in.UpdatedAt.Time,
		State: stateOf(in.Status.Category), Kind: kindOf(in.Mode),
	}
	if in.Reference != "" {
		r.Labels = map[string]string{"reference": in.Reference}
	}
	if in.Severity != nil {
		r.Severity = in.Severity.Name
	}
	c.custom(&r, &in)
	for _, x := range in.Timestamps {
		name := incident.MilestoneName(c.timestamps.Of(x.Timestamp.Name))
		if name == "" || x.Value == nil || name == incident.Resolved && r.State == incident.StateOpen { // it was reopened
			continue
		}
		source.Set(&r, name, x.Value.Value.Time, "incident.io "+x.Timestamp.Name)
	}
	refer(&r, it.Source, &in, alerts)
	return []incident.Record{r}, nil
}

// stateOf reads the category of a status. What follows once an incident is over, such as learning, is paperwork.
func stateOf(category string) incident.State {
	switch category {
	case "learning", "closed":
		return incident.StateResolved
	case "declined", "merged", "canceled":
		return incident.StateCancelled
	}
	return incident.StateOpen
}

func kindOf(mode string) incident.Kind {
	if mode == "test" || mode == "tutorial" {
		return incident.KindDrill
	}
	return incident.KindIncident
}

// custom reads the fields that the configuration names.
func (c *Connector) custom(r *incident.Record, in *incidentJSON) {
	for _, f := range in.Fields {
		to := cmp.Or(c.fields.Of(f.Field.Name), c.fields.Of(f.Field.ID))
		for _, v := range f.Values {
			value := v.Text
			if v.Option != nil {
				value = cmp.Or(value, v.Option.Value)
			}
			if v.Catalog != nil {
				value = cmp.Or(value, v.Catalog.Name)
			}
			switch {
			case value == "":
			case to == "severity":
				r.Severity = value
			case to == "service":
				tracker.Add(&r.Services, value)
			}
		}
	}
}

// fingerprint is that of an alert in Prometheus.
var fingerprint = regexp.MustCompile(`^[0-9a-fA-F]{16}$`)

// refer tells which alerts and other records the incident was about. The key of an alert that Alertmanager sent is its
// fingerprint.
func refer(r *incident.Record, name string, in *incidentJSON, alerts []alertJSON) {
	if in.MergedInto != "" {
		r.State = incident.StateCancelled
		r.Related = append(r.Related, incident.Related{ID: name + "/" + in.MergedInto, How: "merged_into"})
	}
	tracker.Add(&r.References.URLs, in.Postmortem)
	if in.Issue != nil {
		tracker.Add(&r.References.URLs, in.Issue.Permalink)
	}
	tracker.AddText(&r.References, in.Summary)
	for i := range alerts {
		a := &alerts[i].Alert
		if !fingerprint.MatchString(a.Key) {
			r.References.AddKey(name, a.Key, a.CreatedAt.Time, a.ResolvedAt.Time)
		} else {
			tracker.Add(&r.References.Fingerprints, strings.ToLower(a.Key))
		}
		tracker.AddText(&r.References, a.Description)
		if !a.CreatedAt.IsZero() && !a.CreatedAt.After(in.CreatedAt.Time) {
			r.DetectedBy = incident.ByAlert // others were attached later
		}
	}
}
