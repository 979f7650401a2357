package postmortem

import "meantime/incident"

// identified looks for when the cause was known: said, or found in the words that the document gives as its cause.
func (r *reader) identified() {
	if _, ok := r.picks[incident.Identified]; ok {
		return
	}
	d, known := r.picks[incident.Detected]
	var firm, said []*entry
	for _, e := range r.es {
		t, ok := e.kinds[Cause]
		if known && e.at.Before(d.at) || !ok || t.hedged || e.kinds.ofSupplier() {
			continue
		}
		if !e.list && t.sentence > 0 && known && e == d.e {
			continue // "Noticed at 09:05. A full disk was the reason." was not known at once
		}
		if n, ok := e.kinds[NotYet]; ok && n.sentence >= t.sentence && !e.kinds.has(Recovered, Resolved, Ended) {
			continue // "… but we do not know the exact cause yet"
		}
		firm = append(firm, e)
	}
	if len(firm) == 0 {
		if words := r.causeWords(); len(words) > 0 {
			for _, e := range r.es {
				if t, ok := e.kinds[Finding]; ok && !t.nonprod && !(known && e.at.Before(d.at)) && !e.kinds.has(ThirdParty) && r.sharesCause(e, words) {
					said = append(said, e)
				}
			}
		}
		if len(said) == 1 {
			firm = said
		}
	}
	if len(firm) == 0 {
		if e := r.onlyFinding(); e != nil {
			firm = []*entry{e}
		}
	}
	if len(firm) == 0 {
		return
	}
	e := firm[0]
	for _, x := range firm { // an entry that calls it the root cause means more than one that traces something to something
		if r.namesRootCause(x) && !r.namesRootCause(e) {
			e = x
			break
		}
	}
	c := incident.ConfidenceStated
	if e.st.approx {
		c = incident.ConfidenceApproximate
	}
	r.picks[incident.Identified] = pickEntry(r.o, e, c)
	if len(firm) > 1 && firm[len(firm)-1].at.After(e.at) {
		r.askEntries("identified", "milestones.identified", "Several entries tell of the cause.", "The first is taken; a later one may be the real cause.", firm)
	}
}

func (r *reader) namesRootCause(e *entry) bool {
	t, ok := e.kinds[Cause]
	if !ok {
		return false
	}
	toks := r.o.words(e)
	if r.o.t.has("root_cause", toks[max(0, t.from-2):min(len(toks), t.to+2)]) {
		return true
	}
	return false
}

// onlyFinding is the one entry between detection and recovery that tells what was found out, where what was found is not
// just one more symptom. Of several none is it.
func (r *reader) onlyFinding() *entry {
	d, known := r.picks[incident.Detected]
	if !known {
		return nil // who first learns of it has not found its cause
	}
	var found *entry
	for _, e := range r.es {
		if e.at.Before(d.at) {
			continue
		}
		t, ok := e.kinds[Finding]
		if ok && !t.hedged && !(e == d.e && e.kinds.has(Noticed)) && !e.kinds.has(ThirdParty, Recovered, Resolved, Ended, NotYet, Alert, Report, ReportUser, Ack, Talk, FollowUp) {
			if s, ok := e.kinds[Symptom]; ok && s.sentence == t.sentence && s.to > t.from {
				continue
			}
			if found != nil {
				return nil
			}
			found = e
		}
		if r.well(e) {
			break
		}
	}
	return found
}

// causeWords are the telling words of the field that names the cause.
func (r *reader) causeWords() map[string]bool {
	words := map[string]bool{}
	for _, f := range r.fs {
		if f.name != "cause" || !r.inGroup(f.block) {
			continue
		}
		text := f.text
		if f.block >= 0 { // a field cut by a line of its own, as a scraper leaves it
			for b := f.block + 1; b < len(r.o.doc.blocks) && b <= f.block+2 && r.o.doc.blocks[b].kind == para; b++ {
				text += " " + r.o.doc.blocks[b].text
			}
		}
		for _, w := range r.contentWords(tokenize(text)) {
			words[w] = true
		}
	}
	return words
}

// contentWords are the words that carry meaning: stems of long words, and pairs of ideographs or kana.
func (r *reader) contentWords(toks []token) (ws []string) {
	for i, t := range toks {
		c := t.text
		switch {
		case t.stop || t.comma:
		case c[0] < 0x80 && len(c) >= 5 && !isDigit(c[0]):
			common := false
			common = common || r.o.t.detect[c] || r.o.t.has("incident", toks[i:i+1]) || r.o.t.has("service", toks[i:i+1]) || r.o.t.has("cause_word", toks[i:i+1])
			if !common {
				ws = append(ws, c[:5])
			}
		case c[0] >= 0xE3 && i+1 < len(toks) && toks[i+1].text[0] >= 0xE3 && !(c >= "ぁ" && c <= "ん") && !(toks[i+1].text >= "ぁ" && toks[i+1].text <= "ん"):
			ws = append(ws, c+toks[i+1].text)
		}
	}
	return ws
}

// sharesCause says whether an entry that finds something out finds what the cause says: two telling words at least.
func (r *reader) sharesCause(e *entry, words map[string]bool) bool {
	n := 0
	seen := map[string]bool{}
	for _, w := range r.contentWords(r.o.words(e)) {
		if words[w] && !seen[w] {
			seen[w] = true
			n++
		}
	}
	if r.o.t.Script != "" {
		return n >= 4
	}
	return n >= 2
}
