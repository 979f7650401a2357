// Package events says what each entry of a document tells (an alert, a report, a cause, a recovery, a supplier's act), whether
// the document tells of an incident, a drill or planned work, and which entries belong to which of several incidents.
package events

import (
	"slices"

	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// Classify finds what an entry tells. Own is what the document's own organisation is called among the suppliers.
func Classify(o *timeline.Outline, e *timeline.Entry, sup *Suppliers) {
	toks := o.Words(e)
	e.Kinds = lexicon.KindSet{}
	if len(toks) == 0 {
		return
	}
	sentence := 0
	for from := 0; from < len(toks); {
		to := from
		for to < len(toks) && !toks[to].Stop {
			to++
		}
		if to > from {
			classifySentence(o, e, toks, from, to, sentence, sup)
			sentence++
		}
		from = to + 1
	}
	byStatus(o, e)
}

// classifySentence reads the tokens from..to, to excluded.
func classifySentence(o *timeline.Outline, e *timeline.Entry, toks []lexicon.Token, from, to, n int, sup *Suppliers) {
	sent := toks[from:to]
	third := sup.subject(sent, o.Tongue)
	lengths := lengths(o, sent)
	nonprod := false
	nonprod = nonprod || o.Tongue.Has("nonprod", sent)
	found := lexicon.KindSet{}
	put := func(k lexicon.Kind, t lexicon.Told) {
		if old, ok := found[k]; !ok || old.Hedged && !t.Hedged || old.Weak && !t.Weak && old.Hedged == t.Hedged {
			found[k] = t
		}
	}
	var all []lexicon.Told // with their kinds
	var allKinds, deniedKinds []lexicon.Kind
	var deniedTold []lexicon.Told
	for _, lx := range o.Tongue.Languages {
		masked := lx.SpansOf("mask", sent)
		users := lx.SpansOf("user", sent)
		denied, deniedAfter, hedges, leads := lexicon.Spans(&lx.Neg, sent), lexicon.Spans(&lx.NegAfter, sent), lexicon.Spans(&lx.Hedge, sent), lexicon.Spans(&lx.Lead, sent)
		hedges = slices.DeleteFunc(hedges, func(h [2]int) bool { // "could not log in" is certain
			if h[1] < len(sent) && lexicon.IsDigit(sent[h[1]].Text[0]) {
				return true // "until 12:10"
			}
			return slices.ContainsFunc(denied, func(d [2]int) bool { return d[0] == h[1] })
		})
		var relatives [][2]int
		if m := lx.Words["relative"]; m != nil {
			relatives = lexicon.Spans(m, sent)
		}
		lx.Kinds.Find(sent, func(m lexicon.Match) {
			k := lexicon.KindOrder[m.ID]
			t := lexicon.Told{From: from + m.From, To: from + m.To, Sentence: n, Nonprod: nonprod}
			for _, s := range masked { // "fails over" is no failure
				if s[0] < m.To && m.To <= s[1] {
					switch k {
					case lexicon.Symptom, lexicon.Failing, lexicon.ImpactStart, lexicon.Noticed, lexicon.Relapse, lexicon.NotYet, lexicon.Alert, lexicon.Recovered:
						return
					}
				}
			}
			if (k == lexicon.Noticed || k == lexicon.Finding || k == lexicon.Cause) && seenByUsers(users, m, sent, o.Tongue) {
				return
			}
			if k == lexicon.Declared && len(lx.SpansOf("over_declared", sent[m.From:min(len(sent), m.To+3)])) > 0 {
				return // "the incident was declared over"
			}
			if tellsLength(lengths, m) && k != lexicon.Trigger && k != lexicon.Symptom && k != lexicon.Failing {
				return // "was detected within eight minutes" is not of this moment
			}
			if k != lexicon.NotYet && k != lexicon.Partial {
				inside := m.To
				if m.Denies {
					inside = m.From
				}
				if within(denied, m.From-3, inside, sent, m.From) || after(deniedAfter, m, sent, lx.Words["that"]) && !m.Denies {
					if k == lexicon.Recovered || k == lexicon.Resolved || k == lexicon.Ended || k == lexicon.Cause || k == lexicon.Attempt {
						deniedKinds, deniedTold = append(deniedKinds, k), append(deniedTold, t)
					}
					return
				}
			}
			for _, l := range leads {
				if l[1] <= m.From && m.From-l[1] <= 1 && k != lexicon.ImpactStart && k != lexicon.Symptom && k != lexicon.Trigger && k != lexicon.Attempt && k != lexicon.ThirdParty {
					return // it tells what came before
				}
			}
			for _, rel := range relatives { // "the change that triggered the alerts"
				if rel[1] == m.From && (k == lexicon.Alert || k == lexicon.ReportUser || k == lexicon.Report || k == lexicon.Noticed || k == lexicon.Declared) {
					return
				}
			}
			if within(hedges, m.From-8, m.From, sent, -1) || within(hedges, m.From+1, m.To, sent, -1) { // what a pattern begins with is meant
				t.Hedged = true
			}
			if k == lexicon.Recovered || k == lexicon.Resolved {
				for _, s := range lx.SpansOf("state", sent[m.From:m.To]) {
					t.Weak = t.Weak || s[1] == m.To-m.From && !lx.Has("change", sent[m.From:m.To])
				}
			}
			put(k, t)
			all, allKinds = append(all, t), append(allKinds, k)
		})
	}
	for i, k := range deniedKinds { // "without problems, incident ended" is denied only in part
		if !found.Firm(k) {
			put(lexicon.NotYet, deniedTold[i])
		}
	}
	if n == 0 {
		sent, from := sent, from
		for len(sent) > 1 && sent[0].Comma { // the dash behind the time
			sent, from = sent[1:], from+1
		}
		if t, ok := headed(o, sent, from, nonprod); ok && !found.Firm(lexicon.Alert) && !found.Firm(lexicon.Ack) {
			put(lexicon.Alert, t)
		}
		if onlyOver(o, sent) && e.List {
			put(lexicon.Ended, lexicon.Told{From: from, To: from + 1})
		}
		if t, ok := labelledCause(o, sent, from, nonprod); ok {
			put(lexicon.Cause, t)
		}
	}
	if n > 0 && e.List && len(sent) == 1 && onlyOver(o, sent) { // "… purged. Done."
		put(lexicon.Ended, lexicon.Told{From: from, To: to, Sentence: n})
	}
	if t, ok := worksAgain(o, sent, from, n, nonprod, all, allKinds); ok && !found.Firm(lexicon.Recovered) {
		put(lexicon.Recovered, t)
	}
	if third {
		e.Kinds[lexicon.ThirdParty] = lexicon.Told{From: from, To: to, Sentence: n, Subject: true}
		for k := range found {
			if k != lexicon.Ack && k != lexicon.Trigger || !speaksOfUs(o, sent) {
				delete(found, k)
			}
		}
	}
	if talk, ok := found[lexicon.Talk]; ok { // "the status page reports an incident" tells nothing else
		for _, k := range []lexicon.Kind{lexicon.ReportUser, lexicon.Report, lexicon.Noticed, lexicon.Alert, lexicon.Ack, lexicon.Declared, lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.Finding} {
			if t, ok := found[k]; ok && t.To > talk.From {
				delete(found, k)
			}
		}
	}
	if i, ok := found[lexicon.ImpactStart]; ok { // "customers told us that they could not log in"
		for _, k := range []lexicon.Kind{lexicon.ReportUser, lexicon.ReportSupport, lexicon.Report, lexicon.Alert} {
			if t, ok := found[k]; ok && t.From <= i.From && !(k == lexicon.Alert && commaBetween(toks, t, i)) {
				delete(found, lexicon.ImpactStart)
			}
		}
	}
	if r, ok := found[lexicon.Recovered]; ok { // "exports start to fail for all" does not tell that they succeed for all
		for _, k := range []lexicon.Kind{lexicon.ImpactStart, lexicon.Failing} {
			if i, ok := found[k]; ok && r.From <= i.From && i.To <= r.To {
				delete(found, lexicon.Recovered)
			}
		}
	}
	dropPoorly(o, found, toks)
	if p, ok := found[lexicon.Partial]; ok && (overlaps(p, found[lexicon.Recovered], 2) || !complete(o, toks, found[lexicon.Recovered])) {
		if r, ok := found[lexicon.Recovered]; ok && !found.Firm(lexicon.Resolved) && !found.Firm(lexicon.Ended) && overlaps(p, r, 6) && !commaBetween(toks, p, r) {
			delete(found, lexicon.Recovered)
		}
		for _, k := range []lexicon.Kind{lexicon.Resolved, lexicon.Ended} {
			if r, ok := found[k]; ok && overlaps(p, r, 3) {
				delete(found, k)
			}
		}
	}
	for k, t := range found {
		if old, ok := e.Kinds[k]; !ok || old.Hedged && !t.Hedged || old.Weak && !t.Weak && old.Hedged == t.Hedged {
			e.Kinds[k] = t
		}
	}
}

// dropPoorly takes back that something works, or that somebody responds, where what follows at once says how badly: "search is
// responding very slowly", or that people did it: "run again by hand".
func dropPoorly(o *timeline.Outline, found lexicon.KindSet, toks []lexicon.Token) {
	for _, k := range []lexicon.Kind{lexicon.Recovered, lexicon.Ack} {
		t, ok := found[k]
		if !ok {
			continue
		}
		end := t.To
		for end < len(toks) && end < t.To+3 && !toks[end].Stop && !toks[end].Comma {
			end++
		}
		again := o.Tongue.Has("again", toks[t.From:end])
		if !again && o.Tongue.Has("works", toks[t.From:t.To]) && o.Tongue.Has("poorly", toks[t.To:end]) ||
			again && k == lexicon.Recovered && o.Tongue.Has("by_hand", toks[t.To:end]) {
			delete(found, k)
		}
	}
}

func overlaps(a, b lexicon.Told, slack int) bool { return a.From <= b.To+slack && b.From <= a.To+slack }

// speaksOfUs says whether a sentence about a supplier also has us in it.
func speaksOfUs(o *timeline.Outline, sent []lexicon.Token) bool {
	return o.Tongue.Has("team", sent)
}

// byStatus adds what a status page's own word for an update says: the time is the post's, so it bounds what it tells.
func byStatus(o *timeline.Outline, e *timeline.Entry) {
	if e.Status == "" {
		return
	}
	keep := lexicon.KindSet{}
	for _, k := range []lexicon.Kind{lexicon.NotYet, lexicon.Partial, lexicon.Symptom, lexicon.Relapse, lexicon.Backlog} {
		if t, ok := e.Kinds[k]; ok {
			keep[k] = t
		}
	}
	e.Kinds[lexicon.Talk] = lexicon.Told{}
	switch e.Status {
	case "investigating":
		keep[lexicon.Ack] = lexicon.Told{}
	case "identified":
		keep[lexicon.Cause] = lexicon.Told{}
	case "monitoring":
		keep[lexicon.Recovered] = lexicon.Told{}
		delete(keep, lexicon.Partial)
	case "resolved":
		keep[lexicon.Ended] = lexicon.Told{}
	case "update":
		for _, k := range []lexicon.Kind{lexicon.Resolved, lexicon.Ended} {
			if t, ok := e.Kinds[k]; ok {
				keep[k] = t
			}
		}
	}
	e.Kinds = keep
}
