package incidentio

import (
	"encoding/json"
	"fmt"
	"net/http"
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

func connect(t testing.TB, transport http.RoundTripper, timestamps ...string) *Connector {
	c, err := New(Options{
		Access: sourcetest.Access(transport), Timestamps: timestamps, Fields: []string{"service=Affected services", "severity=01FIELD"},
	})
	require.NoError(t, err)
	return c
}

// The exchanges of the fixtures make the records that expected.json says.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	server := sourcetest.Played(t, dir, "/v2/incident_alerts", "exchange-incidents*")
	c := connect(t, server)
	from := time.Date(2023, 10, 1, 0, 0, 0, 0, time.UTC)
	got := sourcetest.All(t, c, "incident-io", source.Ask{What: source.Changed, From: from, To: from.AddDate(5, 0, 0)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
	require.Contains(t, server.Requests()[0], "mode%5Bone_of%5D=standard&mode%5Bone_of%5D=retrospective")
	if dir == "testdata" {
		require.Equal(t, []string{"https://docs.example.org/p", "https://tracker.example.org/T-7"}, got["01A"].References.URLs)
		require.Equal(t, incident.ByAlert, got["01A"].DetectedBy)
		require.NotEqual(t, incident.ByAlert, got["01B"].DetectedBy, "the alert was attached later")
		require.Equal(t, "INC-1", got["01A"].Labels["reference"])
	}
}

func TestPrivate(t *testing.T) {
	c := connect(t, sourcetest.Played(t, "testdata", "/v2/incident_alerts", "exchange-incidents"))
	page, err := c.Page(t.Context(), source.Ask{What: source.Listed, To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.NoError(t, err)
	var private []bool
	for _, it := range page.Items {
		private = append(private, it.Private)
	}
	require.Equal(t, []bool{false, true}, private)
}

// An account may call its timestamps as it likes.
func TestTimestamps(t *testing.T) {
	raw := json.RawMessage(`{"id":"1","incident_status":{"category":"closed"},"incident_timestamp_values":[
		{"incident_timestamp":{"name":"Fixed at"},"value":{"value":"2026-03-02T10:30:00Z"}},
		{"incident_timestamp":{"name":"Impact over"},"value":{"value":"2026-03-02T10:20:00Z"}},
		{"incident_timestamp":{"name":"Accepted at"},"value":{"value":"2026-03-02T10:10:00Z"}}]}`)
	for want, timestamps := range map[string][]string{
		"acknowledged 10:10 mitigated 10:30":                {},
		"acknowledged 10:10 mitigated 10:20":                {"mitigated=impact over"},
		"identified 10:10 mitigated 10:30":                  {"identified=Accepted at"},
		"acknowledged 10:10 mitigated 10:20 resolved 10:30": {"mitigated=Impact over", "resolved=Fixed at"},
	} {
		records, err := connect(t, nil, timestamps...).Map(&source.Item{ID: "1", Raw: raw})
		require.NoError(t, err)
		var got []string
		for _, name := range []incident.MilestoneName{incident.Acknowledged, incident.Identified, incident.Mitigated, incident.Resolved} {
			if m, said := records[0].Milestones[name]; said {
				got = append(got, string(name)+" "+m.At.Format("15:04"))
			}
		}
		require.Equal(t, want, strings.Join(got, " "))
	}
}

func TestStates(t *testing.T) {
	c := connect(t, nil)
	for category, want := range map[string]incident.State{
		"triage": incident.StateOpen, "live": incident.StateOpen, "paused": incident.StateOpen, "learning": incident.StateResolved,
		"closed": incident.StateResolved, "declined": incident.StateCancelled, "merged": incident.StateCancelled, "canceled": incident.StateCancelled,
	} {
		records, err := c.Map(&source.Item{ID: "1", Raw: json.RawMessage(`{"id":"1","incident_status":{"category":"` + category + `"},"incident_timestamp_values":[
			{"incident_timestamp":{"name":"Resolved at"},"value":{"value":"2026-03-02T10:30:00Z"}}]}`)})
		require.NoError(t, err)
		require.Equal(t, want, records[0].State, category)
		_, said := records[0].Milestones[incident.Resolved]
		require.Equal(t, want != incident.StateOpen, said, category)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	_, err := New(Options{Access: sourcetest.Access(nil), Timestamps: []string{"mitigatd=x"}, Fields: []string{"servce=x", "service"}})
	for _, want := range []string{
		`timestamps[0]: "mitigatd" is no milestone; did you mean mitigated?`, `fields[0]: "servce" is not known here; did you mean service?`,
		`fields[1]: "service"; write it like service=Affected services`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: a}) },
		Vendor: newVendor,
		Limits: map[time.Duration]func() *http.Response{
			5 * time.Minute: func() *http.Response { // it says it in the body alone
				at := time.Now().Add(5*time.Minute + time.Second - 1).UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC")
				return sourcetest.Answer(429,
					`{"type":"too_many_requests","status":429,"rate_limit":{"name":"k","limit":1200,"remaining":0,"retry_after":"`+at+`"}}`)
			},
		},
		Most: sourcetest.Requests{Thousand: 1035, QuietHour: 12},
	})
}

// vendor is incident.io as far as it is asked: incidents by the day, the newest first, each page after an incident.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Title: "name", Updated: "updated_at", New: func(id string, i int, at, end time.Time) map[string]any {
		stamp := func(name string, at time.Time) any {
			return map[string]any{"incident_timestamp": map[string]any{"name": name}, "value": map[string]any{"value": sourcetest.Stamp(at)}}
		}
		o := map[string]any{
			"id": id, "name": fmt.Sprint("Errors ", i), "mode": "standard", "visibility": "public", "created_at": sourcetest.Stamp(at),
			"updated_at": sourcetest.Stamp(at), "incident_status": map[string]any{"category": "live"},
			"incident_timestamp_values": []any{stamp("Reported at", at)},
		}
		if !end.IsZero() {
			o["incident_status"], o["updated_at"] = map[string]any{"category": "closed"}, sourcetest.Stamp(end)
			o["incident_timestamp_values"] = []any{stamp("Reported at", at), stamp("Resolved at", end)}
		}
		return o
	}}}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.URL.Path == "/v2/incident_alerts" {
		sourcetest.WriteJSON(w, map[string]any{"incident_alerts": []any{}})
		return
	}
	list := v.Between("updated_at", q.Get("updated_at[gte]"), "")
	if from, to, ok := strings.Cut(q.Get("created_at[date_range]"), "~"); ok {
		list = v.Between("created_at", from, to+"T24")
	}
	slices.SortStableFunc(list, func(a, b map[string]any) int {
		return strings.Compare(b["created_at"].(string), a["created_at"].(string))
	})
	if after := q.Get("after"); after != "" {
		list = list[1+slices.IndexFunc(list, func(o map[string]any) bool { return o["id"] == after }):]
	}
	size, _ := strconv.Atoi(q.Get("page_size"))
	page, more := sourcetest.Cut(list, 1, size)
	meta := map[string]any{"page_size": size}
	if more {
		meta["after"] = page[len(page)-1]["id"]
	}
	sourcetest.WriteJSON(w, map[string]any{"incidents": page, "pagination_meta": meta})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"1","mode":"test","created_at":"2026-11-30T01:50:31Z","severity":null,"incident_status":{"category":"merged"},"merged_into_incident_id":"2",
		"external_issue_reference":null,"incident_timestamp_values":[{"incident_timestamp":{"name":"Fixed at"},"value":null}],
		"custom_field_entries":[{"custom_field":{"name":"Affected services"},"values":[{"value_option":null,"value_catalog_entry":{"name":"a"}}]}]}`),
		[]byte(`{"alert":{"deduplication_key":"775f06f5c8253c87","created_at":"2026-11-30T01:50:31Z","resolved_at":null}}`))
	c := connect(f, nil)
	f.Fuzz(func(t *testing.T, raw, alert []byte) {
		records, err := c.Map(&source.Item{ID: "1", Raw: raw, Parts: map[string][]json.RawMessage{"alerts": {alert}}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
