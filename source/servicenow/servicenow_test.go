package servicenow

import (
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

func connect(t testing.TB, transport http.RoundTripper, o Options) *Connector {
	o.Access = reached(sourcetest.Access(transport))
	c, err := New(o)
	require.NoError(t, err)
	return c
}

func reached(a source.Access) source.Access {
	a.Client.URL, a.User = "https://example.service-now.com", "meantime"
	return a
}

// The exchanges of the fixtures make the records that expected.json says. A short or empty page is not the end, nor is an address
// followed that the instance believes to have.
func TestFixtures(t *testing.T) {
	dir := sourcetest.Dir()
	o := Options{Fields: []string{"mitigated=u_fixed", "acknowledged=u_seen", "other=u_team"}}
	c := connect(t, sourcetest.Played(t, dir, "-", "exchange-incidents*"), o)
	from := time.Date(2016, 12, 1, 0, 0, 0, 0, time.UTC)
	got := sourcetest.All(t, c, "servicenow", source.Ask{What: source.Changed, From: from})
	require.Positive(t, sourcetest.Compare(t, dir, got))
	if dir == "testdata" {
		r := got["a1"]
		require.Equal(t, []string{"https://example.pagerduty.com/incidents/Q1"}, r.References.URLs)
		require.Len(t, r.References.Fingerprints, 1)
		require.Equal(t, "https://example.service-now.com/incident.do?sys_id=a1", r.URL)
		require.Equal(t, "INC1", r.Labels["key"])
		require.Empty(t, got["a2"].Services, "an id is no name of a service")
	}
}

// What is asked for: times as text in UTC, after the conditions of the configuration, with the columns that it names.
func TestQuery(t *testing.T) {
	var got []string
	c := connect(t, &sourcetest.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		got = append(got, q.Get("sysparm_query"))
		require.Contains(t, strings.Split(q.Get("sysparm_fields"), ","), "u_team")
		sourcetest.WriteJSON(w, map[string]any{"result": []any{}})
	})}, Options{Query: "active=true^ORactive=false", Fields: []string{"other=u_team"}})
	from := time.Date(2026, 3, 2, 10, 0, 0, 0, time.FixedZone("", 3600))
	for _, what := range []source.What{source.Changed, source.Made} {
		_, err := c.Page(t.Context(), source.Ask{What: what, From: from, To: from.Add(time.Hour)})
		require.NoError(t, err)
	}
	require.Equal(t, []string{
		"active=true^ORactive=false^sys_updated_on>=2026-03-02 09:00:00^ORDERBYsys_updated_on^ORDERBYsys_id",
		"active=true^ORactive=false^sys_created_on>=2026-03-02 09:00:00^sys_created_on<2026-03-02 10:00:00^ORDERBYsys_created_on^ORDERBYsys_id",
	}, got)
}

// A column of one's own that says when an incident was over says nothing of one that was opened again.
func TestReopened(t *testing.T) {
	c := connect(t, nil, Options{Fields: []string{"resolved=u_over", "mitigated=u_fixed"}})
	for state, want := range map[string]bool{"2": false, "6": true, "7": true} {
		it := source.Item{ID: "a", Raw: []byte(`{"sys_id":"a","state":"` + state + `","opened_at":"2026-03-02 10:00:00",` +
			`"resolved_at":"2026-03-02 12:00:00","u_over":"2026-03-02 11:00:00","u_fixed":"2026-03-02 10:30:00"}`)}
		records, err := c.Map(&it)
		require.NoError(t, err)
		m, said := records[0].Milestones[incident.Resolved]
		require.Equal(t, want, said, state)
		require.True(t, !said || m.At.Hour() == 11, "a column of one's own stands above resolved_at")
		require.Contains(t, records[0].Milestones, incident.Mitigated)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	_, err := New(Options{Query: "active=true^NQactive=false^ORDERBYnumber", Fields: []string{"seen=u_seen"}})
	for _, want := range []string{
		"encoded_query: has ^NQ; write conditions alone", "encoded_query: has ORDERBY", `fields[0]: "seen" is no milestone; it is one of`, "url: not an http or https address",
	} {
		require.ErrorContains(t, err, want)
	}
	c := connect(t, nil, Options{})
	for raw, want := range map[string]string{
		`{"sys_id":"1","opened_at":"soon"}`: `opened_at: not a time: "soon"`, `{"sys_id":7}`: "not what ServiceNow documents: 7",
	} {
		_, err := c.Map(&source.Item{Raw: []byte(raw)})
		require.ErrorContains(t, err, want)
	}
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Suite{
		New:    func(a source.Access) (source.Connector, error) { return New(Options{Access: reached(a)}) },
		Vendor: newVendor,
		Limits: map[time.Duration]func() *http.Response{
			30 * time.Minute: func() *http.Response {
				return sourcetest.Answer(429, `{"error":{"message":"Rate limit exceeded"}}`, "Retry-After", "1800", "X-RateLimit-Reset", "1")
			},
		},
	})
}

// vendor is ServiceNow as far as it is asked: rows by a time, in pages by offset, of which the header tells the next.
type vendor struct{ sourcetest.Shelf }

func newVendor() sourcetest.Vendor {
	return &vendor{sourcetest.Shelf{Title: "short_description", Updated: "sys_updated_on",
		New: func(id string, i int, at, end time.Time) map[string]any {
			row := map[string]any{
				"id": id, "sys_id": id, "number": fmt.Sprint("INC", i), "short_description": fmt.Sprint("Errors ", i), "state": "2",
				"opened_at":      sourcetest.Stamp(at),
				"sys_created_on": sourcetest.Stamp(at), "sys_updated_on": sourcetest.Stamp(at),
			}
			if !end.IsZero() {
				row["state"], row["resolved_at"], row["sys_updated_on"] = "6", sourcetest.Stamp(end), sourcetest.Stamp(end)
			}
			return row
		}}}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	stamp := func(s string) string {
		t, _ := time.Parse(timeLayout, s)
		return sourcetest.Stamp(t)
	}
	by, from, to := "", "", ""
	for _, condition := range strings.Split(q.Get("sysparm_query"), "^") {
		if column, at, ok := strings.Cut(condition, ">="); ok {
			by, from = column, stamp(at)
		} else if _, at, ok := strings.Cut(condition, "<"); ok {
			to = stamp(at)
		}
	}
	list := v.Between(by, from, to)
	offset, _ := strconv.Atoi(q.Get("sysparm_offset"))
	size, _ := strconv.Atoi(q.Get("sysparm_limit"))
	rest := list[min(offset, len(list)):]
	if len(rest) > size {
		rest = rest[:size]
		w.Header().Set("Link", fmt.Sprintf("<https://inside.example.org/api/now/table/incident?sysparm_offset=%d>;rel=\"next\"", offset+size))
	}
	rows := []map[string]any{}
	for _, o := range rest {
		row := map[string]any{}
		for column, v := range o {
			text := v.(string)
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				text = t.Format(timeLayout)
			}
			row[column] = map[string]any{"value": text, "display_value": text}
		}
		rows = append(rows, row)
	}
	sourcetest.WriteJSON(w, map[string]any{"result": rows})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"sys_id":{"value":"1"},"opened_at":"2026-11-30 01:50:31","state":"6","description":"Labels:\n - alertname = A\n"}`))
	c := connect(f, nil, Options{Fields: []string{"started=u_began", "service=u_x", "severity=u_s"}})
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, err := c.Map(&source.Item{ID: "1", Raw: raw})
		if err == nil {
			require.Len(t, records, 1)
		}
	})
}
