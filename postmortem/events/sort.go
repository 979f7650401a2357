package events

import (
	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// Tells says whether a document may tell of an incident at all: a runbook or release notes tell what is to be done or was
// done, in much the same words.
func Tells(o *timeline.Outline) bool {
	title := lexicon.Tokenize(lexicon.FoldWidth(o.Document.Title))
	other := false
	if o.Tongue.Has("report_word", title) || o.Tongue.Has("incident", title) {
		return true
	}
	other = other || o.Tongue.Has("not_report", title)
	return !other
}

// Sort says whether a document tells of a drill or of planned work rather than of an incident: its title says so, or its
// first sentences do, or a labelled field. What happens in a drill looks just like an incident, alerts and all.
func Sort(o *timeline.Outline, fs []timeline.Field) incident.Kind {
	title := lexicon.Tokenize(lexicon.FoldWidth(o.Document.Title))
	if o.Tongue.Has("drill", title) {
		return incident.KindDrill
	}
	if o.StatusFile() && (o.FrontSays("informational", "true") || o.FrontSays("severity", "notice")) {
		return incident.KindMaintenance
	}
	for _, f := range fs {
		if f.Name != "kind" {
			continue
		}
		toks := lexicon.Tokenize(f.Text)
		switch {
		case o.Tongue.Has("drill", toks):
			return incident.KindDrill
		case o.Tongue.Has("maintenance", toks):
			return incident.KindMaintenance
		}
	}
	// "This was a planned exercise." stands alone, without a time of its own, near the top.
	seen := 0
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		if b.Kind != document.Para || len(o.Stamps[i]) > 0 && o.Stamps[i][0].HasClock {
			continue
		}
		if seen++; seen > 4 {
			break
		}
		if len(b.Tokens()) > 40 {
			continue
		}
		if o.Tongue.Has("was_drill", b.Tokens()) {
			return incident.KindDrill
		}
	}
	planned, broken := false, false
	planned = planned || o.Tongue.Has("maintenance", title)
	broken = broken || o.Tongue.Has("incident", title) || o.Tongue.Has("issue", title) || o.Tongue.Has("affected", title)
	if planned && !broken {
		return incident.KindMaintenance
	}
	return incident.KindIncident
}
