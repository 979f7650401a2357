package postmortem

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
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

// digits reads a run of digits at i.
func digits(s string, i int) (v, n int) {
	for i+n < len(s) && isDigit(s[i+n]) {
		if n < 9 {
			v = v*10 + int(s[i+n]-'0')
		}
		n++
	}
	return v, n
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
		lead := i == 0 && sc.t.main.Code != "en" && (j == len(s) || strings.IndexByte(" ,:-)", s[j]) >= 0)
		if !(lead || sc.wordBefore(i) || ze > 0 || sc.wordAfter(j) > 0 || sc.rangeBefore(i)) || strings.HasPrefix(s[j:], "%") {
			return 0, false
		}
	default:
		if k, ok := sc.cjkClock(j, &st); ok {
			j = k
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

func digitAt(s string, i int) bool { return i < len(s) && isDigit(s[i]) }

func skipSpaces(s string, i int) int {
	for k := 0; k < 3 && i < len(s) && s[i] == ' '; k++ {
		i++
	}
	return i
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
	for _, lx := range sc.t.all {
		if u := lx.units[sc.toks[k].text]; u > 0 {
			return u
		}
	}
	return 0
}

// isClockWord says whether token i begins one of the words that follow a clock time, such as "Uhr" or "h".
func (t tongue) isClockWord(toks []token, i int) bool {
	for _, lx := range t.all {
		if matchAt(lx.clockAfter, toks, i) > 0 {
			return true
		}
	}
	return false
}

// wordBefore says whether a word that announces a clock time stands directly before byte i.
func (sc *scanner) wordBefore(i int) bool {
	k := sc.at(i)
	for _, lx := range sc.t.all {
		for _, a := range lx.before {
			if b := k - len(a); b >= 0 && (part{alts: []alt{a}}).fits(sc.toks, b, k) {
				return true
			}
		}
		for _, a := range lx.approx { // "pukul sekitar", "gegen"
			if b := k - len(a); b > 0 && (part{alts: []alt{a}}).fits(sc.toks, b, k) {
				for _, w := range lx.before {
					if c := b - len(w); c >= 0 && (part{alts: []alt{w}}).fits(sc.toks, c, b) {
						return true
					}
				}
			}
		}
	}
	return false
}

func (pt part) fits(toks []token, from, to int) bool { return pt.at(toks, from) == to }

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
	for _, lx := range sc.t.all {
		if e := matchAt(lx.clockAfter, sc.toks, k); e > 0 {
			return sc.toks[e-1].end
		}
	}
	return 0
}

// daypartAfter reads "sore", "de la tarde", "in the morning" after a time.
func (sc *scanner) daypartAfter(i int, st *stamp) int {
	k := sc.at(i)
	if k < len(sc.toks) && sc.toks[k].comma {
		return 0
	}
	for _, lx := range sc.t.all {
		for _, d := range lx.dayparts {
			if e := matchAt(d.words, sc.toks, k); e > 0 && sc.toks[k].start <= i+2 {
				if !st.twelve {
					setPart(st, d.from, d.to)
				}
				return sc.toks[e-1].end
			}
		}
	}
	return 0
}

// daypartBefore reads 午後 and its kind before a time.
func (sc *scanner) daypartBefore(st *stamp) {
	if st.twelve {
		return
	}
	k := sc.at(st.start)
	for _, lx := range sc.t.all {
		if lx.Script == "" {
			continue
		}
		for _, d := range lx.dayparts {
			for _, a := range d.words {
				if b := k - len(a); b >= 0 && (part{alts: []alt{a}}).fits(sc.toks, b, k) {
					setPart(st, d.from, d.to)
					st.start = sc.toks[b].start
					return
				}
			}
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
	for _, lx := range sc.t.all {
		for _, a := range lx.approx {
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
			if e := matchAt(lx.approxAfter, sc.toks, k); e > 0 {
				st.approx = true
				k = e
			}
			if k < len(sc.toks) && matchAt(lx.since, sc.toks, k) > 0 {
				st.since = true
			}
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
		for _, lx := range sc.t.all {
			for _, as := range [][]alt{lx.join, lx.before, lx.approx} {
				e = max(e, matchAt(as, sc.toks, i))
			}
			if lx.weekdays[sc.toks[i].text] > 0 {
				e = max(e, i+1)
			}
		}
		if e == 0 || e > to {
			return false
		}
		i = e
	}
	return true
}

// join puts dates and clock times that belong together into one stamp, and the two ends of a range.
func (sc *scanner) join() []stamp {
	var out []stamp
	for i := 0; i < len(sc.out); i++ {
		st := sc.out[i]
		if n := len(out); n > 0 {
			p := &out[n-1]
			gap := sc.s[p.end:max(p.end, st.start)]
			if st.relative || p.relative {
				out = append(out, st)
				continue
			}
			near := len(gap) <= 28 && !strings.ContainsAny(gap, ".;!?|\n") || strings.TrimLeft(gap, " ,|-–—*") == "" && len(gap) <= 8
			switch {
			case near && !p.hasClock && st.hasClock && !st.date.ok() && p.date.ok() && sc.onlyJoin(sc.at(p.end), sc.at(st.start)):
				st.date, st.start = p.date, p.start
				st.approx = st.approx || p.approx
				out[n-1] = st
				continue
			case near && p.hasClock && !p.date.ok() && p.to == nil && !st.hasClock && st.date.ok() && sc.onlyJoin(sc.at(p.end), sc.at(st.start)) && strings.Trim(gap, " -–—") != "" || near && p.hasClock && !p.date.ok() && !st.hasClock && st.date.ok() && (gap == " " || gap == "") && st.date.y > 0:
				// "15:28 UTC on 11 January": but a date that a clock follows belongs to that clock.
				if i+1 < len(sc.out) && sc.out[i+1].hasClock && !sc.out[i+1].date.ok() && sc.onlyJoin(sc.at(st.end), sc.at(sc.out[i+1].start)) && len(gap) > 1 {
					break
				}
				p.date, p.end = st.date, st.end
				continue
			}
		}
		out = append(out, st)
	}
	// Ranges.
	var done []stamp
	for i := 1; i < len(out); i++ { // "下午2点15分 … 2点18分": the day part goes on
		p, st := &out[i-1], &out[i]
		if p.twelve && st.hasClock && !st.twelve && p.h >= 12 && st.h > 0 && st.h < 12 && st.h+12 >= p.h && sc.s[st.clock] != '0' && (!st.date.ok() || st.date.same(p.date)) {
			st.h, st.twelve = st.h+12, true
		}
	}
	for i := range out {
		st := out[i]
		if n := len(done); n > 0 && st.hasClock && done[n-1].hasClock && done[n-1].to == nil && sc.isRange(&done[n-1], &st) {
			p := &done[n-1]
			end := st
			if !end.zone.ok() {
				end.zone = p.zone
			} else if !p.zone.ok() {
				p.zone = end.zone
			}
			if !end.date.ok() {
				end.date = date{}
			}
			// "between 2:00 and 2:29 PM": the day part is for both.
			if end.twelve && !p.twelve && p.h < 12 && end.h >= 12 && p.h+12 <= end.h {
				p.h += 12
				p.twelve = true
			}
			p.to, p.end = &end, end.end
			continue
		}
		done = append(done, st)
	}
	return done
}

// isRange says whether two stamps are the ends of one stretch of time.
func (sc *scanner) isRange(a, b *stamp) bool {
	gap := strings.Trim(sc.s[a.end:max(a.end, b.start)], " ()[]*")
	switch gap {
	case "-", "–", "—", "~", "→", "=>", "->", "−", "⇒", "--", "…", "...", "➜", "➔":
		return true
	}
	if len(gap) > 40 || gap == "" {
		return false
	}
	from, to := sc.at(a.end), sc.at(b.start)
	for from < to && sc.toks[from].comma {
		from++
	}
	for _, lx := range sc.t.all {
		if e := matchAt(lx.to, sc.toks, from); e > 0 && (e == to || sc.onlyJoin(e, to)) {
			return true
		}
		if e := matchAt(lx.and, sc.toks, from); e > 0 && (e == to || sc.onlyJoin(e, to)) {
			// "and" needs the "between" before it.
			k := sc.at(a.end)
			for back := 1; back <= 12 && k-back >= 0 && (sc.toks[k-back].start >= a.start || k-back >= sc.at(a.start)-4); back++ {
				if sc.toks[k-back].start < a.clock && matchAt(lx.open, sc.toks, k-back) > 0 {
					return true
				}
			}
		}
	}
	return false
}

// word reads what begins with the letter at i: a month name before a day, a weekday, "T+5".
func (sc *scanner) word(i int) int {
	s := sc.s
	if (s[i] == 'T' || s[i] == 't') && i+2 < len(s) && (i == 0 || !isWord(s[i-1])) && (s[i+1] == '+' || s[i+1] == '-') && isDigit(s[i+2]) {
		if e, ok := sc.tPlus(i); ok {
			return e
		}
	}
	if (s[i] == 'T' || s[i] == 't') && i+1 < len(s) && s[i+1] == '0' && (i == 0 || !isWord(s[i-1])) && (i+2 == len(s) || !isWord(s[i+2])) {
		sc.out = append(sc.out, stamp{start: i, end: i + 2, relative: true})
		return i + 2
	}
	j := i
	for j < len(s) {
		r, n := utf8.DecodeRuneInString(s[j:])
		if !unicode.IsLetter(r) || isCJK(r) {
			break
		}
		j += n
	}
	if j == i {
		return i + 1
	}
	if j < len(s) && isDigit(s[j]) || i > 0 && isDigit(s[i-1]) {
		return sc.skipWord(j)
	}
	w := foldWord(s[i:j])
	if m := sc.t.month(w); m > 0 && j < len(s) {
		if e, ok := sc.monthFirst(i, j, m); ok {
			return e
		}
	}
	return j
}

// tPlus reads T+5, T+5m, T+1h05, T+00:12, T-10m.
func (sc *scanner) tPlus(i int) (int, bool) {
	s := sc.s
	v, n := digits(s, i+2)
	j := i + 2 + n
	if n > 4 {
		return 0, false
	}
	d := time.Duration(v) * time.Minute
	switch {
	case j+2 < len(s) && s[j] == ':' && isDigit(s[j+1]) && isDigit(s[j+2]):
		m, _ := digits(s, j+1)
		d = time.Duration(v)*time.Hour + time.Duration(m)*time.Minute
		j += 3
	case j < len(s) && s[j] == 'h':
		d = time.Duration(v) * time.Hour
		j++
		if m, mn := digits(s, j); mn > 0 && mn <= 2 {
			d += time.Duration(m) * time.Minute
			j += mn
			if j < len(s) && s[j] == 'm' {
				j++
			}
		}
	case j < len(s) && s[j] == 's' && !(j+1 < len(s) && isLetter(s[j+1])):
		d = time.Duration(v) * time.Second
		j++
	default:
		k := skipSpaces(s, j)
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
	sc.out = append(sc.out, stamp{start: i, end: j, relative: true, plus: d})
	return j, true
}

// scanUnknown adds the places where a text says a time is not known: "22:XX", "XX:XX", "Time TBC".
func scanUnknown(s string, out []stamp) []stamp {
	for i := 0; i+4 < len(s); i++ {
		if s[i+2] == ':' && (i == 0 || !isWord(s[i-1])) && (i+5 == len(s) || !isWord(s[i+5])) {
			h, m := s[i:i+2], s[i+3:i+5]
			if placeholder(m) && (placeholder(h) || isDigit(h[0]) && isDigit(h[1])) {
				out = append(out, stamp{start: i, end: i + 5, unknown: true})
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
