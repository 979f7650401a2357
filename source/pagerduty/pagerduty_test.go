package pagerduty

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
	c, err := New(Options{Access: sourcetest.Access(transport)})
	require.NoError(t, err)
	return c
}

// The exchanges of the fixtures make the records that expected.json says, whether the log tells what the events said or the
// alerts have to be asked for.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	for _, files := range [][]string{
		{"exchange-incidents*", "exchange-log-entries-channels"},
		{"exchange-incidents*", "exchange-log-entries", "exchange-incident-alerts"},
	} {
		c := connect(t, sourcetest.Played(t, dir, "/alerts", files...))
		to := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		got := sourcetest.All(t, c, "pagerduty", source.Ask{What: source.Made, From: to.Add(-longest), To: to})
		require.Positive(t, sourcetest.Compare(t, dir, got))
	}
}

// What was read of the logs for one page of the past is not asked for again for the next, and nothing is missed by that.
func TestTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		now := time.Now()
		for i := range 450 {
			v.Make(i, now.Add(-time.Duration(i+1)*5*time.Minute-time.Duration(i%7)*time.Second))
		}
		server := &sourcetest.Server{Handler: v}
		ask := source.Ask{What: source.Made, From: now.Add(-longest), To: now}
		once := sourcetest.All(t, connect(t, server), "pager", ask)
		n := len(server.Requests())
		each := map[string]incident.Record{}
		for a := ask; ; {
			page, err := connect(t, server).Page(t.Context(), a) // which knows nothing of the page before
			require.NoError(t, err)
			for i := range page.Items {
				page.Items[i].Source = "pager"
				records, err := new(Connector).Map(&page.Items[i])
				require.NoError(t, err)
				r := records[0]
				r.Source = "pager"
				r.Fit()
				r.Normalize()
				each[r.ID] = r
			}
			if a.Next = page.Next; a.Next == "" {
				break
			}
		}
		require.Equal(t, 450, len(once))
		require.Equal(t, each, once)
		require.Less(t, n, len(server.Requests())-n, "it asked for as much")
		t.Logf("%d requests, without the tail %d", n, len(server.Requests())-n)
	})
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: a}) },
		Vendor: func() sourcetest.Vendor { return &vendor{} },
		Limits: map[time.Duration]func() *http.Response{
			12 * time.Second: func() *http.Response {
				return sourcetest.Answer(429, `{"error":{"code":2020}}`, "ratelimit-remaining", "0", "ratelimit-reset", "12")
			},
			time.Minute: func() *http.Response { return sourcetest.Answer(429, `{"error":{"code":2020}}`) },
		},
	})
}

// vendor is PagerDuty as far as it is asked: incidents by when they were made, log entries, both in pages.
type vendor struct {
	incidents []map[string]any
	entries   []map[string]any // oldest first
}

func (v *vendor) ID(i int) string { return fmt.Sprintf("Q%05d", i) }

func (v *vendor) Make(i int, at time.Time) {
	in := map[string]any{
		"id": v.ID(i), "title": fmt.Sprintf("[FIRING:1] Errors %d", i), "status": "triggered", "created_at": stamp(at), "updated_at": stamp(at),
		"service": map[string]any{"id": "P1", "summary": "checkout"}, "urgency": "high",
		"html_url": "https://example.pagerduty.com/incidents/" + v.ID(i), "alert_counts": map[string]any{"all": 1},
	}
	v.incidents = append(v.incidents, in)
	v.enter(i, "trigger_log_entry", at, "events_api_v2_inbound_integration_reference", map[string]any{"incident_key": fmt.Sprintf("%064x", i)})
	if end := at.Add(40 * time.Minute); end.Before(time.Now()) {
		v.enter(i, "acknowledge_log_entry", at.Add(5*time.Minute), "user_reference", nil)
		v.enter(i, "resolve_log_entry", end, "events_api_v2_inbound_integration_reference", nil)
		in["status"], in["updated_at"], in["resolved_at"] = "resolved", stamp(end), stamp(end)
	}
	slices.SortStableFunc(v.entries, func(a, b map[string]any) int {
		return strings.Compare(a["created_at"].(string), b["created_at"].(string))
	})
}

func (v *vendor) enter(i int, kind string, at time.Time, agent string, channel map[string]any) {
	v.entries = append(v.entries, map[string]any{
		"id": fmt.Sprintf("R%05d%s", i, kind[:3]), "type": kind, "created_at": stamp(at), "agent": map[string]any{"type": agent},
		"incident": map[string]any{"id": v.ID(i)}, "service": map[string]any{"id": "P1"}, "channel": channel,
	})
}

func (v *vendor) find(id string) map[string]any {
	for _, in := range v.incidents {
		if in["id"] == id {
			return in
		}
	}
	return nil
}

func (v *vendor) Change(i int, at time.Time, title string) {
	in := v.find(v.ID(i))
	in["title"], in["updated_at"] = title, stamp(at)
	v.enter(i, "annotate_log_entry", at, "user_reference", nil)
}

func (v *vendor) Delete(int) {} // PagerDuty deletes no incident

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, path := r.URL.Query(), strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	between := func(o map[string]any) bool {
		at := o["created_at"].(string)
		return (q.Get("since") == "" || at >= q.Get("since")) && (q.Get("until") == "" || at < q.Get("until"))
	}
	switch {
	case len(path) == 2:
		in := v.find(path[1])
		if in == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		sourcetest.WriteJSON(w, map[string]any{"incident": in})
	case len(path) == 3 && path[2] == "log_entries":
		page(w, r, "log_entries", v.entries, func(o map[string]any) bool { return o["incident"].(map[string]any)["id"] == path[1] })
	case path[0] == "log_entries":
		page(w, r, "log_entries", v.entries, between)
	case path[0] == "incidents":
		newest := slices.Clone(v.incidents)
		slices.SortStableFunc(newest, func(a, b map[string]any) int {
			return strings.Compare(b["created_at"].(string), a["created_at"].(string))
		})
		page(w, r, "incidents", newest, between)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func page(w http.ResponseWriter, r *http.Request, name string, all []map[string]any, fits func(map[string]any) bool) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	if offset+limit > maxOffset {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	list, n := []map[string]any{}, 0
	for _, o := range all {
		if !fits(o) {
			continue
		}
		if n++; n > offset && len(list) < limit {
			list = append(list, o)
		}
	}
	sourcetest.WriteJSON(w, map[string]any{name: list, "limit": limit, "offset": offset, "more": n > offset+len(list)})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"Q1","created_at":"2026-11-30T01:50:31Z","status":"resolved","resolve_reason":{"type":"merge_resolve_reason"}}`),
		[]byte(`{"type":"trigger_log_entry","channel":{"details":{"firing":"Labels:\n - alertname = A\nAnnotations:\n"}}}`))
	c := connect(f, nil)
	f.Fuzz(func(t *testing.T, raw, entry []byte) {
		records, err := c.Map(&source.Item{ID: "Q1", Raw: raw, Parts: map[string][]json.RawMessage{"log_entries": {entry}, "alerts": {entry}}})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
