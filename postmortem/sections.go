package postmortem

import (
	"strings"
	"unicode/utf8"
)

// promoteHeadings makes headings of short paragraphs that are headings in all but name: a known section's name, a bold
// line, or in text copied from a page a short line without a full stop above a long one.
func (o *outline) promoteHeadings() {
	bs := o.doc.blocks
	marked := false
	for i := range bs {
		marked = marked || bs[i].kind == heading
	}
	for i := range bs {
		b := &bs[i]
		if b.kind != para || len(b.text) > 90 || i > 0 && bs[i-1].kind == heading && leadsWithTime(bs[i-1].text) {
			continue // what stands below a time is of that time
		}
		last, _ := utf8.DecodeLastRuneInString(b.text)
		bare := !strings.ContainsRune(".,;!?。、，；!?", last)
		name := o.sectionName(b)
		short := utf8.RuneCountInString(b.text) <= 45
		switch {
		case b.strong && short && bare && !leadsWithTime(b.text) && !strings.Contains(strings.TrimRight(b.text, ":"), ":"):
		case name != "" && short && bare && len(b.tokens()) <= 7 && !strings.Contains(strings.TrimRight(b.text, ":"), ": "):
		case !marked && short && bare && last != ':' && i+1 < len(bs) && bs[i+1].kind == para && len(bs[i+1].text) > 2*len(b.text) && len(bs[i+1].text) > 80 && !leadsWithTime(b.text) && i > 0 && !strings.Contains(b.text, ": "):
		default:
			continue
		}
		b.kind, b.level = heading, 3
	}
}

// sectionName is the section a heading's words open: the first that is named in it.
func (o *outline) sectionName(b *block) string {
	best, at, end := "", 1<<30, 0
	o.t.headings.find(b.tokens(), func(m match) {
		if m.from < at || m.from == at && m.to > end { // "remediation items" is more than "remediation"
			best, at, end = headingOrder[m.id], m.from, m.to
		}
	})
	return best
}

// findSections gives every block the section of the nearest heading above it that names one; a heading of a lower level
// without a name of its own stays in the section it is in.
func (o *outline) findSections() {
	o.sections = make([]section, len(o.doc.blocks))
	var stack []section
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if b.kind == heading {
			for len(stack) > 0 && stack[len(stack)-1].level >= b.level {
				stack = stack[:len(stack)-1]
			}
			s := section{name: o.sectionName(b), level: b.level, head: i}
			if (excluded(s.name) || s.name == "lessons") && o.doc.title == b.orig {
				s.name = "" // "Incident 42: a follow-up" is the report itself
			}
			clocked := false
			for _, st := range o.stamps[i] {
				clocked = clocked || st.hasClock || st.relative
			}
			if clocked || len(b.tokens()) > 12 {
				s.name = ""
			}
			if zs := findZones(b.text, o.t); len(zs) > 0 && !clocked {
				s.zone = zs[0]
			}
			if n := len(stack); n > 0 {
				if s.name == "" || stack[n-1].name == "chat" {
					s.name = stack[n-1].name
				}
				if !s.zone.ok() {
					s.zone = stack[n-1].zone
				}
			}
			stack = append(stack, s)
		}
		if n := len(stack); n > 0 {
			o.sections[i] = stack[n-1]
		} else {
			o.sections[i] = section{head: -1}
		}
	}
}
