package postmortem

import (
	"slices"
	"strings"
	"time"
)

// entry is one moment the document tells of: a line of a timeline, or a time in running prose.
type entry struct {
	block   int
	line    int
	st      stamp
	list    bool   // of a timeline, as against running prose
	status  string // of a status page's update: investigating, identified, monitoring, resolved, update
	section string // the kind of section it stands in, empty where none is known
	textAt  int    // bytes of the block's text where its own words begin and end
	textTo  int
	body    []int  // blocks that go on with it
	row     string // its words, where it is a row of a table
	mark    int    // date marks before it in the document
	zone    zone   // its own, its heading's or its table's; not the document's

	// set by place
	day        date
	explicit   bool // its date was written with it
	dated      bool
	suspicious bool // its date does not go with its neighbours
	at         time.Time
	end        time.Time // of a range
	cleared    bool      // its day part contradicted its hour, and another place settled it
	conflict   bool      // its zone's label contradicts the season

	kinds kindSet
}

// dateMark is a heading or a line that is nothing but a date: the entries after it are of that day.
type dateMark struct {
	block int
	day   date
	next  bool // "the next day"
}

// outline is a document with its time expressions found and its entries listed.
type outline struct {
	doc      document
	t        tongue
	stamps   [][]stamp // per block
	sections []section
	entries  []entry
	marks    []dateMark
	taken    []bool       // blocks that a status page's updates or a label above its value use
	labelOf  map[int]int  // a block that is a value -> the block above it that is its label
	logs     []*log       // tables of incidents
	logOf    map[int]*log // a row of one -> its log
	newest   bool         // the entries stand newest first
	timeline bool         // it has a timeline, and prose only adds to it
}

// section is what the heading above a block is about.
type section struct {
	name  string // of headingOrder, or empty
	level int
	head  int // block of the heading, -1 before the first
	zone  zone
}

// entriesOf lists the entries of a document.
func entriesOf(d document, t tongue) *outline {
	o := &outline{doc: d, t: t}
	o.betterTitle()
	o.promoteHeadings()
	o.t.bare = bareTimes(func(yield func(string) bool) {
		for i := range o.doc.blocks {
			if k := o.doc.blocks[i].kind; k != code && k != quote && !yield(o.doc.blocks[i].text) {
				return
			}
		}
	})
	o.stamps = make([][]stamp, len(d.blocks))
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		o.stamps[i] = scan(b.text, b.tokens(), o.t)
	}
	o.findSections()
	o.taken = make([]bool, len(o.doc.blocks))
	o.statusPage()
	o.labelLines()
	o.findLogs()
	o.list()
	o.single()
	o.prose()
	return o
}

// betterTitle looks past a page's menu: where no heading gives the title, the first of the first lines that speaks of an
// incident is it.
func (o *outline) betterTitle() {
	bs := o.doc.blocks
	for i := range bs {
		if bs[i].kind == heading && bs[i].orig == o.doc.title {
			return
		}
	}
	if len(o.doc.front) > 0 {
		return
	}
	for i := range bs[:min(len(bs), 16)] {
		if b := &bs[i]; (b.kind == para || b.kind == heading) && len(b.text) <= 160 {
			if o.t.has("incident", b.tokens()) {
				o.doc.title = b.orig
				return
			}
		}
	}
}

// excluded says whether a section's times are no events: what is to be done, what was said in a chat, what a template
// asks for.
func excluded(name string) bool { return name == "actions" || name == "chat" || name == "template" }

// list finds the entries that lines, rows and headings begin with.
func (o *outline) list() {
	var cols columns
	depth := -1 // of the item that is the last entry
	last := -1  // the last entry, while blocks may go on with it
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if b.kind != row {
			cols = columns{}
		}
		if b.ruled {
			last = -1
		}
		if o.taken[i] {
			last = -1
			continue
		}
		if excluded(o.sections[i].name) && b.kind != heading {
			last = -1
			continue
		}
		switch b.kind {
		case quote, code:
			if last >= 0 {
				o.entries[last].body = append(o.entries[last].body, i)
			}
			continue
		case row:
			last = -1
			if b.head {
				cols = o.columns(b)
				continue
			}
			if o.logOf[i] == nil {
				o.row(i, cols)
			}
			continue
		}
		if d, ok := o.dateOnly(i); ok {
			o.marks = append(o.marks, dateMark{block: i, day: d})
			last = -1
			continue
		}
		if b.kind != heading && o.isNextDay(b) {
			o.marks = append(o.marks, dateMark{block: i, next: true})
			last = -1
			continue
		}
		at, ok := o.leading(i)
		if ok && o.isField(i) {
			ok = false
		}
		if ok && b.kind == heading && o.doc.title == b.orig {
			ok = false
		}
		if !ok {
			switch {
			case b.kind == heading:
				// A date in a heading holds for the entries below it.
				for _, st := range o.stamps[i] {
					if st.date.full() || st.date.a > 0 {
						o.marks = append(o.marks, dateMark{block: i, day: st.date})
						break
					}
				}
				last = -1
			case last >= 0 && o.goesOn(last, i, depth):
				e := &o.entries[last]
				e.body = append(e.body, i)
			case b.kind == item && last >= 0 && b.level <= depth:
				last = -1
			}
			continue
		}
		e := o.entryAt(i, at)
		if n := o.tokensBefore(i, e.st.start); n > 0 && n <= 3 {
			e.status = o.statusWord(b.toks[:n]) // "[Monitoring] 23:05 UTC …"
		} else if n := o.tokensBefore(i, e.textAt); n > 0 && n < len(b.toks) && e.st.date.ok() {
			if e.status = o.statusWord(b.toks[n:]); e.status != "" { // "Aug 9, 18:33 UTC Monitoring", its words below
				e.textAt = e.textTo
			}
		}
		o.entries = append(o.entries, e)
		depth = -1
		if b.kind == item {
			depth = b.level
		}
		o.glued(i, at)
		last = len(o.entries) - 1
	}
}

// goesOn says whether block i belongs to the last entry: what is nested below an item, the paragraphs below a heading or
// below a paragraph that begins with a time.
func (o *outline) goesOn(last, i, depth int) bool {
	e := &o.entries[last]
	b := &o.doc.blocks[i]
	if len(e.body) >= 40 {
		return false
	}
	switch o.doc.blocks[e.block].kind {
	case heading:
		return true
	case item:
		return b.kind == item && b.level > depth || b.kind == para && b.line == o.doc.blocks[i-1].line+1 && i == e.block+1 && len(b.text) < 200
	}
	if strings.TrimLeft(o.doc.blocks[e.block].text[:e.st.start], " *[(~") != "" {
		return false // "At 14:05 we …" is prose: the next paragraph is not of that moment
	}
	return b.kind == para || b.kind == item
}

// entryAt makes the entry of block i whose stamp is number k.
func (o *outline) entryAt(i, k int) entry {
	b := &o.doc.blocks[i]
	st := o.stamps[i][k]
	e := entry{block: i, line: b.line, st: st, list: true, section: o.sections[i].name, textAt: st.end, textTo: len(b.text), mark: len(o.marks), zone: st.zone}
	if st.to != nil {
		e.textAt = st.to.end
	}
	// The same moment in a second zone is not the entry's words.
	for n := k + 1; n < len(o.stamps[i]) && n <= k+2; n++ {
		next := o.stamps[i][n]
		gap := strings.Trim(b.text[e.textAt:max(e.textAt, next.start)], " ")
		if next.hasClock && next.zone.ok() && (gap == "(" || gap == "/" || gap == "|") {
			e.textAt = next.end
			if next.zone.label == "UTC" && !st.zone.fixed { // an offset beats a name
				e.st, e.zone = next, next.zone
				if !e.st.date.ok() {
					e.st.date = st.date
				}
			}
		}
	}
	if !e.zone.ok() {
		e.zone = o.sections[i].zone
	}
	return e
}

// leading is the stamp a block begins with: only marks, and words that announce a time, stand before it.
func (o *outline) leading(i int) (k int, ok bool) {
	b := &o.doc.blocks[i]
	for k, st := range o.stamps[i] {
		if !st.hasClock && !st.unknown && !st.relative {
			if st.date.ok() && k == 0 {
				continue
			}
			return 0, false
		}
		from := 0
		if k > 0 {
			// "Monday 3 March – 14:05": a date that did not join.
			if o.stamps[i][k-1].hasClock {
				return 0, false
			}
			from = o.stamps[i][k-1].end
			if strings.Trim(b.text[from:st.start], " ,-–—:|()[]") != "" {
				return 0, false
			}
			if !st.date.ok() {
				o.stamps[i][k].date = o.stamps[i][k-1].date
			}
			from = 0
			if strings.TrimLeft(b.text[:o.stamps[i][k-1].start], " *[(#-–—") == "" {
				return k, true
			}
		}
		before := b.text[from:st.start]
		if strings.TrimLeft(before, " *[(#-–—~≈@\"'`|") == "" {
			return k, true
		}
		if len(before) > 40 {
			return 0, false
		}
		// "At 14:05", "Pada pukul 05.30", "Tue 14:20"
		sc := scanner{s: b.text, toks: b.tokens(), t: o.t}
		n := sc.at(st.start)
		if sc.onlyJoin(0, n) {
			return k, true
		}
		if n <= 3 && o.statusWord(b.toks[:n]) != "" {
			return k, true
		}
		return 0, false
	}
	return 0, false
}

// tokensBefore is how many tokens of a block stand before byte at.
func (o *outline) tokensBefore(i, at int) int {
	n := 0
	for toks := o.doc.blocks[i].tokens(); n < len(toks) && toks[n].end <= at; n++ {
	}
	return n
}

// dateOnly is the date of a block that is nothing but a date, with at most a weekday or a word beside it.
func (o *outline) dateOnly(i int) (date, bool) {
	b := &o.doc.blocks[i]
	if d, ok := o.bareDay(i); ok {
		return d, true
	}
	if len(o.stamps[i]) != 1 || len(b.text) > 60 {
		return date{}, false
	}
	st := o.stamps[i][0]
	if st.hasClock || !st.date.ok() {
		return date{}, false
	}
	words := 0
	for _, t := range b.tokens() {
		if !t.stop && !t.comma && (t.end <= st.start || t.start >= st.end) && !o.isWeekday(t.text) {
			words++
		}
	}
	most := 0
	if b.kind == heading || o.t.Script != "" {
		most = 3
	}
	return st.date, words <= most
}

// bareDay is the day of an item such as "11/27" with the times of that day nested below it.
func (o *outline) bareDay(i int) (date, bool) {
	b := &o.doc.blocks[i]
	if len(o.stamps[i]) > 0 || len(b.text) > 5 || b.kind != item || i+1 == len(o.doc.blocks) {
		return date{}, false
	}
	next := &o.doc.blocks[i+1]
	if k, ok := o.leading(i + 1); !ok || next.kind != item || next.level <= b.level || !o.stamps[i+1][k].hasClock || o.stamps[i+1][k].date.ok() {
		return date{}, false
	}
	v, n := digits(b.text, 0)
	if n < 1 || n > 2 || n >= len(b.text) || b.text[n] != '/' {
		return date{}, false
	}
	w, k := digits(b.text, n+1)
	if k < 1 || k > 2 || n+1+k != len(b.text) || v < 1 || w < 1 || v > 31 || w > 31 || v > 12 && w > 12 {
		return date{}, false
	}
	if o.t.Script != "" && v <= 12 {
		return date{m: v, d: w}, true // Japanese and Chinese put the month first
	}
	return numeric(0, v, w), true
}

func (o *outline) isWeekday(w string) bool {
	if o.t.weekdays[w] > 0 {
		return true
	}
	return false
}

func (o *outline) isNextDay(b *block) bool {
	if len(b.tokens()) > 6 {
		return false
	}
	if e := matchAt(o.t.nextDay, b.toks, 0); e > 0 && e >= len(b.toks)-1 {
		return true
	}
	return false
}

// glued cuts entries apart that a copied page ran together: "… expired. - 2024-01-12 00:49 UTC The renewal …".
func (o *outline) glued(i, k int) {
	b := &o.doc.blocks[i]
	for n := k + 1; n < len(o.stamps[i]) && n <= k+maxProse; n++ {
		st := o.stamps[i][n]
		before := strings.TrimRight(b.text[:st.start], " ")
		if !st.hasClock || !(strings.HasSuffix(before, "•") || st.date.y > 0 && (strings.HasSuffix(before, " -") || strings.HasSuffix(before, ".-") || strings.HasSuffix(before, "–"))) {
			continue
		}
		prev := &o.entries[len(o.entries)-1]
		prev.textTo = len(strings.TrimRight(before, " -•–"))
		o.entries = append(o.entries, o.entryAt(i, n))
	}
}

// single takes a lone line that begins with a time for the prose it is: one line is no timeline.
func (o *outline) single() {
	n, heads := 0, false
	for i := range o.entries {
		if e := &o.entries[i]; !e.st.unknown && !o.wordy(e) {
			n++
			heads = heads || e.section == "timeline" || e.status != "" || e.row != ""
		}
	}
	if n == 0 || n == 1 && !heads {
		o.entries = nil
	} else if n >= 2 {
		o.entries = slices.DeleteFunc(o.entries, func(e entry) bool { return e.list && o.wordy(&e) && n > 2 && e.section != "timeline" })
	}
}

// wordy says whether an entry is a paragraph of prose that happens to begin with a time.
func (o *outline) wordy(e *entry) bool {
	b := &o.doc.blocks[e.block]
	if b.kind != para || e.row != "" || e.status != "" {
		return false
	}
	if strings.TrimLeft(b.text[:e.st.start], " *[(~≈") != "" || e.st.to != nil && e.st.date.ok() {
		return true // "At 14:05 we …"
	}
	for _, st := range o.stamps[e.block] {
		if st.hasClock && st.start > e.st.end && strings.ContainsAny(b.text[e.st.end:st.start], ".。") {
			return true // several sentences with times of their own
		}
	}
	return false
}

// mode is how an entry tells something: firmly, or so that it may not be so.
func (e *entry) mode(k Kind) string {
	t := e.kinds[k]
	switch {
	case t.nonprod:
		return "nonprod"
	case t.hedged:
		return "hedged"
	case slices.Contains([]Kind{Recovered, Resolved, Ended, SelfHealed, FixLive}, k):
		if n, ok := e.kinds[NotYet]; ok && n.sentence >= t.sentence {
			return "undone"
		}
		if e.kinds.ofSupplier() {
			return "of a supplier"
		}
		if t.weak {
			return "weak"
		}
	}
	return "firm"
}

// says says whether an entry tells one of the kinds firmly.
func (e *entry) says(kinds ...Kind) bool {
	for _, k := range kinds {
		if _, ok := e.kinds[k]; ok {
			if m := e.mode(k); m == "firm" || m == "weak" {
				return true
			}
		}
	}
	return false
}
