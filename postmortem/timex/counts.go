package timex

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
)

// word reads what begins with the letter at i: a month name before a day, a weekday, "T+5".
func (sc *Scanner) word(i int) int {
	s := sc.S
	if (s[i] == 'T' || s[i] == 't') && i+2 < len(s) && (i == 0 || !lexicon.IsWord(s[i-1])) && (s[i+1] == '+' || s[i+1] == '-') &&
		lexicon.IsDigit(s[i+2]) {
		if e, ok := sc.tPlus(i); ok {
			return e
		}
	}
	if (s[i] == 'T' || s[i] == 't') && i+1 < len(s) && s[i+1] == '0' && (i == 0 || !lexicon.IsWord(s[i-1])) &&
		(i+2 == len(s) || !lexicon.IsWord(s[i+2])) {
		sc.out = append(sc.out, Stamp{Start: i, End: i + 2, Relative: true})
		return i + 2
	}
	j := i
	for j < len(s) {
		r, n := utf8.DecodeRuneInString(s[j:])
		if !unicode.IsLetter(r) || lexicon.IsCJK(r) {
			break
		}
		j += n
	}
	if j == i {
		return i + 1
	}
	if j < len(s) && lexicon.IsDigit(s[j]) || i > 0 && lexicon.IsDigit(s[i-1]) {
		return sc.skipWord(j)
	}
	w := lexicon.FoldWord(s[i:j])
	if m := sc.T.Month(w); m > 0 && j < len(s) {
		if e, ok := sc.monthFirst(i, j, m); ok {
			return e
		}
	}
	return j
}

// tPlus reads T+5, T+5m, T+1h05, T+00:12, T-10m.
func (sc *Scanner) tPlus(i int) (int, bool) {
	s := sc.S
	v, n := lexicon.Digits(s, i+2)
	j := i + 2 + n
	if n > 4 {
		return 0, false
	}
	d := time.Duration(v) * time.Minute
	switch {
	case j+2 < len(s) && s[j] == ':' && lexicon.IsDigit(s[j+1]) && lexicon.IsDigit(s[j+2]):
		m, _ := lexicon.Digits(s, j+1)
		d = time.Duration(v)*time.Hour + time.Duration(m)*time.Minute
		j += 3
	case j < len(s) && s[j] == 'h':
		d = time.Duration(v) * time.Hour
		j++
		if m, mn := lexicon.Digits(s, j); mn > 0 && mn <= 2 {
			d += time.Duration(m) * time.Minute
			j += mn
			if j < len(s) && s[j] == 'm' {
				j++
			}
		}
	case j < len(s) && s[j] == 's' && !(j+1 < len(s) && lexicon.IsLetter(s[j+1])):
		d = time.Duration(v) * time.Second
		j++
	default:
		k := lexicon.SkipSpaces(s, j)
		if e := sc.skipWord(k); e > k {
			switch strings.ToLower(s[k:e]) {
			case "m", "min", "mins", "minutes", "minute":
				j = e
			case "h", "hours", "hour":
				d, j = time.Duration(v)*time.Hour, e
			}
		}
	}
	if s[i+1] == '-' {
		d = -d
	}
	sc.out = append(sc.out, Stamp{Start: i, End: j, Relative: true, Plus: d})
	return j, true
}

// scanUnknown adds the places where a text says a time is not known: "22:XX", "XX:XX", "Time TBC".
func scanUnknown(s string, out []Stamp) []Stamp {
	for i := 0; i+4 < len(s); i++ {
		if s[i+2] == ':' && (i == 0 || !lexicon.IsWord(s[i-1])) && (i+5 == len(s) || !lexicon.IsWord(s[i+5])) {
			h, m := s[i:i+2], s[i+3:i+5]
			if placeholder(m) && (placeholder(h) || lexicon.IsDigit(h[0]) && lexicon.IsDigit(h[1])) {
				out = append(out, Stamp{Start: i, End: i + 5, Unknown: true})
			}
		}
	}
	return out
}

func placeholder(s string) bool {
	switch strings.ToLower(s) {
	case "xx", "??", "--", "nn", "hh", "mm", "__", "tt":
		return true
	}
	return false
}

// bareClock reads the four digits at byte i.
func (sc *Scanner) bareClock(i, v int) int {
	s := sc.S
	st := Stamp{Start: i, Clock: i, HasClock: true, Hour: v / 100, Minute: v % 100}
	j := i + 4
	if e := sc.wordAfter(j); e > 0 {
		j = e
	}
	if z, e := zoneAt(s, j, sc.T, true); e > 0 && !z.isOffsetOnly() {
		st.Zone, j = z, e
	}
	// A range: "0937-0944".
	if k := j + 1; k+4 <= len(s) && s[j] == '-' && document.IsBare(s[k:], 0) {
		w, _ := lexicon.Digits(s, k)
		st.To = &Stamp{Start: k, End: k + 4, Clock: k, HasClock: true, Hour: w / 100, Minute: w % 100}
		j = k + 4
	}
	st.End = j
	sc.out = append(sc.out, st)
	return j
}
