// Package milestones makes the record of one incident: what rules take for its milestones, every moment that may be one, the
// choice between them by the weights of package extract, and what stays open as questions.
package milestones

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/document"
	"meantime/postmortem/events"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// Reader makes the record of one incident from the entries, fields, windows and durations that tell of it.
type Reader struct {
	Outline   *timeline.Outline
	Fields    []timeline.Field
	Calendar  *calendar.Calendar
	Zone      calendar.ZoneChoice
	Order     []calendar.DayQuestion
	Group     events.Group
	Of        int // incidents in the document
	Sort      incident.Kind
	Suppliers *events.Suppliers
	Known     *Services // that it may name; nil for none

	own   []*timeline.Entry // every entry of the incident, in the order of the document
	es    []*timeline.Entry // those that count, by time
	ws    []calendar.Window
	ds    []timex.Duration
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
	e          *timeline.Entry // nil where a field or a window tells it
	declared   bool            // by the form of the document: its front matter, or the column of a log of incidents
}

func pickEntry(o *timeline.Outline, e *timeline.Entry, c incident.Confidence) pick {
	return pick{at: e.At, approx: e.Stamp.Approx || e.Stamp.HourOnly || e.Stamp.To != nil, seconds: e.Stamp.Seconds, confidence: c,
		evidence: o.Evidence(e), line: e.Line, e: e}
}

// Read reads the incident.
func (r *Reader) Read() (Found, error) {
	r.picks = map[incident.MilestoneName]pick{}
	for _, i := range r.Group.Entries {
		r.own = append(r.own, &r.Outline.Entries[i])
	}
	if r.Sort != incident.KindIncident {
		if r.Outline.StatusFile() { // it says when the work was to begin and to end
			r.fromFields()
		}
		return Found{Record: r.record(), Entries: r.table()}, nil // an alert in a drill is no detection
	}
	r.collect()
	if r.Group.Own || r.Of > 1 {
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
func (r *Reader) collect() {
	for _, e := range r.own {
		if e.At.IsZero() || e.Suspicious || r.Outline.Timeline && !e.List {
			continue
		}
		if len(r.es) < maxEntries {
			r.es = append(r.es, e)
		}
	}
	slices.SortStableFunc(r.es, func(a, b *timeline.Entry) int { return a.At.Compare(b.At) })
}

// inGroup says whether a block stands in the part of the document that tells of this incident.
func (r *Reader) inGroup(block int) bool {
	return block < 0 || r.Of == 1 || block >= r.Group.From && block < r.Group.To && !r.splitByTime()
}

func (r *Reader) splitByTime() bool { return r.Of > 1 && r.Group.From == 0 && r.Group.Title == "" }

func (r *Reader) windowsOfGroup() (ws []calendar.Window) {
	if r.splitByTime() {
		return nil
	}
	for _, w := range calendar.Windows(r.Outline, r.Fields, r.Calendar, r.Zone.Zone) {
		if r.Of > 1 {
			if b := r.blockAt(w.Line); !r.inGroup(b) {
				continue
			}
			w.Coherent = true
		}
		ws = append(ws, w)
	}
	return ws
}

func (r *Reader) blockAt(line int) int {
	n, _ := slices.BinarySearchFunc(r.Outline.Document.Blocks, line, func(b document.Block, l int) int { return cmp.Compare(b.Line, l) })
	return n
}

// durations lists what the document says of how long the incident took.
func (r *Reader) durations() (ds []timex.Duration) {
	for _, f := range r.Fields {
		if f.Name == "duration" && r.inGroup(f.Block) {
			if found := timex.DurationsIn(lexicon.Tokenize(f.Text), r.Outline.Tongue); len(found) > 0 {
				d := found[0]
				d.Whole, d.Block, d.Line = true, f.Block, f.Line
				ds = append(ds, d)
			}
		}
	}
	for i := range r.Outline.Document.Blocks {
		b := &r.Outline.Document.Blocks[i]
		s := r.Outline.Sections[i].Name
		if !r.inGroup(i) || b.Kind == document.Code || b.Kind == document.Quote || b.Kind == document.Row || timeline.Excluded(s) ||
			s == "lessons" || b.Kind == document.Heading && b.Orig != r.Outline.Document.Title || len(ds) > 50 {
			continue
		}
		toks := b.Tokens()
		for _, d := range timex.DurationsIn(toks, r.Outline.Tongue) {
			lo, hi := d.From, d.To
			for lo > 0 && !toks[lo-1].Stop && d.From-lo < 14 {
				lo--
			}
			for hi < len(toks) && !toks[hi].Stop && hi-d.To < 10 {
				hi++
			}
			whole := false
			r.Outline.Tongue.Total.Find(toks[lo:hi], func(lexicon.Match) { whole = true })
			if !whole {
				// "2025-06-30 12:45 IDT · 1 hour, 2 minutes": a length right behind a moment.
				for _, st := range r.Outline.Stamps[i] {
					if st.HasClock && st.To == nil && st.Date.OK() && toks[d.From].Start > st.End &&
						strings.Trim(b.Text[st.End:toks[d.From].Start], " ·|-–—•(") == "" {
						whole = true
					}
				}
			}
			if whole {
				d.Whole, d.Block, d.Line = true, i, b.Line
				ds = append(ds, d)
			}
		}
	}
	return ds
}

// fromFields takes what labelled fields state: the document's own summary counts first.
func (r *Reader) fromFields() {
	for _, f := range r.Fields {
		name := incident.MilestoneName(f.Name)
		if !name.Valid() || !r.inGroup(f.Block) || r.splitByTime() {
			continue
		}
		old, have := r.picks[name]
		if have && name != incident.Resolved {
			continue
		}
		for _, st := range f.Stamps {
			if !st.HasClock {
				continue
			}
			e := calendar.MomentOf(r.Outline, st, f.Block, r.Calendar, r.Zone.Zone)
			if e.At.IsZero() {
				break
			}
			c := incident.ConfidenceStated
			if st.Approx {
				c = incident.ConfidenceApproximate
			}
			// A date left out of the end of a field after midnight.
			at := e.At
			if s, ok := r.picks[incident.Started]; ok && name != incident.Started && !st.Date.OK() && at.Before(s.at) &&
				s.at.Sub(at) < 24*time.Hour {
				at = at.Add(24 * time.Hour)
			}
			p := pick{at: at, approx: st.Approx || st.HourOnly, seconds: st.Seconds, confidence: c, evidence: f.Whole, line: f.Line,
				declared: f.Front || r.Outline.LogOf[f.Block] != nil}
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

var awareKinds = []lexicon.Kind{lexicon.Alert, lexicon.ReportUser, lexicon.ReportSupport, lexicon.Report, lexicon.Noticed}

// firstAware is the first entry that tells that somebody of ours knew.
func (r *Reader) firstAware() *timeline.Entry {
	for i, e := range r.es {
		if i > 0 && e.Kinds.Has(lexicon.Relapse) { // who notices it again has known
			continue
		}
		if !r.beforeStart(e) && r.aware(e) != "" {
			return e
		}
	}
	return nil
}

// beforeStart says whether an entry tells of a time well before users began to be affected.
func (r *Reader) beforeStart(e *timeline.Entry) bool {
	s, known := r.picks[incident.Started]
	return known && e.At.Before(s.at.Add(-30*time.Minute))
}

// atWork says whether entries before one tell that somebody worked on it: that somebody began to, and more.
func (r *Reader) atWork(before *timeline.Entry) bool {
	began, more := false, 0
	for _, e := range r.es {
		if r.beforeStart(e) || !e.At.Before(before.At.Add(-time.Minute)) {
			continue
		}
		for _, k := range []lexicon.Kind{lexicon.Ack, lexicon.Attempt, lexicon.Finding, lexicon.Cause} {
			t, ok := e.Kinds[k]
			if !ok || t.Hedged || t.Nonprod {
				continue
			}
			began = began || k == lexicon.Ack && !slices.ContainsFunc([]lexicon.Kind{lexicon.Failing, lexicon.ImpactStart, lexicon.Trigger},
				func(k lexicon.Kind) bool {
					x, ok := e.Kinds[k]
					return ok && x.Sentence == t.Sentence
				})
			more++
			break
		}
	}
	return began && more > 1
}

// aware is how an entry tells that somebody of ours knew; empty where it does not.
func (r *Reader) aware(e *timeline.Entry) lexicon.Kind {
	best := lexicon.Kind("")
	at := 1 << 30
	for _, k := range awareKinds {
		t, ok := e.Kinds[k]
		if !ok || t.Hedged || t.Nonprod {
			continue
		}
		if c, ok := e.Kinds[lexicon.Cause]; k == lexicon.Noticed && ok && !c.Hedged && c.Sentence == t.Sentence {
			continue // who finds the cause has known for some time
		}
		// What an entry says first is what it is about; a person named is more than "reported".
		if t.From < at-3 || best == "" || best == lexicon.Report {
			best, at = k, t.From
		}
	}
	return best
}

// detected looks for when the organisation first knew.
func (r *Reader) detected() {
	e := r.firstAware()
	for _, x := range r.es { // who declares an incident knows of it
		if x.Kinds.Has(lexicon.Declared) && (e == nil || x.At.Before(e.At)) {
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
	if e.Stamp.Approx {
		c = incident.ConfidenceApproximate
	} else if r.aware(e) == "" {
		c = incident.ConfidenceInferred
	}
	r.picks[incident.Detected] = pickEntry(r.Outline, e, c)
}

// whoKnew is who an entry says knew first, empty where it does not say.
func (r *Reader) whoKnew(e *timeline.Entry) incident.DetectedBy {
	switch r.aware(e) {
	case lexicon.Alert:
		return incident.ByAlert
	case lexicon.ReportUser:
		return incident.ByCustomer
	case lexicon.Noticed, lexicon.ReportSupport:
		return incident.ByStaff
	}
	return ""
}

func (r *Reader) byFields() {
	for _, f := range r.Fields {
		if f.Name == "detected_by" && r.inGroup(f.Block) {
			r.byField(f)
		}
	}
}

// byField reads who detected it from a field's words.
func (r *Reader) byField(f timeline.Field) {
	toks := lexicon.Tokenize(f.Text)
	switch {
	case r.Outline.Tongue.Has("monitor", toks) || r.Outline.Tongue.Has("alert_word", toks):
		r.by = incident.ByAlert
		return
	case r.Outline.Tongue.Has("user", toks):
		r.by = incident.ByCustomer
		return
	case r.Outline.Tongue.Has("supplier", toks):
		r.by = incident.ByThirdParty
		return
	case r.Outline.Tongue.Has("team", toks):
		r.by = incident.ByStaff
		return
	}
}

// acknowledged looks for when somebody began to work on it.
func (r *Reader) acknowledged() {
	if _, ok := r.picks[incident.Acknowledged]; ok {
		return
	}
	d, known := r.picks[incident.Detected]
	var declared *timeline.Entry
	for _, e := range r.es {
		if known && e.At.Before(d.at) {
			continue
		}
		if t, ok := e.Kinds[lexicon.Ack]; ok && !t.Hedged && !t.Nonprod {
			c := incident.ConfidenceStated
			if e.Status != "" || known && d.e == e {
				c = incident.ConfidenceInferred // the report and the work in one entry, or the time of a post
			}
			r.picks[incident.Acknowledged] = pickEntry(r.Outline, e, c)
			return
		}
		// Users told it, and then one of us saw it.
		if t, ok := e.Kinds[lexicon.Noticed]; ok && !e.Kinds.Has(lexicon.Finding) && !t.Hedged && !t.Nonprod && known && e != d.e &&
			(r.by == incident.ByCustomer || r.by == "") && e.At.After(d.at) {
			r.picks[incident.Acknowledged] = pickEntry(r.Outline, e, incident.ConfidenceStated)
			return
		}
		if e.Kinds.Has(lexicon.Declared) && declared == nil {
			declared = e
		}
	}
	if declared != nil {
		r.picks[incident.Acknowledged] = pickEntry(r.Outline, declared, incident.ConfidenceInferred)
	}
}

// check takes back what contradicts itself: a record that is silent is better than one that is wrong.
func (r *Reader) check() {
	drop := func(n incident.MilestoneName, why string) {
		p := r.picks[n]
		delete(r.picks, n)
		r.question("order", "milestones."+string(n), "The time of "+string(n)+" does not go with the others.", why,
			[]string{candidate(p.at, p.evidence)}, p.line)
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
