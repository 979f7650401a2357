package main

import (
	"encoding/json"
	"os"
	"time"

	"meantime/correlate"
	"meantime/incident"
)

type answer struct {
	Incidents []answerIncident `json:"incidents"`
	Episodes  []answerEpisode  `json:"episodes"`
}

type answerIncident struct {
	ID             string                               `json:"id"`
	RecordIDs      []string                             `json:"record_ids"`
	OpenedByAlerts bool                                 `json:"opened_by_alerts"`
	Milestones     map[incident.MilestoneName]time.Time `json:"milestones"`
	DetectedBy     incident.DetectedBy                  `json:"detected_by"`
	Episodes       []answerEpisode                      `json:"episodes"`
}

type answerEpisode struct {
	Fingerprint string             `json:"fingerprint"`
	StartsAt    time.Time          `json:"starts_at"`
	EndsAt      time.Time          `json:"ends_at,omitzero"`
	State       incident.LinkState `json:"state,omitempty"`
}

// writeAnswer writes a result in the form the scorer reads.
func writeAnswer(path string, res correlate.Result) error {
	a := answer{Incidents: []answerIncident{}, Episodes: []answerEpisode{}}
	for _, in := range res.Incidents {
		x := answerIncident{ID: in.ID, RecordIDs: []string{}, OpenedByAlerts: in.OpenedByAlerts, DetectedBy: in.DetectedBy, Milestones: map[incident.MilestoneName]time.Time{}, Episodes: []answerEpisode{}}
		for _, k := range in.Records {
			x.RecordIDs = append(x.RecordIDs, k.ID)
		}
		for n := range in.Milestones {
			if t := in.Point(incident.Point(n)); !t.IsZero() {
				x.Milestones[n] = t
			}
		}
		for _, l := range in.Links {
			x.Episodes = append(x.Episodes, answerEpisode{l.Episode.Fingerprint, l.Episode.StartsAt, l.Episode.EndsAt, l.State})
		}
		a.Incidents = append(a.Incidents, x)
	}
	for _, v := range res.Verdicts {
		a.Episodes = append(a.Episodes, answerEpisode{Fingerprint: v.Episode.Fingerprint, StartsAt: v.Episode.StartsAt, EndsAt: v.Episode.EndsAt})
	}
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
