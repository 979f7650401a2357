package postmortem

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// date is a day as it was written: what is not said is zero. Where day and month could be either, a and b are the two
// numbers in the order of the text and m and d are not set until settle.
type date struct {
	y, m, d int
	a, b    int // of an ambiguous numeric date
	weekday int // 1 is Monday; 0 where none is written
	start   int // byte where it stands in its text
}

func (d date) ok() bool { return d.m > 0 || d.d > 0 || d.a > 0 }

// full says whether day and month are known.
func (d date) full() bool { return d.m > 0 && d.d > 0 }

func (d date) String() string {
	switch {
	case d.a > 0:
		return fmt.Sprintf("%d/%d", d.a, d.b)
	case d.y == 0:
		return fmt.Sprintf("%02d-%02d", d.m, d.d)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.y, d.m, d.d)
}

// time is the start of the day at UTC; zero where it is not a full date that exists.
func (d date) time() time.Time {
	if d.y == 0 || !validDay(d.y, d.m, d.d) {
		return time.Time{}
	}
	return time.Date(d.y, time.Month(d.m), d.d, 0, 0, 0, 0, time.UTC)
}

func dateOf(t time.Time) date { return date{y: t.Year(), m: int(t.Month()), d: t.Day()} }

// add is the date n days later.
func (d date) add(n int) date {
	t := d.time()
	if t.IsZero() {
		return d
	}
	x := dateOf(t.AddDate(0, 0, n))
	return x
}

// same says whether two dates are the same day, as far as both say.
func (d date) same(o date) bool {
	return d.m == o.m && d.d == o.d && (d.y == o.y || d.y == 0 || o.y == 0)
}

func validDay(y, m, d int) bool {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	if y == 0 {
		y = 2024 // a leap year: what could be, may be
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return t.Day() == d
}

func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// dateAt reads a date that begins with the number v of n digits at i.
func (sc *scanner) dateAt(i, v, n int) (int, bool) {
	s := sc.s
	j := i + n
	if j >= len(s) {
		return 0, false
	}
	add := func(d date, end int) (int, bool) {
		d.weekday, d.start = sc.weekdayNear(i, end), i
		if e := sc.weekdayEnd(end); e > 0 {
			end = e
		}
		sc.out = append(sc.out, stamp{start: i, end: end, date: d})
		if end < len(s) && s[end] == 'T' && digitAt(s, end+1) {
			end++
		}
		return end, true
	}
	r, rn := utf8.DecodeRuneInString(s[j:])
	switch {
	case n == 4 && validYear(v) && (r == '-' || r == '/' || r == '.'):
		m, mn := digits(s, j+1)
		k := j + 1 + mn
		if mn < 1 || mn > 2 || k >= len(s) || s[k] != s[j] {
			return 0, false
		}
		d, dn := digits(s, k+1)
		if dn < 1 || dn > 2 || !validDay(v, m, d) {
			return 0, false
		}
		return add(date{y: v, m: m, d: d}, k+1+dn)
	case n == 4 && validYear(v) && r == '年':
		k := skipSpaces(s, j+rn)
		m, mn := digits(s, k)
		if mn == 0 {
			return 0, false
		}
		return sc.cjkMonth(i, v, m, k+mn, add)
	case n <= 2 && r == '月':
		return sc.cjkMonth(i, 0, v, j, add)
	case n <= 2 && (r == '日' || r == '号') && v >= 1 && v <= 31:
		next, _ := utf8.DecodeRuneInString(s[j+rn:])
		if next == '間' || next == '间' || next == '前' || next == '後' || next == '后' || next == '本' || next == '以' {
			return 0, false
		}
		return add(date{d: v}, j+rn)
	case n <= 2 && v >= 1 && v <= 31 && (r == '.' || r == '/' || r == '-'):
		if e, ok := sc.numericDate(i, v, j, add); ok {
			return e, true
		}
	}
	if n <= 2 && v >= 1 && v <= 31 {
		return sc.dayFirst(i, v, j, add)
	}
	return 0, false
}

func (sc *scanner) cjkMonth(i, y, m, k int, add func(date, int) (int, bool)) (int, bool) {
	s := sc.s
	r, rn := utf8.DecodeRuneInString(s[min(k, len(s)):])
	if r != '月' || m < 1 || m > 12 {
		return 0, false
	}
	k = skipSpaces(s, k+rn)
	d, dn := digits(s, k)
	if dn == 0 || dn > 2 {
		return 0, false
	}
	r, rn = utf8.DecodeRuneInString(s[k+dn:])
	if r != '日' && r != '号' || !validDay(y, m, d) {
		return 0, false
	}
	return add(date{y: y, m: m, d: d}, k+dn+rn)
}

// numericDate reads 18/04/2018, 06.30.25, 11-01-2024, and without a year 24/6 and 03-26 where a time or a bracket says
// that it is one.
func (sc *scanner) numericDate(i, v, j int, add func(date, int) (int, bool)) (int, bool) {
	s := sc.s
	sep := s[j]
	w, wn := digits(s, j+1)
	k := j + 1 + wn
	if wn < 1 || wn > 2 || w < 1 || w > 31 {
		return 0, false
	}
	if k+1 < len(s) && s[k] == sep && isDigit(s[k+1]) {
		y, yn := digits(s, k+1)
		if k+1+yn < len(s) && (s[k+1+yn] == sep && digitAt(s, k+2+yn) || isLetter(s[k+1+yn]) && s[k+1+yn] != 'T') {
			return 0, false // a version or an address
		}
		switch {
		case yn == 2:
			y += 2000
		case yn != 4:
			return 0, false
		}
		if !validYear(y) || v > 12 && w > 12 {
			return 0, false
		}
		return add(numeric(y, v, w), k+1+yn)
	}
	if k < len(s) && (isLetter(s[k]) || s[k] == '%' || s[k] == ':') {
		return 0, false
	}
	// No year: only where the place speaks for a date.
	var prev byte
	if i > 0 {
		prev = s[i-1]
	}
	closed := k < len(s) && (s[k] == ')' || s[k] == ']')
	bracket := prev == '(' || prev == '[' || strings.HasSuffix(s[:i], "（") || strings.HasSuffix(s[:i], "【")
	if !closed && k < len(s) {
		if r, _ := utf8.DecodeRuneInString(s[k:]); r == '）' || r == '】' {
			closed = true
		}
	}
	clock := false
	if e := skipSpaces(s, k); e > k || e == k && bracket {
		if e < len(s) && s[e] == ',' {
			e = skipSpaces(s, e+1)
		}
		h, hn := digits(s, e)
		clock = (hn == 1 || hn == 2) && h < 25 && e+hn < len(s) && (s[e+hn] == ':' || s[e+hn] == 'h' || s[e+hn] == '.') && digitAt(s, e+hn+1)
	}
	cjk := false
	if k < len(s) && sep == '/' {
		r, _ := utf8.DecodeRuneInString(s[k:])
		cjk = isCJK(r) || r == '(' && sc.t.Script != ""
	}
	weekday := sc.weekdayNear(i, k) > 0
	switch {
	case sep == '/' && (bracket && closed || clock || cjk || weekday):
	case sep == '-' && clock && (bracket || i == 0) && wn == 2 && j-i == 2:
		return add(date{m: v, d: w}, k) // month first, as in ISO
	case sep == '.' && k < len(s) && s[k] == '.' && !(digitAt(s, k+1)) && v <= 31 && w <= 12: // 18.4.
		if sc.t.Script == "" && sc.t.Code != "en" {
			return add(date{m: w, d: v}, k+1)
		}
		return 0, false
	default:
		return 0, false
	}
	if v > 12 && w > 12 || v == 24 && w == 7 {
		return 0, false
	}
	if sc.t.Script != "" && v <= 12 {
		return add(date{m: v, d: w}, k) // 5/22: Japanese and Chinese put the month first
	}
	return add(numeric(0, v, w), k)
}

// numeric is the date of two numbers of which one may settle which is the month.
func numeric(y, a, b int) date {
	switch {
	case a > 12:
		return date{y: y, m: b, d: a}
	case b > 12:
		return date{y: y, m: a, d: b}
	case a == b:
		return date{y: y, m: a, d: a}
	}
	return date{y: y, a: a, b: b}
}

// dayFirst reads "11 July 2025", "19. April", "11 de octubre de 2016", "1er mars".
func (sc *scanner) dayFirst(i, v, j int, add func(date, int) (int, bool)) (int, bool) {
	s := sc.s
	for _, o := range []string{"st", "nd", "rd", "th", "er", "º", "o", "e", "."} {
		if strings.HasPrefix(s[j:], o) && (j+len(o) == len(s) || !isWord(s[j+len(o)])) {
			j += len(o)
			break
		}
	}
	k := sc.at(j)
	if k >= len(sc.toks) || sc.toks[k].start > j+1 {
		return 0, false
	}
	if w := sc.toks[k].text; w == "de" || w == "of" || w == "di" || w == "d" || w == "do" {
		k++
	}
	if k >= len(sc.toks) || sc.toks[k].start > j+6 {
		return 0, false
	}
	m := sc.t.month(sc.toks[k].text)
	if m == 0 || !validDay(0, m, v) {
		return 0, false
	}
	y, end := sc.yearAfter(sc.toks[k].end)
	return add(date{y: y, m: m, d: v}, end)
}

// yearAfter reads a year that may follow at byte i, and where the date ends.
func (sc *scanner) yearAfter(i int) (y, end int) {
	s := sc.s
	j := i
	if j < len(s) && s[j] == '.' {
		j++
	}
	j = skipSpaces(s, j)
	if j < len(s) && s[j] == ',' {
		j = skipSpaces(s, j+1)
	}
	for _, w := range []string{"de ", "del ", "of ", "do "} {
		if strings.HasPrefix(s[j:], w) {
			j += len(w)
			break
		}
	}
	v, n := digits(s, j)
	if n == 4 && validYear(v) && !(j+4 < len(s) && s[j+4] == ':') {
		return v, j + 4
	}
	return 0, i
}

// monthFirst reads "July 11, 2025", "Sep 15", "March 26th, 2019" and "Oct 11 15:50:41 2016".
func (sc *scanner) monthFirst(i, j, m int) (int, bool) {
	s := sc.s
	k := j
	if k < len(s) && s[k] == '.' {
		k++
	}
	k = skipSpaces(s, k)
	v, n := digits(s, k)
	if n < 1 || n > 2 || k == j || !validDay(0, m, v) {
		return 0, false
	}
	e := k + n
	if e < len(s) && (s[e] == ':' && digitAt(s, e+1) || s[e] == '%' || s[e] == '.' && digitAt(s, e+1)) {
		return 0, false
	}
	for _, o := range []string{"st", "nd", "rd", "th"} {
		if strings.HasPrefix(s[e:], o) {
			e += 2
			break
		}
	}
	if e < len(s) && isLetter(s[e]) {
		return 0, false
	}
	y, end := sc.yearAfter(e)
	if y == 0 { // "October 28-31, 2021"
		rest := strings.TrimLeft(s[e:min(len(s), e+5)], " -–")
		if d2, n2 := digits(rest, 0); n2 > 0 && n2 <= 2 && d2 > v && d2 <= 31 && len(rest) < len(s[e:min(len(s), e+5)]) {
			at := e + len(s[e:min(len(s), e+5)]) - len(rest) + n2
			if yy, end2 := sc.yearAfter(at); yy > 0 && strings.ContainsAny(s[e:at], "-–") {
				y, end = yy, end2
			}
		}
	}
	if y == 0 { // git's form: the year after the time
		if q := skipSpaces(s, e); q+14 <= len(s) && isDigit(s[q]) && s[min(q+2, len(s)-1)] == ':' {
			if yy, yn := digits(s, q+9); yn == 4 && validYear(yy) {
				y = yy
			}
		}
	}
	if t := sc.at(i); y == 0 && t > 0 && sc.toks[t-1].end >= i-2 { // "2018 October 21"
		if yy, yn := digits(sc.toks[t-1].text, 0); yn == 4 && len(sc.toks[t-1].text) == 4 && validYear(yy) {
			y, i = yy, sc.toks[t-1].start
		}
	}
	d := date{y: y, m: m, d: v, weekday: sc.weekdayNear(i, end), start: i}
	if w := sc.weekdayEnd(end); w > 0 {
		end = w
	}
	sc.out = append(sc.out, stamp{start: i, end: end, date: d})
	return end, true
}

// weekdayNear is the weekday written within two words before byte from or after byte to.
func (sc *scanner) weekdayNear(from, to int) int {
	k := sc.at(from)
	for b := k - 1; b >= 0 && b >= k-3; b-- {
		if w := sc.weekday(b); w > 0 {
			return w
		}
		if !sc.toks[b].comma && len(sc.toks[b].text) > 4 {
			break
		}
	}
	k = sc.at(to)
	for a := k; a < len(sc.toks) && a <= k+1; a++ {
		if w := sc.weekday(a); w > 0 && sc.toks[a].start <= to+3 {
			return w
		}
	}
	return 0
}

// weekdayEnd is where a weekday in brackets directly after byte i ends: 2024年6月20日（木）.
func (sc *scanner) weekdayEnd(i int) int {
	rest := sc.s[i:min(len(sc.s), i+20)]
	trimmed := strings.TrimLeft(rest, " ")
	if !strings.HasPrefix(trimmed, "(") {
		return 0
	}
	c := strings.IndexByte(rest, ')')
	if c < 0 {
		return 0
	}
	k := sc.at(i + len(rest) - len(trimmed) + 1)
	if k < len(sc.toks) && sc.toks[k].end <= i+c && sc.weekday(k) > 0 {
		return i + c + 1
	}
	return 0
}

func (sc *scanner) weekday(i int) int {
	if w := sc.t.weekdays[sc.toks[i].text]; w > 0 {
		return w
	}
	// 星期二, 周二, 火曜日
	if sc.t.Script != "" && i+1 < len(sc.toks) {
		two := sc.toks[i].text + sc.toks[i+1].text
		if w := sc.t.weekdays[two]; w > 0 {
			return w
		}
		if i+2 < len(sc.toks) {
			if w := sc.t.weekdays[two+sc.toks[i+2].text]; w > 0 {
				return w
			}
		}
	}
	return 0
}
