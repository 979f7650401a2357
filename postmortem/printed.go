package postmortem

import (
	"strings"
	"time"

	"meantime/postmortem/extract"
)

// printedParts are the lists of words for a length of a part of the incident, and which part that is.
var printedParts = []struct {
	list string
	part extract.Part
}{
	{"to_detect", extract.ToDetect}, {"to_acknowledge", extract.ToAcknowledge}, {"to_recover", extract.ToRecover},
}

// How far a word such as "time to detect" may stand from its length, in words.
const (
	printedBefore = 8
	printedAfter  = 5
)

// printed lists what the document says of how long a part of the incident took: "Time to detection: 64 minutes".
func (r *reader) printed() (ls []extract.Length) {
	for i := range r.o.doc.blocks {
		b := &r.o.doc.blocks[i]
		if !r.inGroup(i) || b.kind == code || b.kind == quote || r.o.sections[i].name == "actions" || len(ls) > 20 {
			continue
		}
		toks := b.tokens()
		if b.kind == row {
			if b.head || len(b.cells) < 2 || len(b.cells) > 3 || leadsWithTime(b.cells[0]) {
				continue
			}
			toks = tokenize(foldWidth(strings.Join(b.cells, ": ")))
		}
		ls = append(ls, r.printedIn(toks)...)
	}
	return ls
}

// printedIn lists those of one block. The words before a length are its own, unless another length stands between.
func (r *reader) printedIn(toks []token) (ls []extract.Length) {
	last := 0
	for _, d := range durationsIn(toks, r.o.t) {
		lo := d.from
		for lo > last && d.from-lo < printedBefore && !toks[lo-1].stop {
			lo--
		}
		hi := d.to
		for hi < len(toks) && hi-d.to < printedAfter && !toks[hi].stop && !toks[hi].comma {
			hi++
		}
		last = d.to
		part, _ := r.partAt(toks[lo:d.from])
		if part == extract.Whole {
			var end int
			part, end = r.partAt(toks[d.to:hi])
			last += end
		}
		if part != extract.Whole {
			l := d.length()
			l.Part = part
			ls = append(ls, l)
		}
	}
	return ls
}

// partAt is the part that the last of the words names, and where those end; the whole where none does.
func (r *reader) partAt(toks []token) (part extract.Part, at int) {
	for _, x := range printedParts {
		for _, s := range r.o.t.spansOf(x.list, toks) {
			if s[1] > at {
				part, at = x.part, s[1]
			}
		}
	}
	return part, at
}

// length is what a printed length can mean: a round one is taken as rounded.
func (d duration) length() extract.Length {
	slack := time.Minute
	if d.approx || d.d >= 20*time.Minute && d.d%(5*time.Minute) == 0 {
		slack = max(slack, min(d.d/12, 20*time.Minute))
	}
	return extract.Length{Least: d.d - slack, Most: d.d + slack}
}
