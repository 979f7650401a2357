package events

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// entryOf reads one line of a timeline.
func entryOf(t *testing.T, text string) *timeline.Entry {
	all, err := lexicon.All()
	require.NoError(t, err)
	d := document.Parse("mill.md", []byte("# Outage of the mill on 2024-05-06\n\nThe times are in UTC and we were there.\n\n"+
		"- 09:50 Nothing to see\n- 10:00 "+text+"\n- 10:10 Nothing to see\n"))
	tongue := document.Detect(d.Blocks, all)
	sup, err := NewSuppliers(&d, tongue)
	require.NoError(t, err)
	o := timeline.Of(d, tongue)
	require.Len(t, o.Entries, 3, text)
	e := &o.Entries[1]
	Classify(o, e, sup)
	return e
}

// requireTells holds an entry to a kind that it tells, or with a minus before it does not.
func requireTells(t *testing.T, x example, e *timeline.Entry) {
	t.Helper()
	kind, not := strings.CutPrefix(x.kind, "-")
	require.Contains(t, lexicon.KindOrder, lexicon.Kind(kind))
	_, tells := e.Kinds[lexicon.Kind(kind)]
	require.Equal(t, !not, tells, "%s: %v by %v", x.text, e.Kinds, e.Rules)
}

// Every rule is tested by its own examples: in the one it speaks and its kind is told or not told because of that; in the other
// it is silent, and it is the other way round.
func TestRules(t *testing.T) {
	type row struct {
		name             string
		example, counter example
	}
	var rows []row
	for _, r := range mentionRules {
		require.True(t, strings.HasPrefix(r.example.kind, "-"), "%s refuses", r.name)
		rows = append(rows, row{r.name, r.example, r.counter})
	}
	for _, r := range sentenceRules {
		rows = append(rows, row{r.name, r.example, r.counter})
	}
	var names []string
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			require.NotContains(t, names, r.name)
			e := entryOf(t, r.example.text)
			require.Contains(t, e.Rules, r.name, "%s: %v", r.example.text, e.Kinds)
			requireTells(t, r.example, e)
			e = entryOf(t, r.counter.text)
			require.NotContains(t, e.Rules, r.name, "%s: %v", r.counter.text, e.Kinds)
			requireTells(t, r.counter, e)
			opposite := strings.HasPrefix(r.example.kind, "-") != strings.HasPrefix(r.counter.kind, "-")
			require.True(t, opposite, "the examples differ in what they tell")
			require.Equal(t, strings.TrimPrefix(r.example.kind, "-"), strings.TrimPrefix(r.counter.kind, "-"))
		})
		names = append(names, r.name)
	}
}
