package postmortem

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/incident"
	"meantime/postmortem/lexicon"
)

// ruleCase is a timeline in the words of testdata/rules, one line per entry, and what must be made of it. A word in braces
// is replaced by the language's sentence.
type ruleCase struct {
	name  string
	doc   string
	given string
	about string // whose times are approximate
	asks  string
	kind  incident.Kind
}

const inTimeline = "# {title}\n\n{zone}\n\n"

// ruleCases are the rules that hold in every language.
var ruleCases = []ruleCase{
	{name: "everything said", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:05 {ack}\n- 10:20 {cause}\n- 10:30 {recovered}\n- 11:00 {ended}\n",
		given: "started 10:00, detected 10:02, acknowledged 10:05, identified 10:20, mitigated 10:30, resolved 11:00"},
	{name: "a report is not a start", doc: inTimeline + "- 10:00 {report}\n- 10:05 {ack}\n- 10:30 {recovered}\n",
		given: "detected 10:00, acknowledged 10:05, mitigated 10:30, resolved 10:30", asks: "started"},
	{name: "a report by support", doc: inTimeline + "- 10:00 {start}\n- 10:04 {support}\n- 10:30 {ended}\n",
		given: "started 10:00, detected 10:04, resolved 10:30"},
	{name: "an alert is not a start", doc: inTimeline + "- 10:00 {alert}\n- 10:05 {ack}\n- 10:30 {recovered}\n",
		given: "detected 10:00, acknowledged 10:05, mitigated 10:30, resolved 10:30", asks: "started"},
	{name: "noticed by staff", doc: inTimeline + "- 10:00 {start}\n- 10:07 {noticed}\n- 10:30 {recovered}\n",
		given: "started 10:00, detected 10:07, mitigated 10:30, resolved 10:30"},
	{name: "a supplier's word is not ours", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:20 {supplier}\n- 10:40 {recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 10:40, resolved 10:40"},
	{name: "better is not well", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:20 {partial}\n",
		given: "started 10:00, detected 10:02", asks: "resolved"},
	{name: "not yet well", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:20 {not_well}\n",
		given: "started 10:00, detected 10:02", asks: "resolved"},
	{name: "a suspicion is no cause", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:10 {maybe}\n- 10:30 {recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30", asks: "identified"},
	{name: "what did not help", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:10 {useless}\n- 10:30 {recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30"},
	{name: "healed itself", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:12 {self_healed}\n",
		given: "started 10:00, detected 10:02, mitigated 10:12, resolved 10:12"},
	{name: "a relapse", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:20 {recovered}\n- 10:40 {relapse}\n- 11:00 {recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 11:00, resolved 11:00", asks: "incidents"},
	{name: "a test environment", doc: inTimeline + "- 09:00 {staging}\n- 10:00 {start}\n- 10:02 {alert}\n- 10:30 {recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30"},
	{name: "work after the end", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:30 {ended}\n- 15:00 {follow_up}\n",
		given: "started 10:00, detected 10:02, resolved 10:30", asks: "resolved"},
	{name: "over midnight", doc: inTimeline + "- 23:40 {start}\n- 23:50 {alert}\n- 00:20 {recovered}\n",
		given: "started 23:40, detected 23:50, mitigated 07T00:20, resolved 07T00:20"},
	{name: "the next day", doc: inTimeline + "- 20:00 {start}\n- 20:05 {alert}\n\n{next_day}\n\n- 21:00 {recovered}\n",
		given: "started 20:00, detected 20:05, mitigated 07T21:00, resolved 07T21:00"},
	{name: "newest first", doc: inTimeline + "- 10:30 {recovered}\n- 10:20 {cause}\n- 10:02 {alert}\n- 10:00 {start}\n",
		given: "started 10:00, detected 10:02, identified 10:20, mitigated 10:30, resolved 10:30"},
	{name: "code and quotes", doc: inTimeline + "- 10:00 {start}\n- 10:02 {alert}\n- 10:30 {recovered}\n\n```\n11:00 {ended}\n```\n\n> 11:10 {ended}\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30"},
	{name: "a table", doc: inTimeline + "| UTC | |\n|---|---|\n| 10:00 | {start} |\n| 10:02 | {alert} |\n| 10:30 | {recovered} |\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30"},
	{name: "headings", doc: inTimeline + "### 10:00\n\n{start}\n\n### 10:02\n\n{alert}\n\n### 10:30\n\n{recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30"},
	{name: "a window in a sentence", doc: "# {title}\n\n{between}\n", given: "started 10:00, mitigated 10:30, resolved 10:30"},
	{name: "fields", doc: "# {title}\n\n{field_start}\n\n{field_end}\n", given: "started 10:00, resolved 10:30"},
	{name: "a duration that differs", doc: "# {title}\n\n{field_start}\n\n{field_end}\n\n{field_duration}\n", given: "started 10:00, resolved 10:30", asks: "duration"},
	{name: "a drill", doc: "# {drill}\n\n{zone}\n\n- 10:00 {start}\n- 10:02 {alert}\n- 10:30 {recovered}\n", kind: incident.KindDrill},
	{name: "maintenance", doc: "# {maintenance}\n\n{zone}\n\n- 10:00 {start}\n- 10:30 {recovered}\n", kind: incident.KindMaintenance},
	{name: "about", doc: inTimeline + "- {about} 10:00 {start}\n- 10:02 {alert}\n- 10:30 {recovered}\n",
		given: "started 10:00, detected 10:02, mitigated 10:30, resolved 10:30", about: "started"},
	{name: "unknown times", doc: inTimeline + "- 10:XX {start}\n- 10:02 {alert}\n- 10:30 {recovered}\n", given: "detected 10:02, mitigated 10:30, resolved 10:30", asks: "started"},
}

// TestRulesInEveryLanguage reads every rule in the words of every language.
func TestRulesInEveryLanguage(t *testing.T) {
	all, err := lexicon.All()
	require.NoError(t, err)
	told, found := 0, 0
	for _, lx := range all.All {
		b, err := os.ReadFile(filepath.Join("testdata", "rules", lx.Code+".yaml"))
		require.NoError(t, err, "a language needs its words for the rules")
		words := map[string]string{}
		require.NoError(t, yaml.Unmarshal(b, &words))
		var pairs []string
		for k, v := range words {
			pairs = append(pairs, "{"+k+"}", v)
		}
		fill := strings.NewReplacer(pairs...)
		for _, c := range ruleCases {
			t.Run(lx.Code+"/"+c.name, func(t *testing.T) {
				text := fill.Replace(c.doc)
				require.NotContains(t, text, "{", "a word is missing")
				res := read(t, "mill.md", text, Options{})
				require.Len(t, res.Incidents, 1)
				require.Equal(t, lx.Code, res.Language)
				f := res.Incidents[0]
				var want []string
				for _, w := range strings.Split(c.given, ", ") {
					if name, at, ok := strings.Cut(w, " "); ok {
						if !strings.Contains(at, "T") {
							at = "06T" + at
						}
						want = append(want, name+" 2024-05-"+at)
					}
				}
				n, k := requireTold(t, strings.Join(want, ", "), f, text)
				told, found = told+n, found+k
				var about []string
				for _, name := range incident.MilestoneNames {
					if f.Record.Milestones[name].Confidence == incident.ConfidenceApproximate {
						about = append(about, string(name))
					}
				}
				require.Equal(t, c.about, strings.Join(about, ", "), text)
				if c.asks != "" {
					require.True(t, asks(f, c.asks), "%s is not asked: %s", c.asks, questions(f))
				}
				if c.kind != "" {
					require.Equal(t, c.kind, f.Record.Kind)
				}
			})
		}
	}
	require.GreaterOrEqual(t, float64(found), 0.9*float64(told), "%d of %d are given and not only suggested", found, told)
}
