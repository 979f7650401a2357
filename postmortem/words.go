package postmortem

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

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
