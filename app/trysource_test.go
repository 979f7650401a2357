package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const tried = `
sources:
  - name: desk
    type: http
    url: https://desk.example.org/api/incidents
    items: '.data[]'
    only: '.kind != "task"'
    per_minute: 1
    map: '{id, title, created_at: .at, state: "resolved", milestones: {detected: .at, resolved: .end}}'
  - {name: oncall, type: grafana-oncall, url: https://oncall.example.org, token_file: token}
  - {name: lab, type: gitlab, projects: [a/b], token_file: token}
  - {name: pager, type: pagerduty, token_file: token}
  - name: sheet
    type: file
    dir: .
    map: '{id: .Key, title: .Summary, milestones: {detected: (.Opened | in_zone("%d.%m.%Y %H:%M"; "Europe/Berlin"))}}'
  - {name: plain, type: file, dir: .}
`

// What was saved of an answer, or a table, shows what would be made of it, without anybody being asked.
func TestTrySaved(t *testing.T) {
	dir := t.TempDir()
	path := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	path("token", "s3cret")
	config := path("meantime.yml", tried)
	for _, c := range []struct {
		source, file, text string
		want               []string // in what is said, or in the error
	}{
		{"desk", "a.json", `{"data":[{"id":"1","title":"Shop down","at":"2026-03-02T10:00:00Z","end":"2026-03-02T11:00:00Z"},{"id":"2","kind":"task"},{"id":"3","at":"soon"}]}`, []string{
			"a.json holds 3 incidents for desk (http). Nobody was asked, nothing was stored.", "1 of them are left out",
			`Refused: incident 3 of the answer: created_at: not a time: "soon"`, "1: Shop down",
			"detected      2026-03-02T10:00:00Z", "started       not said",
		}},
		{"desk", "a.json", `{"data":[]}`, []string{"holds 0 incidents", "does the file hold a whole answer"}},
		{"desk", "a.json", `{"items":[]}`, []string{"items: cannot iterate over: null; the answer is of another form than the program expects"}},
		{"desk", "a.json", `<html>`, []string{"answered HTML, not JSON"}},
		{"oncall", "a.json", `{"results":[{"id":"IA","state":"firing","title":"Errors","alerts_count":9,"created_at":"2026-03-02T10:00:00Z"}],"next":null}`, []string{
			"holds 1 incidents for oncall", "IA: Errors",
		}},
		{"pager", "a.json", `{"incidents":[{"id":"Q1","created_at":"2026-03-02T10:00:00Z"}],"more":false}`, []string{
			"a saved answer does not do for source pager: type pagerduty asks more than once for its incidents, here also for /log_entries, " +
				"and the file holds one answer; without --file the server is asked",
		}},
		{"lab", "a.json", `[{"id":7,"iid":1,"project_id":14,"title":"Shop down","state":"opened","created_at":"2026-03-02T10:00:00Z",` +
			`"web_url":"https://gitlab.com/a/b/-/issues/1"}]`, []string{
			"Type gitlab asks more than once, here also for /api/graphql, and the file holds one answer: what only the others tell is missing here.",
			"14/1: Shop down",
		}},
		{"sheet", "a.csv", "Key;Summary;Opened\nI-1;Shop down;02.03.2026 10:30\nI-2;two;soon\n;;;;\nI-3;a;b;c\n", []string{
			"a.csv holds 3 incidents for sheet (file)", "a.csv:3: map: strptime", "I-1: Shop down", "detected      2026-03-02T09:30:00Z",
		}},
		{"plain", "a.csv", "Key\n1\n", []string{"source plain has no map, a jq program that makes a record of each row of a table"}},
		{"shet", "a.csv", "Key\n1\n", []string{`no source "shet" is configured; did you mean sheet?`}},
	} {
		var out bytes.Buffer
		saved := path(c.file, c.text)
		err := TrySource(t.Context(), Options{ConfigFile: config, Environ: []string{}, Logger: slog.New(slog.DiscardHandler)}, c.source,
			saved, &out)
		said := out.String()
		if err != nil {
			said = err.Error()
		}
		for _, want := range c.want {
			require.Contains(t, strings.ReplaceAll(said, dir+"/", ""), want, c.source)
		}
		require.NotContains(t, said, "s3cret")
	}
	err := TrySource(t.Context(), Options{ConfigFile: config, Environ: []string{}, Logger: slog.New(slog.DiscardHandler)}, "sheet", "",
		&bytes.Buffer{})
	require.ErrorContains(t, err, "source sheet is a folder; --file=TABLE.csv shows")
}
