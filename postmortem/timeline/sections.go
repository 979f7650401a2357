package timeline

import (
	"strings"
	"unicode/utf8"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// promoteHeadings makes headings of short paragraphs that are headings in all but name: a known section's name, a bold
// line, or in text copied from a page a short line without a full stop above a long one.
func (o *Outline) promoteHeadings() {
	bs := o.Document.Blocks
	marked := false
	for i := range bs {
		marked = marked || bs[i].Kind == document.Heading
	}
	for i := range bs {
		b := &bs[i]
		if b.Kind != document.Para || len(b.Text) > 90 || i > 0 && bs[i-1].Kind == document.Heading && document.LeadsWithTime(bs[i-1].Text) {
			continue // what stands below a time is of that time
		}
		last, _ := utf8.DecodeLastRuneInString(b.Text)
		bare := !strings.ContainsRune(".,;!?。、，；!?", last)
		name := o.SectionName(b)
		short := utf8.RuneCountInString(b.Text) <= 45
		switch {
		case b.Strong && short && bare && !document.LeadsWithTime(b.Text) && !strings.Contains(strings.TrimRight(b.Text, ":"), ":"):
		case name != "" && short && bare && len(b.Tokens()) <= 7 && !strings.Contains(strings.TrimRight(b.Text, ":"), ": "):
		case !marked && short && bare && last != ':' && i+1 < len(bs) && bs[i+1].Kind == document.Para && len(bs[i+1].Text) > 2*len(b.Text) &&
			len(bs[i+1].Text) > 80 && !document.LeadsWithTime(b.Text) && i > 0 && !strings.Contains(b.Text, ": "):
		default:
			continue
		}
		b.Kind, b.Level = document.Heading, 3
	}
}

// SectionName is the section a heading's words open: the first that is named in it.
func (o *Outline) SectionName(b *document.Block) string {
	best, at, end := "", 1<<30, 0
	o.Tongue.Headings.Find(b.Tokens(), func(m lexicon.Match) {
		if m.From < at || m.From == at && m.To > end { // "remediation items" is more than "remediation"
			best, at, end = lexicon.HeadingOrder[m.ID], m.From, m.To
		}
	})
	return best
}

// findSections gives every block the section of the nearest heading above it that names one; a heading of a lower level
// without a name of its own stays in the section it is in.
func (o *Outline) findSections() {
	o.Sections = make([]section, len(o.Document.Blocks))
	var stack []section
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		if b.Kind == document.Heading {
			for len(stack) > 0 && stack[len(stack)-1].level >= b.Level {
				stack = stack[:len(stack)-1]
			}
			s := section{Name: o.SectionName(b), level: b.Level, Head: i}
			if (Excluded(s.Name) || s.Name == "lessons") && o.Document.Title == b.Orig {
				s.Name = "" // "Incident 42: a follow-up" is the report itself
			}
			clocked := false
			for _, st := range o.Stamps[i] {
				clocked = clocked || st.HasClock || st.Relative
			}
			if clocked || len(b.Tokens()) > 12 {
				s.Name = ""
			}
			if zs := timex.FindZones(b.Text, o.Tongue); len(zs) > 0 && !clocked {
				s.zone = zs[0]
			}
			if n := len(stack); n > 0 {
				if s.Name == "" || stack[n-1].Name == "chat" {
					s.Name = stack[n-1].Name
				}
				if !s.zone.OK() {
					s.zone = stack[n-1].zone
				}
			}
			stack = append(stack, s)
		}
		if n := len(stack); n > 0 {
			o.Sections[i] = stack[n-1]
		} else {
			o.Sections[i] = section{Head: -1}
		}
	}
}
