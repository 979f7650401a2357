package api

import (
	"net/http"

	"meantime/incident"
)

// episode is an episode with what became of it, in one object.
type episode struct {
	incident.Episode
	Service  string           `json:"service"`
	Severity string           `json:"severity"`
	Outcome  incident.Outcome `json:"outcome"`
	Incident string           `json:"incident,omitempty"`
	Opens    bool             `json:"opens"`
	Why      string           `json:"why,omitempty"`
}

// listEpisodes lists every episode known, linked or not, the newest start first.
func (a *api) listEpisodes(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to", "outcome", "cursor", "limit")
	sel := incident.VerdictQuery{Outcome: oneOf(q, "outcome", incident.Outcomes...), Cursor: q.cursor("episodes"), Limit: q.limit()}
	sel.From, sel.To = q.between()
	if err := q.err(); err != nil {
		return err
	}
	page, next, err := a.Store.Verdicts(r.Context(), sel)
	if err != nil {
		return err
	}
	out := make([]episode, len(page))
	for i, v := range page {
		v.Episode.HideUnknownEnd()
		v.Episode.Labels = labels(v.Episode.Labels)
		out[i] = episode{v.Episode, v.Service, v.Severity, v.Outcome, v.Incident, v.Opens, v.Why}
	}
	return reply(w, http.StatusOK, struct {
		Episodes []episode `json:"episodes"`
		Next     string    `json:"next"`
	}{out, q.next("episodes", next)})
}
