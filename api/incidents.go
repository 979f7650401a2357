package api

import (
	"net/http"

	"meantime/incident"
	"meantime/measure"
)

// listIncidents lists incidents by when they started, the newest first.
func (a *api) listIncidents(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to", "service", "severity", "state", "cursor", "limit")
	sel := incident.IncidentQuery{
		Service: q.text("service"), Severity: q.text("severity"),
		State:  oneOf(q, "state", incident.StateOpen, incident.StateResolved, incident.StateCancelled),
		Cursor: q.cursor("incidents"), Limit: q.limit(),
	}
	sel.From, sel.To = q.between()
	if err := q.err(); err != nil {
		return err
	}
	page, next, err := a.Store.Incidents(r.Context(), sel)
	if err != nil {
		return err
	}
	for i := range page {
		a.complete(&page[i])
	}
	return reply(w, http.StatusOK, struct {
		Incidents []incident.Incident `json:"incidents"`
		Next      string              `json:"next"`
	}{list(page), q.next("incidents", next)})
}

// getIncident answers with one incident, asked for by its ID or by one it used to have.
func (a *api) getIncident(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	i, err := a.Store.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	a.complete(&i)
	return reply(w, http.StatusOK, i)
}

// complete measures an incident and makes every list in it a list, so that clients need not tell null from empty.
func (a *api) complete(i *incident.Incident) {
	i.Measurements = measure.All(i, a.Intervals(), a.Now())
	i.Services, i.Records, i.Impacts = list(i.Services), list(i.Records), list(i.Impacts)
	milestones := make(map[incident.MilestoneName]incident.Milestone, len(i.Milestones))
	for n, m := range i.Milestones {
		m.Candidates = list(m.Candidates)
		milestones[n] = m
	}
	i.Milestones = milestones
	links := make([]incident.Link, len(i.Links))
	for k, l := range i.Links {
		l.Evidence = list(l.Evidence)
		l.Episode.HideUnknownEnd()
		l.Episode.Labels = labels(l.Episode.Labels)
		links[k] = l
	}
	i.Links = links
}

// labels is m, never nil.
func labels(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
