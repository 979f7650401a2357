package timeline

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// Words are an entry's own words with what goes on with it, each block closed by a full stop.
func (o *Outline) Words(e *Entry) []lexicon.Token {
	var toks []lexicon.Token
	if e.Row != "" {
		toks = append(toks, lexicon.Tokenize(e.Row)...)
	} else if b := &o.Document.Blocks[e.Block]; e.textAt < e.TextTo {
		for _, t := range b.Tokens() {
			if t.Start >= e.textAt && t.End <= e.TextTo && !o.inDate(e.Block, t) {
				toks = append(toks, t)
			}
		}
	}
	for _, i := range e.Body {
		b := &o.Document.Blocks[i]
		if b.Kind == document.Quote || b.Kind == document.Code || len(toks) > 4000 {
			continue
		}
		toks = append(toks, lexicon.Token{Text: ".", Stop: true})
		toks = append(toks, b.Tokens()...)
	}
	return toks
}

// inDate says whether a token is part of a written date: "9 May" tells no possibility.
func (o *Outline) inDate(block int, t lexicon.Token) bool {
	sts := o.Stamps[block]
	n, _ := slices.BinarySearchFunc(sts, t.Start, func(st timex.Stamp, at int) int { return cmp.Compare(st.End, at+1) })
	return n < len(sts) && sts[n].Date.OK() && t.Start >= sts[n].Start && t.End <= sts[n].End
}

// Text is an entry's own words as written.
func (o *Outline) Text(e *Entry) string {
	if e.Row != "" {
		return e.Row
	}
	b := &o.Document.Blocks[e.Block]
	s := ""
	if e.textAt < e.TextTo {
		s = runeSpan(b, e.textAt, e.TextTo)
	}
	s = strings.TrimSpace(strings.TrimLeft(s, " :-–—.,)]|*"))
	if s == "" {
		for _, i := range e.Body {
			if k := o.Document.Blocks[i].Kind; k != document.Quote && k != document.Code {
				return o.Document.Blocks[i].Orig
			}
		}
		s = b.Orig
	}
	return s
}

// runeSpan is the stretch of a block as it was written, given by bytes of its folded text.
func runeSpan(b *document.Block, from, to int) string {
	if b.Orig == b.Text {
		return b.Orig[from:to]
	}
	lo, hi := utf8.RuneCountInString(b.Text[:from]), utf8.RuneCountInString(b.Text[:to])
	n := 0
	start, end := len(b.Orig), len(b.Orig)
	for i := range b.Orig {
		if n == lo {
			start = i
		}
		if n == hi {
			end = i
			break
		}
		n++
	}
	return b.Orig[min(start, end):end]
}

// Evidence is the sentence a reader can find in the document: the entry from its time on, and where what it tells stands
// in a later paragraph, the sentence there.
func (o *Outline) Evidence(e *Entry) string {
	b := &o.Document.Blocks[e.Block]
	if e.Row != "" || e.List && e.TextTo == len(b.Text) || !e.List && len(b.Text) <= 300 {
		s := b.Orig
		if len(e.Body) > 0 && len(b.Text) < 40 {
			for _, i := range e.Body {
				if k := o.Document.Blocks[i].Kind; k != document.Quote && k != document.Code {
					s += " " + o.Document.Blocks[i].Orig
					break
				}
			}
		}
		return s
	}
	return strings.TrimSpace(runeSpan(b, min(e.Stamp.Start, e.textAt), e.TextTo))
}
