package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestBadInput holds what the API refuses, with the exact words.
func TestBadInput(t *testing.T) {
	const record, review = "PUT /api/v1/records/ours/42", "POST /api/v1/reviews"
	for _, c := range []struct {
		name, request, body string
		status              int
		detail              string // where it is more than the errors
		errors              []incident.Problem
	}{
		{"no body", record, ``, 400, `the body is empty; it must be JSON`, nil},
		{"malformed", record, `{"title":"x",`, 400, ``, []incident.Problem{{Path: "", Message: `not JSON: unexpected end of JSON input, at byte 13`}}},
		{"trailing", record, `{} {}`, 400, ``, []incident.Problem{{Path: "", Message: `not JSON: invalid character '{' after top-level value, at byte 4`}}},
		{"HTML", record, `<html>`, 400, ``, []incident.Problem{{Path: "", Message: `not JSON: invalid character '<' looking for beginning of value, at byte 1`}}},
		{"a list", record, `[]`, 400, ``, []incident.Problem{{Path: "", Message: `a JSON array where an object belongs`}}},
		{"null", record, `null`, 400, ``, []incident.Problem{{Path: "", Message: `a JSON null where an object belongs`}}},
		{"wrong type", record, `{"services":"checkout"}`, 400, ``, []incident.Problem{{Path: "services", Message: `a JSON string where a list belongs`}}},
		{"wrong type within", record, `{"labels":{"a":1}}`, 400, ``, []incident.Problem{{Path: "labels", Message: `a JSON number where a string belongs`}}},
		{"another id", record, `{"id":"43"}`, 400, ``, []incident.Problem{{Path: "id", Message: `"43" here, "42" where it was sent to; leave it out or make them agree`}}},
		{"another source", record, `{"source":"theirs"}`, 400, ``, []incident.Problem{{Path: "source", Message: `"theirs" here, "ours" where it was sent to; leave it out or make them agree`}}},
		{"unknown milestone", record, `{"milestones":{"fixed":"2026-01-02T03:04:05Z"}}`, 400, ``,
			[]incident.Problem{{Path: "milestones.fixed", Message: `unknown milestone; the milestones are started, detected, acknowledged, identified, mitigated, resolved`}}},
		{"no zone", record, `{"milestones":{"started":"2026-01-02T03:04:05"}}`, 400, ``,
			[]incident.Problem{{Path: "milestones.started", Message: `time without a zone: "2026-01-02T03:04:05"; write 2026-01-02T03:04:05Z for UTC, or with an offset such as +02:00`}}},
		{"no time", record, `{"milestones":{"started":"soon"}}`, 400, ``,
			[]incident.Problem{{Path: "milestones.started", Message: `not a time: "soon"; write it like 2006-01-02T15:04:05Z`}}},
		{"end before start", record, `{"impacts":[{"from":"2026-01-02T03:04:05Z","to":"2026-01-02T03:04:04Z"}]}`, 400, ``,
			[]incident.Problem{{Path: "impacts[0].to", Message: `2026-01-02T03:04:04Z is before from 2026-01-02T03:04:05Z`}}},
		{"several mistakes", record, `{"url":"javascript:alert(1)","kind":"party","milestones":{"started":9}}`, 400, ``, []incident.Problem{
			{Path: "milestones.started", Message: `not a time: 9; write it like 2006-01-02T15:04:05Z`},
			{Path: "url", Message: `not an http or https address: "javascript:alert(1)"`},
			{Path: "kind", Message: `unknown value "party"; it is one of incident, drill, maintenance`}}},
		{"withdrawn by PUT", record, `{"withdrawn":true}`, 400, ``, []incident.Problem{{Path: "withdrawn", Message: `a record is taken back with DELETE`}}},
		{"a control character in the id", "PUT /api/v1/records/ours/a%0Ab", `{}`, 400, ``, []incident.Problem{{Path: "id", Message: `has a control character`}}},
		{"a long id", "PUT /api/v1/records/ours/" + strings.Repeat("a", 257), `{}`, 400, ``, []incident.Problem{{Path: "id", Message: `257 bytes is more than the 256 allowed`}}},
		{"a slash in the source", "PUT /api/v1/records/a%2Fb/1", `{}`, 400, ``,
			[]incident.Problem{{Path: "source", Message: `not the name of a source: up to 100 bytes of UTF-8 without a slash, control characters or spaces around it`}}},
		{"a parameter that is not known", record + "?force=1", `{}`, 400, ``, []incident.Problem{{Path: "force", Message: `unknown parameter; this address takes none`}}},
		{"20 MB", record, `{"title":"` + strings.Repeat("x", 20<<20) + `"}`, 413, `the body is larger than the 4194304 bytes allowed`, nil},

		{"review: malformed", review, `{`, 400, ``, []incident.Problem{{Path: "", Message: `not JSON: unexpected end of JSON input, at byte 1`}}},
		{"review: unknown action", review, `{"by":"a","action":"burn"}`, 400, ``,
			[]incident.Problem{{Path: "action", Message: `unknown value "burn"; it is one of confirm, reject, set_milestone, clear_milestone, merge, split, mark, withdraw`}}},
		{"review: nobody decides", review, `{"action":"merge","incident":"r1","other":"r2"}`, 400, ``, []incident.Problem{{Path: "by", Message: `missing; say who decides`}}},
		{"review: no zone", review, `{"by":"a","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-01-02 03:04"}`, 400, ``,
			[]incident.Problem{{Path: "time", Message: `time without a zone: "2026-01-02 03:04"; write 2026-01-02T03:04:00Z for UTC, or with an offset such as +02:00`}}},
		{"review: 20 MB", review, strings.Repeat(" ", 20<<20), 413, `the body is larger than the 4194304 bytes allowed`, nil},

		{"from", "GET /api/v1/incidents?from=yesterday", ``, 400, ``, []incident.Problem{{Path: "from", Message: `not a time: "yesterday"; write it like 2006-01-02T15:04:05Z`}}},
		{"to before from", "GET /api/v1/incidents?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ``, 400, ``,
			[]incident.Problem{{Path: "to", Message: `2026-01-01T00:00:00Z is before from 2026-01-02T00:00:00Z`}}},
		{"state", "GET /api/v1/incidents?state=closed", ``, 400, ``, []incident.Problem{{Path: "state", Message: `unknown value "closed"; it is one of open, resolved, cancelled`}}},
		{"outcome", "GET /api/v1/episodes?outcome=x", ``, 400, ``, []incident.Problem{{Path: "outcome", Message: `unknown value "x"; it is one of linked, suggested, none`}}},
		{"limit", "GET /api/v1/incidents?limit=1001", ``, 400, ``, []incident.Problem{{Path: "limit", Message: `not a number from 1 to 1000: "1001"`}}},
		{"limit in words", "GET /api/v1/records?limit=all", ``, 400, ``, []incident.Problem{{Path: "limit", Message: `not a number from 1 to 1000: "all"`}}},
		{"history", "GET /api/v1/records/ours/1?history=yes", ``, 400, ``, []incident.Problem{{Path: "history", Message: `neither true nor false: "yes"`}}},
		{"twice", "GET /api/v1/episodes?limit=1&limit=2", ``, 400, ``, []incident.Problem{{Path: "limit", Message: `given 2 times`}}},
		{"misspelt", "GET /api/v1/incidents?sevice=a", ``, 400, ``,
			[]incident.Problem{{Path: "sevice", Message: `unknown parameter; the parameters are from, to, service, severity, state, cursor, limit`}}},
		{"badly escaped", "GET /api/v1/reviews?incident=%25zz&a;b", ``, 400, ``, []incident.Problem{{Path: "", Message: `query: invalid semicolon separator in query`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			method, target, _ := strings.Cut(c.request, " ")
			w := f.call(method, target, c.body)
			require.Equal(t, c.status, w.Code, w.Body)
			p := f.requireProblem(w)
			require.Equal(t, c.errors, p.Errors)
			if c.errors != nil {
				c.detail = incident.Problems(c.errors).Error()
			}
			require.Equal(t, c.detail, p.Detail)
			require.Zero(t, f.changes)
			require.Less(t, w.Body.Len(), 2000)
		})
	}
}

// endless is a body that never says how long it is, and that fails after n bytes if that is not negative.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	if e.n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := len(b)
	if e.n > 0 {
		n = min(n, e.n)
		e.n -= n
	}
	return copy(b, bytes.Repeat([]byte(" "), n)), nil
}

func TestBodiesOfUnknownLength(t *testing.T) {
	f := newFixture(t)
	for body, want := range map[io.Reader]int{&endless{-1}: http.StatusRequestEntityTooLarge, &endless{100}: http.StatusBadRequest} {
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, httptest.NewRequest("PUT", "/api/v1/records/ours/1", body))
		require.Equal(t, want, w.Code, w.Body)
	}
}

func TestAPlusInAQueryIsAPlus(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, http.StatusOK, f.call("GET", "/api/v1/incidents?from=2026-01-02T03:04:05%2B02:00", "").Code)
	r := httptest.NewRequest("GET", "/api/v1/incidents?from=2026-01-02T03:04:05+02:00", nil)
	q := newQuery(r, "from")
	require.Equal(t, "2026-01-02T01:04:05Z", q.time("from").Format("2006-01-02T15:04:05Z07:00"))
	require.NoError(t, q.err())
}

func FuzzPutRecord(f *testing.F) {
	f.Add("ours", "42", []byte(signIn))
	f.Add("a b", "../..", []byte(`{"id":null}`))
	f.Add("%", "?", []byte(`{"updated_at":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, source, id string, body []byte) {
		store := &memory{records: map[incident.RecordKey][]incident.Record{}}
		a := newAPI(Options{Store: store, Now: fixed})
		r := httptest.NewRequest("PUT", "/api/v1/records/x/y", bytes.NewReader(body))
		r.SetPathValue("source", source)
		r.SetPathValue("id", id)
		w := httptest.NewRecorder()
		a.serve(a.putRecord).ServeHTTP(w, r)
		require.Contains(t, []int{201, 400}, w.Code, "%s", w.Body)
		require.True(t, json.Valid(w.Body.Bytes()))
		require.Equal(t, w.Code == 201, len(store.records) == 1)
	})
}

func FuzzPostReview(f *testing.F) {
	f.Add([]byte(`{"by":"ada","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-01-02T04:04:05+01:00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		store := &memory{incidents: []incident.Incident{{ID: "r1"}}}
		w := httptest.NewRecorder()
		New(Options{Store: store, Now: fixed}).ServeHTTP(w, httptest.NewRequest("POST", "/api/v1/reviews", bytes.NewReader(body)))
		require.Contains(t, []int{201, 400, 404}, w.Code, "%s", w.Body)
		require.True(t, json.Valid(w.Body.Bytes()))
		require.Equal(t, w.Code == 201, len(store.reviews) == 1)
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:05%2B02:00&state=open&limit=3&cursor=AAAA")
	f.Add("cursor=%ff&limit=-1&%zz")
	f.Fuzz(func(t *testing.T, raw string) {
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/api/v1/incidents", RawQuery: raw}}
		w := httptest.NewRecorder()
		a := newAPI(Options{Store: &memory{}, Now: fixed})
		a.serve(a.listIncidents).ServeHTTP(w, r)
		require.Contains(t, []int{200, 400}, w.Code, "%s", w.Body)
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}

func FuzzPostPostmortem(f *testing.F) {
	f.Add("application/json", "name=a.md", []byte(`{"name":"a.md","document":"# Search was slow\n","answers":"answers: []"}`))
	f.Add("text/markdown", "name=%ff&dry_run=true", []byte("# x\n"))
	f.Add("application/json; charset=\"", "", []byte(`{"document":null}`))
	f.Fuzz(func(t *testing.T, contentType, query string, body []byte) {
		store := &memory{records: map[incident.RecordKey][]incident.Record{}}
		r := &http.Request{
			Method: "POST", URL: &url.URL{Path: "/api/v1/postmortems", RawQuery: query}, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		}
		w := httptest.NewRecorder()
		New(Options{Store: store, Now: fixed, ReadPostmortem: func(name string, document, answers []byte) ([]incident.Record, error) {
			return []incident.Record{{ID: name, Title: string(document), Severity: string(answers)}}, nil
		}, Reserved: func() []string { return nil }}).ServeHTTP(w, r)
		require.Contains(t, []int{200, 201, 400, 404, 409, 415}, w.Code, "%s", w.Body)
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}
