package timex

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
)

func testTongue(t testing.TB, code string) lexicon.Tongue {
	all, err := lexicon.All()
	require.NoError(t, err)
	require.NotNil(t, all.Of(code), code)
	return lexicon.Tongue{Lexicon: all.Of(code)}
}

// show writes stamps in short: date, clock, zone, and marks for approximate, unclear, ranges.
func show(sts []Stamp) string {
	var out []string
	one := func(s Stamp) string {
		if s.Unknown {
			return "unknown"
		}
		if s.Relative {
			return fmt.Sprintf("T%+d", int(s.Plus.Minutes()))
		}
		x := ""
		if s.Date.OK() {
			x = s.Date.String()
		}
		if s.HasClock {
			if x != "" {
				x += " "
			}
			x += fmt.Sprintf("%02d:%02d", s.Hour, s.Minute)
			if s.Seconds {
				x += fmt.Sprintf(":%02d", s.Second)
			}
		}
		if s.Zone.OK() {
			x += " " + s.Zone.Label
		}
		if s.Approx {
			x = "~" + x
		}
		if s.Unclear {
			x += "?"
		}
		if s.since {
			x += "+"
		}
		return x
	}
	for _, s := range sts {
		x := one(s)
		if s.To != nil {
			x += " to " + one(*s.To)
		}
		out = append(out, x)
	}
	return strings.Join(out, "; ")
}

func TestScan(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "at 14:05 it broke", "14:05"},
		{"en", "2:05pm, 10:45a and 3 PM", "14:05; 10:45; 15:00"},
		{"en", "12:10 AM and 12:10 PM", "00:10; 12:10"},
		{"en", "01:43 PM (GMT+3)", "13:43 UTC+03:00"},
		{"en", "14:05:09 UTC", "14:05:09 UTC"},
		{"en", "2024-01-11T15:28:00Z", "2024-01-11 15:28:00 UTC"},
		{"en", "2024-01-11T15:28+02:00", "2024-01-11 15:28 +02:00"},
		{"en", "12:43 - 12:49", "12:43 to 12:49"},
		{"en", "between 12:17 and 12:30 UTC", "12:17 UTC to 12:30 UTC"},
		{"en", "alerts at 12:17 and 12:30", "12:17; 12:30"},
		{"en", "On July 3, 2024, between 09:12 and 10:30 UTC", "2024-07-03 09:12 UTC to 10:30 UTC"},
		{"en", "11:07 UTC => 13:40 UTC", "11:07 UTC to 13:40 UTC"},
		{"en", "~13:30-13:45", "~13:30 to 13:45"},
		{"en", "about 9:05, roughly 18:52 UTC", "~09:05; ~18:52 UTC"},
		{"en", "July 11, 2025, 12:42 PM", "2025-07-11 12:42"},
		{"en", "March 6 2017 22:59", "2017-03-06 22:59"},
		{"en", "Tue Oct 11 15:50:41 2016 +0200", "2016-10-11 15:50:41 +02:00"},
		{"en", "[03-26 23:04] drained", "03-26 23:04"},
		{"en", "06.30.25 12:45 PM", "2025-06-30 12:45"},
		{"en", "15:28 UTC on 11 January", "01-11 15:28 UTC"},
		{"en", "2:00 PM - 2:29", "14:00 to 14:29"},
		{"en", "22:XX and XX:XX", "unknown; unknown"},
		{"en", "T+5m then T+1h05 and T+00:12, before it T-3", "T+5; T+65; T+12; T-3"},
		{"en", "1432 UTC", "14:32 UTC"},
		{"en", "15:00 Pacific time, 15:00 PT", "15:00 Pacific time; 15:00 PT"},
		// what is no time
		{"en", "version 3.3.1, 12.30.1, 192.168.2.9:6650, ratio 4:1, 99.95%, 1:30 hours, port 10:000", ""},
		{"en", "HTTP 503 for 87 minutes, 1957 customers, issue #1430, v12:30", ""},
		{"en", "we may see it", ""},
		{"de", "um 14.30 Uhr, gegen 9 Uhr", "14:30; ~09:00"},
		{"de", "zwischen 9:05 Uhr und 14:20 Uhr", "09:05 to 14:20"},
		{"de", "am Montag, dem 31. Januar 2022, um 9 Uhr", "2022-01-31 09:00"},
		{"de", "in 9 Stunden, 9 Kunden, Version 9.30.1", ""},
		{"fr", "entre 9h00 et 12h30", "09:00 to 12:30"},
		{"es", "entre las 10:00 y las 10:30", "10:00 to 10:30"},
		{"pt", "entre as 14h20 e as 16h40", "14:20 to 16:40"},
		{"it", "tra le 10:00 e le 10:30 del 6 maggio 2024", "2024-05-06 10:00 to 2024-05-06 10:30"},
		{"it", "alle 9:05 circa, 3 ore", "~09:05"},
		{"nl", "tussen 10:00 en 10:30 uur, na 3 uur", "10:00 to 10:30"},
		{"nl", "op 14 september 2021 om 8.50 uur", "2021-09-14 08:50"},
		{"fi", "klo 10.00–10.30, kolme tuntia", "10:00 to 10:30"},
		{"id", "pukul 10.00 hingga 10.30 WIB, 3 jam", "10:00 WIB to 10:30 WIB"},
		{"zh", "10:00至10:30，次日 03:40", "10:00 to 10:30; 03:40"},
		{"en", "2018 October 21 22:52 UTC", "2018-10-21 22:52 UTC"},
		{"en", "October 28-31, 2021", "2021-10-28"},
		{"en", "between 10:20am and 11:02am on 12 March 2019", "2019-03-12 10:20 to 2019-03-12 11:02"},
		{"de", "am 19. April, 11:00 Uhr", "04-19 11:00"},
		{"de", "17.09.2024 06:45", "2024-09-17 06:45"},
		{"fr", "à 20h02, puis à 9h", "20:02; 09:00"},
		{"fr", "le 12 mars 2024 à 14 h 05 (heure de Paris)", "2024-03-12 14:05 heure de Paris"},
		{"fr", "il a fallu 2h37min", ""},
		{"es", "a las 9:20 de la mañana y a las 4:45 de la tarde", "09:20; 16:45"},
		{"es", "el 11 de octubre de 2016 a las 14:20", "2016-10-11 14:20"},
		{"pt", "por volta das 09h28", "~09:28"},
		{"pt", "Sep 15, 17:10 GMT-03:00", "09-15 17:10 UTC-03:00"},
		{"it", "alle 16.40", "16:40"},
		{"nl", "om 8:05 uur", "08:05"},
		{"id", "pukul 18.02 WIB atau 11.02 UTC", "18:02 WIB; 11:02 UTC"},
		{"id", "sekitar pukul 8:30 pagi", "~08:30"},
		{"id", "pukul 4:45 malam", "04:45?"},
		{"id", "Senin (24/6/2019) pukul 18.02 WIB", "2019-06-24 18:02 WIB"},
		{"ja", "2025年11月6日 10:52 〜 2025年11月15日 10:50", "2025-11-06 10:52 to 2025-11-15 10:50"},
		{"ja", "日本時間15時42分以降", "15:42 日本時間+"},
		{"ja", "午後3時20分頃", "~15:20"},
		{"ja", "本日(5/21)発生、14時", "05-21; 14:00"},
		{"ja", "10日間、3時間、500番台", ""},
		{"zh", "4月8日15点23分", "04-08 15:23"},
		{"zh", "下午2点15分左右，2点18分收到告警", "~14:15; 14:18"},
		{"zh", "持续近87分钟，共1957个", ""},
		{"fi", "klo 9.05, kello 14", "09:05"},
		{"fi", "2.10.2024 klo 9.14", "2/10 09:14"},
	} {
		text := lexicon.FoldWidth(c.text)
		require.Equal(t, c.want, show(Scan(text, lexicon.Tokenize(text), testTongue(t, c.lang))), "%s: %s", c.lang, c.text)
	}
}

func TestDurations(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "It took 1 hour and 31 minutes from start to end", "1h31m0s"},
		{"en", "(02h 37min of outage)", "2h37m0s"},
		{"en", "a 7 minute failure", "7m0s"},
		{"en", "just over nine hours", "9h0m0s"},
		{"en", "1h 2m", "1h2m0s"},
		{"en", "1.5 hours", "1h30m0s"},
		{"en", "1 hour, 2 minutes", "1h2m0s"},
		{"es", "en 35 minutos", "35m0s"},
		{"de", "Etwa 9 Stunden", "9h0m0s"},
		{"fr", "2 heures et 35 minutes", "2h35m0s"},
		{"ja", "約 9 時間", "9h0m0s"},
		{"zh", "持续近87分钟", "1h27m0s"},
		{"en", "nothing here lasts", ""},
	} {
		got := ""
		for _, d := range DurationsIn(lexicon.Tokenize(c.text), testTongue(t, c.lang)) {
			got += d.Length.String()
		}
		require.Equal(t, c.want, got, c.text)
	}
}

// FuzzTimes: tokens and time expressions lie in the text, in order, and a clock is one.
func FuzzTimes(f *testing.F) {
	for _, s := range []string{
		"2024-05-06 10:00-11:30 UTC", "at 5pm on May 6", "between 18:47 UTC on 2 September 2024 and 09:15 UTC on 3 September 2024",
		"T+5", "22:XX", "10h47", "14時30分", "11:20 (UTC+3) 1.5 hours, 2h37m", "the next day at 06:30",
	} {
		f.Add(s)
	}
	en := testTongue(f, "en")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > document.MaxBlock || !utf8.ValidString(s) {
			return
		}
		s = lexicon.FoldWidth(s)
		toks := lexicon.Tokenize(s)
		at := 0
		for _, k := range toks {
			require.GreaterOrEqual(t, k.Start, at)
			require.Greater(t, k.End, k.Start)
			at = k.End
		}
		require.LessOrEqual(t, at, len(s))
		last := -1
		for _, st := range Scan(s, toks, en) {
			require.GreaterOrEqual(t, st.Start, last)
			require.LessOrEqual(t, st.Start, st.End)
			require.LessOrEqual(t, st.End, len(s))
			last = st.Start
			if st.HasClock {
				require.True(t, st.Hour >= 0 && st.Hour <= 24 && st.Minute >= 0 && st.Minute < 60 && st.Second >= 0 && st.Second <= 60, "%q: %d:%d:%d", s, st.Hour, st.Minute, st.Second)
			}
		}
		for _, d := range DurationsIn(toks, en) {
			require.Positive(t, d.Length)
			require.True(t, d.From < d.To && d.To <= len(toks))
		}
		FindZones(s, en)
	})
}
