package postmortem

import (
	"cmp"
	"maps"
	"slices"
)

// lexiconSet is the lexicons of all languages, each also with English behind it.
type lexiconSet struct {
	all  []*lexicon
	read []*lexicon // what a document in the language of the same index is read with
}

// merge makes of all languages what their documents are read with: status pages and quoted tools speak English everywhere.
func merge(all []*lexicon) *lexiconSet {
	s := &lexiconSet{all: all}
	en := slices.IndexFunc(all, func(lx *lexicon) bool { return lx.Code == "en" })
	for i, lx := range all {
		if en >= 0 && i != en {
			lx = lx.with(all[en])
		}
		s.read = append(s.read, lx)
	}
	return s
}

// of is what a document in a language is read with, nil where the set has not got it.
func (s *lexiconSet) of(code string) *lexicon {
	for i, lx := range s.all {
		if lx.Code == code {
			return s.read[i]
		}
	}
	return nil
}

// with is the lexicon with everything of another behind its own. What it says of the language itself stays.
func (lx *lexicon) with(o *lexicon) *lexicon {
	m := &lexicon{
		Code: lx.Code, Script: lx.Script, HomeZone: lx.HomeZone, MonthDay: lx.MonthDay,
		data: lx.data, watch: lx.watch, languages: []*lexicon{lx, o},
	}
	m.ands, m.numbers = under(lx.ands, o.ands), under(lx.numbers, o.numbers)
	m.months, m.weekdays, m.units = under(lx.months, o.months), under(lx.weekdays, o.weekdays), under(lx.units, o.units)
	m.detect, m.zoneFirst = under(lx.detect, o.detect), under(lx.zoneFirst, o.zoneFirst)
	m.fields = under(lx.fields, o.fields)
	m.before, m.clockAfter, m.approx = longestFirst(lx.before, o.before), longestFirst(lx.clockAfter, o.clockAfter), longestFirst(lx.approx, o.approx)
	m.approxAfter, m.join, m.since = longestFirst(lx.approxAfter, o.approxAfter), longestFirst(lx.join, o.join), longestFirst(lx.since, o.since)
	m.nextDay, m.open = longestFirst(lx.nextDay, o.nextDay), longestFirst(lx.open, o.open)
	m.to, m.and = longestFirst(lx.to, o.to), longestFirst(lx.and, o.and)
	m.dayparts = slices.Concat(lx.dayparts, o.dayparts)
	m.zones = slices.Concat(lx.zones, o.zones)
	slices.SortStableFunc(m.zones, func(a, b zonePhrase) int { return cmp.Compare(len(b.words), len(a.words)) })
	m.words = map[string]*matcher{}
	for _, words := range []map[string]*matcher{lx.words, o.words} {
		for name := range words {
			if m.words[name] == nil {
				m.words[name] = together(lx.words[name], o.words[name])
			}
		}
	}
	for _, x := range []struct{ to, a, b *matcher }{
		{&m.kinds, &lx.kinds, &o.kinds}, {&m.headings, &lx.headings, &o.headings}, {&m.neg, &lx.neg, &o.neg},
		{&m.negAfter, &lx.negAfter, &o.negAfter}, {&m.hedge, &lx.hedge, &o.hedge}, {&m.lead, &lx.lead, &o.lead}, {&m.total, &lx.total, &o.total},
	} {
		*x.to = *together(x.a, x.b)
	}
	return m
}

// under is a map with what another has beside it; of a key that both have the first counts.
func under[V any](a, b map[string]V) map[string]V {
	m := maps.Clone(b)
	if m == nil {
		m = map[string]V{}
	}
	maps.Copy(m, a)
	return m
}

func longestFirst(a, b []alt) []alt {
	as := slices.Concat(a, b)
	slices.SortStableFunc(as, func(a, b alt) int { return cmp.Compare(len(b), len(a)) })
	return as
}

// together is a matcher of the patterns of both; one that is missing has none.
func together(a, b *matcher) *matcher {
	m := &matcher{}
	for _, x := range []*matcher{a, b} {
		if x == nil {
			continue
		}
		m.list = x.list
		for i := range x.patterns {
			m.add(x.patterns[i])
		}
	}
	return m
}
