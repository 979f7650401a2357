package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
)

type fixture struct {
	t        *testing.T
	store    *memory
	handler  http.Handler
	registry *prometheus.Registry
	sources  []Source
	notes    []string
	token    string
	now      time.Time
	changes  int
	preview  func(context.Context, []byte, measure.Question) (*preview.Change, error)
	watched  time.Time // since when anything is known
	cookie   *http.Cookie
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, store: demo(), registry: prometheus.NewPedanticRegistry(), now: now, watched: now.AddDate(-1, 0, 0)}
	f.handler = New(Options{
		Store: f.store, Figures: figuresOf{f}, Windows: func() []string { return []string{"7d", "28d"} },
		Intervals: incident.DefaultIntervals, Now: func() time.Time { return f.now }, Changed: func() { f.changes++ },
		Preview: func(ctx context.Context, text []byte, q measure.Question) (*preview.Change, error) {
			return f.preview(ctx, text, q)
		},
		Token: func() string { return f.token }, Sources: func() []Source { return f.sources }, Notes: func() []string { return f.notes }, Metrics: NewMetrics(f.registry),
	})
	return f
}

func (f *fixture) send(r *http.Request) *httptest.ResponseRecorder {
	f.t.Helper()
	if f.cookie != nil {
		r.AddCookie(f.cookie)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	require.Equal(f.t, policy, w.Header().Get("Content-Security-Policy"))
	require.Equal(f.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(f.t, "same-origin", w.Header().Get("Referrer-Policy"))
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && w.Body.Len() > 0 && w.Code != http.StatusFound && w.Code != http.StatusSeeOther {
		requireSafe(f.t, w.Body.String())
	}
	return w
}

func (f *fixture) get(target string) *httptest.ResponseRecorder {
	f.t.Helper()
	return f.send(httptest.NewRequest("GET", target, nil))
}

func (f *fixture) post(target string, fields ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest("POST", target, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return f.send(r)
}

func (f *fixture) signIn(name string) {
	f.t.Helper()
	w := f.post("/sign-in", "name", name, "token", f.token)
	require.Equal(f.t, http.StatusSeeOther, w.Code, w.Body)
	f.cookie = w.Result().Cookies()[0]
}

// requireSafe holds a page to what the content security policy forbids and to what a link may lead to, without leaving
// that to a browser: no script, no style and no handler in the page, no element that was not in a template.
func requireSafe(t *testing.T, page string) {
	t.Helper()
	known := map[string]bool{}
	for _, e := range strings.Fields(`html head meta title link body a header img nav form input span button main h1 h2 h3 h4 p footer time table thead tbody tr th td
		section ul ol li div strong code br label select option datalist svg rect circle details summary small meter del textarea`) {
		known[e] = true
	}
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		require.True(t, known[n.Data], "<%s>", n.Data)
		for _, a := range n.Attr {
			require.NotEqual(t, "style", a.Key)
			require.False(t, strings.HasPrefix(a.Key, "on"), "<%s %s>", n.Data, a.Key)
			switch a.Key {
			case "href", "src", "action":
				u, err := url.Parse(a.Val)
				require.NoError(t, err)
				require.Contains(t, []string{"", "http", "https"}, u.Scheme, a.Val)
				require.True(t, u.Scheme != "" || strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "#"), "%q leads out of the site", a.Val)
				if u.Scheme != "" {
					require.Equal(t, "a", n.Data)
				}
			}
		}
	}
}

// text is what a person reads on a page, a space between its parts.
func text(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	root, err := html.Parse(w.Body)
	require.NoError(t, err)
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestHome(t *testing.T) {
	f := newFixture(t)
	f.sources = []Source{{Name: "ours", Kind: "file", Up: true}, {Name: "alertmanager/eu", Kind: "Alertmanager", Up: true, Notes: []string{"the receiver <m> sends no ends"}}, {Name: "tickets", Kind: "jira", LastSuccess: before(700), Err: "503 Service Unavailable"}}
	f.notes = []string{"None of the 3 alerts of the last weeks may open an incident. Their severities: ticket (2), <b> (1)"}
	w := f.get("/")
	require.Equal(t, http.StatusOK, w.Code)
	page := text(t, w)
	for _, want := range []string{
		"Settings to look at None of the 3 alerts of the last weeks may open an incident. Their severities: ticket (2), <b> (1).",
		"1 source down tickets (jira) 503 Service Unavailable last answered 11 h ago",
		"1 open incident Search does not find new articles warning search, began 3 h ago",
		"1 alert may belong to an incident DiskAlmostFull critical",
		"Settings that hide times alertmanager/eu : the receiver <m> sends no ends.",
		"1 open question", "Is 09:50 in UTC or in local time? one of 09:50 UTC, 08:50 UTC; settled by milestones.started",
		"Checkout answers with errors checkout, payments critical resolved 6 min 30 s 1 h 43 min",
		"Failover drill payments drill info resolved not measured not measured",
	} {
		require.Contains(t, page, want)
	}
}

func TestHomeWithNothing(t *testing.T) {
	f := newFixture(t)
	*f.store = memory{}
	page := text(t, f.get("/"))
	require.Contains(t, page, "Nothing. No incident is open, nothing waits for an answer, every source answers.")
	require.Contains(t, page, "No incident is known yet.")
	require.Contains(t, text(t, f.get("/incidents")), "No incident is known yet.")
	require.Contains(t, text(t, f.get("/episodes")), "No alert was received yet.")
}

func TestHomeShowsNoMoreThanAPersonReads(t *testing.T) {
	f := newFixture(t)
	rec := f.store.records[1]
	for range homeQuestions + 5 {
		f.store.records = append(f.store.records, rec)
	}
	for range homeOpen + 5 {
		f.store.incidents = append(f.store.incidents, f.store.incidents[0])
	}
	page := text(t, f.get("/"))
	require.Contains(t, page, "20 open questions")
	require.Contains(t, page, "and 6 more")
	require.Contains(t, page, "20 and more open incidents")
}

func TestIncidents(t *testing.T) {
	f := newFixture(t)
	require.Contains(t, text(t, f.get("/incidents?state=open")), "Search does not find")
	require.NotContains(t, text(t, f.get("/incidents?state=open")), "Checkout answers")
	require.Contains(t, text(t, f.get("/incidents?service=payments&severity=critical")), "Checkout answers")
	require.Contains(t, text(t, f.get("/incidents?from=2026-03-10&to=2026-03-10")), "Checkout answers", "the last day is included")
	require.NotContains(t, text(t, f.get("/incidents?from=2026-03-10&to=2026-03-10")), "Failover")
	require.Contains(t, text(t, f.get("/incidents?service=nobody")), "No incident matches.")
	w := f.get("/incidents?from=yesterday")
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, text(t, w), `From: not a day: "yesterday"; write it like 2006-01-02`)
	w = f.get("/incidents?cursor=zzz")
	require.Equal(t, http.StatusBadRequest, w.Code)

	for range pageSize {
		f.store.incidents = append(f.store.incidents, f.store.incidents[1])
	}
	w = f.get("/incidents?severity=critical")
	require.Contains(t, w.Body.String(), `href="/incidents?cursor=50&amp;severity=critical"`)
	w = f.get("/incidents?cursor=50&severity=critical")
	require.Contains(t, w.Body.String(), `href="/incidents?severity=critical"`)
	require.NotContains(t, w.Body.String(), "Older")
}

func TestEpisodes(t *testing.T) {
	f := newFixture(t)
	page := text(t, f.get("/episodes"))
	require.Contains(t, page, "2026-03-10 09:55:00 CheckoutErrors checkout critical 1 h 35 min belongs to an incident")
	require.Contains(t, page, "DiskAlmostFull checkout critical firing may belong to one")
	require.Contains(t, page, "PaymentsDown checkout critical at least 40 min belongs to none nothing explains it, and it seldom fires on its own <b>")
	require.NotContains(t, text(t, f.get("/episodes?outcome=none")), "CheckoutErrors")
	require.Contains(t, text(t, f.get("/episodes?outcome=none&to=2026-01-01")), "No episode matches.")
}

func TestIncident(t *testing.T) {
	f := newFixture(t)
	w := f.get("/incidents/r1")
	require.Equal(t, http.StatusOK, w.Code)
	page := text(t, w)
	for _, want := range []string{
		"Checkout answers with errors resolved critical checkout payments detected by an alert",
		"Detect started → detected 6 min 30 s",
		"Mitigate started → mitigated not known mitigated not known",
		"Impact 2026-03-10 09:49:00 – 2026-03-10 10:45:00 errors on the status page 56 min Relapse 1",
		"Together 1 h 18 min",
		"✓ about 2026-03-10 09:49 from a written postmortem notes/42 “errors since about ten to ten” Counts: a written postmortem outranks Prometheus and an alert",
		"· 2026-03-10 09:50 from Prometheus CheckoutErrors ALERTS_FOR_STATE A written postmortem outranks Prometheus",
		"· 2026-03-10 10:10 from a record ours/checkout-42 Only repeats when the record was made or the incident detected",
		"Mitigated users stopped being affected not known",
		"Suggested: do they belong to it? 1 DiskAlmostFull its expression 2026-03-10 10:02:00 , fires for 1 h 58 min",
		"52 % likely fired during the impact against it: this alert fires every day",
		"Rejected by a person 1 PaymentsDown its expression 2026-03-10 10:20:00 , fired for at least 40 min its end is not known: nothing more was heard of it; this is when it was last heard of",
		"What happened on Tuesday notes/42 postmortem",
		"notes/42 names ours/checkout-42 in its references",
		"Ada : PaymentsDown of 2026-03-10 10:20:00 does not belong to it the disk has nothing to do with it",
		"Bob : it counts as: drill withdrawn",
		"Sign in to confirm or reject a link",
	} {
		require.Contains(t, page, want)
	}
	require.Less(t, strings.Index(page, "Resolved it was over"), strings.Index(page, "Identified the cause"), "milestones stand in the order in which they came")
	require.NotContains(t, w.Body.String(), `name="reason"`, "who is not signed in is shown no form")

	// Whether there was an incident at all nobody says, so there is no telling how likely an alert belongs to it.
	for i := range f.store.incidents {
		f.store.incidents[i].OpenedByAlerts = true
	}
	require.NotContains(t, text(t, f.get("/incidents/r1")), "likely")

	w = f.get("/incidents/r0")
	require.Equal(t, http.StatusFound, w.Code)
	require.Equal(t, "/incidents/r1", w.Header().Get("Location"))
	require.Equal(t, http.StatusNotFound, f.get("/incidents/r9").Code)
}

func TestNothingFromOutsideIsMarkup(t *testing.T) {
	f := newFixture(t)
	f.signIn(hostile[:50])
	f.store.verdicts = append(f.store.verdicts, incident.Verdict{Episode: f.store.incidents[3].Links[0].Episode, Service: hostile, Severity: hostile, Outcome: incident.OutcomeSuggested, Incident: hostile})
	f.store.records = append(f.store.records, incident.Record{Source: hostile, ID: hostile, Title: hostile, URL: "javascript:alert(1)", CreatedAt: now,
		Questions: []incident.Question{{Text: hostile, Why: hostile, Candidates: []string{hostile}, Field: hostile}}})
	f.store.incidents[3].Records = []incident.RecordKey{{Source: "gone", ID: "1"}, {Source: hostile, ID: hostile}}
	f.store.reviews = append(f.store.reviews, incident.Review{ID: hostile, At: now, By: hostile, Reason: "javascript:alert(1)", Action: incident.ReviewMerge, Incident: "a4", Other: hostile})
	f.notes = []string{hostile}
	f.sources = []Source{{Name: hostile, Kind: hostile, Err: hostile, Notes: []string{hostile}}}
	for _, target := range []string{"/", "/incidents", "/incidents/a4", "/episodes", "/incidents?service=" + url.QueryEscape(hostile), "/incidents?from=" + url.QueryEscape(hostile),
		"/sign-in?back=" + url.QueryEscape("javascript:alert(1)"), "/sign-in?back=" + url.QueryEscape("/"+hostile), "/" + url.PathEscape(hostile), "/incidents/" + url.PathEscape(hostile)} {
		w := f.get(target) // which requires the page to be safe
		require.NotContains(t, w.Body.String(), "<script", target)
		require.NotContains(t, w.Body.String(), "<img src=x", target)
		require.NotContains(t, w.Body.String(), `="javascript:`, target)
	}
}

func TestStaticFiles(t *testing.T) {
	f := newFixture(t)
	w := f.get("/static/" + newPages("").styleName)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "text/css; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
	require.Equal(t, "image/svg+xml", f.get("/static/icon.svg").Header().Get("Content-Type"))
	require.Equal(t, http.StatusNotFound, f.get("/static/..%2fweb.go").Code)
}

func TestTrouble(t *testing.T) {
	f := newFixture(t)
	w := f.get("/nowhere")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Contains(t, text(t, w), "There is no such page.")
	w = f.post("/incidents")
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET", w.Header().Get("Allow"))

	f.store.err = incident.Errorf(incident.CodeUnavailable, "postgres://user:secret@host: connection refused")
	for _, target := range []string{"/", "/incidents", "/incidents/r1", "/episodes"} {
		w = f.get(target)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.NotContains(t, w.Body.String(), "secret")
	}
	f.store.err = errors.New("a fault with a secret")
	w = f.get("/")
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.NotContains(t, w.Body.String(), "secret")
}

func TestMetrics(t *testing.T) {
	f := newFixture(t)
	f.get("/")
	f.get("/nowhere")
	require.NoError(t, testutil.GatherAndCompare(f.registry, strings.NewReader(`
# HELP meantime_web_requests_total Requests for the pages that people look at, by handler and HTTP status code.
# TYPE meantime_web_requests_total counter
meantime_web_requests_total{code="200",handler="home"} 1
meantime_web_requests_total{code="404",handler="unknown"} 1
`), "meantime_web_requests_total"))
	problems, err := testutil.GatherAndLint(f.registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}
