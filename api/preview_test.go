package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
)

// previewed answers by the first word of the text.
func previewed(_ context.Context, text []byte, q measure.Question) (*preview.Change, error) {
	p, err := q.Period([]measure.Window{{Name: "28d", Length: 28 * 24 * time.Hour}}, now)
	if err != nil {
		return nil, err
	}
	switch string(text) {
	case "busy":
		return nil, preview.ErrBusy
	case "wrong":
		return nil, incident.Problems{{Path: "configuration:1: correlate.link_it", Message: "unknown key"}}
	}
	x := preview.Incident{ID: "a1", Title: "One", At: now}
	m := 60.5
	return &preview.Change{From: p.From, To: p.To, Incidents: 2, IncidentsBefore: 1, Appearing: []preview.Incident{x}, Vanishing: []preview.Incident{{ID: "r1"}},
		Joining: []preview.Split{{One: x, Several: []preview.Incident{x, x}}}, Parting: []preview.Split{},
		Links:   []preview.Link{{Alert: "Down", StartsAt: now, After: "a1"}},
		Figures: []preview.Figure{{Interval: "resolve", Incidents: 2, N: 1, Median: &m, MeanBefore: &m}}}, nil
}

// TestPreview: the answer is as the document says, and each refusal has its status and words.
func TestPreview(t *testing.T) {
	f := newFixture(t)
	w := f.call("POST", "/api/v1/preview?from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z", "windows: [7d]", "Content-Type", "text/plain")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	got := decode[preview.Change](t, w)
	require.Equal(t, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), got.From)
	require.Equal(t, "a1", got.Links[0].After)
	require.Zero(t, f.changes, "nothing is stored")

	for _, c := range []struct {
		name, target, body string
		status             int
		detail             string
	}{
		{"nothing", "", "", 400, "the body is empty; it must be a configuration as YAML"},
		{"too long", "", strings.Repeat("#", preview.MaxText+1), 413, "the body is larger than the 262144 bytes allowed"},
		{"a mistake", "", "wrong", 400, "configuration:1: correlate.link_it: unknown key"},
		{"a second", "", "busy", 429, "another preview is being worked out; ask again in a few seconds"},
		{"a service", "?service=checkout", "{}", 400, "service: unknown parameter; the parameters are window, from, to, month, zone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := f.call("POST", "/api/v1/preview"+c.target, c.body, "Content-Type", "text/plain")
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.detail, f.requireProblem(w).Detail)
			require.Equal(t, c.status == http.StatusTooManyRequests, w.Header().Get("Retry-After") != "")
		})
	}
	f.token = "a token that nobody guesses"
	require.Equal(t, http.StatusUnauthorized, f.call("POST", "/api/v1/preview", "{}").Code)
	require.Equal(t, http.StatusOK, f.call("POST", "/api/v1/preview", "{}", "Authorization", "Bearer "+f.token).Code)
	require.Equal(t, http.StatusForbidden, f.call("POST", "/api/v1/preview", "{}", "Sec-Fetch-Site", "cross-site").Code)
}
