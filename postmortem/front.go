package postmortem

import "meantime/incident"

// fromFront takes from the front matter of a status page kept in files what its text leaves open: when it was over, and
// from words that carry no time who told of it.
func (r *reader) fromFront() {
	if !r.o.statusFile() || r.of > 1 {
		return
	}
	if _, ok := r.picks[incident.Resolved]; !ok && r.o.frontSays("resolved", "true") {
		for i := range r.o.doc.front {
			b := &r.o.doc.front[i]
			if len(b.cells) != 2 || b.cells[0] != "resolvedwhen" {
				continue
			}
			f := r.o.newField("resolved", -1, b.line, b.cells[1], b.cells[0]+": "+b.cells[1])
			if len(f.stamps) == 0 || !f.stamps[0].hasClock {
				continue
			}
			if e := r.o.momentOf(f.stamps[0], -1, r.cal, r.zc.zone); !e.at.IsZero() {
				r.picks[incident.Resolved] = pick{
					at: e.at, seconds: e.st.seconds, confidence: incident.ConfidenceStated, evidence: f.whole, line: f.line, declared: true,
				}
			}
		}
	}
	for i := range r.o.doc.blocks {
		b := &r.o.doc.blocks[i]
		if r.by != "" {
			return
		}
		if (b.kind != para && b.kind != item) || r.o.taken[i] || excluded(r.o.sections[i].name) {
			continue
		}
		e := entry{block: i, line: b.line, textTo: len(b.text)}
		r.o.classify(&e, r.sup)
		switch r.aware(&e) {
		case Alert:
			r.by = incident.ByAlert
		case ReportUser:
			r.by = incident.ByCustomer
		}
	}
}
