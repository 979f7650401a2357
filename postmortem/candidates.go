package postmortem

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"meantime/incident"
	"meantime/postmortem/extract"
)

// source is where a candidate of the choice comes from, beside what extract needs to know of it.
type source struct {
	pick
	from string // entry, end of range, field, span
}

// groups are kinds that mean the same for what comes before and after them.
var groups = []struct {
	name  string
	kinds []Kind
}{
	{"aware", []Kind{Alert, ReportUser, ReportSupport, Report, Noticed, Declared}},
	{"impact", []Kind{ImpactStart, Failing}},
	{"trigger", []Kind{Trigger}},
	{"ack", []Kind{Ack}},
	{"cause", []Kind{Cause}},
	{"finding", []Kind{Finding}},
	{"attempt", []Kind{Attempt, FixLive}},
	{"well", []Kind{Recovered, Resolved, SelfHealed}},
	{"ended", []Kind{Ended}},
	{"trouble", []Kind{Relapse, NotYet, Failing, Partial}},
}

// candidates is what the document offers for this incident: every moment that it tells of, with all that is known of it.
type candidates struct {
	r       *reader
	es      []*entry // of the timeline, or of the prose where there is none, by time
	sources []source
	problem extract.Problem
	first   map[Kind]*entry
	last    map[Kind]*entry
}

func (r *reader) candidates() *candidates {
	c := &candidates{r: r, es: r.es, first: map[Kind]*entry{}, last: map[Kind]*entry{}}
	for _, e := range c.es {
		for k := range e.kinds {
			if !e.says(k) {
				continue
			}
			if c.first[k] == nil {
				c.first[k] = e
			}
			c.last[k] = e
		}
	}
	place := map[*entry]int{}
	for i, e := range c.es {
		place[e] = i
	}
	for _, e := range r.own {
		if e.at.IsZero() || len(c.sources) > 2*maxEntries {
			continue
		}
		fs := c.entryFeatures(e)
		if i, ok := place[e]; ok {
			fs = append(fs, c.placeFeatures(e, i)...)
		} else {
			fs = append(fs, "beside the timeline")
		}
		p := pickEntry(r.o, e, incident.ConfidenceStated)
		if e.st.to != nil && slices.ContainsFunc(r.ws, func(w window) bool { return w.from.Equal(e.at) && w.to.Equal(e.end) }) {
			p.approx = e.st.approx || e.st.hourOnly // when users were affected, not within which time that began
		}
		c.add(source{pick: p, from: "entry"}, fs)
		if !e.end.IsZero() {
			p.at = e.end
			c.add(source{pick: p, from: "end of range"}, prefixed("range:", c.entryFeatures(e)))
		}
	}
	c.fields()
	c.spans()
	c.lengths()
	c.document()
	return c
}

func prefixed(p string, fs []string) []string {
	out := []string{p}
	for _, f := range fs {
		if len(f) > 2 && f[:2] == "k:" {
			out = append(out, p+f)
		}
	}
	return out
}

func (c *candidates) add(s source, fs []string) {
	for _, n := range extract.Milestones {
		if p, ok := c.r.picks[n]; ok && p.at.Sub(s.at).Abs() < time.Minute {
			f := "rule at:" + string(n)
			if s.e != nil && p.e == s.e || s.e == nil && p.line == s.line {
				f = "rule:" + string(n)
			}
			fs = append(fs, f, f+":"+string(p.confidence))
		}
	}
	if s.approx {
		fs = append(fs, "approximate")
	}
	c.sources = append(c.sources, s)
	c.problem.Sources = append(c.problem.Sources, extract.Source{At: s.at, Features: fs})
}

// entryFeatures are what an entry says by itself.
func (c *candidates) entryFeatures(e *entry) []string {
	o := c.r.o
	fs := []string{"entry"}
	add := func(s string) { fs = append(fs, s) }
	var firm []Kind
	lead, leadAt := Note, 1<<30
	for _, k := range kindOrder {
		t, ok := e.kinds[k]
		if !ok {
			continue
		}
		add("k:" + string(k) + ":" + e.mode(k))
		if !e.says(k) {
			continue
		}
		firm = append(firm, k)
		if t.sentence == 0 {
			add("k:" + string(k) + ":first sentence")
		} else if t.sentence > 2 {
			add("k:" + string(k) + ":late sentence")
		}
		if t.from < leadAt {
			lead, leadAt = k, t.from
		}
	}
	for i, a := range firm {
		for _, b := range firm[i+1:] {
			add("kk:" + string(a) + "+" + string(b))
		}
	}
	add("lead:" + string(lead))
	if e.kinds.ofSupplier() {
		add("of a supplier")
	}
	if e.section != "" {
		add("section:" + e.section)
	}
	if e.status != "" {
		add("status:" + e.status)
	}
	switch {
	case e.row != "":
		add("row")
	case e.list:
		add("list")
	default:
		add("prose")
	}
	for _, x := range []struct {
		is   bool
		name string
	}{
		{e.suspicious, "suspicious"}, {e.conflict, "zone conflict"}, {e.st.hourOnly, "hour only"},
		{e.st.to != nil, "range"}, {e.explicit, "dated"},
		{e.st.relative, "relative"}, {c.r.posted(e), "posted"},
	} {
		if x.is {
			add(x.name)
		}
	}
	return append(fs, o.wordFeatures(e)...)
}

// maxWords is how many of an entry's first words are features.
const maxWords = 16

// wordFeatures are the subject of an entry and its words.
func (o *outline) wordFeatures(e *entry) (fs []string) {
	toks := o.words(e)
	n := 0
	for n < len(toks) && !toks[n].stop {
		n++
	}
	sent := toks[:n]
	head := sent[:min(len(sent), 6)]
	for _, name := range []string{"team", "user", "monitor", "supplier"} {
		if o.t.has(name, head) {
			fs = append(fs, "subject:"+name)
		}
	}
	fs = append(fs, "words:"+bucket(len(toks)))
	seen := map[string]bool{}
	prev := ""
	words := 0
	for _, t := range toks {
		if t.stop || t.comma {
			prev = ""
			continue
		}
		if words++; words > maxWords {
			break
		}
		w := stem(t.text)
		if w == "" {
			prev = ""
			continue
		}
		for _, f := range []string{"w:" + w, "w:" + prev + " " + w} {
			if (f != "w: "+w) && !seen[f] && !(isCJK([]rune(w)[0]) && prev == "") {
				seen[f] = true
				fs = append(fs, f)
			}
		}
		prev = w
	}
	return fs
}

// stem is a word without its ending, roughly; numbers are no words.
func stem(w string) string {
	if isDigit(w[0]) {
		return ""
	}
	r := []rune(w)
	return string(r[:min(len(r), 6)])
}

func bucket(n int) string {
	switch {
	case n <= 3:
		return strconv.Itoa(n)
	case n <= 6:
		return "to 6"
	case n <= 12:
		return "to 12"
	case n <= 30:
		return "to 30"
	}
	return "more"
}

// placeFeatures are what stands before and after an entry of the timeline.
func (c *candidates) placeFeatures(e *entry, i int) (fs []string) {
	add := func(s string) { fs = append(fs, s) }
	for _, k := range kindOrder {
		if c.first[k] == e {
			add("first:" + string(k))
		}
		if c.last[k] == e {
			add("last:" + string(k))
		}
	}
	state := ""
	for _, g := range groups {
		before := slices.ContainsFunc(c.es[:i], func(x *entry) bool { return x.says(g.kinds...) })
		after := slices.ContainsFunc(c.es[i+1:], func(x *entry) bool { return x.says(g.kinds...) })
		if before {
			add("after:" + g.name)
		}
		if after {
			add("before:" + g.name)
		}
		if e.says(g.kinds...) {
			add(fmt.Sprintf("g:%s:%t:%t", g.name, before, after))
		}
		if g.name == "aware" || g.name == "well" {
			state += fmt.Sprintf(":%t", before)
		}
	}
	lead := leadKind(e)
	add("lead:" + string(lead) + state)
	if i > 0 {
		add("previous:" + string(leadKind(c.es[i-1])))
	} else {
		add("first entry")
	}
	if i+1 < len(c.es) {
		add("next:" + string(leadKind(c.es[i+1])))
	} else {
		add("last entry")
	}
	if i == 1 {
		add("second entry")
	}
	if i == len(c.es)-2 {
		add("last entry but one")
	}
	return fs
}

// leadKind is what an entry tells first.
func leadKind(e *entry) Kind {
	best, at := Note, 1<<30
	for _, k := range kindOrder {
		if t := e.kinds[k]; e.says(k) && t.from < at {
			best, at = k, t.from
		}
	}
	return best
}

// fields adds the times of labelled fields.
func (c *candidates) fields() {
	r := c.r
	for _, f := range r.fs {
		name := incident.MilestoneName(f.name)
		if !name.Valid() && f.name != "period" || !r.inGroup(f.block) || r.splitByTime() {
			continue
		}
		n := 0
		for _, st := range f.stamps {
			if !st.hasClock {
				continue
			}
			e := r.o.momentOf(st, f.block, r.cal, r.zc.zone)
			if e.at.IsZero() {
				continue
			}
			fs := []string{"field", "field:" + f.name}
			if f.front {
				fs = append(fs, "front matter")
			}
			if n > 0 {
				fs = append(fs, "field:"+f.name+":again")
			}
			if !st.date.ok() {
				fs = append(fs, "field without a date")
			}
			n++
			p := pick{at: e.at, approx: st.approx || st.hourOnly, seconds: st.seconds, evidence: f.whole, line: f.line}
			// A date left out of the end of a field after midnight.
			if s, ok := r.picks[incident.Started]; ok && name != incident.Started && !st.date.ok() &&
				p.at.Before(s.at) && s.at.Sub(p.at) < 24*time.Hour {
				p.at = p.at.Add(24 * time.Hour)
			}
			c.add(source{pick: p, from: "field"}, fs)
			if !e.end.IsZero() {
				p.at = e.end
				c.add(source{pick: p, from: "field"}, []string{"field", "field:" + f.name + ":end"})
			}
		}
	}
}

// spans adds both ends of every stretch of impact.
func (c *candidates) spans() {
	n := 0
	for _, w := range c.r.ws {
		if w.coherent {
			n++
		}
	}
	i := 0
	for _, w := range c.r.ws {
		kind := "span"
		if w.labelled {
			kind = "labelled span"
		}
		if !w.coherent {
			kind = "span elsewhere"
		} else {
			i++
			c.problem.Spans = append(c.problem.Spans, extract.Span{From: w.from, To: w.to})
		}
		var fs []string
		if w.proved {
			fs = append(fs, "span proved")
		}
		switch {
		case n > 1 && i == 1:
			fs = append(fs, "first span")
		case n > 1 && i == n:
			fs = append(fs, "last span")
		case n > 1:
			fs = append(fs, "span between")
		}
		p := pick{at: w.from, approx: w.approx, evidence: w.evidence, line: w.line}
		c.add(source{pick: p, from: "span"}, append(prefixed(kind+":from:", fs), prefixedAll(kind+":from:", fs)...))
		p.at = w.to
		c.add(source{pick: p, from: "span"}, append(prefixed(kind+":to:", fs), prefixedAll(kind+":to:", fs)...))
	}
}

func prefixedAll(p string, fs []string) (out []string) {
	for _, f := range fs {
		out = append(out, p+f)
	}
	return out
}

// lengths adds the printed lengths of the whole incident and of its parts.
func (c *candidates) lengths() {
	for _, d := range c.r.ds {
		c.problem.Lengths = append(c.problem.Lengths, d.length())
	}
	c.problem.Lengths = append(c.problem.Lengths, c.r.printed()...)
}

// document adds what the whole document says of what it does not tell.
func (c *candidates) document() {
	fs := []string{"document"}
	for _, k := range kindOrder {
		if c.first[k] != nil {
			fs = append(fs, "tells:"+string(k))
		} else if slices.ContainsFunc(c.r.own, func(e *entry) bool { _, ok := e.kinds[k]; return ok }) {
			fs = append(fs, "half tells:"+string(k))
		}
	}
	for _, n := range extract.Milestones {
		if _, ok := c.r.picks[n]; !ok {
			fs = append(fs, "no rule:"+string(n))
		}
	}
	if c.r.o.timeline {
		fs = append(fs, "timeline")
	} else {
		fs = append(fs, "no timeline")
	}
	if len(c.problem.Spans) > 0 {
		fs = append(fs, "has a span")
	}
	fs = append(fs, "entries:"+bucket(len(c.es)))
	if c.r.of > 1 {
		fs = append(fs, "several incidents")
	}
	if c.r.statusPage() {
		fs = append(fs, "status page")
	}
	c.problem.Document = fs
}

// statusPage says whether most of the entries are updates of a status page.
func (r *reader) statusPage() bool {
	n := 0
	for _, e := range r.es {
		if e.status != "" {
			n++
		}
	}
	return n*2 > len(r.es)
}
