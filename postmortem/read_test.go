package postmortem

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/milestones"
)

var update = flag.Bool("update", false, "write the golden files anew")

func read(t testing.TB, name, text string, opts Options) Result {
	res, err := Read(name, []byte(text), opts)
	require.NoError(t, err)
	return res
}

func one(t testing.TB, name, text string) milestones.Found {
	res := read(t, name, text, Options{})
	require.Len(t, res.Incidents, 1)
	return res.Incidents[0]
}

// given lists a record's milestones as "started 14:05" in their usual order.
func given(f milestones.Found) string {
	var out []string
	for _, n := range incident.MilestoneNames {
		if s, ok := f.Record.Milestones[n]; ok {
			out = append(out, string(n)+" "+s.At.Format("2006-01-02T15:04"))
		}
	}
	return strings.Join(out, ", ")
}

// suggested says whether a moment, as given has it, is among what a milestone is asked for with.
func suggested(f milestones.Found, milestone string) bool {
	name, at, _ := strings.Cut(milestone, " ")
	for _, q := range f.Questions {
		if q.Kind == name && slices.ContainsFunc(q.Candidates, func(c string) bool { return strings.HasPrefix(c, at) }) {
			return true
		}
	}
	return false
}

// requireTold requires that nothing is given but what is told, and that what is told is given or suggested. It counts what is
// told and given.
func requireTold(t *testing.T, told string, f milestones.Found, text string) (n, found int) {
	t.Helper()
	var left []string
	for _, w := range strings.Split(told, ", ") {
		if w == "" {
			continue
		}
		n++
		if slices.Contains(strings.Split(given(f), ", "), w) {
			found++
			left = append(left, w)
		} else {
			require.True(t, suggested(f, w), "%s is not suggested: %v\n%s", w, f.Questions, text)
		}
	}
	require.Equal(t, strings.Join(left, ", "), given(f), text)
	return n, found
}

// asks says whether something is asked: by a question of its own, or among what the document says nothing of.
func asks(f milestones.Found, kind string) bool {
	return slices.ContainsFunc(f.Questions, func(q incident.Question) bool {
		return q.Kind == kind || q.Kind == milestones.AskAbsent && strings.Contains(q.Text, kind)
	})
}

func questions(f milestones.Found) string {
	var out []string
	for _, q := range f.Questions {
		out = append(out, q.Kind)
	}
	return strings.Join(out, " ")
}

type truthFile struct {
	Milestones map[string]struct {
		UTC        *time.Time `yaml:"utc"`
		Confidence string     `yaml:"confidence"`
	} `yaml:"milestones"`
}

var truthNames = map[string]incident.MilestoneName{"impact_started": incident.Started, "detected": incident.Detected, "acknowledged": incident.Acknowledged,
	"root_cause_identified": incident.Identified, "mitigated": incident.Mitigated, "resolved": incident.Resolved}

// TestDocuments reads every document of testdata/docs. No milestone may be wrong; at least nine in ten of those stated
// must be found, and all but those that testdata/missed.txt names.
func TestDocuments(t *testing.T) {
	files, err := filepath.Glob("testdata/docs/*")
	require.NoError(t, err)
	stated, found, docs := 0, 0, 0
	var missed []string
	for _, f := range files {
		if filepath.Ext(f) == ".yaml" {
			continue
		}
		docs++
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		b, err := os.ReadFile(strings.TrimSuffix(f, filepath.Ext(f)) + ".yaml")
		require.NoError(t, err)
		var want truthFile
		require.NoError(t, yaml.Unmarshal(b, &want))
		res := read(t, filepath.Base(f), string(body), Options{})
		var rec incident.Record
		if len(res.Incidents) > 0 {
			rec = res.Incidents[0].Record
		}
		for name, w := range want.Milestones {
			got, ok := rec.Milestones[truthNames[name]]
			if w.Confidence == "stated" {
				stated++
				if ok && got.At.Sub(*w.UTC).Abs() <= time.Minute {
					found++
				} else {
					missed = append(missed, filepath.Base(f)+" "+name)
				}
			}
			if ok && w.Confidence != "doubtful" {
				require.NotNil(t, w.UTC, "%s: %s is not stated, but given as %s", f, name, got.At)
				require.LessOrEqual(t, got.At.Sub(*w.UTC).Abs(), time.Minute, "%s: %s is %s, not %s", f, name, w.UTC, got.At)
			}
			if ok {
				require.NotEmpty(t, got.Evidence, "%s: %s", f, name)
				require.LessOrEqual(t, len([]rune(got.Evidence)), milestones.MaxEvidence)
				require.Positive(t, got.Line, "%s: %s", f, name)
			}
		}
	}
	slices.Sort(missed)
	if *update {
		require.NoError(t, os.WriteFile("testdata/missed.txt", []byte(strings.Join(missed, "\n")+"\n"), 0o644))
	}
	known, err := os.ReadFile("testdata/missed.txt")
	require.NoError(t, err)
	require.Equal(t, string(known), strings.Join(missed, "\n")+"\n")
	require.GreaterOrEqual(t, docs, 225)
	require.GreaterOrEqual(t, float64(found), 0.9*float64(stated), "%d of %d found", found, stated)
}

func TestRules(t *testing.T) {
	const head = "# Outage of the mill\n\nAll times UTC on 2024-05-06.\n\n## Timeline\n\n"
	for _, c := range []struct{ name, text, given, asks string }{
		{"a report is not a start", head + "- 10:00 A customer reports errors\n- 10:05 On-call starts investigating\n- 10:30 Service restored\n",
			"detected 2024-05-06T10:00, acknowledged 2024-05-06T10:05, mitigated 2024-05-06T10:30, resolved 2024-05-06T10:30", "started"},
		{"a supplier's post is not ours", head + "- 09:58 Outage begins\n- 10:00 GitHub's status page reports an outage\n- 10:10 Alert MillDown fires\n- 10:20 GitHub says the issue is fixed\n- 10:40 Mill is back online\n",
			"started 2024-05-06T09:58, detected 2024-05-06T10:10, mitigated 2024-05-06T10:40, resolved 2024-05-06T10:40", "acknowledged"},
		{"better is not well", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:20 Errors drop\n- 10:30 Connectivity improves\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02", "resolved"},
		{"denied is not said", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:10 Root cause not found yet\n- 10:20 Restart did not resolve the issue\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02", "mitigated"},
		{"what is believed is not known", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:10 We suspect the root cause was found\n- 10:20 It should be resolved soon\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02", "identified"},
		{"identified after resolved", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:10 The problem resolved itself\n- 10:40 Root cause identified\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02, identified 2024-05-06T10:40, mitigated 2024-05-06T10:10, resolved 2024-05-06T10:10", ""},
		{"a test environment is not users", head + "- 09:00 Staging goes down after the deploy\n- 10:00 Outage starts\n- 10:02 Alert fires\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02", ""},
		{"a slight disorder", head + "- 10:00 Outage starts\n- 10:20 Root cause identified\n- 10:15 On-call acknowledged the alert\n- 10:40 Outage ends\n",
			"started 2024-05-06T10:00, acknowledged 2024-05-06T10:15, identified 2024-05-06T10:20, mitigated 2024-05-06T10:40, resolved 2024-05-06T10:40", ""},
		{"a step back is a question", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 07:30 Root cause identified\n- 07:40 Outage ends\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02", "order"},
		{"over midnight", head + "- 23:40 Outage starts\n- 23:50 Alert fires\n- 00:20 Outage ends\n",
			"started 2024-05-06T23:40, detected 2024-05-06T23:50, mitigated 2024-05-07T00:20, resolved 2024-05-07T00:20", ""},
		{"newest first", head + "- 10:40 Outage ends\n- 10:20 Root cause identified\n- 10:02 Alert fires\n- 10:00 Outage starts\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02, identified 2024-05-06T10:20, mitigated 2024-05-06T10:40, resolved 2024-05-06T10:40", ""},
		{"code, quotes and chats are no entries", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n\n```\n11:00 outage ends\n```\n> 11:10 outage ends\n\n## Chat log\n- 11:20 outage ends\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02, mitigated 2024-05-06T10:30, resolved 2024-05-06T10:30", ""},
		{"start after end", "# Incident\n\nStart: 2024-05-06 12:00 UTC\n\nEnd: 2024-05-06 10:00 UTC\n",
			"resolved 2024-05-06T10:00", "order"},
		{"an end after midnight without a date", "# Incident 2024-05-06\n\nTimezone: UTC\n\nStart: 23:30\n\nEnd: 01:10\n",
			"started 2024-05-06T23:30, resolved 2024-05-07T01:10", ""},
		{"a printed length that is wrong", "# Incident 2024-05-06\n\n## Impact\n\nTimes in UTC.\n\n- 2024-05-06 11:07 UTC => 13:40 UTC (02h 37min of outage)\n",
			"started 2024-05-06T11:07, mitigated 2024-05-06T13:40, resolved 2024-05-06T13:40", "duration"},
		{"two windows", "# Outage\n\n## Impact\n\nThe site was down twice:\n\n- 2024-05-06 11:00 UTC - 12:00 UTC\n- 2024-05-06 13:00 UTC - 13:30 UTC\n",
			"started 2024-05-06T11:00, mitigated 2024-05-06T12:00, resolved 2024-05-06T13:30", "incidents"},
		{"a backlog after", head + "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Service restored\n- 11:30 Backlog cleared\n",
			"started 2024-05-06T10:00, detected 2024-05-06T10:02, mitigated 2024-05-06T10:30", "resolved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := one(t, "mill.md", c.text)
			requireTold(t, c.given, f, c.text)
			if c.asks != "" {
				require.Contains(t, strings.Fields(questions(f)), c.asks)
			}
		})
	}
}

func TestDates(t *testing.T) {
	const list = "- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n"
	for _, c := range []struct{ name, file, text, started, asks string }{
		{"title", "a.md", "# Outage of 6 May 2024\n\nTimes in UTC\n\n" + list, "2024-05-06T10:00", ""},
		{"file name, with a question", "2024-05-06-mill.md", "# Outage\n\nTimes in UTC\n\n" + list, "2024-05-06T10:00", "year"},
		{"the sentence, not the publication", "a.md", "# Outage of the mill\n\nPublished on 2024-05-20\n\nOn 2024-05-06 the mill had an outage.\n\nTimes in UTC\n\n" + list, "2024-05-06T10:00", ""},
		{"day first by another date", "a.md", "# Outage\n\nIncident on 06/05/2024, reviewed 20/05/2024. Times in UTC.\n\n" + list, "2024-05-06T10:00", ""},
		{"month first by another date", "a.md", "# Outage\n\nIncident on 05/06/2024, reviewed 05/20/2024. Times in UTC.\n\n" + list, "2024-05-06T10:00", ""},
		{"by weekday", "a.md", "# Outage\n\nIncident on Monday 06/05/2024. Times in UTC.\n\n" + list, "2024-05-06T10:00", ""},
		{"undecided", "a.md", "# Outage\n\nIncident on 05/06/2024. Times in UTC.\n\n" + list, "", "date"},
		{"no year", "a.md", "# Outage of 6 May\n\nTimes in UTC\n\n" + list, "", "year"},
		{"year of publication", "a.md", "# Outage of 6 May\n\nPublished on May 20, 2024\n\nTimes in UTC\n\n" + list, "2024-05-06T10:00", "year"},
		{"none", "a.md", "# Outage\n\nTimes in UTC\n\n" + list, "", "date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := one(t, c.file, c.text)
			got := ""
			if s, ok := f.Record.Milestones[incident.Started]; ok {
				got = s.At.Format("2006-01-02T15:04")
			}
			require.Equal(t, c.started, got)
			if c.asks != "" {
				require.Contains(t, strings.Fields(questions(f)), c.asks)
			}
		})
	}
}

func TestZones(t *testing.T) {
	for _, c := range []struct{ name, text, started, asks string }{
		{"none gives nothing", "# Outage 2024-08-06\n\n- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n", "", "zone"},
		{"a seasonal name out of season", "# Outage 2024-08-06\n\nAll times in CST.\n\n- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n", "2024-08-06T15:00", "zone"},
		{"beside one entry, for all", "# Outage 2024-08-06\n\n- 10:00 CEST Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n", "2024-08-06T08:00", ""},
		{"an offset beats a name", "# Outage 2024-08-06\n\nAll times in PDT (UTC-7)\n\n- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n", "2024-08-06T17:00", ""},
		{"a quoted alert contradicts the label", "# Outage\n\n## Timeline (times in BST)\n\n### August 6, 2024, 10:00 AM\nOutage starts\n\n> Violation started: August 6, 2024 at 2:00PM UTC\n\n### 10:02 AM\nAlert fires\n\n### 10:30 AM\nOutage ends\n", "2024-08-06T14:00", "zone"},
		{"a commit says it", "# Outage of 6 August 2024\n\n10:00. Outage starts\n\n10:02. Alert fires\n\n10:30. Outage ends with this commit:\n\n```\nDate: Tue Aug 6 10:30:41 2024 +0300\n```\n", "2024-08-06T07:00", "zone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := one(t, "a.md", c.text)
			got := ""
			if s, ok := f.Record.Milestones[incident.Started]; ok {
				got = s.At.Format("2006-01-02T15:04")
			}
			require.Equal(t, c.started, got)
			if c.asks != "" {
				require.Contains(t, strings.Fields(questions(f)), c.asks)
			}
		})
	}
	f := read(t, "a.md", "# Outage 2024-08-06\n\n- 10:00 Outage starts\n- 10:02 Alert fires\n- 10:30 Outage ends\n", Options{Location: time.UTC}).Incidents[0]
	require.Equal(t, "2024-08-06T10:00:00Z", f.Record.Milestones[incident.Started].At.Format(time.RFC3339), "the caller's default zone")
}

func TestSeveralIncidents(t *testing.T) {
	body, err := os.ReadFile("testdata/docs/en-monthly.md")
	require.NoError(t, err)
	res := read(t, "reports/en-monthly.md", string(body), Options{})
	require.Len(t, res.Incidents, 2)
	require.Equal(t, "en-monthly", res.Incidents[0].Record.ID)
	require.Equal(t, "en-monthly-2", res.Incidents[1].Record.ID)
	require.Contains(t, given(res.Incidents[1]), "started 2024-07-22T22:05")
}

func TestRecordFields(t *testing.T) {
	f := one(t, "fields.md", "# Kiosk outage\n\n- Start: 2024-05-06 10:00 UTC\n- End: 2024-05-06 10:30 UTC\n- Severity: Critical, all kiosks\n- Affected services: kiosk, till\n- Regions: north\n- Detected by: Prometheus alert\n\n## Action items\n\n- [ ] Test the kiosks by 2024-06-01\n- [x] Apologise\n")
	require.Equal(t, "Critical", f.Record.Severity)
	require.Equal(t, []string{"kiosk", "till"}, f.Record.Services)
	require.Equal(t, map[string]string{"region": "north"}, f.Record.Labels)
	require.Equal(t, incident.ByAlert, f.Record.DetectedBy)
	require.Equal(t, []incident.Action{{Title: "Test the kiosks by 2024-06-01", State: "open", Due: "2024-06-01"}, {Title: "Apologise", State: "done"}}, f.Record.Actions)
	require.Equal(t, incident.OriginPostmortem, f.Record.Origin)
	require.Equal(t, incident.StateResolved, f.Record.State)
}

func TestEncodings(t *testing.T) {
	doc := "# 障害報告\n\n時刻は日本時間\n\n- 2024年5月20日 13:42 障害発生\n- 13:45 監視システムがアラートを検知\n- 14:28 サービス復旧を確認\n"
	sjis := mustEncode(t, "shift_jis", doc)
	want := given(one(t, "a.md", doc))
	require.Contains(t, want, "detected 2024-05-20T04:45")
	require.Equal(t, want, given(one(t, "a.md", sjis)))
	require.Equal(t, want, given(one(t, "a.md", mustEncode(t, "euc-jp", doc))))
	require.Equal(t, want, given(one(t, "a.md", mustEncode(t, "utf-16le", "\uFEFF"+doc))))
	require.Equal(t, want, given(one(t, "a.md", "\xEF\xBB\xBF"+doc)))
	latin := mustEncode(t, "windows-1252", "# Avería del 3 de mayo de 2024\n\nTodas las horas en UTC\n\n- 10:00 Se cae el servicio\n- 10:05 Salta la alerta\n- 10:30 Se restableció el servicio\n")
	require.Contains(t, given(one(t, "a.md", latin)), "detected 2024-05-03T10:05")
	_, err := Read("a.png", []byte("\x89PNG\x00\x00"), Options{})
	require.ErrorContains(t, err, "not a text")
	_, err = Read("a.md", make([]byte, document.MaxDocument+1), Options{})
	require.Equal(t, incident.CodeTooLarge, incident.CodeOf(err))
}

func TestNoMarkup(t *testing.T) {
	res := read(t, "<b>x.html", "<!doctype html><title>Outage &lt;script&gt;alert(1)&lt;/script&gt;</title><main><p>Services: <i>a</i>&lt;img src=x onerror=alert(1)&gt;, b</p><ul><li>2024-05-06 10:00 UTC Outage starts &lt;script&gt;x&lt;/script&gt;</li><li>10:02 UTC Alert fires <script>alert(2)</script></li><li>10:30 UTC Outage ends &amp;lt;b&amp;gt;</li></ul></main>", Options{})
	require.Len(t, res.Incidents, 1)
	b, err := json.Marshal(NewDocument(res))
	require.NoError(t, err)
	var back any
	require.NoError(t, json.Unmarshal(b, &back))
	walk(back, func(s string) {
		for _, bad := range []string{"<script", "<img", "</", "<b", "<i"} {
			require.NotContains(t, s, bad)
		}
	})
	require.Contains(t, given(res.Incidents[0]), "started 2024-05-06T10:00")
}

func walk(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, x := range v {
			walk(x, f)
		}
	case map[string]any:
		for k, x := range v {
			f(k)
			walk(x, f)
		}
	}
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"en-checkout-google.md", "en-statuspage.html", "es-taquilla.md"} {
		body, err := os.ReadFile("testdata/docs/" + name)
		require.NoError(t, err)
		res := read(t, name, string(body), Options{})
		var out bytes.Buffer
		require.NoError(t, WriteTable(&out, res, false))
		out.WriteString("\n--- yaml\n")
		require.NoError(t, WriteYAML(&out, res))
		golden := "testdata/golden/" + name + ".txt"
		if *update {
			require.NoError(t, os.MkdirAll("testdata/golden", 0o755))
			require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), out.String())
		// The same twice, to the byte.
		var again bytes.Buffer
		require.NoError(t, WriteTable(&again, read(t, name, string(body), Options{}), false))
		require.True(t, strings.HasPrefix(out.String(), again.String()))
		// YAML and JSON say the same, and what they print is a record.
		var y, j bytes.Buffer
		require.NoError(t, WriteYAML(&y, res))
		require.NoError(t, WriteJSON(&j, res))
		var a, b any
		require.NoError(t, yaml.Unmarshal(y.Bytes(), &a))
		require.NoError(t, yaml.Unmarshal(j.Bytes(), &b))
		require.Equal(t, b, a)
		var d struct {
			Records []struct{ Record json.RawMessage }
		}
		require.NoError(t, json.Unmarshal(j.Bytes(), &d))
		_, err = incident.DecodeRecord(d.Records[0].Record)
		require.NoError(t, err)
	}
}
