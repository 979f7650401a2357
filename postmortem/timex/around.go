package timex

import (
	"strings"
	"unicode/utf8"

	"meantime/postmortem/lexicon"
)

// cjkClock reads 15時42分, 15点23分, 14時半 and their kind.
func (sc *Scanner) cjkClock(j int, st *Stamp) (int, bool) {
	s := sc.S
	r, n := utf8.DecodeRuneInString(s[j:])
	if r != '時' && r != '时' && r != '点' && r != '點' {
		return 0, false
	}
	j += n
	if next, nn := utf8.DecodeRuneInString(s[j:]); next == '间' || next == '間' {
		return 0, false // hours, not o'clock
	} else if next == '半' {
		st.Minute = 30
		return j + nn, true
	}
	m, mn := lexicon.Digits(s, j)
	if mn == 1 || mn == 2 {
		r2, n2 := utf8.DecodeRuneInString(s[j+mn:])
		if r2 == '分' {
			j += mn + n2
			st.Minute = m
			if sec, sn := lexicon.Digits(s, j); sn == 1 || sn == 2 {
				if r3, n3 := utf8.DecodeRuneInString(s[j+sn:]); r3 == '秒' && sec < 60 {
					st.Second, st.Seconds = sec, true
					j += sn + n3
				}
			}
			return j, true
		}
		if mn == 2 && m < 60 && (r == '点' || r == '點') {
			st.Minute = m
			return j + mn, true
		}
	}
	if mn != 0 {
		return 0, false
	}
	// 点 alone is also "points": it needs a date or a day part before it.
	if r == '点' || r == '點' {
		p := strings.TrimRight(s[:st.Start], " ")
		last, _ := utf8.DecodeLastRuneInString(p)
		if !strings.ContainsRune("日号午晨上", last) {
			return 0, false
		}
	}
	st.HourOnly = true
	return j, true
}

// unitAhead is the seconds of the duration unit that follows at i, 0 where none does.
func (sc *Scanner) unitAhead(i int) int {
	k := sc.At(i)
	if k >= len(sc.Toks) || sc.Toks[k].Start > i+1 {
		return 0
	}
	if u := sc.T.Units[sc.Toks[k].Text]; u > 0 {
		return u
	}
	return 0
}

// wordBefore says whether a word that announces a clock time stands directly before byte i.
func (sc *Scanner) wordBefore(i int) bool {
	k := sc.At(i)
	for _, a := range sc.T.Before {
		if b := k - len(a); b >= 0 && (lexicon.Part{Alts: []lexicon.Alt{a}}).Fits(sc.Toks, b, k) {
			return true
		}
	}
	for _, a := range sc.T.Approx { // "pukul sekitar", "gegen"
		if b := k - len(a); b > 0 && (lexicon.Part{Alts: []lexicon.Alt{a}}).Fits(sc.Toks, b, k) {
			for _, w := range sc.T.Before {
				if c := b - len(w); c >= 0 && (lexicon.Part{Alts: []lexicon.Alt{w}}).Fits(sc.Toks, c, b) {
					return true
				}
			}
		}
	}
	return false
}

// quantityBefore says whether the number at i is counted ("about 9 hours", "in 9h") rather than a time of day.
func (sc *Scanner) quantityBefore(i int) bool { return sc.unitAhead(i) > 0 }

// rangeBefore says whether the number at i ends a range whose first end is a time: "18.02-19.00 WIB".
func (sc *Scanner) rangeBefore(i int) bool {
	if n := len(sc.out); n > 0 && sc.out[n-1].HasClock {
		gap := strings.TrimSpace(sc.S[sc.out[n-1].End:i])
		return gap == "-" || gap == "–" || gap == "—" || gap == "~"
	}
	return false
}

// wordAfter is the end of a word such as "Uhr" or "hrs" after byte i, or 0.
func (sc *Scanner) wordAfter(i int) int {
	k := sc.At(i)
	if k >= len(sc.Toks) || sc.Toks[k].Start > i+1 || sc.Toks[k].Comma {
		return 0
	}
	if e := lexicon.MatchAt(sc.T.ClockAfter, sc.Toks, k); e > 0 {
		return sc.Toks[e-1].End
	}
	return 0
}

// daypartAfter reads "sore", "de la tarde", "in the morning" after a time.
func (sc *Scanner) daypartAfter(i int, st *Stamp) int {
	k := sc.At(i)
	if k < len(sc.Toks) && sc.Toks[k].Comma {
		return 0
	}
	for _, d := range sc.T.Dayparts {
		if e := lexicon.MatchAt(d.Words, sc.Toks, k); e > 0 && sc.Toks[k].Start <= i+2 {
			if !st.Twelve {
				setPart(st, d.From, d.To)
			}
			return sc.Toks[e-1].End
		}
	}
	return 0
}

// daypartBefore reads 午後 and its kind before a time.
func (sc *Scanner) daypartBefore(st *Stamp) {
	if st.Twelve || sc.T.Script == "" {
		return
	}
	k := sc.At(st.Start)
	for _, d := range sc.T.Dayparts {
		for _, a := range d.Words {
			if b := k - len(a); b >= 0 && (lexicon.Part{Alts: []lexicon.Alt{a}}).Fits(sc.Toks, b, k) {
				setPart(st, d.From, d.To)
				st.Start = sc.Toks[b].Start
				return
			}
		}
	}
}

// nextDay reads "the next day at 06:30".
func (sc *Scanner) nextDay(st *Stamp) {
	k := sc.At(st.Start)
	for _, a := range sc.T.NextDay {
		for _, skip := range []int{0, 1, 2} {
			b := k - len(a) - skip
			if b < 0 || !(lexicon.Part{Alts: []lexicon.Alt{a}}).Fits(sc.Toks, b, b+len(a)) || skip > 0 && !sc.OnlyJoin(b+len(a), k) {
				continue
			}
			if n := len(sc.out); n > 0 && sc.out[n-1].End > sc.Toks[b].Start {
				return
			}
			st.Next, st.Start = true, sc.Toks[b].Start
			return
		}
	}
}

// around looks for "about" before the tokens from..to, and for "about" or "from then on" after them.
func (sc *Scanner) around(from, to int, st *Stamp) {
	if b := strings.TrimRight(sc.S[:st.Start], " "); strings.HasSuffix(b, "~") || strings.HasSuffix(b, "≈") || strings.HasSuffix(b, "c.") ||
		strings.HasSuffix(b, "±") {
		if !strings.HasSuffix(b, "~") || len(b) < 2 || !lexicon.IsDigit(b[len(b)-2]) &&
			!strings.HasSuffix(strings.TrimRight(b[:len(b)-1], " "), "分") {
			st.Approx = true
		}
	}
	for _, a := range sc.T.Approx {
		for skip := 0; skip <= 2; skip++ { // "about at", "um etwa"
			if b := from - len(a) - skip; b >= 0 && (lexicon.Part{Alts: []lexicon.Alt{a}}).Fits(sc.Toks, b, b+len(a)) {
				if skip == 0 || sc.OnlyJoin(b+len(a), from) {
					st.Approx = true
				}
			}
		}
	}
	k := to
	if k < len(sc.Toks) && sc.Toks[k].Start <= st.End+2 {
		if e := lexicon.MatchAt(sc.T.ApproxAfter, sc.Toks, k); e > 0 {
			st.Approx = true
			k = e
		}
		if k < len(sc.Toks) && lexicon.MatchAt(sc.T.Since, sc.Toks, k) > 0 {
			st.since = true
		}
	}
}

// OnlyJoin says whether the tokens from..to, to excluded, are only words and marks that stand between a date and a time.
func (sc *Scanner) OnlyJoin(from, to int) bool {
	if to-from > 6 {
		return false
	}
	for i := from; i < to; {
		if sc.Toks[i].Comma {
			i++
			continue
		}
		e := 0
		for _, as := range [][]lexicon.Alt{sc.T.Join, sc.T.Before, sc.T.Approx} {
			e = max(e, lexicon.MatchAt(as, sc.Toks, i))
		}
		if sc.T.Weekdays[sc.Toks[i].Text] > 0 {
			e = max(e, i+1)
		}
		if e == 0 || e > to {
			return false
		}
		if e < to && sc.Toks[e].Stop && sc.abbreviated(sc.Toks[i].Start, sc.Toks[e].End) {
			e++
		}
		i = e
	}
	return true
}
