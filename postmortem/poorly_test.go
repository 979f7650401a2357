package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/lexicon"
)

// What a line tells, and what it only seems to tell.
func TestSeemingKinds(t *testing.T) {
	for _, c := range []struct {
		line string
		is   []lexicon.Kind
		not  []lexicon.Kind
	}{
		{"Search is responding very slowly", nil, []lexicon.Kind{lexicon.Recovered, lexicon.Ack}},
		{"Search is working with errors", nil, []lexicon.Kind{lexicon.Recovered}},
		{"Search is responding again", []lexicon.Kind{lexicon.Recovered}, nil},
		{"Search is working", []lexicon.Kind{lexicon.Recovered}, nil},
		{"Sync run again by hand", nil, []lexicon.Kind{lexicon.Recovered}},
		{"Mails are working again", []lexicon.Kind{lexicon.Recovered}, nil},
		{"Service restored by hand", []lexicon.Kind{lexicon.Recovered}, nil},
		{"Confirmed: the fault is still there", nil, []lexicon.Kind{lexicon.Cause}},
		{"Confirmed: a full disk", []lexicon.Kind{lexicon.Cause}, nil},
		{"told on our channels: back online", []lexicon.Kind{lexicon.Talk}, []lexicon.Kind{lexicon.Recovered}},
		{"The shop is back online", []lexicon.Kind{lexicon.Recovered}, []lexicon.Kind{lexicon.Talk}},
		{"The hosting company begins to investigate", nil, []lexicon.Kind{lexicon.Ack}},
		{"The team begins to investigate", []lexicon.Kind{lexicon.Ack}, nil},
		{"Deep dive begun, root cause was found later", nil, []lexicon.Kind{lexicon.Cause}},
		{"Root cause was found", []lexicon.Kind{lexicon.Cause}, nil},
	} {
		f := one(t, "mill.md", "# Outage of the mill\n\nAll times UTC on 2024-05-06.\n\n## Timeline\n\n"+
			"- 10:00 Outage begins\n- 10:20 "+c.line+"\n- 11:00 Incident closed\n")
		require.Len(t, f.Entries, 3, c.line)
		for _, k := range c.is {
			require.Contains(t, f.Entries[1].Kinds, k, c.line)
		}
		for _, k := range c.not {
			require.NotContains(t, f.Entries[1].Kinds, k, c.line)
		}
	}
}
