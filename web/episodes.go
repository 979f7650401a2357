package web

import (
	"net/http"

	"meantime/incident"
)

// listEpisodes shows every episode known and what became of it, the newest start first.
func (s *web) listEpisodes(w http.ResponseWriter, r *http.Request) error {
	f, from, to, err := readFilters(r.URL.Query())
	if err != nil {
		return err
	}
	page, next, err := s.Store.Verdicts(r.Context(), incident.VerdictQuery{
		From: from, To: to, Outcome: incident.Outcome(f.Outcome), Cursor: r.URL.Query().Get("cursor"), Limit: pageSize,
	})
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "episodes", "Episodes", "episodes", struct {
		Filters       filters
		Outcomes      []incident.Outcome
		Verdicts      []incident.Verdict
		Older, Newest string
	}{f, incident.Outcomes, page, older(r.URL, next), newest(r.URL)})
}
