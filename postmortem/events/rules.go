package events

import (
	"slices"

	"meantime/postmortem/lexicon"
)

// An example shows what a rule is for: an entry of a timeline, and a kind that it tells or, with a minus before it, does not tell.
type example struct{ text, kind string }

// mentionRule refuses a mention: the phrase stands there and does not say what it says elsewhere.
type mentionRule struct {
	name    string
	refuses func(s *sentence, l *language, x mention) bool
	// Of example the rule refuses the kind; of counter it does not speak, and the kind is told.
	example, counter example
}

// mentionRules are asked in this order; the first that refuses settles it.
var mentionRules = []mentionRule{
	{
		"a phrase that only looks like it", masked,
		example{"The primary fails over to the standby", "-symptom"}, example{"The primary fails", "symptom"},
	},
	{
		"seen by users, not by us", seenByThem,
		example{"Customers in the south noticed errors", "-noticed"}, example{"We noticed errors", "noticed"},
	},
	{
		"declared over", declaredOver,
		example{"The incident was declared over", "-declared"}, example{"An incident was declared", "declared"},
	},
	{
		"how long it took", tellsHowLong,
		example{"The alert fired within eight minutes", "-alert"}, example{"The alert fired", "alert"},
	},
	{
		"denied", isDenied,
		example{"The service was not restored", "-recovered"}, example{"The service was restored", "recovered"},
	},
	{
		"told as what came before", cameBefore,
		example{"After the alert fired, nobody looked", "-alert"}, example{"The alert fired", "alert"},
	},
	{
		"of a clause that only describes", describes,
		example{"We reverted the change that triggered the alerts", "-alert"}, example{"The change triggered the alerts", "alert"},
	},
}

// sentenceRule gives or takes something by all that a sentence mentions. Apply says whether it did.
type sentenceRule struct {
	name  string
	apply func(s *sentence) bool
	// Example is an entry in which the rule speaks, counter one in which it does not.
	example, counter example
}

// sentenceRules are applied in this order; each sees what those before it left.
var sentenceRules = []sentenceRule{
	{
		"not over, where its end is denied", notYet,
		example{"The service was not restored", "not_yet"}, example{"The service was restored", "-not_yet"},
	},
	{
		"the name of an alert at the head", alertAtHead,
		example{"Page: ProbeDown for text", "alert"}, example{"Page: ProbeDown silenced", "-alert"},
	},
	{
		"nothing but that it is over", nothingButOver,
		example{"Closed", "ended"}, example{"Export closed", "-ended"},
	},
	{
		"a label for the cause", causeByLabel,
		example{"Root cause: two rows of the tax table have no currency", "cause"},
		example{"Root cause: not known yet to anybody", "-cause"},
	},
	{
		"works again", worksAgainThere,
		example{"New jobs boot fine again", "recovered"}, example{"New jobs are run again by hand", "-recovered"},
	},
	{
		"the act of a supplier", actOfSupplier,
		example{"Cloudflare says that service is restored", "-recovered"}, example{"We say that service is restored", "recovered"},
	},
	{
		"only told to others", onlyTold,
		example{"Told on our channels: back online", "-recovered"}, example{"Back online", "recovered"},
	},
	{
		"what a report is about", aboutReport,
		example{"Customers reported that they could not log in", "-impact_start"}, example{"Customers could not log in", "impact_start"},
	},
	{
		"fails for all is not well for all", failsForAll,
		example{"All exports stop working again", "-recovered"}, example{"All exports are working again", "recovered"},
	},
	{
		"works badly, or by hand", worksPoorly,
		example{"Search is responding very slowly", "-recovered"}, example{"Search is responding again", "recovered"},
	},
	{
		"better is not well", partly,
		example{"Service partially restored", "-recovered"}, example{"Service restored", "recovered"},
	},
}

func oneOf(k lexicon.Kind, of ...lexicon.Kind) bool { return slices.Contains(of, k) }

// masked: "fails over" is no failure.
func masked(_ *sentence, l *language, x mention) bool {
	return oneOf(x.kind, lexicon.Symptom, lexicon.Failing, lexicon.ImpactStart, lexicon.Noticed, lexicon.Relapse, lexicon.NotYet,
		lexicon.Alert, lexicon.Recovered) &&
		slices.ContainsFunc(l.masked, func(m [2]int) bool { return m[0] < x.Match.To && x.Match.To <= m[1] })
}

func seenByThem(s *sentence, l *language, x mention) bool {
	return oneOf(x.kind, lexicon.Noticed, lexicon.Finding, lexicon.Cause) && seenByUsers(l.users, x.Match, s.words, s.o.Tongue)
}

func declaredOver(s *sentence, l *language, x mention) bool {
	return x.kind == lexicon.Declared && len(l.lx.SpansOf("over_declared", s.words[x.From:min(len(s.words), x.To+3)])) > 0
}

// tellsHowLong: "was detected within eight minutes" is not of this moment.
func tellsHowLong(s *sentence, _ *language, x mention) bool {
	return tellsLength(s.lengths, x.Match) && !oneOf(x.kind, lexicon.Trigger, lexicon.Symptom, lexicon.Failing)
}

func isDenied(s *sentence, l *language, x mention) bool {
	if x.kind == lexicon.NotYet || x.kind == lexicon.Partial {
		return false
	}
	inside := x.To
	if x.Denies {
		inside = x.From
	}
	if !within(l.denied, x.From-3, inside, s.words, x.From) && (x.Denies || !after(l.deniedAfter, x.Match, s.words, l.lx.Words["that"])) {
		return false
	}
	if oneOf(x.kind, lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.Cause, lexicon.Attempt) {
		s.denied = append(s.denied, x)
	}
	return true
}

func cameBefore(_ *sentence, l *language, x mention) bool {
	return !oneOf(x.kind, lexicon.ImpactStart, lexicon.Symptom, lexicon.Trigger, lexicon.Attempt, lexicon.ThirdParty) &&
		slices.ContainsFunc(l.leads, func(w [2]int) bool { return w[1] <= x.From && x.From-w[1] <= 1 })
}

func describes(_ *sentence, l *language, x mention) bool {
	return oneOf(x.kind, lexicon.Alert, lexicon.ReportUser, lexicon.Report, lexicon.Noticed, lexicon.Declared) &&
		slices.ContainsFunc(l.relatives, func(w [2]int) bool { return w[1] == x.From })
}

// notYet: "without problems, incident ended" is denied only in part.
func notYet(s *sentence) (spoke bool) {
	for _, d := range s.denied {
		if !s.found.Firm(d.kind) {
			spoke = s.put(lexicon.NotYet, d.told) || spoke
		}
	}
	return spoke
}

// start is the first sentence of an entry without the dash behind its time, and the token it begins at; nil for any other.
func (s *sentence) start() ([]lexicon.Token, int) {
	if s.n > 0 {
		return nil, 0
	}
	words, from := s.words, s.from
	for len(words) > 1 && words[0].Comma {
		words, from = words[1:], from+1
	}
	return words, from
}

func alertAtHead(s *sentence) bool {
	words, from := s.start()
	if words == nil {
		return false
	}
	t, ok := headed(s.o, words, from, s.nonprod)
	return ok && !s.found.Firm(lexicon.Alert) && !s.found.Firm(lexicon.Ack) && s.put(lexicon.Alert, t)
}

// nothingButOver: "Closed", and behind something else "… purged. Done."
func nothingButOver(s *sentence) bool {
	if !s.e.List {
		return false
	}
	if words, from := s.start(); words != nil {
		return onlyOver(s.o, words) && s.put(lexicon.Ended, lexicon.Told{From: from, To: from + 1})
	}
	return len(s.words) == 1 && onlyOver(s.o, s.words) && s.put(lexicon.Ended, lexicon.Told{From: s.from, To: s.to, Sentence: s.n})
}

func causeByLabel(s *sentence) bool {
	words, from := s.start()
	if words == nil {
		return false
	}
	t, ok := labelledCause(s.o, words, from, s.nonprod)
	return ok && s.put(lexicon.Cause, t)
}

func worksAgainThere(s *sentence) bool {
	t, ok := worksAgain(s)
	return ok && !s.found.Firm(lexicon.Recovered) && s.put(lexicon.Recovered, t)
}

func actOfSupplier(s *sentence) bool {
	if !s.supplier {
		return false
	}
	s.e.Kinds[lexicon.ThirdParty] = lexicon.Told{From: s.from, To: s.to, Sentence: s.n, Subject: true}
	ours := s.o.Tongue.Has("team", s.words)
	for k := range s.found {
		if k != lexicon.Ack && k != lexicon.Trigger || !ours {
			delete(s.found, k)
		}
	}
	return true
}

// onlyTold: "the status page reports an incident" tells nothing else.
func onlyTold(s *sentence) (spoke bool) {
	talk, ok := s.found[lexicon.Talk]
	if !ok {
		return false
	}
	for _, k := range []lexicon.Kind{
		lexicon.ReportUser, lexicon.Report, lexicon.Noticed, lexicon.Alert, lexicon.Ack, lexicon.Declared, lexicon.Recovered,
		lexicon.Resolved, lexicon.Ended, lexicon.Finding,
	} {
		if t, ok := s.found[k]; ok && t.To > talk.From {
			spoke = s.took(k) || spoke
		}
	}
	return spoke
}

// aboutReport: "customers told us that they could not log in".
func aboutReport(s *sentence) bool {
	i, ok := s.found[lexicon.ImpactStart]
	if !ok {
		return false
	}
	for _, k := range []lexicon.Kind{lexicon.ReportUser, lexicon.ReportSupport, lexicon.Report, lexicon.Alert} {
		if t, ok := s.found[k]; ok && t.From <= i.From && !(k == lexicon.Alert && commaBetween(s.toks, t, i)) {
			return s.took(lexicon.ImpactStart)
		}
	}
	return false
}

// failsForAll: "exports start to fail for all" does not tell that they succeed for all.
func failsForAll(s *sentence) bool {
	r, ok := s.found[lexicon.Recovered]
	if !ok {
		return false
	}
	for _, k := range []lexicon.Kind{lexicon.ImpactStart, lexicon.Failing} {
		if i, ok := s.found[k]; ok && r.From <= i.From && i.To <= r.To {
			return s.took(lexicon.Recovered)
		}
	}
	return false
}

// worksPoorly takes back that something works, or that somebody responds, where what follows at once says how badly: "search is
// responding very slowly", or that people did it: "run again by hand".
func worksPoorly(s *sentence) (spoke bool) {
	for _, k := range []lexicon.Kind{lexicon.Recovered, lexicon.Ack} {
		t, ok := s.found[k]
		if !ok {
			continue
		}
		end := t.To
		for end < len(s.toks) && end < t.To+3 && !s.toks[end].Stop && !s.toks[end].Comma {
			end++
		}
		has := s.o.Tongue.Has
		again := has("again", s.toks[t.From:end])
		if !again && has("works", s.toks[t.From:t.To]) && has("poorly", s.toks[t.To:end]) ||
			again && k == lexicon.Recovered && has("by_hand", s.toks[t.To:end]) {
			spoke = s.took(k) || spoke
		}
	}
	return spoke
}

// partly: "partially restored" is better and not well, unless the same sentence says that it is over.
func partly(s *sentence) (spoke bool) {
	p, ok := s.found[lexicon.Partial]
	if !ok || !overlaps(p, s.found[lexicon.Recovered], 2) && complete(s.o, s.toks, s.found[lexicon.Recovered]) {
		return false
	}
	over := s.found.Firm(lexicon.Resolved) || s.found.Firm(lexicon.Ended)
	if r, ok := s.found[lexicon.Recovered]; ok && !over && overlaps(p, r, 6) && !commaBetween(s.toks, p, r) {
		spoke = s.took(lexicon.Recovered)
	}
	for _, k := range []lexicon.Kind{lexicon.Resolved, lexicon.Ended} {
		if r, ok := s.found[k]; ok && overlaps(p, r, 3) {
			spoke = s.took(k) || spoke
		}
	}
	return spoke
}
