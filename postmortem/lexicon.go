package postmortem

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

//go:embed lexicon/*.yaml
var lexiconFiles embed.FS

// lexiconData is the form of a file below lexicon/. See lexicon/en.yaml for what each part means.
type lexiconData struct {
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

// lexicon is a language ready for use.
type lexicon struct {
	Code     string // of the language
	Script   string // empty for Latin, kana, han
	HomeZone string
	MonthDay bool // 3/4 is read as March 4 by some of its writers

	data                                                                         lexiconData
	ands                                                                         map[string]bool // words between the parts of a duration
	numbers                                                                      map[string]int
	months                                                                       map[string]int
	weekdays                                                                     map[string]int
	detect                                                                       map[string]bool
	before, clockAfter, approx, approxAfter, join, since, nextDay, open, to, and []alt
	dayparts                                                                     []daypart
	zones                                                                        []zonePhrase
	zoneFirst                                                                    map[string]bool // first words of zones
	units                                                                        map[string]int  // seconds
	kinds                                                                        matcher
	denials                                                                      map[word]bool // the words of denial that stand alone
	headings                                                                     matcher
	fields                                                                       map[string]fieldLabel // by the folded label
	words                                                                        map[string]*matcher
	neg, negAfter, hedge, lead, total                                            matcher
	watch                                                                        watch

	// languages are those it is made of, each by itself: a denial of one says nothing about the words of another.
	languages []*lexicon
}

// fieldLabel is the field that a label names, and the language it does so in.
type fieldLabel struct{ field, language string }

type daypart struct {
	words    []alt
	from, to int
}

type zonePhrase struct {
	words alt
	zone  string
}

// kindOrder lists the kinds of an entry, and with it the ids its patterns carry.
var kindOrder = []Kind{Trigger, ImpactStart, Failing, Symptom, Alert, ReportUser, ReportSupport, Report, Noticed, ThirdParty, Ack, Declared, Finding, Cause,
	Attempt, Partial, Recovered, Resolved, Ended, FixLive, SelfHealed, Relapse, FollowUp, Talk, NotYet, Backlog}

// headingOrder lists the sections a heading can open.
var headingOrder = []string{"timeline", "impact", "summary", "cause", "detection", "resolution", "actions", "chat", "lessons", "template"}

// lexicons holds every language, loaded once. A mistake in a file is a mistake in the program: a test loads them all.
var lexicons = sync.OnceValues(func() (*lexiconSet, error) {
	data, err := lexiconTexts()
	if err != nil {
		return nil, err
	}
	all, err := buildLexicons(data, watch{})
	return merge(all), err
})

// lexiconTexts are the files of all languages, in the order of their codes.
var lexiconTexts = sync.OnceValues(func() ([]lexiconData, error) {
	files, err := lexiconFiles.ReadDir("lexicon")
	if err != nil {
		return nil, err
	}
	var all []lexiconData
	for _, f := range files {
		if f.Name() == "zones.yaml" || f.Name() == "suppliers.yaml" {
			continue
		}
		b, err := lexiconFiles.ReadFile("lexicon/" + f.Name())
		if err != nil {
			return nil, err
		}
		d, err := decodeLexicon(b)
		if err != nil {
			return nil, fmt.Errorf("lexicon %s: %w", f.Name(), err)
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b lexiconData) int { return cmp.Compare(a.Code, b.Code) })
	return all, nil
})

func decodeLexicon(b []byte) (d lexiconData, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	return d, dec.Decode(&d)
}

func buildLexicons(data []lexiconData, w watch) ([]*lexicon, error) {
	var all []*lexicon
	for _, d := range data {
		lx, err := newLexicon(d, w)
		if err != nil {
			return nil, fmt.Errorf("lexicon %s: %w", d.Code, err)
		}
		all = append(all, lx)
	}
	return all, nil
}

func newLexicon(d lexiconData, w watch) (*lexicon, error) {
	lx := &lexicon{Code: d.Code, Script: d.Script, HomeZone: d.HomeZone, MonthDay: d.MonthDay, data: d, watch: w}
	if lx.Code == "" || len(d.Months) != 12 || len(d.Weekdays) != 7 {
		return nil, fmt.Errorf("needs a code, twelve months and seven weekdays")
	}
	numbered := func(names []string) map[string]int {
		m := map[string]int{}
		for i, n := range names {
			for _, a := range strings.Split(n, "|") {
				m[foldWord(a)] = i + 1
			}
		}
		return m
	}
	lx.months, lx.weekdays = numbered(d.Months), numbered(d.Weekdays)
	lx.detect = map[string]bool{}
	for _, w := range d.Detect {
		lx.detect[foldWord(w)] = true
	}
	lx.before, lx.clockAfter, lx.approx, lx.approxAfter = alts(d.Clock.Before), alts(d.Clock.After), alts(d.Clock.Approx), alts(d.Clock.ApproxAfter)
	lx.join, lx.since, lx.nextDay = alts(d.Clock.Join), alts(d.Clock.Since), alts(d.Clock.NextDay)
	lx.open, lx.to, lx.and = alts(d.Range.Open), alts(d.Range.To), alts(d.Range.And)
	for _, p := range d.Dayparts {
		lx.dayparts = append(lx.dayparts, daypart{alts(p.Words), p.From, p.To})
	}
	lx.zoneFirst = map[string]bool{}
	for phrase, z := range d.Zones {
		words := parseAlt(phrase)
		lx.zones = append(lx.zones, zonePhrase{words, z})
		lx.zoneFirst[words[0].text] = true
	}
	slices.SortFunc(lx.zones, func(a, b zonePhrase) int {
		return cmp.Or(len(b.words)-len(a.words), strings.Compare(fmt.Sprint(a.words), fmt.Sprint(b.words)))
	})
	lx.units = map[string]int{}
	for n, l := range map[int][]string{1: d.Duration.Second, 60: d.Duration.Minute, 3600: d.Duration.Hour, 86400: d.Duration.Day} {
		for _, w := range l {
			lx.units[foldWord(w)] = n
		}
	}
	lx.ands, lx.numbers = map[string]bool{}, d.Duration.Number
	for _, a := range d.Duration.And {
		lx.ands[foldWord(a)] = true
	}
	lx.denials = map[word]bool{}
	for _, n := range append(slices.Clone(d.Negation), d.After...) {
		if a := parseAlt(n); len(a) == 1 {
			lx.denials[a[0]] = true
		}
	}
	// In the order of the names, so that the same text is read the same every time.
	for _, name := range slices.Sorted(maps.Keys(d.Kinds)) {
		list := d.Kinds[name]
		id := slices.Index(kindOrder, Kind(name))
		if id < 0 {
			return nil, fmt.Errorf("unknown kind %q", name)
		}
		if err := lx.into(&lx.kinds, "kinds."+name, list, id); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Headings)) {
		list := d.Headings[name]
		id := slices.Index(headingOrder, name)
		if id < 0 {
			return nil, fmt.Errorf("unknown section %q", name)
		}
		if err := lx.into(&lx.headings, "headings."+name, list, id); err != nil {
			return nil, err
		}
	}
	lx.fields = map[string]fieldLabel{}
	for name, list := range d.Fields {
		if !slices.Contains(fieldNames, name) {
			return nil, fmt.Errorf("unknown field %q", name)
		}
		for _, l := range list {
			if old := lx.fields[fieldKey(l)].field; old != "" && old != name {
				return nil, fmt.Errorf("label %q is of two fields, %s and %s", l, min(old, name), max(old, name))
			}
			if w.keeps(Use{lx.Code, "fields." + name, l, 0, ""}) {
				lx.fields[fieldKey(l)] = fieldLabel{name, lx.Code}
			}
		}
	}
	lx.words = map[string]*matcher{}
	for name, list := range d.Words {
		m := &matcher{}
		if err := lx.into(m, "words."+name, list, 0); err != nil {
			return nil, err
		}
		lx.words[name] = m
	}
	for _, x := range []struct {
		m    *matcher
		name string
		list []string
	}{
		{&lx.neg, "negation", d.Negation}, {&lx.negAfter, "negation_after", d.After}, {&lx.hedge, "hedge", d.Hedge},
		{&lx.lead, "background", d.Lead},
		{&lx.total, "duration.total", d.Duration.Total},
	} {
		if err := lx.into(x.m, x.name, x.list, 0); err != nil {
			return nil, err
		}
	}
	lx.languages = []*lexicon{lx}
	return lx, nil
}

// spansOf lists where the word list name occurs in toks.
func (lx *lexicon) spansOf(name string, toks []token) [][2]int {
	if m := lx.words[name]; m != nil {
		return spans(m, toks)
	}
	return nil
}

func (lx *lexicon) into(m *matcher, name string, list []string, id int) error {
	m.list = name
	used := lx.tell()
	for _, s := range list {
		p, err := parsePattern(s, lx.data.Words)
		if err != nil {
			return err
		}
		if !lx.watch.leave(&p, lx.Code, name) {
			continue
		}
		if lx.Script != "" {
			for i := range p.parts {
				p.parts[i].gap *= 3
			}
		}
		p.id, p.denies, p.used = id, lx.holdsNegation(p), used
		m.add(p)
	}
	return nil
}

// holdsNegation says whether a part of a pattern is a word of denial.
func (lx *lexicon) holdsNegation(p pattern) bool {
	for _, pt := range p.parts {
		for _, a := range pt.alts {
			if len(a) > 0 && lx.denials[a[0]] {
				return true
			}
		}
	}
	return false
}

func alts(list []string) []alt {
	var as []alt
	for _, s := range list {
		if a := parseAlt(s); len(a) > 0 {
			as = append(as, a)
		}
	}
	// The longest first, so that "a las" is taken before "a".
	slices.SortStableFunc(as, func(a, b alt) int { return len(b) - len(a) })
	return as
}

// anyMonth says whether a folded word names a month in any language.
func anyMonth(w string) bool {
	all, err := lexicons()
	if err != nil || len(w) < 3 {
		return false
	}
	for _, lx := range all.all {
		if lx.months[w] > 0 {
			return true
		}
	}
	return false
}

// matchAt gives the end of the longest of the phrases that begins at token i, or 0.
func matchAt(as []alt, toks []token, i int) int {
	pt := part{alts: as}
	if i < 0 || i >= len(toks) {
		return 0
	}
	return pt.at(toks, i)
}

// has says whether any of the lexicon's word list name occurs in toks.
func (lx *lexicon) has(name string, toks []token) bool {
	m := lx.words[name]
	if m == nil {
		return false
	}
	found := false
	m.find(toks, func(match) { found = true })
	return found
}

// hasAround says whether one of the list's phrases stands within the four tokens before i.
func (lx *lexicon) hasAround(list string, toks []token, i int) bool {
	for b := max(0, i-4); b < i; b++ {
		if e := lx.endAt(list, toks, b); e > 0 && e <= i {
			return true
		}
	}
	return false
}

// hasAt says whether one of the list's phrases is exactly at token i.
func (lx *lexicon) hasAt(list string, toks []token, i int) bool { return lx.endAt(list, toks, i) > 0 }

func (lx *lexicon) endAt(list string, toks []token, i int) int {
	m := lx.words[list]
	if m == nil || i >= len(toks) {
		return 0
	}
	best := 0
	for n := range m.patterns {
		end := m.patterns[n].at(toks, i)
		if end > 0 && m.patterns[n].used != nil {
			m.tell(&m.patterns[n], toks, i)
		}
		best = max(best, end)
	}
	return best
}
