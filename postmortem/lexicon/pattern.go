package lexicon

import (
	"fmt"
	"strings"
)

// A pattern is written as words in order. `a|b` are alternatives, `stem*` any word that begins so, `two_words` a fixed
// phrase as one alternative, `..` a gap of up to 5 words, `...` of up to 12 (of characters three times as many), `word?` may be missing, and `{name}` the lexicon's word list of that
// name. In Chinese and Japanese, where words have no edges, a part is the characters as they stand. Examples:
//
//	alert* (fired|triggered)
//	{user} .. report*|complain*
//	根本原因 .. 特定|判明
type Pattern struct {
	Parts  []Part
	ID     int
	denies bool // it holds a negation itself, which then denies nothing
	source string
	used   func(Use) // told every use of its phrases, where somebody listens
}

type Part struct {
	gap      int // words that may stand before it
	optional bool
	Alts     []Alt
	lists    map[string]string // the word list that an alternative comes from, by the alternative; nil where none does
	index    *altIndex         // of many alternatives, by their first word
}

// altIndex finds alternatives by their first word, so that a long list costs no more than a short one.
type altIndex struct {
	exact, stems      map[string][]Alt
	shortest, longest int // of the stems, in bytes
}

// manyAlts is from how many alternatives on an index is worth its cost.
const manyAlts = 6

func indexAlts(as []Alt) *altIndex {
	if len(as) < manyAlts {
		return nil
	}
	x := &altIndex{exact: map[string][]Alt{}, stems: map[string][]Alt{}, shortest: 1 << 10}
	for _, a := range as {
		w := a[0]
		if !w.stem {
			x.exact[w.Text] = append(x.exact[w.Text], a)
			continue
		}
		x.stems[w.Text] = append(x.stems[w.Text], a)
		x.shortest, x.longest = min(x.shortest, len(w.Text)), max(x.longest, len(w.Text))
	}
	return x
}

type Alt []word // a fixed phrase

type word struct {
	Text string
	stem bool
}

func (w word) matches(t string) bool {
	if w.stem {
		return strings.HasPrefix(t, w.Text)
	}
	return t == w.Text
}

// parsePattern reads a pattern's notation.
func parsePattern(s string, lists map[string][]string) (Pattern, error) {
	p := Pattern{source: s}
	gap := 0
	for _, f := range strings.Fields(s) {
		switch f {
		case "..":
			gap = 5
			continue
		case "...":
			gap = 12
			continue
		}
		pt := Part{gap: gap}
		gap = 0
		if strings.HasSuffix(f, "?") {
			pt.optional, f = true, strings.TrimSuffix(f, "?")
		}
		f = strings.Trim(f, "()")
		for _, a := range strings.Split(f, "|") {
			if name, ok := strings.CutPrefix(a, "{"); ok {
				name = strings.TrimSuffix(name, "}")
				list, ok := lists[name]
				if !ok {
					return p, fmt.Errorf("pattern %q: no list %q", s, name)
				}
				if pt.lists == nil {
					pt.lists = map[string]string{}
				}
				for _, l := range list {
					a := ParseAlt(l)
					pt.Alts = append(pt.Alts, a)
					pt.lists[a.String()] = name
				}
				continue
			}
			pt.Alts = append(pt.Alts, ParseAlt(a))
		}
		for _, a := range pt.Alts {
			if len(a) == 0 {
				return p, fmt.Errorf("pattern %q: an alternative is empty", s)
			}
		}
		pt.index = indexAlts(pt.Alts)
		p.Parts = append(p.Parts, pt)
	}
	if len(p.Parts) == 0 || p.Parts[0].optional {
		return p, fmt.Errorf("pattern %q does not begin with a word", s)
	}
	return p, nil
}

// ParseAlt reads a phrase; blanks and underscores separate its words.
func ParseAlt(s string) (a Alt) {
	for _, p := range strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == ' ' }) {
		plain, stem := strings.CutSuffix(p, "*")
		for _, t := range Tokenize(FoldWidth(plain)) {
			if !t.Stop && !t.Comma {
				a = append(a, word{Text: t.Text})
			}
		}
		if stem && len(a) > 0 {
			a[len(a)-1].stem = true
		}
	}
	return a
}

// Matcher finds a set of patterns in one pass over tokens. Patterns are found by their first word: by the word itself, or
// by a prefix of it for stems.
type Matcher struct {
	Patterns []Pattern
	list     string           // the list of the lexicon it is made of
	First    map[string][]int // word -> patterns beginning with it
	Stems    map[string][]int
	Longest  int // of the stems, in bytes
}

func (m *Matcher) Add(p Pattern) {
	if m.First == nil {
		m.First, m.Stems = map[string][]int{}, map[string][]int{}
	}
	n := len(m.Patterns)
	m.Patterns = append(m.Patterns, p)
	seen := map[string]bool{}
	for _, a := range p.Parts[0].Alts {
		w := a[0]
		if w.stem {
			if !seen[w.Text+"*"] {
				m.Stems[w.Text] = append(m.Stems[w.Text], n)
				m.Longest = max(m.Longest, len(w.Text))
			}
			seen[w.Text+"*"] = true
		} else if !seen[w.Text] {
			m.First[w.Text] = append(m.First[w.Text], n)
			seen[w.Text] = true
		}
	}
}

// Match is one pattern found: the tokens from..to, to excluded.
type Match struct {
	ID       int
	From, To int
	Denies   bool
}

// Find calls yield for every match, in the order of the tokens.
func (m *Matcher) Find(toks []Token, yield func(Match)) {
	if len(m.Patterns) == 0 {
		return
	}
	for i := range toks {
		t := toks[i].Text
		try := func(n int) {
			if end := m.Patterns[n].at(toks, i); end > 0 {
				if m.Patterns[n].used != nil {
					m.tell(&m.Patterns[n], toks, i)
				}
				yield(Match{m.Patterns[n].ID, i, end, m.Patterns[n].denies})
			}
		}
		for _, n := range m.First[t] {
			try(n)
		}
		for l := 1; l <= len(t) && l <= m.Longest; l++ {
			for _, n := range m.Stems[t[:l]] {
				try(n)
			}
		}
	}
}

// at gives the end of the pattern when it begins at token i, or 0. Each part takes the nearest place it fits; it does
// not go back, so the cost is bounded by the gaps.
func (p *Pattern) at(toks []Token, i int) int {
	pos := i
	for n, pt := range p.Parts {
		found := 0
		for g := 0; g <= pt.gap; g++ {
			at := pos + g
			if at >= len(toks) || toks[at].Stop && n > 0 {
				break
			}
			if end := pt.at(toks, at); end > 0 {
				found = end
				break
			}
			if n == 0 {
				break
			}
		}
		if found == 0 && !pt.optional {
			return 0
		}
		pos = max(pos, found)
	}
	return pos
}

func (pt *Part) at(toks []Token, i int) int {
	x := pt.index
	if x == nil {
		return longestAt(pt.Alts, toks, i)
	}
	if i >= len(toks) {
		return 0
	}
	w := toks[i].Text
	best := longestAt(x.exact[w], toks, i)
	for l := x.shortest; l <= len(w) && l <= x.longest; l++ {
		if as := x.stems[w[:l]]; as != nil {
			best = max(best, longestAt(as, toks, i))
		}
	}
	return best
}

// longestAt gives the end of the longest of the alternatives that begins at token i, or 0.
func longestAt(as []Alt, toks []Token, i int) int {
	best := 0
	for _, a := range as {
		j := i
		ok := true
		for _, w := range a {
			if j < len(toks) && toks[j].Comma && j > i {
				j++
			}
			if j >= len(toks) || !w.matches(toks[j].Text) {
				ok = false
				break
			}
			j++
		}
		if ok && j > best {
			best = j
		}
	}
	return best
}

func (pt Part) Fits(toks []Token, from, to int) bool { return pt.at(toks, from) == to }

// Spans lists the token ranges a matcher finds.
func Spans(m *Matcher, toks []Token) (s [][2]int) {
	m.Find(toks, func(x Match) { s = append(s, [2]int{x.From, x.To}) })
	return s
}
