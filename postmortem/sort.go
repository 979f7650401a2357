package postmortem

import "meantime/incident"

// tells says whether a document may tell of an incident at all: a runbook or release notes tell what is to be done or was
// done, in much the same words.
func (o *outline) tells() bool {
	title := tokenize(foldWidth(o.doc.title))
	other := false
	if o.t.has("report_word", title) || o.t.has("incident", title) {
		return true
	}
	other = other || o.t.has("not_report", title)
	return !other
}

// sort says whether a document tells of a drill or of planned work rather than of an incident: its title says so, or its
// first sentences do, or a labelled field. What happens in a drill looks just like an incident, alerts and all.
func (o *outline) sort(fs []field) incident.Kind {
	title := tokenize(foldWidth(o.doc.title))
	if o.t.has("drill", title) {
		return incident.KindDrill
	}
	if o.statusFile() && (o.frontSays("informational", "true") || o.frontSays("severity", "notice")) {
		return incident.KindMaintenance
	}
	for _, f := range fs {
		if f.name != "kind" {
			continue
		}
		toks := tokenize(f.text)
		switch {
		case o.t.has("drill", toks):
			return incident.KindDrill
		case o.t.has("maintenance", toks):
			return incident.KindMaintenance
		}
	}
	// "This was a planned exercise." stands alone, without a time of its own, near the top.
	seen := 0
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if b.kind != para || len(o.stamps[i]) > 0 && o.stamps[i][0].hasClock {
			continue
		}
		if seen++; seen > 4 {
			break
		}
		if len(b.tokens()) > 40 {
			continue
		}
		if o.t.has("was_drill", b.tokens()) {
			return incident.KindDrill
		}
	}
	planned, broken := false, false
	planned = planned || o.t.has("maintenance", title)
	broken = broken || o.t.has("incident", title) || o.t.has("issue", title) || o.t.has("affected", title)
	if planned && !broken {
		return incident.KindMaintenance
	}
	return incident.KindIncident
}
