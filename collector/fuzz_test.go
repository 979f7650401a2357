package collector

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// FuzzExposition shows what anybody may call things, writes it in both formats, and reads it back: every series is there, once,
// under the labels it was shown with.
func FuzzExposition(f *testing.F) {
	f.Add("checkout", "critical", "Sign-in fails", "r1", "Errors")
	f.Add("a\"b\\c\nd", "\x00", "# EOF", "{}", "le=\"+Inf\"")
	f.Add("\xff", " ", "\u2028", "\r\n", "a,b")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, service, severity, title, id, name string) {
		h := newHouse(t, 10)
		h.take([]incident.Incident{
			made(id, at{"started": 0, "detected": 1, "resolved": 9}, func(x *incident.Incident) {
				x.Services, x.Severity, x.Title = []string{service}, severity, title
			}),
			made(id+"2", at{"started": 1, "detected": 2}, func(x *incident.Incident) {
				x.Services, x.Severity, x.Title, x.State = []string{name}, "critical", title, incident.StateOpen
			}),
		})
		h.book.ApplyVerdicts([]incident.Verdict{{
			Episode: incident.Episode{Fingerprint: "00000000000000ff", StartsAt: minute(1), Labels: map[string]string{"alertname": name}},
			Service: service, Severity: severity, Outcome: incident.OutcomeNone,
		}}, nil)
		h.publish(minute(60))
		families, err := h.reg.Gather()
		require.NoError(t, err)
		want := map[string]bool{}
		for _, mf := range families {
			for _, m := range mf.Metric {
				want[seriesOf(mf, m)] = true
			}
		}

		parser := expfmt.NewTextParser(model.UTF8Validation)
		read, err := parser.TextToMetricFamilies(strings.NewReader(text(t, h.reg, plain)))
		require.NoError(t, err)
		got := map[string]bool{}
		for _, mf := range read {
			for _, m := range mf.Metric {
				name := seriesOf(mf, m)
				if got[name] {
					t.Fatalf("twice: %s", name)
				}
				got[name] = true
			}
		}
		require.Equal(t, want, got)

		open := text(t, h.reg, expfmt.NewFormat(expfmt.TypeOpenMetrics))
		again := map[string]bool{}
		for _, s := range readOpenMetrics(t, open) {
			again[s] = true
		}
		require.Equal(t, want, again)
	})
}

// seriesOf names a series: its family and its labels.
func seriesOf(mf *dto.MetricFamily, m *dto.Metric) string {
	name := mf.GetName()
	for _, l := range m.Label {
		name += fmt.Sprintf(" %s=%q", l.GetName(), l.GetValue())
	}
	return name
}

// readOpenMetrics reads the text format of OpenMetrics 1.0 by its grammar, and names the series in it. Those of a histogram are
// one.
func readOpenMetrics(t *testing.T, s string) (series []string) {
	body, found := strings.CutSuffix(s, "# EOF\n")
	require.True(t, found, "the end is told")
	family, kind := "", ""
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			word, rest, _ := strings.Cut(rest, " ")
			if word != "HELP" && word != "TYPE" && word != "UNIT" {
				t.Fatalf("%q is no word: %q", word, line)
			}
			if name, value, _ := strings.Cut(rest, " "); word == "TYPE" {
				family, kind = name, value
			}
			continue
		}
		end := strings.IndexAny(line, "{ ")
		if end <= 0 {
			t.Fatalf("no series: %q", line)
		}
		name, rest := line[:end], line[end:]
		text := ""
		if rest[0] == '{' {
			text, rest = readLabels(t, rest, kind == "histogram")
		}
		fields := strings.SplitN(strings.TrimPrefix(rest, " "), " # ", 2)
		numbers := strings.Fields(fields[0])
		for _, n := range numbers {
			if _, err := strconv.ParseFloat(n, 64); err != nil {
				t.Fatalf("%v: %q", err, line)
			}
		}
		if len(numbers) == 0 {
			t.Fatalf("no value: %q", line)
		}
		if len(fields) == 2 { // an exemplar
			_, rest := readLabels(t, fields[1], false)
			require.NotEmpty(t, strings.Fields(rest), line)
		}
		suffix, ok := strings.CutPrefix(name, family)
		switch {
		case !ok:
			t.Fatalf("%q stands below the type of %s", line, family)
		case suffix == "_created" && (kind == "counter" || kind == "histogram"):
		case kind == "counter" && suffix == "_total", kind != "counter" && kind != "histogram" && suffix == "":
			series = append(series, name+text)
		case kind == "histogram" && (suffix == "_bucket" || suffix == "_sum" || suffix == "_count"):
			series = append(series, family+text)
		default:
			t.Fatalf("no %s has this: %q", kind, line)
		}
	}
	return series
}

// readLabels reads labels in braces, as seriesOf writes them, and what follows them.
func readLabels(t *testing.T, s string, histogram bool) (text, rest string) {
	s = s[1:]
	for s[0] != '}' {
		s = strings.TrimPrefix(s, ",")
		name, after, found := strings.Cut(s, `="`)
		if !found || !model.UTF8Validation.IsValidLabelName(name) {
			t.Fatalf("no label: %q", s)
		}
		var value strings.Builder
		for after[0] != '"' {
			if after[0] != '\\' {
				value.WriteByte(after[0])
				after = after[1:]
				continue
			}
			switch after[1] {
			case 'n':
				value.WriteByte('\n')
			case '"', '\\':
				value.WriteByte(after[1])
			default:
				t.Fatalf("no such escape: %q", after[:2])
			}
			after = after[2:]
		}
		if !histogram || name != "le" {
			text += fmt.Sprintf(" %s=%q", name, value.String())
		}
		s = after[1:]
	}
	return text, s[1:]
}
