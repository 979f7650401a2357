package sourcetest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
)

// fixtures has the tests of a connector read another folder than its testdata, such as one with answers of a real vendor.
var fixtures = flag.String("fixtures", "",
	"folder with exchange-*.json, expected.json and webhook-vectors.json to test the connector with, instead of testdata")

// Dir is the folder of a connector's fixtures.
func Dir() string {
	if *fixtures != "" {
		return *fixtures
	}
	return "testdata"
}

// Exchange is one request with its answer, as the files exchange-*.json have them in a list.
type Exchange struct {
	Request struct {
		Method string
		URL    string
		Body   json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

// turning are the parameters that lead from page to page: they must be the same, where the others only should.
var turning = []string{"offset", "page", "page[number]", "after", "nextPageToken", "startAt", "cursor", "sysparm_offset", "skip"}

// Replay answers requests from exchanges. One that is in none fails the test.
type Replay struct {
	T         testing.TB
	Exchanges []Exchange
	// Else answers what is in no exchange; it may be nil, and may say that it cannot.
	Else func(w http.ResponseWriter, r *http.Request) bool

	mu     sync.Mutex
	played map[int]bool
}

// NewReplay reads the named files of a folder, without the ending; a name may be a pattern.
func NewReplay(t testing.TB, dir string, names ...string) *Replay {
	t.Helper()
	p := &Replay{T: t, played: map[int]bool{}}
	for _, name := range names {
		files, err := filepath.Glob(filepath.Join(dir, name+".json"))
		require.NoError(t, err)
		require.NotEmpty(t, files, "%s in %s", name, dir)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			var list []Exchange
			require.NoError(t, json.Unmarshal(b, &list), f)
			p.Exchanges = append(p.Exchanges, list...)
		}
	}
	return p
}

// Played is a server that answers with the named exchanges of a folder. What is asked of one incident and is in none of them,
// below an address that ends so, is not there.
func Played(t testing.TB, dir, missing string, names ...string) *Server {
	replay := NewReplay(t, dir, names...)
	replay.Else = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusNotFound)
		return strings.HasSuffix(r.URL.Path, missing)
	}
	return &Server{Handler: replay, Secret: playedToken}
}

// ServeHTTP answers with the exchange that fits best: of the same method and path and the same page, with the most other
// parameters in common. Refusals are played only where there is nothing else.
func (p *Replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	best, score := -1, -1
	for i := range p.Exchanges {
		if s := p.fits(i, r); s > score {
			best, score = i, s
		}
	}
	if best < 0 {
		if p.Else == nil || !p.Else(w, r) {
			p.T.Errorf("no exchange for %s %s", r.Method, r.URL.RequestURI())
			w.WriteHeader(http.StatusTeapot)
		}
		return
	}
	p.mu.Lock()
	p.played[best] = true
	p.mu.Unlock()
	e := p.Exchanges[best].Response
	for name, value := range e.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(e.Body)
}

func (p *Replay) fits(i int, r *http.Request) int {
	e := p.Exchanges[i]
	u, err := url.Parse(e.Request.URL)
	require.NoError(p.T, err)
	if method := e.Request.Method; method != "" && method != r.Method {
		return -1
	}
	if u.Path != r.URL.Path {
		return -1
	}
	want, got := u.Query(), r.URL.Query()
	for _, name := range turning {
		if pageOf(want.Get(name)) != pageOf(got.Get(name)) {
			return -1
		}
	}
	score := 1
	if r.Method == http.MethodPost && len(e.Request.Body) > 0 && sameJSON(e.Request.Body, p.sent(r)) {
		score += 500
	}
	for name, values := range got {
		if slices.Equal(want[name], values) {
			score += 2
		}
	}
	if e.Response.Status < 300 {
		score += 1000
	} else if e.Response.Status != http.StatusNotFound && e.Response.Status != http.StatusGone {
		return -1
	}
	return score
}

// sent is the body of a request, which can be read again.
func (p *Replay) sent(r *http.Request) []byte {
	b, err := io.ReadAll(r.Body)
	require.NoError(p.T, err)
	r.Body = io.NopCloser(bytes.NewReader(b))
	return b
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// pageOf makes the first page the same however it is written.
func pageOf(s string) string {
	if s == "0" || s == "1" {
		return ""
	}
	return s
}

// All reads every page of a question and maps every item, as a Poller would.
func All(t testing.TB, c source.Connector, name string, a source.Ask) map[string]incident.Record {
	t.Helper()
	out := map[string]incident.Record{}
	for range 1000 {
		page, err := c.Page(t.Context(), a)
		require.NoError(t, err)
		for i := range page.Items {
			it := &page.Items[i]
			it.Source = name
			records, err := c.Map(it)
			require.NoError(t, err, it.ID)
			for _, r := range records {
				r.Source = name
				if r.ID == "" {
					r.ID = it.ID
				}
				r.Fit()
				r.Normalize()
				require.NoError(t, r.Validate(), r.ID)
				out[r.ID] = r
			}
		}
		if a.Next = page.Next; a.Next == "" {
			return out
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

// Expected is what expected.json says of one record. What it leaves out is not compared.
type Expected struct {
	Kind             incident.Kind
	State            incident.State
	Services         []string
	Severity         string
	Milestones       map[incident.MilestoneName]time.Time
	AbsentMilestones []incident.MilestoneName `json:"absent_milestones"`
	Impacts          []struct{ From, To time.Time }
	Alerts           []incident.EpisodeKey
	Groups           []incident.GroupRef
	Fingerprints     []string
	Related          []incident.Related
	KeysNotHash      []string `json:"keys_not_hash"`
}

// Compare compares records with expected.json of a folder, as far as that speaks of them. It says of how many it does.
func Compare(t testing.TB, dir string, got map[string]incident.Record) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	require.NoError(t, err)
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(b, &all))
	n := 0
	for id, raw := range all {
		if id == "absent" {
			var ids []string
			require.NoError(t, json.Unmarshal(raw, &ids))
			for _, id := range ids {
				require.NotContains(t, got, id)
			}
			continue
		}
		var want Expected
		require.NoError(t, json.Unmarshal(raw, &want), id)
		r, ok := got[id]
		require.True(t, ok, "%s is not among %v", id, slices.Sorted(maps.Keys(got)))
		want.compare(t, id, &r)
		n++
	}
	return n
}

func (want *Expected) compare(t testing.TB, id string, r *incident.Record) {
	t.Helper()
	if want.State != "" {
		require.Equal(t, want.State, r.State, "%s: state", id)
	}
	if want.Kind != "" {
		require.Equal(t, want.Kind, r.Kind, "%s: kind", id)
	}
	if want.Services != nil {
		require.Equal(t, want.Services, r.Services, "%s: services", id)
	}
	if want.Severity != "" {
		require.Equal(t, want.Severity, r.Severity, "%s: severity", id)
	}
	if want.Milestones != nil {
		got := map[incident.MilestoneName]time.Time{}
		for name, s := range r.Milestones {
			got[name] = s.At
			require.NotEmpty(t, s.Evidence, "%s: evidence of %s", id, name)
		}
		require.Equal(t, want.Milestones, got, "%s: milestones", id)
	}
	for _, name := range want.AbsentMilestones {
		require.NotContains(t, r.Milestones, name, "%s: milestones", id)
	}
	if want.Impacts != nil {
		var got []struct{ From, To time.Time }
		for _, w := range r.Impacts {
			got = append(got, struct{ From, To time.Time }{w.From, w.To})
		}
		require.Equal(t, want.Impacts, got, "%s: impacts", id)
	}
	if want.Alerts != nil {
		require.Equal(t, want.Alerts, r.References.Alerts, "%s: alerts", id)
	}
	if want.Groups != nil {
		require.Equal(t, want.Groups, r.References.Groups, "%s: groups", id)
	}
	for _, f := range want.Fingerprints {
		known := slices.Contains(r.References.Fingerprints, f) ||
			slices.ContainsFunc(r.References.Alerts, func(k incident.EpisodeKey) bool { return k.Fingerprint == f })
		require.True(t, known, "%s: fingerprint %s is not in %+v", id, f, r.References)
	}
	if want.Related != nil {
		require.Equal(t, want.Related, r.Related, "%s: related", id)
	}
	for _, k := range want.KeysNotHash {
		require.Contains(t, r.References.Keys, r.Source+"/"+k, "%s: keys", id)
		require.NotContains(t, fmt.Sprint(r.References.Groups), k, "%s: groups", id)
	}
	for _, word := range []string{"Responder", "@example.com"} {
		b, err := json.Marshal(r)
		require.NoError(t, err)
		require.False(t, strings.Contains(string(b), word), "%s names a person: %s", id, b)
	}
}

// Vector is one delivery of a vendor's webhook, as webhook-vectors.json has them in a list.
type Vector struct {
	Name    string
	Secret  string
	Headers map[string]string
	Body    string
	Valid   bool
	Now     int64 `json:"now_unix"` // 0: any
}

// Vectors reads webhook-vectors.json of a folder.
func Vectors(t testing.TB, dir string) []Vector {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "webhook-vectors.json"))
	require.NoError(t, err)
	var out []Vector
	require.NoError(t, json.Unmarshal(b, &out))
	return out
}
