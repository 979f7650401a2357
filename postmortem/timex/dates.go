package timex

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/postmortem/lexicon"
)

// Date is a day as it was written: what is not said is zero. Where day and month could be either, a and b are the two
// numbers in the order of the text and m and d are not set until settle.
type Date struct {
	Year, Month, Day int
	A, B             int // of an ambiguous numeric date
	Weekday          int // 1 is Monday; 0 where none is written
	Start            int // byte where it stands in its text
}

func (d Date) OK() bool { return d.Month > 0 || d.Day > 0 || d.A > 0 }

// Full says whether day and month are known.
func (d Date) Full() bool { return d.Month > 0 && d.Day > 0 }

func (d Date) String() string {
	switch {
	case d.A > 0:
		return fmt.Sprintf("%d/%d", d.A, d.B)
	case d.Year == 0:
		return fmt.Sprintf("%02d-%02d", d.Month, d.Day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Time is the start of the day at UTC; zero where it is not a full date that exists.
func (d Date) Time() time.Time {
	if d.Year == 0 || !ValidDay(d.Year, d.Month, d.Day) {
		return time.Time{}
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
}

func DateOf(t time.Time) Date { return Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()} }

// Add is the date n days later.
func (d Date) Add(n int) Date {
	t := d.Time()
	if t.IsZero() {
		return d
	}
	x := DateOf(t.AddDate(0, 0, n))
	return x
}

// Same says whether two dates are the same day, as far as both say.
func (d Date) Same(o Date) bool {
	return d.Month == o.Month && d.Day == o.Day && (d.Year == o.Year || d.Year == 0 || o.Year == 0)
}

func ValidDay(y, m, d int) bool {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	if y == 0 {
		y = 2024 // a leap year: what could be, may be
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return t.Day() == d
}

func IsoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// dateAt reads a date that begins with the number v of n digits at i.
func (sc *Scanner) dateAt(i, v, n int) (int, bool) {
	s := sc.S
	j := i + n
	if j >= len(s) {
		return 0, false
	}
	add := func(d Date, end int) (int, bool) {
		d.Weekday, d.Start = sc.weekdayNear(i, end), i
		if e := sc.weekdayEnd(end); e > 0 {
			end = e
		}
		sc.out = append(sc.out, Stamp{Start: i, End: end, Date: d})
		if end < len(s) && s[end] == 'T' && lexicon.DigitAt(s, end+1) {
			end++
		}
		return end, true
	}
	r, rn := utf8.DecodeRuneInString(s[j:])
	switch {
	case n == 4 && lexicon.ValidYear(v) && (r == '-' || r == '/' || r == '.'):
		m, mn := lexicon.Digits(s, j+1)
		k := j + 1 + mn
		if mn < 1 || mn > 2 || k >= len(s) || s[k] != s[j] {
			return 0, false
		}
		d, dn := lexicon.Digits(s, k+1)
		if dn < 1 || dn > 2 || !ValidDay(v, m, d) {
			return 0, false
		}
		return add(Date{Year: v, Month: m, Day: d}, k+1+dn)
	case n == 4 && lexicon.ValidYear(v) && r == '年':
		k := lexicon.SkipSpaces(s, j+rn)
		m, mn := lexicon.Digits(s, k)
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
		return add(Date{Day: v}, j+rn)
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

func (sc *Scanner) cjkMonth(i, y, m, k int, add func(Date, int) (int, bool)) (int, bool) {
	s := sc.S
	r, rn := utf8.DecodeRuneInString(s[min(k, len(s)):])
	if r != '月' || m < 1 || m > 12 {
		return 0, false
	}
	k = lexicon.SkipSpaces(s, k+rn)
	d, dn := lexicon.Digits(s, k)
	if dn == 0 || dn > 2 {
		return 0, false
	}
	r, rn = utf8.DecodeRuneInString(s[k+dn:])
	if r != '日' && r != '号' || !ValidDay(y, m, d) {
		return 0, false
	}
	return add(Date{Year: y, Month: m, Day: d}, k+dn+rn)
}

// numericDate reads 18/04/2018, 06.30.25, 11-01-2024, and without a year 24/6 and 03-26 where a time or a bracket says
// that it is one.
func (sc *Scanner) numericDate(i, v, j int, add func(Date, int) (int, bool)) (int, bool) {
	s := sc.S
	sep := s[j]
	w, wn := lexicon.Digits(s, j+1)
	k := j + 1 + wn
	if wn < 1 || wn > 2 || w < 1 || w > 31 {
		return 0, false
	}
	if k+1 < len(s) && s[k] == sep && lexicon.IsDigit(s[k+1]) {
		y, yn := lexicon.Digits(s, k+1)
		if k+1+yn < len(s) && (s[k+1+yn] == sep && lexicon.DigitAt(s, k+2+yn) || lexicon.IsLetter(s[k+1+yn]) && s[k+1+yn] != 'T') {
			return 0, false // a version or an address
		}
		switch {
		case yn == 2:
			y += 2000
		case yn != 4:
			return 0, false
		}
		if !lexicon.ValidYear(y) || v > 12 && w > 12 {
			return 0, false
		}
		return add(Numeric(y, v, w), k+1+yn)
	}
	if k < len(s) && (lexicon.IsLetter(s[k]) || s[k] == '%' || s[k] == ':') {
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
	if e := lexicon.SkipSpaces(s, k); e > k || e == k && bracket {
		if e < len(s) && s[e] == ',' {
			e = lexicon.SkipSpaces(s, e+1)
		}
		h, hn := lexicon.Digits(s, e)
		clock = (hn == 1 || hn == 2) && h < 25 && e+hn < len(s) && (s[e+hn] == ':' || s[e+hn] == 'h' || s[e+hn] == '.') &&
			lexicon.DigitAt(s, e+hn+1)
	}
	cjk := false
	if k < len(s) && sep == '/' {
		r, _ := utf8.DecodeRuneInString(s[k:])
		cjk = lexicon.IsCJK(r) || r == '(' && sc.T.Script != ""
	}
	weekday := sc.weekdayNear(i, k) > 0
	switch {
	case sep == '/' && (bracket && closed || clock || cjk || weekday):
	case sep == '-' && clock && (bracket || i == 0) && wn == 2 && j-i == 2:
		return add(Date{Month: v, Day: w}, k) // month first, as in ISO
	case sep == '.' && k < len(s) && s[k] == '.' && !(lexicon.DigitAt(s, k+1)) && v <= 31 && w <= 12: // 18.4.
		if sc.T.Script == "" && sc.T.Code != "en" {
			return add(Date{Month: w, Day: v}, k+1)
		}
		return 0, false
	default:
		return 0, false
	}
	if v > 12 && w > 12 || v == 24 && w == 7 {
		return 0, false
	}
	if sc.T.Script != "" && v <= 12 {
		return add(Date{Month: v, Day: w}, k) // 5/22: Japanese and Chinese put the month first
	}
	return add(Numeric(0, v, w), k)
}

// Numeric is the date of two numbers of which one may settle which is the month.
func Numeric(y, a, b int) Date {
	switch {
	case a > 12:
		return Date{Year: y, Month: b, Day: a}
	case b > 12:
		return Date{Year: y, Month: a, Day: b}
	case a == b:
		return Date{Year: y, Month: a, Day: a}
	}
	return Date{Year: y, A: a, B: b}
}

// dayFirst reads "11 July 2025", "19. April", "11 de octubre de 2016", "1er mars".
func (sc *Scanner) dayFirst(i, v, j int, add func(Date, int) (int, bool)) (int, bool) {
	s := sc.S
	for _, o := range []string{"st", "nd", "rd", "th", "er", "º", "o", "e", "."} {
		if strings.HasPrefix(s[j:], o) && (j+len(o) == len(s) || !lexicon.IsWord(s[j+len(o)])) {
			j += len(o)
			break
		}
	}
	k := sc.At(j)
	if k >= len(sc.Toks) || sc.Toks[k].Start > j+1 {
		return 0, false
	}
	if w := sc.Toks[k].Text; w == "de" || w == "of" || w == "di" || w == "d" || w == "do" {
		k++
	}
	if k >= len(sc.Toks) || sc.Toks[k].Start > j+6 {
		return 0, false
	}
	m := sc.T.Month(sc.Toks[k].Text)
	if m == 0 || !ValidDay(0, m, v) {
		return 0, false
	}
	y, end := sc.yearAfter(sc.Toks[k].End)
	return add(Date{Year: y, Month: m, Day: v}, end)
}

// yearAfter reads a year that may follow at byte i, and where the date ends.
func (sc *Scanner) yearAfter(i int) (y, end int) {
	s := sc.S
	j := i
	if j < len(s) && s[j] == '.' {
		j++
	}
	j = lexicon.SkipSpaces(s, j)
	if j < len(s) && s[j] == ',' {
		j = lexicon.SkipSpaces(s, j+1)
	}
	for _, w := range []string{"de ", "del ", "of ", "do "} {
		if strings.HasPrefix(s[j:], w) {
			j += len(w)
			break
		}
	}
	v, n := lexicon.Digits(s, j)
	if n == 4 && lexicon.ValidYear(v) && !(j+4 < len(s) && s[j+4] == ':') {
		return v, j + 4
	}
	return 0, i
}

// monthFirst reads "July 11, 2025", "Sep 15", "March 26th, 2019" and "Oct 11 15:50:41 2016".
func (sc *Scanner) monthFirst(i, j, m int) (int, bool) {
	s := sc.S
	k := j
	if k < len(s) && s[k] == '.' {
		k++
	}
	k = lexicon.SkipSpaces(s, k)
	v, n := lexicon.Digits(s, k)
	if n < 1 || n > 2 || k == j || !ValidDay(0, m, v) {
		return 0, false
	}
	e := k + n
	if e < len(s) && (s[e] == ':' && lexicon.DigitAt(s, e+1) || s[e] == '%' || s[e] == '.' && lexicon.DigitAt(s, e+1)) {
		return 0, false
	}
	for _, o := range []string{"st", "nd", "rd", "th"} {
		if strings.HasPrefix(s[e:], o) {
			e += 2
			break
		}
	}
	if e < len(s) && lexicon.IsLetter(s[e]) {
		return 0, false
	}
	y, end := sc.yearAfter(e)
	if y == 0 { // "October 28-31, 2021"
		rest := strings.TrimLeft(s[e:min(len(s), e+5)], " -–")
		if d2, n2 := lexicon.Digits(rest, 0); n2 > 0 && n2 <= 2 && d2 > v && d2 <= 31 && len(rest) < len(s[e:min(len(s), e+5)]) {
			at := e + len(s[e:min(len(s), e+5)]) - len(rest) + n2
			if yy, end2 := sc.yearAfter(at); yy > 0 && strings.ContainsAny(s[e:at], "-–") {
				y, end = yy, end2
			}
		}
	}
	if y == 0 { // git's form: the year after the time
		if q := lexicon.SkipSpaces(s, e); q+14 <= len(s) && lexicon.IsDigit(s[q]) && s[min(q+2, len(s)-1)] == ':' {
			if yy, yn := lexicon.Digits(s, q+9); yn == 4 && lexicon.ValidYear(yy) {
				y = yy
			}
		}
	}
	if t := sc.At(i); y == 0 && t > 0 && sc.Toks[t-1].End >= i-2 { // "2018 October 21"
		if yy, yn := lexicon.Digits(sc.Toks[t-1].Text, 0); yn == 4 && len(sc.Toks[t-1].Text) == 4 && lexicon.ValidYear(yy) {
			y, i = yy, sc.Toks[t-1].Start
		}
	}
	d := Date{Year: y, Month: m, Day: v, Weekday: sc.weekdayNear(i, end), Start: i}
	if w := sc.weekdayEnd(end); w > 0 {
		end = w
	}
	sc.out = append(sc.out, Stamp{Start: i, End: end, Date: d})
	return end, true
}

// weekdayNear is the weekday written within two words before byte from or after byte to.
func (sc *Scanner) weekdayNear(from, to int) int {
	k := sc.At(from)
	for b := k - 1; b >= 0 && b >= k-3; b-- {
		if w := sc.weekday(b); w > 0 {
			return w
		}
		if !sc.Toks[b].Comma && len(sc.Toks[b].Text) > 4 {
			break
		}
	}
	k = sc.At(to)
	for a := k; a < len(sc.Toks) && a <= k+1; a++ {
		if w := sc.weekday(a); w > 0 && sc.Toks[a].Start <= to+3 {
			return w
		}
	}
	return 0
}

// weekdayEnd is where a weekday in brackets directly after byte i ends: 2024年6月20日（木）.
func (sc *Scanner) weekdayEnd(i int) int {
	rest := sc.S[i:min(len(sc.S), i+20)]
	trimmed := strings.TrimLeft(rest, " ")
	if !strings.HasPrefix(trimmed, "(") {
		return 0
	}
	c := strings.IndexByte(rest, ')')
	if c < 0 {
		return 0
	}
	k := sc.At(i + len(rest) - len(trimmed) + 1)
	if k < len(sc.Toks) && sc.Toks[k].End <= i+c && sc.weekday(k) > 0 {
		return i + c + 1
	}
	return 0
}

func (sc *Scanner) weekday(i int) int {
	if w := sc.T.Weekdays[sc.Toks[i].Text]; w > 0 {
		return w
	}
	// 星期二, 周二, 火曜日
	if sc.T.Script != "" && i+1 < len(sc.Toks) {
		two := sc.Toks[i].Text + sc.Toks[i+1].Text
		if w := sc.T.Weekdays[two]; w > 0 {
			return w
		}
		if i+2 < len(sc.Toks) {
			if w := sc.T.Weekdays[two+sc.Toks[i+2].Text]; w > 0 {
				return w
			}
		}
	}
	return 0
}
