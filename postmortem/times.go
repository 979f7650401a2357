package postmortem

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// stamp is one time expression of a text: a date, a clock time or both, with what was written around it.
type stamp struct {
	start, end int // bytes in the text, including zone and day part
	clock      int // byte where the clock begins
	date       date
	hasClock   bool
	h, m, s    int
	seconds    bool // seconds were written
	hourOnly   bool // "14時", "5pm"
	twelve     bool // written with am, pm or a day part
	unclear    bool // its day part does not go with its hour
	approx     bool
	since      bool // "from then on"
	next       bool // "the next day" stands before it
	unknown    bool // "22:XX", "TBC": known to be unknown
	zone       zone
	plus       time.Duration // "T+5": since the start of the count
	relative   bool
	to         *stamp // the end of a range
}

// scanner finds time expressions in one text. It reads every byte once; looking around a number is bounded.
type scanner struct {
	s    string
	toks []token
	t    tongue
	out  []stamp
	tok  int // the first token that does not end before the place being read
}

// scan lists the time expressions of s in the order of the text.
func scan(s string, toks []token, t tongue) []stamp {
	if !strings.ContainsAny(s, "0123456789") && !strings.Contains(s, ":") {
		return inOrder(scanUnknown(s, nil))
	}
	sc := scanner{s: s, toks: toks, t: t}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case isDigit(c):
			i = sc.number(i)
		case c >= utf8.RuneSelf:
			_, n := utf8.DecodeRuneInString(s[i:])
			i += n
		case isLetter(c):
			i = sc.word(i)
		default:
			i++
		}
	}
	return inOrder(scanUnknown(s, sc.join()))
}

// inOrder sorts stamps by their place and takes out what overlaps the one before, which all that reads them relies on.
func inOrder(sts []stamp) []stamp {
	slices.SortStableFunc(sts, func(a, b stamp) int { return cmp.Compare(a.start, b.start) })
	out := sts[:0]
	for _, st := range sts {
		if n := len(out); n > 0 && st.start < out[n-1].end {
			if st.end <= out[n-1].end {
				continue
			}
			st.start = out[n-1].end
		}
		out = append(out, st)
	}
	return out
}

// at moves to the token that begins at or after byte i and gives its index.
func (sc *scanner) at(i int) int {
	for sc.tok > 0 && sc.toks[sc.tok-1].end > i {
		sc.tok--
	}
	for sc.tok < len(sc.toks) && sc.toks[sc.tok].start < i {
		sc.tok++
	}
	return sc.tok
}

// number reads what begins with the digit at i and returns where to go on.
func (sc *scanner) number(i int) int {
	s := sc.s
	v, n := digits(s, i)
	end := i + n
	var prev byte
	if i > 0 {
		prev = s[i-1]
	}
	if i > 0 && (isLetter(prev) || prev == '_' || prev == '.' && i > 1 && isDigit(s[i-2]) || prev == '#' || prev == '$') && !(prev == 'T' && i > 1 && isDigit(s[i-2])) {
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
	if n == 4 && sc.t.bare && isBare(s, i) {
		return sc.bareClock(i, v)
	}
	if n == 4 && v/100 < 24 && v%100 < 60 { // 1432 UTC, 0912Z
		if z, e := zoneAt(s, end, sc.t, true); e > 0 && !z.isOffsetOnly() {
			sc.out = append(sc.out, stamp{start: i, end: e, clock: i, hasClock: true, h: v / 100, m: v % 100, zone: z})
			return e
		}
	}
	if end < len(s) && isLetter(s[end]) {
		return sc.skipWord(end)
	}
	return end
}

// skipWord goes to the end of the letters and digits at i.
func (sc *scanner) skipWord(i int) int {
	for i < len(sc.s) && (isDigit(sc.s[i]) || isLetter(sc.s[i]) || sc.s[i] == '_') {
		i++
	}
	return i
}

// clockAt reads a clock time whose hour is v.
func (sc *scanner) clockAt(i, v, n int) (int, bool) {
	s := sc.s
	j := i + n
	st := stamp{start: i, clock: i, hasClock: true, h: v}
	if v > 24 || j > len(s) {
		return 0, false
	}
	rest := s[j:]
	switch {
	case strings.HasPrefix(rest, ":") && len(rest) > 2 && isDigit(rest[1]) && isDigit(rest[2]) && !digitAt(rest, 3):
		st.m, _ = digits(rest, 1)
		j += 3
		if k := sc.secondsAt(j, &st); k > 0 {
			j = k
		} else if j < len(s) && s[j] == ':' && digitAt(s, j+1) {
			return 0, false
		}
	case (strings.HasPrefix(rest, "h") || strings.HasPrefix(rest, "H") || strings.HasPrefix(rest, " h ")):
		k := 1
		if rest[0] == ' ' {
			k = 3
		}
		m, mn := digits(rest, k)
		after := rest[min(len(rest), k+mn):]
		minuteWord := sc.unitAhead(j+k+mn) == 60
		switch {
		case mn == 2 && (!minuteWord || sc.wordBefore(i)) && (after == "" || !isLetter(after[0]) || minuteWord):
			st.m = m
			j += k + mn
			if minuteWord {
				j = sc.skipWord(skipSpaces(s, j))
			}
		case mn == 0 && rest[0] != ' ' && (len(rest) == 1 || !isLetter(rest[1])) && sc.wordBefore(i) && !sc.quantityBefore(i):
			st.hourOnly = true
			j++
		default:
			return 0, false
		}
	case strings.HasPrefix(rest, ".") && len(rest) > 2 && isDigit(rest[1]) && isDigit(rest[2]) && !digitAt(rest, 3) && !(len(rest) > 4 && rest[3] == '.' && isDigit(rest[4])):
		st.m, _ = digits(rest, 1)
		j += 3
		_, ze := zoneAt(s, j, sc.t, true)
		lead := i == 0 && sc.t.Code != "en" && (j == len(s) || strings.IndexByte(" ,:-)", s[j]) >= 0)
		if sc.t.Code == "en" && ze == 0 && ampmAt(s, skipSpaces(s, j), &stamp{h: min(v, 12)}) == 0 {
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
			st.hourOnly = true
			j = e
			break
		}
		// 5pm, 11 PM
		k := skipSpaces(s, j)
		if e := ampmAt(s, k, &st); e > 0 && v >= 1 && v <= 12 {
			if !strings.HasPrefix(strings.ToLower(s[k:]), "a.m") && !strings.HasPrefix(strings.ToLower(s[k:]), "p.m") && e-k < 2 {
				return 0, false
			}
			st.hourOnly = true
			j = e
			break
		}
		return 0, false
	}
	if st.m > 59 || st.h == 24 && st.m > 0 {
		return 0, false
	}
	// What follows the digits directly must be able to follow a time.
	if k := skipSpaces(s, j); !st.twelve {
		if e := ampmAt(s, k, &st); e > 0 {
			j = e
		}
	}
	if j < len(s) && (s[j] == '%' || isLetter(s[j]) && s[j] != 'Z' && s[j] != 'z' && s[j] != 'T' && s[j] != 'h' && s[j] != 'H' && !strings.HasPrefix(s[j:], "UTC") && !strings.HasPrefix(s[j:], "Uhr")) {
		return 0, false
	}
	if u := sc.unitAhead(j); u > 1 && !sc.t.isClockWord(sc.toks, sc.at(j)) {
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
	if z, e := zoneAt(s, j, sc.t, true); e > 0 && !st.rangeAhead(s, j) {
		st.zone, j = z, e
		// "18:07 UTC (20:07 CEST)" says the same twice; the second is its own stamp.
	} else if y, n := digits(s, skipSpaces(s, j)); n == 4 && validYear(y) && st.seconds {
		// git's form: "15:50:41 2016 +0200"
		k := skipSpaces(s, j) + 4
		if z, e := zoneAt(s, k, sc.t, true); e > 0 && z.fixed {
			st.zone, j = z, e
		}
	} else if z, b := zoneBefore(sc.toks, sc.at(st.start), sc.t); b >= 0 {
		st.zone = z
		st.start = min(st.start, b)
	}
	sc.nextDay(&st)
	st.end = j
	ti := sc.at(st.start)
	sc.around(ti, sc.at(st.end), &st)
	sc.out = append(sc.out, st)
	return j, true
}

// rangeAhead says whether what follows is the later end of a range, "13:30-13:45", rather than an offset, "15:50-07:00".
func (st *stamp) rangeAhead(s string, j int) bool {
	if st.seconds || j+5 >= len(s)+1 || j >= len(s) || s[j] != '-' {
		return false
	}
	h, n := digits(s, j+1)
	if n == 0 || n > 2 || j+1+n >= len(s) || s[j+1+n] != ':' {
		return false
	}
	m, _ := digits(s, j+2+n)
	return h*60+m >= st.h*60+st.m || m%15 != 0
}

// secondsAt reads ":SS" with an optional fraction.
func (sc *scanner) secondsAt(j int, st *stamp) int {
	s := sc.s
	if j+2 >= len(s) || s[j] != ':' || !isDigit(s[j+1]) || !isDigit(s[j+2]) || digitAt(s, j+3) {
		return 0
	}
	v, _ := digits(s, j+1)
	if v > 60 {
		return 0
	}
	st.s, st.seconds = min(v, 59), true
	j += 3
	if j+1 < len(s) && (s[j] == '.' || s[j] == ',') && isDigit(s[j+1]) {
		_, n := digits(s, j+1)
		j += 1 + n
	}
	return j
}

// ampmAt reads am or pm in its spellings and turns the hour to the 24-hour clock.
func ampmAt(s string, k int, st *stamp) int {
	if k >= len(s) {
		return 0
	}
	c := s[k] | 0x20
	if c != 'a' && c != 'p' {
		return 0
	}
	e := k + 1
	switch {
	case e < len(s) && s[e]|0x20 == 'm' && !(e+1 < len(s) && isWord(s[e+1])):
		e++
	case strings.HasPrefix(strings.ToLower(s[e:min(len(s), e+3)]), ".m."):
		e += 3
	case strings.HasPrefix(strings.ToLower(s[e:min(len(s), e+4)]), ". m."):
		e += 4
	case strings.HasPrefix(strings.ToLower(s[e:min(len(s), e+2)]), ".m"):
		e += 2
	case k > 0 && isDigit(s[k-1]) && !(e < len(s) && isWord(s[e])):
		// 10:45a
	default:
		return 0
	}
	if st.h > 12 { // 15:30 pm is written by people too
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
func setPart(st *stamp, from, to int) {
	in := func(h int) bool {
		if from <= to {
			return h >= from && h <= to
		}
		return h >= from || h <= to
	}
	if st.h > 12 {
		return
	}
	st.twelve = true
	a, b := st.h%24, (st.h+12)%24
	switch {
	case in(a) && in(b):
		// Both can be: the clock as written stays.
	case in(a):
		st.h = a
	case in(b):
		st.h = b
	default:
		st.unclear = true
	}
}
