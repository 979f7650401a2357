package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"meantime/measure"
)

// now is what is going on, and the newest incidents.
type now struct {
	openIncidents, oldest, info, milestone *prometheus.Desc
}

func newNow() now {
	return now{
		openIncidents: desc("open_incidents", "Incidents that are open now; drills and maintenance are not among them.", "affected_service", "severity"),
		oldest:        desc("oldest_open_incident_timestamp_seconds", "When the open incident that is open longest began."),
		info: desc("incident_info", "One of the newest incidents, with the first service it affects.",
			"incident", "title", "affected_service", "severity", "detected_by", "state"),
		milestone: desc("incident_milestone_timestamp_seconds", "When one of the newest incidents reached a milestone, and where that time comes from.", "incident", "milestone", "origin"),
	}
}

func (n *now) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{n.openIncidents, n.oldest, n.info, n.milestone} {
		ch <- d
	}
}

func (n *now) open(f *measure.Figures) []prometheus.Metric {
	var out []prometheus.Metric
	for _, o := range f.Open {
		out = append(out, gauge(n.openIncidents, float64(o.N), label("affected_service", o.Service), label("severity", o.Severity)))
	}
	if !f.OldestOpen.IsZero() {
		out = append(out, gauge(n.oldest, unix(f.OldestOpen)))
	}
	return out
}

func (n *now) head(h *measure.Head) []prometheus.Metric {
	id := label("incident", h.ID)
	out := []prometheus.Metric{gauge(n.info, 1, id, label("title", h.Title), label("affected_service", h.Service), label("severity", h.Severity),
		label("detected_by", string(h.DetectedBy)), label("state", string(h.State)))}
	for _, m := range h.Milestones {
		out = append(out, gauge(n.milestone, unix(m.At), id, label("milestone", string(m.Name)), label("origin", string(m.Origin))))
	}
	return out
}
