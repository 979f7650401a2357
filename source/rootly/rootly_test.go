package rootly

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/source"
	"meantime/source/sourcetest"
)

func connect(t testing.TB, transport http.RoundTripper) *Connector {
	c, err := New(Options{Access: sourcetest.Access(transport)})
	require.NoError(t, err)
	return c
}

// The exchanges of the fixtures make the records that expected.json says.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	c := connect(t, sourcetest.Played(t, dir, "/alerts", "exchange-incidents*"))
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got := sourcetest.All(t, c, "rootly", source.Ask{What: source.Changed, From: from, To: from.AddDate(1, 0, 0)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
}

// What Rootly knows of other tools leads to their records.
func TestAddresses(t *testing.T) {
	c := connect(t, nil)
	records, err := c.Map(&source.Item{ID: "1", Raw: json.RawMessage(`{"id":"1","attributes":{"created_at":"2026-03-02T12:07:00Z",
		"pagerduty_incident_url":"https://a","opsgenie_incident_url":"https://b","jira_issue_url":"https://c","github_issue_url":"https://d",
		"gitlab_issue_url":"https://e","service_now_incident_url":"https://f","postmortem_document_url":"https://g"}}`)})
	require.NoError(t, err)
	require.Equal(t, strings.Split("https://a https://b https://c https://d https://e https://f https://g", " "), records[0].References.URLs)
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: a}) },
		Vendor: newVendor,
	})
}

// vendor is Rootly as far as it is asked: incidents by a time, in numbered pages.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Inside: "attributes", Title: "title", Updated: "updated_at", New: func(id string, i int, at, end time.Time) map[string]any {
		a := map[string]any{
			"title": fmt.Sprint("Errors ", i), "kind": "normal", "status": "started", "created_at": sourcetest.Stamp(at), "updated_at": sourcetest.Stamp(at),
			"detected_at": sourcetest.Stamp(at.Add(-time.Minute)),
		}
		if !end.IsZero() {
			a["status"], a["resolved_at"], a["updated_at"] = "resolved", sourcetest.Stamp(end), sourcetest.Stamp(end)
		}
		return map[string]any{"id": id, "type": "incidents", "attributes": a}
	}}}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if strings.HasSuffix(r.URL.Path, "/alerts") {
		sourcetest.WriteJSON(w, map[string]any{"data": []any{}})
		return
	}
	by := q.Get("sort")
	number, _ := strconv.Atoi(q.Get("page[number]"))
	size, _ := strconv.Atoi(q.Get("page[size]"))
	page, more := sourcetest.Cut(v.Between(by, q.Get("filter["+by+"][gte]"), q.Get("filter["+by+"][lt]")), number, size)
	meta := map[string]any{}
	if more {
		meta["next_page"] = number + 1
	}
	sourcetest.WriteJSON(w, map[string]any{"data": page, "meta": meta})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"1","attributes":{"created_at":"2026-11-30T01:50:31Z","status":"resolved","severity":{"data":null}}}`),
		[]byte(`{"attributes":{"source":"alertmanager","labels":[{"key":"alertname","value":"A"}],"data":{"groupKey":"{}:{}","alerts":[]}}}`))
	c := connect(f, nil)
	f.Fuzz(func(t *testing.T, raw, alert []byte) {
		records, err := c.Map(&source.Item{ID: "1", Raw: raw, Parts: map[string][]json.RawMessage{"alerts": {alert}, "services": {alert}}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
