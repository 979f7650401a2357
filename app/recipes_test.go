package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/config"
	"meantime/incident"
	"meantime/source"
	"meantime/source/file"
	"meantime/source/sourcetest"
)

var secretFile = regexp.MustCompile(`/run/secrets/([a-z-]+)`)

// recipe loads one of examples/sources, whose secrets are in a folder of the test's.
func recipe(t *testing.T, name string) (*App, *config.Source) {
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("..", "examples", "sources", name+".yml"))
	require.NoError(t, err)
	for _, m := range secretFile.FindAllStringSubmatch(string(text), -1) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, m[1]), []byte("s3cret-of-"+m[1]), 0o600))
	}
	path := filepath.Join(dir, "meantime.yml")
	require.NoError(t, os.WriteFile(path, secretFile.ReplaceAll(text, []byte(dir+"/$1")), 0o600))
	a := newApp(Options{ConfigFile: path, Environ: []string{}, Logger: slog.New(slog.DiscardHandler)})
	c, err := a.load()
	require.NoError(t, err)
	require.Len(t, c.Sources, 1)
	return a, &c.Sources[0]
}

// Each of examples/sources makes of its vendor's answers, or of its table, the records that expected.json says.
func TestRecipes(t *testing.T) {
	files, err := filepath.Glob("../examples/sources/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	docs, err := os.ReadFile("../docs/connectors.md")
	require.NoError(t, err)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yml")
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(docs), "examples/sources/"+name+".yml", "docs/connectors.md does not name it")
			a, s := recipe(t, name)
			dir := filepath.Join("..", "examples", "sources", "testdata", name)
			got := map[string]incident.Record{}
			if s.Type == "file" {
				tables, err := filepath.Glob(filepath.Join(dir, "*.csv"))
				require.NoError(t, err)
				o, err := a.fileOptions(s)
				require.NoError(t, err)
				for _, table := range tables {
					body, err := os.ReadFile(table)
					require.NoError(t, err)
					records, rows, problems := file.Table(s.Name, table, body, o)
					require.Empty(t, problems)
					require.GreaterOrEqual(t, rows, len(records))
					for _, r := range records {
						got[r.ID] = r
					}
				}
			} else {
				server := &sourcetest.Server{Handler: sourcetest.NewReplay(t, dir, "exchange-*"), Secret: "s3cret-of-"}
				p, err := a.polled(s, server)
				require.NoError(t, err)
				from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
				got = sourcetest.All(t, p.Connector, s.Name, source.Ask{What: source.Changed, From: from, To: from.AddDate(1, 0, 0)})
			}
			require.Positive(t, sourcetest.Compare(t, dir, got))
		})
	}
}
