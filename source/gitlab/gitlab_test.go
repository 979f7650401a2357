package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
	"meantime/source/sourcetest"
)

func connect(t testing.TB, transport http.RoundTripper, change func(*Options)) *Connector {
	o := Options{Access: sourcetest.Access(transport), Projects: []string{"14"}}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	require.NoError(t, err)
	return c
}

// The exchanges of the fixtures make the records that expected.json says.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	server := sourcetest.Played(t, dir, "_events", "exchange-incidents*")
	c := connect(t, server, func(o *Options) {
		if dir == "testdata" {
			o.Projects = []string{"operations/incidents", "15"}
			o.MilestoneLabels, o.SeverityLabels = []string{"acknowledged=seen"}, []string{"page=sev::1"}
		}
	})
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got := sourcetest.All(t, c, "gitlab", source.Ask{What: source.Changed, From: from, To: from.AddDate(1, 0, 0)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
	if dir == "testdata" {
		require.Equal(t, incident.ConfidenceApproximate, got["7/2"].Milestones[incident.Detected].Confidence)
		require.Empty(t, got["7/1"].Milestones[incident.Detected].Confidence)
	}
}

func TestConfidential(t *testing.T) {
	c := connect(t, sourcetest.Played(t, "testdata", "_events", "exchange-incidents"),
		func(o *Options) { o.Projects = []string{"15"} })
	page, err := c.Page(t.Context(), source.Ask{What: source.Changed, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.NoError(t, err)
	require.Equal(t, "15/9", page.Items[0].ID)
	require.True(t, page.Items[0].Private)
}

// The project's path is that of the incident's address, wherever GitLab lies.
func TestPath(t *testing.T) {
	for _, x := range []struct{ base, address, want string }{
		{"https://gitlab.example.org", "https://gitlab.example.org/a/b/c/-/issues/7", "a/b/c"},
		{"https://inside.example.org:8443/", "https://gitlab.example.org/a/b/-/issues/incident/7", "a/b"},
		{"https://example.org/gitlab", "https://example.org/gitlab/a/b/-/issues/7", "a/b"},
		{"https://gitlab.example.org", "https://gitlab.example.org/a/b/issues/7", ""},
		{"https://gitlab.example.org", "", ""},
	} {
		c := connect(t, nil, func(o *Options) { o.Access.Client.URL = x.base })
		require.Equal(t, x.want, c.path(x.address), x.address)
	}
}

// What GraphQL answers besides a timeline.
func TestTimelineAnswers(t *testing.T) {
	for _, x := range []struct{ name, answer, err string }{
		{"another incident's", `{"data":{"project":{"issues":{"nodes":[{"iid":"2"}]},"incidentManagementTimelineEvents":{"nodes":[{"occurredAt":"2026-03-02T10:00:00Z"}]}}}}`, ""},
		{"a project that it does not show", `{"data":{"project":null}}`, ""},
		{"GitLab before 15.8", `{"errors":[{"message":"Field 'timelineEventTags' doesn't exist on type 'TimelineEventType'"}]}`, ""},
		{"a refusal", `{"errors":[{"message":"Query has complexity of 400"}]}`, "timeline of incident 14/1: Query has complexity of 400"},
		{"no permission", `{"errors":[{"message":"The resource does not exist or you don't have permission to perform this action"}]}`, ""},
		{"no answer at all", `{"hello":"world"}`, "has no data"},
	} {
		c := connect(t, &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/graphql" {
				sourcetest.WriteJSON(w, json.RawMessage(x.answer))
				return
			}
			sourcetest.WriteJSON(w, []any{map[string]any{"iid": 1, "project_id": 14, "web_url": "https://gitlab.com/a/b/-/issues/1"}})
		})}, nil)
		page, err := c.Page(t.Context(), source.Ask{})
		if x.err != "" {
			require.ErrorContains(t, err, x.err, x.name)
			continue
		}
		require.NoError(t, err, x.name)
		require.Empty(t, page.Items[0].Parts, x.name)
	}
}

// Where GitLab gives no timelines, the rest is read, and that is said until it does. To be asked to wait is no such refusal.
func TestNoTimelines(t *testing.T) {
	answer := func(int, *http.Request) *http.Response { return nil }
	v := newVendor()
	v.Make(0, time.Now().Add(-time.Hour))
	server := &sourcetest.Server{Handler: v}
	server.Fault = func(n int, r *http.Request) *http.Response {
		if r.URL.Path != "/api/graphql" {
			return nil
		}
		return answer(n, r)
	}
	c := connect(t, server, func(o *Options) { o.Projects = []string{"ops/incidents"} })
	c.client, _ = sourcetest.Access(server).NewClient(source.Vendor{URL: "https://vendor.example.org"})
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		answer = func(int, *http.Request) *http.Response {
			return sourcetest.Answer(status, `{}`, "RateLimit-Reset", "1767225600")
		}
		page, err := c.Page(t.Context(), source.Ask{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Len(t, c.Notes(), 1)
		require.Contains(t, c.Notes()[0], fmt.Sprintf("GitLab refuses the timelines of incidents, which are read without them: "+
			"their milestones are those of labels, of creation and of closing (it answered %d)", status))
	}
	answer = func(int, *http.Request) *http.Response { return nil }
	_, err := c.Page(t.Context(), source.Ask{})
	require.NoError(t, err)
	require.Empty(t, c.Notes())
	answer = func(int, *http.Request) *http.Response {
		return sourcetest.Answer(403, `{}`, "RateLimit-Remaining", "0", "RateLimit-Reset", "60")
	}
	_, err = c.Page(t.Context(), source.Ask{})
	require.ErrorContains(t, err, "answered 403")
}

// What the poller of a source whose timelines are refused says, once.
func TestNoTimelinesIsSaidOnce(t *testing.T) {
	v := newVendor()
	v.Make(0, time.Now().Add(-time.Hour))
	server := &sourcetest.Server{Handler: v, Fault: func(_ int, r *http.Request) *http.Response {
		if r.URL.Path == "/api/graphql" {
			return sourcetest.Answer(http.StatusForbidden, `{}`)
		}
		return nil
	}}
	var log strings.Builder
	c := connect(t, server, func(o *Options) { o.Projects = []string{"ops/incidents"} })
	p := source.NewPoller(source.PollerOptions{Name: "lab", Kind: "k", Connector: c, Store: sourcetest.NewStore(),
		Backfill: 24 * time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		require.NoError(t, p.Poll(t.Context()))
	}
	require.Equal(t, 1, strings.Count(log.String(), "GitLab refuses the timelines"), log.String())
	require.Contains(t, strings.Join(p.Notes(), "\n"), "GitLab refuses the timelines")
}

// What was over and was opened again is over when it is over again, and not before.
func TestReopened(t *testing.T) {
	end := func(at string) string {
		return `{"occurredAt":"2026-03-02T` + at + `:00Z","timelineEventTags":{"nodes":[{"name":"End time"}]}}`
	}
	state := func(state, at string) string {
		return `{"state":"` + state + `","created_at":"2026-03-02T` + at + `:00Z"}`
	}
	label := func(action, at string) string {
		return `{"action":"` + action + `","label":{"name":"over"},"created_at":"2026-03-02T` + at + `:00Z"}`
	}
	for _, x := range []struct {
		name                     string
		state, closed            string
		timeline, labels, states []string
		want                     string // when it was over; empty: it is open
		asked                    bool   // when it was opened again
	}{
		{"open", "opened", "", nil, nil, nil, "", false},
		{"closed", "closed", "13:00", nil, nil, nil, "13:00", false},
		{"over before the paperwork", "opened", "", []string{end("11:00")}, nil, nil, "11:00", true},
		{"over before the paperwork, by a label", "opened", "", nil, []string{label("add", "11:00")}, nil, "11:00", true},
		{"opened again", "opened", "", []string{end("11:00")}, nil, []string{state("closed", "11:10"), state("reopened", "12:00")}, "", true},
		{"opened again after a label", "opened", "", nil, []string{label("add", "11:00")}, []string{state("reopened", "12:00")}, "", true},
		{"as GitLab documents it", "opened", "", []string{end("11:00")}, nil,
			[]string{state("closed", "11:10"), state("opened", "12:00")}, "", true},
		{"over again", "opened", "", []string{end("11:00"), end("12:30")}, nil, []string{state("reopened", "12:00")}, "12:30", true},
		{"closed again", "closed", "13:00", []string{end("11:00")}, nil,
			[]string{state("reopened", "12:00"), state("closed", "13:00")}, "13:00", true},
	} {
		t.Run(x.name, func(t *testing.T) {
			list := func(parts []string) json.RawMessage { return json.RawMessage("[" + strings.Join(parts, ",") + "]") }
			asked := false
			c := connect(t, &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/api/graphql":
					sourcetest.WriteJSON(w, json.RawMessage(`{"data":{"project":{"issues":{"nodes":[{"iid":"1"}]},`+
						`"incidentManagementTimelineEvents":{"nodes":`+string(list(x.timeline))+`}}}}`))
				case strings.HasSuffix(r.URL.Path, "/resource_label_events"):
					sourcetest.WriteJSON(w, list(x.labels))
				case strings.HasSuffix(r.URL.Path, "/resource_state_events"):
					asked = true
					sourcetest.WriteJSON(w, list(x.states))
				default:
					issue := map[string]any{"id": 7, "iid": 1, "project_id": 14, "web_url": "https://gitlab.com/a/b/-/issues/1", "state": x.state,
						"created_at": "2026-03-02T10:00:00Z"}
					if x.closed != "" {
						issue["closed_at"] = "2026-03-02T" + x.closed + ":00Z"
					}
					sourcetest.WriteJSON(w, []any{issue})
				}
			})}, func(o *Options) { o.MilestoneLabels = []string{"resolved=over"} })
			page, err := c.Page(t.Context(), source.Ask{})
			require.NoError(t, err)
			records, err := c.Map(&page.Items[0])
			require.NoError(t, err)
			got := ""
			if m, said := records[0].Milestones[incident.Resolved]; said {
				got = m.At.Format("15:04")
			}
			require.Equal(t, x.want, got)
			require.Equal(t, map[bool]incident.State{true: incident.StateOpen, false: incident.StateResolved}[x.want == ""], records[0].State)
			require.Equal(t, x.asked, asked, "whether it was asked when it was opened again")
		})
	}
}

// Incidents of the second of two projects that change while a long list is read over several polls are not passed over.
func TestChangesOverSeveralPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendor().(*vendor)
		const count = 40
		at := time.Now().Add(-time.Hour).Truncate(time.Second)
		for i := range count {
			v.Make(i, at.Add(time.Duration(i)*time.Minute/2))
		}
		server := &sourcetest.Server{Handler: v}
		c := connect(t, server, func(o *Options) { o.Projects = []string{"ops/empty", "ops/incidents"} })
		var err error
		c.client, err = sourcetest.Access(server).NewClient(source.Vendor{URL: "https://vendor.example.org"})
		require.NoError(t, err)
		s := sourcetest.NewStore()
		p := source.NewPoller(source.PollerOptions{Name: "lab", Kind: "k", Connector: c, Store: s})
		require.NoError(t, p.Poll(t.Context())) // nothing of before is read
		time.Sleep(10 * time.Minute)
		for i := range count {
			v.Change(i, time.Now().Add(time.Duration(i-count)*time.Second), "changed")
		}
		// Each poll reads one page; between two of them what was read changes again and moves to the end.
		for i := 0; ; i++ {
			require.Less(t, i, 2*count)
			ctx, cancel := context.WithCancel(t.Context())
			s.Stored = cancel
			err := p.Poll(ctx)
			cancel()
			if s.Stored = nil; err == nil {
				break
			}
			for j := range 5 {
				if i < 3 {
					v.Change(10*i+j, time.Now(), "changed again")
				}
			}
			time.Sleep(time.Second)
		}
		got := s.Said()
		for i := range count {
			require.Contains(t, got[v.ID(i)], "changed", v.ID(i))
		}
	})
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	_, err := New(Options{
		Access: sourcetest.Access(nil), Projects: []string{"14", "a/b", "ops", "https://gitlab.com/a/b"}, MilestoneLabels: []string{"x=y"},
		SeverityLabels: []string{"=y"},
	})
	for _, want := range []string{
		`projects[2]: "ops" is no project; write it like operations/incidents, or its number`, `projects[3]: "https://gitlab.com/a/b" is no project`,
		`milestone_labels[0]: "x" is no milestone`, `severity_labels[0]: "=y"; write it like`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "projects[1]")
}

func TestSuite(t *testing.T) {
	for name, projects := range map[string][]string{"a project": {"ops/incidents"}, "projects": {"ops/empty", "ops/incidents"}} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Suite{
				New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: a, Projects: projects}) },
				Vendor: newVendor,
				Limits: map[time.Duration]func() *http.Response{
					30 * time.Second: func() *http.Response {
						return sourcetest.Answer(429, "Retry later", "Content-Type", "text/plain", "Retry-After", "30", "RateLimit-Remaining", "0")
					},
				},
				Most:  sourcetest.Requests{Thousand: 1000 + 140*len(projects), QuietHour: 12 * len(projects)},
				Short: len(projects) > 1,
			})
		})
	}
}

// vendor is GitLab as far as it is asked: incidents by a time, in numbered pages, each with a timeline.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Key: "shelf", Title: "title", Updated: "updated_at",
		New: func(id string, i int, at, end time.Time) map[string]any {
			o := map[string]any{
				"shelf": id, "id": 1000 + i, "iid": i + 1, "project_id": 14, "title": fmt.Sprint("Errors ", i), "state": "opened", "severity": "HIGH",
				"web_url":    fmt.Sprintf("https://vendor.example.org/ops/incidents/-/issues/%d", i+1),
				"created_at": sourcetest.Stamp(at), "updated_at": sourcetest.Stamp(at),
			}
			if !end.IsZero() {
				o["state"], o["closed_at"], o["updated_at"] = "closed", sourcetest.Stamp(end), sourcetest.Stamp(end)
			}
			return o
		}}}
}

func (v *vendor) ID(i int) string { return fmt.Sprintf("14/%d", i+1) }

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/graphql" {
		var q struct {
			Variables struct{ Path, IID, ID string }
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Variables.Path != "ops/incidents" ||
			!strings.HasPrefix(q.Variables.ID, "gid://gitlab/Issue/1") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		sourcetest.WriteJSON(w, map[string]any{"data": map[string]any{"project": map[string]any{
			"issues": map[string]any{"nodes": []any{map[string]any{"iid": q.Variables.IID}}},
			"incidentManagementTimelineEvents": map[string]any{"nodes": []any{map[string]any{
				"occurredAt": "1999-12-01T00:00:00Z", "timelineEventTags": map[string]any{"nodes": []any{map[string]any{"name": "Start time"}}},
			}}},
		}}})
		return
	}
	q := r.URL.Query()
	list := []map[string]any{}
	if strings.Contains(r.URL.EscapedPath(), "/projects/ops%2Fincidents/") {
		by := q.Get("order_by")
		list = v.Between(by, q.Get(strings.TrimSuffix(by, "_at")+"_after"), q.Get("created_before"))
	}
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("per_page"))
	number = max(1, number)
	page, more := sourcetest.Cut(list, number, size)
	w.Header().Set("X-Next-Page", "")
	if more {
		w.Header().Set("X-Next-Page", strconv.Itoa(number+1))
	}
	sourcetest.WriteJSON(w, page)
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":1,"iid":1,"project_id":14,"state":"closed","created_at":"2026-11-30T01:50:31.123Z","moved_to_id":null,"_links":{"closed_as_duplicate_of":"x/projects/1/issues/2"}}`),
		[]byte(`{"occurredAt":null,"timelineEventTags":{"nodes":[{"name":"End time"}]},"created_at":null,"action":"add","label":null,"movedTo":{"iid":"3","projectId":4}}`))
	c := connect(f, nil, nil)
	f.Fuzz(func(t *testing.T, raw, part []byte) {
		list := []json.RawMessage{part}
		records, err := c.Map(&source.Item{ID: "14/1", Raw: raw,
			Parts: map[string][]json.RawMessage{"timeline": list, "labels": list, "incident": list}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
