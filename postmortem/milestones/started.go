package milestones

import (
	"time"

	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// started looks for when users began to be affected: said by an entry, a window, or the prose.
func (r *Reader) started() {
	if _, ok := r.picks[incident.Started]; ok {
		return
	}
	var said *timeline.Entry
	for _, e := range r.es {
		if t, ok := e.Kinds[lexicon.ImpactStart]; ok && !t.Hedged && !t.Nonprod && !e.Kinds.Has(lexicon.ThirdParty) {
			said = e
			break
		}
	}
	var w *calendar.Window
	for i := range r.ws {
		if x := &r.ws[i]; x.Coherent && (w == nil || x.Labelled && !w.Labelled || x.Labelled == w.Labelled && x.From.Before(w.From)) {
			w = x
		}
	}
	first := r.firstAware()
	switch {
	case w != nil && w.Proved && said != nil && said.List && said.At.After(w.From) && said.At.Before(w.To):
		r.picks[incident.Started] = pick{at: w.From, approx: w.Approx, confidence: incident.ConfidenceStated, evidence: w.Evidence, line: w.Line}
		r.askBoth("window", "milestones.started", "The summary and the timeline give different times of impact.", w.From, said.At, w.Line)
	case said != nil && (first == nil || said.At.Sub(first.At) <= 5*time.Minute):
		c := incident.ConfidenceStated
		if said.Stamp.Approx {
			c = incident.ConfidenceApproximate
		}
		p := pickEntry(r.Outline, said, c)
		if w != nil && said.Stamp.To != nil && w.From.Equal(said.At) { // a range of when users were affected, not of when that began
			p.approx = said.Stamp.Approx || said.Stamp.HourOnly
		}
		r.picks[incident.Started] = p
		if w != nil && w.From.Sub(said.At).Abs() > time.Minute {
			if !r.windowFrom(said.At) {
				for i := range r.ws { // the timeline contradicts the windows: they end nothing
					r.ws[i].Coherent = false
				}
			}
			r.askBoth("window", "milestones.started", "The summary and the timeline give different times of impact.", said.At, w.From, w.Line)
		}
	case w != nil:
		r.picks[incident.Started] = pick{at: w.From, approx: w.Approx, confidence: incident.ConfidenceStated, evidence: w.Evidence, line: w.Line}
	default:
		r.startedInProse()
	}
	if _, ok := r.picks[incident.Started]; ok {
		return
	}
	// Users are affected, told before anybody is said to know.
	for _, e := range r.es {
		if first == nil || !e.At.Before(first.At) {
			break
		}
		t, ok := e.Kinds[lexicon.Failing]
		if ack, works := e.Kinds[lexicon.Ack]; works && ack.Sentence != t.Sentence { // "It fails. We work on it.": it may have for long
			continue
		}
		if ok && !t.Hedged && !t.Nonprod && first.At.Sub(e.At) <= 24*time.Hour &&
			!e.Kinds.Has(lexicon.ThirdParty, lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.NotYet) {
			c := incident.ConfidenceStated
			if e.Stamp.Approx {
				c = incident.ConfidenceApproximate
			}
			r.picks[incident.Started] = pickEntry(r.Outline, e, c)
			return
		}
	}
	// A change and its failure in one entry: it failed when it was made.
	for _, e := range r.es {
		tr, ok := e.Kinds[lexicon.Trigger]
		sy, ok2 := e.Kinds[lexicon.Symptom]
		if !ok || !ok2 || tr.Hedged || sy.Hedged || tr.Nonprod || sy.Nonprod || e.Kinds.Has(lexicon.ThirdParty) || !e.List ||
			sy.Sentence > tr.Sentence+1 || sy.From < tr.From {
			continue
		}
		if e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Alert, lexicon.ReportUser, lexicon.Report, lexicon.Noticed,
			lexicon.Attempt) && !e.Kinds.Has(lexicon.NotYet) && e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.ReportUser, lexicon.Alert) {
			continue
		}
		if first != nil && e.At.After(first.At) {
			continue
		}
		r.picks[incident.Started] = pickEntry(r.Outline, e, incident.ConfidenceInferred)
		return
	}
}

// windowFrom says whether a window begins at a moment.
func (r *Reader) windowFrom(at time.Time) bool {
	for _, w := range r.ws {
		if w.From.Sub(at).Abs() <= 5*time.Minute {
			return true
		}
	}
	return false
}

// startedInProse takes the summary's word where the timeline has none: "at roughly 18:52 UTC we experienced …".
func (r *Reader) startedInProse() {
	if !r.Outline.Timeline {
		return
	}
	for _, e := range r.own {
		t, ok := e.Kinds[lexicon.ImpactStart]
		if e.List || e.At.IsZero() || !ok || t.Hedged || t.Nonprod || e.Kinds.Has(lexicon.ThirdParty) || e.Section == "cause" {
			continue
		}
		if day := r.Calendar.Day.Time(); !day.IsZero() && e.At.Sub(day).Abs() > 3*24*time.Hour {
			continue
		}
		if len(r.es) > 0 && e.At.After(r.es[len(r.es)-1].At) {
			continue
		}
		c := incident.ConfidenceStated
		if e.Stamp.Approx {
			c = incident.ConfidenceApproximate
		}
		r.picks[incident.Started] = pickEntry(r.Outline, e, c)
		return
	}
}

// proveStart takes a change, a first report or an alert as the start where the document's own duration, counted back from
// the end, says so.
func (r *Reader) proveStart() {
	if _, ok := r.picks[incident.Started]; ok {
		return
	}
	for _, n := range []incident.MilestoneName{incident.Resolved, incident.Mitigated} {
		p, ok := r.picks[n]
		if !ok {
			continue
		}
		if e := r.startFor(p.at); e != nil {
			r.picks[incident.Started] = pickEntry(r.Outline, e, incident.ConfidenceInferred)
			r.startProved = true
			return
		}
	}
}
