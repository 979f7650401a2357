package lexicon

import (
	"fmt"
	"slices"
	"strings"
)

// A Use is one phrase of a lexicon that did its work in a document.
type Use struct {
	Language    string // the lexicon's code
	List        string // "kinds.alert", "words.user", "negation", "fields.started" …
	Pattern     string // as the lexicon has it; of a field the folded label
	Part        int    // of the pattern
	Alternative string // the phrase that stood at the part
}

// watch is how a lexicon is built for measuring: told what was used, and without what is to be left out.
type watch struct {
	Used func(Use)
	keep func(Use) bool
}

// A Vocabulary is the lexicons of all languages, for measuring: it can tell what is used of it, and it can be had without
// some of its phrases. A lexicon grows by the documents that its authors have read, so those read better than any other. How
// well a document is read that nobody has seen can be measured on the known ones by reading each without the phrases that no
// other organisation's document bears out.
type Vocabulary struct{ lexicons *Set }

// NewVocabulary is all lexicons. Used is told each time a phrase does its work; it may be nil.
func NewVocabulary(used func(Use)) (*Vocabulary, error) {
	data, err := lexiconTexts()
	if err != nil {
		return nil, err
	}
	all, err := buildLexicons(data, watch{Used: used})
	if err != nil {
		return nil, err
	}
	return &Vocabulary{merge(all)}, nil
}

// Without is the vocabulary without some phrases. It shares what stays with the one it is made of.
func (v *Vocabulary) Without(drop map[Use]bool) (*Vocabulary, error) {
	languages := map[string]bool{}
	for u := range drop {
		languages[u.Language] = true
	}
	out := slices.Clone(v.lexicons.All)
	for i, lx := range out {
		if !languages[lx.Code] {
			continue
		}
		w := lx.Watch
		w.keep = func(u Use) bool { return !drop[u] }
		less, err := newLexicon(lx.data, w)
		if err != nil {
			return nil, fmt.Errorf("lexicon %s: %w", lx.Code, err)
		}
		out[i] = less
	}
	return &Vocabulary{merge(out)}, nil
}

// Set is the lexicons of the vocabulary; of none all.
func (v *Vocabulary) Set() (*Set, error) {
	if v == nil {
		return All()
	}
	return v.lexicons, nil
}

func (w watch) keeps(u Use) bool {
	if w.keep == nil {
		return true
	}
	if strings.HasPrefix(u.List, "fields.") {
		u.Pattern = FieldKey(u.Pattern)
	}
	return w.keep(u)
}

// leave takes the refused alternatives out of a pattern and says whether it still can match.
func (w watch) leave(p *Pattern, code, list string) bool {
	if w.keep == nil {
		return true
	}
	for i := range p.Parts {
		pt := &p.Parts[i]
		var left []Alt
		for _, a := range pt.Alts {
			if w.keeps(pt.use(code, list, p.source, i, a)) {
				left = append(left, a)
			}
		}
		pt.Alts, pt.index = left, indexAlts(left)
		if len(left) == 0 && (!pt.optional || i == 0) {
			return false
		}
	}
	return true
}

// use is the use of an alternative at part n of a pattern: of the word list where it comes from one.
func (pt *Part) use(code, list, source string, n int, a Alt) Use {
	s := a.String()
	if name, ok := pt.lists[s]; ok {
		return Use{Language: code, List: "words." + name, Alternative: s}
	}
	if strings.HasPrefix(list, "words.") {
		source, n = "", 0
	}
	return Use{code, list, source, n, s}
}

// tell gives a matcher what it calls for each use, nil where nobody listens.
func (lx *Lexicon) tell() func(Use) {
	if lx.Watch.Used == nil {
		return nil
	}
	return func(u Use) {
		u.Language = lx.Code
		lx.Watch.Used(u)
	}
}

// tell names the alternatives by which a pattern matches at token i.
func (m *Matcher) tell(p *Pattern, toks []Token, i int) {
	pos := i
	for n := range p.Parts {
		pt := &p.Parts[n]
		for g := 0; g <= pt.gap && pos+g < len(toks); g++ {
			end, at := pt.at(toks, pos+g), pos+g
			if end == 0 {
				continue
			}
			for _, a := range pt.Alts {
				if longestAt([]Alt{a}, toks, at) == end {
					p.used(pt.use("", m.list, p.source, n, a))
					break
				}
			}
			pos = max(pos, end)
			break
		}
	}
}

// String is the phrase as a lexicon has it.
func (a Alt) String() string {
	var b strings.Builder
	for i, w := range a {
		if i > 0 {
			b.WriteByte('_')
		}
		b.WriteString(w.Text)
		if w.stem {
			b.WriteByte('*')
		}
	}
	return b.String()
}
