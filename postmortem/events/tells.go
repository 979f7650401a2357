package events

import (
	"slices"

	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// What a sentence tells beyond its patterns: that something works again, that a length is meant, that users saw it, that
// it is denied.

// onlyOver says whether an entry says nothing but that it is over: "Closed", "10:00 chiuso".
func onlyOver(o *timeline.Outline, sent []lexicon.Token) bool {
	words := 0
	for _, t := range sent {
		if !t.Comma {
			words++
		}
	}
	most := 2
	if o.Tongue.Script != "" {
		most = 6
	}
	if words > most {
		return false
	}
	if words == 2 && o.Tongue.Script == "" && !o.Tongue.Has("incident", sent) { // "Export fixed" is no end
		return false
	}
	return o.Tongue.Has("over_word", sent) && len(lexicon.Spans(&o.Tongue.Neg, sent)) == 0
}

// labelledCause finds an entry that begins "Root cause: …", and says more than that it is sought.
func labelledCause(o *timeline.Outline, sent []lexicon.Token, base int, nonprod bool) (lexicon.Told, bool) {
	if n := len(sent); n > 4 { // "… has a duplicate address: root cause"
		for from := n - 3; from < n; from++ {
			if sent[from-1].Comma && o.Tongue.EndAt("root_cause", sent, from) == n {
				return lexicon.Told{From: base, To: base + n, Nonprod: nonprod}, true
			}
		}
	}
	e := max(o.Tongue.EndAt("cause_word", sent, 0), o.Tongue.EndAt("found_head", sent, 0))
	if e == 0 || e+2 >= len(sent) || !sent[e].Comma {
		return lexicon.Told{}, false
	}
	near := sent[e:min(len(sent), e+4)]
	if len(lexicon.Spans(&o.Tongue.Neg, near)) > 0 || len(lexicon.Spans(&o.Tongue.Hedge, near)) > 0 || o.Tongue.Has("persists", sent[e:]) {
		return lexicon.Told{}, false // "Confirmed: the fault is still there"
	}
	return lexicon.Told{From: base, To: base + e, Nonprod: nonprod}, true
}

// lengths lists the places in a sentence where it says how long something took: "detected within eight minutes".
func lengths(o *timeline.Outline, sent []lexicon.Token) (at []int) {
	for _, s := range o.Tongue.SpansOf("within", sent) {
		for j := s[1]; j < len(sent) && j <= s[1]+3; j++ {
			if _, n := timex.DurationAt(sent, j, o.Tongue); n > 0 {
				at = append(at, s[0])
				break
			}
		}
	}
	return at
}

// tellsLength says whether one of the places follows a match closely, or lies in it.
func tellsLength(at []int, m lexicon.Match) bool {
	for _, i := range at {
		if i > m.From && i <= m.To+3 {
			return true
		}
	}
	return false
}

// headed finds an entry whose first word names an alert: "Page: ProbeDown for text", "Alert ExportFailures". One that is
// over, or that somebody quiets, tells something else.
func headed(o *timeline.Outline, sent []lexicon.Token, base int, nonprod bool) (lexicon.Told, bool) {
	e := o.Tongue.EndAt("alert_head", sent, 0)
	if e == 0 || o.Tongue.Has("quiet", sent[e:min(len(sent), e+6)]) {
		return lexicon.Told{}, false
	}
	return lexicon.Told{From: base, To: base + e, Nonprod: nonprod}, true
}

// seenByUsers says whether what is seen is seen by users: "customers in the south began to see errors" is no detection.
func seenByUsers(users [][2]int, m lexicon.Match, sent []lexicon.Token, t lexicon.Tongue) bool {
	for _, u := range users {
		if u[0] > m.From || m.From-u[1] > 10 {
			continue
		}
		if t.Has("team", sent[u[1]:max(u[1], m.From)]) {
			return false
		}
		return true
	}
	return false
}

// worksAgain finds "new jobs boot fine again": in one clause users or a service, a word for again, and nothing that is
// wrong, done or said.
func worksAgain(s *sentence) (lexicon.Told, bool) {
	for _, lx := range s.o.Tongue.Languages {
		for _, again := range lx.SpansOf("again", s.words) {
			lo, hi := clauseAround(s.words, again, lx)
			clause := s.words[lo:hi]
			// "run again by hand" is something that people did
			good := lx.Has("works", clause) && !lx.Has("by_hand", clause) && s.nothingElse(lo, hi)
			for _, h := range lexicon.Spans(&lx.Hedge, s.words[max(0, lo-3):hi]) { // "kan weer" is no doubt
				good = good && lx.Has("works", s.words[max(0, lo-3)+h[0]:][:1])
			}
			if good && len(lexicon.Spans(&lx.Neg, clause)) == 0 && len(lexicon.Spans(&lx.NegAfter, clause)) == 0 {
				weak := lx.Has("state", s.words[again[0]:again[1]])
				return lexicon.Told{From: s.from + lo, To: s.from + hi, Sentence: s.n, Nonprod: s.nonprod, Weak: weak}, true
			}
		}
	}
	return lexicon.Told{}, false
}

// clauseAround is the clause a span stands in: what is between commas or words for "and".
func clauseAround(words []lexicon.Token, span [2]int, lx *lexicon.Lexicon) (lo, hi int) {
	lo, hi = span[0], span[1]
	for lo > 0 && !words[lo-1].Comma && lexicon.MatchAt(lx.And, words, lo-1) == 0 {
		lo--
	}
	for hi < len(words) && !words[hi].Comma && lexicon.MatchAt(lx.And, words, hi) == 0 {
		hi++
	}
	return lo, hi
}

// nothingElse says whether all that is mentioned between two words of the sentence is that it is over.
func (s *sentence) nothingElse(lo, hi int) bool {
	return !slices.ContainsFunc(s.mentions, func(x mention) bool {
		return x.told.From-s.from < hi && x.told.To-s.from > lo && !oneOf(x.kind, lexicon.Recovered, lexicon.Resolved, lexicon.Ended,
			lexicon.FixLive, lexicon.SelfHealed, lexicon.Backlog)
	})
}

// complete says whether what is told to be well is told to be wholly so: "and finished recovery".
func complete(o *timeline.Outline, toks []lexicon.Token, t lexicon.Told) bool {
	if t.To == 0 {
		return false
	}
	return o.Tongue.Has("whole", toks[t.From:t.To])
}

// commaBetween says whether two things told stand in clauses of their own.
func commaBetween(toks []lexicon.Token, a, b lexicon.Told) bool {
	if a.From > b.From {
		a, b = b, a
	}
	for i := a.To; i < b.From; i++ {
		if toks[i].Comma {
			return true
		}
	}
	return false
}

// within says whether one of the spans begins in [from, to) with no comma between it and not. A comma ends what a
// negation or a hedge reaches, unless comma is negative.
func within(list [][2]int, from, to int, toks []lexicon.Token, comma int) bool {
	for _, s := range list {
		if s[0] < from || s[0] >= to {
			continue
		}
		cut := false
		if comma >= 0 {
			for i := s[1]; i < comma && i < len(toks); i++ {
				cut = cut || toks[i].Comma
			}
		}
		if !cut {
			return true
		}
	}
	return false
}

// after says whether a denial follows a match closely, as it does in German or Japanese.
func after(list [][2]int, m lexicon.Match, toks []lexicon.Token, that *lexicon.Matcher) bool {
	reach := 2
	if m.From < len(toks) && lexicon.IsCJK([]rune(toks[m.From].Text)[0]) {
		reach = 6
	}
	for _, s := range list {
		if s[0] < m.To || s[0] > m.To+reach {
			continue
		}
		cut := false
		for i := m.To; i < s[0]; i++ {
			cut = cut || toks[i].Comma
		}
		if that != nil && s[0] > m.To { // "customers report that they can not book": the report is not denied
			that.Find(toks[m.To:s[0]], func(lexicon.Match) { cut = true })
		}
		if !cut {
			return true
		}
	}
	return false
}
