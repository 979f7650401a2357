package postmortem

import (
	"strings"
)

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
func (o *outline) isField(i int) bool {
	label, _, ok := o.label(i)
	return ok && o.fieldName(label) != ""
}
