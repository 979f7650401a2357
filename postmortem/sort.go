package postmortem

import "meantime/incident"

// tells says whether a document may tell of an incident at all: a runbook or release notes tell what is to be done or was
// done, in much the same words.
func (o *outline) tells() bool {
	title := tokenize(foldWidth(o.doc.title))
	other := false
	for _, lx := range o.t.all {
		if lx.has("report_word", title) || lx.has("incident", title) {
			return true
		}
		other = other || lx.has("not_report", title)
	}
	return !other
}

// sort says whether a document tells of a drill or of planned work rather than of an incident: its title says so, or its
// first sentences do, or a labelled field. What happens in a drill looks just like an incident, alerts and all.
func (o *outline) sort(fs []field) incident.Kind {
	title := tokenize(foldWidth(o.doc.title))
	for _, lx := range o.t.all {
		if lx.has("drill", title) {
			return incident.KindDrill
		}
	}
	if o.statusFile() && (o.frontSays("informational", "true") || o.frontSays("severity", "notice")) {
		return incident.KindMaintenance
	}
	for _, f := range fs {
		if f.name != "kind" {
			continue
		}
		toks := tokenize(f.text)
		for _, lx := range o.t.all {
			switch {
			case lx.has("drill", toks):
				return incident.KindDrill
			case lx.has("maintenance", toks):
				return incident.KindMaintenance
			}
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
		for _, lx := range o.t.all {
			if lx.has("was_drill", b.tokens()) {
				return incident.KindDrill
			}
		}
	}
	planned, broken := false, false
	for _, lx := range o.t.all {
		planned = planned || lx.has("maintenance", title)
		broken = broken || lx.has("incident", title) || lx.has("issue", title) || lx.has("affected", title)
	}
	if planned && !broken {
		return incident.KindMaintenance
	}
	return incident.KindIncident
}
