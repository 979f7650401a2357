package document

import (
	"strings"

	"meantime/postmortem/lexicon"
)

// Some keep their logs in clock times without a mark between hour and minute: "0937 chiller trips". Four digits may be
// anything, so they are read as a time only at the beginning of a line, and only where several lines begin so and run like
// a clock does.

// minBare is how many lines have to begin with four digits that can be a time.
const minBare = 3

// IsBare says whether the four digits at byte i stand where a line's time stands and can be one.
func IsBare(s string, i int) bool {
	if strings.Trim(s[:i], "*[(_~` -–—") != "" || len(s) < i+4 {
		return false
	}
	v, n := lexicon.Digits(s, i)
	if n != 4 || v/100 > 23 || v%100 > 59 {
		return false
	}
	rest := strings.TrimLeft(s[i+4:], "*])_`")
	for _, u := range []string{"Z", "z", "h", "hrs", "L"} {
		if after, ok := strings.CutPrefix(rest, u); ok && (after == "" || !lexicon.IsLetter(after[0])) {
			rest = after
			break
		}
	}
	return rest == "" || strings.IndexByte(" :-,;\t|", rest[0]) >= 0 || strings.HasPrefix(rest, "–") || strings.HasPrefix(rest, "—")
}

// BareTimes says whether lines are the entries of a timeline with such times: enough of them, not more steps back than
// forward, and not all of them years.
func BareTimes(lines func(yield func(string) bool)) bool {
	n, years, up, down, last := 0, 0, 0, 0, -1
	for l := range lines {
		l = strings.TrimSpace(l)
		l = strings.TrimSpace(l[bullet(l):])
		i := len(l) - len(strings.TrimLeft(l, "*[(_~` |"))
		if i >= len(l) || !lexicon.IsDigit(l[i]) || !IsBare(l, i) {
			continue
		}
		v, _ := lexicon.Digits(l, i)
		n++
		if lexicon.ValidYear(v) {
			years++
		}
		switch {
		case last >= 0 && v > last:
			up++
		case last >= 0 && v < last:
			down++
		}
		last = v
	}
	return n >= minBare && years < n && (down <= 1+up/4 || up <= 1+down/4)
}
