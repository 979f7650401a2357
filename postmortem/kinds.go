package postmortem

import "slices"

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
	lengths := o.lengths(sent)
	nonprod := false
	nonprod = nonprod || o.t.has("nonprod", sent)
	found := kindSet{}
	put := func(k Kind, t told) {
		if old, ok := found[k]; !ok || old.hedged && !t.hedged || old.weak && !t.weak && old.hedged == t.hedged {
			found[k] = t
		}
	}
	var all []told // with their kinds
	var allKinds, deniedKinds []Kind
	var deniedTold []told
	for _, lx := range o.t.languages {
		masked := lx.spansOf("mask", sent)
		users := lx.spansOf("user", sent)
		denied, deniedAfter, hedges, leads := spans(&lx.neg, sent), spans(&lx.negAfter, sent), spans(&lx.hedge, sent), spans(&lx.lead, sent)
		hedges = slices.DeleteFunc(hedges, func(h [2]int) bool { // "could not log in" is certain
			if h[1] < len(sent) && isDigit(sent[h[1]].text[0]) {
				return true // "until 12:10"
			}
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
			if tellsLength(lengths, m) && k != Trigger && k != Symptom && k != Failing {
				return // "was detected within eight minutes" is not of this moment
			}
			if k != NotYet && k != Partial {
				inside := m.to
				if m.denies {
					inside = m.from
				}
				if within(denied, m.from-3, inside, sent, m.from) || after(deniedAfter, m, sent, lx.words["that"]) && !m.denies {
					if k == Recovered || k == Resolved || k == Ended || k == Cause || k == Attempt {
						deniedKinds, deniedTold = append(deniedKinds, k), append(deniedTold, t)
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
			if within(hedges, m.from-8, m.from, sent, -1) || within(hedges, m.from+1, m.to, sent, -1) { // what a pattern begins with is meant
				t.hedged = true
			}
			if k == Recovered || k == Resolved {
				for _, s := range lx.spansOf("state", sent[m.from:m.to]) {
					t.weak = t.weak || s[1] == m.to-m.from && !lx.has("change", sent[m.from:m.to])
				}
			}
			put(k, t)
			all, allKinds = append(all, t), append(allKinds, k)
		})
	}
	for i, k := range deniedKinds { // "without problems, incident ended" is denied only in part
		if !found.firm(k) {
			put(NotYet, deniedTold[i])
		}
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
		e.kinds[ThirdParty] = told{from: from, to: to, sentence: n, subject: true}
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
		for _, k := range []Kind{ReportUser, ReportSupport, Report, Alert} {
			if t, ok := found[k]; ok && t.from <= i.from && !(k == Alert && commaBetween(toks, t, i)) {
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
	o.dropPoorly(found, toks)
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
		if old, ok := e.kinds[k]; !ok || old.hedged && !t.hedged || old.weak && !t.weak && old.hedged == t.hedged {
			e.kinds[k] = t
		}
	}
}

// dropPoorly takes back that something works, or that somebody responds, where what follows at once says how badly: "search is
// responding very slowly", or that people did it: "run again by hand".
func (o *outline) dropPoorly(found kindSet, toks []token) {
	for _, k := range []Kind{Recovered, Ack} {
		t, ok := found[k]
		if !ok {
			continue
		}
		end := t.to
		for end < len(toks) && end < t.to+3 && !toks[end].stop && !toks[end].comma {
			end++
		}
		again := o.t.has("again", toks[t.from:end])
		if !again && o.t.has("works", toks[t.from:t.to]) && o.t.has("poorly", toks[t.to:end]) ||
			again && k == Recovered && o.t.has("by_hand", toks[t.to:end]) {
			delete(found, k)
		}
	}
}

func overlaps(a, b told, slack int) bool { return a.from <= b.to+slack && b.from <= a.to+slack }

// speaksOfUs says whether a sentence about a supplier also has us in it.
func (o *outline) speaksOfUs(sent []token) bool {
	if o.t.has("team", sent) {
		return true
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
