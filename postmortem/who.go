package postmortem

import (
	"meantime/incident"
)

// knowers are the kinds that say who knew, and who that is.
var knowers = []struct {
	kind Kind
	by   incident.DetectedBy
}{
	{Alert, incident.ByAlert}, {ReportUser, incident.ByCustomer}, {ReportSupport, incident.ByStaff}, {Noticed, incident.ByStaff},
}

// mostBeside is how many paragraphs beside the timeline are asked who knew first.
const mostBeside = 200

// who finds who knew first where neither the entry's first words nor a field say it: in the rest of the entry, then in what
// the document says of the detection. An alert that it tells of anywhere counts as well, as long as it tells of nobody else:
// people write of users and of colleagues without saying that they knew first.
func (r *reader) who() {
	if r.by != "" {
		return
	}
	if d := r.picks[incident.Detected]; d.e != nil {
		r.by = firmly(d.e)
	}
	if r.by == "" {
		r.by = r.beside("detection")
	}
	if r.by == "" && r.beside("") == incident.ByAlert {
		r.by = incident.ByAlert
	}
}

// firmly is who an entry says knew, empty where it names two or none.
func firmly(e *entry) (by incident.DetectedBy) {
	for _, k := range knowers {
		if !e.says(k.kind) {
			continue
		}
		if by != "" && by != k.by {
			return ""
		}
		by = k.by
	}
	return by
}

// beside is who the paragraphs of a section say knew, or those of all but what is planned and learned; empty where they name
// two.
func (r *reader) beside(section string) (by incident.DetectedBy) {
	n := 0
	for i := range r.o.doc.blocks {
		b := &r.o.doc.blocks[i]
		s := r.o.sections[i].name
		if b.kind != para && b.kind != item || !r.inGroup(i) || r.o.taken[i] || excluded(s) || s == "lessons" || section != "" && s != section {
			continue
		}
		if n++; n > mostBeside {
			break
		}
		e := entry{block: i, line: b.line, textTo: len(b.text)}
		r.o.classify(&e, r.sup)
		switch x := firmly(&e); {
		case x == "" || by == x:
		case by != "":
			return ""
		default:
			by = x
		}
	}
	return by
}
