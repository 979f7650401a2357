package timeline

import (
	"slices"
	"strings"

	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// Field is a labelled value: "Time started: around 15:28 UTC", a table's row of two cells, a line of front matter.
type Field struct {
	Name  string
	Block int
	Line  int
	// text is the value, folded; orig as written.
	Text, Orig string
	Whole      string // with its label, for evidence
	Stamps     []timex.Stamp
	Front      bool
}

// FieldName is the field a label names, in the document's language or English; a zone in brackets behind it is ignored.
func (o *Outline) FieldName(label string) string {
	label = lexicon.FoldWidth(label)
	if len(label) > 90 {
		return ""
	}
	if i := strings.IndexAny(label, "(["); i > 0 {
		label = label[:i]
	}
	key := lexicon.FieldKey(label)
	if key == "" {
		return ""
	}
	if f := o.Tongue.Fields[key]; f.Field != "" {
		if o.Tongue.Watch.Used != nil {
			o.Tongue.Watch.Used(lexicon.Use{Language: f.Language, List: "fields." + f.Field, Pattern: key, Part: 0, Alternative: ""})
		}
		return f.Field
	}
	return ""
}

// label is what stands before the value of a labelled field: before a colon, or right before its time.
func (o *Outline) label(i int) (label, value string, ok bool) {
	b := &o.Document.Blocks[i]
	if label, value, ok = lexicon.CutLabel(b.Text); ok && o.FieldName(label) != "" {
		return label, value, true
	}
	for _, st := range o.Stamps[i] {
		if !st.HasClock {
			continue
		}
		before := strings.TrimRight(b.Text[:st.Start], " ")
		if st.Start < 4 || st.Start > 40 || len(b.Text)-st.End > 24 {
			break
		}
		if incident.MilestoneName(o.FieldName(before)).Valid() && o.statusWord(lexicon.Tokenize(before)) == "" &&
			b.Text[:1] == strings.ToUpper(b.Text[:1]) {
			return before, b.Text[st.Start:], true
		}
		break
	}
	return label, value, ok
}

// labelLines finds labels that stand on a line of their own with a time on the line below, as a copied page leaves them.
func (o *Outline) labelLines() {
	o.LabelOf = map[int]int{}
	for i := 0; i+1 < len(o.Document.Blocks); i++ {
		b, next := &o.Document.Blocks[i], &o.Document.Blocks[i+1]
		if o.Taken[i] || o.Taken[i+1] || b.Kind != document.Para && b.Kind != document.Heading || next.Kind != document.Para &&
			next.Kind != document.Item || len(b.Text) > 50 || len(next.Text) > 80 || len(o.Stamps[i]) > 0 || o.statusWord(b.Tokens()) != "" {
			continue
		}
		name := o.FieldName(strings.TrimRight(b.Text, ": "))
		if !incident.MilestoneName(name).Valid() && name != "date" {
			continue
		}
		for k := i + 1; k < len(o.Document.Blocks) && o.timeLine(k, name == "date"); k++ { // one for each platform or place, it may be
			if o.Taken[k] || k > i+1 && !slices.ContainsFunc(o.Stamps[k], func(st timex.Stamp) bool { return st.Date.Full() }) {
				break
			}
			o.LabelOf[k] = i
			o.Taken[i], o.Taken[k] = true, true
		}
	}
}

// timeLine says whether a block is a time and at most a few words; a line of a timeline says more.
func (o *Outline) timeLine(i int, dateDoes bool) bool {
	b := &o.Document.Blocks[i]
	if b.Kind != document.Para && b.Kind != document.Item || len(b.Text) > 80 {
		return false
	}
	words, timed := 0, false
	for _, t := range b.Tokens() {
		in := false
		for _, st := range o.Stamps[i] {
			in = in || t.Start >= st.Start && t.End <= st.End
			timed = timed || st.HasClock || dateDoes && st.Date.Full()
		}
		if !in && !t.Stop && !t.Comma {
			words++
		}
	}
	return timed && words <= 4
}

// Fields lists a document's labelled fields, in its order; front matter first.
func (o *Outline) Fields() []Field {
	var fs []Field
	listed := slices.ContainsFunc(o.Entries, func(e Entry) bool { return e.List })
	for i := range o.Document.Front {
		b := &o.Document.Front[i]
		if len(b.Cells) != 2 {
			continue
		}
		name := o.FieldName(strings.NewReplacer("_", " ", "-", " ").Replace(b.Cells[0]))
		if o.StatusFile() {
			switch b.Cells[0] {
			case "resolvedwhen":
				if o.FrontSays("resolved", "true") && !listed { // where no updates tell of times
					name = "resolved"
				}
			case "date":
				if st := timex.Scan(b.Text, b.Tokens(), o.Tongue); !listed && len(st) > 0 && st[0].HasClock {
					name = "started"
				}
			case "affected":
				name = "services"
			}
		}
		if name != "" {
			f := o.NewField(name, -1, b.Line, b.Cells[1], b.Cells[0]+": "+b.Cells[1])
			f.Front = true
			fs = append(fs, f)
		}
	}
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		if Excluded(o.Sections[i].Name) {
			continue
		}
		if l, ok := o.LabelOf[i]; ok {
			label := &o.Document.Blocks[l]
			fs = append(fs, o.NewField(o.FieldName(strings.TrimRight(label.Text, ": ")), i, b.Line, b.Orig, label.Orig+" "+b.Orig))
			continue
		}
		if o.Taken[i] { // a label, or an update of a status page
			continue
		}
		switch b.Kind {
		case document.Row:
			if o.LogOf[i] != nil {
				fs = append(fs, o.LogFields(i)...)
				continue
			}
			if len(b.Cells) == 2 && !b.Head || len(b.Cells) == 3 && o.FieldName(b.Cells[0]) != "" {
				if name := o.FieldName(b.Cells[0]); name != "" {
					fs = append(fs, o.NewField(name, i, b.Line, b.Cells[1], b.Cells[0]+": "+b.Cells[1]))
				}
			}
			if b.Head && o.LogOf[i+1] == nil && i+1 < len(o.Document.Blocks) && o.Document.Blocks[i+1].Kind == document.Row &&
				(i+2 >= len(o.Document.Blocks) || o.Document.Blocks[i+2].Kind != document.Row) && len(o.Document.Blocks[i+1].Cells) == len(b.Cells) {
				// A table of one row: its column names are the labels.
				next := &o.Document.Blocks[i+1]
				for c, cell := range b.Cells {
					if name := o.FieldName(cell); name != "" && next.Cells[c] != "" {
						value := next.Cells[c]
						if zs := timex.FindZones(lexicon.FoldWidth(cell), o.Tongue); len(zs) > 0 {
							value += " (" + zs[0].Label + ")"
						}
						fs = append(fs, o.NewField(name, i+1, next.Line, value, cell+": "+next.Cells[c]))
					}
				}
			}
		case document.Para, document.Item:
			label, value, ok := o.label(i)
			if !ok {
				continue
			}
			name := o.FieldName(label)
			if name == "" {
				continue
			}
			if value == "" && i+1 < len(o.Document.Blocks) && o.Document.Blocks[i+1].Kind != document.Heading &&
				len(o.Document.Blocks[i+1].Text) < 200 {
				next := &o.Document.Blocks[i+1]
				if l, _, ok := lexicon.CutLabel(next.Text); !ok || o.FieldName(l) == "" {
					fs = append(fs, o.NewField(name, i+1, next.Line, next.Orig, b.Orig+" "+next.Orig))
				}
				continue
			}
			orig := value
			if at := len(b.Text) - len(value); at >= 0 && value != "" {
				orig = runeSpan(b, at, len(b.Text))
			}
			fs = append(fs, o.NewField(name, i, b.Line, orig, b.Orig))
		case document.Heading:
			// "Severity" as a heading with its value below.
			if name := o.FieldName(b.Text); name != "" && name != "resolved" && name != "mitigated" && name != "detected" &&
				name != "identified" && i+1 < len(o.Document.Blocks) {
				next := &o.Document.Blocks[i+1]
				if next.Kind == document.Para && (len(next.Text) < 80 || name == "cause") {
					fs = append(fs, o.NewField(name, i+1, next.Line, next.Orig, b.Orig+": "+next.Orig))
				}
			}
		}
	}
	return fs
}

// StatusFile says whether the front matter is that of a status page kept in files, as cState has it: `resolved` is true or
// false, `date` is when it began.
func (o *Outline) StatusFile() bool {
	return o.FrontSays("resolved", "true") || o.FrontSays("resolved", "false")
}

// FrontSays says whether the front matter has a value.
func (o *Outline) FrontSays(key, value string) bool {
	return slices.ContainsFunc(o.Document.Front, func(b document.Block) bool {
		return len(b.Cells) == 2 && b.Cells[0] == key &&
			b.Cells[1] == value
	})
}

func (o *Outline) NewField(name string, block, line int, value, whole string) Field {
	f := Field{Name: name, Block: block, Line: line, Orig: value, Text: lexicon.FoldWidth(value), Whole: whole}
	f.Stamps = timex.Scan(f.Text, lexicon.Tokenize(f.Text), o.Tongue)
	if block >= 0 {
		if zs := timex.FindZones(lexicon.FoldWidth(whole[:min(len(whole), max(0, len(whole)-len(value)))]), o.Tongue); len(zs) > 0 {
			for i := range f.Stamps {
				if !f.Stamps[i].Zone.OK() {
					f.Stamps[i].Zone = zs[0]
				}
			}
		}
		if z := o.Sections[block].zone; z.OK() {
			for i := range f.Stamps {
				if !f.Stamps[i].Zone.OK() {
					f.Stamps[i].Zone = z
				}
			}
		}
	}
	return f
}
