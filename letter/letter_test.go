package letter

import (
	"encoding/json"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/measure"
)

var november = measure.Period{
	Name: "2026-11", Before: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
	To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
}

func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, x := range list {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// made is an incident that began on a day of November and took some minutes; none: nobody knows its end.
func made(id, title string, dayOf, minutes int) incident.Incident {
	start := time.Date(2026, 11, dayOf, 9, 0, 0, 0, time.UTC)
	at := func(t time.Time) incident.Milestone {
		return incident.Milestone{Candidate: incident.Candidate{At: t, Precision: incident.PrecisionSecond, Origin: incident.OriginRecord}}
	}
	inc := incident.Incident{
		ID: id, Title: title, Services: []string{"checkout"}, Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved,
		DetectedBy: incident.ByAlert, Records: []incident.RecordKey{{Source: "jira", ID: "OPS-" + id}},
		Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: at(start), incident.Detected: at(start.Add(time.Minute))},
	}
	if minutes > 0 {
		inc.Milestones[incident.Resolved] = at(start.Add(time.Duration(minutes) * time.Minute))
	}
	return inc
}

func written(t require.TestingT, incidents []incident.Incident, verdicts []incident.Verdict, address string) *Letter {
	intervals := incident.DefaultIntervals()
	r, err := measure.NewReport(measure.ReportOptions{
		Options: measure.Options{Intervals: intervals}, Period: november, Watched: november.Before,
	}, each(incidents), each(verdicts))
	require.NoError(t, err)
	o := Options{Report: r, Address: address}
	for _, want := range Intervals {
		for _, iv := range intervals {
			if iv.Name == want.Interval {
				e, err := measure.Explain(each(incidents), measure.ExplainOptions{Interval: iv, Period: november})
				require.NoError(t, err)
				o.Explained = append(o.Explained, e)
			}
		}
	}
	l, err := New(o, each(incidents), each(verdicts))
	require.NoError(t, err)
	return l
}

func someIncidents() []incident.Incident {
	list := []incident.Incident{
		made("a", "Card payments fail", 2, 120), made("b", "Search *slow*", 3, 30), made("c", "<b>Bold</b> | [x](http://evil)", 4, 60),
		made("d", "Queue stuck", 5, 0), made("e", "Old", 6, 20), made("f", "Older", 7, 10), made("g", "Oldest", 8, 5), made("h", "H", 9, 4),
		made("drill", "Drill", 10, 500),
	}
	list[1].MissedDetection, list[1].DetectedBy = true, incident.ByCustomer
	list[2].LateAlert, list[2].DetectedBy = true, incident.ByThirdParty
	list[3].Labels, list[3].DetectedBy = map[string]string{"team": "payments"}, ""
	list[8].Kind, list[8].MissedDetection = incident.KindDrill, true
	return append(list, incident.Incident{ID: "never", Title: "No time", Kind: incident.KindIncident, State: incident.StateResolved})
}

func verdictsOf(alert, service string, outcomes ...incident.Outcome) (out []incident.Verdict) {
	for i, o := range outcomes {
		out = append(out, incident.Verdict{Service: service, Outcome: o, Episode: incident.Episode{
			Fingerprint: alert + service, StartsAt: november.From.Add(time.Duration(i) * time.Hour), Labels: map[string]string{"alertname": alert},
		}})
	}
	return out
}

func someVerdicts() []incident.Verdict {
	const n, l, s = incident.OutcomeNone, incident.OutcomeLinked, incident.OutcomeSuggested
	list := verdictsOf("DiskFilling", "db", n, n, n, n)
	list = append(list, verdictsOf("HighLatency", "checkout", n, n, n, n, l)...)   // it belonged once
	list = append(list, verdictsOf("HighLatency", "search", n, n, n, s)...)        // it may have
	list = append(list, verdictsOf("HighLatency", "payments", n, n, n, n, n)...)   // never
	list = append(list, verdictsOf("Rare", "db", n, n)...)                         // too seldom to say
	list = append(list, incident.Verdict{Outcome: n, Episode: incident.Episode{}}) // no time
	before := verdictsOf("Before", "db", n, n, n)
	for i := range before {
		before[i].Episode.StartsAt = november.From.Add(-time.Minute)
	}
	return append(list, before...)
}

func TestMarkdown(t *testing.T) {
	l := written(t, someIncidents(), someVerdicts(), "https://ops.example.org/")
	l.URL = "https://ops.example.org/reports/2026-11"
	var b strings.Builder
	require.NoError(t, l.Markdown(&b))
	text := b.String()
	for _, line := range []string{
		"# Incidents, 2026-11\n",
		"- 9 incidents began; 0 in the period before: ",
		"- Time to detect (MTTD): **median 1m**, 90 % sure between 1m and 1m, 8 of 9 incidents; before: not known; mean 1m\n",
		"- Time to acknowledge (MTTA): **not known** of all 9 incidents; before: not known\n",
		"- Time to resolve (MTTR): **median 20m**, ",
		"- 2h: [Card payments fail](https://ops.example.org/incidents/a), checkout, critical, detected by alert\n",
		"- 1h: [\\<b\\>Bold\\</b\\> \\| \\[x\\](http://evil)](https://ops.example.org/incidents/c), checkout, critical, detected by third party\n",
		"- and 2 more: [all of them](https://ops.example.org/reports/2026-11)\n",
		"- [Search \\*slow\\*](https://ops.example.org/incidents/b), checkout, critical, detected by customer; no alert belongs to it\n",
		", detected by third party; an alert came, after a person knew\n",
		"- **HighLatency** of payments fired 5 times, never with an incident\n- **DiskFilling** of db fired 4 times, never with an incident\n",
		"who knew first is not known: time to acknowledge: acknowledged is not known",
		"Ask team payments: whoever keeps its record, jira OPS-d\n",
		"1 more incident is in no period, because no time is known\n",
	} {
		require.Contains(t, text, line)
	}
	for _, no := range []string{"Rare", "Before", "Drill", "HighLatency** of checkout", "HighLatency** of search"} {
		require.NotContains(t, text, no)
	}
	require.Less(t, strings.Count(text, "\n"), 60, "one page")
}

func TestOfNothing(t *testing.T) {
	var b strings.Builder
	require.NoError(t, written(t, nil, nil, "").Markdown(&b))
	for _, line := range []string{
		"- 0 incidents began; 0 in the period before", "(MTTR): **not known** of all 0 incidents; before: not known", "- None has a known time to resolve.\n",
		"- None.\n", "- No alert fired 3 times for nothing.\n", "- Every time of every incident is known.\n",
	} {
		require.Contains(t, b.String(), line)
	}
}

func TestForms(t *testing.T) {
	l := written(t, someIncidents(), someVerdicts(), "https://ops.example.org/")
	l.URL = "https://ops.example.org/reports/2026-11"
	body, contentType, err := l.Body(FormSlack)
	require.NoError(t, err)
	require.Equal(t, "application/json", contentType)
	var slack struct{ Text string }
	require.NoError(t, json.Unmarshal(body, &slack))
	require.Contains(t, slack.Text, "• 2h: <https://ops.example.org/incidents/a|Card payments fail>, checkout")
	require.Contains(t, slack.Text, "<https://ops.example.org/incidents/c|&lt;b&gt;Bold&lt;/b&gt; ¦ [x](http://evil)>")
	require.Contains(t, slack.Text, "*median 20m*, 90 % sure")
	require.Contains(t, slack.Text, "*The longest incidents*")

	body, _, err = l.Body(FormTeams)
	require.NoError(t, err)
	var teams struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type, Text string
					Wrap       bool
				}
				Actions []struct{ Type, URL string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(body, &teams))
	require.Equal(t, "message", teams.Type)
	require.Equal(t, "application/vnd.microsoft.card.adaptive", teams.Attachments[0].ContentType)
	card := teams.Attachments[0].Content
	require.Equal(t, "AdaptiveCard", card.Type)
	require.Len(t, card.Body, 11, "a title, and five sections with their heads")
	require.Contains(t, card.Body[4].Text, "[Card payments fail](https://ops.example.org/incidents/a)")
	require.Equal(t, "https://ops.example.org/reports/2026-11", card.Actions[0].URL)

	body, contentType, err = l.Body(FormText)
	require.NoError(t, err)
	require.Equal(t, "text/markdown; charset=utf-8", contentType)
	require.True(t, strings.HasPrefix(string(body), "# Incidents, 2026-11\n"))

	body, _, err = l.Body(FormJSON)
	require.NoError(t, err)
	var again Letter
	require.NoError(t, json.Unmarshal(body, &again))
	require.Equal(t, l.Noise, again.Noise)
	require.Len(t, again.Longest, 7)

	_, _, err = l.Body("fax")
	require.EqualError(t, err, `a letter has no form "fax"`)
}

func TestAsked(t *testing.T) {
	q, err := Asked("2026-W48", "Europe/Berlin")
	require.NoError(t, err)
	require.Equal(t, measure.Question{From: "2026-11-23T00:00:00+01:00", To: "2026-11-30T00:00:00+01:00"}, q)
	q, err = Asked("2026-W13", "Europe/Berlin") // the clocks go forward at its end
	require.NoError(t, err)
	require.Equal(t, measure.Question{From: "2026-03-23T00:00:00+01:00", To: "2026-03-30T00:00:00+02:00"}, q)
	for _, wrong := range []string{"2026-W54", "2026-W00", "2026-W1", "soon-Wx", "9999-W01"} {
		_, err = Asked(wrong, "")
		require.ErrorContains(t, err, "not a week", wrong)
	}
	_, err = Asked("2026-W48", "Berlin")
	require.ErrorContains(t, err, "unknown zone")
}

// Any Monday's week is asked for by its name from that Monday to the next.
func TestWeeks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		monday := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*rapid.IntRange(0, 10000).Draw(t, "weeks"))
		q, err := Asked(Week(monday.AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "days"))), "")
		require.NoError(t, err)
		require.Equal(t, monday.Format(time.RFC3339), q.From)
		require.Equal(t, monday.AddDate(0, 0, 7).Format(time.RFC3339), q.To)
	})
}

// Whatever titles hold, no line of a letter ends before its own end, and nothing in it is a link but what the letter makes one.
func TestTitlesAreHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inc := made("a", rapid.String().Draw(t, "title"), 2, 60)
		l := written(t, []incident.Incident{inc}, nil, "")
		lines := 0
		for _, s := range l.Sections() {
			lines += 3 + len(s.Lines) // an empty line, the head, an empty line
		}
		var b strings.Builder
		require.NoError(t, l.Markdown(&b))
		require.Equal(t, 1+lines, strings.Count(b.String(), "\n"))
		require.NotRegexp(t, `[^\\]\]\(`, b.String())
	})
}

// Of what nobody watched no letter says that nothing happened.
func TestUnwatched(t *testing.T) {
	r, err := measure.NewReport(measure.ReportOptions{Options: measure.Options{Intervals: incident.DefaultIntervals()}, Period: november},
		each[incident.Incident](nil), each[incident.Verdict](nil))
	require.NoError(t, err)
	l, err := New(Options{Report: r}, each[incident.Incident](nil), each[incident.Verdict](nil))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, l.Markdown(&b))
	require.Contains(t, b.String(), "- how many incidents began is not known: nothing was watched; how many in the period before is not known")
}
