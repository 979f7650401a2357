package postmortem

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/incident"
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

func (r *reader) question(kind, field, text, why string, candidates []string, line int) {
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
	if what = quoteText(what, 80); what != "" {
		s += " " + what
	}
	return s
}

func (r *reader) askBoth(kind, field, text string, a, b time.Time, line int) {
	r.question(kind, field, text, "The document says both.", []string{candidate(a, ""), candidate(b, "")}, line)
}

func (r *reader) askEntries(kind, field, text, why string, es []*entry) {
	var cs []string
	for _, e := range es {
		if !e.at.IsZero() && len(cs) < 8 {
			cs = append(cs, candidate(e.at, r.o.text(e)))
		}
	}
	line := 0
	if len(es) > 0 {
		line = es[0].line
	}
	r.question(kind, field, text, why, cs, line)
}

// ask lists what stays open.
func (r *reader) ask() {
	r.askZone()
	r.askDay()
	r.askOrder()
	r.askStart()
	r.askDetected()
	r.askGiven()
	r.askMissing()
	r.askDurations()
	r.askWindows()
	if r.group.id != "" {
		// A log says itself that it lists several.
	} else if r.of > 1 {
		r.question(AskIncidents, "", fmt.Sprintf("The document is read as %d incidents.", r.of), "If it tells of one, its milestones belong together.", []string{"one", fmt.Sprint(r.of)}, 0)
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

func (r *reader) relapses() (n int) {
	ended := r.endings(r.es)
	better := false // it got better before, though nobody said that it was well
	for i, e := range r.es {
		if better && !ended[i] && e.kinds.has(ImpactStart) && !e.kinds.has(Recovered, Resolved, Ended, Relapse) {
			n++
		}
		better = better || e.kinds.has(Partial) && !e.kinds.has(ImpactStart, Failing)
		if e.kinds.has(Relapse) && (i > 0 && !e.kinds.has(ImpactStart) || ended[i]) || e.kinds.has(ImpactStart) && ended[i] && !e.kinds.has(Recovered, Resolved, Ended) {
			n++
		}
	}
	disjoint := 0
	for i := 1; i < len(r.ws); i++ {
		if r.ws[i].coherent && r.ws[i].from.After(r.ws[i-1].to) {
			disjoint++
		}
	}
	return max(n, disjoint)
}

func (r *reader) askZone() {
	const field = "zone"
	c := r.zc
	if c.from == "answer" {
		return
	}
	clocked := false
	for _, e := range r.own {
		clocked = clocked || e.st.hasClock && e.dated && !e.st.zone.fixed
	}
	if !clocked {
		return
	}
	d := r.cal.day
	switch {
	case c.label.ok():
		r.question(AskZone, field, fmt.Sprintf("Are the times in %s as written, or %s?", c.label.label, c.zone.describe(d)),
			fmt.Sprintf("%q stands with the entry at %02d:%02d, which is another offset than the label's.", c.proof, c.proofFor.st.h, c.proofFor.st.m),
			[]string{c.zone.describe(d), c.label.describe(d)}, c.line)
	case c.proof != "":
		r.question(AskZone, field, "The document names no zone for its times.", fmt.Sprintf("%s is taken from %q in the text.", c.zone.label, c.proof), []string{c.zone.describe(d)}, c.line)
	case !c.zone.ok():
		for _, e := range r.own {
			if e.at.IsZero() && e.dated && e.st.hasClock {
				r.question(AskZone, field, "Which zone are the times in?", "The document names none, so they give no milestone.", nil, e.line)
				return
			}
		}
	case c.guessed:
		r.question(AskZone, field, "The document names no zone for its times.", fmt.Sprintf("%s is taken because of its language.", c.zone.label), []string{c.zone.describe(d)}, 0)
	default:
		for _, e := range r.own {
			if e.conflict && e.zone.ok() {
				was := fixedZone(e.zone.label, e.zone.offset)
				cs := []string{e.zone.describe(e.day), was.describe(e.day)}
				for _, p := range e.zone.also {
					cs = append(cs, placeZone(e.zone.label, p).describe(e.day))
				}
				r.question(AskZone, field, fmt.Sprintf("%s is not in force on %s.", e.zone.label, e.day), "The clock of the place on that day is taken, as people write the name all year.", cs, c.line)
				return
			}
		}
		if len(c.zone.also) > 0 && c.zone.label == "IST" {
			cs := []string{c.zone.describe(d)}
			for _, p := range c.zone.also {
				cs = append(cs, placeZone(c.zone.label, p).describe(d))
			}
			r.question(AskZone, field, c.zone.label+" is the name of several zones.", "", cs, c.line)
		}
	}
	for _, e := range r.own {
		if e.st.unclear || e.cleared {
			r.question(AskOrder, field, fmt.Sprintf("Which hour is %q?", r.o.doc.blocks[e.block].text[e.st.start:e.st.end]), "Its part of the day does not go with its hour.",
				[]string{fmt.Sprintf("%02d:%02d", e.st.h%12, e.st.m), fmt.Sprintf("%02d:%02d", e.st.h%12+12, e.st.m)}, e.line)
		}
	}
}

func (r *reader) askDay() {
	c := r.cal
	d := c.ambiguous
	if c.zoned {
		r.question(AskDate, "date", fmt.Sprintf("Is %d/%d the day or the month first?", d.a, d.b), "Only the zone of its times speaks for the order that was taken.",
			[]string{fmt.Sprintf("%04d-%02d-%02d", d.y, d.a, d.b), fmt.Sprintf("%04d-%02d-%02d", d.y, d.b, d.a)}, 0)
	}
	switch {
	case c.openOrder:
		r.question(AskDate, "date", fmt.Sprintf("Is %d/%d the day or the month first?", d.a, d.b), "Nothing in the document decides it.",
			[]string{fmt.Sprintf("%04d-%02d-%02d", d.y, d.a, d.b), fmt.Sprintf("%04d-%02d-%02d", d.y, d.b, d.a)}, 0)
	case !c.day.full():
		for _, e := range r.own {
			if !e.dated {
				r.question(AskDate, "date", "Which day was it?", "The document names none.", nil, e.line)
				break
			}
		}
	case c.day.y == 0:
		r.question(AskYear, "year", "Which year was it?", "The document says day and month only, so it gives no milestone.", nil, 0)
	case c.yearFrom == "publication":
		r.question(AskYear, "year", fmt.Sprintf("Was it in %d?", c.day.y), "The year is taken from the date of publication.", []string{fmt.Sprint(c.day.y), fmt.Sprint(c.day.y - 1)}, 0)
	case c.yearFrom == "title":
		r.question(AskYear, "year", fmt.Sprintf("Was it in %d?", c.day.y), "The year is taken from the title.", []string{fmt.Sprint(c.day.y)}, 0)
	case c.yearFrom == "name":
		r.question(AskYear, "year", fmt.Sprintf("Was it in %d?", c.day.y), "The year is taken from the file's name.", []string{fmt.Sprint(c.day.y)}, 0)
	}
	if c.day.y == 0 || !c.day.full() {
		return
	}
	if r.doubtful() {
		var cs []string
		for _, m := range c.doubts {
			cs = append(cs, c.complete(m.day, c.day).String()+" "+m.when)
		}
		r.question(AskDate, "date", fmt.Sprintf("Was it on %s?", c.day), "Only the "+c.from+
			" says so, and the text names another day; the times give no milestone before this is settled.",
			append(cs, c.day.String()+" "+c.from), c.doubts[0].line)
		return
	}
	used := map[[2]int]bool{}
	var lo, hi time.Time
	for _, e := range r.own {
		if e.list && e.dated {
			used[[2]int{e.day.m, e.day.d}] = true
			if t := e.day.time(); lo.IsZero() || t.Before(lo) {
				lo = t
			}
			if t := e.day.time(); t.After(hi) {
				hi = t
			}
		}
	}
	cs := []string{c.day.String()}
	line := 0
	for _, m := range c.candidates {
		d := m.day
		if d.y == 0 {
			d = c.complete(d, c.day)
		}
		t := d.time()
		near := t.Sub(c.day.time()).Abs() <= 2*24*time.Hour
		if used[[2]int{d.m, d.d}] || near || t.IsZero() || !lo.IsZero() && t.After(lo) && t.Before(hi) {
			continue
		}
		if s := d.String() + " " + m.when; !slices.Contains(cs, s) && len(cs) < 6 {
			cs = append(cs, s)
			line = m.line
			if d.d <= 12 && d.d != d.m && m.day.start >= 0 && r.numericAt(m) {
				swapped := date{y: d.y, m: d.d, d: d.m}
				cs = append(cs, swapped.String()+" the same with day and month the other way round")
			}
		}
	}
	if len(cs) > 1 {
		r.question(AskDate, "date", fmt.Sprintf("Was it on %s?", c.day), "Other places of the document say another day.", cs, line)
	}
}

// numericAt says whether a mention's date was written in numbers.
func (r *reader) numericAt(m mention) bool {
	if m.block < 0 || m.day.start >= len(r.o.doc.blocks[m.block].text) {
		return false
	}
	s := r.o.doc.blocks[m.block].text[m.day.start:]
	_, n := digits(s, 0)
	return n > 0 && n <= 2 && n < len(s) && (s[n] == '/' || s[n] == '.' || s[n] == '-')
}

func (r *reader) askOrder() {
	for _, q := range r.order {
		for _, e := range r.own {
			if e == q.e {
				r.question(AskOrder, "entries", fmt.Sprintf("The clock goes back at %02d:%02d.", e.st.h, e.st.m), "The same day, the next, or a slip? From here on the entries give no milestone.",
					[]string{q.cur.String(), q.cur.add(1).String()}, e.line)
			}
		}
	}
	for _, e := range r.own {
		if e.list && e.explicit && e.suspicious && !e.at.IsZero() {
			r.question(AskOrder, "entries", fmt.Sprintf("%s %02d:%02d does not go with the entries around it.", e.day, e.st.h, e.st.m), "Its date may be a slip; it gives no milestone.",
				[]string{e.day.String(), e.day.add(-1).String(), e.day.add(1).String()}, e.line)
		}
		if e.st.unknown && e.list {
			r.question(AskOrder, "entries", "An entry's time is left open in the document.", quoteText(r.o.text(e), 80), nil, e.line)
		}
	}
}

// askStart asks about a start that is none of its own: the first report, the alert, the change.
func (r *reader) askStart() {
	const field = "milestones.started"
	s, ok := r.picks[incident.Started]
	d, known := r.picks[incident.Detected]
	switch {
	case !ok:
	case r.startProved:
		r.question("started", field, "Did users begin to be affected here?", "The entry is no failure that somebody saw; only the stated duration says that it is the start.", []string{candidate(s.at, s.evidence)}, s.line)
	case s.confidence == incident.ConfidenceInferred:
		r.question("started", field, "Did users begin to be affected here?", "It is inferred.", []string{candidate(s.at, s.evidence)}, s.line)
	case known && d.at.Sub(s.at).Abs() < time.Minute:
		r.question("started", field, "Is the start the first report?", "It is the same minute as the detection, so it may be when it was seen and not when it began.", []string{candidate(s.at, s.evidence)}, s.line)
	case !known && s.e != nil && !s.e.list:
		r.question("started", field, "Did it begin here, or was it first said here?", "The text tells it from outside and names nobody who knew.", []string{candidate(s.at, s.evidence)}, s.line)
	case s.e != nil && s.e.st.to != nil:
		r.question("started", field, "When in this range did it begin?", "", []string{candidate(s.at, s.evidence), candidate(s.e.end, "")}, s.line)
	case known && d.at.Before(s.at):
		r.question("started", field, "Did it begin before it was detected?", "The stated start is after the detection.", []string{candidate(s.at, s.evidence), candidate(d.at, d.evidence)}, s.line)
	}
	if ok { // what the text says elsewhere
		for _, e := range r.own {
			if !e.list && r.o.timeline && e.kinds.has(ImpactStart) && !e.at.IsZero() && e.at.Sub(s.at).Abs() > time.Minute && e.at.Sub(s.at).Abs() < 24*time.Hour {
				r.question("started", field, "The text and the timeline give different starts.", "", []string{candidate(s.at, s.evidence), candidate(e.at, r.o.text(e))}, e.line)
			}
		}
	}
}

func (r *reader) askDetected() {
	const field = "milestones.detected"
	d, ok := r.picks[incident.Detected]
	a, acked := r.picks[incident.Acknowledged]
	if !ok {
		return
	}
	if acked && (r.by == incident.ByCustomer || r.by == "") && a.at.After(d.at) {
		r.question("detected", field, "Does the report count as detection, or when the team saw it?", "A report came in before somebody of the team is said to know.", []string{candidate(d.at, d.evidence), candidate(a.at, a.evidence)}, d.line)
	}
	var early []*entry
	s, started := r.picks[incident.Started]
	for _, e := range r.es {
		if started && e.at.Equal(s.at) && r.by == incident.ByAlert {
			continue // that it began is no word of who knew before the alert
		}
		if e.at.Before(d.at) && d.at.Sub(e.at) < 2*time.Hour && (e.kinds.has(Symptom, Noticed, Report, FollowUp) && !e.kinds.has(ThirdParty) || e.kinds.has(ThirdParty) && d.at.Sub(e.at) <= 15*time.Minute) {
			early = append(early, e)
		}
	}
	if len(early) > 0 && d.e != nil {
		r.askEntries("detected", field, "Did somebody know before?", "An earlier entry tells of something wrong.", append([]*entry{d.e}, early[:min(len(early), 4)]...))
	}
	if r.by == "" {
		r.question("detected_by", "detected_by", "Who knew first?", "The entry does not say who reported it.", []string{"alert", "customer", "staff", "third_party"}, d.line)
	}
}

// askGiven asks about what is given and may be meant otherwise.
func (r *reader) askGiven() {
	if p, ok := r.picks[incident.Identified]; ok && p.e != nil {
		if t := p.e.kinds[Cause]; t.hedged {
			r.question("identified", "milestones.identified", "Was the cause certain here?", "It is told as a possibility.", []string{candidate(p.at, p.evidence)}, p.line)
		}
	}
}

// askDurations compares what the document says of lengths with its own ends.
func (r *reader) askDurations() {
	s, ok1 := r.picks[incident.Started]
	e, ok2 := r.picks[incident.Resolved]
	if !ok2 {
		e, ok2 = r.picks[incident.Mitigated]
	}
	m, ok3 := r.picks[incident.Mitigated]
	if ok1 && ok2 {
		for _, d := range r.ds {
			if d.fits(e.at.Sub(s.at)) || ok3 && d.fits(m.at.Sub(s.at)) || r.fitsWindow(d) {
				continue
			}
			cs := []string{d.d.String() + " as stated", e.at.Sub(s.at).String() + " between the ends"}
			kind, field := AskDuration, "duration"
			r.question(kind, field, fmt.Sprintf("The document says it took %s; from start to end it is %s.", d.d, e.at.Sub(s.at)), "One of the three is wrong, or the length is of something else.", cs, d.line)
			// The length may tell of another end.
			for _, x := range r.es {
				if d.proves(x.at.Sub(s.at)) && x.at.Sub(e.at).Abs() > time.Minute {
					r.question("resolved", "milestones.resolved", "Did it end at another entry?", fmt.Sprintf("The stated %s from the start leads there.", d.d), []string{candidate(e.at, e.evidence), candidate(x.at, r.o.text(x))}, x.line)
				}
			}
		}
	}
	if !ok1 && ok2 {
		for _, d := range r.ds {
			for _, x := range r.es {
				if d.proves(x.at.Sub(e.at)) && x.at.After(e.at) {
					break
				}
				if x.at.After(e.at) {
					if y := r.es[0]; y.at.Before(e.at) && d.proves(x.at.Sub(y.at)) {
						r.question("resolved", "milestones.resolved", "Did it end at another entry?", fmt.Sprintf("The stated %s from the first entry leads there.", d.d), []string{candidate(e.at, e.evidence), candidate(x.at, r.o.text(x))}, x.line)
					}
				}
			}
		}
	}
	for _, w := range r.ws {
		if w.printed.d > 0 && !w.printed.fits(w.to.Sub(w.from)) {
			r.question(AskDuration, "impacts", fmt.Sprintf("The document prints %s for a window of %s.", w.printed.d, w.to.Sub(w.from)), "Its ends are taken.",
				[]string{w.to.Sub(w.from).String(), w.printed.d.String()}, w.line)
		}
	}
}

func (r *reader) fitsWindow(d duration) bool {
	for _, w := range r.ws {
		if d.fits(w.to.Sub(w.from)) {
			return true
		}
	}
	return false
}

// askWindows asks about windows that do not go with the rest.
func (r *reader) askWindows() {
	s, ok := r.picks[incident.Started]
	e, ok2 := r.picks[incident.Resolved]
	if m, ok := r.picks[incident.Mitigated]; ok && ok2 && e.e != nil && e.at.Sub(m.at) > 3*time.Hour {
		r.question("resolved", "milestones.resolved", "Was it over only then?", "Users were well hours before.", []string{candidate(m.at, m.evidence), candidate(e.at, e.evidence)}, e.line)
	}
	for _, w := range r.ws {
		switch {
		case !w.coherent:
			r.question(AskWindow, "impacts", fmt.Sprintf("The document gives a window on %s, far from the rest.", w.from.Format(time.DateOnly)), "It is left out.", []string{candidate(w.from, ""), candidate(w.to, w.evidence)}, w.line)
		case ok && w.from.Before(s.at.Add(-time.Minute)), ok2 && w.to.After(e.at.Add(time.Minute)):
			r.question(AskWindow, "impacts", "The summary and the timeline give different times of impact.", "", []string{candidate(w.from, ""), candidate(w.to, "")}, w.line)
		}
	}
	if !r.o.timeline {
		return
	}
	if !ok2 {
		return
	}
	// Prose that tells of another end.
	for _, x := range r.own {
		says := x.kinds.has(Recovered, Resolved, Ended) || x.section == "resolution" && x.kinds.has(Attempt, Trigger, FixLive)
		if x.list || x.at.IsZero() || !says || x.at.Sub(e.at).Abs() <= time.Minute || x.at.Sub(e.at).Abs() > 24*time.Hour {
			continue
		}
		r.question("resolved", "milestones.resolved", "The text tells of another end.", "", []string{candidate(e.at, e.evidence), candidate(x.at, r.o.text(x))}, x.line)
	}
}

// askTruncated asks where the text breaks off in the middle of a sentence.
func (r *reader) askTruncated() {
	bs := r.o.doc.blocks
	if r.o.doc.cut {
		r.question(AskTruncated, "", "The document is longer than is read.", fmt.Sprintf("It has more than %d paragraphs and lines; the rest is left out.", maxBlocks), nil, 0)
		return
	}
	for i := len(bs) - 1; i >= 0 && i >= len(bs)-1; i-- {
		b := &bs[i]
		if b.kind != para && b.kind != item || utf8.RuneCountInString(b.text) < 60 {
			return
		}
		last, _ := utf8.DecodeLastRuneInString(b.text)
		if strings.ContainsRune(".!?:;)]\"'»”」』。！？…*|", last) || !isWordRune(last) || len(r.picks) >= 6 || r.picks[incident.Resolved].line > 0 {
			return
		}
		r.question(AskTruncated, "", "The text seems to break off.", "Its last sentence has no end; what is missing may hold the end of the incident.", nil, b.line)
	}
}

func isWordRune(c rune) bool {
	return c >= utf8.RuneSelf || isWord(byte(c))
}

func clockText(st stamp) string {
	switch {
	case st.unknown:
		return "unknown"
	case st.relative:
		return "T" + fmt.Sprintf("%+d", int(st.plus.Minutes())) + " min"
	}
	s := fmt.Sprintf("%02d:%02d", st.h, st.m)
	if st.date.full() {
		s = st.date.String() + " " + s
	}
	if st.zone.ok() {
		s += " " + st.zone.label
	}
	return s
}
