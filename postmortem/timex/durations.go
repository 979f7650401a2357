package timex

import (
	"time"

	"meantime/postmortem/lexicon"
)

// Duration is a length of time as a text states it.
type Duration struct {
	Length time.Duration
	Approx bool
	Whole  bool // it says how long the whole incident took
	Block  int
	Line   int
	From   int // token
	To     int
}

// DurationsIn lists the durations in toks: "1 hour and 31 minutes", "02h 37min", "近87分钟", "just over nine hours".
func DurationsIn(toks []lexicon.Token, t lexicon.Tongue) []Duration {
	var out []Duration
	for i := 0; i < len(toks); {
		d, n := DurationAt(toks, i, t)
		if n == 0 {
			i++
			continue
		}
		x := Duration{Length: d, From: i, To: i + n}
		for b := max(0, i-3); b < i; b++ {
			if e := lexicon.MatchAt(t.Approx, toks, b); e > 0 && e <= i {
				x.Approx = true
			}
		}
		if t.HasAround("about_duration", toks, i) {
			x.Approx = true
		}
		out = append(out, x)
		i += n
	}
	return out
}

// DurationAt reads one duration at token i and gives the tokens it takes.
func DurationAt(toks []lexicon.Token, i int, t lexicon.Tongue) (time.Duration, int) {
	var total time.Duration
	j := i
	last := 1 << 30
	for {
		v, unit, n := quantityAt(toks, j, t)
		if n == 0 || unit >= last {
			break
		}
		total += time.Duration(v * float64(unit) * float64(time.Second))
		last = unit
		j += n
		k := j
		for k < len(toks) && (toks[k].Comma || isAnd(toks[k].Text, t)) && k < j+2 {
			k++
		}
		if _, u, n := quantityAt(toks, k, t); n > 0 && u < last {
			j = k
			continue
		}
		break
	}
	if j == i || total <= 0 || total > 366*24*time.Hour {
		return 0, 0
	}
	return total, j - i
}

func isAnd(w string, t lexicon.Tongue) bool {
	return t.Ands[w]
}

// quantityAt reads a number with its unit: "31 minutes", "2h", "nine hours", "87分钟", "1.5 hours".
func quantityAt(toks []lexicon.Token, i int, t lexicon.Tongue) (v float64, unit, n int) {
	if i >= len(toks) {
		return 0, 0, 0
	}
	w := toks[i].Text
	if num, dn := lexicon.Digits(w, 0); dn > 0 && dn <= 5 {
		if dn < len(w) { // "2h", "37min", "7minute"
			if u := unitOf(w[dn:], t); u > 0 {
				return float64(num), u, 1
			}
			// "2h37": hours and minutes in one word
			if w[dn] == 'h' && dn+1 < len(w) {
				if m, mn := lexicon.Digits(w, dn+1); mn == 2 && (dn+1+mn == len(w) || w[dn+1+mn] == 'm') {
					return float64(num*60 + m), 60, 1
				}
			}
			return 0, 0, 0
		}
		// A decimal: the tokens are "1" "5" with only a mark between.
		if i+2 < len(toks) && toks[i+1].Start == toks[i].End+1 && len(toks[i+1].Text) == 1 && lexicon.IsDigit(toks[i+1].Text[0]) &&
			!toks[i+1].Comma {
			if u, un := unitAt(toks, i+2, t); u > 0 {
				return float64(num) + float64(toks[i+1].Text[0]-'0')/10, u, 2 + un
			}
		}
		if u, un := unitAt(toks, i+1, t); u > 0 {
			return float64(num), u, 1 + un
		}
		return 0, 0, 0
	}
	if num := t.Numbers[w]; num > 0 {
		if u, un := unitAt(toks, i+1, t); u > 0 {
			return float64(num), u, 1 + un
		}
	}
	return 0, 0, 0
}

// unitAt reads a unit at token i: one word, or in Chinese and Japanese up to three characters.
func unitAt(toks []lexicon.Token, i int, t lexicon.Tongue) (unit, n int) {
	if i >= len(toks) || toks[i].Stop {
		return 0, 0
	}
	w := ""
	for k := i; k < len(toks) && k < i+3; k++ {
		if k > i && !(len(toks[k].Text) >= 3 && toks[k].Text[0] >= 0x80) {
			break
		}
		w += toks[k].Text
		if u := unitOf(w, t); u > 0 {
			unit, n = u, k-i+1
		}
	}
	// 分 alone is a minute of the clock after 時 or 点; as a duration it needs 間 or 钟 unless nothing of a clock is near.
	return unit, n
}

func unitOf(w string, t lexicon.Tongue) int {
	if u := t.Units[w]; u > 0 {
		return u
	}
	return 0
}

// Fits says whether a stated duration can be the time between two moments. A rounded one ("around 9 hours") is taken as
// its author rounded it: to the unit it is written in.
func (d Duration) Fits(span time.Duration) bool {
	diff := (span - d.Length).Abs()
	if diff <= time.Minute {
		return true
	}
	switch {
	case d.Length >= 2*time.Hour && d.Length%time.Hour == 0:
		return d.Approx && diff < 35*time.Minute
	case d.Length >= 20*time.Minute && d.Length%(5*time.Minute) == 0 && d.Approx:
		return diff <= 5*time.Minute
	case d.Length%time.Hour == 0 && d.Approx:
		return diff <= 10*time.Minute
	}
	return d.Approx && diff <= 2*time.Minute
}

// Proves says whether a stated duration is exact enough to tell one moment from its neighbours.
func (d Duration) Proves(span time.Duration) bool {
	diff := (span - d.Length).Abs()
	return diff <= time.Minute && (!d.Approx || d.Length%(5*time.Minute) != 0)
}
