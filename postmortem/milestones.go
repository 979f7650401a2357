package postmortem

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// reader makes the record of one incident from the entries, fields, windows and durations that tell of it.
type reader struct {
	o     *outline
	fs    []field
	cal   *calendar
	zc    zoneChoice
	order []dayQuestion
	group group
	of    int // incidents in the document

	own   []*entry // every entry of the incident, in the order of the document
	es    []*entry // those that count, by time
	ws    []window
	ds    []duration
	picks map[incident.MilestoneName]pick
	qs    []incident.Question
	by    incident.DetectedBy

	startProved bool // a duration says which entry is the start
}

// pick is the moment chosen for a milestone.
type pick struct {
	at         time.Time
	approx     bool
	seconds    bool
	confidence incident.Confidence
	evidence   string
	line       int
	e          *entry // nil where a field or a window tells it
}

func pickEntry(o *outline, e *entry, c incident.Confidence) pick {
	return pick{at: e.at, approx: e.st.approx || e.st.hourOnly || e.st.to != nil, seconds: e.st.seconds, confidence: c, evidence: o.evidence(e), line: e.line, e: e}
}

// found reads the incident.
func (r *reader) found() Found {
	r.picks = map[incident.MilestoneName]pick{}
	for _, i := range r.group.entries {
		r.own = append(r.own, &r.o.entries[i])
	}
	r.collect()
	if r.group.own || r.of > 1 {
		r.ws = r.windowsOfGroup()
		r.ds = r.durations()
	}
	r.fromFields()
	r.started()
	r.detected()
	r.acknowledged()
	r.identified()
	r.ended()
	r.proveStart()
	r.check()
	r.ask()
	return Found{Record: r.record(), Questions: r.qs, Entries: r.table()}
}

// maxEntries is the most entries milestones are looked for in: nobody tells an incident in more.
const maxEntries = 600

// collect takes the entries whose moment is known and certain: of the timeline where there is one, else of the prose.
func (r *reader) collect() {
	for _, e := range r.own {
		if e.at.IsZero() || e.suspicious || r.o.timeline && !e.list {
			continue
		}
		if len(r.es) < maxEntries {
			r.es = append(r.es, e)
		}
	}
	slices.SortStableFunc(r.es, func(a, b *entry) int { return a.at.Compare(b.at) })
}

// inGroup says whether a block stands in the part of the document that tells of this incident.
func (r *reader) inGroup(block int) bool {
	return block < 0 || r.of == 1 || block >= r.group.from && block < r.group.to && !r.splitByTime()
}

func (r *reader) splitByTime() bool { return r.of > 1 && r.group.from == 0 && r.group.title == "" }

func (r *reader) windowsOfGroup() (ws []window) {
	if r.splitByTime() {
		return nil
	}
	for _, w := range r.o.windows(r.fs, r.cal, r.zc.zone) {
		if r.of > 1 {
			if b := r.blockAt(w.line); !r.inGroup(b) {
				continue
			}
			w.coherent = true
		}
		ws = append(ws, w)
	}
	return ws
}

func (r *reader) blockAt(line int) int {
	n, _ := slices.BinarySearchFunc(r.o.doc.blocks, line, func(b block, l int) int { return cmp.Compare(b.line, l) })
	return n
}

// durations lists what the document says of how long the incident took.
func (r *reader) durations() (ds []duration) {
	for _, f := range r.fs {
		if f.name == "duration" && r.inGroup(f.block) {
			if found := durationsIn(tokenize(f.text), r.o.t); len(found) > 0 {
				d := found[0]
				d.whole, d.block, d.line = true, f.block, f.line
				ds = append(ds, d)
			}
		}
	}
	for i := range r.o.doc.blocks {
		b := &r.o.doc.blocks[i]
		s := r.o.sections[i].name
		if !r.inGroup(i) || b.kind == code || b.kind == quote || b.kind == row || excluded(s) || s == "lessons" || b.kind == heading && b.orig != r.o.doc.title || len(ds) > 50 {
			continue
		}
		toks := b.tokens()
		for _, d := range durationsIn(toks, r.o.t) {
			lo, hi := d.from, d.to
			for lo > 0 && !toks[lo-1].stop && d.from-lo < 14 {
				lo--
			}
			for hi < len(toks) && !toks[hi].stop && hi-d.to < 10 {
				hi++
			}
			whole := false
			for _, lx := range r.o.t.all {
				lx.total.find(toks[lo:hi], func(match) { whole = true })
			}
			if !whole {
				// "2025-06-30 12:45 IDT · 1 hour, 2 minutes": a length right behind a moment.
				for _, st := range r.o.stamps[i] {
					if st.hasClock && st.to == nil && st.date.ok() && toks[d.from].start > st.end && strings.Trim(b.text[st.end:toks[d.from].start], " ·|-–—•(") == "" {
						whole = true
					}
				}
			}
			if whole {
				d.whole, d.block, d.line = true, i, b.line
				ds = append(ds, d)
			}
		}
	}
	return ds
}

// fromFields takes what labelled fields state: the document's own summary counts first.
func (r *reader) fromFields() {
	for _, f := range r.fs {
		name := incident.MilestoneName(f.name)
		if !name.Valid() || !r.inGroup(f.block) || r.splitByTime() {
			continue
		}
		if _, ok := r.picks[name]; ok {
			continue
		}
		for _, st := range f.stamps {
			if !st.hasClock {
				continue
			}
			e := r.o.momentOf(st, f.block, r.cal, r.zc.zone)
			if e.at.IsZero() {
				break
			}
			c := incident.ConfidenceStated
			if st.approx {
				c = incident.ConfidenceApproximate
			}
			// A date left out of the end of a field after midnight.
			at := e.at
			if s, ok := r.picks[incident.Started]; ok && name != incident.Started && !st.date.ok() && at.Before(s.at) && s.at.Sub(at) < 24*time.Hour {
				at = at.Add(24 * time.Hour)
			}
			r.picks[name] = pick{at: at, approx: st.approx || st.hourOnly, seconds: st.seconds, confidence: c, evidence: f.whole, line: f.line}
			break
		}
	}
}

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
	case said != nil && (first == nil || said.at.Sub(first.at) <= 5*time.Minute):
		c := incident.ConfidenceStated
		if said.st.approx {
			c = incident.ConfidenceApproximate
		}
		r.picks[incident.Started] = pickEntry(r.o, said, c)
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

var awareKinds = []Kind{Alert, ReportUser, ReportSupport, Report, Noticed}

// firstAware is the first entry that tells that somebody of ours knew.
func (r *reader) firstAware() *entry {
	s, known := r.picks[incident.Started]
	for _, e := range r.es {
		if known && e.at.Before(s.at.Add(-30*time.Minute)) {
			continue
		}
		if r.aware(e) != "" {
			return e
		}
	}
	return nil
}

// aware is how an entry tells that somebody of ours knew; empty where it does not.
func (r *reader) aware(e *entry) Kind {
	best := Kind("")
	at := 1 << 30
	for _, k := range awareKinds {
		t, ok := e.kinds[k]
		if !ok || t.hedged || t.nonprod {
			continue
		}
		// What an entry says first is what it is about; a person named is more than "reported".
		if t.from < at-3 || best == "" || best == Report {
			best, at = k, t.from
		}
	}
	return best
}

// detected looks for when the organisation first knew.
func (r *reader) detected() {
	e := r.firstAware()
	for _, x := range r.es { // who declares an incident knows of it
		if x.kinds.has(Declared) && (e == nil || x.at.Before(e.at)) {
			e = x
			break
		}
	}
	if e != nil {
		switch r.aware(e) {
		case Alert:
			r.by = incident.ByAlert
		case ReportUser:
			r.by = incident.ByCustomer
		case Noticed, ReportSupport:
			r.by = incident.ByStaff
		}
	}
	for _, f := range r.fs {
		if f.name == "detected_by" && r.inGroup(f.block) {
			r.byField(f)
		}
	}
	if _, ok := r.picks[incident.Detected]; ok || e == nil {
		return
	}
	c := incident.ConfidenceStated
	if e.st.approx {
		c = incident.ConfidenceApproximate
	} else if r.aware(e) == "" {
		c = incident.ConfidenceInferred
	}
	r.picks[incident.Detected] = pickEntry(r.o, e, c)
}

// byField reads who detected it from a field's words.
func (r *reader) byField(f field) {
	toks := tokenize(f.text)
	for _, lx := range r.o.t.all {
		switch {
		case lx.has("monitor", toks) || lx.has("alert_word", toks):
			r.by = incident.ByAlert
			return
		case lx.has("user", toks):
			r.by = incident.ByCustomer
			return
		case lx.has("supplier", toks):
			r.by = incident.ByThirdParty
			return
		case lx.has("team", toks):
			r.by = incident.ByStaff
			return
		}
	}
}

// acknowledged looks for when somebody began to work on it.
func (r *reader) acknowledged() {
	if _, ok := r.picks[incident.Acknowledged]; ok {
		return
	}
	d, known := r.picks[incident.Detected]
	var declared *entry
	for _, e := range r.es {
		if known && e.at.Before(d.at) {
			continue
		}
		if t, ok := e.kinds[Ack]; ok && !t.hedged && !t.nonprod {
			c := incident.ConfidenceStated
			if e.status != "" || known && d.e == e {
				c = incident.ConfidenceInferred // the report and the work in one entry, or the time of a post
			}
			r.picks[incident.Acknowledged] = pickEntry(r.o, e, c)
			return
		}
		// Users told it, and then one of us saw it.
		if t, ok := e.kinds[Noticed]; ok && !t.hedged && !t.nonprod && known && e != d.e && (r.by == incident.ByCustomer || r.by == "") && e.at.After(d.at) {
			r.picks[incident.Acknowledged] = pickEntry(r.o, e, incident.ConfidenceStated)
			return
		}
		if e.kinds.has(Declared) && declared == nil {
			declared = e
		}
	}
	if declared != nil {
		r.picks[incident.Acknowledged] = pickEntry(r.o, declared, incident.ConfidenceInferred)
	}
}

// identified looks for when the cause was known: said, or found in the words that the document gives as its cause.
func (r *reader) identified() {
	if _, ok := r.picks[incident.Identified]; ok {
		return
	}
	d, known := r.picks[incident.Detected]
	var firm, said []*entry
	for _, e := range r.es {
		t, ok := e.kinds[Cause]
		if known && e.at.Before(d.at) || !ok || t.hedged || t.nonprod || e.kinds.has(ThirdParty) {
			continue
		}
		if n, ok := e.kinds[NotYet]; ok && n.sentence >= t.sentence && !e.kinds.has(Recovered, Resolved, Ended) {
			continue // "… but we do not know the exact cause yet"
		}
		firm = append(firm, e)
	}
	if len(firm) == 0 {
		if words := r.causeWords(); len(words) > 0 {
			for _, e := range r.es {
				if t, ok := e.kinds[Finding]; ok && !t.nonprod && !(known && e.at.Before(d.at)) && !e.kinds.has(ThirdParty) && r.sharesCause(e, words) {
					said = append(said, e)
				}
			}
		}
		if len(said) == 1 {
			firm = said
		}
	}
	if len(firm) == 0 {
		return
	}
	e := firm[0]
	c := incident.ConfidenceStated
	if e.st.approx {
		c = incident.ConfidenceApproximate
	}
	r.picks[incident.Identified] = pickEntry(r.o, e, c)
	if len(firm) > 1 && firm[len(firm)-1].at.After(e.at) {
		r.askEntries("identified", "milestones.identified", "Several entries tell of the cause.", "The first is taken; a later one may be the real cause.", firm)
	}
}

// causeWords are the telling words of the field that names the cause.
func (r *reader) causeWords() map[string]bool {
	words := map[string]bool{}
	for _, f := range r.fs {
		if f.name != "cause" || !r.inGroup(f.block) {
			continue
		}
		text := f.text
		if f.block >= 0 { // a field cut by a line of its own, as a scraper leaves it
			for b := f.block + 1; b < len(r.o.doc.blocks) && b <= f.block+2 && r.o.doc.blocks[b].kind == para; b++ {
				text += " " + r.o.doc.blocks[b].text
			}
		}
		for _, w := range r.contentWords(tokenize(text)) {
			words[w] = true
		}
	}
	return words
}

// contentWords are the words that carry meaning: stems of long words, and pairs of ideographs or kana.
func (r *reader) contentWords(toks []token) (ws []string) {
	for i, t := range toks {
		c := t.text
		switch {
		case t.stop || t.comma:
		case c[0] < 0x80 && len(c) >= 5 && !isDigit(c[0]):
			common := false
			for _, lx := range r.o.t.all {
				common = common || lx.detect[c] || lx.has("incident", toks[i:i+1]) || lx.has("service", toks[i:i+1]) || lx.has("cause_word", toks[i:i+1])
			}
			if !common {
				ws = append(ws, c[:5])
			}
		case c[0] >= 0xE3 && i+1 < len(toks) && toks[i+1].text[0] >= 0xE3 && !(c >= "ぁ" && c <= "ん") && !(toks[i+1].text >= "ぁ" && toks[i+1].text <= "ん"):
			ws = append(ws, c+toks[i+1].text)
		}
	}
	return ws
}

// sharesCause says whether an entry that finds something out finds what the cause says: two telling words at least.
func (r *reader) sharesCause(e *entry, words map[string]bool) bool {
	n := 0
	seen := map[string]bool{}
	for _, w := range r.contentWords(r.o.words(e)) {
		if words[w] && !seen[w] {
			seen[w] = true
			n++
		}
	}
	if r.o.t.main.Script != "" {
		return n >= 4
	}
	return n >= 2
}

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
		if !e.at.Before(after) {
			es = append(es, e)
		}
	}
	from := 0
	ended := r.endings(es)
	for i, e := range es {
		if t, ok := e.kinds[Relapse]; ok && !t.hedged && !t.nonprod && i > 0 && ended[i] && !e.kinds.has(Resolved, Ended, Recovered) {
			from = i + 1
		} else if t, ok := e.kinds[ImpactStart]; ok && !t.hedged && !t.nonprod && i > 0 && ended[i] && !e.kinds.has(Resolved, Ended, Recovered, Relapse) {
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
			if t, ok := e.kinds[k]; ok && r.firmEnd(e, t) {
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
	r.resolvedFrom(es, well, over, windowEnd)
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
		if t, ok := e.kinds[k]; ok && r.firmEnd(e, t) && !r.posted(e) {
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
	if t.hedged || t.nonprod || t.sentence > 2 || e.kinds.has(ThirdParty) {
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
	for _, lx := range r.o.t.all {
		if lx.has("posting", toks) && !lx.has("team_we", toks) {
			return true
		}
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
func (r *reader) resolvedFrom(es, well, over []*entry, windowEnd time.Time) {
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
		if last == nil || e.at.Sub(last.at) <= 3*time.Hour {
			last = e
		}
	}
	if last != nil && len(over) > 1 {
		for _, e := range over { // what a window or a duration bears out counts more
			if !windowEnd.IsZero() && e.at.Sub(windowEnd).Abs() <= time.Minute || r.measures(e) {
				last = e
				break
			}
		}
	}
	switch {
	case last != nil:
		if !windowEnd.IsZero() && windowEnd.Sub(last.at).Abs() > time.Minute {
			if w := r.entryAt(windowEnd); w != nil && w.at.Before(last.at) && r.well(w) {
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

// check takes back what contradicts itself: a record that is silent is better than one that is wrong.
func (r *reader) check() {
	drop := func(n incident.MilestoneName, why string) {
		p := r.picks[n]
		delete(r.picks, n)
		r.question("order", "milestones."+string(n), "The time of "+string(n)+" does not go with the others.", why, []string{candidate(p.at, p.evidence)}, p.line)
	}
	s, started := r.picks[incident.Started]
	res, resolved := r.picks[incident.Resolved]
	if started && resolved && res.at.Before(s.at) {
		drop(incident.Started, "It is after the end.")
		started = false
	}
	if d, ok := r.picks[incident.Detected]; ok && resolved && res.at.Before(d.at) {
		drop(incident.Resolved, "It is before anybody knew.")
		resolved = false
	}
	if m, ok := r.picks[incident.Mitigated]; ok && resolved && res.at.Before(m.at) {
		drop(incident.Mitigated, "It is after the end.")
	}
	if d, ok := r.picks[incident.Detected]; ok && started && s.at.After(d.at.Add(15*time.Minute)) {
		drop(incident.Started, "It is after the detection.")
	}
}
