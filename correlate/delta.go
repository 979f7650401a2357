package correlate

import "meantime/incident"

// Delta is what a pass found new, changed or gone.
type Delta struct {
	// Cursor, Rules, Reset, Part, More, Removed, Gone, Incidents and Verdicts are those of an incident.Pass. Incidents carry
	// no measurements yet.
	Cursor    int64
	Rules     string
	Reset     bool
	Part      int
	More      bool
	Removed   []string
	Gone      []incident.EpisodeKey
	Incidents []incident.Incident
	Verdicts  []incident.Verdict
	// Blind are the stretches in which a watchdog was silent, all of them, by watchdog.
	Blind map[string][]incident.Impact
}
