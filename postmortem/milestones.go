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
	sup   *suppliers

	own   []*entry // every entry of the incident, in the order of the document
	es    []*entry // those that count, by time
	ws    []window
	ds    []duration
	picks map[incident.MilestoneName]pick
	qs    []incident.Question

	suggested map[incident.MilestoneName][]suggestion // what may be a milestone, the likeliest first
	by        incident.DetectedBy

	weakCounts  bool // nothing firmer than "it looks healthy" is said of the recovery
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
	declared   bool   // by the form of the document: its front matter, or the column of a log of incidents
}

func pickEntry(o *outline, e *entry, c incident.Confidence) pick {
	return pick{at: e.at, approx: e.st.approx || e.st.hourOnly || e.st.to != nil, seconds: e.st.seconds, confidence: c, evidence: o.evidence(e), line: e.line, e: e}
}

// found reads the incident.
func (r *reader) found() (Found, error) {
	r.picks = map[incident.MilestoneName]pick{}
	for _, i := range r.group.entries {
		r.own = append(r.own, &r.o.entries[i])
	}
	if r.sort != incident.KindIncident {
		if r.o.statusFile() { // it says when the work was to begin and to end
			r.fromFields()
		}
		return Found{Record: r.record(), Entries: r.table()}, nil // an alert in a drill is no detection
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
	r.fromFront()
	r.proveStart()
	r.check()
	c := r.candidates()
	if err := r.choose(c); err != nil {
		return Found{}, err
	}
	r.ask()
	return Found{Record: r.record(), Questions: r.qs, Entries: r.table(), Problem: &c.problem, Weighed: r.weighed()}, nil
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
			r.o.t.total.find(toks[lo:hi], func(match) { whole = true })
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
			p := pick{at: at, approx: st.approx || st.hourOnly, seconds: st.seconds, confidence: c, evidence: f.whole, line: f.line,
				declared: f.front || r.o.logOf[f.block] != nil}
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

var awareKinds = []Kind{Alert, ReportUser, ReportSupport, Report, Noticed}

// firstAware is the first entry that tells that somebody of ours knew.
func (r *reader) firstAware() *entry {
	for i, e := range r.es {
		if i > 0 && e.kinds.has(Relapse) { // who notices it again has known
			continue
		}
		if !r.beforeStart(e) && r.aware(e) != "" {
			return e
		}
	}
	return nil
}

// beforeStart says whether an entry tells of a time well before users began to be affected.
func (r *reader) beforeStart(e *entry) bool {
	s, known := r.picks[incident.Started]
	return known && e.at.Before(s.at.Add(-30*time.Minute))
}

// atWork says whether entries before one tell that somebody worked on it: that somebody began to, and more.
func (r *reader) atWork(before *entry) bool {
	began, more := false, 0
	for _, e := range r.es {
		if r.beforeStart(e) || !e.at.Before(before.at.Add(-time.Minute)) {
			continue
		}
		for _, k := range []Kind{Ack, Attempt, Finding, Cause} {
			t, ok := e.kinds[k]
			if !ok || t.hedged || t.nonprod {
				continue
			}
			began = began || k == Ack && !slices.ContainsFunc([]Kind{Failing, ImpactStart, Trigger}, func(k Kind) bool {
				x, ok := e.kinds[k]
				return ok && x.sentence == t.sentence
			})
			more++
			break
		}
	}
	return began && more > 1
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
	if e != nil && r.atWork(e) {
		e = nil // who works on it has known
	}
	if e != nil {
		r.by = r.whoKnew(e)
	}
	r.byFields()
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

// whoKnew is who an entry says knew first, empty where it does not say.
func (r *reader) whoKnew(e *entry) incident.DetectedBy {
	switch r.aware(e) {
	case Alert:
		return incident.ByAlert
	case ReportUser:
		return incident.ByCustomer
	case Noticed, ReportSupport:
		return incident.ByStaff
	}
	return ""
}

func (r *reader) byFields() {
	for _, f := range r.fs {
		if f.name == "detected_by" && r.inGroup(f.block) {
			r.byField(f)
		}
	}
}

// byField reads who detected it from a field's words.
func (r *reader) byField(f field) {
	toks := tokenize(f.text)
	switch {
	case r.o.t.has("monitor", toks) || r.o.t.has("alert_word", toks):
		r.by = incident.ByAlert
		return
	case r.o.t.has("user", toks):
		r.by = incident.ByCustomer
		return
	case r.o.t.has("supplier", toks):
		r.by = incident.ByThirdParty
		return
	case r.o.t.has("team", toks):
		r.by = incident.ByStaff
		return
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
