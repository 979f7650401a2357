package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestWritingNeedsTheToken(t *testing.T) {
	f := newFixture(t)
	f.token = "secret"
	for header, status := range map[string]int{
		"":                http.StatusUnauthorized,
		"secret":          http.StatusUnauthorized,
		"Bearer":          http.StatusUnauthorized,
		"Bearer secre":    http.StatusUnauthorized,
		"Bearer secretly": http.StatusUnauthorized,
		"Basic secret":    http.StatusUnauthorized,
		"Bearer secret":   http.StatusOK,
		"bearer  secret":  http.StatusOK,
	} {
		f.store.reviews = []incident.Review{{ID: "x", By: "b", Action: incident.ReviewMark, Incident: "r1", Mark: "drill"}}
		f.store.records = map[incident.RecordKey][]incident.Record{{Source: "ours", ID: "1"}: {{Source: "ours", ID: "1", UpdatedAt: now}}}
		for method, target := range map[string]string{"PUT": "/api/v1/records/ours/1", "DELETE": "/api/v1/records/ours/1", "POST": "/api/v1/reviews"} {
			w := f.call(method, target, map[string]string{"PUT": `{}`, "POST": `{"by":"a","action":"withdraw","other":"x"}`}[method], "Authorization", header)
			if status == http.StatusUnauthorized {
				require.Equal(t, status, w.Code, "%s %q", method, header)
				require.Equal(t, `Bearer realm="meantime"`, w.Header().Get("WWW-Authenticate"))
				require.NotContains(t, w.Body.String(), "secret")
			} else {
				require.Less(t, w.Code, 300, "%s %q", method, header)
			}
		}
	}
	require.Equal(t, http.StatusOK, f.call("GET", "/api/v1/records", "").Code, "reading needs none")
}

func TestPagesOfOtherSitesCannotWrite(t *testing.T) {
	f := newFixture(t)
	const target = "http://meantime.example/api/v1/records/ours/1"
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"another host", []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{"an old browser", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"a form of our own", []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType},
		{"no content type from a browser", []string{"Sec-Fetch-Site", "same-origin", "Content-Type", ""}, http.StatusUnsupportedMediaType},
		{"a page of our own", []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/json; charset=utf-8"}, http.StatusCreated},
		{"curl -d", []string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusOK},
		{"compressed", []string{"Content-Encoding", "gzip"}, http.StatusUnsupportedMediaType},
	} {
		w := f.call("PUT", target, `{}`, c.headers...)
		require.Equal(t, c.status, w.Code, "%s: %s", c.name, w.Body)
	}
	require.Equal(t, http.StatusForbidden, f.call("DELETE", target, "", "Sec-Fetch-Site", "cross-site").Code)
	require.Equal(t, http.StatusForbidden, f.call("POST", "/api/v1/reviews", `{}`, "Sec-Fetch-Site", "cross-site").Code)
}

func TestStoreTrouble(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		detail string
	}{
		{incident.Errorf(incident.CodeUnavailable, "postgres://user:secret@host: no space left"), http.StatusServiceUnavailable, "the store cannot answer now; try again"},
		{http.ErrBodyNotAllowed, http.StatusInternalServerError, "this is a fault of the server, whose log says more"},
		{&incident.Error{Code: "novel", Err: http.ErrBodyNotAllowed}, http.StatusInternalServerError, "this is a fault of the server, whose log says more"},
		{incident.Errorf(incident.CodeInvalid, "cursor: not one of ours"), http.StatusBadRequest, "cursor: not one of ours"},
	} {
		f := newFixture(t)
		f.store.err = c.err
		for target, body := range map[string]string{
			"PUT /api/v1/records/ours/1":              `{}`,
			"DELETE /api/v1/records/ours/1":           "",
			"GET /api/v1/records/ours/1":              "",
			"GET /api/v1/records/ours/1?history=true": "",
			"GET /api/v1/records":                     "",
			"GET /api/v1/incidents":                   "",
			"GET /api/v1/incidents/r1":                "",
			"GET /api/v1/episodes":                    "",
			"GET /api/v1/reviews":                     "",
			"POST /api/v1/reviews":                    `{"by":"a","action":"withdraw","other":"x"}`,
		} {
			method, path, _ := strings.Cut(target, " ")
			w := f.call(method, path, body)
			require.Equal(t, c.status, w.Code, target)
			require.Equal(t, c.detail, f.requireProblem(w).Detail, target)
			if c.status == http.StatusServiceUnavailable {
				require.Equal(t, "5", w.Header().Get("Retry-After"))
			}
		}
		require.Zero(t, f.changes)
	}
}

func TestMetrics(t *testing.T) {
	f := newFixture(t)
	f.call("GET", "/api/v1/records", "")
	f.call("GET", "/api/v1/records?limit=0", "")
	f.call("GET", "/api/v1/nothing", "")
	require.NoError(t, testutil.GatherAndCompare(f.registry, strings.NewReader(`
# HELP meantime_api_requests_total Requests to the JSON API, by handler and HTTP status code.
# TYPE meantime_api_requests_total counter
meantime_api_requests_total{code="200",handler="records"} 1
meantime_api_requests_total{code="400",handler="records"} 1
meantime_api_requests_total{code="404",handler="unknown"} 1
`), "meantime_api_requests_total"))
	n, err := testutil.GatherAndCount(f.registry, "meantime_api_request_duration_seconds")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	problems, err := testutil.GatherAndLint(f.registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}
