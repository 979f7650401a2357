package milestones

import (
	"strings"
	"time"

	"meantime/postmortem/document"
	"meantime/postmortem/extract"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
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
func (r *Reader) printed() (ls []extract.Length) {
	for i := range r.Outline.Document.Blocks {
		b := &r.Outline.Document.Blocks[i]
		if !r.inGroup(i) || b.Kind == document.Code || b.Kind == document.Quote || r.Outline.Sections[i].Name == "actions" || len(ls) > 20 {
			continue
		}
		toks := b.Tokens()
		if b.Kind == document.Row {
			if b.Head || len(b.Cells) < 2 || len(b.Cells) > 3 || document.LeadsWithTime(b.Cells[0]) {
				continue
			}
			toks = lexicon.Tokenize(lexicon.FoldWidth(strings.Join(b.Cells, ": ")))
		}
		ls = append(ls, r.printedIn(toks)...)
	}
	return ls
}

// printedIn lists those of one block. The words before a length are its own, unless another length stands between.
func (r *Reader) printedIn(toks []lexicon.Token) (ls []extract.Length) {
	last := 0
	for _, d := range timex.DurationsIn(toks, r.Outline.Tongue) {
		lo := d.From
		for lo > last && d.From-lo < printedBefore && !toks[lo-1].Stop {
			lo--
		}
		hi := d.To
		for hi < len(toks) && hi-d.To < printedAfter && !toks[hi].Stop && !toks[hi].Comma {
			hi++
		}
		last = d.To
		part, _ := r.partAt(toks[lo:d.From])
		if part == extract.Whole {
			var end int
			part, end = r.partAt(toks[d.To:hi])
			last += end
		}
		if part != extract.Whole {
			l := length(d)
			l.Part = part
			ls = append(ls, l)
		}
	}
	return ls
}

// partAt is the part that the last of the words names, and where those end; the whole where none does.
func (r *Reader) partAt(toks []lexicon.Token) (part extract.Part, at int) {
	for _, x := range printedParts {
		for _, s := range r.Outline.Tongue.SpansOf(x.list, toks) {
			if s[1] > at {
				part, at = x.part, s[1]
			}
		}
	}
	return part, at
}

// length is what a printed length can mean: a round one is taken as rounded.
func length(d timex.Duration) extract.Length {
	slack := time.Minute
	if d.Approx || d.Length >= 20*time.Minute && d.Length%(5*time.Minute) == 0 {
		slack = max(slack, min(d.Length/12, 20*time.Minute))
	}
	return extract.Length{Least: d.Length - slack, Most: d.Length + slack}
}
