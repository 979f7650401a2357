package milestones

import (
	"strconv"
	"strings"

	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

const MaxEvidence = 300

// record is the incident in the form every source gives it.
func (r *Reader) record() incident.Record {
	title := r.Group.Title
	if title == "" {
		title = r.Outline.Document.Title
	}
	rec := incident.Record{Origin: incident.OriginPostmortem, Title: document.QuoteText(title, 200), Kind: r.Sort, DetectedBy: r.by}
	for name, p := range r.picks {
		if rec.Milestones == nil {
			rec.Milestones = map[incident.MilestoneName]incident.Stated{}
		}
		s := incident.Stated{At: p.at, Precision: incident.PrecisionMinute, Evidence: document.QuoteText(p.evidence, MaxEvidence), Line: p.line,
			Confidence: p.confidence}
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
	if _, ok := r.picks[incident.Resolved]; ok || r.Of == 1 && r.Outline.FrontSays("resolved", "true") {
		rec.State = incident.StateResolved
	}
	for _, w := range r.ws {
		if w.Coherent && len(rec.Impacts) < 50 {
			rec.Impacts = append(rec.Impacts, incident.Impact{From: w.From, To: w.To, Evidence: document.QuoteText(w.Evidence, MaxEvidence)})
		}
	}
	for _, f := range r.Fields {
		if !r.inGroup(f.Block) || r.splitByTime() {
			continue
		}
		switch f.Name {
		case "services":
			if len(rec.Services) == 0 {
				rec.Services = SplitList(f.Orig, 20)
			}
		case "severity":
			if rec.Severity == "" && f.Orig != "" {
				rec.Severity = document.QuoteText(firstPart(f.Orig), 60)
			}
		case "regions":
			if l := SplitList(f.Orig, 20); len(l) > 0 && rec.Labels == nil {
				rec.Labels = map[string]string{"region": document.QuoteText(strings.Join(l, ", "), 200)}
			}
		}
	}
	if len(rec.Services) == 0 {
		rec.Services = r.services(title)
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

// SplitList reads a value that names several things. A long sentence names none.
func SplitList(s string, most int) (l []string) {
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
			l = append(l, document.QuoteText(p, 80))
		} else if len(p) > 80 {
			return nil
		}
	}
	return l
}

// actions are the items below a heading of what is to be done.
func (r *Reader) actions() (as []incident.Action) {
	for i := range r.Outline.Document.Blocks {
		b := &r.Outline.Document.Blocks[i]
		if r.Outline.Sections[i].Name != "actions" || b.Kind != document.Item || !r.inGroup(i) || r.splitByTime() || len(as) >= 100 {
			continue
		}
		a := incident.Action{}
		text := b.Orig
		for mark, state := range map[string]string{"[ ]": "open", "[x]": "done", "[X]": "done", "☐": "open", "☑": "done", "✅": "done"} {
			if rest, ok := strings.CutPrefix(text, mark); ok {
				a.State, text = state, rest
			}
		}
		for _, st := range r.Outline.Stamps[i] {
			if d := r.Calendar.Settle(st.Date); d.Full() && d.Year > 0 && !st.HasClock {
				a.Due = d.String()
				break
			}
		}
		if a.Title = document.QuoteText(text, 200); a.Title != "" {
			as = append(as, a)
		}
	}
	return as
}

// told are the words by which an entry tells its kinds, and how where it is not plainly.
func (r *Reader) told(e *timeline.Entry) (out []string) {
	var toks []lexicon.Token
	for _, k := range lexicon.KindOrder {
		t, ok := e.Kinds[k]
		if !ok {
			continue
		}
		if toks == nil {
			toks = r.Outline.Words(e)
		}
		var words []string
		for i := max(t.From, 0); i < t.To && i < len(toks) && len(words) < 12; i++ {
			if !toks[i].Comma && !toks[i].Stop {
				words = append(words, toks[i].Text)
			}
		}
		s := string(k)
		if len(words) > 0 {
			s += " " + strconv.Quote(document.QuoteText(strings.Join(words, " "), 80))
		}
		if m := e.Mode(k); m != "firm" {
			s += " (" + m + ")"
		}
		out = append(out, s)
	}
	return out
}

// table lists the entries for people to look at.
func (r *Reader) table() []Entry {
	var out []Entry
	weighed := r.weighed()
	for _, e := range r.own {
		if r.Outline.Timeline && !e.List && !e.Kinds.Has(lexicon.ImpactStart, lexicon.Recovered, lexicon.Resolved, lexicon.Alert,
			lexicon.ReportUser, lexicon.Noticed) && len(e.Kinds) == 0 {
			continue
		}
		x := Entry{At: e.At, Line: e.Line, Text: document.QuoteText(r.Outline.Text(e), MaxEvidence), Prose: !e.List}
		b := &r.Outline.Document.Blocks[e.Block]
		if e.Row == "" && e.Status == "" {
			x.Clock = document.QuoteText(b.Text[e.Stamp.Start:e.Stamp.End], 60)
		} else {
			x.Clock = clockText(e.Stamp)
		}
		for _, k := range lexicon.KindOrder {
			if e.Kinds.Has(k) {
				x.Kinds = append(x.Kinds, k)
			}
		}
		if len(x.Kinds) == 0 {
			x.Kinds = []lexicon.Kind{lexicon.Note}
		}
		for _, n := range incident.MilestoneNames {
			if p, ok := r.picks[n]; ok && p.e == e {
				x.Milestones = append(x.Milestones, n)
			}
		}
		for _, w := range weighed {
			if w.Entry == e {
				x.Weighed = append(x.Weighed, w)
			}
		}
		x.Told, x.Rules = r.told(e), e.Rules
		out = append(out, x)
	}
	return out
}
