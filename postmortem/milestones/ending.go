package milestones

import (
	"slices"
	"time"

	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// ended looks for when users were well again, and when it was over for good.
func (r *Reader) ended() {
	after := time.Time{}
	for _, n := range []incident.MilestoneName{incident.Detected, incident.Started} {
		if p, ok := r.picks[n]; ok && p.at.After(after) {
			after = p.at
		}
	}
	var es []*timeline.Entry
	for _, e := range r.es {
		if !e.At.Before(after) || e.Kinds.Has(lexicon.SelfHealed) && !r.beforeStart(e) { // which nobody need have known of
			es = append(es, e)
		}
	}
	es = r.weigh(es)
	from := 0
	ended := r.endings(es)
	for i, e := range es {
		if t, ok := e.Kinds[lexicon.Relapse]; ok && !t.Hedged && !t.Nonprod && i > 0 && ended[i] &&
			!e.Kinds.Has(lexicon.Resolved, lexicon.Ended, lexicon.Recovered) {
			from = i + 1
		} else if t, ok := e.Kinds[lexicon.ImpactStart]; ok && !t.Hedged && !t.Nonprod && i > 0 && ended[i] &&
			!e.Kinds.Has(lexicon.Resolved, lexicon.Ended, lexicon.Recovered, lexicon.Relapse) {
			from = i + 1
		}
	}
	// "One customer says it works now", and then it still fails: what comes after the last of that counts, where well is
	// said again after it.
	for i, e := range es {
		trouble := false
		for _, k := range []lexicon.Kind{lexicon.Failing, lexicon.NotYet} {
			t, ok := e.Kinds[k]
			trouble = trouble || ok && !t.Hedged && !t.Nonprod
		}
		if trouble && i > from && ended[i] && e.List && !e.Kinds.OfSupplier() &&
			!e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.Backlog, lexicon.Partial, lexicon.FollowUp) &&
			slices.ContainsFunc(es[i+1:], r.well) {
			from = i + 1
		}
	}
	windowEnd, firstEnd := r.windowEnds()
	es = es[min(from, len(es)):]

	var well, over, closed []*timeline.Entry // says that users are well; that all is well or over; that the incident is over
	for _, e := range es {
		if r.well(e) {
			well = append(well, e)
		}
		for _, k := range []lexicon.Kind{lexicon.Ended, lexicon.SelfHealed, lexicon.Resolved} {
			if t, ok := e.Kinds[k]; ok && r.firmEnd(e, t) && (!t.Weak || r.weakCounts || len(well) > 0) {
				over = append(over, e)
				if k == lexicon.Ended {
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
				r.picks[incident.Mitigated] = pickEntry(r.Outline, e, incident.ConfidenceStated)
			} else {
				r.picks[incident.Mitigated] = r.windowPick(firstEnd)
			}
		case len(well) > 0 && firstEnd.After(well[0].At.Add(time.Minute)) && r.entryAt(firstEnd) == nil:
			// The document's own window goes on: users were not well yet.
		case len(well) > 0 && !r.piecemeal(well):
			c := incident.ConfidenceStated
			if well[0].Stamp.Approx {
				c = incident.ConfidenceApproximate
			}
			r.picks[incident.Mitigated] = pickEntry(r.Outline, well[0], c)
		}
	}
	res, fielded := r.picks[incident.Resolved]
	if fielded {
		// The field and an entry tell of the same moment: then users were well at that entry.
		if _, ok := r.picks[incident.Mitigated]; !ok {
			for _, e := range es {
				if e.At.Sub(res.at).Abs() <= time.Minute && (e.Kinds.Has(lexicon.Partial, lexicon.Recovered, lexicon.Attempt, lexicon.SelfHealed) ||
					!e.Kinds.Has(lexicon.Ended, lexicon.Talk, lexicon.FollowUp) && e == es[len(es)-1]) {
					r.picks[incident.Mitigated] = pickEntry(r.Outline, e, incident.ConfidenceStated)
				}
			}
		}
		return
	}
	r.resolvedFrom(es, well, over, closed, windowEnd)
	// "Deployed the fix. The issue is resolved.": what was done and that it is over in one breath.
	if res, ok := r.picks[incident.Resolved]; ok && res.e != nil && res.e.List && res.e.Status == "" && res.e.Kinds.Has(lexicon.FixLive) &&
		res.e.Kinds.Has(lexicon.Ended) && len(well) == 0 {
		if _, ok := r.picks[incident.Mitigated]; !ok {
			r.picks[incident.Mitigated] = pickEntry(r.Outline, res.e, incident.ConfidenceInferred)
		}
	}
}

// weigh lets "the database looks healthy" count as a recovery only where nothing firmer is said, and then only after the
// last that was done: a part that is checked in the search for the cause may always have been well.
func (r *Reader) weigh(es []*timeline.Entry) []*timeline.Entry {
	r.weakCounts = false
	last := -1
	for i, e := range es {
		if r.well(e) {
			return es
		}
		if e.Kinds.Has(lexicon.Attempt, lexicon.FixLive, lexicon.Trigger) && !e.Kinds.Has(lexicon.Backlog, lexicon.Ended) {
			last = i
		}
	}
	r.weakCounts = true
	for i, e := range es {
		if i < last {
			for _, k := range []lexicon.Kind{lexicon.Recovered, lexicon.Resolved} {
				if t, ok := e.Kinds[k]; ok && t.Weak {
					delete(e.Kinds, k)
				}
			}
		}
	}
	return es
}

// piecemeal says whether one part after the other got well, so that no one moment is the mitigation.
func (r *Reader) piecemeal(well []*timeline.Entry) bool {
	n := 1
	for i := 1; i < len(well); i++ {
		if !well[i].At.Equal(well[i-1].At) {
			n++
		}
	}
	return n >= 4 && well[len(well)-1].At.Sub(well[0].At) > time.Hour
}

// endings says for each entry whether one before it tells that users were well: only then can it come back.
func (r *Reader) endings(es []*timeline.Entry) []bool {
	_, first := r.windowEnds()
	out := make([]bool, len(es)+1)
	over := false
	for i, e := range es {
		out[i] = over || !first.IsZero() && i > 0 && !first.After(es[i-1].At)
		over = over || r.well(e) || e.Kinds.Has(lexicon.Resolved, lexicon.Ended, lexicon.SelfHealed)
	}
	return out
}

// well says whether an entry tells that users are well, firmly and of its own moment. What a long paragraph tells at its
// end happened some time after the moment it begins with.
func (r *Reader) well(e *timeline.Entry) bool {
	for _, k := range []lexicon.Kind{lexicon.Recovered, lexicon.Resolved, lexicon.SelfHealed} {
		if t, ok := e.Kinds[k]; ok && r.firmEnd(e, t) && !r.posted(e) && (!t.Weak || r.weakCounts) {
			return true
		}
	}
	return false
}

// postedWell are the prose entries that tell that somebody said users were well.
func (r *Reader) postedWell(es []*timeline.Entry) (l []*timeline.Entry) {
	for _, e := range es {
		if t, ok := e.Kinds[lexicon.Recovered]; ok && e.Status == "" && r.firmEnd(e, t) && r.posted(e) {
			l = append(l, e)
		}
	}
	return l
}

func (r *Reader) firmEnd(e *timeline.Entry, t lexicon.Told) bool {
	if t.Hedged || t.Nonprod || t.Sentence > 2 || e.Kinds.OfSupplier() {
		return false
	}
	n, ok := e.Kinds[lexicon.NotYet]
	return !ok || n.Sentence < t.Sentence
}

// posted says whether a prose entry's time is when somebody said it, as news tell of a status page.
func (r *Reader) posted(e *timeline.Entry) bool {
	if e.List && e.Status == "" {
		return false
	}
	if e.Status != "" {
		return e.Status != "monitoring" && e.Status != "resolved"
	}
	toks := r.Outline.Words(e)
	for i := range toks {
		if toks[i].Stop {
			toks = toks[:i] // what follows may be what was said
			break
		}
	}
	return r.Outline.Tongue.Has("posting", toks) && !r.Outline.Tongue.Has("team_we", toks)
}

// windowEnds are the end of the last coherent window and of the first.
func (r *Reader) windowEnds() (last, first time.Time) {
	var ws []calendar.Window
	labelled := false
	for _, w := range r.ws {
		labelled = labelled || w.Labelled && w.Coherent
	}
	for _, w := range r.ws {
		if w.Coherent && (w.Labelled || !labelled) {
			ws = append(ws, w)
		}
	}
	if len(ws) == 0 {
		return
	}
	slices.SortStableFunc(ws, func(a, b calendar.Window) int { return a.From.Compare(b.From) })
	first = ws[0].To
	for _, w := range ws {
		if w.To.After(last) {
			last = w.To
		}
	}
	return last, first
}

func (r *Reader) windowPick(to time.Time) pick {
	for _, w := range r.ws {
		if w.To.Equal(to) {
			return pick{at: to, approx: w.Approx, confidence: incident.ConfidenceStated, evidence: w.Evidence, line: w.Line}
		}
	}
	return pick{at: to, confidence: incident.ConfidenceStated}
}

func (r *Reader) entryAt(t time.Time) *timeline.Entry {
	for _, e := range r.es {
		if e.At.Sub(t).Abs() <= time.Minute {
			return e
		}
	}
	return nil
}

// resolvedFrom chooses the moment it was over.
func (r *Reader) resolvedFrom(es, well, over, closed []*timeline.Entry, windowEnd time.Time) {
	give := func(e *timeline.Entry, c incident.Confidence) {
		if e.Stamp.Approx {
			c = incident.ConfidenceApproximate
		}
		r.picks[incident.Resolved] = pickEntry(r.Outline, e, c)
	}
	// A chain of statements in the same hours: the last of it closes the incident. One that comes days later closes a
	// ticket.
	var last *timeline.Entry
	for _, e := range over {
		if last == nil || e.At.Sub(last.At) <= 3*time.Hour || r.troubled(es, last, e) {
			last = e
		}
	}
	if last != nil && len(closed) == 0 { // one part was wholly well, the rest some time later
		for _, e := range well {
			if e.At.After(last.At) && e.At.Sub(last.At) <= 3*time.Hour && !slices.Contains(over, e) {
				last = e
			}
		}
	}
	if last != nil && len(over) > 1 {
		for _, e := range over { // what a window or a duration bears out counts more
			if len(closed) == 0 && !windowEnd.IsZero() && e.At.Sub(windowEnd).Abs() <= time.Minute || r.measures(e) {
				last = e
				break
			}
		}
	}
	switch {
	case last != nil:
		if !windowEnd.IsZero() && windowEnd.Sub(last.At).Abs() > time.Minute {
			if w := r.entryAt(windowEnd); w != nil && w.At.Before(last.At) && r.well(w) && !slices.Contains(closed, last) {
				// The document's own window ends with an entry that says users are well: that is its end.
				give(w, incident.ConfidenceStated)
				r.askBoth("resolved", "milestones.resolved", "The impact window and the timeline end at different times.", w.At, last.At, last.Line)
				return
			}
			r.askBoth("window", "milestones.resolved", "The impact window and the timeline end at different times.", last.At, windowEnd, last.Line)
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
			if x.At.Sub(well[0].At) <= 3*time.Hour {
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
			if t, ok := e.Kinds[lexicon.FixLive]; ok && r.firmEnd(e, t) && !r.open(es[i:], e) {
				give(e, incident.ConfidenceStated)
				r.askEntries("resolved", "milestones.resolved", "Did it end when the fix was live?", "That users were well is not said.",
					[]*timeline.Entry{e})
				return
			}
		}
		for _, e := range es {
			if e.Kinds.Has(lexicon.Attempt, lexicon.Trigger) && r.measures(e) {
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
func (r *Reader) troubled(es []*timeline.Entry, from, to *timeline.Entry) bool {
	return slices.ContainsFunc(es, func(e *timeline.Entry) bool {
		t, ok := e.Kinds[lexicon.ReportUser]
		return ok && !t.Hedged && !t.Nonprod && e.At.After(from.At) && e.At.Before(to.At) && to.At.Sub(e.At) <= 3*time.Hour
	})
}

// open says whether something after e shows that it was not over: work that goes on, a queue to clear, a relapse.
func (r *Reader) open(es []*timeline.Entry, e *timeline.Entry) bool {
	var later []*timeline.Entry
	for _, x := range es {
		if x.At.After(e.At) && x.Kinds.Has(lexicon.Attempt, lexicon.Backlog, lexicon.Relapse, lexicon.NotYet, lexicon.Partial,
			lexicon.Recovered) && !x.Kinds.Has(lexicon.FollowUp) {
			later = append(later, x)
		}
	}
	if len(later) == 0 {
		return false
	}
	r.askEntries("resolved", "milestones.resolved", "When was it over?", "Users were well before the last of the work was done.",
		append([]*timeline.Entry{e}, later...))
	return true
}

// later asks where an entry after the end can be read as the real end.
func (r *Reader) later(es []*timeline.Entry, end time.Time) {
	var more []*timeline.Entry
	for _, x := range es {
		if x.At.After(end) && (x.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.Backlog, lexicon.SelfHealed) ||
			x.Kinds.Has(lexicon.ThirdParty) || x.Kinds.Has(lexicon.FollowUp, lexicon.Attempt, lexicon.Trigger)) {
			more = append(more, x)
		}
	}
	if len(more) > 0 {
		if e := r.entryAt(end); e != nil {
			more = append([]*timeline.Entry{e}, more...)
		}
		r.askEntries("resolved", "milestones.resolved", "Did it end here?", "Later entries tell of work that went on.", more[:min(len(more), 8)])
	}
}

// measures says whether a stated duration ends at this entry when it begins at an entry that can be the start.
func (r *Reader) measures(end *timeline.Entry) bool { return r.startFor(end.At) != nil }

// startFor is the one entry from which a stated duration leads to the moment end; nil where none or several do.
func (r *Reader) startFor(end time.Time) *timeline.Entry {
	var found *timeline.Entry
	for _, d := range r.ds {
		if d.Length < 2*time.Minute {
			continue
		}
		for i, e := range r.es {
			if !e.At.Before(end) || !d.Proves(end.Sub(e.At)) {
				continue
			}
			if i > 0 && !e.Kinds.Has(lexicon.Trigger, lexicon.ImpactStart, lexicon.Symptom, lexicon.Alert, lexicon.ReportUser, lexicon.Report,
				lexicon.Noticed, lexicon.ReportSupport) {
				continue
			}
			if found != nil && !found.At.Equal(e.At) {
				return nil
			}
			if found == nil {
				found = e
			}
		}
	}
	return found
}
