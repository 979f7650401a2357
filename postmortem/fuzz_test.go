package postmortem

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/lexicon"
)

// FuzzRead holds what must hold for any input: no crash, a record that validates, the same answer twice, and nothing in
// the record that a browser would take for markup.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/docs/*")
	for _, name := range files {
		if filepath.Ext(name) == ".yaml" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(name), b)
	}
	f.Add("x.html", []byte("<table><tr><td>10:00<td>&lt;script&gt;</table>"))
	f.Add("a.md", []byte("|a|b|\n|-|-|\n|T+5|x|\n24:00 99:99 2024-02-30 \xff\xfe"))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		res, err := Read(name, body, Options{})
		if err != nil {
			return
		}
		a, err := json.Marshal(NewDocument(res))
		require.NoError(t, err)
		again, err := Read(name, body, Options{})
		require.NoError(t, err)
		b, err := json.Marshal(NewDocument(again))
		require.NoError(t, err)
		require.Equal(t, string(a), string(b))
		var v any
		require.NoError(t, json.Unmarshal(a, &v))
		walk(v, func(s string) {
			for i := 0; i+1 < len(s); i++ {
				if s[i] == '<' && (lexicon.IsLetter(s[i+1]) || s[i+1] == '/' || s[i+1] == '!') {
					t.Fatalf("markup in the record: %q", s)
				}
			}
		})
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("zone: UTC\nyear: 2024\nanswers:\n  - field: severity\n    value: x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAnswers(b)
		if err == nil {
			_, err = Read("mill.md", []byte(unanswered), Options{Answers: a})
		}
		_ = err
	})
}

// big documents, each a shape that a careless reader takes more than linear time for.
func big(n int) map[string]string {
	r := func(s string) string { return strings.Repeat(s, n/len(s)+1)[:n] }
	// Documents as people write them, but far too long: no line is the same as another nearby.
	many := func(head, line string, args func(i int) []any) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, line, args(i)...)
		}
		return b.String()[:n]
	}
	clock := func(i int) []any { return []any{i / 60 % 24, i % 60} }
	return map[string]string{
		"list":      "# Outage 2024-05-06 UTC\n\n" + r("- 10:00 The service recovered and the alert fired at 10:01 UTC on 2024-05-06\n"),
		"german":    "# Störung 2024-05-06 UTC\n\n" + r("- 10:00 Der Dienst ist wieder erreichbar und die Kunden können sich nicht anmelden\n"),
		"prose":     "Outage of 2024-05-06. " + r("At 10:00 UTC users reported errors, and at 10:05 we found the cause of it. "),
		"line":      r("10:00 error "),
		"digits":    r("1 2:3 4-5-6 7.8.9 "),
		"brackets":  r("[(<*_`"),
		"quotes":    r("> 10:00 outage ends\n"),
		"html":      "<!doctype html>" + r("<div><p>10:00 UTC outage starts 2024-05-06"),
		"table":     r("| 10:00 | 2024-05-06 UTC | outage starts |\n"),
		"headings":  r("### 10:00\nOutage starts\n"),
		"labels":    r("Start: 2024-05-06 10:00 UTC\n"),
		"ranges":    r("outage 10:00 - 10:05 UTC 2024-05-06\n\n"),
		"durations": r("the outage lasted 5 minutes. "),
		"kana":      r("10:00 障害が発生し復旧を確認しました。"),
		"bullets":   many("# Outage of checkout\n\nDate: 2024-05-06\n\n", "- %02d:%02d UTC: we saw that checkout failed, rolled back, and it was over\n", clock),
		"paragraphs": many("# Outage of checkout\n\nOn 2024-05-06 it began.\n\n", "At %02d:%02d UTC on May %d, 2024 we saw it; it was mitigated %d minutes later.\n\n",
			func(i int) []any { return append(clock(i), i%28+1, i%90) }),
		"rows": many("# Outage\n\n2024-05-06\n\n| time | what |\n|---|---|\n", "| %02d:%02d | detected, mitigated, resolved |\n", clock),
		"zones": many("# Outage\n\n", "May %d 10:%02d PST / 13:%02d EST / 18:%02d GMT we were down until noon\n",
			func(i int) []any { return []any{i%28 + 1, i % 60, i % 60, i % 60} }),
		"updates": many("<html><body><h1>Outage</h1><p>2024-05-06</p>", "<p>10:%02d UTC - <b>Resolved</b> - down <span>x</span></p>", func(i int) []any { return []any{i % 60} }),
		"status":  r("Resolved\nThis is resolved.\nJun 7, 2024 - 10:00 UTC\n\n"),
	}
}

func BenchmarkFiveMegabytes(b *testing.B) {
	for name, text := range big(5 << 20) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			ext := ".md"
			if name == "html" || name == "updates" {
				ext = ".html"
			}
			for b.Loop() {
				if _, err := Read(name+ext, []byte(text), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestShapes reads every hostile shape once, small.
func TestShapes(t *testing.T) {
	for name, text := range big(64 << 10) {
		_, err := Read(name+".md", []byte(text), Options{})
		require.NoError(t, err, name)
		_, err = Read(name+".html", []byte(text), Options{})
		require.NoError(t, err, name)
	}
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
