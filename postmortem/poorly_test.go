package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a line tells, and what it only seems to tell.
func TestSeemingKinds(t *testing.T) {
	for _, c := range []struct {
		line string
		is   []Kind
		not  []Kind
	}{
		{"Search is responding very slowly", nil, []Kind{Recovered, Ack}},
		{"Search is working with errors", nil, []Kind{Recovered}},
		{"Search is responding again", []Kind{Recovered}, nil},
		{"Search is working", []Kind{Recovered}, nil},
		{"Sync run again by hand", nil, []Kind{Recovered}},
		{"Mails are working again", []Kind{Recovered}, nil},
		{"Service restored by hand", []Kind{Recovered}, nil},
		{"Confirmed: the fault is still there", nil, []Kind{Cause}},
		{"Confirmed: a full disk", []Kind{Cause}, nil},
		{"told on our channels: back online", []Kind{Talk}, []Kind{Recovered}},
		{"The shop is back online", []Kind{Recovered}, []Kind{Talk}},
		{"The hosting company begins to investigate", nil, []Kind{Ack}},
		{"The team begins to investigate", []Kind{Ack}, nil},
		{"Deep dive begun, root cause was found later", nil, []Kind{Cause}},
		{"Root cause was found", []Kind{Cause}, nil},
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
