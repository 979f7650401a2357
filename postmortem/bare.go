package postmortem

import "strings"

// Some keep their logs in clock times without a mark between hour and minute: "0937 chiller trips". Four digits may be
// anything, so they are read as a time only at the beginning of a line, and only where several lines begin so and run like
// a clock does.

// minBare is how many lines have to begin with four digits that can be a time.
const minBare = 3

// isBare says whether the four digits at byte i stand where a line's time stands and can be one.
func isBare(s string, i int) bool {
	if strings.Trim(s[:i], "*[(_~` -–—") != "" || len(s) < i+4 {
		return false
	}
	v, n := digits(s, i)
	if n != 4 || v/100 > 23 || v%100 > 59 {
		return false
	}
	rest := strings.TrimLeft(s[i+4:], "*])_`")
	for _, u := range []string{"Z", "z", "h", "hrs", "L"} {
		if after, ok := strings.CutPrefix(rest, u); ok && (after == "" || !isLetter(after[0])) {
			rest = after
			break
		}
	}
	return rest == "" || strings.IndexByte(" :-,;\t|", rest[0]) >= 0 || strings.HasPrefix(rest, "–") || strings.HasPrefix(rest, "—")
}

// bareTimes says whether lines are the entries of a timeline with such times: enough of them, not more steps back than
// forward, and not all of them years.
func bareTimes(lines func(yield func(string) bool)) bool {
	n, years, up, down, last := 0, 0, 0, 0, -1
	for l := range lines {
		l = strings.TrimSpace(l)
		l = strings.TrimSpace(l[bullet(l):])
		i := len(l) - len(strings.TrimLeft(l, "*[(_~` |"))
		if i >= len(l) || !isDigit(l[i]) || !isBare(l, i) {
			continue
		}
		v, _ := digits(l, i)
		n++
		if validYear(v) {
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

// bareClock reads the four digits at byte i.
func (sc *scanner) bareClock(i, v int) int {
	s := sc.s
	st := stamp{start: i, clock: i, hasClock: true, h: v / 100, m: v % 100}
	j := i + 4
	if e := sc.wordAfter(j); e > 0 {
		j = e
	}
	if z, e := zoneAt(s, j, sc.t, true); e > 0 && !z.isOffsetOnly() {
		st.zone, j = z, e
	}
	// A range: "0937-0944".
	if k := j + 1; k+4 <= len(s) && s[j] == '-' && isBare(s[k:], 0) {
		w, _ := digits(s, k)
		st.to = &stamp{start: k, end: k + 4, clock: k, hasClock: true, h: w / 100, m: w % 100}
		j = k + 4
	}
	st.end = j
	sc.out = append(sc.out, st)
	return j
}
