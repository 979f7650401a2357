package postmortem

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// The table says of each line which milestones were taken from it or may be, and why.
func TestExplain(t *testing.T) {
	const text = "# Outage of the mill\n\nAll times UTC on 2024-05-06.\n\n## Timeline\n\n" +
		"- 10:00 Outage begins\n- 10:04 First alert fires\n- 10:10 We suspect the root cause was found\n" +
		"- 10:20 The service was not restored by the restart\n- 10:30 Service restored for all customers\n- 12:00 Lunch\n"
	res := read(t, "mill.md", text, Options{})
	var b strings.Builder
	require.NoError(t, WriteTable(&b, res, true))
	out := b.String()
	line := func(clock string) []string {
		for _, l := range strings.Split(out, "\n") {
			if f := strings.Fields(l); len(f) > 5 && f[1] == clock {
				return f
			}
		}
		t.Fatal(out)
		return nil
	}
	require.Equal(t, "S", line("10:00")[4], out)
	require.Equal(t, "D", line("10:04")[4][:1], out)
	require.Contains(t, line("10:30")[4], "M", out)
	_, why, ok := strings.Cut(out, "\nWHY\n")
	require.True(t, ok)
	for _, want := range []string{
		"line 8  ", `    tells alert "first alert"`, "    rule denied\n", "    detected 0.9", "(hedged)", "+", // what is believed is marked so
	} {
		require.Contains(t, why, want)
	}
	// Without it nothing is explained, and what is explained names no moment of its own.
	b.Reset()
	require.NoError(t, WriteTable(&b, res, false))
	require.NotContains(t, b.String(), "WHY")
	require.True(t, strings.HasPrefix(out, b.String()[:strings.Index(b.String(), "QUESTIONS")]))

	f := res.Incidents[0]
	for _, w := range f.Weighed {
		require.True(t, w.Sure > 0 && w.Sure <= 1)
		require.Positive(t, w.Line)
		if got, ok := f.Record.Milestones[w.Milestone]; ok && w.Milestone == incident.Detected && w.At.Equal(got.At) {
			require.Greater(t, w.Sure, 0.8)
		}
	}
}
