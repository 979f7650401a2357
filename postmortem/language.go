package postmortem

import (
	"cmp"
	"slices"
	"unicode"
)

// detect finds the language by its most frequent small words; scripts of their own decide by themselves. Two languages in
// one document (a report on another site's page) are settled by which has more text.
func detect(blocks []block, set *lexiconSet) tongue {
	words := map[string]int{}
	kana, han, letters := 0, 0, 0
	budget := 200_000 // bytes; more does not change the answer
	for i := range blocks {
		if blocks[i].kind == code || budget < 0 {
			continue
		}
		budget -= len(blocks[i].text)
		for _, t := range blocks[i].tokens() {
			r := []rune(t.text)
			switch {
			case len(r) == 0:
			case r[0] >= 0x3041 && r[0] <= 0x30FF:
				kana++
			case isCJK(r[0]):
				han++
			case unicode.IsLetter(r[0]):
				letters += len(r)
				words[t.text]++
			}
		}
	}
	type scored struct {
		i  int
		lx *lexicon
		n  int
	}
	var s []scored
	var en *lexicon
	for i, lx := range set.all {
		if lx.Code == "en" {
			en = lx
		}
		n := 0
		switch lx.Script {
		case "kana":
			if kana*8 > han {
				n = (kana + han) / 3
			}
		case "han":
			if kana*8 <= han {
				n = han / 3
			}
		default:
			for w := range lx.detect {
				n += words[w]
			}
		}
		s = append(s, scored{i, lx, n})
	}
	best := 0
	for _, x := range s {
		best = max(best, x.n)
	}
	if best < fewWords { // a list of fields: what it calls them says more than its few small words
		for i := range s {
			s[i].n += s[i].lx.ownWords(blocks)
		}
	}
	// English where it is a tie: the shortest documents are lists in English.
	slices.SortStableFunc(s, func(a, b scored) int {
		first := func(x scored) int {
			if x.lx == en {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(first(a), first(b)))
	})
	if len(s) > 0 && s[0].n > 0 {
		return tongue{lexicon: set.read[s[0].i]}
	}
	return tongue{lexicon: en}
}

// fewWords is how many small words of a language make it certain enough.
const fewWords = 12

// ownWords counts what a short document has of a language's own: labels of fields, months, words for an incident.
func (lx *lexicon) ownWords(blocks []block) (n int) {
	for i := range blocks[:min(len(blocks), 60)] {
		b := &blocks[i]
		if b.kind == code {
			continue
		}
		if label, _, ok := cutLabel(b.text); ok && lx.fields[fieldKey(label)].field != "" {
			n += 3
		}
		for _, t := range b.tokens() {
			if lx.months[t.text] > 0 && len(t.text) > 2 {
				n++
			}
		}
		if lx.has("incident", b.tokens()) {
			n++
		}
	}
	return n
}

// tokens are the block's words, taken apart once.
func (b *block) tokens() []token {
	if b.toks == nil {
		b.toks = tokenize(b.text)
	}
	return b.toks
}
