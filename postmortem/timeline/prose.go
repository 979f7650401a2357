package timeline

import (
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// maxProse is the most times a paragraph of prose may hold: one with more is data.
const maxProse = 40

// prose finds the times in running text, sentence by sentence.
func (o *Outline) prose() {
	inEntry := make([]bool, len(o.Document.Blocks))
	n := 0
	timelineHead := false
	for _, e := range o.Entries {
		inEntry[e.Block] = true
		for _, b := range e.Body {
			inEntry[b] = true
			for _, st := range o.Stamps[b] { // a window told below a heading
				if st.To != nil && st.HasClock && st.Date.OK() {
					inEntry[b] = false
				}
			}
		}
		if !e.Stamp.Unknown {
			n++
		}
		timelineHead = timelineHead || e.Section == "timeline"
	}
	o.Timeline = n >= 3 || n >= 2 && timelineHead
	listed := len(o.Entries)
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		if len(o.Stamps[i]) > maxProse || inEntry[i] || b.Kind != document.Para && b.Kind != document.Item || Excluded(o.Sections[i].Name) ||
			o.Sections[i].Name == "lessons" || len(o.Stamps[i]) == 0 || o.IsField(i) {
			continue
		}
		o.proseBlock(i)
	}
	if !o.Timeline {
		return
	}
	// With a heading that says where the timeline is, what begins with a time elsewhere is prose.
	if timelineHead {
		in := 0
		for _, e := range o.Entries[:listed] {
			if e.Section == "timeline" {
				in++
			}
		}
		if in >= 3 {
			for i := range o.Entries[:listed] {
				if s := o.Entries[i].Section; s != "timeline" && s != "" {
					o.Entries[i].List = false
				}
			}
		}
	}
}

// proseBlock gives every time in a block the words that go with it: its sentence, or where a sentence has several times,
// the stretch up to the next one or since the last, whichever way the sentence is built.
func (o *Outline) proseBlock(i int) {
	b := &o.Document.Blocks[i]
	toks := b.Tokens()
	from := 0 // byte
	var idx []int
	flush := func(to int) {
		if len(idx) > 0 && len(o.Entries) > 0 {
			// A sentence that begins with a time speaks for those after it that have none.
			if e := &o.Entries[len(o.Entries)-1]; e.Block == i && !e.List && o.opens(toks, e) && e.TextTo < from {
				e.TextTo = o.sentences(toks, e.TextTo, from, 2)
			}
		}
		for k, n := range idx {
			st := o.Stamps[i][n]
			lo, hi := from, to
			if len(idx) > 1 {
				first := o.Stamps[i][idx[0]]
				sc := timex.Scanner{S: b.Text, Toks: toks, T: o.Tongue}
				lead := sc.OnlyJoin(sc.At(from), sc.At(first.Start)) || o.Tongue.Script != ""
				switch {
				case lead:
					if k > 0 {
						lo = o.clauseStart(toks, o.Stamps[i][idx[k-1]].End, st.Start)
					}
					if k+1 < len(idx) {
						hi = o.clauseStart(toks, st.End, o.Stamps[i][idx[k+1]].Start)
					}
				default:
					if k > 0 {
						lo = o.Stamps[i][idx[k-1]].End
					}
					if k+1 < len(idx) {
						hi = st.End
					}
				}
			}
			e := Entry{Block: i, Line: b.Line, Stamp: st, Section: o.Sections[i].Name, textAt: lo, TextTo: hi, Mark: len(o.Marks), Zone: st.Zone}
			if !e.Zone.OK() {
				e.Zone = o.Sections[i].zone
			}
			o.Entries = append(o.Entries, e)
		}
		idx = idx[:0]
	}
	k := 0
	for n, st := range o.Stamps[i] {
		if !st.HasClock {
			continue
		}
		for k < len(toks) && toks[k].End <= st.Start {
			if toks[k].Stop {
				flush(toks[k].Start)
				from = toks[k].End
			}
			k++
		}
		idx = append(idx, n)
	}
	to := len(b.Text)
	for ; k < len(toks); k++ {
		if toks[k].Stop && len(idx) > 0 && toks[k].Start >= o.Stamps[i][idx[len(idx)-1]].End {
			to = toks[k].Start
			break
		}
	}
	flush(to)
	if n := len(o.Entries); n > 0 {
		if e := &o.Entries[n-1]; e.Block == i && !e.List && e.TextTo == to && o.opens(toks, e) {
			e.TextTo = o.sentences(toks, to, len(b.Text), 2)
		}
	}
}

// opens says whether an entry's time opens or closes its sentence, so that the next sentence is of the same moment.
func (o *Outline) opens(toks []lexicon.Token, e *Entry) bool {
	return e.Stamp.To == nil && (o.wordsBetween(toks, e.textAt, e.Stamp.Start) <= 3 || o.wordsBetween(toks, e.Stamp.End, e.TextTo) == 0)
}

// sentences is the end of the next n sentences after byte at, no further than to.
func (o *Outline) sentences(toks []lexicon.Token, at, to, n int) int {
	for _, t := range toks {
		if t.Start <= at || t.Start > to || !t.Stop {
			continue
		}
		if n--; n == 0 {
			return t.Start
		}
	}
	return to
}

func (o *Outline) wordsBetween(toks []lexicon.Token, from, to int) int {
	n := 0
	for _, t := range toks {
		if t.Start >= from && t.End <= to && !t.Comma && !t.Stop {
			n++
		}
	}
	return n
}

// clauseStart is the last comma between two times, or the second time itself: where its clause begins.
func (o *Outline) clauseStart(toks []lexicon.Token, from, to int) int {
	at := to
	for _, t := range toks {
		if t.Start >= from && t.End <= to && t.Comma {
			at = t.End
		}
	}
	return at
}
