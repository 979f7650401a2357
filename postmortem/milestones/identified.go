package milestones

import (
	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// identified looks for when the cause was known: said, or found in the words that the document gives as its cause.
func (r *Reader) identified() {
	if _, ok := r.picks[incident.Identified]; ok {
		return
	}
	d, known := r.picks[incident.Detected]
	var firm, said []*timeline.Entry
	for _, e := range r.es {
		t, ok := e.Kinds[lexicon.Cause]
		if known && e.At.Before(d.at) || !ok || t.Hedged || e.Kinds.OfSupplier() {
			continue
		}
		if !e.List && t.Sentence > 0 && known && e == d.e {
			continue // "Noticed at 09:05. A full disk was the reason." was not known at once
		}
		if n, ok := e.Kinds[lexicon.NotYet]; ok && n.Sentence >= t.Sentence && !e.Kinds.Has(lexicon.Recovered, lexicon.Resolved, lexicon.Ended) {
			continue // "… but we do not know the exact cause yet"
		}
		firm = append(firm, e)
	}
	if len(firm) == 0 {
		if words := r.causeWords(); len(words) > 0 {
			for _, e := range r.es {
				if t, ok := e.Kinds[lexicon.Finding]; ok && !t.Nonprod && !(known && e.At.Before(d.at)) && !e.Kinds.Has(lexicon.ThirdParty) &&
					r.sharesCause(e, words) {
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
			firm = []*timeline.Entry{e}
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
	if e.Stamp.Approx {
		c = incident.ConfidenceApproximate
	}
	r.picks[incident.Identified] = pickEntry(r.Outline, e, c)
	if len(firm) > 1 && firm[len(firm)-1].At.After(e.At) {
		r.askEntries("identified", "milestones.identified", "Several entries tell of the cause.",
			"The first is taken; a later one may be the real cause.", firm)
	}
}

func (r *Reader) namesRootCause(e *timeline.Entry) bool {
	t, ok := e.Kinds[lexicon.Cause]
	if !ok {
		return false
	}
	toks := r.Outline.Words(e)
	return r.Outline.Tongue.Has("root_cause", toks[max(0, t.From-2):min(len(toks), t.To+2)])
}

// onlyFinding is the one entry between detection and recovery that tells what was found out, where what was found is not
// just one more symptom. Of several none is it.
func (r *Reader) onlyFinding() *timeline.Entry {
	d, known := r.picks[incident.Detected]
	if !known {
		return nil // who first learns of it has not found its cause
	}
	var found *timeline.Entry
	for _, e := range r.es {
		if e.At.Before(d.at) {
			continue
		}
		t, ok := e.Kinds[lexicon.Finding]
		if ok && !t.Hedged && !(e == d.e && e.Kinds.Has(lexicon.Noticed)) &&
			!e.Kinds.Has(lexicon.ThirdParty, lexicon.Recovered, lexicon.Resolved, lexicon.Ended, lexicon.NotYet, lexicon.Alert, lexicon.Report,
				lexicon.ReportUser, lexicon.Ack, lexicon.Talk, lexicon.FollowUp) {
			if s, ok := e.Kinds[lexicon.Symptom]; ok && s.Sentence == t.Sentence && s.To > t.From {
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
func (r *Reader) causeWords() map[string]bool {
	words := map[string]bool{}
	for _, f := range r.Fields {
		if f.Name != "cause" || !r.inGroup(f.Block) {
			continue
		}
		text := f.Text
		if f.Block >= 0 { // a field cut by a line of its own, as a scraper leaves it
			for b := f.Block + 1; b < len(r.Outline.Document.Blocks) && b <= f.Block+2 && r.Outline.Document.Blocks[b].Kind == document.Para; b++ {
				text += " " + r.Outline.Document.Blocks[b].Text
			}
		}
		for _, w := range r.contentWords(lexicon.Tokenize(text)) {
			words[w] = true
		}
	}
	return words
}

// contentWords are the words that carry meaning: stems of long words, and pairs of ideographs or kana.
func (r *Reader) contentWords(toks []lexicon.Token) (ws []string) {
	for i, t := range toks {
		c := t.Text
		switch {
		case t.Stop || t.Comma:
		case c[0] < 0x80 && len(c) >= 5 && !lexicon.IsDigit(c[0]):
			common := false
			common = common || r.Outline.Tongue.Detect[c] || r.Outline.Tongue.Has("incident", toks[i:i+1]) ||
				r.Outline.Tongue.Has("service", toks[i:i+1]) || r.Outline.Tongue.Has("cause_word", toks[i:i+1])
			if !common {
				ws = append(ws, c[:5])
			}
		case c[0] >= 0xE3 && i+1 < len(toks) && toks[i+1].Text[0] >= 0xE3 && !(c >= "ぁ" && c <= "ん") &&
			!(toks[i+1].Text >= "ぁ" && toks[i+1].Text <= "ん"):
			ws = append(ws, c+toks[i+1].Text)
		}
	}
	return ws
}

// sharesCause says whether an entry that finds something out finds what the cause says: two telling words at least.
func (r *Reader) sharesCause(e *timeline.Entry, words map[string]bool) bool {
	n := 0
	seen := map[string]bool{}
	for _, w := range r.contentWords(r.Outline.Words(e)) {
		if words[w] && !seen[w] {
			seen[w] = true
			n++
		}
	}
	if r.Outline.Tongue.Script != "" {
		return n >= 4
	}
	return n >= 2
}
