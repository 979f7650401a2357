package oncall

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
)

type groupJSON struct {
	ID             string
	State          string
	Title          *string
	Count          int          `json:"alerts_count"`
	CreatedAt      source.Stamp `json:"created_at"`
	ResolvedAt     source.Stamp `json:"resolved_at"`
	ResolvedBy     *string      `json:"resolved_by"`
	AcknowledgedAt source.Stamp `json:"acknowledged_at"`
	AcknowledgedBy *string      `json:"acknowledged_by"`
	SilencedAt     source.Stamp `json:"silenced_at"`
	Root           *string      `json:"root_alert_group_id"`
	Labels         []struct{ Key, Value struct{ Name string } }
	Permalinks     struct{ Web *string }
	Last           *alertJSON `json:"last_alert"`
}

// updated is the last time that the group tells. Much that changes it tells none.
func (g *groupJSON) updated() time.Time {
	at := source.Latest(g.CreatedAt.Time, g.ResolvedAt.Time, g.AcknowledgedAt.Time, g.SilencedAt.Time)
	if g.Last != nil {
		at = source.Latest(at, g.Last.CreatedAt.Time)
	}
	return at
}

type alertJSON struct {
	CreatedAt source.Stamp `json:"created_at"`
	Payload   payloadJSON
}

// payloadJSON is what an integration sent. That of Alertmanager, and of Grafana's alerting, is the webhook itself.
type payloadJSON struct {
	Status, GroupKey string
	CommonLabels     map[string]string
	Alerts           json.RawMessage
}

// UnmarshalJSON reads what an integration sent, which may be anything.
func (p *payloadJSON) UnmarshalJSON(b []byte) error {
	type plain payloadJSON
	var v plain
	if json.Unmarshal(b, &v) == nil {
		*p = payloadJSON(v)
	}
	return nil
}

// Map implements source.Connector.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	var g groupJSON
	if err := it.Decode(&g); err != nil {
		return nil, err
	}
	alerts, err := source.DecodePart[alertJSON](it, "alerts")
	if err != nil {
		return nil, err
	}
	var sent payloadJSON
	if g.Last != nil {
		sent = g.Last.Payload
		alerts = append(alerts, *g.Last)
	}
	r := incident.Record{
		ID: g.ID, CreatedAt: g.CreatedAt.Time, UpdatedAt: g.updated(), State: incident.StateOpen,
		Title: cmp.Or(text(g.Title), sent.CommonLabels["alertname"]), URL: text(g.Permalinks.Web), Severity: sent.CommonLabels["severity"],
	}
	service := sent.CommonLabels["service"]
	for _, l := range g.Labels {
		switch l.Key.Name {
		case "service", "service_name":
			service = l.Value.Name
		case "severity":
			r.Severity = l.Value.Name
		}
	}
	if service != "" {
		r.Services = []string{service}
	}
	source.Set(&r, incident.Detected, g.CreatedAt.Time, "Grafana OnCall created_at of the alert group")
	if text(g.AcknowledgedBy) != "" {
		source.Set(&r, incident.Acknowledged, g.AcknowledgedAt.Time, "Grafana OnCall acknowledged_at, by a person")
	}
	if g.State == "resolved" {
		r.State = incident.StateResolved
		source.Set(&r, incident.Resolved, g.ResolvedAt.Time, "Grafana OnCall resolved_at")
		// Nobody resolved it: its alerts ended, as the last notification says, or a step of the escalation gave it up.
		if text(g.ResolvedBy) == "" && sent.Status == "resolved" {
			source.Set(&r, incident.Mitigated, g.ResolvedAt.Time, "Grafana OnCall resolved_at, by nobody: closed by the alert")
		}
	}
	if root := text(g.Root); root != "" {
		r.State = incident.StateCancelled
		r.Related = []incident.Related{{ID: it.Source + "/" + root, How: "merged_into"}}
	}
	for i := range alerts {
		p := &alerts[i].Payload
		if p.GroupKey != "" {
			r.References.AddKey(it.Source, incident.GroupHash(p.GroupKey), g.CreatedAt.Time, g.ResolvedAt.Time)
		}
		source.AddAlerts(&r.References, p.Alerts)
	}
	if len(r.References.Alerts)+len(r.References.Groups) > 0 {
		r.DetectedBy = incident.ByAlert
	}
	return []incident.Record{r}, nil
}

// Keep implements source.Keeper. OnCall forgets an acknowledgement that is taken back, and somebody had begun to work all the
// same; and of the alerts of a group it tells with it only those of the last notification.
func (c *Connector) Keep(r, stored *incident.Record) {
	before, said := stored.Milestones[incident.Acknowledged]
	if now, still := r.Milestones[incident.Acknowledged]; said && (!still || before.At.Before(now.At)) {
		source.Set(r, incident.Acknowledged, before.At, before.Evidence)
	}
	addKnown(&r.References, &stored.References)
}

// addKnown adds the alerts and fingerprints of what is stored, in an order that does not depend on which came first.
func addKnown(refs, stored *incident.References) {
	for _, a := range stored.Alerts {
		same := func(o incident.EpisodeKey) bool {
			return o.Fingerprint == a.Fingerprint && o.StartsAt.Equal(a.StartsAt)
		}
		if !slices.ContainsFunc(refs.Alerts, same) {
			refs.Alerts = append(refs.Alerts, a)
		}
	}
	slices.SortFunc(refs.Alerts, func(a, b incident.EpisodeKey) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	for _, print := range stored.Fingerprints {
		if !slices.Contains(refs.Fingerprints, print) {
			refs.Fingerprints = append(refs.Fingerprints, print)
		}
	}
	slices.Sort(refs.Fingerprints)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
