package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestWho(t *testing.T) {
	const head = "# Outage of the mill, 2024-05-06\n\nThe mill was unavailable on 2024-05-06 from 10:00 UTC until 11:00 UTC.\n\n"
	for _, c := range []struct {
		text string
		want incident.DetectedBy
	}{
		{"Alerts went out, but nobody who could help was awake.\n", incident.ByAlert},
		{"## Detection\n\nA customer called us about it.\n\n## Impact\n\nThe alerts were silent.\n", incident.ByCustomer},
		{"## Detection\n\nOur team noticed the errors on a dashboard.\n", incident.ByStaff},
		// Users and colleagues are told of without having known first; two of them tell nothing.
		{"Customers reported that orders were lost.\n", incident.ByUnknown},
		{"Alerts fired.\n\nCustomers reported errors as well.\n", incident.ByUnknown},
		// An alert that is told of elsewhere need not be how it was known.
		{"## Resolution\n\nAlerts fired.\n", incident.ByUnknown},
		{"## Root cause\n\nThe alert for the disk fired, and a job deleted the wrong files.\n", incident.ByUnknown},
		{"## Summary\n\nAlerts fired.\n", incident.ByAlert},
		{"Alerts fired.\n\n## Impact\n\nCustomers reported errors.\n", incident.ByUnknown},
		// What should be is not what was.
		{"## Action items\n\n- Alerts fire on a full disk\n", incident.ByUnknown},
		{"No alert fired.\n", incident.ByUnknown},
	} {
		require.Equal(t, c.want, one(t, "mill.md", head+c.text).Record.DetectedBy, c.text)
	}
}

// A day that one entry has of its own is not that of those behind it, where the document says or shows which that is.
func TestUsualDay(t *testing.T) {
	const list = "- **2024-05-13 06:10: new pictures begin to fail**\n- 04:20: alert fires, on-call is paged\n- 04:51: store is back online\n"
	for _, c := range []struct{ name, text string }{
		{"said before the list", "Unless otherwise noted everything was on 2024-05-14, all times are UTC.\n\n" + list},
		{"said in other words", "All times are UTC, and on 2024-05-14 unless stated.\n\n" + list},
		{"said where clocks go on", "Unless otherwise noted everything was on 2024-05-14, all times are UTC.\n\n" +
			"- 2024-05-13 02:10: new pictures begin to fail\n- 04:20: alert fires, on-call is paged\n- 04:51: store is back online\n"},
		{"shown by the title and the clock", "# Pictures lost on 14 May 2024\n\nTimes are UTC. The store was full on 14 May 2024.\n\n" + list},
		{"another day of its own in between", "Unless otherwise noted everything was on 2024-05-14, all times are UTC.\n\n" +
			"- 2024-05-12 09:00: disk at 90 %\n" + list},
	} {
		text := c.text
		if text[0] != '#' {
			text = "# Picture store full\n\nThe picture store stopped on 2024-05-14.\n\n" + text
		}
		f := one(t, "store.md", text)
		var got []string
		for _, e := range f.Entries {
			if !e.Prose {
				got = append(got, e.At.Format("01-02 15:04"))
			}
		}
		require.Contains(t, got, "05-14 04:20", "%s: %v", c.name, got)
		require.Contains(t, got, "05-14 04:51", "%s: %v", c.name, got)
		require.NotContains(t, questions(f), "order", c.name)
	}
	// Two days, each named once, go on as written.
	f := one(t, "store.md", "# Picture store full\n\nTimes are UTC. It began on 2024-05-14.\n\n"+
		"- 2024-05-14 23:10: pictures fail\n- 2024-05-15 00:20: alert fires\n- 00:51: store is back online\n")
	require.Equal(t, "05-15 00:51", f.Entries[len(f.Entries)-1].At.Format("01-02 15:04"))
}
