package postmortem

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A table that lists incidents gives a record for each of its rows, under an id that the rows above and below do not change.
func TestLog(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		want      []string // id, title, milestones
	}{
		{
			"columns with dates, a zone in one of them",
			"# Incident log\n\n| Date & time (UTC) | Incident | Consequence | Detected | Resolved | Report |\n|---|---|---|---|---|---|\n" +
				"| 2026-01-09 03:10 | Ledger locked | No bookings | 2026-01-09 03:31 | 2026-01-09 05:02 | - |\n" +
				"| 2026-02-21 23:15 | Scanner offline | Parcels wait | 2026-02-21 23:20 | 2026-02-22 00:40 | - |\n",
			[]string{
				"log-2026-01-09-0310", "Ledger locked", "started 2026-01-09T03:10, detected 2026-01-09T03:31, resolved 2026-01-09T05:02",
				"log-2026-02-21-2315", "Scanner offline", "started 2026-02-21T23:15, detected 2026-02-21T23:20, resolved 2026-02-22T00:40",
			},
		},
		{
			"a day of its own, times past midnight, a zone in another column",
			"# Outages\n\n| ID | Date | Outage | Start (CET) | End | Duration | Affected services | Severity |\n|---|---|---|---|---|---|---|---|\n" +
				"| T-7 | 2026-03-11 | Search lost | 23:40 | 00:20 | 40 min | search | SEV-1 |\n" +
				"| - | | none in February | | | | | |\n" +
				"| T-6 | 2026-01-04 | Login slow | 08:10 | 09:40 | 90 min | login, shop | SEV-2 |\n",
			[]string{
				"log-2026-03-11-2340", "Search lost", "started 2026-03-11T22:40, resolved 2026-03-11T23:20",
				"log-2026-01-04-0810", "Login slow", "started 2026-01-04T07:10, resolved 2026-01-04T08:40",
			},
		},
		{
			"another language",
			"# Störungen\n\n| Datum (UTC) | Störung | Bemerkt | Behoben |\n|---|---|---|---|\n" +
				"| 14.05.2026 08:10 | Datenbank voll | 08:25 | 09:40 |\n| 30.05.2026 22:50 | Zertifikat abgelaufen | 23:30 | 00:05 |\n",
			[]string{
				"log-2026-05-14-0810", "Datenbank voll", "started 2026-05-14T08:10, detected 2026-05-14T08:25, resolved 2026-05-14T09:40",
				"log-2026-05-30-2250", "Zertifikat abgelaufen", "started 2026-05-30T22:50, detected 2026-05-30T23:30, resolved 2026-05-31T00:05",
			},
		},
		{
			"from when to when in one column",
			"# History\n\n| When (UTC) | Incident |\n|---|---|\n| 2026-05-02 08:10 – 09:40 | Mail down |\n| 2026-06-02 08:10 – 2026-06-02 09:45 | Search down |\n",
			[]string{
				"log-2026-05-02-0810", "Mail down", "started 2026-05-02T08:10, resolved 2026-05-02T09:40",
				"log-2026-06-02-0810", "Search down", "started 2026-06-02T08:10, resolved 2026-06-02T09:45",
			},
		},
		{
			"a number for a name",
			"# Incidents\n\n| Incident | Summary | Date | Resolved |\n|---|---|---|---|\n| INC-4 | Mail down | 2026-05-02 08:10 UTC | 09:40 UTC |\n",
			[]string{"log-2026-05-02-0810", "INC-4 Mail down", "started 2026-05-02T08:10, resolved 2026-05-02T09:40"},
		},
		{
			"two of one minute",
			"# Log\n\n| Date | Incident | Resolved |\n|---|---|---|\n| 2026-05-02 08:10 UTC | Mail down | 09:40 UTC |\n| 2026-05-02 08:10 UTC | Search down | 09:45 UTC |\n",
			[]string{
				"log-2026-05-02-0810", "Mail down", "started 2026-05-02T08:10, resolved 2026-05-02T09:40",
				"log-2026-05-02-0810-2", "Search down", "started 2026-05-02T08:10, resolved 2026-05-02T09:45",
			},
		},
		{
			"one row",
			"# Log\n\n| Date | Incident | Resolved |\n|---|---|---|\n| 2026-05-02 08:10 UTC | Mail down | 2026-05-02 09:40 UTC |\n",
			[]string{"log-2026-05-02-0810", "Mail down", "started 2026-05-02T08:10, resolved 2026-05-02T09:40"},
		},
		{
			"the places of one incident are no log",
			"# Incident report: storage\n\nAll times UTC.\n\n| Region | Started | Resolved |\n|---|---|---|\n| eu | 2026-03-03 08:10 | 2026-03-03 09:40 |\n| us | 2026-03-03 08:12 | 2026-03-03 10:40 |\n",
			[]string{"log", "Incident report: storage", ""},
		},
		{
			"a timeline is no log",
			"# Mail is down\n\n| Time (UTC) | Incident update |\n|---|---|\n| 2026-03-03 08:10 | Incident started |\n| 2026-03-03 08:31 | Alert triggered |\n| 2026-03-03 09:40 | Incident resolved |\n",
			[]string{"log", "Mail is down", "started 2026-03-03T08:10, detected 2026-03-03T08:31, resolved 2026-03-03T09:40"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			res := read(t, "log.md", c.doc, Options{})
			for _, f := range res.Incidents {
				got = append(got, f.Record.ID, f.Record.Title, given(f))
				require.NotContains(t, questions(f), "incidents")
			}
			require.Equal(t, c.want, got)
		})
	}
	res := read(t, "log.md", "# Outages\n\n| Date | Outage | Resolved | Services | Severity |\n|---|---|---|---|---|\n| 2026-03-11 08:00 UTC | Search lost | 09:00 UTC | search, shop | SEV-1 |\n"+
		"| 2026-03-12 08:00 UTC | Mail lost | 09:00 UTC | mail | SEV-3 |\n", Options{})
	require.Equal(t, []string{"search", "shop"}, res.Incidents[0].Record.Services)
	require.Equal(t, "SEV-1", res.Incidents[0].Record.Severity)
	require.Equal(t, "resolved", string(res.Incidents[0].Record.State))
	require.Equal(t, []string{"mail"}, res.Incidents[1].Record.Services)

	// A newer row on top leaves the others what they were.
	const head, old = "# Log\n\n| Date | Incident | Resolved |\n|---|---|---|\n", "| 2026-05-02 08:10 UTC | Mail down | 09:40 UTC |\n| 2026-04-02 08:10 UTC | Shop down | 09:40 UTC |\n"
	before := read(t, "log.md", head+old, Options{}).Incidents
	after := read(t, "log.md", head+"| 2026-06-02 08:10 UTC | Search down | 09:40 UTC |\n"+old, Options{}).Incidents
	require.Len(t, after, 3)
	for i := range before {
		require.Equal(t, before[i].Record.ID, after[i+1].Record.ID)
		require.Equal(t, given(before[i]), given(after[i+1]))
	}
	require.True(t, strings.HasSuffix(after[0].Record.ID, "2026-06-02-0810"))
}
