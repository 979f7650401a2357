package postmortem

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// entry is one moment the document tells of: a line of a timeline, or a time in running prose.
type entry struct {
	block   int
	line    int
	st      stamp
	list    bool   // of a timeline, as against running prose
	status  string // of a status page's update: investigating, identified, monitoring, resolved, update
	section string // the kind of section it stands in, empty where none is known
	group   int    // the incident it belongs to, where the document has several
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
	taken    []bool // blocks that a status page's updates use
	newest   bool   // the entries stand newest first
	timeline bool   // it has a timeline, and prose only adds to it
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
	o.stamps = make([][]stamp, len(d.blocks))
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		o.stamps[i] = scan(b.text, b.tokens(), t)
	}
	o.findSections()
	o.taken = make([]bool, len(o.doc.blocks))
	o.statusPage()
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
			for _, lx := range o.t.all {
				if lx.has("incident", b.tokens()) {
					o.doc.title = b.orig
					return
				}
			}
		}
	}
}

// promoteHeadings makes headings of short paragraphs that are headings in all but name: a known section's name, a bold
// line, or in text copied from a page a short line without a full stop above a long one.
func (o *outline) promoteHeadings() {
	bs := o.doc.blocks
	marked := false
	for i := range bs {
		marked = marked || bs[i].kind == heading
	}
	for i := range bs {
		b := &bs[i]
		if b.kind != para || len(b.text) > 90 {
			continue
		}
		last, _ := utf8.DecodeLastRuneInString(b.text)
		bare := !strings.ContainsRune(".,;!?。、，；!?", last)
		name := o.sectionName(b)
		short := utf8.RuneCountInString(b.text) <= 45
		switch {
		case b.strong && short && bare && !leadsWithTime(b.text) && !strings.Contains(strings.TrimRight(b.text, ":"), ":"):
		case name != "" && short && bare && len(b.tokens()) <= 7 && !strings.Contains(strings.TrimRight(b.text, ":"), ": "):
		case !marked && short && bare && last != ':' && i+1 < len(bs) && bs[i+1].kind == para && len(bs[i+1].text) > 2*len(b.text) && len(bs[i+1].text) > 80 && !leadsWithTime(b.text) && i > 0 && !strings.Contains(b.text, ": "):
		default:
			continue
		}
		b.kind, b.level = heading, 3
	}
}

// sectionName is the section a heading's words open: the first that is named in it.
func (o *outline) sectionName(b *block) string {
	best, at := "", 1<<30
	for _, lx := range o.t.all {
		lx.headings.find(b.tokens(), func(m match) {
			if m.from < at {
				best, at = headingOrder[m.id], m.from
			}
		})
	}
	return best
}

// findSections gives every block the section of the nearest heading above it that names one; a heading of a lower level
// without a name of its own stays in the section it is in.
func (o *outline) findSections() {
	o.sections = make([]section, len(o.doc.blocks))
	var stack []section
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if b.kind == heading {
			for len(stack) > 0 && stack[len(stack)-1].level >= b.level {
				stack = stack[:len(stack)-1]
			}
			s := section{name: o.sectionName(b), level: b.level, head: i}
			clocked := false
			for _, st := range o.stamps[i] {
				clocked = clocked || st.hasClock || st.relative
			}
			if clocked || len(b.tokens()) > 12 {
				s.name = ""
			}
			if zs := findZones(b.text, o.t); len(zs) > 0 && !clocked {
				s.zone = zs[0]
			}
			if n := len(stack); n > 0 {
				if s.name == "" || stack[n-1].name == "chat" {
					s.name = stack[n-1].name
				}
				if !s.zone.ok() {
					s.zone = stack[n-1].zone
				}
			}
			stack = append(stack, s)
		}
		if n := len(stack); n > 0 {
			o.sections[i] = stack[n-1]
		} else {
			o.sections[i] = section{head: -1}
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
			o.row(i, cols)
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
		if ok && o.isField(b) {
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
		o.entries = append(o.entries, o.entryAt(i, at))
		last, depth = len(o.entries)-1, -1
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

// dateOnly is the date of a block that is nothing but a date, with at most a weekday or a word beside it.
func (o *outline) dateOnly(i int) (date, bool) {
	b := &o.doc.blocks[i]
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
	if b.kind == heading || o.t.main.Script != "" {
		most = 3
	}
	return st.date, words <= most
}

func (o *outline) isWeekday(w string) bool {
	for _, lx := range o.t.all {
		if lx.weekdays[w] > 0 {
			return true
		}
	}
	return false
}

func (o *outline) isNextDay(b *block) bool {
	if len(b.tokens()) > 6 {
		return false
	}
	for _, lx := range o.t.all {
		if e := matchAt(lx.nextDay, b.toks, 0); e > 0 && e >= len(b.toks)-1 {
			return true
		}
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

// columns is what the head of a table says about its columns.
type columns struct {
	set  bool
	zone map[int]zone
	end  int // the column of the end of a range, -1 where there is none
	skip map[int]bool
}

func (o *outline) columns(b *block) columns {
	c := columns{set: true, zone: map[int]zone{}, end: -1, skip: map[int]bool{}}
	for i, cell := range b.cells {
		if zs := findZones(foldWidth(cell), o.t); len(zs) > 0 {
			c.zone[i] = zs[0]
		}
		f := o.fieldName(cell)
		if f == "resolved" || f == "mitigated" {
			c.end = i
		}
		if f == "duration" {
			c.skip[i] = true
		}
	}
	return c
}

// row makes an entry of a table's row that has a time in a cell of its own.
func (o *outline) row(i int, cols columns) {
	b := &o.doc.blocks[i]
	if len(b.cells) >= 2 && o.fieldName(b.cells[0]) != "" && !leadsWithTime(b.cells[0]) {
		return // a labelled field
	}
	var e *entry
	var day date
	var words []string
	for c, cell := range b.cells {
		text := foldWidth(cell)
		if text == "" || cols.skip[c] {
			continue
		}
		toks := tokenize(text)
		stamps := scan(text, toks, o.t)
		if len(stamps) > 0 {
			st := stamps[0]
			lead := strings.TrimLeft(text[:st.start], " *[(~≈") == "" || (&scanner{s: text, toks: toks, t: o.t}).onlyJoin(0, (&scanner{s: text, toks: toks, t: o.t}).at(st.start))
			rest := strings.Trim(text[st.end:], " *])")
			switch {
			case !st.hasClock && st.date.ok() && lead && rest == "" && !st.unknown:
				day = st.date
				continue
			case (st.hasClock || st.unknown || st.relative) && lead && e == nil && (len(text)-st.end < 20 || c == 0):
				n := entry{block: i, line: b.line, st: st, list: true, section: o.sections[i].name, mark: len(o.marks), zone: st.zone}
				if z, ok := cols.zone[c]; ok && !n.zone.ok() {
					n.zone = z
				}
				if !n.zone.ok() {
					n.zone = o.sections[i].zone
				}
				e = &n
				if rest != "" && len(rest) > 2 {
					words = append(words, rest)
				}
				continue
			case st.hasClock && lead && e != nil && len(rest) <= 6:
				// The same moment in another zone, or the end of a range.
				z, ok := cols.zone[c]
				if ok && z.label == "UTC" {
					st.date = pickDate(st.date, e.st.date)
					e.st, e.zone = st, z
				} else if c == cols.end && e.st.to == nil {
					to := st
					e.st.to = &to
				}
				continue
			}
		}
		words = append(words, text)
	}
	if e == nil {
		return
	}
	if !e.st.date.ok() {
		e.st.date = day
	}
	e.row = strings.Join(words, " | ")
	o.entries = append(o.entries, *e)
}

func pickDate(a, b date) date {
	if a.ok() {
		return a
	}
	return b
}

// isField says whether a block is a labelled field rather than an entry: "Start: 14:05".
func (o *outline) isField(b *block) bool {
	label, _, ok := cutLabel(b.text)
	return ok && o.fieldName(label) != ""
}

// maxProse is the most times a paragraph of prose may hold: one with more is data.
const maxProse = 40

// prose finds the times in running text, sentence by sentence.
func (o *outline) prose() {
	inEntry := make([]bool, len(o.doc.blocks))
	n := 0
	timelineHead := false
	for _, e := range o.entries {
		inEntry[e.block] = true
		for _, b := range e.body {
			inEntry[b] = true
			for _, st := range o.stamps[b] { // a window told below a heading
				if st.to != nil && st.hasClock && st.date.ok() {
					inEntry[b] = false
				}
			}
		}
		if !e.st.unknown {
			n++
		}
		timelineHead = timelineHead || e.section == "timeline"
	}
	o.timeline = n >= 3 || n >= 2 && timelineHead
	listed := len(o.entries)
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if len(o.stamps[i]) > maxProse || inEntry[i] || b.kind != para && b.kind != item || excluded(o.sections[i].name) || o.sections[i].name == "lessons" || len(o.stamps[i]) == 0 || o.isField(b) {
			continue
		}
		o.proseBlock(i)
	}
	if !o.timeline {
		return
	}
	// With a heading that says where the timeline is, what begins with a time elsewhere is prose.
	if timelineHead {
		in := 0
		for _, e := range o.entries[:listed] {
			if e.section == "timeline" {
				in++
			}
		}
		if in >= 3 {
			for i := range o.entries[:listed] {
				if s := o.entries[i].section; s != "timeline" && s != "" {
					o.entries[i].list = false
				}
			}
		}
	}
}

// proseBlock gives every time in a block the words that go with it: its sentence, or where a sentence has several times,
// the stretch up to the next one or since the last, whichever way the sentence is built.
func (o *outline) proseBlock(i int) {
	b := &o.doc.blocks[i]
	toks := b.tokens()
	from := 0 // byte
	var idx []int
	flush := func(to int) {
		if len(idx) > 0 && len(o.entries) > 0 {
			// A sentence that begins with a time speaks for those after it that have none.
			if e := &o.entries[len(o.entries)-1]; e.block == i && !e.list && o.opens(toks, e) && e.textTo < from {
				e.textTo = o.sentences(toks, e.textTo, from, 2)
			}
		}
		for k, n := range idx {
			st := o.stamps[i][n]
			lo, hi := from, to
			if len(idx) > 1 {
				first := o.stamps[i][idx[0]]
				sc := scanner{s: b.text, toks: toks, t: o.t}
				lead := sc.onlyJoin(sc.at(from), sc.at(first.start)) || o.t.main.Script != ""
				switch {
				case lead:
					if k > 0 {
						lo = o.clauseStart(toks, o.stamps[i][idx[k-1]].end, st.start)
					}
					if k+1 < len(idx) {
						hi = o.clauseStart(toks, st.end, o.stamps[i][idx[k+1]].start)
					}
				default:
					if k > 0 {
						lo = o.stamps[i][idx[k-1]].end
					}
					if k+1 < len(idx) {
						hi = st.end
					}
				}
			}
			e := entry{block: i, line: b.line, st: st, section: o.sections[i].name, textAt: lo, textTo: hi, mark: len(o.marks), zone: st.zone}
			if !e.zone.ok() {
				e.zone = o.sections[i].zone
			}
			o.entries = append(o.entries, e)
		}
		idx = idx[:0]
	}
	k := 0
	for n, st := range o.stamps[i] {
		if !st.hasClock {
			continue
		}
		for k < len(toks) && toks[k].end <= st.start {
			if toks[k].stop {
				flush(toks[k].start)
				from = toks[k].end
			}
			k++
		}
		idx = append(idx, n)
	}
	to := len(b.text)
	for ; k < len(toks); k++ {
		if toks[k].stop && len(idx) > 0 && toks[k].start >= o.stamps[i][idx[len(idx)-1]].end {
			to = toks[k].start
			break
		}
	}
	flush(to)
	if n := len(o.entries); n > 0 {
		if e := &o.entries[n-1]; e.block == i && !e.list && e.textTo == to && o.opens(toks, e) {
			e.textTo = o.sentences(toks, to, len(b.text), 2)
		}
	}
}

// opens says whether an entry's time opens or closes its sentence, so that the next sentence is of the same moment.
func (o *outline) opens(toks []token, e *entry) bool {
	return o.wordsBetween(toks, e.textAt, e.st.start) <= 3 || o.wordsBetween(toks, e.st.end, e.textTo) == 0
}

// sentences is the end of the next n sentences after byte at, no further than to.
func (o *outline) sentences(toks []token, at, to, n int) int {
	end := to
	for _, t := range toks {
		if t.start <= at || t.start > to || !t.stop {
			continue
		}
		end = t.start
		if n--; n == 0 {
			return end
		}
	}
	return to
}

func (o *outline) wordsBetween(toks []token, from, to int) int {
	n := 0
	for _, t := range toks {
		if t.start >= from && t.end <= to && !t.comma && !t.stop {
			n++
		}
	}
	return n
}

// clauseStart is the last comma between two times, or the second time itself: where its clause begins.
func (o *outline) clauseStart(toks []token, from, to int) int {
	at := to
	for _, t := range toks {
		if t.start >= from && t.end <= to && t.comma {
			at = t.end
		}
	}
	return at
}

// words are an entry's own words with what goes on with it, each block closed by a full stop.
func (o *outline) words(e *entry) []token {
	var toks []token
	if e.row != "" {
		toks = append(toks, tokenize(e.row)...)
	} else if b := &o.doc.blocks[e.block]; e.textAt < e.textTo {
		for _, t := range b.tokens() {
			if t.start >= e.textAt && t.end <= e.textTo && !o.inDate(e.block, t) {
				toks = append(toks, t)
			}
		}
	}
	for _, i := range e.body {
		b := &o.doc.blocks[i]
		if b.kind == quote || b.kind == code || len(toks) > 4000 {
			continue
		}
		toks = append(toks, token{text: ".", stop: true})
		toks = append(toks, b.tokens()...)
	}
	return toks
}

// inDate says whether a token is part of a written date: "9 May" tells no possibility.
func (o *outline) inDate(block int, t token) bool {
	sts := o.stamps[block]
	n, _ := slices.BinarySearchFunc(sts, t.start, func(st stamp, at int) int { return cmp.Compare(st.end, at+1) })
	return n < len(sts) && sts[n].date.ok() && t.start >= sts[n].start && t.end <= sts[n].end
}

// text is an entry's own words as written.
func (o *outline) text(e *entry) string {
	if e.row != "" {
		return e.row
	}
	b := &o.doc.blocks[e.block]
	s := ""
	if e.textAt < e.textTo {
		s = runeSpan(b, e.textAt, e.textTo)
	}
	s = strings.TrimSpace(strings.TrimLeft(s, " :-–—.,)]|*"))
	if s == "" {
		for _, i := range e.body {
			if k := o.doc.blocks[i].kind; k != quote && k != code {
				return o.doc.blocks[i].orig
			}
		}
		s = b.orig
	}
	return s
}

// runeSpan is the stretch of a block as it was written, given by bytes of its folded text.
func runeSpan(b *block, from, to int) string {
	if b.orig == b.text {
		return b.orig[from:to]
	}
	lo, hi := utf8.RuneCountInString(b.text[:from]), utf8.RuneCountInString(b.text[:to])
	n := 0
	start, end := len(b.orig), len(b.orig)
	for i := range b.orig {
		if n == lo {
			start = i
		}
		if n == hi {
			end = i
			break
		}
		n++
	}
	return b.orig[min(start, end):end]
}

// evidence is the sentence a reader can find in the document: the entry from its time on, and where what it tells stands
// in a later paragraph, the sentence there.
func (o *outline) evidence(e *entry) string {
	b := &o.doc.blocks[e.block]
	if e.row != "" || e.list && e.textTo == len(b.text) || !e.list && len(b.text) <= 300 {
		s := b.orig
		if len(e.body) > 0 && len(b.text) < 40 {
			for _, i := range e.body {
				if k := o.doc.blocks[i].kind; k != quote && k != code {
					s += " " + o.doc.blocks[i].orig
					break
				}
			}
		}
		return s
	}
	return strings.TrimSpace(runeSpan(b, min(e.st.start, e.textAt), e.textTo))
}
