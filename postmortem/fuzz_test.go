package postmortem

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
				if s[i] == '<' && (isLetter(s[i+1]) || s[i+1] == '/' || s[i+1] == '!') {
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
		"status":    r("Resolved\nThis is resolved.\nJun 7, 2024 - 10:00 UTC\n\n"),
	}
}

func BenchmarkFiveMegabytes(b *testing.B) {
	for name, text := range big(5 << 20) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			ext := ".md"
			if name == "html" {
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
