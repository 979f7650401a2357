package jira

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
	"meantime/source/sourcetest"
)

// settings are those that the fixtures were made for: of the repository's own, and of the same form elsewhere.
func settings(own bool) Options {
	if own {
		return Options{
			CloudID: "c1", Statuses: []string{"acknowledged=Working", "mitigated=Fixed for now", "resolved=Done"},
			Fields: []string{"started=customfield_2", "severity=customfield_1"},
		}
	}
	return Options{
		Statuses: []string{"acknowledged=Work in progress", "mitigated=Mitigated", "resolved=Resolved"},
		Fields:   []string{"started=customfield_10044", "severity=customfield_10050"},
	}
}

func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	replay := sourcetest.NewReplay(t, dir, "exchange-*")
	replay.Else = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusNotFound)
		return strings.HasPrefix(r.URL.Path, "/jsm/")
	}
	o := settings(dir == "testdata")
	o.Access = source.Access{
		User: "bot", Secret: func() string { return "k" },
		Client: source.ClientOptions{URL: "https://example.atlassian.net", Transport: &sourcetest.Server{Handler: replay, Secret: "k"}},
	}
	c, err := New(o)
	require.NoError(t, err)
	got := sourcetest.All(t, c, "jira", source.Ask{What: source.Changed, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
	if dir == "testdata" {
		require.Equal(t, []string{"https://example.pagerduty.com/incidents/QA"}, got["501"].References.URLs)
		require.Equal(t, "https://example.atlassian.net/browse/TILL-1", got["501"].URL)
		require.Len(t, got["501"].References.Fingerprints, 1)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	_, err := New(Options{
		Access:   source.Access{Client: source.ClientOptions{URL: "https://example.atlassian.net"}},
		Statuses: []string{"mitigatd=Fixed", "acknowledged", "resolved=Fixed|Done", "mitigated=done"}, Fields: []string{"team=x"},
		TimeZone: "Berlin", JQL: "project = A ORDER BY key",
	})
	for _, want := range []string{
		`statuses[0]: "mitigatd" is no milestone; did you mean mitigated?`, `statuses[1]: "acknowledged"; write it like`, `statuses[3]: "done" means resolved already`,
		`fields[0]: "team" is no milestone; it is one of`, `time_zone: "Berlin" is no time zone`, `jql: has an ORDER BY`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// A field of one's own that says when an incident was over says nothing of one that was opened again.
func TestReopened(t *testing.T) {
	c, err := New(Options{
		Access: source.Access{Client: source.ClientOptions{URL: "https://example.atlassian.net"}},
		Fields: []string{"resolved=customfield_1", "mitigated=customfield_2"},
	})
	require.NoError(t, err)
	for status, want := range map[string]bool{"indeterminate": false, "done": true} {
		records, err := c.Map(&source.Item{ID: "1", Raw: []byte(`{"id":"1","key":"OPS-1","fields":{"created":"2026-03-02T10:00:00.000+0000",` +
			`"status":{"name":"x","statusCategory":{"key":"` + status + `"}},"customfield_1":"2026-03-02T11:00:00.000+0000",` +
			`"customfield_2":"2026-03-02T10:30:00.000+0000"}}`)})
		require.NoError(t, err)
		_, said := records[0].Milestones[incident.Resolved]
		require.Equal(t, want, said, status)
		require.Contains(t, records[0].Milestones, incident.Mitigated)
	}
}

func TestSuite(t *testing.T) {
	limits := map[time.Duration]func() *http.Response{
		7 * time.Second: func() *http.Response {
			return sourcetest.Answer(429, `{}`, "Retry-After", "7", "X-RateLimit-Reset", "2000-01-01T00:00:01Z")
		},
	}
	for _, cloud := range []bool{true, false} {
		t.Run(map[bool]string{true: "cloud", false: "data center"}[cloud], func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Suite{
				New: func(a source.Access) (source.Connector, error) {
					if !cloud {
						a.User = ""
					}
					return New(Options{Access: a, JQL: "project = OPS", TimeZone: "Asia/Shanghai"})
				},
				Vendor: func() sourcetest.Vendor { return &vendor{} }, Limits: limits, Short: !cloud,
			})
		})
	}
}

// vendor is Jira as far as it is asked. It knows times to the minute, in the user's zone.
type vendor struct{ issues []map[string]any }

func (v *vendor) ID(i int) string { return strconv.Itoa(20000 + i) }

const jiraTime = "2006-01-02T15:04:05.000-0700"

func (v *vendor) Make(i int, at time.Time) {
	v.issues = append(v.issues, map[string]any{"id": v.ID(i), "key": fmt.Sprint("OPS-", i), "fields": map[string]any{
		"summary": fmt.Sprint("Issue ", i), "status": map[string]any{"name": "Open"}, "created": at.UTC().Format(jiraTime), "updated": at.UTC().Format(jiraTime),
	}})
}

func (v *vendor) fields(i int) map[string]any {
	for _, is := range v.issues {
		if is["id"] == v.ID(i) {
			return is["fields"].(map[string]any)
		}
	}
	return nil
}

func (v *vendor) Change(i int, at time.Time, title string) {
	v.fields(i)["summary"], v.fields(i)["updated"] = title, at.UTC().Format(jiraTime)
}

func (v *vendor) Delete(i int) {
	v.issues = slices.DeleteFunc(v.issues, func(is map[string]any) bool { return is["id"] == v.ID(i) })
}

var condition = regexp.MustCompile(`(created|updated) (>=|<) "([^"]+)"`)

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if strings.HasSuffix(r.URL.Path, "/bulkfetch") {
		sourcetest.WriteJSON(w, map[string]any{"issueChangeLogs": []any{}})
		return
	}
	cloud := r.URL.Path == "/rest/api/3/search/jql"
	if !strings.HasPrefix(q.Get("jql"), "(project = OPS) AND ") || (!cloud && r.URL.Path != "/rest/api/2/search") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	zone, _ := time.LoadLocation("Asia/Shanghai")
	fits := func(is map[string]any) bool {
		for _, m := range condition.FindAllStringSubmatch(q.Get("jql"), -1) {
			at, _ := time.Parse(jiraTime, is["fields"].(map[string]any)[m[1]].(string))
			bound, err := time.ParseInLocation("2006-01-02 15:04", m[3], zone)
			if err != nil || (m[2] == ">=" && at.Before(bound)) || (m[2] == "<" && !at.Before(bound)) {
				return false
			}
		}
		return true
	}
	list := slices.DeleteFunc(slices.Clone(v.issues), func(is map[string]any) bool { return !fits(is) })
	by, desc := "updated", strings.HasSuffix(q.Get("jql"), "DESC")
	if desc {
		by = "created"
	}
	slices.SortStableFunc(list, func(a, b map[string]any) int {
		c := strings.Compare(a["fields"].(map[string]any)[by].(string), b["fields"].(map[string]any)[by].(string))
		if desc {
			return -c
		}
		return c
	})
	at, _ := strconv.Atoi(q.Get(map[bool]string{true: "nextPageToken", false: "startAt"}[cloud]))
	total := len(list)
	list = list[min(at, total):]
	list = list[:min(pageSize, len(list))]
	answer := map[string]any{"issues": list, "total": total, "isLast": at+len(list) >= total}
	if at+len(list) < total {
		answer["nextPageToken"] = strconv.Itoa(at + len(list))
	}
	sourcetest.WriteJSON(w, answer)
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"1","fields":{"created":"2026-03-02T12:00:00.000+0200","labels":["ALERT{x}"],"description":{"type":"doc","content":[]}}}`), []byte(`{"created":1,"items":[{"field":"status","toString":"Done"}]}`))
	o := settings(true)
	o.Access.Client.URL = "https://example.atlassian.net"
	c, err := New(o)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw, change []byte) {
		_, _ = c.Map(&source.Item{ID: "1", Raw: raw, Parts: map[string][]json.RawMessage{"changelog": {change}, "alerts": {change}}})
	})
}
