package opsgenie

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

func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	c, err := New(Options{Access: source.Access{
		Client: source.ClientOptions{Transport: &sourcetest.Server{Handler: sourcetest.NewReplay(t, dir, "exchange-alerts"), Secret: "GenieKey k"}},
		Secret: func() string { return "k" },
	}})
	require.NoError(t, err)
	got := sourcetest.All(t, c, "opsgenie", source.Ask{What: source.Changed, From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	require.Positive(t, sourcetest.Compare(t, dir, got))
}

// An incident's impact counts where somebody stated it; its end is that of its timeline.
func TestIncidents(t *testing.T) {
	c, err := New(Options{Read: "incidents"})
	require.NoError(t, err)
	for _, x := range []struct {
		raw, timeline string
		want          map[incident.MilestoneName]string
	}{
		{
			`{"id":"i","status":"open","createdAt":"2026-03-02T10:00:00Z","impactStartDate":"2026-03-02T10:00:00.4Z"}`, `{}`,
			map[incident.MilestoneName]string{"detected": "10:00"},
		},
		{
			`{"id":"i","status":"resolved","createdAt":"2026-03-02T10:00:00Z","impactStartDate":"2026-03-02T09:00:00Z","impactEndDate":"2026-03-02T10:30:00Z"}`,
			`{"type":"IncidentResolved","eventTime":"2026-03-02T11:00:00Z"}`,
			map[incident.MilestoneName]string{"started": "09:00", "detected": "10:00", "mitigated": "10:30", "resolved": "11:00"},
		},
	} {
		got, err := c.Map(&source.Item{ID: "i", Raw: []byte(x.raw), Parts: map[string][]json.RawMessage{"timeline": {[]byte(x.timeline)}}})
		require.NoError(t, err)
		said := map[incident.MilestoneName]string{}
		for name, s := range got[0].Milestones {
			said[name] = s.At.Format("15:04")
		}
		require.Equal(t, x.want, said)
	}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: a}) },
		Vendor: func() sourcetest.Vendor { return &vendor{} },
		Limits: map[time.Duration]func() *http.Response{
			time.Minute: func() *http.Response {
				return sourcetest.Answer(429, `{}`, "X-RateLimit-State", "THROTTLED", "X-RateLimit-Period-In-Sec", "60")
			},
		},
	})
}

// vendor is Opsgenie as far as it is asked.
type vendor struct{ alerts []map[string]any }

func (v *vendor) ID(i int) string { return fmt.Sprintf("og-%05d", i) }

func (v *vendor) Make(i int, at time.Time) {
	v.alerts = append(v.alerts, map[string]any{
		"id": v.ID(i), "message": fmt.Sprint("Alert ", i), "status": "open", "createdAt": at.UTC().Format(time.RFC3339), "updatedAt": at.UTC().Format(time.RFC3339),
	})
}

func (v *vendor) Change(i int, at time.Time, title string) {
	for _, a := range v.alerts {
		if a["id"] == v.ID(i) {
			a["message"], a["updatedAt"] = title, at.UTC().Format(time.RFC3339)
		}
	}
}

func (v *vendor) Delete(i int) {
	v.alerts = slices.DeleteFunc(v.alerts, func(a map[string]any) bool { return a["id"] == v.ID(i) })
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	offset, _ := strconv.Atoi(q.Get("offset"))
	if offset+limit > maxOffset {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	fits := func(a map[string]any) bool {
		for part := range strings.SplitSeq(q.Get("query"), " AND ") {
			words := strings.Fields(part)
			at, _ := time.Parse(time.RFC3339, a[words[0]].(string))
			ms, _ := strconv.ParseInt(words[2], 10, 64)
			if (words[1] == ">" && at.UnixMilli() <= ms) || (words[1] == "<" && at.UnixMilli() >= ms) {
				return false
			}
		}
		return true
	}
	list := slices.DeleteFunc(slices.Clone(v.alerts), func(a map[string]any) bool { return !fits(a) })
	slices.SortStableFunc(list, func(a, b map[string]any) int {
		c := strings.Compare(a[q.Get("sort")].(string), b[q.Get("sort")].(string))
		if q.Get("order") == "desc" {
			return -c
		}
		return c
	})
	list = list[min(offset, len(list)):]
	list = list[:min(limit, len(list))]
	sourcetest.WriteJSON(w, map[string]any{"data": list})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"o","alias":"a","createdAt":"2026-03-02T10:00:00Z","report":{"ackTime":1}}`), true)
	f.Fuzz(func(t *testing.T, raw []byte, incidents bool) {
		c := &Connector{incidents: incidents}
		_, _ = c.Map(&source.Item{ID: "o", Raw: raw, Parts: map[string][]json.RawMessage{"timeline": {raw}}})
	})
}
