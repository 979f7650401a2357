package document

import (
	"cmp"
	"slices"
	"unicode"

	"meantime/postmortem/lexicon"
)

// Detect finds the language by its most frequent small words; scripts of their own decide by themselves. Two languages in
// one document (a report on another site's page) are settled by which has more text.
func Detect(blocks []Block, set *lexicon.Set) lexicon.Tongue {
	words := map[string]int{}
	kana, han, letters := 0, 0, 0
	budget := 200_000 // bytes; more does not change the answer
	for i := range blocks {
		if blocks[i].Kind == Code || budget < 0 {
			continue
		}
		budget -= len(blocks[i].Text)
		for _, t := range blocks[i].Tokens() {
			r := []rune(t.Text)
			switch {
			case len(r) == 0:
			case r[0] >= 0x3041 && r[0] <= 0x30FF:
				kana++
			case lexicon.IsCJK(r[0]):
				han++
			case unicode.IsLetter(r[0]):
				letters += len(r)
				words[t.Text]++
			}
		}
	}
	type scored struct {
		i  int
		lx *lexicon.Lexicon
		n  int
	}
	var s []scored
	var en *lexicon.Lexicon
	for i, lx := range set.All {
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
			for w := range lx.Detect {
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
			s[i].n += ownWords(s[i].lx, blocks)
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
		return lexicon.Tongue{Lexicon: set.Read[s[0].i]}
	}
	return lexicon.Tongue{Lexicon: en}
}

// fewWords is how many small words of a language make it certain enough.
const fewWords = 12

// ownWords counts what a short document has of a language's own: labels of fields, months, words for an incident.
func ownWords(lx *lexicon.Lexicon, blocks []Block) (n int) {
	for i := range blocks[:min(len(blocks), 60)] {
		b := &blocks[i]
		if b.Kind == Code {
			continue
		}
		if label, _, ok := lexicon.CutLabel(b.Text); ok && lx.Fields[lexicon.FieldKey(label)].Field != "" {
			n += 3
		}
		for _, t := range b.Tokens() {
			if lx.Months[t.Text] > 0 && len(t.Text) > 2 {
				n++
			}
		}
		if lx.Has("incident", b.Tokens()) {
			n++
		}
	}
	return n
}

// Tokens are the block's words, taken apart once.
func (b *Block) Tokens() []lexicon.Token {
	if b.Toks == nil {
		b.Toks = lexicon.Tokenize(b.Text)
	}
	return b.Toks
}
