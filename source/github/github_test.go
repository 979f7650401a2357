package github

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

func connect(t testing.TB, transport http.RoundTripper, repositories ...string) *Connector {
	c, err := New(Options{
		Access: sourcetest.Access(transport), Repositories: repositories, Labels: []string{"incident"},
		MilestoneLabels: []string{"mitigated=mitigated", "identified=cause known"}, SeverityLabels: []string{"critical=sev1", "minor=sev3|sev4"},
	})
	require.NoError(t, err)
	return c
}

// The exchanges of the fixtures make the records that expected.json says.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	server := sourcetest.Played(t, dir, "/timeline", "exchange-incidents")
	repositories := []string{"example-org/ops"}
	if dir == "testdata" {
		repositories = append(repositories, "example-org/shop")
	}
	c := connect(t, server, repositories...)
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got := sourcetest.All(t, c, "github", source.Ask{What: source.Changed, From: from, To: from.AddDate(1, 0, 0)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
	for _, r := range got {
		require.Equal(t, incident.ConfidenceApproximate, r.Milestones[incident.Detected].Confidence)
	}
	for _, q := range server.Requests() {
		require.True(t, !strings.Contains(q, "/issues?") || strings.Contains(q, "labels=incident"), q)
		require.NotContains(t, q, "/41/timeline", "a pull request is no incident")
	}
	if dir == "testdata" {
		require.Equal(t, []string{"https://pager.example.org/incidents/P7"}, got["example-org/ops#7"].References.URLs)
		require.Contains(t, got, "example-org/shop#3")
	}
}

// A page of issues that all changed at one moment, as a script does it, is followed by GitHub's own address.
func TestManyAtOneMoment(t *testing.T) {
	v := newVendor().(*vendor)
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i := range 3*pageSize + 1 {
		v.Make(i, at.Add(time.Duration(i)*time.Hour))
		v.Change(i, at.AddDate(0, 1, 0), "renamed by a script")
	}
	v.Make(3*pageSize+1, at.AddDate(0, 2, 0))
	c, err := New(Options{Access: sourcetest.Access(&sourcetest.Server{Handler: v}), Repositories: []string{"example-org/ops"}})
	require.NoError(t, err)
	c.client, err = sourcetest.Access(&sourcetest.Server{Handler: v}).NewClient(source.Vendor{URL: "https://vendor.example.org"})
	require.NoError(t, err)
	require.Len(t, sourcetest.All(t, c, "github", source.Ask{What: source.Changed, From: at}), 3*pageSize+2)
}

// An issue that was deleted while the list was read is gone; of one that only lost its timeline the rest counts.
func TestDeletedMeanwhile(t *testing.T) {
	for status, gone := range map[int]bool{http.StatusGone: true, http.StatusNotFound: false} {
		c := connect(t, &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/timeline") {
				w.WriteHeader(status)
				return
			}
			sourcetest.WriteJSON(w, []any{map[string]any{"number": 1, "state": "open", "created_at": "2026-03-02T10:00:00Z"}})
		})}, "a/b")
		page, err := c.Page(t.Context(), source.Ask{})
		require.NoError(t, err)
		require.Equal(t, gone, page.Items[0].Gone)
	}
}

func TestMapping(t *testing.T) {
	c := connect(t, nil, "a/b")
	for _, x := range []struct {
		name, issue, timeline string
		state                 incident.State
		want                  string // milestones beside detected
	}{
		{"open", `"state":"open"`, ``, incident.StateOpen, ``},
		{
			"reopened", `"state":"open","state_reason":"reopened"`,
			`{"event":"closed","created_at":"2026-03-02T11:00:00Z"},{"event":"reopened","created_at":"2026-03-02T11:30:00Z"}`,
			incident.StateOpen, ``,
		},
		{"a duplicate", `"state":"closed","state_reason":"duplicate","closed_at":"2026-03-02T11:00:00Z"`, ``, incident.StateCancelled, ``},
		{
			"reopened after it was not planned", `"state":"open","state_reason":"not_planned"`, ``, incident.StateOpen, ``,
		},
		{
			"a label taken off", `"state":"open"`,
			`{"event":"labeled","label":{"name":"Mitigated"},"created_at":"2026-03-02T10:20:00Z"},` +
				`{"event":"unlabeled","label":{"name":"Mitigated"},"created_at":"2026-03-02T10:25:00Z"}`, incident.StateOpen, ``,
		},
		{
			"a label put on again", `"state":"open"`,
			`{"event":"labeled","label":{"name":"mitigated"},"created_at":"2026-03-02T10:40:00Z"},` +
				`{"event":"unlabeled","label":{"name":"mitigated"},"created_at":"2026-03-02T10:25:00Z"},` +
				`{"event":"labeled","label":{"name":"mitigated"},"created_at":"2026-03-02T10:20:00Z"}`, incident.StateOpen, `mitigated 10:40`,
		},
		{
			"a robot assigns", `"state":"open"`,
			`{"event":"assigned","actor":{"type":"Bot"},"created_at":"2026-03-02T10:01:00Z"},` +
				`{"event":"assigned","actor":{"type":"User"},"created_at":"2026-03-02T10:09:00Z"},` +
				`{"event":"assigned","created_at":"2026-03-02T10:07:00Z"}`, incident.StateOpen, `acknowledged 10:07`,
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			it := source.Item{ID: "a/b#1", Raw: json.RawMessage(`{"number":1,"created_at":"2026-03-02T10:00:00Z",` + x.issue + `}`)}
			var events []json.RawMessage
			require.NoError(t, json.Unmarshal([]byte("["+x.timeline+"]"), &events))
			it.Parts = map[string][]json.RawMessage{"timeline": events}
			records, err := c.Map(&it)
			require.NoError(t, err)
			require.Equal(t, x.state, records[0].State)
			require.Equal(t, "10:00", records[0].Milestones[incident.Detected].At.Format("15:04"))
			var got []string
			for _, name := range incident.MilestoneNames {
				if m, said := records[0].Milestones[name]; said && name != incident.Detected {
					got = append(got, string(name)+" "+m.At.Format("15:04"))
				}
			}
			require.Equal(t, x.want, strings.Join(got, " "))
		})
	}
	// A label that means the end counts before the issue is closed, and then instead of it.
	c, err := New(Options{Access: sourcetest.Access(nil), Repositories: []string{"a/b"}, MilestoneLabels: []string{"resolved=over"}})
	require.NoError(t, err)
	over := json.RawMessage(`{"event":"labeled","label":{"name":"over"},"created_at":"2026-03-02T10:20:00Z"}`)
	for _, state := range []string{`"state":"open"`, `"state":"closed","closed_at":"2026-03-05T10:00:00Z"`} {
		it := source.Item{ID: "a/b#1", Raw: json.RawMessage(`{"number":1,` + state + `}`),
			Parts: map[string][]json.RawMessage{"timeline": {over}}}
		records, err := c.Map(&it)
		require.NoError(t, err)
		require.Equal(t, incident.StateResolved, records[0].State)
		require.Equal(t, "10:20", records[0].Milestones[incident.Resolved].At.Format("15:04"))
	}
	// What was opened again is over when it is over again, and not before.
	event := func(event, at string) json.RawMessage {
		return json.RawMessage(`{"event":"` + event + `","label":{"name":"over"},"created_at":"2026-03-02T` + at + `:00Z"}`)
	}
	reopened := []json.RawMessage{over, event("closed", "10:25"), event("reopened", "11:00")}
	for _, x := range []struct {
		name, issue string
		events      []json.RawMessage
		want        string
	}{
		{"opened again", `"state":"open"`, reopened, ""},
		{"closed again", `"state":"closed","closed_at":"2026-03-02T12:00:00Z"`, reopened, "12:00"},
		{"over again", `"state":"open"`, append(reopened, event("unlabeled", "11:05"), event("labeled", "11:40")), "11:40"},
	} {
		it := source.Item{ID: "a/b#1", Raw: json.RawMessage(`{"number":1,` + x.issue + `}`)}
		it.Parts = map[string][]json.RawMessage{"timeline": x.events}
		records, err := c.Map(&it)
		require.NoError(t, err, x.name)
		got := ""
		if m, said := records[0].Milestones[incident.Resolved]; said {
			got = m.At.Format("15:04")
		}
		require.Equal(t, x.want, got, x.name)
		require.Equal(t, got == "", records[0].State == incident.StateOpen, x.name)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	_, err := New(Options{
		Access: sourcetest.Access(nil), Repositories: []string{"a/b", "https://github.com/a/b"}, Labels: []string{"incident,sev1"},
		MilestoneLabels: []string{"mitigatd=x"}, SeverityLabels: []string{"sev1", "critical=sev1", "major=sev1"},
	})
	for _, want := range []string{
		`repositories[1]: "https://github.com/a/b" is no repository; write it like example-org/operations`, `labels[0]: has a comma`,
		`milestone_labels[0]: "mitigatd" is no milestone; did you mean mitigated?`, `severity_labels[0]: "sev1"; write it like critical=sev1|sev-1`,
		`severity_labels[2]: "sev1" means critical already`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New: func(a source.Access) (source.Connector, error) {
			return New(Options{Access: a, Repositories: []string{"example-org/empty", "example-org/ops"}})
		},
		Vendor: newVendor,
		Limits: map[time.Duration]func() *http.Response{
			7 * time.Minute: func() *http.Response { // the primary limit
				at := time.Now().Add(7*time.Minute + time.Second - 1).Unix()
				return sourcetest.Answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset",
					strconv.FormatInt(at, 10))
			},
			90 * time.Second: func() *http.Response { // the secondary limit
				return sourcetest.Answer(403, `{"message":"You have exceeded a secondary rate limit."}`, "Retry-After", "90")
			},
		},
		Most: sourcetest.Requests{Thousand: 1110, QuietHour: 24}, // two repositories
	})
}

// vendor is GitHub as far as it is asked: issues changed since a time, oldest first, in pages that a header leads to.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Title: "title", Updated: "updated_at", New: func(id string, i int, at, end time.Time) map[string]any {
		o := map[string]any{
			"id": id, "number": i + 1, "title": fmt.Sprint("Errors ", i), "state": "open",
			"created_at": sourcetest.Stamp(at), "updated_at": sourcetest.Stamp(at),
		}
		if !end.IsZero() {
			o["state"], o["state_reason"] = "closed", "completed"
			o["closed_at"], o["updated_at"] = sourcetest.Stamp(end), sourcetest.Stamp(end)
		}
		return o
	}}}
}

func (v *vendor) ID(i int) string { return fmt.Sprintf("example-org/ops#%d", i+1) }

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := []map[string]any{}
	switch {
	case strings.HasSuffix(r.URL.Path, "/timeline"):
		list = append(list, map[string]any{"event": "assigned", "created_at": "1999-12-31T00:00:00Z"})
	case strings.Contains(r.URL.Path, "/ops/") || strings.HasPrefix(r.URL.Path, "/repositories/7/"):
		list = v.Between("updated_at", q.Get("since"), "")
	}
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("per_page"))
	number = max(1, number)
	page, more := sourcetest.Cut(list, number, size)
	if more {
		q.Set("page", strconv.Itoa(number+1))
		w.Header().Set("Link", fmt.Sprintf(`<https://vendor.example.org/repositories/7/issues?%s>; rel="next"`, q.Encode()))
	}
	sourcetest.WriteJSON(w, page)
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"number":1,"state":"closed","state_reason":null,"created_at":"2026-11-30T01:50:31Z","labels":[{"name":"sev1"}],"body":null}`),
		[]byte(`{"event":"labeled","label":{"name":"mitigated"},"actor":null,"created_at":null}`))
	c := connect(f, nil, "a/b")
	f.Fuzz(func(t *testing.T, raw, event []byte) {
		records, err := c.Map(&source.Item{ID: "a/b#1", Raw: raw, Parts: map[string][]json.RawMessage{"timeline": {event}}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
