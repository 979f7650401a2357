// Package timeline lists what a document tells in order of time: the entries of its lists, tables, updates and prose, the
// sections they stand in, and the labelled fields beside them.
package timeline

import (
	"slices"
	"strings"
	"time"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// Entry is one moment the document tells of: a line of a timeline, or a time in running prose.
type Entry struct {
	Block   int
	Line    int
	Stamp   timex.Stamp
	List    bool   // of a timeline, as against running prose
	Status  string // of a status page's update: investigating, identified, monitoring, resolved, update
	Section string // the kind of section it stands in, empty where none is known
	textAt  int    // bytes of the block's text where its own words begin and end
	TextTo  int
	Body    []int      // blocks that go on with it
	Row     string     // its words, where it is a row of a table
	Mark    int        // date marks before it in the document
	Zone    timex.Zone // its own, its heading's or its table's; not the document's

	// set by place
	Day        timex.Date
	Explicit   bool // its date was written with it
	Dated      bool
	Suspicious bool // its date does not go with its neighbours
	At         time.Time
	End        time.Time // of a range
	Cleared    bool      // its day part contradicted its hour, and another place settled it
	Conflict   bool      // its zone's label contradicts the season

	Kinds lexicon.KindSet
	Rules []string // the names of the rules by which the words tell more or less than they say
}

// dateMark is a heading or a line that is nothing but a date: the entries after it are of that day.
type dateMark struct {
	block int
	Day   timex.Date
	Next  bool // "the next day"
}

// Outline is a document with its time expressions found and its entries listed.
type Outline struct {
	Document document.Document
	Tongue   lexicon.Tongue
	Stamps   [][]timex.Stamp // per block
	Sections []section
	Entries  []Entry
	Marks    []dateMark
	Taken    []bool       // blocks that a status page's updates or a label above its value use
	LabelOf  map[int]int  // a block that is a value -> the block above it that is its label
	Logs     []*Log       // tables of incidents
	LogOf    map[int]*Log // a row of one -> its log
	Newest   bool         // the entries stand newest first
	Timeline bool         // it has a timeline, and prose only adds to it
}

// section is what the heading above a block is about.
type section struct {
	Name  string // of headingOrder, or empty
	level int
	Head  int // block of the heading, -1 before the first
	zone  timex.Zone
}

// Of lists the entries of a document.
func Of(d document.Document, t lexicon.Tongue) *Outline {
	o := &Outline{Document: d, Tongue: t}
	o.betterTitle()
	o.promoteHeadings()
	o.Tongue.Bare = document.BareTimes(func(yield func(string) bool) {
		for i := range o.Document.Blocks {
			if k := o.Document.Blocks[i].Kind; k != document.Code && k != document.Quote && !yield(o.Document.Blocks[i].Text) {
				return
			}
		}
	})
	o.Stamps = make([][]timex.Stamp, len(d.Blocks))
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		o.Stamps[i] = timex.Scan(b.Text, b.Tokens(), o.Tongue)
	}
	o.findSections()
	o.Taken = make([]bool, len(o.Document.Blocks))
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
func (o *Outline) betterTitle() {
	bs := o.Document.Blocks
	for i := range bs {
		if bs[i].Kind == document.Heading && bs[i].Orig == o.Document.Title {
			return
		}
	}
	if len(o.Document.Front) > 0 {
		return
	}
	for i := range bs[:min(len(bs), 16)] {
		if b := &bs[i]; (b.Kind == document.Para || b.Kind == document.Heading) && len(b.Text) <= 160 {
			if o.Tongue.Has("incident", b.Tokens()) {
				o.Document.Title = b.Orig
				return
			}
		}
	}
}

// Excluded says whether a section's times are no events: what is to be done, what was said in a chat, what a template
// asks for.
func Excluded(name string) bool { return name == "actions" || name == "chat" || name == "template" }

// list finds the entries that lines, rows and headings begin with.
func (o *Outline) list() {
	var cols columns
	depth := -1 // of the item that is the last entry
	last := -1  // the last entry, while blocks may go on with it
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		if b.Kind != document.Row {
			cols = columns{}
		}
		if b.Ruled {
			last = -1
		}
		if o.Taken[i] {
			last = -1
			continue
		}
		if Excluded(o.Sections[i].Name) && b.Kind != document.Heading {
			last = -1
			continue
		}
		switch b.Kind {
		case document.Quote, document.Code:
			if last >= 0 {
				o.Entries[last].Body = append(o.Entries[last].Body, i)
			}
			continue
		case document.Row:
			last = -1
			if b.Head {
				cols = o.columns(b)
				continue
			}
			if o.LogOf[i] == nil {
				o.row(i, cols)
			}
			continue
		}
		if d, ok := o.dateOnly(i); ok {
			o.Marks = append(o.Marks, dateMark{block: i, Day: d})
			last = -1
			continue
		}
		if b.Kind != document.Heading && o.isNextDay(b) {
			o.Marks = append(o.Marks, dateMark{block: i, Next: true})
			last = -1
			continue
		}
		at, ok := o.leading(i)
		if ok && o.IsField(i) {
			ok = false
		}
		if ok && b.Kind == document.Heading && o.Document.Title == b.Orig {
			ok = false
		}
		if !ok {
			switch {
			case b.Kind == document.Heading:
				// A date in a heading holds for the entries below it.
				for _, st := range o.Stamps[i] {
					if st.Date.Full() || st.Date.A > 0 {
						o.Marks = append(o.Marks, dateMark{block: i, Day: st.Date})
						break
					}
				}
				last = -1
			case last >= 0 && o.goesOn(last, i, depth):
				e := &o.Entries[last]
				e.Body = append(e.Body, i)
			case b.Kind == document.Item && last >= 0 && b.Level <= depth:
				last = -1
			}
			continue
		}
		e := o.entryAt(i, at)
		if n := o.tokensBefore(i, e.Stamp.Start); n > 0 && n <= 3 {
			e.Status = o.statusWord(b.Toks[:n]) // "[Monitoring] 23:05 UTC …"
		} else if n := o.tokensBefore(i, e.textAt); n > 0 && n < len(b.Toks) && e.Stamp.Date.OK() {
			if e.Status = o.statusWord(b.Toks[n:]); e.Status != "" { // "Aug 9, 18:33 UTC Monitoring", its words below
				e.textAt = e.TextTo
			}
		}
		o.Entries = append(o.Entries, e)
		depth = -1
		if b.Kind == document.Item {
			depth = b.Level
		}
		o.glued(i, at)
		last = len(o.Entries) - 1
	}
}

// goesOn says whether block i belongs to the last entry: what is nested below an item, the paragraphs below a heading or
// below a paragraph that begins with a time.
func (o *Outline) goesOn(last, i, depth int) bool {
	e := &o.Entries[last]
	b := &o.Document.Blocks[i]
	if len(e.Body) >= 40 {
		return false
	}
	switch o.Document.Blocks[e.Block].Kind {
	case document.Heading:
		return true
	case document.Item:
		return b.Kind == document.Item && b.Level > depth || b.Kind == document.Para && b.Line == o.Document.Blocks[i-1].Line+1 &&
			i == e.Block+1 && len(b.Text) < 200
	}
	if strings.TrimLeft(o.Document.Blocks[e.Block].Text[:e.Stamp.Start], " *[(~") != "" {
		return false // "At 14:05 we …" is prose: the next paragraph is not of that moment
	}
	return b.Kind == document.Para || b.Kind == document.Item
}

// entryAt makes the entry of block i whose stamp is number k.
func (o *Outline) entryAt(i, k int) Entry {
	b := &o.Document.Blocks[i]
	st := o.Stamps[i][k]
	e := Entry{Block: i, Line: b.Line, Stamp: st, List: true, Section: o.Sections[i].Name, textAt: st.End, TextTo: len(b.Text),
		Mark: len(o.Marks), Zone: st.Zone}
	if st.To != nil {
		e.textAt = st.To.End
	}
	// The same moment in a second zone is not the entry's words.
	for n := k + 1; n < len(o.Stamps[i]) && n <= k+2; n++ {
		next := o.Stamps[i][n]
		gap := strings.Trim(b.Text[e.textAt:max(e.textAt, next.Start)], " ")
		if next.HasClock && next.Zone.OK() && (gap == "(" || gap == "/" || gap == "|") {
			e.textAt = next.End
			if next.Zone.Label == "UTC" && !st.Zone.Fixed { // an offset beats a name
				e.Stamp, e.Zone = next, next.Zone
				if !e.Stamp.Date.OK() {
					e.Stamp.Date = st.Date
				}
			}
		}
	}
	if !e.Zone.OK() {
		e.Zone = o.Sections[i].zone
	}
	return e
}

// leading is the stamp a block begins with: only marks, and words that announce a time, stand before it.
func (o *Outline) leading(i int) (k int, ok bool) {
	b := &o.Document.Blocks[i]
	for k, st := range o.Stamps[i] {
		if !st.HasClock && !st.Unknown && !st.Relative {
			if st.Date.OK() && k == 0 {
				continue
			}
			return 0, false
		}
		from := 0
		if k > 0 {
			// "Monday 3 March – 14:05": a date that did not join.
			if o.Stamps[i][k-1].HasClock {
				return 0, false
			}
			from = o.Stamps[i][k-1].End
			if strings.Trim(b.Text[from:st.Start], " ,-–—:|()[]") != "" {
				return 0, false
			}
			if !st.Date.OK() {
				o.Stamps[i][k].Date = o.Stamps[i][k-1].Date
			}
			from = 0
			if strings.TrimLeft(b.Text[:o.Stamps[i][k-1].Start], " *[(#-–—") == "" {
				return k, true
			}
		}
		before := b.Text[from:st.Start]
		if strings.TrimLeft(before, " *[(#-–—~≈@\"'`|") == "" {
			return k, true
		}
		if len(before) > 40 {
			return 0, false
		}
		// "At 14:05", "Pada pukul 05.30", "Tue 14:20"
		sc := timex.Scanner{S: b.Text, Toks: b.Tokens(), T: o.Tongue}
		n := sc.At(st.Start)
		if sc.OnlyJoin(0, n) {
			return k, true
		}
		if n <= 3 && o.statusWord(b.Toks[:n]) != "" {
			return k, true
		}
		return 0, false
	}
	return 0, false
}

// tokensBefore is how many tokens of a block stand before byte at.
func (o *Outline) tokensBefore(i, at int) int {
	n := 0
	for toks := o.Document.Blocks[i].Tokens(); n < len(toks) && toks[n].End <= at; n++ {
	}
	return n
}

// dateOnly is the date of a block that is nothing but a date, with at most a weekday or a word beside it.
func (o *Outline) dateOnly(i int) (timex.Date, bool) {
	b := &o.Document.Blocks[i]
	if d, ok := o.bareDay(i); ok {
		return d, true
	}
	if len(o.Stamps[i]) != 1 || len(b.Text) > 60 {
		return timex.Date{}, false
	}
	st := o.Stamps[i][0]
	if st.HasClock || !st.Date.OK() {
		return timex.Date{}, false
	}
	words := 0
	for _, t := range b.Tokens() {
		if !t.Stop && !t.Comma && (t.End <= st.Start || t.Start >= st.End) && !o.isWeekday(t.Text) {
			words++
		}
	}
	most := 0
	if b.Kind == document.Heading || o.Tongue.Script != "" {
		most = 3
	}
	return st.Date, words <= most
}

// bareDay is the day of an item such as "11/27" with the times of that day nested below it.
func (o *Outline) bareDay(i int) (timex.Date, bool) {
	b := &o.Document.Blocks[i]
	if len(o.Stamps[i]) > 0 || len(b.Text) > 5 || b.Kind != document.Item || i+1 == len(o.Document.Blocks) {
		return timex.Date{}, false
	}
	next := &o.Document.Blocks[i+1]
	if k, ok := o.leading(i + 1); !ok || next.Kind != document.Item || next.Level <= b.Level || !o.Stamps[i+1][k].HasClock ||
		o.Stamps[i+1][k].Date.OK() {
		return timex.Date{}, false
	}
	v, n := lexicon.Digits(b.Text, 0)
	if n < 1 || n > 2 || n >= len(b.Text) || b.Text[n] != '/' {
		return timex.Date{}, false
	}
	w, k := lexicon.Digits(b.Text, n+1)
	if k < 1 || k > 2 || n+1+k != len(b.Text) || v < 1 || w < 1 || v > 31 || w > 31 || v > 12 && w > 12 {
		return timex.Date{}, false
	}
	if o.Tongue.Script != "" && v <= 12 {
		return timex.Date{Month: v, Day: w}, true // Japanese and Chinese put the month first
	}
	return timex.Numeric(0, v, w), true
}

func (o *Outline) isWeekday(w string) bool {
	return o.Tongue.Weekdays[w] > 0
}

func (o *Outline) isNextDay(b *document.Block) bool {
	if len(b.Tokens()) > 6 {
		return false
	}
	if e := lexicon.MatchAt(o.Tongue.NextDay, b.Toks, 0); e > 0 && e >= len(b.Toks)-1 {
		return true
	}
	return false
}

// glued cuts entries apart that a copied page ran together: "… expired. - 2024-01-12 00:49 UTC The renewal …".
func (o *Outline) glued(i, k int) {
	b := &o.Document.Blocks[i]
	for n := k + 1; n < len(o.Stamps[i]) && n <= k+maxProse; n++ {
		st := o.Stamps[i][n]
		before := strings.TrimRight(b.Text[:st.Start], " ")
		if !st.HasClock || !(strings.HasSuffix(before, "•") || st.Date.Year > 0 &&
			(strings.HasSuffix(before, " -") || strings.HasSuffix(before, ".-") || strings.HasSuffix(before, "–"))) {
			continue
		}
		prev := &o.Entries[len(o.Entries)-1]
		prev.TextTo = len(strings.TrimRight(before, " -•–"))
		o.Entries = append(o.Entries, o.entryAt(i, n))
	}
}

// single takes a lone line that begins with a time for the prose it is: one line is no timeline.
func (o *Outline) single() {
	n, heads := 0, false
	for i := range o.Entries {
		if e := &o.Entries[i]; !e.Stamp.Unknown && !o.Wordy(e) {
			n++
			heads = heads || e.Section == "timeline" || e.Status != "" || e.Row != ""
		}
	}
	if n == 0 || n == 1 && !heads {
		o.Entries = nil
	} else if n >= 2 {
		o.Entries = slices.DeleteFunc(o.Entries, func(e Entry) bool { return e.List && o.Wordy(&e) && n > 2 && e.Section != "timeline" })
	}
}

// Wordy says whether an entry is a paragraph of prose that happens to begin with a time.
func (o *Outline) Wordy(e *Entry) bool {
	b := &o.Document.Blocks[e.Block]
	if b.Kind != document.Para || e.Row != "" || e.Status != "" {
		return false
	}
	if strings.TrimLeft(b.Text[:e.Stamp.Start], " *[(~≈") != "" || e.Stamp.To != nil && e.Stamp.Date.OK() {
		return true // "At 14:05 we …"
	}
	for _, st := range o.Stamps[e.Block] {
		if st.HasClock && st.Start > e.Stamp.End && strings.ContainsAny(b.Text[e.Stamp.End:st.Start], ".。") {
			return true // several sentences with times of their own
		}
	}
	return false
}

// Mode is how an entry tells something: firmly, or so that it may not be so.
func (e *Entry) Mode(k lexicon.Kind) string {
	t := e.Kinds[k]
	switch {
	case t.Nonprod:
		return "nonprod"
	case t.Hedged:
		return "hedged"
	case slices.Contains([]lexicon.Kind{lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.SelfHealed, lexicon.FixLive}, k):
		if n, ok := e.Kinds[lexicon.NotYet]; ok && n.Sentence >= t.Sentence {
			return "undone"
		}
		if e.Kinds.OfSupplier() {
			return "of a supplier"
		}
		if t.Weak {
			return "weak"
		}
	}
	return "firm"
}

// Says says whether an entry tells one of the kinds firmly.
func (e *Entry) Says(kinds ...lexicon.Kind) bool {
	for _, k := range kinds {
		if _, ok := e.Kinds[k]; ok {
			if m := e.Mode(k); m == "firm" || m == "weak" {
				return true
			}
		}
	}
	return false
}
