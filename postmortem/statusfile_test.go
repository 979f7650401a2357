package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// Status pages kept in files say in their front matter what, where, since when and whether it is over.
func TestStatusFile(t *testing.T) {
	for _, c := range []struct {
		name, front, body string
		given             string
		services          []string
		kind              incident.Kind
		state             incident.State
	}{
		{
			"times with a zone", "date: 2026-04-02T06:15:00-00:00\nresolved: true\nresolvedWhen: 2026-04-02T09:45:00+02:00\nseverity: down\naffected:\n  - \"Object store\"\n  - Mail\n",
			"Reads from the store failed.", "started 2026-04-02T06:15, resolved 2026-04-02T07:45", []string{"Object store", "Mail"}, incident.KindIncident, incident.StateResolved,
		},
		{
			"a list in one line", "date: 2026-04-02T06:15:00Z\nresolved: true\nresolvedWhen: 2026-04-02T07:45:00Z\nseverity: disrupted\naffected: [\"API\", 'Docs']\n",
			"Slow answers.", "started 2026-04-02T06:15, resolved 2026-04-02T07:45", []string{"API", "Docs"}, incident.KindIncident, incident.StateResolved,
		},
		{
			"times without a zone", "date: 2026-04-02 06:15:00\nresolved: true\nresolvedWhen: 2026-04-02 07:45:00\nseverity: down\naffected:\n- Mail\n",
			"*Resolved*: mail flows again. {{< track \"2026-04-02 07:45:00\" >}}\n\n*Investigating*: mail waits. {{< track \"2026-04-02 06:15:00\" >}}",
			"", []string{"Mail"}, incident.KindIncident, incident.StateResolved,
		},
		{
			"not over", "date: 2026-04-02T06:15:00Z\nresolved: false\nseverity: down\naffected: Mail\n",
			"Mail waits.", "started 2026-04-02T06:15", []string{"Mail"}, incident.KindIncident, "",
		},
		{
			"for information", "date: 2026-04-02T06:15:00Z\nresolved: true\nresolvedWhen: 2026-04-02T07:45:00Z\nseverity: disrupted\ninformational: true\naffected:\n  - Mail\n",
			"The mail servers are moved.", "started 2026-04-02T06:15, resolved 2026-04-02T07:45", []string{"Mail"}, incident.KindMaintenance, incident.StateResolved,
		},
		{
			"a notice", "date: 2026-04-02T06:15:00Z\nresolved: true\nresolvedWhen: 2026-04-02T07:45:00Z\nseverity: notice\naffected:\n  - Mail\n",
			"The certificates are replaced.", "started 2026-04-02T06:15, resolved 2026-04-02T07:45", []string{"Mail"}, incident.KindMaintenance, incident.StateResolved,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := read(t, "page.md", "---\ntitle: Trouble with mail\n"+c.front+"section: issue\n---\n\n"+c.body+"\n", Options{})
			require.Len(t, res.Incidents, 1)
			r := res.Incidents[0].Record
			require.Equal(t, c.given, given(res.Incidents[0]))
			require.Equal(t, c.services, r.Services)
			require.Equal(t, c.kind, r.Kind)
			require.Equal(t, c.state, r.State)
		})
	}
}

// What the text leaves open the front matter tells: when it was over, and who knew first in words without a time. One update
// with its time is one, whatever stands before its words.
func TestStatusFileUpdates(t *testing.T) {
	const front = "---\ntitle: Prints are late\ndate: 2026-04-02T06:15:00Z\nresolved: true\nresolvedWhen: 2026-04-02T09:45:00Z\nseverity: down\nsection: issue\n---\n\n"
	for _, c := range []struct{ name, body, given, by string }{
		{
			"updates that do not say that it is over",
			"**Update:** The queue is drained by hand. {{< track \"2026-04-02T09:30:00Z\" >}}\n\n**Update:** We look into it. {{< track \"2026-04-02T06:20:00Z\" >}}",
			"resolved 2026-04-02T09:45", "",
		},
		{
			"one update", "Prints wait since this morning.\n\n**Update:** All were printed. {{< track \"2026-04-02T09:30:00Z\" >}}",
			"acknowledged 2026-04-02T06:15, resolved 2026-04-02T09:45", "",
		},
		{
			"an end in the updates comes first",
			"**Resolved:** All printers work again. {{< track \"2026-04-02T09:30:00Z\" >}}\n\n**Update:** We look into it. {{< track \"2026-04-02T06:20:00Z\" >}}",
			"resolved 2026-04-02T09:30", "",
		},
		{"users told it", "A customer reported that nothing is printed.", "started 2026-04-02T06:15, resolved 2026-04-02T09:45", "customer"},
		{"an alert told it", "An alert fired: the print queue grows.", "started 2026-04-02T06:15, resolved 2026-04-02T09:45", "alert"},
		{"nobody told it", "Nothing is printed.", "started 2026-04-02T06:15, resolved 2026-04-02T09:45", ""},
		{"what users might do tells nothing", "Users may report late prints.", "started 2026-04-02T06:15, resolved 2026-04-02T09:45", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := one(t, "page.md", front+c.body+"\n")
			require.Equal(t, c.given, given(f))
			by := string(f.Record.DetectedBy)
			if by == "unknown" {
				by = ""
			}
			require.Equal(t, c.by, by)
		})
	}
}

// The words of most templates: what was applied ends the impact, and does not begin it.
func TestMitigationApplied(t *testing.T) {
	for _, words := range []string{"Mitigation applied", "Mitigation in place", "Mitigation deployed to all regions"} {
		res := read(t, "a.md", "# Logins fail\n\n| Time (UTC) | Event |\n|---|---|\n| 2026-05-01 08:00 | Incident started |\n| 2026-05-01 08:31 | "+words+" |\n"+
			"| 2026-05-01 09:02 | Incident resolved |\n", Options{})
		require.Len(t, res.Incidents, 1)
		require.Contains(t, given(res.Incidents[0]), "mitigated 2026-05-01T08:31", words)
	}
	res := read(t, "a.md", "# Logins fail\n\n- 2026-05-01 08:00 UTC Incident started\n- 2026-05-01 08:31 UTC Mitigation applied, but it did not help\n- 2026-05-01 09:02 UTC Incident resolved\n", Options{})
	require.NotContains(t, given(res.Incidents[0]), "mitigated 2026-05-01T08:31")
}
