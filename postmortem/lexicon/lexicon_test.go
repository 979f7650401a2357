package lexicon

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLexiconsLoad(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	var codes []string
	for _, lx := range all.All {
		codes = append(codes, lx.Code)
		// What every language must say, or its documents give nothing.
		for _, k := range []Kind{Trigger, ImpactStart, Alert, ReportUser, Noticed, Ack, Cause, Recovered, Ended} {
			require.NotEmpty(t, lx.data.Kinds[string(k)], "%s: kind %s", lx.Code, k)
		}
		for _, f := range []string{"started", "detected", "resolved", "duration", "severity", "services", "cause"} {
			require.NotEmpty(t, lx.data.Fields[f], "%s: field %s", lx.Code, f)
		}
		for _, h := range []string{"timeline", "actions", "cause", "impact"} {
			require.NotEmpty(t, lx.data.Headings[h], "%s: heading %s", lx.Code, h)
		}
		require.NotEmpty(t, lx.data.Duration.Minute, lx.Code)
		require.NotEmpty(t, lx.Words["incident"], lx.Code)
		require.True(t, len(lx.Neg.Patterns)+len(lx.NegAfter.Patterns) > 0, "%s: negations", lx.Code)
	}
	require.Equal(t, []string{"de", "en", "es", "fi", "fr", "id", "it", "ja", "nl", "pt", "zh"}, codes)
}

func TestLexiconMistakes(t *testing.T) {
	const months = "months: [a, b, c, d, e, f, g, h, i, j, k, l]\nweekdays: [a, b, c, d, e, f, g]\n"
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown key":  {"code: xx\nmonhts: []\n", "field monhts not found"},
		"no months":    {"code: xx\n", "twelve months"},
		"unknown kind": {"code: xx\n" + months + "kinds: {alarm: [a]}\n", `unknown kind "alarm"`},
		"field":        {"code: xx\n" + months + "fields: {begin: [a]}\n", `unknown field "begin"`},
		"list":         {"code: xx\n" + months + "kinds: {alert: ['{nobody} a']}\n", `no list "nobody"`},
		"empty":        {"code: xx\n" + months + "kinds: {alert: ['a|']}\n", "an alternative is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := decodeLexicon([]byte(c.yaml))
			if err == nil {
				_, err = newLexicon(d, watch{})
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestPattern(t *testing.T) {
	lists := map[string][]string{"team": {"on-call", "engineer*"}}
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"alert* (fired|triggered)", "Alerts fired", true},
		{"alert* (fired|triggered)", "The alert was fired", false},
		{"alert* .. fired", "The alert was then fired", true},
		{"alert* .. fired", "An alert. Somebody fired", false}, // not over the end of a sentence
		{"{team} (joins|joined)", "The on-call joined", true},
		{"{team} (joins|joined)", "Two engineers joined", true},
		{"roll*_back", "We rolled back", true},
		{"is (not)? up", "it is up", true},
		{"is (not)? up", "it is not up", true},
		{"causa raíz", "La CAUSA RAIZ", true},
		{"復旧 .. 確認", "復旧をすべて確認した", true},
		{"根本原因|根因", "定位出故障根因是", true},
		{"fixed", "unfixed", false},
	} {
		p, err := parsePattern(c.pattern, lists)
		require.NoError(t, err)
		m := Matcher{}
		m.Add(p)
		found := false
		m.Find(Tokenize(c.text), func(Match) { found = true })
		require.Equal(t, c.want, found, "%s in %s", c.pattern, c.text)
	}
}

// A document is read with one lexicon: its language's own words first, English behind them. What the language says of itself
// stays, and so does which words belong together: an English denial says nothing about a German word.
func TestMerge(t *testing.T) {
	all, err := All()
	require.NoError(t, err)
	de, en := all.Of("de"), all.Of("en")
	require.Equal(t, "de", de.Code)
	require.Len(t, de.Languages, 2)
	require.Len(t, en.Languages, 1)
	own := de.Languages[0]
	require.Same(t, en, de.Languages[1])
	require.Equal(t, len(own.Kinds.Patterns)+len(en.Kinds.Patterns), len(de.Kinds.Patterns))
	require.Equal(t, en.Months["december"], de.Months["dezember"])
	require.Equal(t, 12, de.Months["december"])
	require.Equal(t, fieldLabel{"started", "de"}, de.Fields[FieldKey("Beginn")])
	require.Equal(t, fieldLabel{"started", "en"}, de.Fields[FieldKey("Start time")])
	require.Empty(t, own.Fields[FieldKey("Start time")], "the language itself is left as it was")
	for _, w := range []string{"Störung", "incident"} {
		require.True(t, de.Has("incident", Tokenize(w)), w)
	}
	require.False(t, own.Has("incident", Tokenize("outage")))
	for i := 1; i < len(de.Zones); i++ {
		require.GreaterOrEqual(t, len(de.Zones[i-1].Words), len(de.Zones[i].Words), "the longest first")
	}
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
		toks := Tokenize(text)
		lx.Kinds.Find(toks, func(m Match) {
			require.True(t, m.From >= 0 && m.From < m.To && m.To <= len(toks))
		})
	})
}
