package milestones

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/extract"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// source is where a candidate of the choice comes from, beside what extract needs to know of it.
type source struct {
	pick
	from string // entry, end of range, field, span
}

// groups are kinds that mean the same for what comes before and after them.
var groups = []struct {
	name  string
	kinds []lexicon.Kind
}{
	{"aware", []lexicon.Kind{lexicon.Alert, lexicon.ReportUser, lexicon.ReportSupport, lexicon.Report, lexicon.Noticed, lexicon.Declared}},
	{"impact", []lexicon.Kind{lexicon.ImpactStart, lexicon.Failing}},
	{"trigger", []lexicon.Kind{lexicon.Trigger}},
	{"ack", []lexicon.Kind{lexicon.Ack}},
	{"cause", []lexicon.Kind{lexicon.Cause}},
	{"finding", []lexicon.Kind{lexicon.Finding}},
	{"attempt", []lexicon.Kind{lexicon.Attempt, lexicon.FixLive}},
	{"well", []lexicon.Kind{lexicon.Recovered, lexicon.Resolved, lexicon.SelfHealed}},
	{"ended", []lexicon.Kind{lexicon.Ended}},
	{"trouble", []lexicon.Kind{lexicon.Relapse, lexicon.NotYet, lexicon.Failing, lexicon.Partial}},
}

// candidates is what the document offers for this incident: every moment that it tells of, with all that is known of it.
type candidates struct {
	r       *Reader
	es      []*timeline.Entry // of the timeline, or of the prose where there is none, by time
	sources []source
	problem extract.Problem
	first   map[lexicon.Kind]*timeline.Entry
	last    map[lexicon.Kind]*timeline.Entry
}

func (r *Reader) candidates() *candidates {
	c := &candidates{r: r, es: r.es, first: map[lexicon.Kind]*timeline.Entry{}, last: map[lexicon.Kind]*timeline.Entry{}}
	for _, e := range c.es {
		for k := range e.Kinds {
			if !e.Says(k) {
				continue
			}
			if c.first[k] == nil {
				c.first[k] = e
			}
			c.last[k] = e
		}
	}
	place := map[*timeline.Entry]int{}
	for i, e := range c.es {
		place[e] = i
	}
	for _, e := range r.own {
		if e.At.IsZero() || len(c.sources) > 2*maxEntries {
			continue
		}
		fs := c.entryFeatures(e)
		if i, ok := place[e]; ok {
			fs = append(fs, c.placeFeatures(e, i)...)
		} else {
			fs = append(fs, "beside the timeline")
		}
		p := pickEntry(r.Outline, e, incident.ConfidenceStated)
		if e.Stamp.To != nil && slices.ContainsFunc(r.ws, func(w calendar.Window) bool { return w.From.Equal(e.At) && w.To.Equal(e.End) }) {
			p.approx = e.Stamp.Approx || e.Stamp.HourOnly // when users were affected, not within which time that began
		}
		c.add(source{pick: p, from: "entry"}, fs)
		if !e.End.IsZero() {
			p.at = e.End
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
func (c *candidates) entryFeatures(e *timeline.Entry) []string {
	o := c.r.Outline
	fs := []string{"entry"}
	add := func(s string) { fs = append(fs, s) }
	var firm []lexicon.Kind
	lead, leadAt := lexicon.Note, 1<<30
	for _, k := range lexicon.KindOrder {
		t, ok := e.Kinds[k]
		if !ok {
			continue
		}
		add("k:" + string(k) + ":" + e.Mode(k))
		if !e.Says(k) {
			continue
		}
		firm = append(firm, k)
		if t.Sentence == 0 {
			add("k:" + string(k) + ":first sentence")
		} else if t.Sentence > 2 {
			add("k:" + string(k) + ":late sentence")
		}
		if t.From < leadAt {
			lead, leadAt = k, t.From
		}
	}
	for i, a := range firm {
		for _, b := range firm[i+1:] {
			add("kk:" + string(a) + "+" + string(b))
		}
	}
	add("lead:" + string(lead))
	if e.Kinds.OfSupplier() {
		add("of a supplier")
	}
	if e.Section != "" {
		add("section:" + e.Section)
	}
	if e.Status != "" {
		add("status:" + e.Status)
	}
	switch {
	case e.Row != "":
		add("row")
	case e.List:
		add("list")
	default:
		add("prose")
	}
	for _, x := range []struct {
		is   bool
		name string
	}{
		{e.Suspicious, "suspicious"}, {e.Conflict, "zone conflict"}, {e.Stamp.HourOnly, "hour only"},
		{e.Stamp.To != nil, "range"}, {e.Explicit, "dated"},
		{e.Stamp.Relative, "relative"}, {c.r.posted(e), "posted"},
	} {
		if x.is {
			add(x.name)
		}
	}
	return append(fs, wordFeatures(o, e)...)
}

// maxWords is how many of an entry's first words are features.
const maxWords = 16

// wordFeatures are the subject of an entry and its words.
func wordFeatures(o *timeline.Outline, e *timeline.Entry) (fs []string) {
	toks := o.Words(e)
	n := 0
	for n < len(toks) && !toks[n].Stop {
		n++
	}
	sent := toks[:n]
	head := sent[:min(len(sent), 6)]
	for _, name := range []string{"team", "user", "monitor", "supplier"} {
		if o.Tongue.Has(name, head) {
			fs = append(fs, "subject:"+name)
		}
	}
	fs = append(fs, "words:"+bucket(len(toks)))
	seen := map[string]bool{}
	prev := ""
	words := 0
	for _, t := range toks {
		if t.Stop || t.Comma {
			prev = ""
			continue
		}
		if words++; words > maxWords {
			break
		}
		w := stem(t.Text)
		if w == "" {
			prev = ""
			continue
		}
		for _, f := range []string{"w:" + w, "w:" + prev + " " + w} {
			if (f != "w: "+w) && !seen[f] && !(lexicon.IsCJK([]rune(w)[0]) && prev == "") {
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
	if lexicon.IsDigit(w[0]) {
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
func (c *candidates) placeFeatures(e *timeline.Entry, i int) (fs []string) {
	add := func(s string) { fs = append(fs, s) }
	for _, k := range lexicon.KindOrder {
		if c.first[k] == e {
			add("first:" + string(k))
		}
		if c.last[k] == e {
			add("last:" + string(k))
		}
	}
	state := ""
	for _, g := range groups {
		before := slices.ContainsFunc(c.es[:i], func(x *timeline.Entry) bool { return x.Says(g.kinds...) })
		after := slices.ContainsFunc(c.es[i+1:], func(x *timeline.Entry) bool { return x.Says(g.kinds...) })
		if before {
			add("after:" + g.name)
		}
		if after {
			add("before:" + g.name)
		}
		if e.Says(g.kinds...) {
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
func leadKind(e *timeline.Entry) lexicon.Kind {
	best, at := lexicon.Note, 1<<30
	for _, k := range lexicon.KindOrder {
		if t := e.Kinds[k]; e.Says(k) && t.From < at {
			best, at = k, t.From
		}
	}
	return best
}

// fields adds the times of labelled fields.
func (c *candidates) fields() {
	r := c.r
	for _, f := range r.Fields {
		name := incident.MilestoneName(f.Name)
		if !name.Valid() && f.Name != "period" || !r.inGroup(f.Block) || r.splitByTime() {
			continue
		}
		n := 0
		for _, st := range f.Stamps {
			if !st.HasClock {
				continue
			}
			e := calendar.MomentOf(r.Outline, st, f.Block, r.Calendar, r.Zone.Zone)
			if e.At.IsZero() {
				continue
			}
			fs := []string{"field", "field:" + f.Name}
			if f.Front {
				fs = append(fs, "front matter")
			}
			if n > 0 {
				fs = append(fs, "field:"+f.Name+":again")
			}
			if !st.Date.OK() {
				fs = append(fs, "field without a date")
			}
			n++
			p := pick{at: e.At, approx: st.Approx || st.HourOnly, seconds: st.Seconds, evidence: f.Whole, line: f.Line}
			// A date left out of the end of a field after midnight.
			if s, ok := r.picks[incident.Started]; ok && name != incident.Started && !st.Date.OK() &&
				p.at.Before(s.at) && s.at.Sub(p.at) < 24*time.Hour {
				p.at = p.at.Add(24 * time.Hour)
			}
			c.add(source{pick: p, from: "field"}, fs)
			if !e.End.IsZero() {
				p.at = e.End
				c.add(source{pick: p, from: "field"}, []string{"field", "field:" + f.Name + ":end"})
			}
		}
	}
}

// spans adds both ends of every stretch of impact.
func (c *candidates) spans() {
	n := 0
	for _, w := range c.r.ws {
		if w.Coherent {
			n++
		}
	}
	i := 0
	for _, w := range c.r.ws {
		kind := "span"
		if w.Labelled {
			kind = "labelled span"
		}
		if !w.Coherent {
			kind = "span elsewhere"
		} else {
			i++
			c.problem.Spans = append(c.problem.Spans, extract.Span{From: w.From, To: w.To})
		}
		var fs []string
		if w.Proved {
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
		p := pick{at: w.From, approx: w.Approx, evidence: w.Evidence, line: w.Line}
		c.add(source{pick: p, from: "span"}, append(prefixed(kind+":from:", fs), prefixedAll(kind+":from:", fs)...))
		p.at = w.To
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
		c.problem.Lengths = append(c.problem.Lengths, length(d))
	}
	c.problem.Lengths = append(c.problem.Lengths, c.r.printed()...)
}

// document adds what the whole document says of what it does not tell.
func (c *candidates) document() {
	fs := []string{"document"}
	for _, k := range lexicon.KindOrder {
		if c.first[k] != nil {
			fs = append(fs, "tells:"+string(k))
		} else if slices.ContainsFunc(c.r.own, func(e *timeline.Entry) bool { _, ok := e.Kinds[k]; return ok }) {
			fs = append(fs, "half tells:"+string(k))
		}
	}
	for _, n := range extract.Milestones {
		if _, ok := c.r.picks[n]; !ok {
			fs = append(fs, "no rule:"+string(n))
		}
	}
	if c.r.Outline.Timeline {
		fs = append(fs, "timeline")
	} else {
		fs = append(fs, "no timeline")
	}
	if len(c.problem.Spans) > 0 {
		fs = append(fs, "has a span")
	}
	fs = append(fs, "entries:"+bucket(len(c.es)))
	if c.r.Of > 1 {
		fs = append(fs, "several incidents")
	}
	if c.r.statusPage() {
		fs = append(fs, "status page")
	}
	c.problem.Document = fs
}

// statusPage says whether most of the entries are updates of a status page.
func (r *Reader) statusPage() bool {
	n := 0
	for _, e := range r.es {
		if e.Status != "" {
			n++
		}
	}
	return n*2 > len(r.es)
}
