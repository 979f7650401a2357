package postmortem

import (
	"slices"
	"strings"

	"meantime/incident"
)

// A log is a table that lists incidents, one in each row: a column names them, others say when each began, was noticed
// and ended. A table of places with their times, which is part of one incident, has no column that names incidents.
type log struct {
	named map[int]string // the column's field, by its place
	heads []string       // the columns' names
	title int            // the column that names the incident
	zone  string         // of times in columns that name none: the first that one names
	rows  []int          // blocks
}

// findLogs finds the document's logs.
func (o *outline) findLogs() {
	o.logOf = map[int]*log{}
	for i := range o.doc.blocks {
		if b := &o.doc.blocks[i]; b.kind != row || !b.head || excluded(o.sections[i].name) {
			continue
		}
		l := o.logAt(i)
		if l == nil {
			continue
		}
		o.logs = append(o.logs, l)
		for _, k := range l.rows {
			o.logOf[k] = l
		}
	}
}

// logAt is the log whose column names stand in a row; nil where the table is something else.
func (o *outline) logAt(head int) *log {
	l := &log{named: map[int]string{}, heads: o.doc.blocks[head].cells, title: -1}
	for c, cell := range l.heads {
		toks := tokenize(foldWidth(cell))
		name := o.fieldName(cell)
		if name == "" && o.fieldOfDay(cell) {
			name = "date"
		}
		if name != "" {
			l.named[c] = name
			if zs := findZones(foldWidth(cell), o.t); len(zs) > 0 && l.zone == "" {
				l.zone = zs[0].label
			}
			continue
		}
		if l.title < 0 && (o.t.has("incident", toks) || o.t.has("issue", toks)) {
			l.title = c
		}
	}
	if l.title < 0 {
		return nil
	}
	for i := head + 1; i < len(o.doc.blocks) && o.doc.blocks[i].kind == row && !o.doc.blocks[i].head; i++ {
		if o.dayOfRow(l, i).ok() && o.momentsOfRow(l, i) > 0 {
			l.rows = append(l.rows, i)
		}
	}
	if len(l.rows) == 0 {
		return nil
	}
	return l
}

// fieldOfDay says whether a column's name is that of a date with something beside it, such as "Date & time".
func (o *outline) fieldOfDay(cell string) bool {
	if i := strings.IndexAny(cell, "(["); i > 0 {
		cell = cell[:i]
	}
	for _, part := range strings.FieldsFunc(foldWidth(cell), func(r rune) bool { return r == '&' || r == '/' || r == '+' || r == ',' }) {
		if o.fieldName(part) == "date" {
			return true
		}
	}
	return false
}

// dayOfRow is the first date in a row's times.
func (o *outline) dayOfRow(l *log, i int) date {
	cells := o.doc.blocks[i].cells
	for c := range cells {
		if l.named[c] == "" {
			continue
		}
		text := foldWidth(cells[c])
		for _, st := range scan(text, tokenize(text), o.t) {
			if st.date.full() || st.date.a > 0 {
				return st.date
			}
		}
	}
	return date{}
}

// momentsOfRow counts what a row says beside its day of when the incident was noticed, worked on and over, and for how long.
func (o *outline) momentsOfRow(l *log, i int) (n int) {
	cells := o.doc.blocks[i].cells
	for c := range cells {
		text := foldWidth(cells[c])
		switch name := l.named[c]; {
		case name == "duration":
			n += len(durationsIn(tokenize(text), o.t))
		case name == "period" && o.holdsRange(text):
			n++
		case incident.MilestoneName(name).Valid():
			for _, st := range scan(text, tokenize(text), o.t) {
				if st.hasClock {
					n++
					break
				}
			}
		}
	}
	return n
}

// logFields are the labelled values of a log's row: its column names are the labels, a time without a date is of the row's
// day or, where it comes before the one that it follows, of the next.
func (o *outline) logFields(i int) (fs []field) {
	l, b := o.logOf[i], &o.doc.blocks[i]
	day := o.dayOfRow(l, i)
	has := map[string]bool{}
	for _, name := range l.named {
		has[name] = true
	}
	began := -1 // minutes into the day
	for c, cell := range b.cells {
		name := l.named[c]
		if name == "" || cell == "" {
			continue
		}
		if (name == "date" || name == "period" && !o.holdsRange(cell)) && !has["started"] {
			name = "started"
		}
		value := cell
		if zs := findZones(foldWidth(l.heads[min(c, len(l.heads)-1)]), o.t); len(zs) > 0 {
			value += " (" + zs[0].label + ")"
		} else if l.zone != "" && len(findZones(foldWidth(cell), o.t)) == 0 {
			value += " (" + l.zone + ")"
		}
		f := o.newField(name, i, b.line, value, l.heads[c]+": "+cell)
		if !incident.MilestoneName(name).Valid() {
			f = o.newField(name, i, b.line, cell, l.heads[c]+": "+cell)
		}
		for k := range f.stamps {
			st := &f.stamps[k]
			if !st.hasClock {
				continue
			}
			mins := st.h*60 + st.m
			if !st.date.ok() {
				st.date = day
				if mins < began && day.full() && day.y > 0 {
					st.date = day.add(1)
				}
			}
			if began < 0 {
				began = mins
			}
		}
		fs = append(fs, f)
	}
	return fs
}

// holdsRange says whether a cell has a time and the one until when.
func (o *outline) holdsRange(cell string) bool {
	text := foldWidth(cell)
	return slices.ContainsFunc(scan(text, tokenize(text), o.t), func(st stamp) bool { return st.to != nil })
}

// logTitle is what a row calls its incident. A number or a key alone says little: the words beside it go with it.
func (o *outline) logTitle(l *log, i int) string {
	cells := o.doc.blocks[i].cells
	if l.title >= len(cells) {
		return ""
	}
	title := cells[l.title]
	if strings.ContainsAny(title, " \u3000") || !strings.ContainsAny(title, "0123456789") && title != "" {
		return title
	}
	for c, cell := range cells {
		if c != l.title && l.named[c] == "" && len(strings.Trim(cell, " -–—")) > 2 {
			return strings.TrimSpace(title + " " + cell)
		}
	}
	return title
}
