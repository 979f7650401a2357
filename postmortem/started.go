package postmortem

import (
	"time"

	"meantime/incident"
)

// started looks for when users began to be affected: said by an entry, a window, or the prose.
func (r *reader) started() {
	if _, ok := r.picks[incident.Started]; ok {
		return
	}
	var said *entry
	for _, e := range r.es {
		if t, ok := e.kinds[ImpactStart]; ok && !t.hedged && !t.nonprod && !e.kinds.has(ThirdParty) {
			said = e
			break
		}
	}
	var w *window
	for i := range r.ws {
		if x := &r.ws[i]; x.coherent && (w == nil || x.labelled && !w.labelled || x.labelled == w.labelled && x.from.Before(w.from)) {
			w = x
		}
	}
	first := r.firstAware()
	switch {
	case w != nil && w.proved && said != nil && said.list && said.at.After(w.from) && said.at.Before(w.to):
		r.picks[incident.Started] = pick{at: w.from, approx: w.approx, confidence: incident.ConfidenceStated, evidence: w.evidence, line: w.line}
		r.askBoth("window", "milestones.started", "The summary and the timeline give different times of impact.", w.from, said.at, w.line)
	case said != nil && (first == nil || said.at.Sub(first.at) <= 5*time.Minute):
		c := incident.ConfidenceStated
		if said.st.approx {
			c = incident.ConfidenceApproximate
		}
		p := pickEntry(r.o, said, c)
		if w != nil && said.st.to != nil && w.from.Equal(said.at) { // a range of when users were affected, not of when that began
			p.approx = said.st.approx || said.st.hourOnly
		}
		r.picks[incident.Started] = p
		if w != nil && w.from.Sub(said.at).Abs() > time.Minute {
			if !r.windowFrom(said.at) {
				for i := range r.ws { // the timeline contradicts the windows: they end nothing
					r.ws[i].coherent = false
				}
			}
			r.askBoth("window", "milestones.started", "The summary and the timeline give different times of impact.", said.at, w.from, w.line)
		}
	case w != nil:
		r.picks[incident.Started] = pick{at: w.from, approx: w.approx, confidence: incident.ConfidenceStated, evidence: w.evidence, line: w.line}
	default:
		r.startedInProse()
	}
	if _, ok := r.picks[incident.Started]; ok {
		return
	}
	// Users are affected, told before anybody is said to know.
	for _, e := range r.es {
		if first == nil || !e.at.Before(first.at) {
			break
		}
		t, ok := e.kinds[Failing]
		if ack, works := e.kinds[Ack]; works && ack.sentence != t.sentence { // "It fails. We work on it.": it may have for long
			continue
		}
		if ok && !t.hedged && !t.nonprod && first.at.Sub(e.at) <= 24*time.Hour && !e.kinds.has(ThirdParty, Recovered, Resolved, Ended, NotYet) {
			c := incident.ConfidenceStated
			if e.st.approx {
				c = incident.ConfidenceApproximate
			}
			r.picks[incident.Started] = pickEntry(r.o, e, c)
			return
		}
	}
	// A change and its failure in one entry: it failed when it was made.
	for _, e := range r.es {
		tr, ok := e.kinds[Trigger]
		sy, ok2 := e.kinds[Symptom]
		if !ok || !ok2 || tr.hedged || sy.hedged || tr.nonprod || sy.nonprod || e.kinds.has(ThirdParty) || !e.list || sy.sentence > tr.sentence+1 || sy.from < tr.from {
			continue
		}
		if e.kinds.has(Recovered, Resolved, Alert, ReportUser, Report, Noticed, Attempt) && !e.kinds.has(NotYet) && e.kinds.has(Recovered, Resolved, ReportUser, Alert) {
			continue
		}
		if first != nil && e.at.After(first.at) {
			continue
		}
		r.picks[incident.Started] = pickEntry(r.o, e, incident.ConfidenceInferred)
		return
	}
}

// windowFrom says whether a window begins at a moment.
func (r *reader) windowFrom(at time.Time) bool {
	for _, w := range r.ws {
		if w.from.Sub(at).Abs() <= 5*time.Minute {
			return true
		}
	}
	return false
}

// startedInProse takes the summary's word where the timeline has none: "at roughly 18:52 UTC we experienced …".
func (r *reader) startedInProse() {
	if !r.o.timeline {
		return
	}
	for _, e := range r.own {
		t, ok := e.kinds[ImpactStart]
		if e.list || e.at.IsZero() || !ok || t.hedged || t.nonprod || e.kinds.has(ThirdParty) || e.section == "cause" {
			continue
		}
		if day := r.cal.day.time(); !day.IsZero() && e.at.Sub(day).Abs() > 3*24*time.Hour {
			continue
		}
		if len(r.es) > 0 && e.at.After(r.es[len(r.es)-1].at) {
			continue
		}
		c := incident.ConfidenceStated
		if e.st.approx {
			c = incident.ConfidenceApproximate
		}
		r.picks[incident.Started] = pickEntry(r.o, e, c)
		return
	}
}

// proveStart takes a change, a first report or an alert as the start where the document's own duration, counted back from
// the end, says so.
func (r *reader) proveStart() {
	if _, ok := r.picks[incident.Started]; ok {
		return
	}
	for _, n := range []incident.MilestoneName{incident.Resolved, incident.Mitigated} {
		p, ok := r.picks[n]
		if !ok {
			continue
		}
		if e := r.startFor(p.at); e != nil {
			r.picks[incident.Started] = pickEntry(r.o, e, incident.ConfidenceInferred)
			r.startProved = true
			return
		}
	}
}
