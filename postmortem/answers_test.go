package postmortem

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

const unanswered = "# Outage of 6 May\n\n- 10:00 A customer reports errors\n- 10:05 On-call starts investigating\n- 10:20 Root cause identified\n- 10:30 Errors drop\n"

func TestAnswers(t *testing.T) {
	before := one(t, "mill.md", unanswered)
	require.Empty(t, given(before), "no year and no zone give nothing")
	a, err := ParseAnswers([]byte(`
zone: Europe/Berlin
year: 2024
answers:
  - field: milestones.started
    value: 2024-05-06T07:45:00Z
  - question: resolved
    candidate: 2024-05-06T08:30:00Z Errors drop
  - field: milestones.mitigated
    value: unknown
  - field: severity
    value: critical
  - question: window
    value: accepted
`))
	require.NoError(t, err)
	res := read(t, "mill.md", unanswered, Options{Answers: a})
	f := res.Incidents[0]
	require.Equal(t, "started 2024-05-06T07:45, detected 2024-05-06T08:00, acknowledged 2024-05-06T08:05, identified 2024-05-06T08:20, resolved 2024-05-06T08:30", given(f))
	require.Equal(t, "critical", f.Record.Severity)
	for _, gone := range []string{"zone", "year", "started", "resolved", "mitigated"} {
		require.NotContains(t, strings.Fields(questions(f)), gone)
	}
	require.Equal(t, []string{"line 13: question window: nobody asks that"}, res.Unused)
	// An edit of the text moves every line and leaves the answers standing.
	edited := read(t, "mill.md", "A new first line.\n\n"+strings.ReplaceAll(unanswered, "Errors drop", "Fewer errors"), Options{Answers: a}).Incidents[0]
	require.Equal(t, given(f), given(edited))
}

func TestAnswersMistakes(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"zone: Mars/Olympus", `zone: not a zone: "Mars/Olympus"`},
		{"date: tomorrow", `date: not a date: "tomorrow"`},
		{"year: 12", "year: year 12 is out of range"},
		{"answers:\n  - value: x", "answers[0] (line 2): says neither a field nor a question"},
		{"answers:\n  - field: milestones.started", "answers[0] (line 2): has neither a value nor a candidate"},
		{"answers:\n  - field: milestones.begin\n    value: 2024-01-01T00:00:00Z", `unknown milestone "begin"`},
		{"answers:\n  - field: milestones.started\n    value: 10 o'clock", `not a time: "10 o'clock"`},
		{"answers:\n  - field: colour\n    value: red", `unknown field "colour"`},
		{"answers:\n  - feld: severity\n    value: red", `unknown key "feld"`},
		{"zones: UTC", "field zones not found"},
		{"answers: 7", "cannot unmarshal"},
	} {
		_, err := ParseAnswers([]byte(c.yaml))
		require.ErrorContains(t, err, c.want, c.yaml)
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
	}
	_, err := ParseAnswers(nil)
	require.NoError(t, err)
}

// The day of a document that names none can be answered, as its question asks.
func TestAnswerTheDay(t *testing.T) {
	const text = "# Outage of the mill\n\nAll times are UTC.\n\n- 10:00 Outage begins\n- 10:04 First alert fires\n" +
		"- 10:30 Service restored for all customers\n"
	f := one(t, "mill.md", text)
	require.Empty(t, f.Record.Milestones)
	require.Contains(t, questions(f), "date")
	a, err := ParseAnswers([]byte("date: 2024-05-06\n"))
	require.NoError(t, err)
	res := read(t, "mill.md", text, Options{Answers: a})
	require.Len(t, res.Incidents, 1)
	require.NotContains(t, questions(res.Incidents[0]), "date")
	require.Equal(t, "2024-05-06T10:04:00Z", res.Incidents[0].Record.Milestones["detected"].At.Format(time.RFC3339))
}
