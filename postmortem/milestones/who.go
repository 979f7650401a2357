package milestones

import (
	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/events"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// knowers are the kinds that say who knew, and who that is.
var knowers = []struct {
	kind lexicon.Kind
	by   incident.DetectedBy
}{
	{lexicon.Alert, incident.ByAlert}, {lexicon.ReportUser, incident.ByCustomer}, {lexicon.ReportSupport, incident.ByStaff},
	{lexicon.Noticed, incident.ByStaff},
}

// mostBeside is how many paragraphs beside the timeline are asked who knew first.
const mostBeside = 200

// who finds who knew first where neither the entry's first words nor a field say it: in the rest of the entry, then in what
// the document says of the detection. An alert that its opening or its summary tells of counts as well, as long as no
// paragraph tells of somebody else: people write of users and of colleagues without saying that they knew first, and of
// alerts elsewhere because one was added, came late or is of another system.
func (r *Reader) who() {
	if r.by != "" {
		return
	}
	if d := r.picks[incident.Detected]; d.e != nil {
		r.by = firmly(d.e)
	}
	if r.by == "" {
		r.by = r.beside(func(i int) bool { return r.Outline.Sections[i].Name == "detection" })
	}
	anywhere := func(i int) bool { s := r.Outline.Sections[i].Name; return !timeline.Excluded(s) && s != "lessons" }
	if r.by == "" && r.beside(r.opens) == incident.ByAlert && r.beside(anywhere) == incident.ByAlert {
		r.by = incident.ByAlert
	}
}

// firmly is who an entry says knew, empty where it names two or none.
func firmly(e *timeline.Entry) (by incident.DetectedBy) {
	for _, k := range knowers {
		if !e.Says(k.kind) {
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
func (r *Reader) opens(i int) bool {
	s := r.Outline.Sections[i]
	return s.Name == "summary" || s.Name == "" && (s.Head < 0 || r.Outline.Document.Blocks[s.Head].Orig == r.Outline.Document.Title)
}

// beside is who the paragraphs beside the timeline say knew, of those that count; empty where they name two.
func (r *Reader) beside(counts func(block int) bool) (by incident.DetectedBy) {
	n := 0
	for i := range r.Outline.Document.Blocks {
		b := &r.Outline.Document.Blocks[i]
		if b.Kind != document.Para && b.Kind != document.Item || !r.inGroup(i) || r.Outline.Taken[i] || !counts(i) {
			continue
		}
		if n++; n > mostBeside {
			break
		}
		e := timeline.Entry{Block: i, Line: b.Line, TextTo: len(b.Text)}
		events.Classify(r.Outline, &e, r.Suppliers)
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
