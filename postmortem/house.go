package postmortem

import (
	"maps"
	"slices"

	"meantime/incident"
	"meantime/postmortem/lexicon"
)

// House is the style of an organisation: what its authors call things, beside what every language does.
type House struct {
	// Words are phrases that tell of a milestone, by its name, or of an alert, by WordAlert.
	Words map[string][]string
	// Headings are those of a section, by its name.
	Headings map[string][]string
}

// WordAlert is the name, beside those of milestones, under which a House says what tells of an alert of monitoring.
const WordAlert = "alert"

// houseKinds are the kinds of event that the words of a House tell. Of what is detected it is not said by whom.
var houseKinds = map[string]lexicon.Kind{
	string(incident.Started): lexicon.ImpactStart, string(incident.Detected): lexicon.Report, WordAlert: lexicon.Alert,
	string(incident.Acknowledged): lexicon.Ack, string(incident.Identified): lexicon.Cause,
	string(incident.Mitigated): lexicon.Recovered, string(incident.Resolved): lexicon.Resolved,
}

// Vocabulary is that of all languages with the house's own words; nil, which is all languages, where it has none.
func (h House) Vocabulary() (*lexicon.Vocabulary, error) {
	if len(h.Words) == 0 && len(h.Headings) == 0 {
		return nil, nil
	}
	kinds := map[lexicon.Kind][]string{}
	for _, name := range slices.Sorted(maps.Keys(h.Words)) {
		k, ok := houseKinds[name]
		if !ok {
			return nil, incident.Errorf(incident.CodeInvalid, "words: %q is no milestone", name)
		}
		kinds[k] = h.Words[name]
	}
	var v *lexicon.Vocabulary
	return v.With(kinds, h.Headings)
}
