package timex

import (
	"strings"

	"meantime/postmortem/lexicon"
)

// join puts dates and clock times that belong together into one stamp, and the two ends of a range.
func (sc *Scanner) join() []Stamp {
	var out []Stamp
	for i := 0; i < len(sc.out); i++ {
		st := sc.out[i]
		if n := len(out); n > 0 {
			p := &out[n-1]
			gap := sc.S[p.End:max(p.End, st.Start)]
			if st.Relative || p.Relative {
				out = append(out, st)
				continue
			}
			near := len(gap) <= 28 && (!strings.ContainsAny(gap, ".;!?|\n") || sc.abbreviated(p.End, st.Start)) ||
				strings.TrimLeft(gap, " ,|-–—*") == "" && len(gap) <= 8
			switch {
			case near && !p.HasClock && st.HasClock && !st.Date.OK() && p.Date.OK() && sc.OnlyJoin(sc.At(p.End), sc.At(st.Start)):
				st.Date, st.Start = p.Date, p.Start
				st.Approx = st.Approx || p.Approx
				out[n-1] = st
				continue
			case near && p.HasClock && !p.Date.OK() && p.To == nil && !st.HasClock && st.Date.OK() && sc.OnlyJoin(sc.At(p.End), sc.At(st.Start)) &&
				strings.Trim(gap, " -–—") != "" || near && p.HasClock && !p.Date.OK() && !st.HasClock && st.Date.OK() && (gap == " " || gap == "") &&
				st.Date.Year > 0:
				// "15:28 UTC on 11 January": but a date that a clock follows belongs to that clock.
				if i+1 < len(sc.out) && sc.out[i+1].HasClock && !sc.out[i+1].Date.OK() && sc.OnlyJoin(sc.At(st.End), sc.At(sc.out[i+1].Start)) &&
					len(gap) > 1 {
					break
				}
				p.Date, p.End = st.Date, st.End
				continue
			}
		}
		out = append(out, st)
	}
	// Ranges.
	var done []Stamp
	for i := 1; i < len(out); i++ { // "下午2点15分 … 2点18分": the day part goes on
		p, st := &out[i-1], &out[i]
		if p.Twelve && st.HasClock && !st.Twelve && p.Hour >= 12 && st.Hour > 0 && st.Hour < 12 && st.Hour+12 >= p.Hour &&
			sc.S[st.Clock] != '0' && (!st.Date.OK() || st.Date.Same(p.Date)) {
			st.Hour, st.Twelve = st.Hour+12, true
		}
	}
	for i := range out {
		st := out[i]
		if n := len(done); n > 0 && st.HasClock && done[n-1].HasClock && done[n-1].To == nil && sc.isRange(&done[n-1], &st) {
			p := &done[n-1]
			end := st
			if !end.Zone.OK() {
				end.Zone = p.Zone
			} else if !p.Zone.OK() {
				p.Zone = end.Zone
			}
			if !end.Date.OK() {
				end.Date = Date{}
			}
			// "between 2:00 and 2:29 PM": the day part is for both.
			if end.Twelve && !p.Twelve && p.Hour < 12 && end.Hour >= 12 && p.Hour+12 <= end.Hour {
				p.Hour += 12
				p.Twelve = true
			}
			if end.Date.Full() && !p.Date.OK() && end.Hour*60+end.Minute >= p.Hour*60+p.Minute {
				p.Date = end.Date // "between 10:20 and 11:02 on 12 March": the day is of both
			}
			p.To, p.End = &end, end.End
			continue
		}
		done = append(done, st)
	}
	return done
}

// abbreviated says whether all that stands between two places is a word for about, cut short: "2024-04-11 ca. 12:05".
func (sc *Scanner) abbreviated(from, to int) bool {
	i, n := sc.At(from), sc.At(to)
	for i < n && sc.Toks[i].Comma {
		i++
	}
	if n-i != 2 || !sc.Toks[i+1].Stop || sc.S[sc.Toks[i+1].Start] != '.' {
		return false
	}
	return lexicon.MatchAt(sc.T.Approx, sc.Toks, i) == i+1
}

// isRange says whether two stamps are the ends of one stretch of time.
func (sc *Scanner) isRange(a, b *Stamp) bool {
	gap := strings.Trim(sc.S[a.End:max(a.End, b.Start)], " ()[]*")
	switch gap {
	case "-", "–", "—", "~", "→", "=>", "->", "−", "⇒", "--", "…", "...", "➜", "➔":
		return true
	}
	if len(gap) > 40 || gap == "" {
		return false
	}
	from, to := sc.At(a.End), sc.At(b.Start)
	for from < to && sc.Toks[from].Comma {
		from++
	}
	if e := lexicon.MatchAt(sc.T.To, sc.Toks, from); e > 0 && (e == to || sc.OnlyJoin(e, to)) {
		return true
	}
	if e := lexicon.MatchAt(sc.T.And, sc.Toks, from); e > 0 && (e == to || sc.OnlyJoin(e, to)) {
		// "and" needs the "between" before it.
		k := sc.At(a.End)
		for back := 1; back <= 12 && k-back >= 0 && (sc.Toks[k-back].Start >= a.Start || k-back >= sc.At(a.Start)-4); back++ {
			if sc.Toks[k-back].Start < a.Clock && lexicon.MatchAt(sc.T.Open, sc.Toks, k-back) > 0 {
				return true
			}
		}
	}
	return false
}
