package postmortem

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
type pattern struct {
	parts  []part
	id     int
	denies bool // it holds a negation itself, which then denies nothing
	source string
	used   func(Use) // told every use of its phrases, where somebody listens
}

type part struct {
	gap      int // words that may stand before it
	optional bool
	alts     []alt
	lists    map[string]string // the word list that an alternative comes from, by the alternative; nil where none does
	index    *altIndex         // of many alternatives, by their first word
}

// altIndex finds alternatives by their first word, so that a long list costs no more than a short one.
type altIndex struct {
	exact, stems      map[string][]alt
	shortest, longest int // of the stems, in bytes
}

// manyAlts is from how many alternatives on an index is worth its cost.
const manyAlts = 6

func indexAlts(as []alt) *altIndex {
	if len(as) < manyAlts {
		return nil
	}
	x := &altIndex{exact: map[string][]alt{}, stems: map[string][]alt{}, shortest: 1 << 10}
	for _, a := range as {
		w := a[0]
		if !w.stem {
			x.exact[w.text] = append(x.exact[w.text], a)
			continue
		}
		x.stems[w.text] = append(x.stems[w.text], a)
		x.shortest, x.longest = min(x.shortest, len(w.text)), max(x.longest, len(w.text))
	}
	return x
}

type alt []word // a fixed phrase

type word struct {
	text string
	stem bool
}

func (w word) matches(t string) bool {
	if w.stem {
		return strings.HasPrefix(t, w.text)
	}
	return t == w.text
}

// parsePattern reads a pattern's notation.
func parsePattern(s string, lists map[string][]string) (pattern, error) {
	p := pattern{source: s}
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
		pt := part{gap: gap}
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
					a := parseAlt(l)
					pt.alts = append(pt.alts, a)
					pt.lists[a.String()] = name
				}
				continue
			}
			pt.alts = append(pt.alts, parseAlt(a))
		}
		for _, a := range pt.alts {
			if len(a) == 0 {
				return p, fmt.Errorf("pattern %q: an alternative is empty", s)
			}
		}
		pt.index = indexAlts(pt.alts)
		p.parts = append(p.parts, pt)
	}
	if len(p.parts) == 0 || p.parts[0].optional {
		return p, fmt.Errorf("pattern %q does not begin with a word", s)
	}
	return p, nil
}

// parseAlt reads a phrase; blanks and underscores separate its words.
func parseAlt(s string) (a alt) {
	for _, p := range strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == ' ' }) {
		plain, stem := strings.CutSuffix(p, "*")
		for _, t := range tokenize(foldWidth(plain)) {
			if !t.stop && !t.comma {
				a = append(a, word{text: t.text})
			}
		}
		if stem && len(a) > 0 {
			a[len(a)-1].stem = true
		}
	}
	return a
}

// matcher finds a set of patterns in one pass over tokens. Patterns are found by their first word: by the word itself, or
// by a prefix of it for stems.
type matcher struct {
	patterns []pattern
	list     string           // the list of the lexicon it is made of
	first    map[string][]int // word -> patterns beginning with it
	stems    map[string][]int
	longest  int // of the stems, in bytes
}

func (m *matcher) add(p pattern) {
	if m.first == nil {
		m.first, m.stems = map[string][]int{}, map[string][]int{}
	}
	n := len(m.patterns)
	m.patterns = append(m.patterns, p)
	seen := map[string]bool{}
	for _, a := range p.parts[0].alts {
		w := a[0]
		if w.stem {
			if !seen[w.text+"*"] {
				m.stems[w.text] = append(m.stems[w.text], n)
				m.longest = max(m.longest, len(w.text))
			}
			seen[w.text+"*"] = true
		} else if !seen[w.text] {
			m.first[w.text] = append(m.first[w.text], n)
			seen[w.text] = true
		}
	}
}

// match is one pattern found: the tokens from..to, to excluded.
type match struct {
	id       int
	from, to int
	denies   bool
}

// find calls yield for every match, in the order of the tokens.
func (m *matcher) find(toks []token, yield func(match)) {
	if len(m.patterns) == 0 {
		return
	}
	for i := range toks {
		t := toks[i].text
		try := func(n int) {
			if end := m.patterns[n].at(toks, i); end > 0 {
				if m.patterns[n].used != nil {
					m.tell(&m.patterns[n], toks, i)
				}
				yield(match{m.patterns[n].id, i, end, m.patterns[n].denies})
			}
		}
		for _, n := range m.first[t] {
			try(n)
		}
		for l := 1; l <= len(t) && l <= m.longest; l++ {
			for _, n := range m.stems[t[:l]] {
				try(n)
			}
		}
	}
}

// at gives the end of the pattern when it begins at token i, or 0. Each part takes the nearest place it fits; it does
// not go back, so the cost is bounded by the gaps.
func (p *pattern) at(toks []token, i int) int {
	pos := i
	for n, pt := range p.parts {
		found := 0
		for g := 0; g <= pt.gap; g++ {
			at := pos + g
			if at >= len(toks) || toks[at].stop && n > 0 {
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

func (pt *part) at(toks []token, i int) int {
	x := pt.index
	if x == nil {
		return longestAt(pt.alts, toks, i)
	}
	if i >= len(toks) {
		return 0
	}
	w := toks[i].text
	best := longestAt(x.exact[w], toks, i)
	for l := x.shortest; l <= len(w) && l <= x.longest; l++ {
		if as := x.stems[w[:l]]; as != nil {
			best = max(best, longestAt(as, toks, i))
		}
	}
	return best
}

// longestAt gives the end of the longest of the alternatives that begins at token i, or 0.
func longestAt(as []alt, toks []token, i int) int {
	best := 0
	for _, a := range as {
		j := i
		ok := true
		for _, w := range a {
			if j < len(toks) && toks[j].comma && j > i {
				j++
			}
			if j >= len(toks) || !w.matches(toks[j].text) {
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

func (pt part) fits(toks []token, from, to int) bool { return pt.at(toks, from) == to }

// spans lists the token ranges a matcher finds.
func spans(m *matcher, toks []token) (s [][2]int) {
	m.find(toks, func(x match) { s = append(s, [2]int{x.from, x.to}) })
	return s
}
