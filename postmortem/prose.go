package postmortem

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
		if len(o.stamps[i]) > maxProse || inEntry[i] || b.kind != para && b.kind != item || excluded(o.sections[i].name) || o.sections[i].name == "lessons" || len(o.stamps[i]) == 0 || o.isField(i) {
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
				lead := sc.onlyJoin(sc.at(from), sc.at(first.start)) || o.t.Script != ""
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
	return e.st.to == nil && (o.wordsBetween(toks, e.textAt, e.st.start) <= 3 || o.wordsBetween(toks, e.st.end, e.textTo) == 0)
}

// sentences is the end of the next n sentences after byte at, no further than to.
func (o *outline) sentences(toks []token, at, to, n int) int {
	for _, t := range toks {
		if t.start <= at || t.start > to || !t.stop {
			continue
		}
		if n--; n == 0 {
			return t.start
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
