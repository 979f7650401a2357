package timeline

import (
	"strings"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// columns is what the head of a table says about its columns.
type columns struct {
	set  bool
	zone map[int]timex.Zone
	end  int // the column of the end of a range, -1 where there is none
	skip map[int]bool
}

func (o *Outline) columns(b *document.Block) columns {
	c := columns{set: true, zone: map[int]timex.Zone{}, end: -1, skip: map[int]bool{}}
	for i, cell := range b.Cells {
		if zs := timex.FindZones(lexicon.FoldWidth(cell), o.Tongue); len(zs) > 0 {
			c.zone[i] = zs[0]
		}
		f := o.FieldName(cell)
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
func (o *Outline) row(i int, cols columns) {
	b := &o.Document.Blocks[i]
	if len(b.Cells) >= 2 && o.FieldName(b.Cells[0]) != "" && !document.LeadsWithTime(b.Cells[0]) {
		return // a labelled field
	}
	var e *Entry
	var day timex.Date
	var words []string
	for c, cell := range b.Cells {
		text := lexicon.FoldWidth(cell)
		if text == "" || cols.skip[c] {
			continue
		}
		toks := lexicon.Tokenize(text)
		stamps := timex.Scan(text, toks, o.Tongue)
		if len(stamps) > 0 {
			st := stamps[0]
			lead := strings.TrimLeft(text[:st.Start], " *[(~≈") == "" ||
				(&timex.Scanner{S: text, Toks: toks, T: o.Tongue}).OnlyJoin(0, (&timex.Scanner{S: text, Toks: toks, T: o.Tongue}).At(st.Start))
			rest := strings.Trim(text[st.End:], " *])")
			switch {
			case !st.HasClock && st.Date.OK() && lead && rest == "" && !st.Unknown:
				day = st.Date
				continue
			case (st.HasClock || st.Unknown || st.Relative) && lead && e == nil && (len(text)-st.End < 20 || c == 0):
				n := Entry{Block: i, Line: b.Line, Stamp: st, List: true, Section: o.Sections[i].Name, Mark: len(o.Marks), Zone: st.Zone}
				if z, ok := cols.zone[c]; ok && !n.Zone.OK() {
					n.Zone = z
				}
				if !n.Zone.OK() {
					n.Zone = o.Sections[i].zone
				}
				e = &n
				if rest != "" && len(rest) > 2 {
					words = append(words, rest)
				}
				continue
			case st.HasClock && lead && e != nil && len(rest) <= 6:
				// The same moment in another zone, or the end of a range.
				z, ok := cols.zone[c]
				if ok && z.Label == "UTC" {
					st.Date = pickDate(st.Date, e.Stamp.Date)
					e.Stamp, e.Zone = st, z
				} else if c == cols.end && e.Stamp.To == nil {
					to := st
					e.Stamp.To = &to
				}
				continue
			}
		}
		words = append(words, text)
	}
	if e == nil {
		return
	}
	if !e.Stamp.Date.OK() {
		e.Stamp.Date = day
	}
	e.Row = strings.Join(words, " | ")
	o.Entries = append(o.Entries, *e)
}

func pickDate(a, b timex.Date) timex.Date {
	if a.OK() {
		return a
	}
	return b
}

// IsField says whether a block is a labelled field rather than an entry: "Start: 14:05".
func (o *Outline) IsField(i int) bool {
	label, _, ok := o.label(i)
	return ok && o.FieldName(label) != ""
}
