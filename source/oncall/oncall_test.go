package oncall

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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

func connect(t testing.TB, transport http.RoundTripper) *Connector {
	c, err := New(Options{Access: address(sourcetest.Access(transport)), GrafanaURL: "https://example.grafana.net/"})
	require.NoError(t, err)
	return c
}

func address(a source.Access) source.Access {
	a.Client.URL = "https://oncall.example.org"
	return a
}

// The exchanges of the fixtures make the records that expected.json says.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	read := func(what source.What) map[string]incident.Record {
		c := connect(t, sourcetest.Played(t, dir, "/alerts/", "exchange-alert-groups*"))
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return sourcetest.All(t, c, "oncall", source.Ask{What: what, From: from, To: from.AddDate(1, 0, 0)})
	}
	whole, newest := read(source.Made), read(source.Changed)
	require.Positive(t, sourcetest.Compare(t, dir, whole))
	for id, r := range newest { // it tells what the last notification told; the rest is kept
		before := whole[id]
		new(Connector).Keep(&r, &before)
		newest[id] = r
	}
	require.Positive(t, sourcetest.Compare(t, dir, newest))
}

// What it sends says who asks, and for which stack.
func TestWhoAsks(t *testing.T) {
	c := connect(t, &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, []string{"t0ken"}, r.Header["Authorization"])
		require.Equal(t, "https://example.grafana.net", r.Header.Get("X-Grafana-URL"))
		require.Equal(t, "2026-03-02T10:00:00_2026-03-02T11:00:01", r.URL.Query().Get("started_at"))
		sourcetest.WriteJSON(w, map[string]any{"results": []any{}})
	})})
	_, err := c.Page(t.Context(), source.Ask{
		What: source.Made, From: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC),
	})
	require.NoError(t, err)
}

// The alerts of earlier notifications are kept, however often and in whatever order they came.
func TestKeepAlerts(t *testing.T) {
	alerts := func(starts ...int) *incident.Record {
		r := &incident.Record{}
		for _, m := range starts {
			r.References.Alerts = append(r.References.Alerts, incident.EpisodeKey{Fingerprint: "aa", StartsAt: time.Unix(int64(1e9+m), 0)})
		}
		return r
	}
	for _, c := range []struct{ now, stored, want *incident.Record }{
		{alerts(1), alerts(2), alerts(1, 2)},
		{alerts(2), alerts(1), alerts(1, 2)},
		{alerts(2, 1), alerts(1), alerts(1, 2)},
		{alerts(), alerts(1), alerts(1)},
	} {
		new(Connector).Keep(c.now, c.stored)
		require.Equal(t, c.want.References.Alerts, c.now.References.Alerts)
	}
}

// An acknowledgement that was taken back counts: OnCall forgets it, what is stored does not. One that came before counts, too.
func TestKeep(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 10, minute, 0, 0, time.UTC) }
	record := func(acked ...int) *incident.Record {
		r := &incident.Record{}
		for _, m := range acked {
			source.Set(r, incident.Acknowledged, at(m), "said")
		}
		return r
	}
	for _, c := range []struct {
		now, stored *incident.Record
		want        time.Time
	}{
		{record(), record(5), at(5)},
		{record(9), record(5), at(5)},
		{record(5), record(9), at(5)},
		{record(5), record(), at(5)},
		{record(), record(), time.Time{}},
	} {
		new(Connector).Keep(c.now, c.stored)
		require.Equal(t, c.want, c.now.Milestones[incident.Acknowledged].At)
	}
}

// A group that nobody resolved was over for users only where its last notification says so: an integration that tells nothing of
// it, and a step of the escalation that gave up, say nothing.
func TestMitigated(t *testing.T) {
	c := connect(t, nil)
	for payload, want := range map[string]bool{
		`{"status":"resolved"}`: true, `{"status":"firing"}`: false, `{"state":"ok"}`: false, `"text"`: false, `null`: false,
	} {
		for by, nobody := range map[string]bool{`null`: true, `"U1"`: false} {
			records, err := c.Map(&source.Item{ID: "I1", Raw: []byte(`{"id":"I1","state":"resolved","created_at":"2026-03-02T10:00:00Z",` +
				`"resolved_at":"2026-03-02T11:00:00Z","resolved_by":` + by + `,` +
				`"last_alert":{"created_at":"2026-03-02T11:00:00Z","payload":` + payload + `}}`)})
			require.NoError(t, err)
			_, said := records[0].Milestones[incident.Mitigated]
			require.Equal(t, want && nobody, said, payload+by)
			require.Contains(t, records[0].Milestones, incident.Resolved)
		}
	}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: address(a)}) },
		Vendor: func() sourcetest.Vendor { return newVendor() },
		Limits: map[time.Duration]func() *http.Response{
			33 * time.Second: func() *http.Response {
				return sourcetest.Answer(429, `{"detail":"throttled"}`, "RateLimit-Reset", "33")
			},
		},
	})
}

// vendor is OnCall as far as it is asked: alert groups by when they began, newest first, in numbered pages.
type vendor struct{ sourcetest.Shelf }

func newVendor() *vendor {
	return &vendor{sourcetest.Shelf{Title: "title", New: func(id string, i int, at, end time.Time) map[string]any {
		g := map[string]any{
			"id": id, "title": fmt.Sprint("Errors ", i), "alerts_count": 3, "state": "firing", "created_at": sourcetest.Stamp(at), "labels": []any{},
			"last_alert": map[string]any{"created_at": sourcetest.Stamp(at), "payload": map[string]any{
				"status": "firing", "groupKey": fmt.Sprintf("{}:{alertname=\"E%d\"}", i),
			}},
		}
		if !end.IsZero() {
			g["state"], g["resolved_at"] = "resolved", sourcetest.Stamp(end)
		}
		return g
	}}}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := []map[string]any{}
	if r.URL.Path == "/api/v1/alert_groups/" {
		from, to, _ := strings.Cut(q.Get("started_at"), "_")
		list = v.Between("created_at", from, to+"Z")
		slices.Reverse(list)
	}
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("perpage"))
	page, more := sourcetest.Cut(list, max(1, number), size)
	answer := map[string]any{"results": page, "next": nil}
	if more {
		answer["next"] = "http://oncall-engine:8080/api/v1/alert_groups/?page=" + strconv.Itoa(number+1)
	}
	sourcetest.WriteJSON(w, answer)
}

// A group older than what is looked at each time is looked at once a day, and its alerts are asked for once.
func TestOldGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendor()
		began := time.Now().Add(-20 * 24 * time.Hour)
		v.Make(0, began)
		v.Make(1, time.Now().Add(-20*time.Minute))
		delete(v.Find(v.ID(0)), "resolved_at")
		v.Find(v.ID(0))["state"] = "acknowledged"
		server := &sourcetest.Server{Handler: v}
		store := sourcetest.NewStore()
		p := source.NewPoller(source.PollerOptions{
			Name: "oncall", Kind: "x", Connector: connect(t, server), Store: store, Backfill: 30 * 24 * time.Hour,
		})
		alerts := func() (n int) {
			for _, r := range server.Requests() {
				if strings.Contains(r, "/alerts/") {
					n++
				}
			}
			return n
		}
		require.NoError(t, p.Poll(t.Context()))
		require.Equal(t, 2, alerts())
		v.Find(v.ID(0))["state"] = "resolved"
		v.Find(v.ID(0))["resolved_at"] = sourcetest.Stamp(time.Now())
		time.Sleep(time.Hour)
		require.NoError(t, p.Poll(t.Context()))
		require.Contains(t, store.Said()[v.ID(0)], `"state":"open"`)
		time.Sleep(24 * time.Hour)
		require.NoError(t, p.Poll(t.Context()))
		require.Contains(t, store.Said()[v.ID(0)], `"state":"resolved"`)
		require.Equal(t, 2, alerts(), "the alerts of a group are asked for again")
	})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"I1","state":"resolved","created_at":"2026-11-30T01:50:31Z","labels":[{"key":{"name":"service"},"value":{"name":"a"}}]}`),
		[]byte(`{"created_at":"2026-11-30T01:50:31Z","payload":{"groupKey":"{}:{}","alerts":[]}}`))
	c := connect(f, nil)
	f.Fuzz(func(t *testing.T, raw, alert []byte) {
		records, err := c.Map(&source.Item{ID: "I1", Raw: raw, Parts: map[string][]json.RawMessage{"alerts": {alert}}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
