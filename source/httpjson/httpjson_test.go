package httpjson

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/source"
	"meantime/source/sourcetest"
)

const mapping = `{id, title, created_at, updated_at, state: "resolved", milestones: {detected: .created_at}}`

// Every way in which APIs cut their lists into pages passes the suite.
func TestSuite(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Options
		vendor vendor
	}{
		{"the whole list", Options{}, vendor{}},
		{"numbered pages of the whole list", Options{By: "number", Param: "page", Size: 50}, vendor{size: 50}},
		{"offset, of what changed", Options{By: "offset", Param: "skip", SinceParam: "since", SinceFormat: "unix"}, vendor{size: 60}},
		{"cursor, of what changed", Options{By: "cursor", Param: "after", Next: ".next", SinceParam: "since", SinceFormat: "rfc3339"}, vendor{size: 70}},
		{"the header Link", Options{By: "link", SinceParam: "since", SinceFormat: "unix_ms"}, vendor{size: 80}},
		{"an address in the answer", Options{By: "next", Next: ".address", SinceParam: "since", SinceFormat: "date"}, vendor{size: 90}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Suite{
				New: func(a source.Access) (source.Connector, error) {
					o := c.o
					o.Access, o.Items, o.Map, o.Query = a, ".incidents[]", mapping, []string{"order=updated"}
					return New(o)
				},
				Paging: []string{"skip", "at"}, Short: c.o.By != "" && c.o.By != "offset",
				Vendor: func() sourcetest.Vendor {
					v := c.vendor
					v.o = c.o
					return &v
				},
			})
		})
	}
}

// vendor is an API that lists incidents in the order of their last change.
type vendor struct {
	o    Options
	size int // of a page; 0: one page
	all  []*entry
}

type entry struct {
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

func (v *vendor) ID(i int) string { return fmt.Sprintf("I-%05d", i) }

func (v *vendor) Make(i int, at time.Time) {
	v.all = append(v.all, &entry{v.ID(i), fmt.Sprint("Incident ", i), at, at})
}

func (v *vendor) Change(i int, at time.Time, title string) {
	for _, e := range v.all {
		if e.ID == v.ID(i) {
			e.Title, e.Updated = title, at
		}
	}
}

func (v *vendor) Delete(i int) {
	v.all = slices.DeleteFunc(v.all, func(e *entry) bool { return e.ID == v.ID(i) })
}

// since reads a time as the API takes it.
func (v *vendor) since(s string) time.Time {
	n, _ := strconv.ParseInt(s, 10, 64)
	switch v.o.SinceFormat {
	case "unix":
		return time.Unix(n, 0)
	case "unix_ms":
		return time.UnixMilli(n)
	case "date":
		t, _ := time.Parse(time.DateOnly, s)
		return t
	}
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("order") != "updated" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	list := slices.DeleteFunc(slices.Clone(v.all), func(e *entry) bool {
		return v.o.SinceParam != "" && e.Updated.Before(v.since(q.Get(v.o.SinceParam)))
	})
	slices.SortStableFunc(list, func(a, b *entry) int { return a.Updated.Compare(b.Updated) })
	at, _ := strconv.Atoi(q.Get(map[bool]string{true: v.o.Param, false: "at"}[v.o.Param != ""]))
	if v.o.By == "number" {
		at = (at - 1) * v.size
	}
	at = min(max(at, 0), len(list))
	rest := list[at:]
	answer := map[string]any{}
	if v.size > 0 && len(rest) > v.size {
		rest = rest[:v.size]
		answer["next"] = at + v.size
		next := *r.URL
		nq := next.Query()
		nq.Set("at", strconv.Itoa(at+v.size))
		next.RawQuery, next.Scheme, next.Host = nq.Encode(), "https", "vendor.example.org"
		answer["address"] = next.String()
		w.Header().Set("Link", fmt.Sprintf("<https://vendor.example.org/x?page=first>; rel=\"first\", <%s>; rel=\"next\"", next.String()))
	}
	if rest == nil {
		rest = []*entry{}
	}
	answer["incidents"] = rest
	sourcetest.WriteJSON(w, answer)
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	good := Options{Access: source.Access{Client: source.ClientOptions{URL: "https://example.org/x"}}, Items: ".[]", Map: "{id}"}
	_, err := New(good)
	require.NoError(t, err)
	for _, c := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Map = "{id" }, "map: not a jq program: it ends too early, in line 1"},
		{func(o *Options) { o.Items = ".[" }, "items: not a jq program"},
		{func(o *Options) { o.Body = "{" }, "body: not a jq program"},
		{func(o *Options) { o.TokenScheme = "Token" }, "token_scheme: without token_file it has no effect"},
		{func(o *Options) { o.SinceFormat = "iso" }, `since.format: "iso"`},
		{func(o *Options) { o.By = "pages" }, `page.by: "pages"; it is one of none, number, offset, cursor, link, next`},
		{func(o *Options) { o.By = "number" }, "page.param: missing; it is the parameter that carries the number"},
		{func(o *Options) { o.Param = "page" }, "page.param: pages by none carry none"},
		{func(o *Options) { o.By, o.Param = "cursor", "after" }, "next: missing; it is a jq program that finds the next cursor in an answer"},
		{func(o *Options) { o.Next = ".x" }, "next: pages by none do not need it"},
		{func(o *Options) { o.SinceParam, o.SinceFormat = "since", "iso" }, `since.format: "iso"; it is one of rfc3339, unix, unix_ms, date`},
		{func(o *Options) { o.Query = []string{"a"} }, `query[0]: "a"; write name=value`},
		{func(o *Options) { o.Access.Client.URL = "example.org" }, "url: not an http or https address"},
	} {
		o := good
		c.change(&o)
		_, err := New(o)
		require.ErrorContains(t, err, c.want)
	}
}

// Where the configuration has a program for it, something is sent, with whatever led to the next page.
func TestBody(t *testing.T) {
	var got []string
	c, err := New(Options{
		Access: source.Access{
			Secret: func() string { return "t0ken" },
			Client: source.ClientOptions{URL: "https://example.org/x/", Transport: &sourcetest.Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					require.Equal(t, []string{"Token t0ken"}, r.Header["Authorization"])
					b, err := io.ReadAll(r.Body)
					require.NoError(t, err)
					got = append(got, r.Method+" "+r.URL.Path+" "+string(b))
					sourcetest.WriteJSON(w, map[string]any{"i": []any{}, "cursor": map[string]any{"n": 1<<53 + 1, "more": len(got) < 2}})
				}),
			}}},
		Items: ".i[]", Map: "{id}", By: "cursor", Next: "if .cursor.more then .cursor else null end", TokenScheme: "Token",
		Body: "{since, cursor: .next}", SinceFormat: "date",
	})
	require.NoError(t, err)
	require.False(t, c.Traits().Vanishes)
	a := source.Ask{From: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	for range 2 {
		p, err := c.Page(t.Context(), a)
		require.NoError(t, err)
		a.Next = p.Next
	}
	require.Empty(t, a.Next)
	require.Equal(t, []string{
		`POST /x/ {"cursor":null,"since":"2026-03-02"}`, `POST /x/ {"cursor":{"more":true,"n":9007199254740993},"since":"2026-03-02"}`,
	}, got)
}

// A page that leads to another server is not followed: the secret would go there.
func TestAnotherServer(t *testing.T) {
	c, err := New(Options{
		Access: source.Access{Client: source.ClientOptions{URL: "https://example.org/x", Transport: &sourcetest.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				sourcetest.WriteJSON(w, map[string]any{"i": []any{}, "next": "https://evil.example.com/x?a=b"})
			}),
		}}}, Items: ".i[]", Map: "{id}", By: "next", Next: ".next",
	})
	require.NoError(t, err)
	p, err := c.Page(t.Context(), source.Ask{})
	require.NoError(t, err)
	_, err = c.Page(t.Context(), source.Ask{Next: p.Next})
	require.ErrorContains(t, err, "names another server, https://evil.example.com")
	require.False(t, strings.Contains(err.Error(), "a=b"))
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"id":"1","created_at":"2026-11-30T01:50:31Z"}`))
	c, err := New(Options{Access: source.Access{Client: source.ClientOptions{URL: "https://example.org/x"}}, Items: ".[]", Map: mapping})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, err := c.Map(&source.Item{Raw: raw})
		if err == nil && len(records) > 0 {
			require.NoError(t, records[0].Validate())
		}
	})
}
