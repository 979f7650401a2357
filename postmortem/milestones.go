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
	sort  incident.Kind

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
	if r.sort != incident.KindIncident {
		return Found{Record: r.record(), Entries: r.table()} // an alert in a drill is no detection
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
		old, have := r.picks[name]
		if have && name != incident.Resolved {
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
			p := pick{at: at, approx: st.approx || st.hourOnly, seconds: st.seconds, confidence: c, evidence: f.whole, line: f.line}
			if have { // "Fixed at" and then "Closed at": users were well at the first
				_, well := r.picks[incident.Mitigated]
				if well || !p.at.After(old.at) || p.at.Sub(old.at) > 48*time.Hour {
					break
				}
				r.picks[incident.Mitigated] = old
			}
			r.picks[name] = p
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
	// Users are affected, told before anybody is said to know.
	for _, e := range r.es {
		if first == nil || !e.at.Before(first.at) {
			break
		}
		if t, ok := e.kinds[Failing]; ok && !t.hedged && !t.nonprod && first.at.Sub(e.at) <= 24*time.Hour && !e.kinds.has(ThirdParty, Recovered, Resolved, Ended, NotYet) {
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
		if c, ok := e.kinds[Cause]; k == Noticed && ok && !c.hedged && c.sentence == t.sentence {
			continue // who finds the cause has known for some time
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
		if t, ok := e.kinds[Noticed]; ok && !e.kinds.has(Finding) && !t.hedged && !t.nonprod && known && e != d.e && (r.by == incident.ByCustomer || r.by == "") && e.at.After(d.at) {
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
		if known && e.at.Before(d.at) || !ok || t.hedged || e.kinds.has(ThirdParty) {
			continue
		}
		if !e.list && t.sentence > 0 && known && e == d.e {
			continue // "Noticed at 09:05. A full disk was the reason." was not known at once
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
		if e := r.onlyFinding(); e != nil {
			firm = []*entry{e}
		}
	}
	if len(firm) == 0 {
		return
	}
	e := firm[0]
	for _, x := range firm { // an entry that calls it the root cause means more than one that traces something to something
		if r.namesRootCause(x) && !r.namesRootCause(e) {
			e = x
			break
		}
	}
	c := incident.ConfidenceStated
	if e.st.approx {
		c = incident.ConfidenceApproximate
	}
	r.picks[incident.Identified] = pickEntry(r.o, e, c)
	if len(firm) > 1 && firm[len(firm)-1].at.After(e.at) {
		r.askEntries("identified", "milestones.identified", "Several entries tell of the cause.", "The first is taken; a later one may be the real cause.", firm)
	}
}

func (r *reader) namesRootCause(e *entry) bool {
	t, ok := e.kinds[Cause]
	if !ok {
		return false
	}
	toks := r.o.words(e)
	for _, lx := range r.o.t.all {
		if lx.has("root_cause", toks[max(0, t.from-2):min(len(toks), t.to+2)]) {
			return true
		}
	}
	return false
}

// onlyFinding is the one entry between detection and recovery that tells what was found out, where what was found is not
// just one more symptom. Of several none is it.
func (r *reader) onlyFinding() *entry {
	d, known := r.picks[incident.Detected]
	var found *entry
	for _, e := range r.es {
		if known && e.at.Before(d.at) {
			continue
		}
		t, ok := e.kinds[Finding]
		if ok && !t.hedged && !(e == d.e && e.kinds.has(Noticed)) && !e.kinds.has(ThirdParty, Recovered, Resolved, Ended, NotYet, Alert, Report, ReportUser, Ack, Talk, FollowUp) {
			if s, ok := e.kinds[Symptom]; ok && s.sentence == t.sentence && s.to > t.from {
				continue
			}
			if found != nil {
				return nil
			}
			found = e
		}
		if r.well(e) {
			break
		}
	}
	return found
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
