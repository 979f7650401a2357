package milestones

import (
	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/document"
	"meantime/postmortem/events"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// fromFront takes from the front matter of a status page kept in files what its text leaves open: when it was over, and
// from words that carry no time who told of it.
func (r *Reader) fromFront() {
	if !r.Outline.StatusFile() || r.Of > 1 {
		return
	}
	if _, ok := r.picks[incident.Resolved]; !ok && r.Outline.FrontSays("resolved", "true") {
		for i := range r.Outline.Document.Front {
			b := &r.Outline.Document.Front[i]
			if len(b.Cells) != 2 || b.Cells[0] != "resolvedwhen" {
				continue
			}
			f := r.Outline.NewField("resolved", -1, b.Line, b.Cells[1], b.Cells[0]+": "+b.Cells[1])
			if len(f.Stamps) == 0 || !f.Stamps[0].HasClock {
				continue
			}
			if e := calendar.MomentOf(r.Outline, f.Stamps[0], -1, r.Calendar, r.Zone.Zone); !e.At.IsZero() {
				r.picks[incident.Resolved] = pick{
					at: e.At, seconds: e.Stamp.Seconds, confidence: incident.ConfidenceStated, evidence: f.Whole, line: f.Line, declared: true,
				}
			}
		}
	}
	for i := range r.Outline.Document.Blocks {
		b := &r.Outline.Document.Blocks[i]
		if r.by != "" {
			return
		}
		if (b.Kind != document.Para && b.Kind != document.Item) || r.Outline.Taken[i] || timeline.Excluded(r.Outline.Sections[i].Name) {
			continue
		}
		e := timeline.Entry{Block: i, Line: b.Line, TextTo: len(b.Text)}
		events.Classify(r.Outline, &e, r.Suppliers)
		switch r.aware(&e) {
		case lexicon.Alert:
			r.by = incident.ByAlert
		case lexicon.ReportUser:
			r.by = incident.ByCustomer
		}
	}
}
