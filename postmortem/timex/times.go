// Package timex finds the time expressions of a text: dates, clock times, zones, ranges and durations, as they were written.
// Which day or zone is meant where none is written is settled in package calendar.
package timex

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
)

// Stamp is one time expression of a text: a date, a clock time or both, with what was written around it.
type Stamp struct {
	Start, End           int // bytes in the text, including zone and day part
	Clock                int // byte where the clock begins
	Date                 Date
	HasClock             bool
	Hour, Minute, Second int
	Seconds              bool // seconds were written
	HourOnly             bool // "14時", "5pm"
	Twelve               bool // written with am, pm or a day part
	Unclear              bool // its day part does not go with its hour
	Approx               bool
	since                bool // "from then on"
	Next                 bool // "the next day" stands before it
	Unknown              bool // "22:XX", "TBC": known to be unknown
	Zone                 Zone
	Plus                 time.Duration // "T+5": since the start of the count
	Relative             bool
	To                   *Stamp // the end of a range
}

// Scanner finds time expressions in one text. It reads every byte once; looking around a number is bounded.
type Scanner struct {
	S    string
	Toks []lexicon.Token
	T    lexicon.Tongue
	out  []Stamp
	tok  int // the first token that does not end before the place being read
}

// Scan lists the time expressions of s in the order of the text.
func Scan(s string, toks []lexicon.Token, t lexicon.Tongue) []Stamp {
	if !strings.ContainsAny(s, "0123456789") && !strings.Contains(s, ":") {
		return inOrder(scanUnknown(s, nil))
	}
	sc := Scanner{S: s, Toks: toks, T: t}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case lexicon.IsDigit(c):
			i = sc.number(i)
		case c >= utf8.RuneSelf:
			_, n := utf8.DecodeRuneInString(s[i:])
			i += n
		case lexicon.IsLetter(c):
			i = sc.word(i)
		default:
			i++
		}
	}
	return inOrder(scanUnknown(s, sc.join()))
}

// inOrder sorts stamps by their place and takes out what overlaps the one before, which all that reads them relies on.
func inOrder(sts []Stamp) []Stamp {
	slices.SortStableFunc(sts, func(a, b Stamp) int { return cmp.Compare(a.Start, b.Start) })
	out := sts[:0]
	for _, st := range sts {
		if n := len(out); n > 0 && st.Start < out[n-1].End {
			if st.End <= out[n-1].End {
				continue
			}
			st.Start = out[n-1].End
		}
		out = append(out, st)
	}
	return out
}

// At moves to the token that begins at or after byte i and gives its index.
func (sc *Scanner) At(i int) int {
	for sc.tok > 0 && sc.Toks[sc.tok-1].End > i {
		sc.tok--
	}
	for sc.tok < len(sc.Toks) && sc.Toks[sc.tok].Start < i {
		sc.tok++
	}
	return sc.tok
}

// number reads what begins with the digit at i and returns where to go on.
func (sc *Scanner) number(i int) int {
	s := sc.S
	v, n := lexicon.Digits(s, i)
	end := i + n
	var prev byte
	if i > 0 {
		prev = s[i-1]
	}
	if i > 0 && (lexicon.IsLetter(prev) || prev == '_' || prev == '.' && i > 1 && lexicon.IsDigit(s[i-2]) || prev == '#' || prev == '$') &&
		!(prev == 'T' && i > 1 && lexicon.IsDigit(s[i-2])) {
		return sc.skipWord(end)
	}
	if j, ok := sc.dateAt(i, v, n); ok {
		return j
	}
	if n <= 2 && prev != ':' && prev != '/' {
		if j, ok := sc.clockAt(i, v, n); ok {
			return j
		}
	}
	if n == 4 && sc.T.Bare && document.IsBare(s, i) {
		return sc.bareClock(i, v)
	}
	if n == 4 && v/100 < 24 && v%100 < 60 { // 1432 UTC, 0912Z
		if z, e := zoneAt(s, end, sc.T, true); e > 0 && !z.isOffsetOnly() {
			sc.out = append(sc.out, Stamp{Start: i, End: e, Clock: i, HasClock: true, Hour: v / 100, Minute: v % 100, Zone: z})
			return e
		}
	}
	if end < len(s) && lexicon.IsLetter(s[end]) {
		return sc.skipWord(end)
	}
	return end
}

// skipWord goes to the end of the letters and digits at i.
func (sc *Scanner) skipWord(i int) int {
	for i < len(sc.S) && (lexicon.IsDigit(sc.S[i]) || lexicon.IsLetter(sc.S[i]) || sc.S[i] == '_') {
		i++
	}
	return i
}

// clockAt reads a clock time whose hour is v.
func (sc *Scanner) clockAt(i, v, n int) (int, bool) {
	s := sc.S
	j := i + n
	st := Stamp{Start: i, Clock: i, HasClock: true, Hour: v}
	if v > 24 || j > len(s) {
		return 0, false
	}
	rest := s[j:]
	switch {
	case strings.HasPrefix(rest, ":") && len(rest) > 2 && lexicon.IsDigit(rest[1]) && lexicon.IsDigit(rest[2]) && !lexicon.DigitAt(rest, 3):
		st.Minute, _ = lexicon.Digits(rest, 1)
		j += 3
		if k := sc.secondsAt(j, &st); k > 0 {
			j = k
		} else if j < len(s) && s[j] == ':' && lexicon.DigitAt(s, j+1) {
			return 0, false
		}
	case (strings.HasPrefix(rest, "h") || strings.HasPrefix(rest, "H") || strings.HasPrefix(rest, " h ")):
		k := 1
		if rest[0] == ' ' {
			k = 3
		}
		m, mn := lexicon.Digits(rest, k)
		after := rest[min(len(rest), k+mn):]
		minuteWord := sc.unitAhead(j+k+mn) == 60
		switch {
		case mn == 2 && (!minuteWord || sc.wordBefore(i)) && (after == "" || !lexicon.IsLetter(after[0]) || minuteWord):
			st.Minute = m
			j += k + mn
			if minuteWord {
				j = sc.skipWord(lexicon.SkipSpaces(s, j))
			}
		case mn == 0 && rest[0] != ' ' && (len(rest) == 1 || !lexicon.IsLetter(rest[1])) && sc.wordBefore(i) && !sc.quantityBefore(i):
			st.HourOnly = true
			j++
		default:
			return 0, false
		}
	case strings.HasPrefix(rest, ".") && len(rest) > 2 && lexicon.IsDigit(rest[1]) && lexicon.IsDigit(rest[2]) &&
		!lexicon.DigitAt(rest, 3) && !(len(rest) > 4 && rest[3] == '.' && lexicon.IsDigit(rest[4])):
		st.Minute, _ = lexicon.Digits(rest, 1)
		j += 3
		_, ze := zoneAt(s, j, sc.T, true)
		lead := i == 0 && sc.T.Code != "en" && (j == len(s) || strings.IndexByte(" ,:-)", s[j]) >= 0)
		if sc.T.Code == "en" && ze == 0 && ampmAt(s, lexicon.SkipSpaces(s, j), &Stamp{Hour: min(v, 12)}) == 0 {
			return 0, false // "from 1.23 to 1.24" are versions
		}
		if !(lead || sc.wordBefore(i) || ze > 0 || sc.wordAfter(j) > 0 || sc.rangeBefore(i)) || strings.HasPrefix(s[j:], "%") {
			return 0, false
		}
	default:
		if k, ok := sc.cjkClock(j, &st); ok {
			j = k
			break
		}
		if e := sc.wordAfter(j); e > 0 && v < 24 && sc.unitAhead(j) == 0 && sc.wordBefore(i) { // "um 9 Uhr"
			st.HourOnly = true
			j = e
			break
		}
		// 5pm, 11 PM
		k := lexicon.SkipSpaces(s, j)
		if e := ampmAt(s, k, &st); e > 0 && v >= 1 && v <= 12 {
			if !strings.HasPrefix(strings.ToLower(s[k:]), "a.m") && !strings.HasPrefix(strings.ToLower(s[k:]), "p.m") && e-k < 2 {
				return 0, false
			}
			st.HourOnly = true
			j = e
			break
		}
		return 0, false
	}
	if st.Minute > 59 || st.Hour == 24 && st.Minute > 0 {
		return 0, false
	}
	// What follows the digits directly must be able to follow a time.
	if k := lexicon.SkipSpaces(s, j); !st.Twelve {
		if e := ampmAt(s, k, &st); e > 0 {
			j = e
		}
	}
	if j < len(s) && (s[j] == '%' || lexicon.IsLetter(s[j]) && s[j] != 'Z' && s[j] != 'z' && s[j] != 'T' && s[j] != 'h' && s[j] != 'H' &&
		!strings.HasPrefix(s[j:], "UTC") && !strings.HasPrefix(s[j:], "Uhr")) {
		return 0, false
	}
	if u := sc.unitAhead(j); u > 1 && !sc.T.IsClockWord(sc.Toks, sc.At(j)) {
		return 0, false // "1:30 hours"
	}
	if e := sc.wordAfter(j); e > 0 {
		j = e
	}
	if e := sc.daypartAfter(j, &st); e > 0 {
		j = e
		if f := sc.wordAfter(j); f > 0 {
			j = f
		}
	} else {
		sc.daypartBefore(&st)
	}
	if z, e := zoneAt(s, j, sc.T, true); e > 0 && !st.rangeAhead(s, j) {
		st.Zone, j = z, e
		// "18:07 UTC (20:07 CEST)" says the same twice; the second is its own stamp.
	} else if y, n := lexicon.Digits(s, lexicon.SkipSpaces(s, j)); n == 4 && lexicon.ValidYear(y) && st.Seconds {
		// git's form: "15:50:41 2016 +0200"
		k := lexicon.SkipSpaces(s, j) + 4
		if z, e := zoneAt(s, k, sc.T, true); e > 0 && z.Fixed {
			st.Zone, j = z, e
		}
	} else if z, b := zoneBefore(sc.Toks, sc.At(st.Start), sc.T); b >= 0 {
		st.Zone = z
		st.Start = min(st.Start, b)
	}
	sc.nextDay(&st)
	st.End = j
	ti := sc.At(st.Start)
	sc.around(ti, sc.At(st.End), &st)
	sc.out = append(sc.out, st)
	return j, true
}

// rangeAhead says whether what follows is the later end of a range, "13:30-13:45", rather than an offset, "15:50-07:00".
func (st *Stamp) rangeAhead(s string, j int) bool {
	if st.Seconds || j+5 >= len(s)+1 || j >= len(s) || s[j] != '-' {
		return false
	}
	h, n := lexicon.Digits(s, j+1)
	if n == 0 || n > 2 || j+1+n >= len(s) || s[j+1+n] != ':' {
		return false
	}
	m, _ := lexicon.Digits(s, j+2+n)
	return h*60+m >= st.Hour*60+st.Minute || m%15 != 0
}

// secondsAt reads ":SS" with an optional fraction.
func (sc *Scanner) secondsAt(j int, st *Stamp) int {
	s := sc.S
	if j+2 >= len(s) || s[j] != ':' || !lexicon.IsDigit(s[j+1]) || !lexicon.IsDigit(s[j+2]) || lexicon.DigitAt(s, j+3) {
		return 0
	}
	v, _ := lexicon.Digits(s, j+1)
	if v > 60 {
		return 0
	}
	st.Second, st.Seconds = min(v, 59), true
	j += 3
	if j+1 < len(s) && (s[j] == '.' || s[j] == ',') && lexicon.IsDigit(s[j+1]) {
		_, n := lexicon.Digits(s, j+1)
		j += 1 + n
	}
	return j
}

// ampmAt reads am or pm in its spellings and turns the hour to the 24-hour clock.
func ampmAt(s string, k int, st *Stamp) int {
	if k >= len(s) {
		return 0
	}
	c := s[k] | 0x20
	if c != 'a' && c != 'p' {
		return 0
	}
	e := k + 1
	switch {
	case e < len(s) && s[e]|0x20 == 'm' && !(e+1 < len(s) && lexicon.IsWord(s[e+1])):
		e++
	case strings.HasPrefix(strings.ToLower(s[e:min(len(s), e+3)]), ".m."):
		e += 3
	case strings.HasPrefix(strings.ToLower(s[e:min(len(s), e+4)]), ". m."):
		e += 4
	case strings.HasPrefix(strings.ToLower(s[e:min(len(s), e+2)]), ".m"):
		e += 2
	case k > 0 && lexicon.IsDigit(s[k-1]) && !(e < len(s) && lexicon.IsWord(s[e])):
		// 10:45a
	default:
		return 0
	}
	if st.Hour > 12 { // 15:30 pm is written by people too
		if c == 'p' {
			return e
		}
		return 0
	}
	if c == 'a' {
		setPart(st, 0, 11)
	} else {
		setPart(st, 12, 23)
	}
	return e
}

// setPart settles a 12-hour clock by the hours a day part covers, which may reach over midnight.
func setPart(st *Stamp, from, to int) {
	in := func(h int) bool {
		if from <= to {
			return h >= from && h <= to
		}
		return h >= from || h <= to
	}
	if st.Hour > 12 {
		return
	}
	st.Twelve = true
	a, b := st.Hour%24, (st.Hour+12)%24
	switch {
	case in(a) && in(b):
		// Both can be: the clock as written stays.
	case in(a):
		st.Hour = a
	case in(b):
		st.Hour = b
	default:
		st.Unclear = true
	}
}
