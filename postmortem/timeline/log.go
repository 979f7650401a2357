package timeline

import (
	"slices"
	"strings"

	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// A log is a table that lists incidents, one in each row: a column names them, others say when each began, was noticed
// and ended. A table of places with their times, which is part of one incident, has no column that names incidents.
type Log struct {
	named map[int]string // the column's field, by its place
	heads []string       // the columns' names
	title int            // the column that names the incident
	zone  string         // of times in columns that name none: the first that one names
	Rows  []int          // blocks
}

// findLogs finds the document's logs.
func (o *Outline) findLogs() {
	o.LogOf = map[int]*Log{}
	for i := range o.Document.Blocks {
		if b := &o.Document.Blocks[i]; b.Kind != document.Row || !b.Head || Excluded(o.Sections[i].Name) {
			continue
		}
		l := o.logAt(i)
		if l == nil {
			continue
		}
		o.Logs = append(o.Logs, l)
		for _, k := range l.Rows {
			o.LogOf[k] = l
		}
	}
}

// logAt is the log whose column names stand in a row; nil where the table is something else.
func (o *Outline) logAt(head int) *Log {
	l := &Log{named: map[int]string{}, heads: o.Document.Blocks[head].Cells, title: -1}
	for c, cell := range l.heads {
		toks := lexicon.Tokenize(lexicon.FoldWidth(cell))
		name := o.FieldName(cell)
		if name == "" && o.fieldOfDay(cell) {
			name = "date"
		}
		if name != "" {
			l.named[c] = name
			if zs := timex.FindZones(lexicon.FoldWidth(cell), o.Tongue); len(zs) > 0 && l.zone == "" {
				l.zone = zs[0].Label
			}
			continue
		}
		if l.title < 0 && (o.Tongue.Has("incident", toks) || o.Tongue.Has("issue", toks)) {
			l.title = c
		}
	}
	if l.title < 0 {
		return nil
	}
	for i := head + 1; i < len(o.Document.Blocks) && o.Document.Blocks[i].Kind == document.Row && !o.Document.Blocks[i].Head; i++ {
		if o.DayOfRow(l, i).OK() && o.momentsOfRow(l, i) > 0 {
			l.Rows = append(l.Rows, i)
		}
	}
	if len(l.Rows) == 0 {
		return nil
	}
	return l
}

// fieldOfDay says whether a column's name is that of a date with something beside it, such as "Date & time".
func (o *Outline) fieldOfDay(cell string) bool {
	if i := strings.IndexAny(cell, "(["); i > 0 {
		cell = cell[:i]
	}
	for _, part := range strings.FieldsFunc(lexicon.FoldWidth(cell),
		func(r rune) bool { return r == '&' || r == '/' || r == '+' || r == ',' }) {
		if o.FieldName(part) == "date" {
			return true
		}
	}
	return false
}

// DayOfRow is the first date in a row's times.
func (o *Outline) DayOfRow(l *Log, i int) timex.Date {
	cells := o.Document.Blocks[i].Cells
	for c := range cells {
		if l.named[c] == "" {
			continue
		}
		text := lexicon.FoldWidth(cells[c])
		for _, st := range timex.Scan(text, lexicon.Tokenize(text), o.Tongue) {
			if st.Date.Full() || st.Date.A > 0 {
				return st.Date
			}
		}
	}
	return timex.Date{}
}

// momentsOfRow counts what a row says beside its day of when the incident was noticed, worked on and over, and for how long.
func (o *Outline) momentsOfRow(l *Log, i int) (n int) {
	cells := o.Document.Blocks[i].Cells
	for c := range cells {
		text := lexicon.FoldWidth(cells[c])
		switch name := l.named[c]; {
		case name == "duration":
			n += len(timex.DurationsIn(lexicon.Tokenize(text), o.Tongue))
		case name == "period" && o.holdsRange(text):
			n++
		case incident.MilestoneName(name).Valid():
			for _, st := range timex.Scan(text, lexicon.Tokenize(text), o.Tongue) {
				if st.HasClock {
					n++
					break
				}
			}
		}
	}
	return n
}

// LogFields are the labelled values of a log's row: its column names are the labels, a time without a date is of the row's
// day or, where it comes before the one that it follows, of the next.
func (o *Outline) LogFields(i int) (fs []Field) {
	l, b := o.LogOf[i], &o.Document.Blocks[i]
	day := o.DayOfRow(l, i)
	has := map[string]bool{}
	for _, name := range l.named {
		has[name] = true
	}
	began := -1 // minutes into the day
	for c, cell := range b.Cells {
		name := l.named[c]
		if name == "" || cell == "" {
			continue
		}
		if (name == "date" || name == "period" && !o.holdsRange(cell)) && !has["started"] {
			name = "started"
		}
		value := cell
		if zs := timex.FindZones(lexicon.FoldWidth(l.heads[min(c, len(l.heads)-1)]), o.Tongue); len(zs) > 0 {
			value += " (" + zs[0].Label + ")"
		} else if l.zone != "" && len(timex.FindZones(lexicon.FoldWidth(cell), o.Tongue)) == 0 {
			value += " (" + l.zone + ")"
		}
		f := o.NewField(name, i, b.Line, value, l.heads[c]+": "+cell)
		if !incident.MilestoneName(name).Valid() {
			f = o.NewField(name, i, b.Line, cell, l.heads[c]+": "+cell)
		}
		for k := range f.Stamps {
			st := &f.Stamps[k]
			if !st.HasClock {
				continue
			}
			mins := st.Hour*60 + st.Minute
			if !st.Date.OK() {
				st.Date = day
				if mins < began && day.Full() && day.Year > 0 {
					st.Date = day.Add(1)
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
func (o *Outline) holdsRange(cell string) bool {
	text := lexicon.FoldWidth(cell)
	return slices.ContainsFunc(timex.Scan(text, lexicon.Tokenize(text), o.Tongue), func(st timex.Stamp) bool { return st.To != nil })
}

// LogTitle is what a row calls its incident. A number or a key alone says little: the words beside it go with it.
func (o *Outline) LogTitle(l *Log, i int) string {
	cells := o.Document.Blocks[i].Cells
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
