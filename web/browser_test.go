package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/test/servers"
)

// browser starts a browser with a profile of its own and gives the context of its first tab.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := servers.Chromium(t)
	profile, err := os.MkdirTemp("", "meantime-browser")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // not t.TempDir, whose removal fails while the browser still writes there
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(stop)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true))
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

func TestAPersonDecidesInABrowser(t *testing.T) {
	ctx := browser(t)
	f := newFixture(t)
	f.token = "secret"
	srv := httptest.NewServer(f.handler)
	defer srv.Close()
	had := len(f.store.reviews)

	visit := func(a chromedp.Action[chromedp.Void]) string {
		t.Helper()
		_, err := chromedp.RunResponse(ctx, a)
		require.NoError(t, err)
		body, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
		require.NoError(t, err)
		return body
	}
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, steps...))
	}

	require.Contains(t, visit(chromedp.Navigate(srv.URL)), "What needs attention")
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`a[href="/incidents/r1#alerts"]`))), "DiskAlmostFull")
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`#decisions a[href^="/sign-in"]`))), "Sign in to decide")

	do(chromedp.SendKeys(chromedp.CSS(`input[name=name]`), "Ada"), chromedp.SendKeys(chromedp.CSS(`input[name=token]`), "wrong"))
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`form.stack button`))), "This is not the token for writing.")
	do(chromedp.SendKeys(chromedp.CSS(`input[name=token]`), "secret"))
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`form.stack button`))), "Checkout answers with errors")

	do(chromedp.SendKeys(chromedp.CSS(`li.suggested input[name=reason]`), "it filled the disk"))
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`li.suggested button[value=confirm]`))), "Your decision is stored.")

	do(chromedp.Click(chromedp.CSS(`.milestones > li:first-child summary`)),
		chromedp.SetValue(chromedp.CSS(`.milestones > li:first-child input[name=time]`), "2026-03-10T09:47:30"))
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`.milestones > li:first-child form button`))), "started was at 2026-03-10 09:47:30")
	require.Contains(t, visit(chromedp.Click(chromedp.CSS(`header form button`))), "Sign in")

	got := f.store.reviews[had:]
	require.Len(t, got, 2)
	disk := f.store.incidents[1].Links[2].Episode.Key()
	require.Equal(t, incident.Review{ID: got[0].ID, At: now, By: "Ada", Reason: "it filled the disk", Action: incident.ReviewConfirm, Incident: "r1", Episode: &disk}, got[0])
	require.Equal(t, incident.Review{ID: got[1].ID, At: now, By: "Ada", Action: incident.ReviewSet, Incident: "r1", Milestone: incident.Started,
		Time: time.Date(2026, 3, 10, 9, 47, 30, 0, time.UTC)}, got[1])
}

// TestPagesInABrowser looks at every page, on a phone and on a desk, in light and in dark: nothing is wider than the
// screen, the browser has nothing to complain of (a breach of the content security policy would be one), and no script runs.
func TestPagesInABrowser(t *testing.T) {
	ctx := browser(t)
	f := newFixture(t)
	f.sources = []Source{{Name: "tickets", Kind: "jira", Err: "GET https://tickets.example.org/rest/api/2/search?jql=project%3DINC: 503 Service Unavailable"}}
	srv := httptest.NewServer(f.handler)
	defer srv.Close()
	backs := map[string]string{}
	for _, theme := range []string{"light", "dark"} {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
		require.NoError(t, err)
		for _, width := range []int64{320, 1200} {
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)))
			for _, target := range []string{"/", "/incidents", "/incidents/r1", "/incidents/a4", "/episodes", "/sign-in", "/nowhere"} {
				where := fmt.Sprintf("%s, %d wide, %s", target, width, theme)
				watch, stop := context.WithCancel(ctx)
				messages := chromedp.Console(watch)
				require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(srv.URL+target)))
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
				require.NoError(t, err)
				require.LessOrEqual(t, wide, width, where)
				scripts, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.scripts.length`))
				require.NoError(t, err)
				require.Zero(t, scripts, where)
				back, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))
				require.NoError(t, err)
				backs[theme] = back
				_, err = chromedp.Run(ctx, chromedp.Evaluate[string](`console.log("that was all"), ""`))
				require.NoError(t, err)
				for m, err := range messages {
					require.NoError(t, err)
					if m.Text == "that was all" {
						break
					}
					if target == "/nowhere" && m.Source == "network" {
						continue // the browser notes the status of the page
					}
					require.Fail(t, "the browser complains", "%s: %s", where, m)
				}
				stop()
			}
		}
	}
	require.NotEqual(t, backs["light"], backs["dark"], "the style was taken, and knows both themes")
}
