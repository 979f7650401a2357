package postmortem

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the same answer on a machine that has no zone files
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// zone is a time zone as a text names it: by an offset, which is certain, or by a name, which stands for a place's clock
// and so follows the season.
type zone struct {
	label   string // as shown to people
	set     bool
	fixed   bool // an offset was written
	offset  int  // seconds east of UTC, of an offset or of what the label says by itself
	nominal bool // offset holds what the label says
	place   string
	also    []string
}

func (z zone) ok() bool { return z.set }

// isOffsetOnly says whether it was written as a bare offset such as +02:00.
func (z zone) isOffsetOnly() bool {
	return z.fixed && (strings.HasPrefix(z.label, "+") || strings.HasPrefix(z.label, "-"))
}

func fixedZone(label string, offset int) zone {
	return zone{label: label, set: true, fixed: true, offset: offset}
}

func placeZone(label, place string) zone { return zone{label: label, set: true, place: place} }

// offsetAt is the zone's offset for a wall clock time. contradicts is true where the label says another offset than its
// place has on that day, as "CST" does in August.
func (z zone) offsetAt(y, mo, d, h, mi int) (offset int, contradicts bool) {
	if z.fixed || z.place == "" {
		return z.offset, false
	}
	loc := location(z.place)
	_, offset = time.Date(y, time.Month(mo), d, h, mi, 0, 0, loc).Zone()
	return offset, z.nominal && offset != z.offset
}

// formatOffset writes seconds east of UTC as +02:00.
func formatOffset(sec int) string {
	sign := '+'
	if sec < 0 {
		sign, sec = '-', -sec
	}
	return fmt.Sprintf("%c%02d:%02d", sign, sec/3600, sec/60%60)
}

// zoneNames is the data of lexicon/zones.yaml, loaded once.
type zoneNames struct {
	names  map[string]zone
	cities []zonePhrase
	first  map[string]bool // first words of cities
}

var zoneTable = sync.OnceValues(func() (*zoneNames, error) {
	b, err := lexiconFiles.ReadFile("lexicon/zones.yaml")
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
	t := &zoneNames{names: map[string]zone{}, first: map[string]bool{}}
	for name, d := range data.Names {
		z := zone{label: name, set: true, place: d.At, also: d.Also, fixed: d.At == ""}
		if d.Offset != "" {
			off, n := offsetIn(d.Offset, 0)
			if n == 0 {
				return nil, fmt.Errorf("zones.yaml: %s: not an offset: %q", name, d.Offset)
			}
			z.offset, z.nominal = off, true
		}
		for _, p := range append(slices.Clone(d.Also), d.At) {
			if p != "" {
				if _, err := time.LoadLocation(p); err != nil {
					return nil, fmt.Errorf("zones.yaml: %s: %w", name, err)
				}
			}
		}
		t.names[name] = z
	}
	for city, place := range data.Cities {
		if _, err := time.LoadLocation(place); err != nil {
			return nil, fmt.Errorf("zones.yaml: %s: %w", city, err)
		}
		t.cities = append(t.cities, zonePhrase{parseAlt(city), place})
		t.first[t.cities[len(t.cities)-1].words[0].text] = true
	}
	slices.SortFunc(t.cities, func(a, b zonePhrase) int { return strings.Compare(fmt.Sprint(a.words), fmt.Sprint(b.words)) })
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

// offsetIn reads +2, +02, +0200, +02:00 or the same with a minus at i, and gives its length.
func offsetIn(s string, i int) (sec, n int) {
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
	v, d := digits(s, j)
	j += d
	h, m := v, 0
	switch d {
	case 1, 2:
		if j < len(s) && s[j] == ':' && digitAt(s, j+1) {
			mm, md := digits(s, j+1)
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
	if h > 14 || m > 59 || j < len(s) && (isLetter(s[j]) || s[j] == '%') {
		return 0, 0
	}
	return sign * (h*3600 + m*60), j - i
}

// zoneAt reads a zone at byte i, behind blanks and brackets: UTC, GMT-03:00, (GMT+3), +02:00, CEST, Europe/Paris, a
// lexicon's phrase, or a city with a word for time. end is 0 where none stands there.
func zoneAt(s string, i int, t tongue, afterClock bool) (z zone, end int) {
	j := skipSpaces(s, i)
	open := byte(0)
	if j < len(s) && (s[j] == '(' || s[j] == '[') {
		open = s[j]
		j = skipSpaces(s, j+1)
	}
	z, end = zoneName(s, j, t, afterClock && j == i, open != 0)
	if end == 0 {
		return zone{}, 0
	}
	if open != 0 {
		k := skipSpaces(s, end)
		if k < len(s) && (s[k] == '/' || s[k] == ',') { // "(UTC / GMT)"
			if c := strings.IndexByte(s[k:min(len(s), k+24)], ')'); c > 0 {
				k += c
			}
		}
		if k >= len(s) || s[k] != ')' && s[k] != ']' {
			if !afterClock {
				return z, end
			}
			return zone{}, 0
		}
		end = k + 1
	}
	return z, end
}

func zoneName(s string, j int, t tongue, glued, bracket bool) (zone, int) {
	if j >= len(s) {
		return zone{}, 0
	}
	table, err := zoneTable()
	if err != nil {
		return zone{}, 0
	}
	if s[j] == '+' || s[j] == '-' {
		off, n := offsetIn(s, j)
		// A bare offset is written glued to the time, or with all its digits: "15:50:41 +0200", but not "10:00 - 11:00".
		if n >= 5 || n == 3 && glued && s[j] == '+' {
			return fixedZone(formatOffset(off), off), j + n
		}
		return zone{}, 0
	}
	e := j
	for e < len(s) && isLetter(s[e]) {
		e++
	}
	w := s[j:e]
	if w == "Z" || w == "z" {
		if glued {
			return table.names["UTC"], e
		}
		return zone{}, 0
	}
	if u := strings.ToUpper(w); (u == "UTC" || u == "GMT") && !(e < len(s) && (isDigit(s[e]) || s[e] == '_')) {
		k := e
		if k < len(s) && s[k] == ' ' && k+1 < len(s) && (s[k+1] == '+' || s[k+1] == '-') && digitAt(s, k+2) {
			k++
		}
		if off, n := offsetIn(s, k); n > 0 && (k == e || n >= 2) {
			// "10:00 UTC - 11:00" is a range, not an offset; "UTC -3" is one.
			if !(k > e && n <= 3 && k+n < len(s) && s[k+n] == ':') {
				return fixedZone("UTC"+formatOffset(off), off), k + n
			}
		}
		return table.names[u], e
	}
	if z, ok := table.names[w]; ok && len(w) >= 2 && !(e < len(s) && (isDigit(s[e]) || s[e] == '_' || s[e] == '-' && e+1 < len(s) && isLetter(s[e+1]))) {
		// "PDT (UTC-7)": an explicit offset beats a name.
		if k := skipSpaces(s, e); k < len(s) && s[k] == '(' {
			if o, oe := zoneName(s, k+1, t, false, true); oe > 0 && o.fixed && oe < len(s) && s[oe] == ')' && strings.HasPrefix(o.label, "UTC") {
				o.label = z.label
				return o, oe + 1
			}
		}
		if k := e; strings.HasPrefix(s[k:], "+") { // "CET+1" is no zone anybody agrees on
			return zone{}, 0
		}
		return z, e
	}
	if e < len(s) && s[e] == '/' && len(w) > 2 && w[0] >= 'A' && w[0] <= 'Z' { // Europe/Paris
		k := e + 1
		for k < len(s) && (isLetter(s[k]) || s[k] == '_' || s[k] == '/') {
			k++
		}
		name := s[j:k]
		if strings.Count(name, "/") <= 2 && len(name) < 40 {
			if _, err := time.LoadLocation(name); err == nil {
				return placeZone(name, name), k
			}
		}
	}
	// Phrases: the longest first. Only a short stretch is taken apart, and only where its first word can begin one.
	if !t.beginsZone(s[j:], w, table) {
		return zone{}, 0
	}
	stretch := s[j:cutAt(s, j+60)]
	toks := tokenize(stretch)
	if len(toks) == 0 || toks[0].start > 0 {
		return zone{}, 0
	}
	for _, p := range t.zones {
		if n := matchAt([]alt{p.words}, toks, 0); n > 0 {
			return phraseZone(stretch[:toks[n-1].end], p.zone), j + toks[n-1].end
		}
	}
	for _, c := range table.cities {
		if n := matchAt([]alt{c.words}, toks, 0); n > 0 && stretch[0] >= 'A' {
			if t.hasAt("time_of", toks, n) {
				return placeZone(stretch[:toks[n].end], c.zone), j + toks[n].end
			}
			if bracket && toks[n-1].end < len(stretch) && stretch[toks[n-1].end] == ')' {
				return placeZone(stretch[:toks[n-1].end], c.zone), j + toks[n-1].end
			}
		}
		// "hora de Madrid"
		if n := t.endAt("time_of", toks, 0); n > 0 {
			if e := matchAt([]alt{c.words}, toks, n); e > 0 {
				return placeZone(stretch[:toks[e-1].end], c.zone), j + toks[e-1].end
			}
		}
	}
	return zone{}, 0
}

// beginsZone says whether a zone's phrase can begin with the word w, or with the first character of s where w is empty.
func (t tongue) beginsZone(s, w string, table *zoneNames) bool {
	for i := len(w); i < len(s) && i < 40; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) || isCJK(r) {
			if i == 0 {
				w = s[:n]
			}
			break
		}
		i += n
		w = s[:i]
	}
	w = foldWord(w)
	if table.first[w] {
		return true
	}
	if t.zoneFirst[w] || t.words["time_of"] != nil && len(t.words["time_of"].first[w]) > 0 {
		return true
	}
	return false
}

func phraseZone(label, zoneText string) zone {
	if off, n := offsetIn(zoneText, 0); n > 0 {
		return fixedZone(label, off)
	}
	return placeZone(label, zoneText)
}

// zoneBefore reads a zone phrase that ends directly before token k, as in 日本時間15時42分. It gives the byte where it
// begins, -1 where there is none.
func zoneBefore(toks []token, k int, t tongue) (zone, int) {
	if t.Script == "" {
		return zone{}, -1
	}
	for _, p := range t.zones {
		b := k - len(p.words)
		if b >= 0 && matchAt([]alt{p.words}, toks, b) == k {
			label := ""
			for _, w := range p.words {
				label += w.text
			}
			return phraseZone(label, p.zone), toks[b].start
		}
	}
	return zone{}, -1
}

// findZones lists the zones a text names anywhere: used where it speaks of all its times, or heads a list of them.
func findZones(s string, t tongue) []zone {
	var found []zone
	for i := 0; i < len(s) && i < 400; {
		boundary := i == 0 || !isWord(s[i-1]) || s[i] >= 0x80
		if !boundary || s[i] == ' ' || s[i] == '+' || s[i] == '-' {
			i++
			continue
		}
		if z, e := zoneName(s, i, t, false, i > 0 && s[i-1] == '('); e > 0 {
			found = append(found, z)
			i = e
			continue
		}
		i = cutNext(s, i)
	}
	return found
}

// describe names a zone with its offset on a day.
func (z zone) describe(d date) string {
	off, _ := z.offsetAt(d.y, max(d.m, 1), max(d.d, 1), 12, 0)
	if z.label == "" || z.label == formatOffset(off) || z.label == "UTC"+formatOffset(off) {
		return formatOffset(off)
	}
	if z.place != "" && z.label != z.place {
		return fmt.Sprintf("%s (%s, %s)", formatOffset(off), z.label, z.place)
	}
	return fmt.Sprintf("%s (%s)", formatOffset(off), z.label)
}
