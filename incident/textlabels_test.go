package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// written are alerts as Alertmanager's default templates write them.
func written(indent, gap string, alerts ...map[string]string) string {
	var b strings.Builder
	for _, l := range alerts {
		b.WriteString("Labels:\n")
		names := slices.SortedFunc(maps.Keys(l), func(x, y string) int {
			switch {
			case x == "alertname":
				return -1
			case y == "alertname":
				return 1
			}
			return strings.Compare(x, y)
		})
		for _, n := range names {
			fmt.Fprintf(&b, "%s- %s = %s\n", indent, n, l[n])
		}
		b.WriteString(gap + "Annotations:\n" + indent + "- summary = 5xx above 5 %\n" + gap + "Source: http://prometheus/graph?g0.expr=x\n")
	}
	return b.String()
}

func TestTextLabels(t *testing.T) {
	errors := map[string]string{"alertname": "CheckoutErrors", "cluster": "eu-1", "service": "checkout", "severity": "critical", "team": "pay"}
	disk := map[string]string{"alertname": "DiskFull", "Zone": "b", "mountpoint": "/", "expr": "a = b", "service.name": "x"}
	for _, c := range []struct {
		name, text string
		want       []map[string]string
	}{
		{"one alert", written(" ", "", errors), []map[string]string{errors}},
		{"two alerts below a heading", "5xx above 5 %\nAlerts Firing:\n" + written(" ", "", errors, disk), []map[string]string{errors, disk}},
		{"as markdown", "\n\n# Alerts Firing:\n\n" + written("  ", "\n", errors), []map[string]string{errors}},
		{"lines of another system", strings.ReplaceAll(written(" ", "", errors), "\n", "\r\n"), []map[string]string{errors}},
		{"a value of two lines, and a whole alert after it", written(" ", "", map[string]string{"alertname": "A", "query": "a\nb"}, disk), []map[string]string{disk}},
		{"a value whose second line looks like a label", written(" ", "", map[string]string{"alertname": "A", "query": "x\n - job = db"}), nil},
		{"a value that ends in a line break", written(" ", "", map[string]string{"alertname": "A", "query": "x\n"}), nil},
		{"and in the markdown form", written("  ", "\n", map[string]string{"alertname": "A", "query": "x\n"}), nil},
		{"cut off in the middle", strings.Split(written(" ", "", errors), " - severity")[0], nil},
		{"cut off in a line", strings.Split(written(" ", "", errors), "ritical")[0] + "…", nil},
		{"no label", "Labels:\nAnnotations:\n", nil},
		{"a name with a space, which may be part of a value", "Labels:\n - a b = c\nAnnotations:\n", nil},
		{"a value whose second line looks like a heading", written(" ", "", map[string]string{"alertname": "A", "query": "x\nDetails:"}), nil},
		{"a value that ends in a space", written(" ", "", map[string]string{"alertname": "A", "query": "x "}), []map[string]string{{"alertname": "A", "query": "x "}}},
		{"annotations are no labels", "Annotations:\n - summary = x\nSource: y\n", nil},
		{"prose", "Labels: see below\n - a = b\nAnnotations:\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, TextLabels(c.text)) })
	}
	require.Equal(t, "775f06f5c8253c87", Fingerprint(TextLabels(written(" ", "", errors))[0]), "as Alertmanager computed it")
}

// Whatever labels an alert has, what is read back of them is the alert or nothing; without line breaks it is the alert.
func TestTextLabelsGiveTheAlertOrNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, value := rapid.StringMatching(`[a-zA-Z_][a-zA-Z0-9_.]{0,6}`), rapid.StringMatching(`[a-c=\- ]{1,6}`)
		l := rapid.MapOfN(name, value, 1, 5).Draw(t, "labels")
		require.Equal(t, []map[string]string{l}, TextLabels(written(" ", "", l)))
		broken := rapid.SampledFrom(slices.Sorted(maps.Keys(l))).Draw(t, "broken")
		l[broken] += "\n" + value.Draw(t, "second line")
		require.Empty(t, TextLabels(written(" ", "", l)))
	})
}

func FuzzTextLabels(f *testing.F) {
	f.Add(written(" ", "", map[string]string{"alertname": "A", "b": "c"}))
	f.Add("Labels:\n  - a = b\n\nAnnotations:\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range TextLabels(text) {
			for k, v := range l {
				if k == "" || v == "" || !strings.Contains(text, "- "+k+" = "+v) {
					t.Fatalf("%q = %q is not in the text", k, v)
				}
			}
		}
	})
}
