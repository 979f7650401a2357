package statuspage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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

func connect(t testing.TB, transport http.RoundTripper, page string) *Connector {
	c, err := New(Options{Access: sourcetest.Access(transport), PageID: page})
	require.NoError(t, err)
	return c
}

// public reads what anybody can read at an address.
func public(t testing.TB, transport http.RoundTripper) *Connector {
	c, err := New(Options{Access: source.Access{Client: source.ClientOptions{URL: "https://status.example.org", Transport: transport}}})
	require.NoError(t, err)
	return c
}

var (
	from  = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	until = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

// The exchanges of the fixtures make the records that expected.json says.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	c := connect(t, sourcetest.Played(t, dir, "/none", "exchange-*"), "pagexmpl0001")
	got := sourcetest.All(t, c, "statuspage", source.Ask{What: source.Changed, From: from, To: until})
	require.Positive(t, sourcetest.Compare(t, dir, got))
}

// What anybody can read of a page says the same, as far as it goes.
func TestPublic(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sourcetest.Dir(), "statuspage-v2-incidents*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		server := &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "/api/v2/incidents.json", r.URL.RequestURI())
			require.Empty(t, r.Header.Get("Authorization"))
			sourcetest.WriteJSON(w, json.RawMessage(body))
		})}
		c := public(t, server)
		require.False(t, c.Traits().Vanishes, "the last fifty are not all")
		got := sourcetest.All(t, c, "status", source.Ask{What: source.Changed, From: from, To: until})
		var all struct{ Incidents []struct{ ID string } }
		require.NoError(t, json.Unmarshal(body, &all))
		require.Len(t, got, len(all.Incidents))
		for _, in := range all.Incidents {
			require.Contains(t, got[in.ID].Milestones, incident.Detected)
		}
		if sourcetest.Dir() == "testdata" {
			require.Equal(t, "2026-03-02T10:07:00Z", got["pub1"].Milestones[incident.Detected].At.Format(time.RFC3339))
			require.NotContains(t, got["pub1"].Milestones, incident.Started)
		}
	}
}

func at(clock string) string { return "2026-03-02T" + clock + ":00.000-06:00" }

// What a sequence of updates says. Each is "clock status component=status".
func TestUpdates(t *testing.T) {
	for _, x := range []struct {
		name, status string
		updates      []string
		want         string
		impacts      string
	}{
		{
			"one after the other", "resolved",
			[]string{"04:00 investigating a=major_outage", "04:10 identified", "04:30 monitoring a=operational", "04:50 resolved"},
			"started 10:00 detected 10:00 identified 10:10 mitigated 10:30 resolved 10:50", "10:00-10:30",
		},
		{"told late", "resolved", []string{"04:50 resolved"}, "detected 10:50 resolved 10:50", ""},
		{
			"watched twice", "monitoring", []string{"04:00 investigating", "04:20 monitoring", "04:30 monitoring"},
			"detected 10:00 mitigated 10:20", "",
		},
		{
			"it came back", "resolved",
			[]string{"04:00 investigating", "04:20 monitoring", "04:30 investigating", "04:40 monitoring", "04:50 resolved"},
			"detected 10:00 mitigated 10:40 resolved 10:50", "",
		},
		{
			"reopened", "identified", []string{"04:00 investigating", "04:30 resolved", "04:40 identified"}, "detected 10:00 identified 10:40", "",
		},
		{
			"several components", "resolved",
			[]string{"04:00 investigating", "04:05 investigating a=degraded_performance", "04:10 identified b=partial_outage",
				"04:20 identified a=operational",
				"04:30 monitoring b=operational", "04:40 resolved a=major_outage", "04:45 resolved a=operational"},
			"started 10:05 detected 10:00 identified 10:10 mitigated 10:30 resolved 10:40", "10:05-10:30 10:40-10:45",
		},
		{"a component that stays", "investigating", []string{"04:00 investigating a=major_outage"}, "started 10:00 detected 10:00", "10:00-"},
		{"a postmortem", "postmortem", []string{"04:00 investigating", "04:30 resolved", "05:00 postmortem"},
			"detected 10:00 resolved 10:30", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			var updates []map[string]any
			for _, u := range x.updates {
				part := strings.Fields(u)
				o := map[string]any{"status": part[1], "display_at": at(part[0]), "created_at": at("09:00"), "affected_components": nil}
				if len(part) > 2 {
					code, status, _ := strings.Cut(part[2], "=")
					o["affected_components"] = []any{map[string]any{"code": code, "new_status": status}}
				}
				updates = append([]map[string]any{o}, updates...)
			}
			raw, err := json.Marshal(map[string]any{
				"id": "1", "status": x.status, "created_at": at("09:00"), "started_at": at("09:00"), "incident_updates": updates,
			})
			require.NoError(t, err)
			records, err := public(t, nil).Map(&source.Item{ID: "1", Raw: raw})
			require.NoError(t, err)
			var got, impacts []string
			for _, name := range []incident.MilestoneName{incident.Started, incident.Detected, incident.Identified, incident.Mitigated, incident.Resolved} {
				if m, said := records[0].Milestones[name]; said {
					got = append(got, string(name)+" "+m.At.Format("15:04"))
				}
			}
			for _, w := range records[0].Impacts {
				text := w.From.Format("15:04-")
				if !w.To.IsZero() {
					text += w.To.Format("15:04")
				}
				impacts = append(impacts, text)
			}
			require.Equal(t, x.want, strings.Join(got, " "))
			require.Equal(t, x.impacts, strings.Join(impacts, " "))
		})
	}
}

// The list is read as far as it can hold what is asked for, and to its end where it is in another order.
func TestHowFar(t *testing.T) { synctest.Test(t, howFar) }

func howFar(t *testing.T) {
	v := newVendor().(*vendor)
	for i := range 1000 {
		v.Make(i, until.Add(-time.Duration(1000-i)*24*time.Hour))
	}
	// ask says how many requests were made, in thousands, and how many incidents came.
	ask := func(change func(list []map[string]any), a source.Ask) int {
		server := &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { v.serve(w, r, change) })}
		c := connect(t, server, "p")
		items := len(sourcetest.All(t, c, "status", a))
		return items + 1000*len(server.Requests())
	}
	changed := source.Ask{What: source.Changed, From: until.Add(-36 * time.Hour), To: until}
	require.Equal(t, 1000+1, ask(nil, changed), "one page, of which one incident is younger")
	require.Equal(t, 11*1000+1, ask(slices.Reverse, changed), "all pages, and that there are no more")
	require.Equal(t, 3*1000+250, ask(nil, source.Ask{What: source.Listed, From: until.AddDate(0, 0, -250), To: until}))
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	token := func() string { return "t" }
	for want, o := range map[string]Options{
		"token_file: missing; page_id is": {PageID: "p"},
		"page_id: missing; token_file":    {Access: source.Access{Secret: token}},
		"url: missing; write the page's":  {},
		"url: not an http":                {PageID: "p", Access: source.Access{Secret: token, Client: source.ClientOptions{URL: "ftp://x"}}},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, want)
	}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New: func(a source.Access) (source.Connector, error) {
			if a.Secret == nil {
				a.Secret = func() string { return "" }
			}
			return New(Options{Access: a, PageID: "p"})
		},
		Vendor: newVendor,
		Limits: map[time.Duration]func() *http.Response{
			time.Minute: func() *http.Response { return sourcetest.Answer(420, `{"error":"You have exceeded the rate limit"}`) },
		},
		Most: sourcetest.Requests{Thousand: 11, QuietHour: 12 * 11},
	})
}

// vendor is Statuspage as far as it is asked: all incidents, the newest first, in numbered pages.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Title: "name", Updated: "updated_at", New: func(id string, i int, at, end time.Time) map[string]any {
		update := func(status string, at time.Time) any {
			return map[string]any{"status": status, "created_at": sourcetest.Stamp(at), "display_at": sourcetest.Stamp(at),
				"updated_at": sourcetest.Stamp(at)}
		}
		o := map[string]any{
			"id": id, "name": fmt.Sprint("Errors ", i), "status": "investigating", "impact": "minor", "created_at": sourcetest.Stamp(at),
			"updated_at": sourcetest.Stamp(at), "started_at": sourcetest.Stamp(at), "incident_updates": []any{update("investigating", at)},
		}
		if !end.IsZero() {
			o["status"], o["updated_at"], o["resolved_at"] = "resolved", sourcetest.Stamp(end), sourcetest.Stamp(end)
			o["incident_updates"] = []any{update("resolved", end), update("investigating", at)}
		}
		return o
	}}}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) { v.serve(w, r, nil) }

func (v *vendor) serve(w http.ResponseWriter, r *http.Request, change func([]map[string]any)) {
	q := r.URL.Query()
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("limit"))
	list := v.Between("created_at", "", "")
	slices.Reverse(list)
	if change != nil {
		change(list)
	}
	page, _ := sourcetest.Cut(list, max(1, number), size)
	sourcetest.WriteJSON(w, page)
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"1","status":"resolved","created_at":"2026-11-30T01:50:31.123-06:00","components":null,"incident_updates":[{"status":"resolved","display_at":null,
		"affected_components":[{"code":"a","new_status":"major_outage"}]}]}`))
	c := public(f, nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, err := c.Map(&source.Item{ID: "1", Raw: raw})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
