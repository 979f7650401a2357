package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/api"
	"meantime/config"
	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
	"meantime/web"
)

// previewer is a daemon's API and pages over the store of a house, with files for the command.
type previewer struct {
	*house
	dir, dsn string
	handler  http.Handler
}

const (
	nowText   = "correlate: {open: {matchers: ['severity=\"critical\"']}}\n"
	otherText = "correlate: {open: {matchers: ['severity=~\"critical|page\"']}}\nseverities: {aliases: [{severity: warning, names: [critical]}]}\n"
)

func newPreviewer(t *testing.T) *previewer {
	p := &previewer{dir: t.TempDir()}
	p.house = newHouse(t, p.dir)
	p.dsn = "sqlite:" + filepath.Join(p.dir, "meantime.db")
	p.yearOf(7)
	var f incident.Facts
	for i := range 12 {
		start := houseClock.Add(-time.Duration(i*31+5) * time.Hour)
		f.Sightings = append(f.Sightings, incident.Sighting{
			Fingerprint: fmt.Sprintf("%016x", i+1), StartsAt: start, EndsAt: start.Add(20 * time.Minute), FiringFirst: start, FiringLast: start,
			Labels: map[string]string{"alertname": fmt.Sprint("Alert", i), "service": "ledger", "severity": []string{"critical", "page"}[i%2]},
		})
	}
	p.put(f)
	p.write("now.yml", nowText)
	p.write("other.yml", otherText)
	p.app.options.Environ = []string{}
	p.app.store = newIntake(p.db, nil, nil)
	c, err := config.Load(filepath.Join(p.dir, "now.yml"), nil)
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	p.app.config.Store(v)
	mux := http.NewServeMux()
	mux.Handle("/api/", api.New(api.Options{Preview: p.app.preview}))
	mux.Handle("/", web.New(web.Options{Preview: p.app.preview, Now: p.app.now, Windows: p.app.windowNames}))
	p.handler = mux
	return p
}

func (p *previewer) write(name, text string) {
	require.NoError(p.t, os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600))
}

func (p *previewer) api(query, text string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, httptest.NewRequest("POST", "/api/v1/preview?"+query, strings.NewReader(text)))
	return w
}

func (p *previewer) page(window, text string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/preview", strings.NewReader(url.Values{"text": {text}, "window": {window}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

func (p *previewer) command(name, window string) (*preview.Change, error) {
	return Preview(context.Background(), Options{ConfigFile: filepath.Join(p.dir, "now.yml"), DSN: p.dsn, Now: p.app.now, Environ: []string{}},
		filepath.Join(p.dir, name), measure.Question{Window: window})
}

// TestOnePreviewEverywhere: command, API and page say the same of the same question, and nothing is stored.
func TestOnePreviewEverywhere(t *testing.T) {
	p := newPreviewer(t)
	defer p.close()
	before := p.figures()
	want, err := p.command("other.yml", "28d")
	require.NoError(t, err)
	require.NotEmpty(t, want.Appearing)
	require.NotEmpty(t, want.Links)
	require.NotEmpty(t, want.Figures)
	w := p.api("window=28d", otherText)
	require.Equal(t, 200, w.Code, w.Body)
	told, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, string(told), w.Body.String())

	page := p.page("28d", otherText).Body.String()
	require.Contains(t, page, fmt.Sprintf("%d as configured now, %d with the other.", want.IncidentsBefore, want.Incidents))
	require.Contains(t, page, fmt.Sprintf("%d would appear", len(want.Appearing)))
	require.Contains(t, page, fmt.Sprintf("%d alerts would belong elsewhere", len(want.Links)))
	require.Contains(t, page, fmt.Sprintf("%d figures would move", len(want.Figures)))
	for _, x := range want.Appearing {
		require.Contains(t, page, x.ID)
	}
	for i := range want.Figures[:min(len(want.Figures), preview.MostLines)] {
		f := &want.Figures[i]
		require.Contains(t, page, fmt.Sprintf("<td>%s</td><td data-label=\"Of\">%s</td>", f.Interval, f.Of()))
	}
	require.Equal(t, before, p.figures(), "nothing was stored")

	same := p.page("28d", nowText)
	require.Contains(t, same.Body.String(), "Nothing would change.")
}

// TestPreviewOfMistakes: the mistakes of a text that was sent are those of the same file, by line and key.
func TestPreviewOfMistakes(t *testing.T) {
	p := newPreviewer(t)
	defer p.close()
	const wrong = "windows: [7x]\ncorrelate:\n  link_it: 0.5\n  open: {matchers: [severity]}\n"
	p.write("wrong.yml", wrong)
	_, err := p.command("wrong.yml", "28d")
	require.Error(t, err)
	lines := strings.Split(strings.ReplaceAll(err.Error(), filepath.Join(p.dir, "wrong.yml"), "configuration"), "\n")
	require.Greater(t, len(lines), 1)
	require.Contains(t, lines[0], "configuration:1: windows")
	require.Contains(t, lines[1], "configuration:3: correlate.link_it: unknown key")
	w := p.api("", wrong)
	require.Equal(t, 400, w.Code)
	var problem struct{ Errors incident.Problems }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
	var got []string
	for _, x := range problem.Errors {
		got = append(got, x.String())
	}
	require.Equal(t, lines, got)
	require.Equal(t, 400, p.page("28d", wrong).Code)
	require.Equal(t, 400, p.api("", "a: [").Code)
	require.Equal(t, 400, p.api("window=soon", nowText).Code)
}

// TestPreviewReadsNoFiles: what a text names as a file is not looked for: the answer is the same whether it is there, is empty, holds what
// is no token, or is not there.
func TestPreviewReadsNoFiles(t *testing.T) {
	p := newPreviewer(t)
	defer p.close()
	const secret = "hunter2 and\nmore lines"
	p.write("there", secret)
	p.write("empty", "")
	for _, form := range []string{
		"web: {write_token_file: %q}", "web: {webhook_token_file: %q}", "store: {dsn_file: %q}",
		"letters: [{name: a, form: text, url_file: %q}]", "letters: [{name: a, form: text, url: 'http://a.example.org', bearer_token_file: %q}]",
		"sources: [{name: a, type: pagerduty, token_file: %q}]", "sources: [{name: a, type: file, dir: %q}]",
		"sources: [{name: a, type: pagerduty, token_file: x, webhook_secret_files: [%q]}]",
		"alertmanagers: [{url: 'http://a.example.org', basic_auth: {username: a, password_file: %q}}]",
		"alertmanagers: [{url: 'http://a.example.org', bearer_token_file: %q}]",
		"alertmanagers: [{url: 'http://a.example.org', headers: {X-A: 'file:%s'}}]",
		"alertmanagers: [{url: 'http://a.example.org', tls_config: {ca_file: %q}}]",
		"prometheuses: [{url: 'http://a.example.org', tls_config: {cert_file: %q, key_file: y}}]",
		"prometheuses: [{url: 'http://a.example.org', oauth2: {client_id: a, token_url: 'http://a.example.org', client_secret_file: %q}}]",
	} {
		answers := map[string]bool{}
		for _, name := range []string{"there", "empty", "not-there", "now.yml"} {
			w := p.api("window=28d", nowText+fmt.Sprintf(form, filepath.Join(p.dir, name)))
			require.Equal(t, 200, w.Code, "%s: %s", form, w.Body)
			require.NotContains(t, w.Body.String(), "hunter2")
			answers[w.Body.String()] = true
		}
		require.Len(t, answers, 1, form)
	}
}

// TestPreviewsOneAtATime: a second is refused while one is worked out, and one whose request ended does not go on.
func TestPreviewsOneAtATime(t *testing.T) {
	p := newPreviewer(t)
	defer p.close()
	p.app.previewing.Lock()
	require.Equal(t, 429, p.api("", nowText).Code)
	require.Equal(t, 429, p.page("28d", nowText).Code)
	p.app.previewing.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := p.app.preview(ctx, []byte(nowText), measure.Question{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 200, p.api("", nowText).Code, "it gave the place free")
}
