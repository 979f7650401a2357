package lexicon

import (
	"fmt"
	"maps"
	"slices"
)

// With is the vocabulary with an organisation's own phrases beside those of every language: what tells a kind of event, and
// what heads a section. Phrases are words alone, no patterns; a word can end in * for any ending. They mean the same in a
// document of any language,
// and a denial of either of its languages denies them. Which language a document is in they do not say.
func (v *Vocabulary) With(kinds map[Kind][]string, headings map[string][]string) (*Vocabulary, error) {
	set, err := v.Set()
	if err != nil {
		return nil, err
	}
	var told, heads Matcher
	told.list, heads.list = "house.words", "house.headings"
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		id := slices.Index(KindOrder, k)
		if id < 0 {
			return nil, fmt.Errorf("unknown kind %q", k)
		}
		if err := phrases(&told, kinds[k], id); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(headings)) {
		id := slices.Index(HeadingOrder, name)
		if id < 0 {
			return nil, fmt.Errorf("unknown section %q", name)
		}
		if err := phrases(&heads, headings[name], id); err != nil {
			return nil, err
		}
	}
	out := &Set{All: set.All}
	for _, lx := range set.Read {
		out.Read = append(out.Read, lx.house(&told, &heads))
	}
	return &Vocabulary{out}, nil
}

func phrases(m *Matcher, list []string, id int) error {
	for _, s := range list {
		a := ParseAlt(s)
		if len(a) == 0 {
			return fmt.Errorf("phrase %q has no word in it", s)
		}
		m.Add(Pattern{Parts: []Part{{Alts: []Alt{a}}}, ID: id, source: s})
	}
	return nil
}

// house is the lexicon with phrases of the house beside its own.
func (lx *Lexicon) house(told, heads *Matcher) *Lexicon {
	// The house speaks as a language of its own that knows the denials of all the others. What it says of a state is meant:
	// "all clear" is no description.
	own := *lx
	own.Kinds = Matcher{}
	for i := range told.Patterns {
		p := told.Patterns[i]
		for _, x := range lx.Languages {
			p.denies = p.denies || x.holdsNegation(p)
		}
		own.Kinds.Add(p)
	}
	own.Kinds.list = told.list
	own.Words = maps.Clone(lx.Words)
	delete(own.Words, "again") // a rule of its own, which the languages have said already
	delete(own.Words, "state")
	out := *lx
	out.Headings = *together(heads, &lx.Headings)
	out.Languages = append(slices.Clone(lx.Languages), &own)
	own.Languages = nil
	return &out
}
