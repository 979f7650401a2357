package tracker

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		text         string
		fingerprints []string
		urls         []string
	}{
		{"nothing", nil, nil},
		{"fingerprint 775f06f5c8253c87", []string{"775f06f5c8253c87"}, nil},
		{"**Fingerprint:** `775F06F5C8253C87`, fingerprint=775f06f5c8253c87", []string{"775f06f5c8253c87"}, nil},
		{`{"fingerprint": "775f06f5c8253c87"}`, []string{"775f06f5c8253c87"}, nil},
		{"fingerprint 775f06f5c8253c87aa", nil, nil},
		{"span 775f06f5c8253c87", nil, nil},
		{"fingerprint of 775f06f5c8253c87", nil, nil},
		{"See https://a.example.org/x?y=1#z. And (https://b.example.org/), [c](https://c.example.org/d_e)", nil,
			[]string{"https://a.example.org/x?y=1#z", "https://b.example.org/", "https://c.example.org/d_e"}},
		{"https://a.example.org/x https://a.example.org/x", nil, []string{"https://a.example.org/x"}},
		{"Labels:\n - alertname = A\nAnnotations:\n", []string{incident.Fingerprint(map[string]string{"alertname": "A"})}, nil},
	} {
		var refs incident.References
		AddText(&refs, c.text)
		require.Equal(t, incident.References{Fingerprints: c.fingerprints, URLs: c.urls}, refs, c.text)
	}
}

// What labels say is what a reading of them one after the other would: in whatever order they come.
func TestLabelLaw(t *testing.T) {
	names, errs := NewNames("l", []string{"acknowledged=a|b", "mitigated=m|n"})
	require.Empty(t, errs)
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var changes []Labelled
		on := map[string]time.Time{}
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			c := Labelled{start.Add(time.Duration(i) * time.Minute), rapid.SampledFrom([]string{"a", "b", "m", "n", "other"}).Draw(t, "label"),
				rapid.Bool().Draw(t, "on")}
			if _, is := on[c.Label]; is == c.On {
				continue // a label is put on once before it is taken off
			}
			if changes = append(changes, c); c.On {
				on[c.Label] = c.At
			} else {
				delete(on, c.Label)
			}
		}
		want := map[incident.MilestoneName]time.Time{}
		for _, l := range slices.Sorted(maps.Keys(on)) {
			name, at := incident.MilestoneName(names.Of(l)), on[l]
			if old, said := want[name]; name != "" && (!said || (name == incident.Acknowledged) == at.Before(old)) {
				want[name] = at
			}
		}
		var r incident.Record
		names.Label(&r, rapid.Permutation(changes).Draw(t, "order"), "label")
		got := map[incident.MilestoneName]time.Time{}
		for name, s := range r.Milestones {
			got[name] = s.At
		}
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(got))
	})
}

func FuzzText(f *testing.F) {
	f.Add("fingerprint 775f06f5c8253c87 at https://a.example.org/x.\nLabels:\n - alertname = A\nAnnotations:\n")
	f.Fuzz(func(t *testing.T, text string) {
		var refs incident.References
		AddText(&refs, text)
		for _, p := range refs.Fingerprints {
			require.Len(t, p, 16)
		}
		for _, u := range refs.URLs {
			require.Contains(t, text, u)
		}
	})
}
