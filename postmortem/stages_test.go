package postmortem

import (
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// english is a tongue of English alone.
func english(t testing.TB) tongue {
	return testTongue(t, "en")
}

// FuzzBlocks: whatever the bytes, blocks come in the order of their lines, hold valid text and are never too long.
func FuzzBlocks(f *testing.F) {
	f.Add("a.md", []byte("---\ntitle: x\n---\n# A\n> q\n\n|a|b|\n|-|-|\n|1|2|\n- x\n  - y\n\n```\ncode\n```\n"))
	f.Add("a.html", []byte("<ul><li>10:00 <b>x</b><table><tr><td>1<td>2</table>"))
	f.Add("a.txt", []byte("\xff\xfe1\x000\x00"))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		d := parse(name, body)
		last := 0
		for _, b := range d.blocks {
			require.GreaterOrEqual(t, b.line, last)
			require.Positive(t, b.line)
			require.True(t, utf8.ValidString(b.text))
			require.Equal(t, utf8.RuneCountInString(b.orig), utf8.RuneCountInString(b.text), "the two are the same, rune for rune")
			last = b.line
		}
		require.LessOrEqual(t, len(d.blocks), maxBlocks)
	})
}

// FuzzTimes: tokens and time expressions lie in the text, in order, and a clock is one.
func FuzzTimes(f *testing.F) {
	for _, s := range []string{
		"2024-05-06 10:00-11:30 UTC", "at 5pm on May 6", "between 18:47 UTC on 2 September 2024 and 09:15 UTC on 3 September 2024",
		"T+5", "22:XX", "10h47", "14時30分", "11:20 (UTC+3) 1.5 hours, 2h37m", "the next day at 06:30",
	} {
		f.Add(s)
	}
	en := english(f)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > maxBlock || !utf8.ValidString(s) {
			return
		}
		s = foldWidth(s)
		toks := tokenize(s)
		at := 0
		for _, k := range toks {
			require.GreaterOrEqual(t, k.start, at)
			require.Greater(t, k.end, k.start)
			at = k.end
		}
		require.LessOrEqual(t, at, len(s))
		last := -1
		for _, st := range scan(s, toks, en) {
			require.GreaterOrEqual(t, st.start, last)
			require.LessOrEqual(t, st.start, st.end)
			require.LessOrEqual(t, st.end, len(s))
			last = st.start
			if st.hasClock {
				require.True(t, st.h >= 0 && st.h <= 24 && st.m >= 0 && st.m < 60 && st.s >= 0 && st.s <= 60, "%q: %d:%d:%d", s, st.h, st.m, st.s)
			}
		}
		for _, d := range durationsIn(toks, en) {
			require.Positive(t, d.d)
			require.True(t, d.from < d.to && d.to <= len(toks))
		}
		findZones(s, en)
	})
}

// FuzzLexicon: a lexicon is refused or can be used.
func FuzzLexicon(f *testing.F) {
	months, days := strings.Repeat("x, ", 11)+"x", strings.Repeat("y, ", 6)+"y"
	f.Add([]byte("code: xx\nmonths: ["+months+"]\nweekdays: ["+days+"]\nwords: {a: [b_c, d*]}\n"+
		"kinds: {alert: ['{a} .. (x|y)? z', 'p ... q']}\n"), "b c then z, p and q")
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		d, err := decodeLexicon(b)
		if err != nil {
			return
		}
		lx, err := newLexicon(d, watch{})
		if err != nil {
			return
		}
		toks := tokenize(text)
		lx.kinds.find(toks, func(m match) {
			require.True(t, m.from >= 0 && m.from < m.to && m.to <= len(toks))
		})
	})
}

// spent is the processor time of a reading, which other processes do not change.
func spent(t *testing.T, name, text string) time.Duration {
	now := func() time.Duration {
		var u syscall.Rusage
		require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano())
	}
	best := time.Hour
	for range 3 {
		from := now()
		_, err := Read(name, []byte(text), Options{})
		require.NoError(t, err)
		best = min(best, now()-from)
	}
	return best
}

// Four times the text costs about four times as much, whatever its shape; what costs the square would cost sixteen times.
func TestCostIsLinear(t *testing.T) {
	const n = 32 << 10
	small, large := big(n), big(4*n)
	for name := range small {
		a, b := spent(t, name+".md", small[name]), spent(t, name+".md", large[name])
		require.Less(t, b, 9*a+20*time.Millisecond, "%s: %s for %d kB, %s for four times that", name, a, n>>10, b)
	}
}
