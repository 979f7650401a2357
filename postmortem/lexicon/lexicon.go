// Package lexicon holds what a language calls things, as data: its words for an alert, a recovery, a month, a field's label, and
// how they are found in a text taken apart into folded tokens. A document is read with one lexicon: that of its language with
// English behind it. A language is a file beside this one; adding one touches no code.
package lexicon

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed *.yaml
var Files embed.FS

// data is the form of a file below lexicon/. See lexicon/en.yaml for what each part means.
type data struct {
	Code     string              `yaml:"code"`
	Name     string              `yaml:"name"`
	Script   string              `yaml:"script"` // empty for Latin, kana, han
	HomeZone string              `yaml:"home_zone"`
	MonthDay bool                `yaml:"month_first"` // 3/4 is read as March 4 by some of its writers
	Detect   []string            `yaml:"detect"`
	Months   []string            `yaml:"months"`   // twelve, alternatives separated by |
	Weekdays []string            `yaml:"weekdays"` // seven, from Monday
	Clock    clockData           `yaml:"clock"`
	Dayparts []daypartData       `yaml:"dayparts"`
	Zones    map[string]string   `yaml:"zones"` // phrase -> IANA name or offset
	Range    rangeData           `yaml:"range"`
	Duration durationData        `yaml:"duration"`
	Words    map[string][]string `yaml:"words"`
	Headings map[string][]string `yaml:"headings"`
	Fields   map[string][]string `yaml:"fields"`
	Negation []string            `yaml:"negation"`       // before what they deny
	After    []string            `yaml:"negation_after"` // after what they deny
	Hedge    []string            `yaml:"hedge"`          // before, or near, what they make uncertain
	Lead     []string            `yaml:"background"`     // directly before a clause that tells what came earlier
	Kinds    map[string][]string `yaml:"kinds"`
}

type clockData struct {
	Before      []string `yaml:"before"` // words before a clock time: "at", "pukul"
	After       []string `yaml:"after"`  // words after it: "Uhr", "hrs"
	Approx      []string `yaml:"approx"`
	ApproxAfter []string `yaml:"approx_after"`
	Join        []string `yaml:"join"`  // between a date and its time, either way round
	Since       []string `yaml:"since"` // after a time: "from then on"
	NextDay     []string `yaml:"next_day"`
}

type daypartData struct {
	Words []string `yaml:"words"`
	From  int      `yaml:"from"`
	To    int      `yaml:"to"`
}

type rangeData struct {
	Open []string `yaml:"open"` // "between", "from"
	To   []string `yaml:"to"`   // "to", "until"
	And  []string `yaml:"and"`  // "and": makes a range only after an opening word
}

type durationData struct {
	Second []string       `yaml:"second"`
	Minute []string       `yaml:"minute"`
	Hour   []string       `yaml:"hour"`
	Day    []string       `yaml:"day"`
	And    []string       `yaml:"and"`
	Number map[string]int `yaml:"number"`
	Half   []string       `yaml:"half"`
	Total  []string       `yaml:"total"` // patterns that announce how long the whole incident took
}

// Lexicon is a language ready for use.
type Lexicon struct {
	Code     string // of the language
	Script   string // empty for Latin, kana, han
	HomeZone string
	MonthDay bool // 3/4 is read as March 4 by some of its writers

	data                                                                         data
	Ands                                                                         map[string]bool // words between the parts of a duration
	Numbers                                                                      map[string]int
	Months                                                                       map[string]int
	Weekdays                                                                     map[string]int
	Detect                                                                       map[string]bool
	Before, ClockAfter, Approx, ApproxAfter, Join, Since, NextDay, Open, To, And []Alt
	Dayparts                                                                     []daypart
	Zones                                                                        []ZonePhrase
	ZoneFirst                                                                    map[string]bool // first words of zones
	Units                                                                        map[string]int  // seconds
	Kinds                                                                        Matcher
	denials                                                                      map[word]bool // the words of denial that stand alone
	Headings                                                                     Matcher
	Fields                                                                       map[string]fieldLabel // by the folded label
	Words                                                                        map[string]*Matcher
	Neg, NegAfter, Hedge, Lead, Total                                            Matcher
	Watch                                                                        watch

	// languages are those it is made of, each by itself: a denial of one says nothing about the words of another.
	Languages []*Lexicon
}

// fieldLabel is the field that a label names, and the language it does so in.
type fieldLabel struct{ Field, Language string }

type daypart struct {
	Words    []Alt
	From, To int
}

type ZonePhrase struct {
	Words Alt
	Zone  string
}

// KindOrder lists the kinds of an entry, and with it the ids its patterns carry.
var KindOrder = []Kind{Trigger, ImpactStart, Failing, Symptom, Alert, ReportUser, ReportSupport, Report, Noticed, ThirdParty, Ack,
	Declared, Finding, Cause,
	Attempt, Partial, Recovered, Resolved, Ended, FixLive, SelfHealed, Relapse, FollowUp, Talk, NotYet, Backlog}

// HeadingOrder lists the sections a heading can open.
var HeadingOrder = []string{"timeline", "impact", "summary", "cause", "detection", "resolution", "actions", "chat", "lessons", "template"}

// All holds every language, loaded once. A mistake in a file is a mistake in the program: a test loads them all.
var All = sync.OnceValues(func() (*Set, error) {
	data, err := lexiconTexts()
	if err != nil {
		return nil, err
	}
	all, err := buildLexicons(data, watch{})
	return merge(all), err
})

// lexiconTexts are the files of all languages, in the order of their codes.
var lexiconTexts = sync.OnceValues(func() ([]data, error) {
	files, err := Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var all []data
	for _, f := range files {
		if f.Name() == "zones.yaml" || f.Name() == "suppliers.yaml" {
			continue
		}
		b, err := Files.ReadFile(f.Name())
		if err != nil {
			return nil, err
		}
		d, err := decodeLexicon(b)
		if err != nil {
			return nil, fmt.Errorf("lexicon %s: %w", f.Name(), err)
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b data) int { return cmp.Compare(a.Code, b.Code) })
	return all, nil
})

func decodeLexicon(b []byte) (d data, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	return d, dec.Decode(&d)
}

func buildLexicons(data []data, w watch) ([]*Lexicon, error) {
	var all []*Lexicon
	for _, d := range data {
		lx, err := newLexicon(d, w)
		if err != nil {
			return nil, fmt.Errorf("lexicon %s: %w", d.Code, err)
		}
		all = append(all, lx)
	}
	return all, nil
}

func newLexicon(d data, w watch) (*Lexicon, error) {
	lx := &Lexicon{Code: d.Code, Script: d.Script, HomeZone: d.HomeZone, MonthDay: d.MonthDay, data: d, Watch: w}
	if lx.Code == "" || len(d.Months) != 12 || len(d.Weekdays) != 7 {
		return nil, fmt.Errorf("needs a code, twelve months and seven weekdays")
	}
	numbered := func(names []string) map[string]int {
		m := map[string]int{}
		for i, n := range names {
			for _, a := range strings.Split(n, "|") {
				m[FoldWord(a)] = i + 1
			}
		}
		return m
	}
	lx.Months, lx.Weekdays = numbered(d.Months), numbered(d.Weekdays)
	lx.Detect = map[string]bool{}
	for _, w := range d.Detect {
		lx.Detect[FoldWord(w)] = true
	}
	lx.Before, lx.ClockAfter, lx.Approx, lx.ApproxAfter = alts(d.Clock.Before), alts(d.Clock.After), alts(d.Clock.Approx),
		alts(d.Clock.ApproxAfter)
	lx.Join, lx.Since, lx.NextDay = alts(d.Clock.Join), alts(d.Clock.Since), alts(d.Clock.NextDay)
	lx.Open, lx.To, lx.And = alts(d.Range.Open), alts(d.Range.To), alts(d.Range.And)
	for _, p := range d.Dayparts {
		lx.Dayparts = append(lx.Dayparts, daypart{alts(p.Words), p.From, p.To})
	}
	lx.ZoneFirst = map[string]bool{}
	for phrase, z := range d.Zones {
		words := ParseAlt(phrase)
		lx.Zones = append(lx.Zones, ZonePhrase{words, z})
		lx.ZoneFirst[words[0].Text] = true
	}
	slices.SortFunc(lx.Zones, func(a, b ZonePhrase) int {
		return cmp.Or(len(b.Words)-len(a.Words), strings.Compare(fmt.Sprint(a.Words), fmt.Sprint(b.Words)))
	})
	lx.Units = map[string]int{}
	for n, l := range map[int][]string{1: d.Duration.Second, 60: d.Duration.Minute, 3600: d.Duration.Hour, 86400: d.Duration.Day} {
		for _, w := range l {
			lx.Units[FoldWord(w)] = n
		}
	}
	lx.Ands, lx.Numbers = map[string]bool{}, d.Duration.Number
	for _, a := range d.Duration.And {
		lx.Ands[FoldWord(a)] = true
	}
	lx.denials = map[word]bool{}
	for _, n := range append(slices.Clone(d.Negation), d.After...) {
		if a := ParseAlt(n); len(a) == 1 {
			lx.denials[a[0]] = true
		}
	}
	// In the order of the names, so that the same text is read the same every time.
	for _, name := range slices.Sorted(maps.Keys(d.Kinds)) {
		list := d.Kinds[name]
		id := slices.Index(KindOrder, Kind(name))
		if id < 0 {
			return nil, fmt.Errorf("unknown kind %q", name)
		}
		if err := lx.into(&lx.Kinds, "kinds."+name, list, id); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Headings)) {
		list := d.Headings[name]
		id := slices.Index(HeadingOrder, name)
		if id < 0 {
			return nil, fmt.Errorf("unknown section %q", name)
		}
		if err := lx.into(&lx.Headings, "headings."+name, list, id); err != nil {
			return nil, err
		}
	}
	lx.Fields = map[string]fieldLabel{}
	for name, list := range d.Fields {
		if !slices.Contains(fieldNames, name) {
			return nil, fmt.Errorf("unknown field %q", name)
		}
		for _, l := range list {
			if old := lx.Fields[FieldKey(l)].Field; old != "" && old != name {
				return nil, fmt.Errorf("label %q is of two fields, %s and %s", l, min(old, name), max(old, name))
			}
			if w.keeps(Use{lx.Code, "fields." + name, l, 0, ""}) {
				lx.Fields[FieldKey(l)] = fieldLabel{name, lx.Code}
			}
		}
	}
	lx.Words = map[string]*Matcher{}
	for name, list := range d.Words {
		m := &Matcher{}
		if err := lx.into(m, "words."+name, list, 0); err != nil {
			return nil, err
		}
		lx.Words[name] = m
	}
	for _, x := range []struct {
		m    *Matcher
		name string
		list []string
	}{
		{&lx.Neg, "negation", d.Negation}, {&lx.NegAfter, "negation_after", d.After}, {&lx.Hedge, "hedge", d.Hedge},
		{&lx.Lead, "background", d.Lead},
		{&lx.Total, "duration.total", d.Duration.Total},
	} {
		if err := lx.into(x.m, x.name, x.list, 0); err != nil {
			return nil, err
		}
	}
	lx.Languages = []*Lexicon{lx}
	return lx, nil
}

// SpansOf lists where the word list name occurs in toks.
func (lx *Lexicon) SpansOf(name string, toks []Token) [][2]int {
	if m := lx.Words[name]; m != nil {
		return Spans(m, toks)
	}
	return nil
}

func (lx *Lexicon) into(m *Matcher, name string, list []string, id int) error {
	m.list = name
	used := lx.tell()
	for _, s := range list {
		p, err := parsePattern(s, lx.data.Words)
		if err != nil {
			return err
		}
		if !lx.Watch.leave(&p, lx.Code, name) {
			continue
		}
		if lx.Script != "" {
			for i := range p.Parts {
				p.Parts[i].gap *= 3
			}
		}
		p.ID, p.denies, p.used = id, lx.holdsNegation(p), used
		m.Add(p)
	}
	return nil
}

// holdsNegation says whether a part of a pattern is a word of denial.
func (lx *Lexicon) holdsNegation(p Pattern) bool {
	for _, pt := range p.Parts {
		for _, a := range pt.Alts {
			if len(a) > 0 && lx.denials[a[0]] {
				return true
			}
		}
	}
	return false
}

func alts(list []string) []Alt {
	var as []Alt
	for _, s := range list {
		if a := ParseAlt(s); len(a) > 0 {
			as = append(as, a)
		}
	}
	// The longest first, so that "a las" is taken before "a".
	slices.SortStableFunc(as, func(a, b Alt) int { return len(b) - len(a) })
	return as
}

// AnyMonth says whether a folded word names a month in any language.
func AnyMonth(w string) bool {
	all, err := All()
	if err != nil || len(w) < 3 {
		return false
	}
	for _, lx := range all.All {
		if lx.Months[w] > 0 {
			return true
		}
	}
	return false
}

// MatchAt gives the end of the longest of the phrases that begins at token i, or 0.
func MatchAt(as []Alt, toks []Token, i int) int {
	pt := Part{Alts: as}
	if i < 0 || i >= len(toks) {
		return 0
	}
	return pt.at(toks, i)
}

// Has says whether any of the lexicon's word list name occurs in toks.
func (lx *Lexicon) Has(name string, toks []Token) bool {
	m := lx.Words[name]
	if m == nil {
		return false
	}
	found := false
	m.Find(toks, func(Match) { found = true })
	return found
}

// HasAround says whether one of the list's phrases stands within the four tokens before i.
func (lx *Lexicon) HasAround(list string, toks []Token, i int) bool {
	for b := max(0, i-4); b < i; b++ {
		if e := lx.EndAt(list, toks, b); e > 0 && e <= i {
			return true
		}
	}
	return false
}

// HasAt says whether one of the list's phrases is exactly at token i.
func (lx *Lexicon) HasAt(list string, toks []Token, i int) bool { return lx.EndAt(list, toks, i) > 0 }

func (lx *Lexicon) EndAt(list string, toks []Token, i int) int {
	m := lx.Words[list]
	if m == nil || i >= len(toks) {
		return 0
	}
	best := 0
	for n := range m.Patterns {
		end := m.Patterns[n].at(toks, i)
		if end > 0 && m.Patterns[n].used != nil {
			m.tell(&m.Patterns[n], toks, i)
		}
		best = max(best, end)
	}
	return best
}
