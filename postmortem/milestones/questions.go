package milestones

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// The kinds of question. Each is about one field of the record, or about how the whole document is to be read.
const (
	AskZone      = "zone"      // which zone the times are in
	AskDate      = "date"      // which day it was
	AskYear      = "year"      // which year
	AskOrder     = "order"     // entries that cannot all be right
	AskWindow    = "window"    // the document's parts give different times
	AskDuration  = "duration"  // a printed duration differs from its own ends
	AskIncidents = "incidents" // one incident or several
	AskTruncated = "truncated" // the text breaks off
	AskAbsent    = "absent"    // milestones of which the document says nothing
	// A milestone's own name asks for that milestone; detected_by for who knew first.
)

const maxQuestions = 40

func (r *Reader) question(kind, field, text, why string, candidates []string, line int) {
	if len(r.qs) >= maxQuestions {
		return
	}
	most := 12
	if incident.MilestoneName(kind).Valid() {
		most = mostSuggestions
	}
	candidates = candidates[:min(len(candidates), most)]
	for i := range r.qs {
		if r.qs[i].Kind == kind && r.qs[i].Field == field {
			for _, c := range candidates {
				if !slices.ContainsFunc(r.qs[i].Candidates, func(old string) bool { return sameMoment(old, c) }) && len(r.qs[i].Candidates) < most {
					r.qs[i].Candidates = append(r.qs[i].Candidates, c)
				}
			}
			return
		}
	}
	r.qs = append(r.qs, incident.Question{Kind: kind, Field: field, Text: text, Why: why, Candidates: candidates, Line: line})
}

// sameMoment says whether two candidates are the same answer, whatever words stand behind it.
func sameMoment(a, b string) bool {
	x, _, _ := strings.Cut(a, " ")
	y, _, _ := strings.Cut(b, " ")
	if _, err := time.Parse(time.RFC3339, x); err != nil {
		return a == b
	}
	return x == y
}

// candidate is an answer a person can copy: the moment, then what it is.
func candidate(t time.Time, what string) string {
	s := t.UTC().Format(time.RFC3339)
	if what = document.QuoteText(what, 80); what != "" {
		s += " " + what
	}
	return s
}

func (r *Reader) askBoth(kind, field, text string, a, b time.Time, line int) {
	r.question(kind, field, text, "The document says both.", []string{candidate(a, ""), candidate(b, "")}, line)
}

func (r *Reader) askEntries(kind, field, text, why string, es []*timeline.Entry) {
	var cs []string
	for _, e := range es {
		if !e.At.IsZero() && len(cs) < 8 {
			cs = append(cs, candidate(e.At, r.Outline.Text(e)))
		}
	}
	line := 0
	if len(es) > 0 {
		line = es[0].Line
	}
	r.question(kind, field, text, why, cs, line)
}

// ask lists what stays open.
func (r *Reader) ask() {
	r.askZone()
	r.askDay()
	r.askOrder()
	r.askStart()
	r.askDetected()
	r.askGiven()
	r.askMissing()
	r.askDurations()
	r.askWindows()
	if r.Group.ID != "" {
		// A log says itself that it lists several.
	} else if r.Of > 1 {
		r.question(AskIncidents, "", fmt.Sprintf("The document is read as %d incidents.", r.Of),
			"If it tells of one, its milestones belong together.", []string{"one", fmt.Sprint(r.Of)}, 0)
	} else if n := r.relapses(); n > 0 {
		r.question(AskIncidents, "impacts", "One incident that came back, or several?", times(n), []string{"one", "several"}, 0)
	}
	r.askTruncated()
}

func times(n int) string {
	if n == 1 {
		return "It comes back once."
	}
	return fmt.Sprintf("It comes back %d times.", n)
}

func (r *Reader) relapses() (n int) {
	ended := r.endings(r.es)
	better := false // it got better before, though nobody said that it was well
	for i, e := range r.es {
		if better && !ended[i] && e.Kinds.Has(lexicon.ImpactStart) &&
			!e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.Relapse) {
			n++
		}
		better = better || e.Kinds.Has(lexicon.Partial) && !e.Kinds.Has(lexicon.ImpactStart, lexicon.Failing)
		if e.Kinds.Has(lexicon.Relapse) && (i > 0 && !e.Kinds.Has(lexicon.ImpactStart) || ended[i]) || e.Kinds.Has(lexicon.ImpactStart) &&
			ended[i] && !e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended) {
			n++
		}
	}
	disjoint := 0
	for i := 1; i < len(r.ws); i++ {
		if r.ws[i].Coherent && r.ws[i].From.After(r.ws[i-1].To) {
			disjoint++
		}
	}
	return max(n, disjoint)
}

func (r *Reader) askZone() {
	const field = "zone"
	c := r.Zone
	if c.From == "answer" {
		return
	}
	clocked := false
	for _, e := range r.own {
		clocked = clocked || e.Stamp.HasClock && e.Dated && !e.Stamp.Zone.Fixed
	}
	if !clocked {
		return
	}
	d := r.Calendar.Day
	switch {
	case c.Label.OK():
		r.question(AskZone, field, fmt.Sprintf("Are the times in %s as written, or %s?", c.Label.Label, c.Zone.Describe(d)),
			fmt.Sprintf("%q stands with the entry at %02d:%02d, which is another offset than the label's.", c.Proof, c.ProofFor.Stamp.Hour,
				c.ProofFor.Stamp.Minute),
			[]string{c.Zone.Describe(d), c.Label.Describe(d)}, c.Line)
	case c.Proof != "":
		r.question(AskZone, field, "The document names no zone for its times.",
			fmt.Sprintf("%s is taken from %q in the text.", c.Zone.Label, c.Proof), []string{c.Zone.Describe(d)}, c.Line)
	case !c.Zone.OK():
		for _, e := range r.own {
			if e.At.IsZero() && e.Dated && e.Stamp.HasClock {
				r.question(AskZone, field, "Which zone are the times in?", "The document names none, so they give no milestone.", nil, e.Line)
				return
			}
		}
	case c.Guessed:
		r.question(AskZone, field, "The document names no zone for its times.",
			fmt.Sprintf("%s is taken because of its language.", c.Zone.Label), []string{c.Zone.Describe(d)}, 0)
	default:
		for _, e := range r.own {
			if e.Conflict && e.Zone.OK() {
				was := timex.FixedZone(e.Zone.Label, e.Zone.Offset)
				cs := []string{e.Zone.Describe(e.Day), was.Describe(e.Day)}
				for _, p := range e.Zone.Also {
					cs = append(cs, timex.PlaceZone(e.Zone.Label, p).Describe(e.Day))
				}
				r.question(AskZone, field, fmt.Sprintf("%s is not in force on %s.", e.Zone.Label, e.Day),
					"The clock of the place on that day is taken, as people write the name all year.", cs, c.Line)
				return
			}
		}
		if len(c.Zone.Also) > 0 && c.Zone.Label == "IST" {
			cs := []string{c.Zone.Describe(d)}
			for _, p := range c.Zone.Also {
				cs = append(cs, timex.PlaceZone(c.Zone.Label, p).Describe(d))
			}
			r.question(AskZone, field, c.Zone.Label+" is the name of several zones.", "", cs, c.Line)
		}
	}
	for _, e := range r.own {
		if e.Stamp.Unclear || e.Cleared {
			r.question(AskOrder, field, fmt.Sprintf("Which hour is %q?", r.Outline.Document.Blocks[e.Block].Text[e.Stamp.Start:e.Stamp.End]),
				"Its part of the day does not go with its hour.",
				[]string{fmt.Sprintf("%02d:%02d", e.Stamp.Hour%12, e.Stamp.Minute), fmt.Sprintf("%02d:%02d", e.Stamp.Hour%12+12, e.Stamp.Minute)},
				e.Line)
		}
	}
}

func (r *Reader) askDay() {
	c := r.Calendar
	d := c.Ambiguous
	if c.Zoned {
		r.question(AskDate, "date", fmt.Sprintf("Is %d/%d the day or the month first?", d.A, d.B),
			"Only the zone of its times speaks for the order that was taken.",
			[]string{fmt.Sprintf("%04d-%02d-%02d", d.Year, d.A, d.B), fmt.Sprintf("%04d-%02d-%02d", d.Year, d.B, d.A)}, 0)
	}
	switch {
	case c.OpenOrder:
		r.question(AskDate, "date", fmt.Sprintf("Is %d/%d the day or the month first?", d.A, d.B), "Nothing in the document decides it.",
			[]string{fmt.Sprintf("%04d-%02d-%02d", d.Year, d.A, d.B), fmt.Sprintf("%04d-%02d-%02d", d.Year, d.B, d.A)}, 0)
	case !c.Day.Full():
		for _, e := range r.own {
			if !e.Dated {
				r.question(AskDate, "date", "Which day was it?", "The document names none.", nil, e.Line)
				break
			}
		}
	case c.Day.Year == 0:
		r.question(AskYear, "year", "Which year was it?", "The document says day and month only, so it gives no milestone.", nil, 0)
	case c.YearFrom == "publication":
		r.question(AskYear, "year", fmt.Sprintf("Was it in %d?", c.Day.Year), "The year is taken from the date of publication.",
			[]string{fmt.Sprint(c.Day.Year), fmt.Sprint(c.Day.Year - 1)}, 0)
	case c.YearFrom == "title":
		r.question(AskYear, "year", fmt.Sprintf("Was it in %d?", c.Day.Year), "The year is taken from the title.",
			[]string{fmt.Sprint(c.Day.Year)}, 0)
	case c.YearFrom == "name":
		r.question(AskYear, "year", fmt.Sprintf("Was it in %d?", c.Day.Year), "The year is taken from the file's name.",
			[]string{fmt.Sprint(c.Day.Year)}, 0)
	}
	if c.Day.Year == 0 || !c.Day.Full() {
		return
	}
	if r.doubtful() {
		var cs []string
		for _, m := range c.Doubts {
			cs = append(cs, c.Complete(m.Day, c.Day).String()+" "+m.When)
		}
		r.question(AskDate, "date", fmt.Sprintf("Was it on %s?", c.Day), "Only the "+c.From+
			" says so, and the text names another day; the times give no milestone before this is settled.",
			append(cs, c.Day.String()+" "+c.From), c.Doubts[0].Line)
		return
	}
	used := map[[2]int]bool{}
	var lo, hi time.Time
	for _, e := range r.own {
		if e.List && e.Dated {
			used[[2]int{e.Day.Month, e.Day.Day}] = true
			if t := e.Day.Time(); lo.IsZero() || t.Before(lo) {
				lo = t
			}
			if t := e.Day.Time(); t.After(hi) {
				hi = t
			}
		}
	}
	cs := []string{c.Day.String()}
	line := 0
	for _, m := range c.Candidates {
		d := m.Day
		if d.Year == 0 {
			d = c.Complete(d, c.Day)
		}
		t := d.Time()
		near := t.Sub(c.Day.Time()).Abs() <= 2*24*time.Hour
		if used[[2]int{d.Month, d.Day}] || near || t.IsZero() || !lo.IsZero() && t.After(lo) && t.Before(hi) {
			continue
		}
		if s := d.String() + " " + m.When; !slices.Contains(cs, s) && len(cs) < 6 {
			cs = append(cs, s)
			line = m.Line
			if d.Day <= 12 && d.Day != d.Month && m.Day.Start >= 0 && r.numericAt(m) {
				swapped := timex.Date{Year: d.Year, Month: d.Day, Day: d.Month}
				cs = append(cs, swapped.String()+" the same with day and month the other way round")
			}
		}
	}
	if len(cs) > 1 {
		r.question(AskDate, "date", fmt.Sprintf("Was it on %s?", c.Day), "Other places of the document say another day.", cs, line)
	}
}

// numericAt says whether a mention's date was written in numbers.
func (r *Reader) numericAt(m calendar.Mention) bool {
	if m.Block < 0 || m.Day.Start >= len(r.Outline.Document.Blocks[m.Block].Text) {
		return false
	}
	s := r.Outline.Document.Blocks[m.Block].Text[m.Day.Start:]
	_, n := lexicon.Digits(s, 0)
	return n > 0 && n <= 2 && n < len(s) && (s[n] == '/' || s[n] == '.' || s[n] == '-')
}

func (r *Reader) askOrder() {
	for _, q := range r.Order {
		for _, e := range r.own {
			if e == q.E {
				r.question(AskOrder, "entries", fmt.Sprintf("The clock goes back at %02d:%02d.", e.Stamp.Hour, e.Stamp.Minute),
					"The same day, the next, or a slip? From here on the entries give no milestone.",
					[]string{q.Cur.String(), q.Cur.Add(1).String()}, e.Line)
			}
		}
	}
	for _, e := range r.own {
		if e.List && e.Explicit && e.Suspicious && !e.At.IsZero() {
			r.question(AskOrder, "entries", fmt.Sprintf("%s %02d:%02d does not go with the entries around it.", e.Day, e.Stamp.Hour,
				e.Stamp.Minute), "Its date may be a slip; it gives no milestone.",
				[]string{e.Day.String(), e.Day.Add(-1).String(), e.Day.Add(1).String()}, e.Line)
		}
		if e.Stamp.Unknown && e.List {
			r.question(AskOrder, "entries", "An entry's time is left open in the document.", document.QuoteText(r.Outline.Text(e), 80), nil, e.Line)
		}
	}
}

// askStart asks about a start that is none of its own: the first report, the alert, the change.
func (r *Reader) askStart() {
	const field = "milestones.started"
	s, ok := r.picks[incident.Started]
	d, known := r.picks[incident.Detected]
	switch {
	case !ok:
	case r.startProved:
		r.question("started", field, "Did users begin to be affected here?",
			"The entry is no failure that somebody saw; only the stated duration says that it is the start.",
			[]string{candidate(s.at, s.evidence)}, s.line)
	case s.confidence == incident.ConfidenceInferred:
		r.question("started", field, "Did users begin to be affected here?", "It is inferred.", []string{candidate(s.at, s.evidence)}, s.line)
	case known && d.at.Sub(s.at).Abs() < time.Minute:
		r.question("started", field, "Is the start the first report?",
			"It is the same minute as the detection, so it may be when it was seen and not when it began.", []string{candidate(s.at, s.evidence)},
			s.line)
	case !known && s.e != nil && !s.e.List:
		r.question("started", field, "Did it begin here, or was it first said here?",
			"The text tells it from outside and names nobody who knew.", []string{candidate(s.at, s.evidence)}, s.line)
	case s.e != nil && s.e.Stamp.To != nil:
		r.question("started", field, "When in this range did it begin?", "", []string{candidate(s.at, s.evidence), candidate(s.e.End, "")},
			s.line)
	case known && d.at.Before(s.at):
		r.question("started", field, "Did it begin before it was detected?", "The stated start is after the detection.",
			[]string{candidate(s.at, s.evidence), candidate(d.at, d.evidence)}, s.line)
	}
	if ok { // what the text says elsewhere
		for _, e := range r.own {
			if !e.List && r.Outline.Timeline && e.Kinds.Has(lexicon.ImpactStart) && !e.At.IsZero() && e.At.Sub(s.at).Abs() > time.Minute &&
				e.At.Sub(s.at).Abs() < 24*time.Hour {
				r.question("started", field, "The text and the timeline give different starts.", "",
					[]string{candidate(s.at, s.evidence), candidate(e.At, r.Outline.Text(e))}, e.Line)
			}
		}
	}
}

func (r *Reader) askDetected() {
	const field = "milestones.detected"
	d, ok := r.picks[incident.Detected]
	a, acked := r.picks[incident.Acknowledged]
	if !ok {
		return
	}
	if acked && (r.by == incident.ByCustomer || r.by == "") && a.at.After(d.at) {
		r.question("detected", field, "Does the report count as detection, or when the team saw it?",
			"A report came in before somebody of the team is said to know.", []string{candidate(d.at, d.evidence), candidate(a.at, a.evidence)},
			d.line)
	}
	var early []*timeline.Entry
	s, started := r.picks[incident.Started]
	for _, e := range r.es {
		if started && e.At.Equal(s.at) && r.by == incident.ByAlert {
			continue // that it began is no word of who knew before the alert
		}
		if e.At.Before(d.at) && d.at.Sub(e.At) < 2*time.Hour && (e.Kinds.Has(lexicon.Symptom, lexicon.Noticed, lexicon.Report,
			lexicon.FollowUp) && !e.Kinds.Has(lexicon.ThirdParty) || e.Kinds.Has(lexicon.ThirdParty) && d.at.Sub(e.At) <= 15*time.Minute) {
			early = append(early, e)
		}
	}
	if len(early) > 0 && d.e != nil {
		r.askEntries("detected", field, "Did somebody know before?", "An earlier entry tells of something wrong.",
			append([]*timeline.Entry{d.e}, early[:min(len(early), 4)]...))
	}
	if r.by == "" {
		r.question("detected_by", "detected_by", "Who knew first?", "The entry does not say who reported it.",
			[]string{"alert", "customer", "staff", "third_party"}, d.line)
	}
}

// askGiven asks about what is given and may be meant otherwise.
func (r *Reader) askGiven() {
	if p, ok := r.picks[incident.Identified]; ok && p.e != nil {
		if t := p.e.Kinds[lexicon.Cause]; t.Hedged {
			r.question("identified", "milestones.identified", "Was the cause certain here?", "It is told as a possibility.",
				[]string{candidate(p.at, p.evidence)}, p.line)
		}
	}
}

// askDurations compares what the document says of lengths with its own ends.
func (r *Reader) askDurations() {
	s, ok1 := r.picks[incident.Started]
	e, ok2 := r.picks[incident.Resolved]
	if !ok2 {
		e, ok2 = r.picks[incident.Mitigated]
	}
	m, ok3 := r.picks[incident.Mitigated]
	if ok1 && ok2 {
		for _, d := range r.ds {
			if d.Fits(e.at.Sub(s.at)) || ok3 && d.Fits(m.at.Sub(s.at)) || r.fitsWindow(d) {
				continue
			}
			cs := []string{d.Length.String() + " as stated", e.at.Sub(s.at).String() + " between the ends"}
			kind, field := AskDuration, "duration"
			r.question(kind, field, fmt.Sprintf("The document says it took %s; from start to end it is %s.", d.Length, e.at.Sub(s.at)),
				"One of the three is wrong, or the length is of something else.", cs, d.Line)
			// The length may tell of another end.
			for _, x := range r.es {
				if d.Proves(x.At.Sub(s.at)) && x.At.Sub(e.at).Abs() > time.Minute {
					r.question("resolved", "milestones.resolved", "Did it end at another entry?",
						fmt.Sprintf("The stated %s from the start leads there.", d.Length),
						[]string{candidate(e.at, e.evidence), candidate(x.At, r.Outline.Text(x))}, x.Line)
				}
			}
		}
	}
	if !ok1 && ok2 {
		for _, d := range r.ds {
			for _, x := range r.es {
				if d.Proves(x.At.Sub(e.at)) && x.At.After(e.at) {
					break
				}
				if x.At.After(e.at) {
					if y := r.es[0]; y.At.Before(e.at) && d.Proves(x.At.Sub(y.At)) {
						r.question("resolved", "milestones.resolved", "Did it end at another entry?",
							fmt.Sprintf("The stated %s from the first entry leads there.", d.Length),
							[]string{candidate(e.at, e.evidence), candidate(x.At, r.Outline.Text(x))}, x.Line)
					}
				}
			}
		}
	}
	for _, w := range r.ws {
		if w.Printed.Length > 0 && !w.Printed.Fits(w.To.Sub(w.From)) {
			r.question(AskDuration, "impacts", fmt.Sprintf("The document prints %s for a window of %s.", w.Printed.Length, w.To.Sub(w.From)),
				"Its ends are taken.",
				[]string{w.To.Sub(w.From).String(), w.Printed.Length.String()}, w.Line)
		}
	}
}

func (r *Reader) fitsWindow(d timex.Duration) bool {
	for _, w := range r.ws {
		if d.Fits(w.To.Sub(w.From)) {
			return true
		}
	}
	return false
}

// askWindows asks about windows that do not go with the rest.
func (r *Reader) askWindows() {
	s, ok := r.picks[incident.Started]
	e, ok2 := r.picks[incident.Resolved]
	if m, ok := r.picks[incident.Mitigated]; ok && ok2 && e.e != nil && e.at.Sub(m.at) > 3*time.Hour {
		r.question("resolved", "milestones.resolved", "Was it over only then?", "Users were well hours before.",
			[]string{candidate(m.at, m.evidence), candidate(e.at, e.evidence)}, e.line)
	}
	for _, w := range r.ws {
		switch {
		case !w.Coherent:
			r.question(AskWindow, "impacts", fmt.Sprintf("The document gives a window on %s, far from the rest.", w.From.Format(time.DateOnly)),
				"It is left out.", []string{candidate(w.From, ""), candidate(w.To, w.Evidence)}, w.Line)
		case ok && w.From.Before(s.at.Add(-time.Minute)), ok2 && w.To.After(e.at.Add(time.Minute)):
			r.question(AskWindow, "impacts", "The summary and the timeline give different times of impact.", "",
				[]string{candidate(w.From, ""), candidate(w.To, "")}, w.Line)
		}
	}
	if !r.Outline.Timeline {
		return
	}
	if !ok2 {
		return
	}
	// Prose that tells of another end.
	for _, x := range r.own {
		says := x.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended) || x.Section == "resolution" &&
			x.Kinds.Has(lexicon.Attempt, lexicon.Trigger, lexicon.FixLive)
		if x.List || x.At.IsZero() || !says || x.At.Sub(e.at).Abs() <= time.Minute || x.At.Sub(e.at).Abs() > 24*time.Hour {
			continue
		}
		r.question("resolved", "milestones.resolved", "The text tells of another end.", "",
			[]string{candidate(e.at, e.evidence), candidate(x.At, r.Outline.Text(x))}, x.Line)
	}
}

// askTruncated asks where the text breaks off in the middle of a sentence.
func (r *Reader) askTruncated() {
	bs := r.Outline.Document.Blocks
	if r.Outline.Document.Cut {
		r.question(AskTruncated, "", "The document is longer than is read.",
			fmt.Sprintf("It has more than %d paragraphs and lines; the rest is left out.", document.MaxBlocks), nil, 0)
		return
	}
	for i := len(bs) - 1; i >= 0 && i >= len(bs)-1; i-- {
		b := &bs[i]
		if b.Kind != document.Para && b.Kind != document.Item || utf8.RuneCountInString(b.Text) < 60 {
			return
		}
		last, _ := utf8.DecodeLastRuneInString(b.Text)
		if strings.ContainsRune(".!?:;)]\"'»”」』。！？…*|", last) || !isWordRune(last) || len(r.picks) >= 6 || r.picks[incident.Resolved].line > 0 {
			return
		}
		r.question(AskTruncated, "", "The text seems to break off.",
			"Its last sentence has no end; what is missing may hold the end of the incident.", nil, b.Line)
	}
}

func isWordRune(c rune) bool {
	return c >= utf8.RuneSelf || lexicon.IsWord(byte(c))
}

func clockText(st timex.Stamp) string {
	switch {
	case st.Unknown:
		return "unknown"
	case st.Relative:
		return "T" + fmt.Sprintf("%+d", int(st.Plus.Minutes())) + " min"
	}
	s := fmt.Sprintf("%02d:%02d", st.Hour, st.Minute)
	if st.Date.Full() {
		s = st.Date.String() + " " + s
	}
	if st.Zone.OK() {
		s += " " + st.Zone.Label
	}
	return s
}
