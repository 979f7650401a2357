package postmortem

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// group is the part of a document that tells of one incident.
type group struct {
	entries []int // of the outline
	title   string
	own     bool   // fields and durations of the whole document belong to it
	id      string // what tells its record from the document's others; empty for its number
	from    int    // blocks it stands in
	to      int
}

// split says which entries belong to which incident. Most documents tell of one.
func (o *outline) split(cal *calendar) []group {
	if gs := o.splitLog(cal); len(gs) > 0 {
		return gs
	}
	if gs := o.splitStatus(); len(gs) > 1 {
		return gs
	}
	if gs := o.splitSections(); len(gs) > 1 {
		return gs
	}
	if gs := o.splitProse(); len(gs) > 1 {
		return gs
	}
	g := group{own: true, to: len(o.doc.blocks)}
	for i := range o.entries {
		g.entries = append(g.entries, i)
	}
	return []group{g}
}

// splitStatus cuts the history of a status page where a new incident's updates begin: between two updates stands a title
// of its own, and one of the two states closes an incident.
func (o *outline) splitStatus() []group {
	var gs []group
	last := -1
	closed := false
	for i := range o.entries {
		e := &o.entries[i]
		if e.status == "" {
			continue
		}
		opens := e.status == "investigating" || e.status == "resolved"
		title := ""
		if last >= 0 && opens {
			for b := o.entries[last].block + 1; b < e.block; b++ {
				x := &o.doc.blocks[b]
				if x.kind == heading && o.sectionName(x) == "" && !o.taken[b] {
					title = x.orig
				}
			}
		}
		// Newest first a resolved opens the next incident, oldest first it closes the last.
		if len(gs) == 0 || closed && title != "" {
			gs = append(gs, group{title: title, from: e.block})
		}
		g := &gs[len(gs)-1]
		g.entries = append(g.entries, i)
		g.to = e.block + 1
		closed = o.newest && e.status == "investigating" || !o.newest && e.status == "resolved" || o.newest && e.status != "resolved" && title != ""
		last = i
	}
	return gs
}

// splitSections cuts a report on several incidents at the headings that begin each: headings of one level with a date or
// a number, each with a window, fields or a timeline of its own below it.
func (o *outline) splitSections() []group {
	type cand struct {
		block int
		full  bool // what it takes to be an incident of its own stands below it
	}
	for level := 1; level <= 4; level++ {
		var cs []cand
		for i := range o.doc.blocks {
			b := &o.doc.blocks[i]
			if b.kind != heading || b.level != level || o.doc.title == b.orig {
				continue
			}
			dated := false
			for _, st := range o.stamps[i] {
				dated = dated || st.date.full()
			}
			named := false
			named = named || o.t.has("incident_number", b.tokens())
			if dated || named {
				cs = append(cs, cand{block: i})
			}
		}
		if len(cs) < 2 {
			continue
		}
		full := 0
		for n := range cs {
			end := len(o.doc.blocks)
			if n+1 < len(cs) {
				end = cs[n+1].block
			}
			cs[n].full = o.tellsIncident(cs[n].block, end)
			if !cs[n].full && o.namesIncident(cs[n].block) {
				cs[n].full = o.opensAndCloses(cs[n].block, end)
			}
			if cs[n].full {
				full++
			}
		}
		if full < 2 || full < len(cs) {
			continue
		}
		var gs []group
		for n, c := range cs {
			end := len(o.doc.blocks)
			if n+1 < len(cs) {
				end = cs[n+1].block
			}
			g := group{title: o.doc.blocks[c.block].orig, from: c.block, to: end}
			for i := range o.entries {
				if b := o.entries[i].block; b >= c.block && b < end {
					g.entries = append(g.entries, i)
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
func (o *outline) namesIncident(i int) bool {
	toks := o.doc.blocks[i].tokens()
	if o.t.has("incident", toks) || o.t.has("incident_number", toks) || o.t.has("affected", toks) || o.t.has("issue", toks) {
		return true
	}
	return false
}

// opensAndCloses says whether the timeline in the blocks from..to tells how an incident began or was noticed, and how it
// ended.
func (o *outline) opensAndCloses(from, to int) bool {
	opens, closes := false, false
	for i := range o.entries {
		if e := &o.entries[i]; e.list && e.block >= from && e.block < to {
			opens = opens || e.kinds.has(ImpactStart, Failing, Alert, Report, ReportUser, ReportSupport, Noticed)
			closes = closes || opens && e.kinds.has(Recovered, Resolved, Ended)
		}
	}
	return opens && closes
}

// tellsIncident says whether the blocks from..to hold a window, or a timeline with its own heading, or the fields of one.
func (o *outline) tellsIncident(from, to int) bool {
	start, end := false, false
	for b := from; b < to; b++ {
		x := &o.doc.blocks[b]
		if x.kind == heading && b > from && o.sectionName(x) == "timeline" {
			return true
		}
		if label, _, ok := cutLabel(x.text); ok && (x.kind == item || x.kind == para) {
			switch o.fieldName(label) {
			case "started":
				start = true
			case "resolved", "mitigated", "duration":
				end = true
			}
		}
		for _, st := range o.stamps[b] {
			if st.to != nil && st.hasClock && (x.kind == para || x.kind == item || b == from) && !(x.kind == heading && b > from) {
				if o.t.has("incident", x.tokens()) || o.t.has("affected", x.tokens()) {
					return true
				}
			}
		}
	}
	return start && end
}

// splitProse separates two incidents of one story: in running text, hours apart, with a sentence between them that says
// the first was over.
func (o *outline) splitProse() []group {
	if o.timeline {
		return nil
	}
	var es []int
	for i := range o.entries {
		if e := &o.entries[i]; !e.at.IsZero() && e.st.hasClock && e.kinds.has(ImpactStart, Alert, ReportUser, Noticed, Symptom, Resolved, Ended, Recovered) {
			es = append(es, i)
		}
	}
	slices.SortStableFunc(es, func(a, b int) int { return o.entries[a].at.Compare(o.entries[b].at) })
	cut := -1
	for n := 1; n < len(es); n++ {
		if o.entries[es[n]].at.Sub(o.entries[es[n-1]].at) >= 4*time.Hour {
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
			if o.entries[i].kinds.has(ImpactStart, Alert, ReportUser, Noticed) {
				return true
			}
		}
		return false
	}
	if !opens(first) || !opens(second) {
		return nil
	}
	lo := o.entries[first[len(first)-1]].block
	hi := 0
	for _, i := range second {
		hi = max(hi, o.entries[i].block)
	}
	over := false
	for b := lo; b < hi && b < len(o.doc.blocks); b++ {
		x := &o.doc.blocks[b]
		timed := false
		for _, st := range o.stamps[b] {
			timed = timed || st.hasClock
		}
		if x.kind != para || timed && b != lo {
			continue
		}
		o.t.kinds.find(x.tokens(), func(m match) {
			if k := kindOrder[m.id]; k == Resolved || k == Ended || k == Recovered {
				over = true
			}
		})
	}
	if !over {
		return nil
	}
	var gs []group
	for _, l := range [][]int{first, second} {
		slices.Sort(l)
		gs = append(gs, group{entries: l, to: len(o.doc.blocks)})
	}
	return gs
}

// splitLog makes an incident of each row of the logs.
func (o *outline) splitLog(cal *calendar) (gs []group) {
	for _, l := range o.logs {
		for _, i := range l.rows {
			gs = append(gs, group{title: o.logTitle(l, i), from: i, to: i + 1, id: o.logID(l, i, cal)})
		}
	}
	seen := map[string]int{}
	for k := range gs {
		gs[k].own = len(gs) == 1
		// two of one minute
		if seen[gs[k].id]++; seen[gs[k].id] > 1 {
			gs[k].id += fmt.Sprint("-", seen[gs[k].id])
		}
	}
	return gs
}

// logID tells a row's record from the others of its document. It is made of when the incident began, so that a row that is
// added above or below changes no other's.
func (o *outline) logID(l *log, i int, cal *calendar) string {
	day := cal.settle(o.dayOfRow(l, i))
	for _, f := range o.logFields(i) {
		for _, st := range f.stamps {
			if st.hasClock {
				return fmt.Sprintf("%s-%02d%02d", strings.ReplaceAll(day.String(), "/", "-"), st.h, st.m)
			}
		}
	}
	return strings.ReplaceAll(day.String(), "/", "-")
}
