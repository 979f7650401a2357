package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/correlate"
	"meantime/store/sqlstore"
)

// TestPagesSayWhatFiguresLack has pages, API and doctor say what goes on, and pages only what means something to who reads figures.
func TestPagesSayWhatFiguresLack(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "meantime.yml")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	a := newApp(Options{ConfigFile: file, Environ: []string{}})
	c, err := a.load()
	require.NoError(t, err)
	a.config.Store(c)
	db, err := sqlstore.Open(t.Context(), "sqlite:"+dir+"/test.db", sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	a.store = newIntake(db, newQuestions(func(string, int) {}), func() {})
	a.openings = &openings{store: db, rules: func() *correlate.Rules { return &c.Rules }, now: a.now, logger: a.logger}
	a.pipeline = &pipeline{store: db, metrics: a.metrics, now: a.now}
	require.NoError(t, a.pipeline.configure(t.Context(), c))
	server := httptest.NewServer(a.handler())
	t.Cleanup(server.Close)
	told := a.correlating()
	get := func(path string) string {
		r, err := http.Get(server.URL + path)
		require.NoError(t, err)
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return string(b)
	}
	for _, page := range []string{"/", "/figures", "/setup"} {
		require.NotContains(t, get(page), `role="status"`, page)
	}
	told(correlate.Restarted, 400, 1000)
	require.NotContains(t, get("/"), `role="status"`, "what is shown is right")
	require.Contains(t, get("/api/v1/setup"), `"progress":[{"what":"Reading what is known of incidents","done":400,"total":1000,"unit":"thousandths","percent":40}]`)
	told(correlate.Restarted, 0, 0)
	told(correlate.OtherRules, 400, 1000)
	for _, page := range []string{"/", "/figures", "/setup", "/incidents"} {
		require.Contains(t, get(page), `role="status">Figures are still of the old rules: 40 %.`, page)
	}
	var out strings.Builder
	_, err = Doctor(context.Background(), Options{}, server.URL, &out)
	require.NoError(t, err)
	require.Contains(t, out.String(), "[working] Figures are still of the old rules: 40 %.\n")
	told(correlate.OtherRules, 0, 0)
	require.NotContains(t, get("/figures"), `role="status"`)

	// Where another replica works out everything, this one knows it by the rules that what is stored is of.
	a.others.Store(true)
	require.Contains(t, get("/figures"), `role="status">Figures are still of the old rules.</p>`)
}
