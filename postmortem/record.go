package postmortem

import (
	"strconv"
	"strings"

	"meantime/incident"
)

const maxEvidence = 300

// record is the incident in the form every source gives it.
func (r *reader) record() incident.Record {
	title := r.group.title
	if title == "" {
		title = r.o.doc.title
	}
	rec := incident.Record{Origin: incident.OriginPostmortem, Title: quoteText(title, 200), Kind: r.sort, DetectedBy: r.by}
	for name, p := range r.picks {
		if rec.Milestones == nil {
			rec.Milestones = map[incident.MilestoneName]incident.Stated{}
		}
		s := incident.Stated{At: p.at, Precision: incident.PrecisionMinute, Evidence: quoteText(p.evidence, maxEvidence), Line: p.line, Confidence: p.confidence}
		switch {
		case p.approx:
			s.Precision = incident.PrecisionApproximate
			if s.Confidence == incident.ConfidenceStated {
				s.Confidence = incident.ConfidenceApproximate
			}
		case p.seconds:
			s.Precision = incident.PrecisionSecond
		}
		rec.Milestones[name] = s
	}
	if _, ok := r.picks[incident.Resolved]; ok || r.of == 1 && r.o.frontSays("resolved", "true") {
		rec.State = incident.StateResolved
	}
	for _, w := range r.ws {
		if w.coherent && len(rec.Impacts) < 50 {
			rec.Impacts = append(rec.Impacts, incident.Impact{From: w.from, To: w.to, Evidence: quoteText(w.evidence, maxEvidence)})
		}
	}
	for _, f := range r.fs {
		if !r.inGroup(f.block) || r.splitByTime() {
			continue
		}
		switch f.name {
		case "services":
			if len(rec.Services) == 0 {
				rec.Services = splitList(f.orig, 20)
			}
		case "severity":
			if rec.Severity == "" && f.orig != "" {
				rec.Severity = quoteText(firstPart(f.orig), 60)
			}
		case "regions":
			if l := splitList(f.orig, 20); len(l) > 0 && rec.Labels == nil {
				rec.Labels = map[string]string{"region": quoteText(strings.Join(l, ", "), 200)}
			}
		}
	}
	rec.Actions = r.actions()
	return rec
}

// firstPart is a value up to the first comma, bracket or dash: "Critical, interrupting sign-in" is critical.
func firstPart(s string) string {
	if i := strings.IndexAny(s, ",;(—–。、，"); i > 0 {
		s = s[:i]
	}
	return strings.TrimSpace(strings.TrimRight(s, " ."))
}

// splitList reads a value that names several things. A long sentence names none.
func splitList(s string, most int) (l []string) {
	if i := strings.IndexAny(s, "("); i > 0 && !strings.Contains(s[:i], ",") {
		if j := strings.IndexByte(s[i:], ')'); j > 0 && i+j+1 >= len(s)-1 && strings.Contains(s[i:i+j], ",") {
			s = s[i+1 : i+j] // "API (eWallets, Payouts)"
		}
	}
	for _, p := range strings.FieldsFunc(s, func(r rune) bool {
		return r == ',' || r == ';' || r == '、' || r == '，' || r == '|' || r == '\n' || r == '・'
	}) {
		p = strings.TrimSpace(strings.Trim(strings.TrimSpace(p), ".。*"))
		if strings.HasSuffix(p, ":") {
			return nil // a label whose value was left empty
		}
		if p != "" && len(p) <= 80 && len(l) < most {
			l = append(l, quoteText(p, 80))
		} else if len(p) > 80 {
			return nil
		}
	}
	return l
}

// actions are the items below a heading of what is to be done.
func (r *reader) actions() (as []incident.Action) {
	for i := range r.o.doc.blocks {
		b := &r.o.doc.blocks[i]
		if r.o.sections[i].name != "actions" || b.kind != item || !r.inGroup(i) || r.splitByTime() || len(as) >= 100 {
			continue
		}
		a := incident.Action{}
		text := b.orig
		for mark, state := range map[string]string{"[ ]": "open", "[x]": "done", "[X]": "done", "☐": "open", "☑": "done", "✅": "done"} {
			if rest, ok := strings.CutPrefix(text, mark); ok {
				a.State, text = state, rest
			}
		}
		for _, st := range r.o.stamps[i] {
			if d := r.cal.settle(st.date); d.full() && d.y > 0 && !st.hasClock {
				a.Due = d.String()
				break
			}
		}
		if a.Title = quoteText(text, 200); a.Title != "" {
			as = append(as, a)
		}
	}
	return as
}

// told are the words by which an entry tells its kinds, and how where it is not plainly.
func (r *reader) told(e *entry) (out []string) {
	var toks []token
	for _, k := range kindOrder {
		t, ok := e.kinds[k]
		if !ok {
			continue
		}
		if toks == nil {
			toks = r.o.words(e)
		}
		var words []string
		for i := max(t.from, 0); i < t.to && i < len(toks) && len(words) < 12; i++ {
			if !toks[i].comma && !toks[i].stop {
				words = append(words, toks[i].text)
			}
		}
		s := string(k)
		if len(words) > 0 {
			s += " " + strconv.Quote(quoteText(strings.Join(words, " "), 80))
		}
		if m := e.mode(k); m != "firm" {
			s += " (" + m + ")"
		}
		out = append(out, s)
	}
	return out
}

// table lists the entries for people to look at.
func (r *reader) table() []Entry {
	var out []Entry
	weighed := r.weighed()
	for _, e := range r.own {
		if r.o.timeline && !e.list && !e.kinds.has(ImpactStart, Recovered, Resolved, Alert, ReportUser, Noticed) && len(e.kinds) == 0 {
			continue
		}
		x := Entry{At: e.at, Line: e.line, Text: quoteText(r.o.text(e), maxEvidence), Prose: !e.list}
		b := &r.o.doc.blocks[e.block]
		if e.row == "" && e.status == "" {
			x.Clock = quoteText(b.text[e.st.start:e.st.end], 60)
		} else {
			x.Clock = clockText(e.st)
		}
		for _, k := range kindOrder {
			if e.kinds.has(k) {
				x.Kinds = append(x.Kinds, k)
			}
		}
		if len(x.Kinds) == 0 {
			x.Kinds = []Kind{Note}
		}
		for _, n := range incident.MilestoneNames {
			if p, ok := r.picks[n]; ok && p.e == e {
				x.Milestones = append(x.Milestones, n)
			}
		}
		for _, w := range weighed {
			if w.entry == e {
				x.Weighed = append(x.Weighed, w)
			}
		}
		x.Told = r.told(e)
		out = append(out, x)
	}
	return out
}
