package web

import (
	"net/http"
	"time"

	"meantime/incident"
	"meantime/measure"
)

// row is an incident in a list.
type row struct {
	incident.Incident
	At time.Time
	// Detect and Resolve are the durations that people ask for first.
	Detect, Resolve measured
}

func (s *web) rows(page []incident.Incident) []row {
	now, intervals := s.Now(), s.Intervals()
	out := make([]row, len(page))
	for k := range page {
		i := &page[k]
		m := measure.All(i, intervals, now)
		out[k] = row{Incident: *i, At: i.At()}
		for _, v := range intervals {
			switch v.Name {
			case "detect":
				out[k].Detect = inWords(i, v, m[v.Name])
			case "resolve":
				out[k].Resolve = inWords(i, v, m[v.Name])
			}
		}
	}
	return out
}

// listIncidents shows incidents, the newest first.
func (s *web) listIncidents(w http.ResponseWriter, r *http.Request) error {
	f, from, to, err := readFilters(r.URL.Query())
	if err != nil {
		return err
	}
	page, next, err := s.Store.Incidents(r.Context(), incident.IncidentQuery{
		From: from, To: to, Service: f.Service, Severity: f.Severity, State: incident.State(f.State),
		Cursor: r.URL.Query().Get("cursor"), Limit: pageSize,
	})
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "incidents", "Incidents", "incidents", struct {
		Filters       filters
		States        []incident.State
		Rows          []row
		Older, Newest string
	}{f, []incident.State{incident.StateOpen, incident.StateResolved, incident.StateCancelled}, s.rows(page), older(r.URL, next), newest(r.URL)})
}
