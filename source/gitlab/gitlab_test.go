package gitlab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
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
	server := sourcetest.Played(t, dir, "/resource_label_events", "exchange-incidents*")
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
	c := connect(t, sourcetest.Played(t, "testdata", "/resource_label_events", "exchange-incidents"),
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
				Most:  sourcetest.Requests{Thousand: 1000 + 130*len(projects), QuietHour: 12 * len(projects)},
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
