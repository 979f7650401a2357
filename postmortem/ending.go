package postmortem

import (
	"slices"
	"time"

	"meantime/incident"
)

// ended looks for when users were well again, and when it was over for good.
func (r *reader) ended() {
	after := time.Time{}
	for _, n := range []incident.MilestoneName{incident.Detected, incident.Started} {
		if p, ok := r.picks[n]; ok && p.at.After(after) {
			after = p.at
		}
	}
	var es []*entry
	for _, e := range r.es {
		if !e.at.Before(after) || e.kinds.has(SelfHealed) && !r.beforeStart(e) { // which nobody need have known of
			es = append(es, e)
		}
	}
	es = r.weigh(es)
	from := 0
	ended := r.endings(es)
	for i, e := range es {
		if t, ok := e.kinds[Relapse]; ok && !t.hedged && !t.nonprod && i > 0 && ended[i] && !e.kinds.has(Resolved, Ended, Recovered) {
			from = i + 1
		} else if t, ok := e.kinds[ImpactStart]; ok && !t.hedged && !t.nonprod && i > 0 && ended[i] && !e.kinds.has(Resolved, Ended, Recovered, Relapse) {
			from = i + 1
		}
	}
	// "One customer says it works now", and then it still fails: what comes after the last of that counts, where well is
	// said again after it.
	for i, e := range es {
		trouble := false
		for _, k := range []Kind{Failing, NotYet} {
			t, ok := e.kinds[k]
			trouble = trouble || ok && !t.hedged && !t.nonprod
		}
		if trouble && i > from && ended[i] && e.list && !e.kinds.ofSupplier() && !e.kinds.has(Recovered, Resolved, Ended, Backlog, Partial, FollowUp) && slices.ContainsFunc(es[i+1:], r.well) {
			from = i + 1
		}
	}
	windowEnd, firstEnd := r.windowEnds()
	es = es[min(from, len(es)):]

	var well, over, closed []*entry // says that users are well; that all is well or over; that the incident is over
	for _, e := range es {
		if r.well(e) {
			well = append(well, e)
		}
		for _, k := range []Kind{Ended, SelfHealed, Resolved} {
			if t, ok := e.kinds[k]; ok && r.firmEnd(e, t) && (!t.weak || r.weakCounts || len(well) > 0) {
				over = append(over, e)
				if k == Ended {
					closed = append(closed, e)
				}
				break
			}
		}
	}
	if len(closed) > 0 { // the incident's own end is more than everything being well
		over = closed
	}
	if _, ok := r.picks[incident.Mitigated]; !ok {
		switch {
		case !firstEnd.IsZero() && !firstEnd.Equal(windowEnd):
			if e := r.entryAt(firstEnd); e != nil {
				r.picks[incident.Mitigated] = pickEntry(r.o, e, incident.ConfidenceStated)
			} else {
				r.picks[incident.Mitigated] = r.windowPick(firstEnd)
			}
		case len(well) > 0 && firstEnd.After(well[0].at.Add(time.Minute)) && r.entryAt(firstEnd) == nil:
			// The document's own window goes on: users were not well yet.
		case len(well) > 0 && !r.piecemeal(well):
			c := incident.ConfidenceStated
			if well[0].st.approx {
				c = incident.ConfidenceApproximate
			}
			r.picks[incident.Mitigated] = pickEntry(r.o, well[0], c)
		}
	}
	res, fielded := r.picks[incident.Resolved]
	if fielded {
		// The field and an entry tell of the same moment: then users were well at that entry.
		if _, ok := r.picks[incident.Mitigated]; !ok {
			for _, e := range es {
				if e.at.Sub(res.at).Abs() <= time.Minute && (e.kinds.has(Partial, Recovered, Attempt, SelfHealed) || !e.kinds.has(Ended, Talk, FollowUp) && e == es[len(es)-1]) {
					r.picks[incident.Mitigated] = pickEntry(r.o, e, incident.ConfidenceStated)
				}
			}
		}
		return
	}
	r.resolvedFrom(es, well, over, closed, windowEnd)
	// "Deployed the fix. The issue is resolved.": what was done and that it is over in one breath.
	if res, ok := r.picks[incident.Resolved]; ok && res.e != nil && res.e.list && res.e.status == "" && res.e.kinds.has(FixLive) && res.e.kinds.has(Ended) && len(well) == 0 {
		if _, ok := r.picks[incident.Mitigated]; !ok {
			r.picks[incident.Mitigated] = pickEntry(r.o, res.e, incident.ConfidenceInferred)
		}
	}
}

// weigh lets "the database looks healthy" count as a recovery only where nothing firmer is said, and then only after the
// last that was done: a part that is checked in the search for the cause may always have been well.
func (r *reader) weigh(es []*entry) []*entry {
	r.weakCounts = false
	last := -1
	for i, e := range es {
		if r.well(e) {
			return es
		}
		if e.kinds.has(Attempt, FixLive, Trigger) && !e.kinds.has(Backlog, Ended) {
			last = i
		}
	}
	r.weakCounts = true
	for i, e := range es {
		if i < last {
			for _, k := range []Kind{Recovered, Resolved} {
				if t, ok := e.kinds[k]; ok && t.weak {
					delete(e.kinds, k)
				}
			}
		}
	}
	return es
}

// piecemeal says whether one part after the other got well, so that no one moment is the mitigation.
func (r *reader) piecemeal(well []*entry) bool {
	n := 1
	for i := 1; i < len(well); i++ {
		if !well[i].at.Equal(well[i-1].at) {
			n++
		}
	}
	return n >= 4 && well[len(well)-1].at.Sub(well[0].at) > time.Hour
}

// endings says for each entry whether one before it tells that users were well: only then can it come back.
func (r *reader) endings(es []*entry) []bool {
	_, first := r.windowEnds()
	out := make([]bool, len(es)+1)
	over := false
	for i, e := range es {
		out[i] = over || !first.IsZero() && i > 0 && !first.After(es[i-1].at)
		over = over || r.well(e) || e.kinds.has(Resolved, Ended, SelfHealed)
	}
	return out
}

// well says whether an entry tells that users are well, firmly and of its own moment. What a long paragraph tells at its
// end happened some time after the moment it begins with.
func (r *reader) well(e *entry) bool {
	for _, k := range []Kind{Recovered, Resolved, SelfHealed} {
		if t, ok := e.kinds[k]; ok && r.firmEnd(e, t) && !r.posted(e) && (!t.weak || r.weakCounts) {
			return true
		}
	}
	return false
}

// postedWell are the prose entries that tell that somebody said users were well.
func (r *reader) postedWell(es []*entry) (l []*entry) {
	for _, e := range es {
		if t, ok := e.kinds[Recovered]; ok && e.status == "" && r.firmEnd(e, t) && r.posted(e) {
			l = append(l, e)
		}
	}
	return l
}

func (r *reader) firmEnd(e *entry, t told) bool {
	if t.hedged || t.nonprod || t.sentence > 2 || e.kinds.ofSupplier() {
		return false
	}
	n, ok := e.kinds[NotYet]
	return !ok || n.sentence < t.sentence
}

// posted says whether a prose entry's time is when somebody said it, as news tell of a status page.
func (r *reader) posted(e *entry) bool {
	if e.list && e.status == "" {
		return false
	}
	if e.status != "" {
		return e.status != "monitoring" && e.status != "resolved"
	}
	toks := r.o.words(e)
	for i := range toks {
		if toks[i].stop {
			toks = toks[:i] // what follows may be what was said
			break
		}
	}
	if r.o.t.has("posting", toks) && !r.o.t.has("team_we", toks) {
		return true
	}
	return false
}

// windowEnds are the end of the last coherent window and of the first.
func (r *reader) windowEnds() (last, first time.Time) {
	var ws []window
	labelled := false
	for _, w := range r.ws {
		labelled = labelled || w.labelled && w.coherent
	}
	for _, w := range r.ws {
		if w.coherent && (w.labelled || !labelled) {
			ws = append(ws, w)
		}
	}
	if len(ws) == 0 {
		return
	}
	slices.SortStableFunc(ws, func(a, b window) int { return a.from.Compare(b.from) })
	first = ws[0].to
	for _, w := range ws {
		if w.to.After(last) {
			last = w.to
		}
	}
	return last, first
}

func (r *reader) windowPick(to time.Time) pick {
	for _, w := range r.ws {
		if w.to.Equal(to) {
			return pick{at: to, approx: w.approx, confidence: incident.ConfidenceStated, evidence: w.evidence, line: w.line}
		}
	}
	return pick{at: to, confidence: incident.ConfidenceStated}
}

func (r *reader) entryAt(t time.Time) *entry {
	for _, e := range r.es {
		if e.at.Sub(t).Abs() <= time.Minute {
			return e
		}
	}
	return nil
}

// resolvedFrom chooses the moment it was over.
func (r *reader) resolvedFrom(es, well, over, closed []*entry, windowEnd time.Time) {
	give := func(e *entry, c incident.Confidence) {
		if e.st.approx {
			c = incident.ConfidenceApproximate
		}
		r.picks[incident.Resolved] = pickEntry(r.o, e, c)
	}
	// A chain of statements in the same hours: the last of it closes the incident. One that comes days later closes a
	// ticket.
	var last *entry
	for _, e := range over {
		if last == nil || e.at.Sub(last.at) <= 3*time.Hour || r.troubled(es, last, e) {
			last = e
		}
	}
	if last != nil && len(closed) == 0 { // one part was wholly well, the rest some time later
		for _, e := range well {
			if e.at.After(last.at) && e.at.Sub(last.at) <= 3*time.Hour && !slices.Contains(over, e) {
				last = e
			}
		}
	}
	if last != nil && len(over) > 1 {
		for _, e := range over { // what a window or a duration bears out counts more
			if len(closed) == 0 && !windowEnd.IsZero() && e.at.Sub(windowEnd).Abs() <= time.Minute || r.measures(e) {
				last = e
				break
			}
		}
	}
	switch {
	case last != nil:
		if !windowEnd.IsZero() && windowEnd.Sub(last.at).Abs() > time.Minute {
			if w := r.entryAt(windowEnd); w != nil && w.at.Before(last.at) && r.well(w) && !slices.Contains(closed, last) {
				// The document's own window ends with an entry that says users are well: that is its end.
				give(w, incident.ConfidenceStated)
				r.askBoth("resolved", "milestones.resolved", "The impact window and the timeline end at different times.", w.at, last.at, last.line)
				return
			}
			r.askBoth("window", "milestones.resolved", "The impact window and the timeline end at different times.", last.at, windowEnd, last.line)
		}
		give(last, incident.ConfidenceStated)
	case !windowEnd.IsZero():
		if e := r.entryAt(windowEnd); e != nil {
			give(e, incident.ConfidenceStated)
		} else {
			r.picks[incident.Resolved] = r.windowPick(windowEnd)
		}
	case len(well) > 0:
		e := well[len(well)-1]
		for _, x := range well {
			if x.at.Sub(well[0].at) <= 3*time.Hour {
				e = x
			}
		}
		if r.open(es, e) {
			return
		}
		give(e, incident.ConfidenceStated)
	case len(r.postedWell(es)) > 0: // as somebody said it then
		p := r.postedWell(es)
		give(p[len(p)-1], incident.ConfidenceStated)
	default:
		for i, e := range es { // the last that was done, and nothing after it
			if t, ok := e.kinds[FixLive]; ok && r.firmEnd(e, t) && !r.open(es[i:], e) {
				give(e, incident.ConfidenceStated)
				r.askEntries("resolved", "milestones.resolved", "Did it end when the fix was live?", "That users were well is not said.", []*entry{e})
				return
			}
		}
		for _, e := range es {
			if e.kinds.has(Attempt, Trigger) && r.measures(e) {
				give(e, incident.ConfidenceInferred)
				return
			}
		}
	}
	if p, ok := r.picks[incident.Resolved]; ok {
		r.later(es, p.at)
	}
}

// troubled says whether users told of more between two entries, not long before the second: then it was not over at the first.
func (r *reader) troubled(es []*entry, from, to *entry) bool {
	return slices.ContainsFunc(es, func(e *entry) bool {
		t, ok := e.kinds[ReportUser]
		return ok && !t.hedged && !t.nonprod && e.at.After(from.at) && e.at.Before(to.at) && to.at.Sub(e.at) <= 3*time.Hour
	})
}

// open says whether something after e shows that it was not over: work that goes on, a queue to clear, a relapse.
func (r *reader) open(es []*entry, e *entry) bool {
	var later []*entry
	for _, x := range es {
		if x.at.After(e.at) && x.kinds.has(Attempt, Backlog, Relapse, NotYet, Partial, Recovered) && !x.kinds.has(FollowUp) {
			later = append(later, x)
		}
	}
	if len(later) == 0 {
		return false
	}
	r.askEntries("resolved", "milestones.resolved", "When was it over?", "Users were well before the last of the work was done.", append([]*entry{e}, later...))
	return true
}

// later asks where an entry after the end can be read as the real end.
func (r *reader) later(es []*entry, end time.Time) {
	var more []*entry
	for _, x := range es {
		if x.at.After(end) && (x.kinds.has(Recovered, Resolved, Ended, Backlog, SelfHealed) || x.kinds.has(ThirdParty) || x.kinds.has(FollowUp, Attempt, Trigger)) {
			more = append(more, x)
		}
	}
	if len(more) > 0 {
		if e := r.entryAt(end); e != nil {
			more = append([]*entry{e}, more...)
		}
		r.askEntries("resolved", "milestones.resolved", "Did it end here?", "Later entries tell of work that went on.", more[:min(len(more), 8)])
	}
}

// measures says whether a stated duration ends at this entry when it begins at an entry that can be the start.
func (r *reader) measures(end *entry) bool { return r.startFor(end.at) != nil }

// startFor is the one entry from which a stated duration leads to the moment end; nil where none or several do.
func (r *reader) startFor(end time.Time) *entry {
	var found *entry
	for _, d := range r.ds {
		if d.d < 2*time.Minute {
			continue
		}
		for i, e := range r.es {
			if !e.at.Before(end) || !d.proves(end.Sub(e.at)) {
				continue
			}
			if i > 0 && !e.kinds.has(Trigger, ImpactStart, Symptom, Alert, ReportUser, Report, Noticed, ReportSupport) {
				continue
			}
			if found != nil && !found.at.Equal(e.at) {
				return nil
			}
			if found == nil {
				found = e
			}
		}
	}
	return found
}
