package events

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"meantime/postmortem/calendar"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// Group is the part of a document that tells of one incident.
type Group struct {
	Entries []int // of the outline
	Title   string
	Own     bool   // fields and durations of the whole document belong to it
	ID      string // what tells its record from the document's others; empty for its number
	From    int    // blocks it stands in
	To      int
}

// Split says which entries belong to which incident. Most documents tell of one.
func Split(o *timeline.Outline, cal *calendar.Calendar) []Group {
	if gs := splitLog(o, cal); len(gs) > 0 {
		return gs
	}
	if gs := splitStatus(o); len(gs) > 1 {
		return gs
	}
	if gs := splitSections(o); len(gs) > 1 {
		return gs
	}
	if gs := splitProse(o); len(gs) > 1 {
		return gs
	}
	g := Group{Own: true, To: len(o.Document.Blocks)}
	for i := range o.Entries {
		g.Entries = append(g.Entries, i)
	}
	return []Group{g}
}

// splitStatus cuts the history of a status page where a new incident's updates begin: between two updates stands a title
// of its own, and one of the two states closes an incident.
func splitStatus(o *timeline.Outline) []Group {
	var gs []Group
	last := -1
	closed := false
	for i := range o.Entries {
		e := &o.Entries[i]
		if e.Status == "" {
			continue
		}
		opens := e.Status == "investigating" || e.Status == "resolved"
		title := ""
		if last >= 0 && opens {
			for b := o.Entries[last].Block + 1; b < e.Block; b++ {
				x := &o.Document.Blocks[b]
				if x.Kind == document.Heading && o.SectionName(x) == "" && !o.Taken[b] {
					title = x.Orig
				}
			}
		}
		// Newest first a resolved opens the next incident, oldest first it closes the last.
		if len(gs) == 0 || closed && title != "" {
			gs = append(gs, Group{Title: title, From: e.Block})
		}
		g := &gs[len(gs)-1]
		g.Entries = append(g.Entries, i)
		g.To = e.Block + 1
		closed = o.Newest && e.Status == "investigating" || !o.Newest && e.Status == "resolved" || o.Newest && e.Status != "resolved" &&
			title != ""
		last = i
	}
	return gs
}

// splitSections cuts a report on several incidents at the headings that begin each: headings of one level with a date or
// a number, each with a window, fields or a timeline of its own below it.
func splitSections(o *timeline.Outline) []Group {
	type cand struct {
		block int
		full  bool // what it takes to be an incident of its own stands below it
	}
	for level := 1; level <= 4; level++ {
		var cs []cand
		for i := range o.Document.Blocks {
			b := &o.Document.Blocks[i]
			if b.Kind != document.Heading || b.Level != level || o.Document.Title == b.Orig {
				continue
			}
			dated := false
			for _, st := range o.Stamps[i] {
				dated = dated || st.Date.Full()
			}
			named := false
			named = named || o.Tongue.Has("incident_number", b.Tokens())
			if dated || named {
				cs = append(cs, cand{block: i})
			}
		}
		if len(cs) < 2 {
			continue
		}
		full := 0
		for n := range cs {
			end := len(o.Document.Blocks)
			if n+1 < len(cs) {
				end = cs[n+1].block
			}
			cs[n].full = tellsIncident(o, cs[n].block, end)
			if !cs[n].full && namesIncident(o, cs[n].block) {
				cs[n].full = opensAndCloses(o, cs[n].block, end)
			}
			if cs[n].full {
				full++
			}
		}
		if full < 2 || full < len(cs) {
			continue
		}
		var gs []Group
		for n, c := range cs {
			end := len(o.Document.Blocks)
			if n+1 < len(cs) {
				end = cs[n+1].block
			}
			g := Group{Title: o.Document.Blocks[c.block].Orig, From: c.block, To: end}
			for i := range o.Entries {
				if b := o.Entries[i].Block; b >= c.block && b < end {
					g.Entries = append(g.Entries, i)
				}
			}
			gs = append(gs, g)
		}
		return gs
	}
	return nil
}

// namesIncident says whether a heading with a date has words beside it that name an incident or what was wrong: a date
// alone begins a day of a longer one.
func namesIncident(o *timeline.Outline, i int) bool {
	toks := o.Document.Blocks[i].Tokens()
	return o.Tongue.Has("incident", toks) || o.Tongue.Has("incident_number", toks) || o.Tongue.Has("affected", toks) ||
		o.Tongue.Has("issue", toks)
}

// opensAndCloses says whether the timeline in the blocks from..to tells how an incident began or was noticed, and how it
// ended.
func opensAndCloses(o *timeline.Outline, from, to int) bool {
	opens, closes := false, false
	for i := range o.Entries {
		if e := &o.Entries[i]; e.List && e.Block >= from && e.Block < to {
			opens = opens || e.Kinds.Has(lexicon.ImpactStart, lexicon.Failing, lexicon.Alert, lexicon.Report, lexicon.ReportUser,
				lexicon.ReportSupport, lexicon.Noticed)
			closes = closes || opens && e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended)
		}
	}
	return opens && closes
}

// tellsIncident says whether the blocks from..to hold a window, or a timeline with its own heading, or the fields of one.
func tellsIncident(o *timeline.Outline, from, to int) bool {
	start, end := false, false
	for b := from; b < to; b++ {
		x := &o.Document.Blocks[b]
		if x.Kind == document.Heading && b > from && o.SectionName(x) == "timeline" {
			return true
		}
		if label, _, ok := lexicon.CutLabel(x.Text); ok && (x.Kind == document.Item || x.Kind == document.Para) {
			switch o.FieldName(label) {
			case "started":
				start = true
			case "resolved", "mitigated", "duration":
				end = true
			}
		}
		for _, st := range o.Stamps[b] {
			if st.To != nil && st.HasClock && (x.Kind == document.Para || x.Kind == document.Item || b == from) &&
				!(x.Kind == document.Heading && b > from) {
				if o.Tongue.Has("incident", x.Tokens()) || o.Tongue.Has("affected", x.Tokens()) {
					return true
				}
			}
		}
	}
	return start && end
}

// splitProse separates two incidents of one story: in running text, hours apart, with a sentence between them that says
// the first was over.
func splitProse(o *timeline.Outline) []Group {
	if o.Timeline {
		return nil
	}
	var es []int
	for i := range o.Entries {
		if e := &o.Entries[i]; !e.At.IsZero() && e.Stamp.HasClock &&
			e.Kinds.Has(lexicon.ImpactStart, lexicon.Alert, lexicon.ReportUser, lexicon.Noticed, lexicon.Symptom, lexicon.Resolved, lexicon.Ended,
				lexicon.Recovered) {
			es = append(es, i)
		}
	}
	slices.SortStableFunc(es, func(a, b int) int { return o.Entries[a].At.Compare(o.Entries[b].At) })
	cut := -1
	for n := 1; n < len(es); n++ {
		if o.Entries[es[n]].At.Sub(o.Entries[es[n-1]].At) >= 4*time.Hour {
			if cut >= 0 {
				return nil
			}
			cut = n
		}
	}
	if cut < 1 {
		return nil
	}
	first, second := es[:cut], es[cut:]
	opens := func(l []int) bool {
		for _, i := range l {
			if o.Entries[i].Kinds.Has(lexicon.ImpactStart, lexicon.Alert, lexicon.ReportUser, lexicon.Noticed) {
				return true
			}
		}
		return false
	}
	if !opens(first) || !opens(second) {
		return nil
	}
	lo := o.Entries[first[len(first)-1]].Block
	hi := 0
	for _, i := range second {
		hi = max(hi, o.Entries[i].Block)
	}
	over := false
	for b := lo; b < hi && b < len(o.Document.Blocks); b++ {
		x := &o.Document.Blocks[b]
		timed := false
		for _, st := range o.Stamps[b] {
			timed = timed || st.HasClock
		}
		if x.Kind != document.Para || timed && b != lo {
			continue
		}
		o.Tongue.Kinds.Find(x.Tokens(), func(m lexicon.Match) {
			if k := lexicon.KindOrder[m.ID]; k == lexicon.Resolved || k == lexicon.Ended || k == lexicon.Recovered {
				over = true
			}
		})
	}
	if !over {
		return nil
	}
	var gs []Group
	for _, l := range [][]int{first, second} {
		slices.Sort(l)
		gs = append(gs, Group{Entries: l, To: len(o.Document.Blocks)})
	}
	return gs
}

// splitLog makes an incident of each row of the logs.
func splitLog(o *timeline.Outline, cal *calendar.Calendar) (gs []Group) {
	for _, l := range o.Logs {
		for _, i := range l.Rows {
			gs = append(gs, Group{Title: o.LogTitle(l, i), From: i, To: i + 1, ID: logID(o, l, i, cal)})
		}
	}
	seen := map[string]int{}
	for k := range gs {
		gs[k].Own = len(gs) == 1
		// two of one minute
		if seen[gs[k].ID]++; seen[gs[k].ID] > 1 {
			gs[k].ID += fmt.Sprint("-", seen[gs[k].ID])
		}
	}
	return gs
}

// logID tells a row's record from the others of its document. It is made of when the incident began, so that a row that is
// added above or below changes no other's.
func logID(o *timeline.Outline, l *timeline.Log, i int, cal *calendar.Calendar) string {
	day := cal.Settle(o.DayOfRow(l, i))
	for _, f := range o.LogFields(i) {
		for _, st := range f.Stamps {
			if st.HasClock {
				return fmt.Sprintf("%s-%02d%02d", strings.ReplaceAll(day.String(), "/", "-"), st.Hour, st.Minute)
			}
		}
	}
	return strings.ReplaceAll(day.String(), "/", "-")
}
