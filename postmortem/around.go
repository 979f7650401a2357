package postmortem

import (
	"strings"
	"unicode/utf8"
)

// cjkClock reads 15時42分, 15点23分, 14時半 and their kind.
func (sc *scanner) cjkClock(j int, st *stamp) (int, bool) {
	s := sc.s
	r, n := utf8.DecodeRuneInString(s[j:])
	if r != '時' && r != '时' && r != '点' && r != '點' {
		return 0, false
	}
	j += n
	if next, nn := utf8.DecodeRuneInString(s[j:]); next == '间' || next == '間' {
		return 0, false // hours, not o'clock
	} else if next == '半' {
		st.m = 30
		return j + nn, true
	}
	m, mn := digits(s, j)
	if mn == 1 || mn == 2 {
		r2, n2 := utf8.DecodeRuneInString(s[j+mn:])
		if r2 == '分' {
			j += mn + n2
			st.m = m
			if sec, sn := digits(s, j); sn == 1 || sn == 2 {
				if r3, n3 := utf8.DecodeRuneInString(s[j+sn:]); r3 == '秒' && sec < 60 {
					st.s, st.seconds = sec, true
					j += sn + n3
				}
			}
			return j, true
		}
		if mn == 2 && m < 60 && (r == '点' || r == '點') {
			st.m = m
			return j + mn, true
		}
	}
	if mn != 0 {
		return 0, false
	}
	// 点 alone is also "points": it needs a date or a day part before it.
	if r == '点' || r == '點' {
		p := strings.TrimRight(s[:st.start], " ")
		last, _ := utf8.DecodeLastRuneInString(p)
		if !strings.ContainsRune("日号午晨上", last) {
			return 0, false
		}
	}
	st.hourOnly = true
	return j, true
}

// unitAhead is the seconds of the duration unit that follows at i, 0 where none does.
func (sc *scanner) unitAhead(i int) int {
	k := sc.at(i)
	if k >= len(sc.toks) || sc.toks[k].start > i+1 {
		return 0
	}
	if u := sc.t.units[sc.toks[k].text]; u > 0 {
		return u
	}
	return 0
}

// wordBefore says whether a word that announces a clock time stands directly before byte i.
func (sc *scanner) wordBefore(i int) bool {
	k := sc.at(i)
	for _, a := range sc.t.before {
		if b := k - len(a); b >= 0 && (part{alts: []alt{a}}).fits(sc.toks, b, k) {
			return true
		}
	}
	for _, a := range sc.t.approx { // "pukul sekitar", "gegen"
		if b := k - len(a); b > 0 && (part{alts: []alt{a}}).fits(sc.toks, b, k) {
			for _, w := range sc.t.before {
				if c := b - len(w); c >= 0 && (part{alts: []alt{w}}).fits(sc.toks, c, b) {
					return true
				}
			}
		}
	}
	return false
}

// quantityBefore says whether the number at i is counted ("about 9 hours", "in 9h") rather than a time of day.
func (sc *scanner) quantityBefore(i int) bool { return sc.unitAhead(i) > 0 }

// rangeBefore says whether the number at i ends a range whose first end is a time: "18.02-19.00 WIB".
func (sc *scanner) rangeBefore(i int) bool {
	if n := len(sc.out); n > 0 && sc.out[n-1].hasClock {
		gap := strings.TrimSpace(sc.s[sc.out[n-1].end:i])
		return gap == "-" || gap == "–" || gap == "—" || gap == "~"
	}
	return false
}

// wordAfter is the end of a word such as "Uhr" or "hrs" after byte i, or 0.
func (sc *scanner) wordAfter(i int) int {
	k := sc.at(i)
	if k >= len(sc.toks) || sc.toks[k].start > i+1 || sc.toks[k].comma {
		return 0
	}
	if e := matchAt(sc.t.clockAfter, sc.toks, k); e > 0 {
		return sc.toks[e-1].end
	}
	return 0
}

// daypartAfter reads "sore", "de la tarde", "in the morning" after a time.
func (sc *scanner) daypartAfter(i int, st *stamp) int {
	k := sc.at(i)
	if k < len(sc.toks) && sc.toks[k].comma {
		return 0
	}
	for _, d := range sc.t.dayparts {
		if e := matchAt(d.words, sc.toks, k); e > 0 && sc.toks[k].start <= i+2 {
			if !st.twelve {
				setPart(st, d.from, d.to)
			}
			return sc.toks[e-1].end
		}
	}
	return 0
}

// daypartBefore reads 午後 and its kind before a time.
func (sc *scanner) daypartBefore(st *stamp) {
	if st.twelve || sc.t.Script == "" {
		return
	}
	k := sc.at(st.start)
	for _, d := range sc.t.dayparts {
		for _, a := range d.words {
			if b := k - len(a); b >= 0 && (part{alts: []alt{a}}).fits(sc.toks, b, k) {
				setPart(st, d.from, d.to)
				st.start = sc.toks[b].start
				return
			}
		}
	}
}

// nextDay reads "the next day at 06:30".
func (sc *scanner) nextDay(st *stamp) {
	k := sc.at(st.start)
	for _, a := range sc.t.nextDay {
		for _, skip := range []int{0, 1, 2} {
			b := k - len(a) - skip
			if b < 0 || !(part{alts: []alt{a}}).fits(sc.toks, b, b+len(a)) || skip > 0 && !sc.onlyJoin(b+len(a), k) {
				continue
			}
			if n := len(sc.out); n > 0 && sc.out[n-1].end > sc.toks[b].start {
				return
			}
			st.next, st.start = true, sc.toks[b].start
			return
		}
	}
}

// around looks for "about" before the tokens from..to, and for "about" or "from then on" after them.
func (sc *scanner) around(from, to int, st *stamp) {
	if b := strings.TrimRight(sc.s[:st.start], " "); strings.HasSuffix(b, "~") || strings.HasSuffix(b, "≈") || strings.HasSuffix(b, "c.") || strings.HasSuffix(b, "±") {
		if !strings.HasSuffix(b, "~") || len(b) < 2 || !isDigit(b[len(b)-2]) && !strings.HasSuffix(strings.TrimRight(b[:len(b)-1], " "), "分") {
			st.approx = true
		}
	}
	for _, a := range sc.t.approx {
		for skip := 0; skip <= 2; skip++ { // "about at", "um etwa"
			if b := from - len(a) - skip; b >= 0 && (part{alts: []alt{a}}).fits(sc.toks, b, b+len(a)) {
				if skip == 0 || sc.onlyJoin(b+len(a), from) {
					st.approx = true
				}
			}
		}
	}
	k := to
	if k < len(sc.toks) && sc.toks[k].start <= st.end+2 {
		if e := matchAt(sc.t.approxAfter, sc.toks, k); e > 0 {
			st.approx = true
			k = e
		}
		if k < len(sc.toks) && matchAt(sc.t.since, sc.toks, k) > 0 {
			st.since = true
		}
	}
}

// onlyJoin says whether the tokens from..to, to excluded, are only words and marks that stand between a date and a time.
func (sc *scanner) onlyJoin(from, to int) bool {
	if to-from > 6 {
		return false
	}
	for i := from; i < to; {
		if sc.toks[i].comma {
			i++
			continue
		}
		e := 0
		for _, as := range [][]alt{sc.t.join, sc.t.before, sc.t.approx} {
			e = max(e, matchAt(as, sc.toks, i))
		}
		if sc.t.weekdays[sc.toks[i].text] > 0 {
			e = max(e, i+1)
		}
		if e == 0 || e > to {
			return false
		}
		if e < to && sc.toks[e].stop && sc.abbreviated(sc.toks[i].start, sc.toks[e].end) {
			e++
		}
		i = e
	}
	return true
}
