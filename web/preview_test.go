package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
)

// aChange has one of everything, and more figures than a page shows.
func aChange(_ context.Context, text []byte, _ measure.Question) (*preview.Change, error) {
	switch string(text) {
	case "busy":
		return nil, preview.ErrBusy
	case "wrong":
		return nil, incident.Problems{{Path: "configuration:1: correlate.link_it", Message: "unknown key"}}
	case "many":
		return nil, incident.Errorf(incident.CodeInvalid, "too many")
	case "broken":
		return nil, errors.New("a secret of the inside")
	case "same":
		return &preview.Change{From: now, To: now}, nil
	}
	x := preview.Incident{ID: "a1", Title: "<b>New & old</b>", At: now}
	hour, two := 3600.0, 7200.0
	c := &preview.Change{From: now, To: now, Incidents: 3, IncidentsBefore: 2,
		Appearing: []preview.Incident{x}, Vanishing: []preview.Incident{{ID: "r7"}},
		Joining: []preview.Split{{One: x, Several: []preview.Incident{{ID: "r8"}, {ID: "r9"}}}},
		Parting: []preview.Split{{One: preview.Incident{ID: "r6", Title: "Six"}, Several: []preview.Incident{{ID: "a3"}, {ID: "a4"}}}},
		Links:   []preview.Link{{Alert: "Down", StartsAt: now, Before: "r6", After: "a3"}, {Alert: "Slow", StartsAt: now, After: "a3"}}}
	for i := range preview.MostLines + 3 {
		c.Figures = append(c.Figures, preview.Figure{Grouping: measure.Grouping{Service: fmt.Sprint("s", i)}, Interval: "resolve",
			IncidentsBefore: 2, Incidents: 3, NBefore: 2, N: 2, MedianBefore: &hour, Median: &two, Mean: &two})
	}
	return c, nil
}

// TestPreviewPage: the form keeps what was typed, the answer has every way in which something would be otherwise, and incidents that are
// there now are linked, others not.
func TestPreviewPage(t *testing.T) {
	f := newFixture(t)
	f.preview = aChange
	page := f.get("/preview?month=2026-02").Body.String()
	require.Contains(t, page, `<form class="preview" method="post" action="/preview">`)
	require.Contains(t, page, "<option selected>2026-02</option>")
	require.Contains(t, f.get("/figures").Body.String(), `<a href="/preview">`)

	w := f.post("/preview", "text", "windows: [7d] # <here>", "window", "28d", "month", "")
	require.Equal(t, http.StatusOK, w.Code)
	page = w.Body.String()
	for _, want := range []string{
		"windows: [7d] # &lt;here&gt;</textarea>", "<option selected>28d</option>", "2 as configured now, 3 with the other.",
		"1 would appear", "1 would vanish", "1 would join several", "1 would part", "2 alerts would belong elsewhere", "53 figures would move",
		"&lt;b&gt;New &amp; old&lt;/b&gt;", `<a href="/incidents/r7">r7</a>`, `<a href="/incidents/r8">r8</a>`, `<a href="/incidents/r6">Six</a>`,
		`<a href="/incidents/r6">r6</a></td><td data-label="Would belong to">a3</td>`, `data-label="Belongs to">none</td>`,
		`data-label="Incidents">2 → 3</td>`, `data-label="n">2</td>`, "1 h → 2 h", "not known → 2 h", "and 3 more",
	} {
		require.Contains(t, page, want)
	}
	for _, never := range []string{"/incidents/a1", "/incidents/a3", "/incidents/a4", "Nothing would change"} {
		require.NotContains(t, page, never)
	}
	require.Zero(t, f.changes)
	require.Contains(t, f.post("/preview", "text", "same").Body.String(), "Nothing would change.")

	for _, c := range []struct {
		text   string
		status int
		words  string
	}{
		{"", 400, "There is no configuration"},
		{"wrong", 400, "configuration:1: correlate.link_it: unknown key"},
		{"many", 400, "Too many"},
		{"busy", 429, "Another preview is being worked out; ask again in a few seconds"},
		{"broken", 500, "This is a fault of Meantime."},
		{strings.Repeat("#", preview.MaxText+1), 413, "This configuration is too long."},
		{strings.Repeat("#", 4*preview.MaxText), 400, "This form could not be read."},
	} {
		w := f.post("/preview", "text", c.text)
		require.Equal(t, c.status, w.Code, c.words)
		require.Contains(t, w.Body.String(), c.words)
		require.NotContains(t, w.Body.String(), "a secret of the inside")
	}
}

// TestPreviewPageNeedsTheToken: where there is one, nobody has something worked out who did not sign in with it.
func TestPreviewPageNeedsTheToken(t *testing.T) {
	f := newFixture(t)
	asked := 0
	f.preview = func(ctx context.Context, text []byte, q measure.Question) (*preview.Change, error) {
		asked++
		return aChange(ctx, text, q)
	}
	f.token = "secret"
	require.Contains(t, f.get("/preview").Body.String(), `<a href="/sign-in?back=/preview">`)
	require.Equal(t, http.StatusForbidden, f.post("/preview", "text", "{}").Code)
	require.Zero(t, asked)
	f.signIn("Ada")
	require.Equal(t, http.StatusOK, f.post("/preview", "text", "{}").Code)
	require.Equal(t, 1, asked)
}
