package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func houseOf(t *testing.T, words, headings map[string][]string) Options {
	v, err := House{words, headings}.Vocabulary()
	require.NoError(t, err)
	return Options{Vocabulary: v}
}

// What an organisation calls a milestone is it, and is not where a word of either language denies it.
func TestHouseWords(t *testing.T) {
	text := func(line string) string {
		return "# Outage of the mill\n\nAll times UTC on 2024-05-06.\n\n## Timeline\n\n" +
			"- 10:00 Outage begins\n- 10:04 First alert fires\n" + line + "\n"
	}
	for _, c := range []struct {
		name, word, line string
		milestone        incident.MilestoneName
		want             string // empty: not given
	}{
		{"resolved", "resolved", "- 10:40 Blue lamp is on", incident.Resolved, "10:40"},
		{"resolved, another case", "resolved", "- 10:40 BLUE LAMP.", incident.Resolved, "10:40"},
		{"denied", "resolved", "- 10:40 No blue lamp yet", incident.Resolved, ""},
		{"hedged", "resolved", "- 10:40 Perhaps a blue lamp", incident.Resolved, ""},
		{"mitigated", "mitigated", "- 10:40 Blue lamp is on", incident.Mitigated, "10:40"},
		{"acknowledged", "acknowledged", "- 10:08 Blue lamp is on", incident.Acknowledged, "10:08"},
		{"identified", "identified", "- 10:08 Blue lamp: the wheel\n- 10:40 Service restored for all customers", incident.Identified, "10:08"},
		{"only part of it", "resolved", "- 10:40 A lamp is on", incident.Resolved, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain := read(t, "mill.md", text(c.line), Options{})
			require.NotContains(t, plain.Incidents[0].Record.Milestones, c.milestone, "it is read without the house")
			r := read(t, "mill.md", text(c.line), houseOf(t, map[string][]string{c.word: {"blue lamp"}}, nil))
			got, ok := r.Incidents[0].Record.Milestones[c.milestone]
			if c.want == "" {
				require.False(t, ok, "%v", got)
				return
			}
			require.True(t, ok, "%+v", r.Incidents[0].Weighed)
			require.Equal(t, c.want, got.At.UTC().Format("15:04"))
		})
	}
}

// In another language its own denials count, and those of English.
func TestHouseWordsInAnyLanguage(t *testing.T) {
	text := func(line string) string {
		return "# Ausfall der Mühle\n\nAlle Zeiten sind UTC, am 6. Mai 2024.\n\n## Zeitverlauf\n\n- 10:00 Der Ausfall beginnt, die Mühle steht\n" +
			"- 10:04 Der erste Alarm wird ausgelöst und die Bereitschaft ist am Telefon\n" + line + "\n"
	}
	opts := houseOf(t, map[string][]string{"resolved": {"blaue Lampe"}}, nil)
	for line, want := range map[string]bool{
		"- 10:40 Blaue Lampe":                  true,
		"- 10:40 Noch keine blaue Lampe":       false,
		"- 10:40 No blaue Lampe":               false,
		"- 10:40 Die Lampe ist nicht zu sehen": false,
	} {
		r := read(t, "mill.md", text(line), opts)
		require.Equal(t, "de", r.Language)
		_, ok := r.Incidents[0].Record.Milestones[incident.Resolved]
		require.Equal(t, want, ok, line)
	}
}

func TestHouseHeadings(t *testing.T) {
	const text = "# Outage of the mill\n\nAll times UTC on 2024-05-06.\n\n## Timeline\n\n- 10:00 Outage begins\n- 10:40 Service restored for all customers\n\n" +
		"## Homework\n\n- Buy a second wheel\n- Write the runbook\n"
	require.Empty(t, read(t, "mill.md", text, Options{}).Incidents[0].Record.Actions)
	r := read(t, "mill.md", text, houseOf(t, nil, map[string][]string{"actions": {"homework"}}))
	require.Len(t, r.Incidents[0].Record.Actions, 2)
}

func TestHouseWithoutWords(t *testing.T) {
	v, err := House{}.Vocabulary()
	require.NoError(t, err)
	require.Nil(t, v)
	_, err = House{Words: map[string][]string{"resolvd": {"x"}}}.Vocabulary()
	require.ErrorContains(t, err, `words: "resolvd" is no milestone`)
	_, err = House{Headings: map[string][]string{"homework": {"x"}}}.Vocabulary()
	require.ErrorContains(t, err, `unknown section "homework"`)
	_, err = House{Headings: map[string][]string{"actions": {" - "}}}.Vocabulary()
	require.ErrorContains(t, err, `phrase " - " has no word in it`)
}
