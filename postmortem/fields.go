package postmortem

import (
	"slices"
	"strings"

	"meantime/incident"
)

// field is a labelled value: "Time started: around 15:28 UTC", a table's row of two cells, a line of front matter.
type field struct {
	name  string
	block int
	line  int
	// text is the value, folded; orig as written.
	text, orig string
	whole      string // with its label, for evidence
	stamps     []stamp
	front      bool
}

// fieldName is the field a label names, in the document's language or English; a zone in brackets behind it is ignored.
func (o *outline) fieldName(label string) string {
	label = foldWidth(label)
	if len(label) > 90 {
		return ""
	}
	if i := strings.IndexAny(label, "(["); i > 0 {
		label = label[:i]
	}
	key := fieldKey(label)
	if key == "" {
		return ""
	}
	if f := o.t.fields[key]; f.field != "" {
		if o.t.watch.used != nil {
			o.t.watch.used(Use{f.language, "fields." + f.field, key, 0, ""})
		}
		return f.field
	}
	return ""
}

// label is what stands before the value of a labelled field: before a colon, or right before its time.
func (o *outline) label(i int) (label, value string, ok bool) {
	b := &o.doc.blocks[i]
	if label, value, ok = cutLabel(b.text); ok && o.fieldName(label) != "" {
		return label, value, true
	}
	for _, st := range o.stamps[i] {
		if !st.hasClock {
			continue
		}
		before := strings.TrimRight(b.text[:st.start], " ")
		if st.start < 4 || st.start > 40 || len(b.text)-st.end > 24 {
			break
		}
		if incident.MilestoneName(o.fieldName(before)).Valid() && o.statusWord(tokenize(before)) == "" && b.text[:1] == strings.ToUpper(b.text[:1]) {
			return before, b.text[st.start:], true
		}
		break
	}
	return label, value, ok
}

// labelLines finds labels that stand on a line of their own with a time on the line below, as a copied page leaves them.
func (o *outline) labelLines() {
	o.labelOf = map[int]int{}
	for i := 0; i+1 < len(o.doc.blocks); i++ {
		b, next := &o.doc.blocks[i], &o.doc.blocks[i+1]
		if o.taken[i] || o.taken[i+1] || b.kind != para && b.kind != heading || next.kind != para && next.kind != item || len(b.text) > 50 || len(next.text) > 80 || len(o.stamps[i]) > 0 || o.statusWord(b.tokens()) != "" {
			continue
		}
		name := o.fieldName(strings.TrimRight(b.text, ": "))
		if !incident.MilestoneName(name).Valid() && name != "date" {
			continue
		}
		for k := i + 1; k < len(o.doc.blocks) && o.timeLine(k, name == "date"); k++ { // one for each platform or place, it may be
			if o.taken[k] || k > i+1 && !slices.ContainsFunc(o.stamps[k], func(st stamp) bool { return st.date.full() }) {
				break
			}
			o.labelOf[k] = i
			o.taken[i], o.taken[k] = true, true
		}
	}
}

// timeLine says whether a block is a time and at most a few words; a line of a timeline says more.
func (o *outline) timeLine(i int, dateDoes bool) bool {
	b := &o.doc.blocks[i]
	if b.kind != para && b.kind != item || len(b.text) > 80 {
		return false
	}
	words, timed := 0, false
	for _, t := range b.tokens() {
		in := false
		for _, st := range o.stamps[i] {
			in = in || t.start >= st.start && t.end <= st.end
			timed = timed || st.hasClock || dateDoes && st.date.full()
		}
		if !in && !t.stop && !t.comma {
			words++
		}
	}
	return timed && words <= 4
}

// fields lists a document's labelled fields, in its order; front matter first.
func (o *outline) fields() []field {
	var fs []field
	listed := slices.ContainsFunc(o.entries, func(e entry) bool { return e.list })
	for i := range o.doc.front {
		b := &o.doc.front[i]
		if len(b.cells) != 2 {
			continue
		}
		name := o.fieldName(strings.NewReplacer("_", " ", "-", " ").Replace(b.cells[0]))
		if o.statusFile() {
			switch b.cells[0] {
			case "resolvedwhen":
				if o.frontSays("resolved", "true") && !listed { // where no updates tell of times
					name = "resolved"
				}
			case "date":
				if st := scan(b.text, b.tokens(), o.t); !listed && len(st) > 0 && st[0].hasClock {
					name = "started"
				}
			case "affected":
				name = "services"
			}
		}
		if name != "" {
			f := o.newField(name, -1, b.line, b.cells[1], b.cells[0]+": "+b.cells[1])
			f.front = true
			fs = append(fs, f)
		}
	}
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if excluded(o.sections[i].name) {
			continue
		}
		if l, ok := o.labelOf[i]; ok {
			label := &o.doc.blocks[l]
			fs = append(fs, o.newField(o.fieldName(strings.TrimRight(label.text, ": ")), i, b.line, b.orig, label.orig+" "+b.orig))
			continue
		}
		if o.taken[i] { // a label, or an update of a status page
			continue
		}
		switch b.kind {
		case row:
			if o.logOf[i] != nil {
				fs = append(fs, o.logFields(i)...)
				continue
			}
			if len(b.cells) == 2 && !b.head || len(b.cells) == 3 && o.fieldName(b.cells[0]) != "" {
				if name := o.fieldName(b.cells[0]); name != "" {
					fs = append(fs, o.newField(name, i, b.line, b.cells[1], b.cells[0]+": "+b.cells[1]))
				}
			}
			if b.head && o.logOf[i+1] == nil && i+1 < len(o.doc.blocks) && o.doc.blocks[i+1].kind == row &&
				(i+2 >= len(o.doc.blocks) || o.doc.blocks[i+2].kind != row) && len(o.doc.blocks[i+1].cells) == len(b.cells) {
				// A table of one row: its column names are the labels.
				next := &o.doc.blocks[i+1]
				for c, cell := range b.cells {
					if name := o.fieldName(cell); name != "" && next.cells[c] != "" {
						value := next.cells[c]
						if zs := findZones(foldWidth(cell), o.t); len(zs) > 0 {
							value += " (" + zs[0].label + ")"
						}
						fs = append(fs, o.newField(name, i+1, next.line, value, cell+": "+next.cells[c]))
					}
				}
			}
		case para, item:
			label, value, ok := o.label(i)
			if !ok {
				continue
			}
			name := o.fieldName(label)
			if name == "" {
				continue
			}
			if value == "" && i+1 < len(o.doc.blocks) && o.doc.blocks[i+1].kind != heading && len(o.doc.blocks[i+1].text) < 200 {
				next := &o.doc.blocks[i+1]
				if l, _, ok := cutLabel(next.text); !ok || o.fieldName(l) == "" {
					fs = append(fs, o.newField(name, i+1, next.line, next.orig, b.orig+" "+next.orig))
				}
				continue
			}
			orig := value
			if at := len(b.text) - len(value); at >= 0 && value != "" {
				orig = runeSpan(b, at, len(b.text))
			}
			fs = append(fs, o.newField(name, i, b.line, orig, b.orig))
		case heading:
			// "Severity" as a heading with its value below.
			if name := o.fieldName(b.text); name != "" && name != "resolved" && name != "mitigated" && name != "detected" && name != "identified" && i+1 < len(o.doc.blocks) {
				next := &o.doc.blocks[i+1]
				if next.kind == para && (len(next.text) < 80 || name == "cause") {
					fs = append(fs, o.newField(name, i+1, next.line, next.orig, b.orig+": "+next.orig))
				}
			}
		}
	}
	return fs
}

// statusFile says whether the front matter is that of a status page kept in files, as cState has it: `resolved` is true or
// false, `date` is when it began.
func (o *outline) statusFile() bool {
	return o.frontSays("resolved", "true") || o.frontSays("resolved", "false")
}

// frontSays says whether the front matter has a value.
func (o *outline) frontSays(key, value string) bool {
	return slices.ContainsFunc(o.doc.front, func(b block) bool { return len(b.cells) == 2 && b.cells[0] == key && b.cells[1] == value })
}

func (o *outline) newField(name string, block, line int, value, whole string) field {
	f := field{name: name, block: block, line: line, orig: value, text: foldWidth(value), whole: whole}
	f.stamps = scan(f.text, tokenize(f.text), o.t)
	if block >= 0 {
		if zs := findZones(foldWidth(whole[:min(len(whole), max(0, len(whole)-len(value)))]), o.t); len(zs) > 0 {
			for i := range f.stamps {
				if !f.stamps[i].zone.ok() {
					f.stamps[i].zone = zs[0]
				}
			}
		}
		if z := o.sections[block].zone; z.ok() {
			for i := range f.stamps {
				if !f.stamps[i].zone.ok() {
					f.stamps[i].zone = z
				}
			}
		}
	}
	return f
}
