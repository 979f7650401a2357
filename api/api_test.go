package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/setup"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is the API over a store in memory. Every call is held against the OpenAPI document.
type fixture struct {
	t        *testing.T
	store    *memory
	handler  http.Handler
	registry *prometheus.Registry
	now      time.Time
	changes  int
	token    string
	reserved []string
	doc      *openapi3.T
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, store: &memory{records: map[incident.RecordKey][]incident.Record{}}, registry: prometheus.NewPedanticRegistry(), now: now}
	f.handler = New(Options{
		Store: f.store, Intervals: incident.DefaultIntervals, Now: func() time.Time { return f.now },
		Changed: func() { f.changes++ }, Token: func() string { return f.token }, Reserved: func() []string { return f.reserved },
		Metrics: NewMetrics(f.registry), ReadPostmortem: readNothing,
		Setup: func(context.Context) (setup.Checklist, error) {
			return setup.List(setup.Facts{Now: now, Running: true, URL: "http://m:10049"}), nil
		},
		TestAlert: func(_ context.Context, l map[string]string) (setup.Trial, error) {
			return setup.Trial{Labels: l, Steps: []setup.Step{{Name: "store", OK: true, Text: "It is."}}, Opened: len(l) > 0}, nil
		},
		Figures: figuresOf{f}, Preview: previewed,
	})
	f.doc = strict()
	return f
}

// readNothing stands for the reader of postmortems: a document "none" tells of no incident, "bad" cannot be read,
// "ahead" tells of an end that has not come, and any other is the title of one.
func readNothing(name string, document, answers []byte) ([]incident.Record, error) {
	switch string(document) {
	case "none":
		return nil, nil
	case "bad":
		return nil, incident.Errorf(incident.CodeInvalid, "not a text")
	case "ahead":
		return []incident.Record{{ID: name, Milestones: map[incident.MilestoneName]incident.Stated{incident.Resolved: {At: now.Add(6 * time.Minute)}}}}, nil
	}
	r := incident.Record{ID: name, Title: string(document), Severity: string(answers), Origin: incident.OriginPostmortem,
		Questions: []incident.Question{{Kind: "zone", Text: "which zone?"}}}
	r.Normalize()
	return []incident.Record{r}, nil
}

// What checks answers takes Markdown for the text it is.
func TestMain(m *testing.M) {
	openapi3filter.RegisterBodyDecoder("text/markdown", openapi3filter.RegisteredBodyDecoder("text/plain"))
	os.Exit(m.Run())
}

func document(t *testing.T) *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(openapi)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(context.Background()))
	return doc
}

// strict is the document with schemas that refuse what they do not name. It is only read.
var strict = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(openapi)
	if err != nil {
		return nil // document says so
	}
	for name, s := range doc.Components.Schemas {
		join(s.Value)
		if !strings.HasPrefix(name, "New") { // a request may hold more than the document knows
			forbidUnknown(s.Value)
		}
	}
	return doc
})

// join makes one object of a schema that is all of several, which could not each refuse what the others name.
func join(s *openapi3.Schema) {
	if len(s.AllOf) == 0 {
		return
	}
	s.Properties = openapi3.Schemas{}
	for _, part := range s.AllOf {
		maps.Copy(s.Properties, part.Value.Properties)
		s.Required = append(s.Required, part.Value.Required...)
	}
	s.Type, s.AllOf = &openapi3.Types{"object"}, nil
}

// forbidUnknown makes a schema refuse properties it does not name, so that an answer with a field that the document does
// not know fails.
func forbidUnknown(s *openapi3.Schema) {
	if len(s.Properties) > 0 {
		s.AdditionalProperties = openapi3.BoolSchema{Has: new(bool)}
	}
	for _, p := range s.Properties {
		forbidUnknown(p.Value)
	}
	if s.Items != nil {
		forbidUnknown(s.Items.Value)
	}
}

// find is the operation of the document that a request is for; nil where there is none. It matches escaped segments, as
// net/http does and the routers of kin-openapi do not.
func (f *fixture) find(r *http.Request) (*routers.Route, map[string]string) {
	has := strings.Split(r.URL.EscapedPath(), "/")
next:
	for path, item := range f.doc.Paths.Map() {
		wants, params := strings.Split(path, "/"), map[string]string{}
		if len(wants) != len(has) {
			continue
		}
		for i, want := range wants {
			value, err := url.PathUnescape(has[i])
			require.NoError(f.t, err)
			if strings.HasPrefix(want, "{") && value != "" {
				params[strings.Trim(want, "{}")] = value
			} else if want != value {
				continue next
			}
		}
		if op := item.GetOperation(r.Method); op != nil {
			return &routers.Route{Spec: f.doc, Path: path, PathItem: item, Method: r.Method, Operation: op}, params
		}
	}
	return nil, nil
}

// call sends a request and gives its answer, after both were held against the document. A request that is meant to be
// wrong is only held against it where it got a success.
func (f *fixture) call(method, target, body string, header ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	contentType := "application/json"
	if sent := r.Header.Get("Content-Type"); strings.HasPrefix(sent, "text/") {
		contentType = sent
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	require.Equal(f.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(f.t, "no-store", w.Header().Get("Cache-Control"))

	r = httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	route, params := f.find(r)
	if route == nil {
		require.Contains(f.t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, w.Code, "%s %s is not in the document", method, target)
		f.requireProblem(w)
		return w
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if w.Code < 300 && body != "" {
		require.NoError(f.t, openapi3filter.ValidateRequest(context.Background(), in), "%s %s %s", method, target, body)
	}
	require.NoError(f.t, openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())), Options: in.Options,
	}), "%s %s: %d %s", method, target, w.Code, w.Body)
	if w.Code >= 400 {
		f.requireProblem(w)
	}
	return w
}

func (f *fixture) requireProblem(w *httptest.ResponseRecorder) problem {
	f.t.Helper()
	require.Equal(f.t, "application/problem+json", w.Header().Get("Content-Type"))
	var p problem
	require.NoError(f.t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(f.t, w.Code, p.Status)
	require.Equal(f.t, http.StatusText(w.Code), p.Title)
	require.NotEmpty(f.t, p.Detail)
	return p
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), "%s", w.Body)
	return v
}

func TestEveryRouteIsInTheDocumentAndTheOtherWayRound(t *testing.T) {
	doc := document(t)
	served := map[string]bool{}
	for _, rt := range newAPI(Options{}).routes() {
		for m := range rt.methods {
			served[m+" "+rt.path] = true
		}
	}
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for m := range item.Operations() {
			described[m+" "+path] = true
		}
	}
	require.Equal(t, served, described)
}

func TestUnknownRouteAndWrongMethod(t *testing.T) {
	f := newFixture(t)
	for target, want := range map[string]string{
		"/api/v1/record":        "no such address: /api/v1/record; the addresses are in /api/openapi.json",
		"/api/v1/records/":      "no such address: /api/v1/records/; the addresses are in /api/openapi.json",
		"/api/v1/records/ours":  "no such address: /api/v1/records/ours; the addresses are in /api/openapi.json",
		"/api/v1/incidents/a/b": "no such address: /api/v1/incidents/a/b; the addresses are in /api/openapi.json",
	} {
		w := f.call("GET", target, "")
		require.Equal(t, http.StatusNotFound, w.Code)
		require.Equal(t, want, f.requireProblem(w).Detail)
	}
	for target, allow := range map[string]string{
		"/api/v1/records":         "GET, HEAD",
		"/api/v1/records/ours/42": "DELETE, GET, HEAD, PUT",
		"/api/v1/reviews":         "GET, HEAD, POST",
		"/api/openapi.json":       "GET, HEAD",
	} {
		w := f.call("PATCH", target, "")
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, allow, w.Header().Get("Allow"))
		require.Equal(t, "this address takes "+allow, f.requireProblem(w).Detail)
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	srv := httptest.NewServer(newFixture(t).handler)
	defer srv.Close()
	res, err := http.Head(srv.URL + "/api/v1/records")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Positive(t, res.ContentLength)
}

func TestOpenAPIIsServed(t *testing.T) {
	f := newFixture(t)
	require.JSONEq(t, string(openapi), f.call("GET", "/api/openapi.json", "").Body.String())
	w := f.call("GET", "/api/v1/openapi.json", "")
	require.Equal(t, http.StatusPermanentRedirect, w.Code)
	require.Equal(t, "/api/openapi.json", w.Header().Get("Location"))
}

func fixed() time.Time { return now }
