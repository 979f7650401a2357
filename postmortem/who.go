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
// the document says of the detection. An alert that its opening or its summary tells of counts as well, as long as no
// paragraph tells of somebody else: people write of users and of colleagues without saying that they knew first, and of
// alerts elsewhere because one was added, came late or is of another system.
func (r *reader) who() {
	if r.by != "" {
		return
	}
	if d := r.picks[incident.Detected]; d.e != nil {
		r.by = firmly(d.e)
	}
	if r.by == "" {
		r.by = r.beside(func(i int) bool { return r.o.sections[i].name == "detection" })
	}
	anywhere := func(i int) bool { s := r.o.sections[i].name; return !excluded(s) && s != "lessons" }
	if r.by == "" && r.beside(r.opens) == incident.ByAlert && r.beside(anywhere) == incident.ByAlert {
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

// opens says whether a block stands in the summary, or before the first heading but the title.
func (r *reader) opens(i int) bool {
	s := r.o.sections[i]
	return s.name == "summary" || s.name == "" && (s.head < 0 || r.o.doc.blocks[s.head].orig == r.o.doc.title)
}

// beside is who the paragraphs beside the timeline say knew, of those that count; empty where they name two.
func (r *reader) beside(counts func(block int) bool) (by incident.DetectedBy) {
	n := 0
	for i := range r.o.doc.blocks {
		b := &r.o.doc.blocks[i]
		if b.kind != para && b.kind != item || !r.inGroup(i) || r.o.taken[i] || !counts(i) {
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
