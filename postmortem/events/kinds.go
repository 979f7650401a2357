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
	e.Kinds, e.Rules = lexicon.KindSet{}, nil
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
			classifySentence(newSentence(o, e, toks, from, to, sentence, sup))
			sentence++
		}
		from = to + 1
	}
	byStatus(o, e)
}

// sentence is one sentence of an entry while it is read.
type sentence struct {
	o        *timeline.Outline
	e        *timeline.Entry
	toks     []lexicon.Token // of the whole entry
	words    []lexicon.Token // of the sentence: toks[from:to]
	from, to int
	n        int   // its place among the entry's sentences
	lengths  []int // where it says how long something took
	nonprod  bool  // it speaks of a test environment
	supplier bool  // it is about what a supplier does or says

	found    lexicon.KindSet
	mentions []mention // every one that was kept
	denied   []mention // that something is well, known or tried
}

// mention is a place where a sentence says something, by one phrase of a lexicon.
type mention struct {
	lexicon.Match
	kind lexicon.Kind
	told lexicon.Told
}

func newSentence(o *timeline.Outline, e *timeline.Entry, toks []lexicon.Token, from, to, n int, sup *Suppliers) *sentence {
	words := toks[from:to]
	return &sentence{
		o: o, e: e, toks: toks, words: words, from: from, to: to, n: n, found: lexicon.KindSet{},
		lengths: lengths(o, words), nonprod: o.Tongue.Has("nonprod", words), supplier: sup.subject(words, o.Tongue),
	}
}

// put notes what is told and says whether that is news: a firm mention of a kind counts more than a hedged one.
func (s *sentence) put(k lexicon.Kind, t lexicon.Told) bool { return put(s.found, k, t) }

func put(into lexicon.KindSet, k lexicon.Kind, t lexicon.Told) bool {
	old, ok := into[k]
	if ok && !(old.Hedged && !t.Hedged) && !(old.Weak && !t.Weak && old.Hedged == t.Hedged) {
		return false
	}
	into[k] = t
	return true
}

// took takes a kind back.
func (s *sentence) took(k lexicon.Kind) bool {
	_, ok := s.found[k]
	delete(s.found, k)
	return ok
}

// classifySentence reads what a sentence mentions, leaves out what the rules of mentions refuse, and lets the rules of the
// whole sentence give and take.
func classifySentence(s *sentence) {
	for _, lx := range s.o.Tongue.Languages { // a denial of one language says nothing about the words of another
		l := newLanguage(lx, s.words)
		lx.Kinds.Find(s.words, func(m lexicon.Match) { s.mention(l, m) })
	}
	for i := range sentenceRules {
		if sentenceRules[i].apply(s) {
			s.spoke(sentenceRules[i].name)
		}
	}
	for k, t := range s.found {
		put(s.e.Kinds, k, t)
	}
}

// spoke notes the name of a rule that gave or took something.
func (s *sentence) spoke(rule string) {
	if !slices.Contains(s.e.Rules, rule) {
		s.e.Rules = append(s.e.Rules, rule)
	}
}

// mention takes what one phrase tells, unless a rule refuses it.
func (s *sentence) mention(l *language, m lexicon.Match) {
	x := mention{m, lexicon.KindOrder[m.ID], lexicon.Told{From: s.from + m.From, To: s.from + m.To, Sentence: s.n, Nonprod: s.nonprod}}
	for i := range mentionRules {
		if mentionRules[i].refuses(s, l, x) {
			s.spoke(mentionRules[i].name)
			return
		}
	}
	// What a pattern begins with is meant.
	x.told.Hedged = within(l.hedges, m.From-8, m.From, s.words, -1) || within(l.hedges, m.From+1, m.To, s.words, -1)
	if x.kind == lexicon.Recovered || x.kind == lexicon.Resolved {
		said := s.words[m.From:m.To]
		for _, w := range l.lx.SpansOf("state", said) {
			x.told.Weak = x.told.Weak || w[1] == len(said) && !l.lx.Has("change", said)
		}
	}
	s.put(x.kind, x.told)
	s.mentions = append(s.mentions, x)
}

// language is what one language has in a sentence that acts on what is mentioned there.
type language struct {
	lx                                                           *lexicon.Lexicon
	masked, users, denied, deniedAfter, hedges, leads, relatives [][2]int
}

func newLanguage(lx *lexicon.Lexicon, sent []lexicon.Token) *language {
	l := &language{
		lx: lx, masked: lx.SpansOf("mask", sent), users: lx.SpansOf("user", sent), relatives: lx.SpansOf("relative", sent),
		denied: lexicon.Spans(&lx.Neg, sent), deniedAfter: lexicon.Spans(&lx.NegAfter, sent), leads: lexicon.Spans(&lx.Lead, sent),
	}
	l.hedges = slices.DeleteFunc(lexicon.Spans(&lx.Hedge, sent), func(h [2]int) bool { // "could not log in" is certain
		if h[1] < len(sent) && lexicon.IsDigit(sent[h[1]].Text[0]) {
			return true // "until 12:10"
		}
		return slices.ContainsFunc(l.denied, func(d [2]int) bool { return d[0] == h[1] })
	})
	return l
}

func overlaps(a, b lexicon.Told, slack int) bool { return a.From <= b.To+slack && b.From <= a.To+slack }

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
