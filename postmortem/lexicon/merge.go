package lexicon

import (
	"cmp"
	"maps"
	"slices"
)

// Set is the lexicons of all languages, each also with English behind it.
type Set struct {
	All  []*Lexicon
	Read []*Lexicon // what a document in the language of the same index is read with
}

// merge makes of all languages what their documents are read with: status pages and quoted tools speak English everywhere.
func merge(all []*Lexicon) *Set {
	s := &Set{All: all}
	en := slices.IndexFunc(all, func(lx *Lexicon) bool { return lx.Code == "en" })
	for i, lx := range all {
		if en >= 0 && i != en {
			lx = lx.with(all[en])
		}
		s.Read = append(s.Read, lx)
	}
	return s
}

// Of is what a document in a language is read with, nil where the set has not got it.
func (s *Set) Of(code string) *Lexicon {
	for i, lx := range s.All {
		if lx.Code == code {
			return s.Read[i]
		}
	}
	return nil
}

// with is the lexicon with everything of another behind its own. What it says of the language itself stays.
func (lx *Lexicon) with(o *Lexicon) *Lexicon {
	m := &Lexicon{
		Code: lx.Code, Script: lx.Script, HomeZone: lx.HomeZone, MonthDay: lx.MonthDay,
		data: lx.data, Watch: lx.Watch, Languages: []*Lexicon{lx, o},
	}
	m.Ands, m.Numbers = under(lx.Ands, o.Ands), under(lx.Numbers, o.Numbers)
	m.Months, m.Weekdays, m.Units = under(lx.Months, o.Months), under(lx.Weekdays, o.Weekdays), under(lx.Units, o.Units)
	m.Detect, m.ZoneFirst = under(lx.Detect, o.Detect), under(lx.ZoneFirst, o.ZoneFirst)
	m.Fields = under(lx.Fields, o.Fields)
	m.Before, m.ClockAfter, m.Approx = longestFirst(lx.Before, o.Before), longestFirst(lx.ClockAfter, o.ClockAfter),
		longestFirst(lx.Approx, o.Approx)
	m.ApproxAfter, m.Join, m.Since = longestFirst(lx.ApproxAfter, o.ApproxAfter), longestFirst(lx.Join, o.Join),
		longestFirst(lx.Since, o.Since)
	m.NextDay, m.Open = longestFirst(lx.NextDay, o.NextDay), longestFirst(lx.Open, o.Open)
	m.To, m.And = longestFirst(lx.To, o.To), longestFirst(lx.And, o.And)
	m.Dayparts = slices.Concat(lx.Dayparts, o.Dayparts)
	m.Zones = slices.Concat(lx.Zones, o.Zones)
	slices.SortStableFunc(m.Zones, func(a, b ZonePhrase) int { return cmp.Compare(len(b.Words), len(a.Words)) })
	m.Words = map[string]*Matcher{}
	for _, words := range []map[string]*Matcher{lx.Words, o.Words} {
		for name := range words {
			if m.Words[name] == nil {
				m.Words[name] = together(lx.Words[name], o.Words[name])
			}
		}
	}
	for _, x := range []struct{ to, a, b *Matcher }{
		{&m.Kinds, &lx.Kinds, &o.Kinds}, {&m.Headings, &lx.Headings, &o.Headings}, {&m.Neg, &lx.Neg, &o.Neg},
		{&m.NegAfter, &lx.NegAfter, &o.NegAfter}, {&m.Hedge, &lx.Hedge, &o.Hedge}, {&m.Lead, &lx.Lead, &o.Lead}, {&m.Total, &lx.Total, &o.Total},
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

func longestFirst(a, b []Alt) []Alt {
	as := slices.Concat(a, b)
	slices.SortStableFunc(as, func(a, b Alt) int { return cmp.Compare(len(b), len(a)) })
	return as
}

// together is a matcher of the patterns of both; one that is missing has none.
func together(a, b *Matcher) *Matcher {
	m := &Matcher{}
	for _, x := range []*Matcher{a, b} {
		if x == nil {
			continue
		}
		m.list = x.list
		for i := range x.Patterns {
			m.Add(x.Patterns[i])
		}
	}
	return m
}
