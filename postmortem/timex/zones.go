package timex

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"meantime/postmortem/lexicon"
)

// Zone is a time zone as a text names it: by an offset, which is certain, or by a name, which stands for a place's clock
// and so follows the season.
type Zone struct {
	Label   string // as shown to people
	Set     bool
	Fixed   bool // an offset was written
	Offset  int  // seconds east of UTC, of an offset or of what the label says by itself
	nominal bool // offset holds what the label says
	Place   string
	Also    []string
}

func (z Zone) OK() bool { return z.Set }

// isOffsetOnly says whether it was written as a bare offset such as +02:00.
func (z Zone) isOffsetOnly() bool {
	return z.Fixed && (strings.HasPrefix(z.Label, "+") || strings.HasPrefix(z.Label, "-"))
}

func FixedZone(label string, offset int) Zone {
	return Zone{Label: label, Set: true, Fixed: true, Offset: offset}
}

func PlaceZone(label, place string) Zone { return Zone{Label: label, Set: true, Place: place} }

// OffsetAt is the zone's offset for a wall clock time. contradicts is true where the label says another offset than its
// place has on that day, as "CST" does in August.
func (z Zone) OffsetAt(y, mo, d, h, mi int) (offset int, contradicts bool) {
	if z.Fixed || z.Place == "" {
		return z.Offset, false
	}
	loc := location(z.Place)
	_, offset = time.Date(y, time.Month(mo), d, h, mi, 0, 0, loc).Zone()
	return offset, z.nominal && offset != z.Offset
}

// FormatOffset writes seconds east of UTC as +02:00.
func FormatOffset(sec int) string {
	sign := '+'
	if sec < 0 {
		sign, sec = '-', -sec
	}
	return fmt.Sprintf("%c%02d:%02d", sign, sec/3600, sec/60%60)
}

// zoneNames is the data of lexicon/zones.yaml, loaded once.
type zoneNames struct {
	Names  map[string]Zone
	Cities []lexicon.ZonePhrase
	first  map[string]bool // first words of cities
}

var ZoneTable = sync.OnceValues(func() (*zoneNames, error) {
	b, err := lexicon.Files.ReadFile("zones.yaml")
	if err != nil {
		return nil, err
	}
	var data struct {
		Names map[string]struct {
			At     string   `yaml:"at"`
			Offset string   `yaml:"offset"`
			Also   []string `yaml:"also"`
		} `yaml:"names"`
		Cities map[string]string `yaml:"cities"`
	}
	if err := yaml.Unmarshal(b, &data); err != nil {
		return nil, fmt.Errorf("zones.yaml: %w", err)
	}
	t := &zoneNames{Names: map[string]Zone{}, first: map[string]bool{}}
	for name, d := range data.Names {
		z := Zone{Label: name, Set: true, Place: d.At, Also: d.Also, Fixed: d.At == ""}
		if d.Offset != "" {
			off, n := OffsetIn(d.Offset, 0)
			if n == 0 {
				return nil, fmt.Errorf("zones.yaml: %s: not an offset: %q", name, d.Offset)
			}
			z.Offset, z.nominal = off, true
		}
		for _, p := range append(slices.Clone(d.Also), d.At) {
			if p != "" {
				if _, err := time.LoadLocation(p); err != nil {
					return nil, fmt.Errorf("zones.yaml: %s: %w", name, err)
				}
			}
		}
		t.Names[name] = z
	}
	for city, place := range data.Cities {
		if _, err := time.LoadLocation(place); err != nil {
			return nil, fmt.Errorf("zones.yaml: %s: %w", city, err)
		}
		t.Cities = append(t.Cities, lexicon.ZonePhrase{Words: lexicon.ParseAlt(city), Zone: place})
		t.first[t.Cities[len(t.Cities)-1].Words[0].Text] = true
	}
	slices.SortFunc(t.Cities, func(a, b lexicon.ZonePhrase) int { return strings.Compare(fmt.Sprint(a.Words), fmt.Sprint(b.Words)) })
	return t, nil
})

var locations sync.Map // place -> *time.Location

// location is a place's clock; UTC for a name that does not exist, which a test over the data rules out.
func location(place string) *time.Location {
	if l, ok := locations.Load(place); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(place)
	if err != nil {
		l = time.UTC
	}
	locations.Store(place, l)
	return l
}

// OffsetIn reads +2, +02, +0200, +02:00 or the same with a minus at i, and gives its length.
func OffsetIn(s string, i int) (sec, n int) {
	if i >= len(s) {
		return 0, 0
	}
	sign, j := 1, i+1
	switch {
	case s[i] == '+':
	case s[i] == '-':
		sign = -1
	case strings.HasPrefix(s[i:], "−"):
		sign, j = -1, i+len("−")
	default:
		return 0, 0
	}
	v, d := lexicon.Digits(s, j)
	j += d
	h, m := v, 0
	switch d {
	case 1, 2:
		if j < len(s) && s[j] == ':' && lexicon.DigitAt(s, j+1) {
			mm, md := lexicon.Digits(s, j+1)
			if md != 2 {
				return 0, 0
			}
			m = mm
			j += 3
		}
	case 4:
		h, m = v/100, v%100
	default:
		return 0, 0
	}
	if h > 14 || m > 59 || j < len(s) && (lexicon.IsLetter(s[j]) || s[j] == '%') {
		return 0, 0
	}
	return sign * (h*3600 + m*60), j - i
}

// zoneAt reads a zone at byte i, behind blanks and brackets: UTC, GMT-03:00, (GMT+3), +02:00, CEST, Europe/Paris, a
// lexicon's phrase, or a city with a word for time. end is 0 where none stands there.
func zoneAt(s string, i int, t lexicon.Tongue, afterClock bool) (z Zone, end int) {
	j := lexicon.SkipSpaces(s, i)
	open := byte(0)
	if j < len(s) && (s[j] == '(' || s[j] == '[') {
		open = s[j]
		j = lexicon.SkipSpaces(s, j+1)
	}
	z, end = zoneName(s, j, t, afterClock && j == i, open != 0)
	if end == 0 {
		return Zone{}, 0
	}
	if open != 0 {
		k := lexicon.SkipSpaces(s, end)
		if k < len(s) && (s[k] == '/' || s[k] == ',') { // "(UTC / GMT)"
			if c := strings.IndexByte(s[k:min(len(s), k+24)], ')'); c > 0 {
				k += c
			}
		}
		if k >= len(s) || s[k] != ')' && s[k] != ']' {
			if !afterClock {
				return z, end
			}
			return Zone{}, 0
		}
		end = k + 1
	}
	return z, end
}

func zoneName(s string, j int, t lexicon.Tongue, glued, bracket bool) (Zone, int) {
	if j >= len(s) {
		return Zone{}, 0
	}
	table, err := ZoneTable()
	if err != nil {
		return Zone{}, 0
	}
	if s[j] == '+' || s[j] == '-' {
		off, n := OffsetIn(s, j)
		// A bare offset is written glued to the time, or with all its digits: "15:50:41 +0200", but not "10:00 - 11:00".
		if n >= 5 || n == 3 && glued && s[j] == '+' {
			return FixedZone(FormatOffset(off), off), j + n
		}
		return Zone{}, 0
	}
	e := j
	for e < len(s) && lexicon.IsLetter(s[e]) {
		e++
	}
	w := s[j:e]
	if w == "Z" || w == "z" {
		if glued {
			return table.Names["UTC"], e
		}
		return Zone{}, 0
	}
	if u := strings.ToUpper(w); (u == "UTC" || u == "GMT") && !(e < len(s) && (lexicon.IsDigit(s[e]) || s[e] == '_')) {
		k := e
		if k < len(s) && s[k] == ' ' && k+1 < len(s) && (s[k+1] == '+' || s[k+1] == '-') && lexicon.DigitAt(s, k+2) {
			k++
		}
		if off, n := OffsetIn(s, k); n > 0 && (k == e || n >= 2) {
			// "10:00 UTC - 11:00" is a range, not an offset; "UTC -3" is one.
			if !(k > e && n <= 3 && k+n < len(s) && s[k+n] == ':') {
				return FixedZone("UTC"+FormatOffset(off), off), k + n
			}
		}
		return table.Names[u], e
	}
	if z, ok := table.Names[w]; ok && len(w) >= 2 && !(e < len(s) &&
		(lexicon.IsDigit(s[e]) || s[e] == '_' || s[e] == '-' && e+1 < len(s) && lexicon.IsLetter(s[e+1]))) {
		// "PDT (UTC-7)": an explicit offset beats a name.
		if k := lexicon.SkipSpaces(s, e); k < len(s) && s[k] == '(' {
			if o, oe := zoneName(s, k+1, t, false, true); oe > 0 && o.Fixed && oe < len(s) && s[oe] == ')' && strings.HasPrefix(o.Label, "UTC") {
				o.Label = z.Label
				return o, oe + 1
			}
		}
		if k := e; strings.HasPrefix(s[k:], "+") { // "CET+1" is no zone anybody agrees on
			return Zone{}, 0
		}
		return z, e
	}
	if e < len(s) && s[e] == '/' && len(w) > 2 && w[0] >= 'A' && w[0] <= 'Z' { // Europe/Paris
		k := e + 1
		for k < len(s) && (lexicon.IsLetter(s[k]) || s[k] == '_' || s[k] == '/') {
			k++
		}
		name := s[j:k]
		if strings.Count(name, "/") <= 2 && len(name) < 40 {
			if _, err := time.LoadLocation(name); err == nil {
				return PlaceZone(name, name), k
			}
		}
	}
	// Phrases: the longest first. Only a short stretch is taken apart, and only where its first word can begin one.
	if !beginsZone(t, s[j:], w, table) {
		return Zone{}, 0
	}
	stretch := s[j:lexicon.CutAt(s, j+60)]
	toks := lexicon.Tokenize(stretch)
	if len(toks) == 0 || toks[0].Start > 0 {
		return Zone{}, 0
	}
	for _, p := range t.Zones {
		if n := lexicon.MatchAt([]lexicon.Alt{p.Words}, toks, 0); n > 0 {
			return phraseZone(stretch[:toks[n-1].End], p.Zone), j + toks[n-1].End
		}
	}
	for _, c := range table.Cities {
		if n := lexicon.MatchAt([]lexicon.Alt{c.Words}, toks, 0); n > 0 && stretch[0] >= 'A' {
			if t.HasAt("time_of", toks, n) {
				return PlaceZone(stretch[:toks[n].End], c.Zone), j + toks[n].End
			}
			if bracket && toks[n-1].End < len(stretch) && stretch[toks[n-1].End] == ')' {
				return PlaceZone(stretch[:toks[n-1].End], c.Zone), j + toks[n-1].End
			}
		}
		// "hora de Madrid"
		if n := t.EndAt("time_of", toks, 0); n > 0 {
			if e := lexicon.MatchAt([]lexicon.Alt{c.Words}, toks, n); e > 0 {
				return PlaceZone(stretch[:toks[e-1].End], c.Zone), j + toks[e-1].End
			}
		}
	}
	return Zone{}, 0
}

// beginsZone says whether a zone's phrase can begin with the word w, or with the first character of s where w is empty.
func beginsZone(t lexicon.Tongue, s, w string, table *zoneNames) bool {
	for i := len(w); i < len(s) && i < 40; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) || lexicon.IsCJK(r) {
			if i == 0 {
				w = s[:n]
			}
			break
		}
		i += n
		w = s[:i]
	}
	w = lexicon.FoldWord(w)
	if table.first[w] {
		return true
	}
	return t.ZoneFirst[w] || t.Words["time_of"] != nil && len(t.Words["time_of"].First[w]) > 0
}

func phraseZone(label, zoneText string) Zone {
	if off, n := OffsetIn(zoneText, 0); n > 0 {
		return FixedZone(label, off)
	}
	return PlaceZone(label, zoneText)
}

// zoneBefore reads a zone phrase that ends directly before token k, as in 日本時間15時42分. It gives the byte where it
// begins, -1 where there is none.
func zoneBefore(toks []lexicon.Token, k int, t lexicon.Tongue) (Zone, int) {
	if t.Script == "" {
		return Zone{}, -1
	}
	for _, p := range t.Zones {
		b := k - len(p.Words)
		if b >= 0 && lexicon.MatchAt([]lexicon.Alt{p.Words}, toks, b) == k {
			label := ""
			for _, w := range p.Words {
				label += w.Text
			}
			return phraseZone(label, p.Zone), toks[b].Start
		}
	}
	return Zone{}, -1
}

// FindZones lists the zones a text names anywhere: used where it speaks of all its times, or heads a list of them.
func FindZones(s string, t lexicon.Tongue) []Zone {
	var found []Zone
	for i := 0; i < len(s) && i < 400; {
		boundary := i == 0 || !lexicon.IsWord(s[i-1]) || s[i] >= 0x80
		if !boundary || s[i] == ' ' || s[i] == '+' || s[i] == '-' {
			i++
			continue
		}
		if z, e := zoneName(s, i, t, false, i > 0 && s[i-1] == '('); e > 0 {
			found = append(found, z)
			i = e
			continue
		}
		i = lexicon.CutNext(s, i)
	}
	return found
}

// Describe names a zone with its offset on a day.
func (z Zone) Describe(d Date) string {
	off, _ := z.OffsetAt(d.Year, max(d.Month, 1), max(d.Day, 1), 12, 0)
	if z.Label == "" || z.Label == FormatOffset(off) || z.Label == "UTC"+FormatOffset(off) {
		return FormatOffset(off)
	}
	if z.Place != "" && z.Label != z.Place {
		return fmt.Sprintf("%s (%s, %s)", FormatOffset(off), z.Label, z.Place)
	}
	return fmt.Sprintf("%s (%s)", FormatOffset(off), z.Label)
}
