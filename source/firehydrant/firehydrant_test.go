package firehydrant

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
	from := time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)
	got := sourcetest.All(t, c, "firehydrant", source.Ask{What: source.Changed, From: from, To: from.AddDate(5, 0, 0)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
}

// What was thrown away is no incident any more.
func TestDiscarded(t *testing.T) {
	c := connect(t, sourcetest.Played(t, "testdata", "/alerts", "exchange-incidents"))
	page, err := c.Page(t.Context(), source.Ask{What: source.Listed})
	require.NoError(t, err)
	require.Equal(t, []bool{false, true}, []bool{page.Items[0].Gone, page.Items[1].Gone})
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: a}) },
		Vendor: newVendor,
	})
}

// vendor is FireHydrant as far as it is asked: incidents updated after a time, in numbered pages.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Title: "name", Updated: "updated_at", New: func(id string, i int, at, end time.Time) map[string]any {
		o := map[string]any{
			"id": id, "name": fmt.Sprint("Errors ", i), "created_at": sourcetest.Stamp(at), "updated_at": sourcetest.Stamp(at),
			"current_milestone": "acknowledged",
			"milestones":        []any{map[string]any{"type": "acknowledged", "occurred_at": sourcetest.Stamp(at.Add(time.Minute))}},
		}
		if !end.IsZero() {
			o["current_milestone"], o["updated_at"] = "resolved", sourcetest.Stamp(end)
			o["milestones"] = append(o["milestones"].([]any), map[string]any{"type": "resolved", "occurred_at": sourcetest.Stamp(end)})
		}
		return o
	}}}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := []map[string]any{}
	if !strings.HasSuffix(r.URL.Path, "/alerts") {
		list = v.Between("updated_at", q.Get("updated_after"), "")
	}
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("per_page"))
	page, more := sourcetest.Cut(list, number, size)
	pagination := map[string]any{"next": nil}
	if more {
		pagination["next"] = number + 1
	}
	sourcetest.WriteJSON(w, map[string]any{"data": page, "pagination": pagination})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"1","created_at":"2026-11-30T01:50:31Z","current_milestone":"resolved","milestones":[{"type":"resolved","occurred_at":null}]}`),
		[]byte(`{"integration_name":"Alertmanager","remote_id":"0123456789abcdef0123456789abcdef","labels":{"alertname":"A"}}`))
	c := connect(f, nil)
	f.Fuzz(func(t *testing.T, raw, alert []byte) {
		records, err := c.Map(&source.Item{ID: "1", Raw: raw, Parts: map[string][]json.RawMessage{"alerts": {alert}}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
