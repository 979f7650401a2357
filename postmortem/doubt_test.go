package postmortem

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A day that only stands beside the text, and that the text contradicts, gives no times: one question comes first.
func TestDayInDoubt(t *testing.T) {
	const list = "\n## Timeline\n\nAll times in UTC.\n\n- 19:40 Outage begins\n- 19:52 Alert fires\n- 20:31 Outage ends\n"
	for _, c := range []struct{ name, file, text, given string }{
		{"written the day after", "a.md", "---\ntitle: No sound\ndate: 2024-01-31\n---\n\nOn the evening of January 30 listeners heard nothing.\n" + list, ""},
		{"saved the day after", "2024-01-31-sound.md", "# No sound\n\nOn the evening of January 30, 2024 listeners heard nothing.\n" + list, ""},
		{"the text bears it out", "a.md", "---\ntitle: No sound\ndate: 2024-01-31\n---\n\nOn January 31 listeners heard nothing. The disk was new on January 30.\n" + list, "started 2024-01-31T19:40"},
		{"nothing contradicts it", "a.md", "---\ntitle: No sound\ndate: 2024-01-31\n---\n\nListeners heard nothing.\n" + list, "started 2024-01-31T19:40"},
		{"the times say their day", "a.md", "---\ntitle: No sound\ndate: 2024-01-31\n---\n\nOn the evening of January 30 listeners heard nothing.\n" +
			strings.ReplaceAll(list, "- ", "- 2024-01-30 "), "started 2024-01-30T19:40"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := one(t, c.file, c.text)
			if c.given != "" {
				require.Contains(t, given(f), c.given)
				return
			}
			require.Empty(t, given(f))
			require.Empty(t, f.Record.Impacts)
			require.Equal(t, "date", questions(f))
			cs := f.Questions[0].Candidates
			require.Len(t, cs, 2)
			require.Equal(t, "2024-01-30 text", cs[0])
			require.Contains(t, cs[1], "2024-01-31 ")

			a, err := ParseAnswers([]byte("date: 2024-01-30\n"))
			require.NoError(t, err)
			res := read(t, c.file, c.text, Options{Answers: a})
			require.Contains(t, given(res.Incidents[0]), "started 2024-01-30T19:40")
		})
	}
}

// What a cell quotes says nothing of the table's own times.
func TestQuotedStampInCell(t *testing.T) {
	const table = "# 2024-08-21\n\n| Time | What |\n|---|---|\n| 2024-08-21 04:40 | Outage begins |\n| 2024-08-21 04:42 | Alert fires |\n"
	f := one(t, "a.md", table+"| 2024-08-21 06:02 | Outage ends (the host notes: up since 2024-08-21 04:02 UTC) |\n")
	require.Empty(t, given(f))
	require.Contains(t, questions(f), "zone")
	f = one(t, "a.md", table+"| 2024-08-21 06:02 UTC | Outage ends |\n")
	require.Contains(t, given(f), "started 2024-08-21T04:40")
}

func TestAbout(t *testing.T) {
	for _, when := range []string{"2024-04-11 ca. 12:05", "2024-04-11, approx. 12:05"} {
		f := one(t, "a.md", "# Outage\n\nAll times in UTC\n\n### "+when+"\n\nOutage begins\n\n### 12:08\n\nAlert fires\n\n### 12:30\n\nOutage ends\n")
		require.Contains(t, given(f), "started 2024-04-11T12:05", when)
	}
	// A sentence that ends before the clock does not lend it its day.
	f := one(t, "a.md", "# Outage\n\nAll times in UTC. Reviewed on 2024-04-20.\n\n12:05 on 2024-04-11 the outage began. It was over by 12:30.\n")
	require.NotContains(t, given(f), "2024-04-20")
}

// A line that is little more than a day and a zone says the zone, whatever the name of the company.
func TestZoneOfAHead(t *testing.T) {
	f := one(t, "a.md", "# Shop front gone\n\nAlder Fine Ceramics, 2024-12-03, UTC\n\n- 09:14 Outage begins\n- 09:17 Alert fires\n- 10:19 Outage ends\n")
	require.Contains(t, given(f), "started 2024-12-03T09:14")
}
