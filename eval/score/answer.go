package score

// Answer is what is scored.
type Answer struct {
	Incidents []AnsweredIncident `json:"incidents"`
	// Episodes are all episodes known, linked or not. Where there is no such list (nil), missing episodes are only looked for
	// among the fingerprints that the answer mentions.
	Episodes []AnsweredEpisode `json:"episodes"`
}

// AnsweredIncident is one incident of an answer.
type AnsweredIncident struct {
	ID             string            `json:"id"`
	RecordIDs      []string          `json:"record_ids"`
	OpenedByAlerts bool              `json:"opened_by_alerts"`
	Milestones     map[string]Time   `json:"milestones"`
	DetectedBy     string            `json:"detected_by,omitempty"`
	Episodes       []AnsweredEpisode `json:"episodes"`
}

// AnsweredEpisode is one episode of an answer. State is its link's: stated, linked (also where it is empty) and confirmed
// count as linked, suggested is counted apart, anything else is no link.
type AnsweredEpisode struct {
	Fingerprint string `json:"fingerprint"`
	StartsAt    Time   `json:"starts_at"`
	EndsAt      Time   `json:"ends_at"`
	State       string `json:"state,omitempty"`
}

// linked says whether it counts as linked.
func (e *AnsweredEpisode) linked() bool {
	return e.State == "" || e.State == "linked" || e.State == "stated" || e.State == "confirmed"
}

// ReadAnswer reads answer.json.
func ReadAnswer(path string) (*Answer, error) {
	var a Answer
	if err := read(path, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// Perfect is the answer that says what is true, as far as notifications could tell it.
func Perfect(t *Truth) *Answer {
	a := &Answer{Incidents: []AnsweredIncident{}, Episodes: []AnsweredEpisode{}}
	of := map[string][]AnsweredEpisode{}
	for i := range t.Episodes {
		e := &t.Episodes[i]
		if !e.Visible || e.Why == watchdog {
			continue
		}
		x := AnsweredEpisode{Fingerprint: e.Fingerprint, StartsAt: e.ObservedStart, EndsAt: e.ObservedEnd, State: "linked"}
		a.Episodes = append(a.Episodes, x)
		of[e.Incident] = append(of[e.Incident], x)
	}
	for _, i := range t.Incidents {
		if len(i.Records)+len(of[i.ID]) > 0 {
			a.Incidents = append(a.Incidents, AnsweredIncident{
				ID: "A" + i.ID, RecordIDs: i.Records, OpenedByAlerts: len(i.Records) == 0,
				Milestones: i.Milestones, DetectedBy: i.DetectedBy, Episodes: of[i.ID],
			})
		}
	}
	return a
}
