package postmortem

import (
	"strings"
)

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
			near := len(gap) <= 28 && (!strings.ContainsAny(gap, ".;!?|\n") || sc.abbreviated(p.end, st.start)) ||
				strings.TrimLeft(gap, " ,|-–—*") == "" && len(gap) <= 8
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
			if end.date.full() && !p.date.ok() && end.h*60+end.m >= p.h*60+p.m {
				p.date = end.date // "between 10:20 and 11:02 on 12 March": the day is of both
			}
			p.to, p.end = &end, end.end
			continue
		}
		done = append(done, st)
	}
	return done
}

// abbreviated says whether all that stands between two places is a word for about, cut short: "2024-04-11 ca. 12:05".
func (sc *scanner) abbreviated(from, to int) bool {
	i, n := sc.at(from), sc.at(to)
	for i < n && sc.toks[i].comma {
		i++
	}
	if n-i != 2 || !sc.toks[i+1].stop || sc.s[sc.toks[i+1].start] != '.' {
		return false
	}
	if matchAt(sc.t.approx, sc.toks, i) == i+1 {
		return true
	}
	return false
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
	if e := matchAt(sc.t.to, sc.toks, from); e > 0 && (e == to || sc.onlyJoin(e, to)) {
		return true
	}
	if e := matchAt(sc.t.and, sc.toks, from); e > 0 && (e == to || sc.onlyJoin(e, to)) {
		// "and" needs the "between" before it.
		k := sc.at(a.end)
		for back := 1; back <= 12 && k-back >= 0 && (sc.toks[k-back].start >= a.start || k-back >= sc.at(a.start)-4); back++ {
			if sc.toks[k-back].start < a.clock && matchAt(sc.t.open, sc.toks, k-back) > 0 {
				return true
			}
		}
	}
	return false
}
