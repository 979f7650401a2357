package postmortem

import (
	"slices"
	"strings"
)

// told is one thing an entry tells: the sentence that tells it and how firmly.
type told struct {
	from, to int // tokens of the entry's words
	sentence int
	hedged   bool
	nonprod  bool // the sentence speaks of a test environment
}

// kindSet is what an entry tells, the first firm mention of each kind, or the first hedged one where none is firm.
type kindSet map[Kind]told

func (k kindSet) has(kinds ...Kind) bool {
	for _, x := range kinds {
		if t, ok := k[x]; ok && !t.hedged {
			return true
		}
	}
	return false
}

// classify finds what an entry tells. Own is what the document's own organisation is called among the suppliers.
func (o *outline) classify(e *entry, sup *suppliers) {
	toks := o.words(e)
	e.kinds = kindSet{}
	if len(toks) == 0 {
		return
	}
	sentence := 0
	for from := 0; from < len(toks); {
		to := from
		for to < len(toks) && !toks[to].stop {
			to++
		}
		if to > from {
			o.classifySentence(e, toks, from, to, sentence, sup)
			sentence++
		}
		from = to + 1
	}
	o.byStatus(e)
}

// classifySentence reads the tokens from..to, to excluded.
func (o *outline) classifySentence(e *entry, toks []token, from, to, n int, sup *suppliers) {
	sent := toks[from:to]
	third := sup.subject(sent, o.t)
	nonprod := false
	for _, lx := range o.t.all {
		nonprod = nonprod || lx.has("nonprod", sent)
	}
	found := kindSet{}
	put := func(k Kind, t told) {
		if old, ok := found[k]; !ok || old.hedged && !t.hedged {
			found[k] = t
		}
	}
	var all []told // with their kinds
	var allKinds []Kind
	for _, lx := range o.t.all {
		masked := lx.spansOf("mask", sent)
		users := lx.spansOf("user", sent)
		denied, deniedAfter, hedges, leads := spans(&lx.neg, sent), spans(&lx.negAfter, sent), spans(&lx.hedge, sent), spans(&lx.lead, sent)
		hedges = slices.DeleteFunc(hedges, func(h [2]int) bool { // "could not log in" is certain
			return slices.ContainsFunc(denied, func(d [2]int) bool { return d[0] == h[1] })
		})
		var relatives [][2]int
		if m := lx.words["relative"]; m != nil {
			relatives = spans(m, sent)
		}
		lx.kinds.find(sent, func(m match) {
			k := kindOrder[m.id]
			t := told{from: from + m.from, to: from + m.to, sentence: n, nonprod: nonprod}
			for _, s := range masked { // "fails over" is no failure
				if s[0] < m.to && m.to <= s[1] {
					switch k {
					case Symptom, Failing, ImpactStart, Noticed, Relapse, NotYet, Alert, Recovered:
						return
					}
				}
			}
			if (k == Noticed || k == Finding || k == Cause) && seenByUsers(users, m, sent, o.t) {
				return
			}
			if k == Declared && len(lx.spansOf("over_declared", sent[m.from:min(len(sent), m.to+3)])) > 0 {
				return // "the incident was declared over"
			}
			if o.tellsLength(sent, m) && k != Trigger && k != Symptom && k != Failing {
				return // "was detected within eight minutes" is not of this moment
			}
			if k != NotYet && k != Partial {
				inside := m.to
				if m.denies {
					inside = m.from
				}
				if within(denied, m.from-3, inside, sent, m.from) || after(deniedAfter, m, sent, lx.words["that"]) && !m.denies {
					if k == Recovered || k == Resolved || k == Ended || k == Cause || k == Attempt {
						put(NotYet, t)
					}
					return
				}
			}
			for _, l := range leads {
				if l[1] <= m.from && m.from-l[1] <= 1 && k != ImpactStart && k != Symptom && k != Trigger && k != Attempt && k != ThirdParty {
					return // it tells what came before
				}
			}
			for _, rel := range relatives { // "the change that triggered the alerts"
				if rel[1] == m.from && (k == Alert || k == ReportUser || k == Report || k == Noticed || k == Declared) {
					return
				}
			}
			if within(hedges, m.from-8, m.to, sent, -1) {
				t.hedged = true
			}
			put(k, t)
			all, allKinds = append(all, t), append(allKinds, k)
		})
	}
	if n == 0 {
		sent, from := sent, from
		for len(sent) > 1 && sent[0].comma { // the dash behind the time
			sent, from = sent[1:], from+1
		}
		if t, ok := o.headed(sent, from, nonprod); ok && !found.firm(Alert) && !found.firm(Ack) {
			put(Alert, t)
		}
		if o.onlyOver(sent) && e.list {
			put(Ended, told{from: from, to: from + 1})
		}
		if t, ok := o.labelledCause(sent, from, nonprod); ok {
			put(Cause, t)
		}
	}
	if n > 0 && e.list && len(sent) == 1 && o.onlyOver(sent) { // "… purged. Done."
		put(Ended, told{from: from, to: to, sentence: n})
	}
	if t, ok := o.worksAgain(sent, from, n, nonprod, all, allKinds); ok && !found.firm(Recovered) {
		put(Recovered, t)
	}
	if third {
		e.kinds[ThirdParty] = told{from: from, to: to, sentence: n}
		for k := range found {
			if k != Ack && k != Trigger || !o.speaksOfUs(sent) {
				delete(found, k)
			}
		}
	}
	if talk, ok := found[Talk]; ok { // "the status page reports an incident" tells nothing else
		for _, k := range []Kind{ReportUser, Report, Noticed, Alert, Ack, Declared, Recovered, Resolved, Ended, Finding} {
			if t, ok := found[k]; ok && t.to > talk.from {
				delete(found, k)
			}
		}
	}
	if i, ok := found[ImpactStart]; ok { // "customers told us that they could not log in"
		for _, k := range []Kind{ReportUser, ReportSupport, Report} {
			if t, ok := found[k]; ok && t.from <= i.from {
				delete(found, ImpactStart)
			}
		}
	}
	if r, ok := found[Recovered]; ok { // "exports start to fail for all" does not tell that they succeed for all
		for _, k := range []Kind{ImpactStart, Failing} {
			if i, ok := found[k]; ok && r.from <= i.from && i.to <= r.to {
				delete(found, Recovered)
			}
		}
	}
	if p, ok := found[Partial]; ok && (overlaps(p, found[Recovered], 2) || !o.complete(toks, found[Recovered])) {
		if r, ok := found[Recovered]; ok && !found.firm(Resolved) && !found.firm(Ended) && overlaps(p, r, 6) && !commaBetween(toks, p, r) {
			delete(found, Recovered)
		}
		for _, k := range []Kind{Resolved, Ended} {
			if r, ok := found[k]; ok && overlaps(p, r, 3) {
				delete(found, k)
			}
		}
	}
	for k, t := range found {
		if old, ok := e.kinds[k]; !ok || old.hedged && !t.hedged {
			e.kinds[k] = t
		}
	}
}

// onlyOver says whether an entry says nothing but that it is over: "Closed", "10:00 chiuso".
func (o *outline) onlyOver(sent []token) bool {
	words := 0
	for _, t := range sent {
		if !t.comma {
			words++
		}
	}
	most := 2
	if o.t.main.Script != "" {
		most = 6
	}
	if words > most {
		return false
	}
	for _, lx := range o.t.all {
		if lx.has("over_word", sent) && len(spans(&lx.neg, sent)) == 0 {
			return true
		}
	}
	return false
}

// labelledCause finds an entry that begins "Root cause: …", and says more than that it is sought.
func (o *outline) labelledCause(sent []token, base int, nonprod bool) (told, bool) {
	for _, lx := range o.t.all {
		e := lx.endAt("cause_word", sent, 0)
		if e == 0 || e+2 >= len(sent) || !sent[e].comma || len(spans(&lx.neg, sent[e:min(len(sent), e+4)])) > 0 || len(spans(&lx.hedge, sent[e:min(len(sent), e+4)])) > 0 {
			continue
		}
		return told{from: base, to: base + e, nonprod: nonprod}, true
	}
	return told{}, false
}

// tellsLength says whether a match is followed by how long it took: "detected within eight minutes".
func (o *outline) tellsLength(sent []token, m match) bool {
	for _, lx := range o.t.all {
		for i := m.from + 1; i < len(sent) && i <= m.to+3; i++ {
			if e := lx.endAt("within", sent, i); e > 0 {
				for j := e; j < len(sent) && j <= e+3; j++ {
					if _, n := durationAt(sent, j, o.t); n > 0 {
						return true
					}
				}
			}
		}
	}
	return false
}

// headed finds an entry whose first word names an alert: "Page: ProbeDown for text", "Alert ExportFailures". One that is
// over, or that somebody quiets, tells something else.
func (o *outline) headed(sent []token, base int, nonprod bool) (told, bool) {
	for _, lx := range o.t.all {
		e := lx.endAt("alert_head", sent, 0)
		if e == 0 {
			continue
		}
		toks := sent[e:min(len(sent), e+6)]
		quiet := len(spans(&lx.neg, toks)) > 0 || lx.has("quiet", toks)
		if !quiet {
			return told{from: base, to: base + e, nonprod: nonprod}, true
		}
	}
	return told{}, false
}

// seenByUsers says whether what is seen is seen by users: "customers in the south began to see errors" is no detection.
func seenByUsers(users [][2]int, m match, sent []token, t tongue) bool {
	for _, u := range users {
		if u[0] > m.from || m.from-u[1] > 10 {
			continue
		}
		for _, lx := range t.all {
			if lx.has("team", sent[u[1]:max(u[1], m.from)]) {
				return false
			}
		}
		return true
	}
	return false
}

// worksAgain finds "new jobs boot fine again": in one clause users or a service, a word for again, and nothing that is
// wrong, done or said.
func (o *outline) worksAgain(sent []token, base, n int, nonprod bool, all []told, kinds []Kind) (told, bool) {
	for _, lx := range o.t.all {
		for _, s := range lx.spansOf("again", sent) {
			lo, hi := s[0], s[1]
			for lo > 0 && !sent[lo-1].comma && matchAt(lx.and, sent, lo-1) == 0 {
				lo--
			}
			for hi < len(sent) && !sent[hi].comma && matchAt(lx.and, sent, hi) == 0 {
				hi++
			}
			clause := sent[lo:hi]
			good := lx.has("service", clause) || lx.has("user", clause) || lx.has("works", clause)
			for i, t := range all {
				if t.from-base >= hi || t.to-base <= lo {
					continue
				}
				switch kinds[i] {
				case Recovered, Resolved, Ended, FixLive, SelfHealed, Backlog:
				default:
					good = false
				}
			}
			hedged := false
			for _, h := range spans(&lx.hedge, sent[max(0, lo-3):hi]) { // "kan weer" is no doubt
				word := sent[max(0, lo-3)+h[0]:][:1]
				hedged = hedged || !lx.has("works", word)
			}
			if good && !hedged && len(spans(&lx.neg, clause)) == 0 && len(spans(&lx.negAfter, clause)) == 0 {
				return told{from: base + lo, to: base + hi, sentence: n, nonprod: nonprod}, true
			}
		}
	}
	return told{}, false
}

func (k kindSet) firm(x Kind) bool { t, ok := k[x]; return ok && !t.hedged }

// complete says whether what is told to be well is told to be wholly so: "and finished recovery".
func (o *outline) complete(toks []token, t told) bool {
	if t.to == 0 {
		return false
	}
	for _, lx := range o.t.all {
		if lx.has("whole", toks[t.from:t.to]) {
			return true
		}
	}
	return false
}

// commaBetween says whether two things told stand in clauses of their own.
func commaBetween(toks []token, a, b told) bool {
	if a.from > b.from {
		a, b = b, a
	}
	for i := a.to; i < b.from; i++ {
		if toks[i].comma {
			return true
		}
	}
	return false
}

func overlaps(a, b told, slack int) bool { return a.from <= b.to+slack && b.from <= a.to+slack }

// speaksOfUs says whether a sentence about a supplier also has us in it.
func (o *outline) speaksOfUs(sent []token) bool {
	for _, lx := range o.t.all {
		if lx.has("team", sent) {
			return true
		}
	}
	return false
}

// spans lists the token ranges a matcher finds.
func spans(m *matcher, toks []token) (s [][2]int) {
	m.find(toks, func(x match) { s = append(s, [2]int{x.from, x.to}) })
	return s
}

// within says whether one of the spans begins in [from, to) with no comma between it and not. A comma ends what a
// negation or a hedge reaches, unless comma is negative.
func within(list [][2]int, from, to int, toks []token, comma int) bool {
	for _, s := range list {
		if s[0] < from || s[0] >= to {
			continue
		}
		cut := false
		if comma >= 0 {
			for i := s[1]; i < comma && i < len(toks); i++ {
				cut = cut || toks[i].comma
			}
		}
		if !cut {
			return true
		}
	}
	return false
}

// after says whether a denial follows a match closely, as it does in German or Japanese.
func after(list [][2]int, m match, toks []token, that *matcher) bool {
	reach := 2
	if m.from < len(toks) && isCJK([]rune(toks[m.from].text)[0]) {
		reach = 6
	}
	for _, s := range list {
		if s[0] < m.to || s[0] > m.to+reach {
			continue
		}
		cut := false
		for i := m.to; i < s[0]; i++ {
			cut = cut || toks[i].comma
		}
		if that != nil && s[0] > m.to { // "customers report that they can not book": the report is not denied
			that.find(toks[m.to:s[0]], func(match) { cut = true })
		}
		if !cut {
			return true
		}
	}
	return false
}

// byStatus adds what a status page's own word for an update says: the time is the post's, so it bounds what it tells.
func (o *outline) byStatus(e *entry) {
	if e.status == "" {
		return
	}
	keep := kindSet{}
	for _, k := range []Kind{NotYet, Partial, Symptom, Relapse, Backlog} {
		if t, ok := e.kinds[k]; ok {
			keep[k] = t
		}
	}
	e.kinds[Talk] = told{}
	switch e.status {
	case "investigating":
		keep[Ack] = told{}
	case "identified":
		keep[Cause] = told{}
	case "monitoring":
		keep[Recovered] = told{}
		delete(keep, Partial)
	case "resolved":
		keep[Ended] = told{}
	case "update":
		for _, k := range []Kind{Resolved, Ended} {
			if t, ok := e.kinds[k]; ok {
				keep[k] = t
			}
		}
	}
	e.kinds = keep
}

// suppliers knows the names of companies others depend on, without those that are the document's own.
type suppliers struct {
	names matcher
	own   map[string]bool
}

// subject says whether a sentence is about what a supplier does or says: the supplier's name, or a word for one, stands
// within its first words and a verb of doing or saying after it.
func (s *suppliers) subject(sent []token, t tongue) bool {
	at := -1
	s.names.find(sent, func(m match) {
		if at < 0 && m.from <= 5 && !s.own[sent[m.from].text] {
			at = m.to
		}
	})
	if at < 0 {
		for _, lx := range t.all {
			if m := lx.words["supplier"]; m != nil {
				m.find(sent, func(x match) {
					if at < 0 && x.from <= 4 {
						at = x.to
					}
				})
			}
		}
	}
	if at < 0 {
		return false
	}
	// We before the supplier: then it is we who act on it.
	for _, lx := range t.all {
		if lx.has("team", sent[:min(at, len(sent))]) {
			return false
		}
	}
	reach := 8
	if t.main.Script != "" {
		reach = 40
	}
	for _, lx := range t.all {
		if lx.has("says", sent[at:min(len(sent), at+reach)]) {
			return true
		}
	}
	return false
}

// known suppliers: the file's names, read once; ownership is the document's.
func newSuppliers(d *document, t tongue) (*suppliers, error) {
	names, err := supplierNames()
	if err != nil {
		return nil, err
	}
	s := &suppliers{own: map[string]bool{}}
	s.names.patterns, s.names.first, s.names.stems, s.names.longest = names.patterns, names.first, names.stems, names.longest
	// What the title names is the document's own, unless the title blames it.
	toks := tokenize(foldWidth(d.title))
	from := 0
	blamed := len(toks)
	for _, lx := range t.all {
		if m := lx.words["because"]; m != nil {
			m.find(toks, func(x match) { blamed = min(blamed, x.from) })
		}
	}
	for i := from; i < blamed; i++ {
		s.own[toks[i].text] = true
	}
	if i := strings.Index(d.name, "://"); i >= 0 { // an address's host
		host, _, _ := strings.Cut(d.name[i+3:], "/")
		for _, x := range tokenize(host) {
			s.own[x.text] = true
		}
	}
	return s, nil
}
