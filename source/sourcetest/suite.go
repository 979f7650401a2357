package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
	"meantime/source/jq"
)

// Vendor is a fake of a vendor's API with incidents that a test makes. It answers as the vendor does: pages, filters, limits of
// size. Its answers need no more than the connector asks for.
type Vendor interface {
	http.Handler
	// Make makes incident i, at a time; ID is its id there, the same as its record's.
	Make(i int, at time.Time)
	ID(i int) string
	// Change changes what incident i says, such as its title.
	Change(i int, at time.Time, title string)
	// Delete takes incident i away.
	Delete(i int)
}

// Suite is what every connector must pass.
type Suite struct {
	// New makes the connector.
	New func(source.Access) (source.Connector, error)
	// Vendor makes a fake vendor without incidents.
	Vendor func() Vendor
	// Limits are answers by which the vendor asks to be left alone, each with for how long; nil: 429 with Retry-After.
	Limits map[time.Duration]func() *http.Response
	// Paging are the parameters that lead from page to page, beside the usual ones.
	Paging []string
	// Most are the requests that reading may cost; zero: they are not counted.
	Most Requests
	// Short leaves out limits and faults: for another way to the same API.
	Short bool
}

// incidents is how many incidents the test of reading has: more of them tell what reading costs.
var incidents = flag.Int("incidents", suiteCount,
	"incidents in the suite's test of reading the past, which logs the requests that it needed")

// Requests are how many requests reading costs.
type Requests struct {
	// Thousand is for the past of a thousand incidents, QuietHour for an hour in which nothing happens.
	Thousand, QuietHour int
}

const (
	suiteName   = "vendor"
	suiteSecret = "s3cr3t-of-the-vendor"
	suiteCount  = 230 // more than two pages of a hundred
	// suiteInterval is longer than usual, because hours pass in some tests.
	suiteInterval = 15 * time.Minute
)

// world is one vendor with the source that reads it.
type world struct {
	t      *testing.T
	suite  *Suite
	vendor Vendor
	server *Server
	store  *Store
	log    *logged
	poller *source.Poller
	onlyer func(*source.PollerOptions)
}

// logged is what was logged, also while the source runs on.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String is all of it so far.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (s *Suite) world(t *testing.T, n int) *world {
	w := &world{t: t, suite: s, vendor: s.Vendor(), store: NewStore(), log: &logged{}}
	w.server = &Server{Handler: w.vendor, Secret: suiteSecret}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when every bubble begins
	for i := range n {
		w.vendor.Make(i, now.Add(-2*time.Hour-time.Duration(n-1-i)*5*time.Minute))
	}
	w.open()
	return w
}

// open makes the source anew, as after a restart.
func (w *world) open() {
	c, err := w.suite.New(source.Access{
		Client: source.ClientOptions{URL: "https://vendor.example.org", Transport: w.server, MaxAnswer: 1 << 20},
		User:   "bot", Secret: func() string { return suiteSecret },
	})
	require.NoError(w.t, err)
	o := source.PollerOptions{
		Name: suiteName, Kind: "vendor https://vendor.example.org", Connector: c, Store: w.store,
		Backfill: 30 * 24 * time.Hour, Logger: slog.New(slog.NewTextHandler(w.log, nil)), Private: true,
	}
	if w.onlyer != nil {
		w.onlyer(&o)
	}
	w.poller = source.NewPoller(o)
}

// poll polls until there is nothing more to do at once, as the Runner does, and gives the last error.
func (w *world) poll() error {
	w.t.Helper()
	for range 500 {
		ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
		err := w.poller.Poll(ctx)
		cancel()
		var again *source.Again
		if !errors.As(err, &again) {
			return err
		}
		time.Sleep(max(again.After, 10*time.Millisecond))
	}
	w.t.Fatal("the poll does not end")
	return nil
}

// all says whether every incident up to n is stored and none besides.
func (w *world) all(n int) {
	w.t.Helper()
	require.Empty(w.t, w.poller.Notes())
	got := w.store.Said()
	var lost []string
	for i := range n {
		if got[w.vendor.ID(i)] == "" {
			lost = append(lost, w.vendor.ID(i))
		}
	}
	require.Empty(w.t, lost, "lost")
	require.Len(w.t, got, n)
}

func (w *world) title(i int) string {
	r, err := w.store.Record(w.t.Context(), incident.RecordKey{Source: suiteName, ID: w.vendor.ID(i)})
	require.NoError(w.t, err)
	return r.Title
}

// Run runs the suite. Every test has a clock of its own, so that waiting takes no time.
func Run(t *testing.T, s Suite) {
	if s.Limits == nil {
		s.Limits = map[time.Duration]func() *http.Response{
			90 * time.Second: func() *http.Response { return Answer(429, `{"error":"slow down"}`, "Retry-After", "90") },
		}
	}
	in := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
	in("reads the past and what changes", s.reads)
	in("a crash after every request", s.crash)
	in("a list that grows while it is read", s.grows)
	in("refused", s.refused)
	in("what is deleted", s.deleted)
	in("what is left out", s.leftOut)
	if s.Most != (Requests{}) {
		in("counted requests", s.counted)
	}
	if s.Short {
		return
	}
	in("asked to be left alone", s.limits)
	for _, f := range s.faults() {
		in("fault: "+f.name, func(t *testing.T) { s.fault(t, f) })
	}
}

func (s *Suite) reads(t *testing.T) {
	n := *incidents
	w := s.world(t, n)
	require.NoError(t, w.poll())
	w.all(n)
	requests, written := len(w.server.Requests()), w.store.Written()
	require.Equal(t, n, written, "every record is written once")
	t.Logf("%d incidents were read with %d requests", n, requests)

	// Nothing changes: nothing is written, and little is asked.
	time.Sleep(time.Hour)
	require.NoError(t, w.poll())
	requests = len(w.server.Requests())
	for range 12 {
		time.Sleep(5 * time.Minute)
		require.NoError(t, w.poll())
	}
	require.Equal(t, written, w.store.Written(), "the same is written again")
	t.Logf("%d requests in a quiet hour", len(w.server.Requests())-requests)

	// What changes and what is new comes with the next poll; a restart forgets nothing.
	w.vendor.Change(3, time.Now(), "changed")
	w.vendor.Make(n, time.Now().Add(-time.Second))
	time.Sleep(10 * time.Second)
	require.NoError(t, w.poll())
	w.all(n + 1)
	require.Equal(t, "changed", w.title(3))
	w.open()
	w.vendor.Change(4, time.Now(), "changed as well")
	time.Sleep(10 * time.Second)
	require.NoError(t, w.poll())
	require.Equal(t, "changed as well", w.title(4))

	// Another mapping makes other records of what is read again; another address makes all new.
	before := w.store.Written()
	w.onlyer = func(o *source.PollerOptions) {
		o.Kind = "vendor https://other.example.org"
		program, err := jq.New(`.labels.team = "pay"`)
		require.NoError(t, err)
		o.Map = program
	}
	w.open()
	require.NoError(t, w.poll())
	require.Equal(t, n+1, w.store.Written()-before, "another mapping is stored although the vendor moved no time")
}

// counted counts the requests for a thousand incidents of the past, and those of a quiet hour.
func (s *Suite) counted(t *testing.T) {
	w := s.world(t, 1000)
	require.NoError(t, w.poll())
	w.all(1000)
	got := Requests{Thousand: len(w.server.Requests())}
	time.Sleep(3 * time.Hour)
	require.NoError(t, w.poll()) // what changed last is far behind from here on
	before := len(w.server.Requests())
	r := source.NewRunner(source.Options{})
	require.NoError(t, r.Reload([]source.Job{{Source: w.poller, Interval: 5 * time.Minute, Timeout: 2 * time.Minute}}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Second)
	defer cancel()
	r.Run(ctx)
	got.QuietHour = len(w.server.Requests()) - before
	t.Logf("%d requests for a thousand incidents, %d in a quiet hour", got.Thousand, got.QuietHour)
	require.LessOrEqual(t, got.Thousand, s.Most.Thousand)
	require.LessOrEqual(t, got.QuietHour, s.Most.QuietHour)
}

// A crash after every request loses no record, and what comes after asks for no page again but the one that was not stored.
func (s *Suite) crash(t *testing.T) {
	whole := s.world(t, suiteCount)
	require.NoError(t, whole.poll())
	want := whole.store.Said()
	n := len(whole.server.Requests())
	for at := 1; at < n; at += 1 + n/12 {
		w := s.world(t, suiteCount)
		ctx, cancel := context.WithCancel(t.Context())
		w.server.Fault = func(i int, _ *http.Request) *http.Response {
			if i == at {
				cancel()
				return Answer(502, "")
			}
			return nil
		}
		var again *source.Again
		for ctx.Err() == nil {
			if err := w.poller.Poll(ctx); err == nil || (!errors.As(err, &again) && ctx.Err() == nil) {
				break
			}
		}
		cancel()
		asked, written := len(w.server.Requests()), w.store.Written()
		w.server.Fault = nil
		w.open()
		require.NoError(t, w.poll())
		got := w.store.Said()
		for id, said := range want {
			require.Equal(t, said, got[id], "%s after a crash at request %d", id, at)
		}
		require.Len(t, got, len(want))
		require.Equal(t, suiteCount, w.store.Written(), "after a crash at request %d, when %d were written", at, written)
		// One page again, with all it needs; a page is a hundred incidents with a handful of requests each at most.
		require.Less(t, len(w.server.Requests())-asked, n-asked+n/2+120, "after a crash at request %d of %d", at, n)
	}
}

func (s *Suite) grows(t *testing.T) {
	w := s.world(t, suiteCount)
	made := suiteCount
	w.server.Fault = func(i int, _ *http.Request) *http.Response {
		if i%3 == 2 && made < suiteCount+20 {
			w.vendor.Make(made, time.Now().Add(-time.Second))
			w.vendor.Change(made%7, time.Now(), fmt.Sprint("changed ", made))
			made++
		}
		return nil
	}
	require.NoError(t, w.poll())
	w.server.Fault = nil
	for range 4 {
		time.Sleep(5 * time.Minute)
		require.NoError(t, w.poll())
	}
	w.all(made)
}

func (s *Suite) limits(t *testing.T) {
	for _, d := range slices.Sorted(maps.Keys(s.Limits)) {
		w := s.world(t, suiteCount)
		var since time.Time
		w.server.Fault = func(i int, _ *http.Request) *http.Response {
			if i < 2 {
				return nil
			}
			if since.IsZero() {
				since = time.Now()
			}
			if left := d - time.Since(since); left > 0 {
				require.Equal(t, d, left, "asked again before the time was over")
				return s.Limits[d]()
			}
			return nil
		}
		r := source.NewRunner(source.Options{})
		require.NoError(t, r.Reload([]source.Job{{Source: w.poller, Interval: suiteInterval, Timeout: 2 * time.Minute}}))
		ctx, cancel := context.WithCancel(t.Context())
		go r.Run(ctx)
		time.Sleep(d + time.Hour)
		synctest.Wait()
		status := r.Status()[0]
		require.True(t, status.Up, status.Err)
		cancel()
		synctest.Wait()
		w.all(suiteCount)
	}
}

func (s *Suite) refused(t *testing.T) {
	for _, status := range []int{401, 403} {
		w := s.world(t, 3)
		w.server.Fault = func(int, *http.Request) *http.Response {
			return Answer(status, `{"message":"the token `+suiteSecret+` is not good"}`)
		}
		err := w.poll()
		require.ErrorContains(t, err, fmt.Sprint("answered ", status))
		require.NotContains(t, err.Error()+w.log.String(), suiteSecret)
		require.Len(t, w.server.Requests(), 1, "it is not tried again within a poll")
		w.server.Fault = nil
		require.NoError(t, w.poll())
		w.all(3)
	}
}

func (s *Suite) deleted(t *testing.T) {
	w := s.world(t, 30)
	require.NoError(t, w.poll())
	w.all(30)
	vanishes := func() bool {
		c, err := s.New(source.Access{Client: source.ClientOptions{URL: "https://vendor.example.org"}})
		require.NoError(t, err)
		return c.Traits().Vanishes
	}()
	if !vanishes {
		t.Log("incidents of this vendor do not vanish")
		return
	}
	day := func() error {
		time.Sleep(24*time.Hour + time.Minute)
		return w.poll()
	}
	w.vendor.Delete(5)
	require.NoError(t, day())
	require.NotEqual(t, "withdrawn", w.store.Said()[w.vendor.ID(5)], "missing once")
	require.NoError(t, day())
	require.Equal(t, "withdrawn", w.store.Said()[w.vendor.ID(5)], "missing twice")
	require.NotEqual(t, "withdrawn", w.store.Said()[w.vendor.ID(6)])

	// Most at once are no deletion.
	for i := 6; i < 26; i++ {
		w.vendor.Delete(i)
	}
	require.ErrorContains(t, day(), "are listed no more")
	require.ErrorContains(t, day(), "are listed no more")
	require.NotEqual(t, "withdrawn", w.store.Said()[w.vendor.ID(6)])
}

// The condition and the mapping of the configuration.
func (s *Suite) leftOut(t *testing.T) {
	w := s.world(t, 3)
	w.onlyer = func(o *source.PollerOptions) {
		var err error
		o.Only, err = jq.New(`tostring | contains("left out") | not`)
		require.NoError(t, err)
		o.Map, err = jq.New(`.labels.team = "pay"`)
		require.NoError(t, err)
	}
	w.vendor.Change(1, time.Now().Add(-time.Minute), "left out")
	w.open()
	require.NoError(t, w.poll())
	require.Len(t, w.store.Said(), 2)
	require.Contains(t, w.store.Said()[w.vendor.ID(0)], `"team":"pay"`)
	// One that no longer fits is withdrawn, and comes back.
	w.vendor.Change(0, time.Now(), "left out")
	time.Sleep(10 * time.Second)
	require.NoError(t, w.poll())
	require.Equal(t, "withdrawn", w.store.Said()[w.vendor.ID(0)])
	w.vendor.Change(0, time.Now(), "in again")
	time.Sleep(10 * time.Second)
	require.NoError(t, w.poll())
	require.Equal(t, "in again", w.title(0))
}

// fault is something that a vendor may answer, for a while.
type fault struct {
	name  string
	for_  time.Duration
	says  string // what the error must say; empty: the source counts as up
	reply func(n int, r *http.Request) *http.Response
}

func (s *Suite) faults() []fault {
	return []fault{
		{"an answer that never comes", 40 * time.Minute, "", func(int, *http.Request) *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &Slow{}, ContentLength: -1}
		}},
		{"errors", 40 * time.Minute, "answered 500", func(int, *http.Request) *http.Response { return Answer(500, `{"error":"oops"}`) }},
		{"a gateway's page", 40 * time.Minute, "answered 502", func(int, *http.Request) *http.Response {
			return Answer(502, "<html>bad gateway</html>", "Content-Type", "text/html")
		}},
		{"HTML", 40 * time.Minute, "answered HTML, not JSON", func(int, *http.Request) *http.Response {
			return Answer(200, "<!doctype html><title>Log in</title>", "Content-Type", "text/html")
		}},
		{"other JSON", 40 * time.Minute, "the answer", func(int, *http.Request) *http.Response { return Answer(200, `{"hello":"world"}`) }},
		{"half an answer", 40 * time.Minute, "", func(int, *http.Request) *http.Response { return Answer(200, `{"incidents":[{"id":"1`) }},
		{"500 MB", 40 * time.Minute, "larger than", func(int, *http.Request) *http.Response { return Endless() }},
		{"429 for an hour", time.Hour, "", func(int, *http.Request) *http.Response { return Answer(429, `{}`) }},
		{"the same page for ever", 40 * time.Minute, "", nil},
	}
}

// fault shows that no record is lost by what a vendor answers for a while, and that it is said.
func (s *Suite) fault(t *testing.T, f fault) {
	w := s.world(t, 150)
	began := time.Now()
	w.server.Fault = func(n int, r *http.Request) *http.Response {
		if time.Since(began) > f.for_ || n < 1 {
			return nil
		}
		if f.reply != nil {
			return f.reply(n, r)
		}
		// Whatever page is asked for, the first one comes.
		q := r.URL.Query()
		for _, name := range append(turning[:len(turning):len(turning)], s.Paging...) {
			q.Del(name)
		}
		r.URL.RawQuery = q.Encode()
		res, err := (&Server{Handler: w.vendor}).RoundTrip(r)
		require.NoError(t, err)
		return res
	}
	r := source.NewRunner(source.Options{})
	require.NoError(t, r.Reload([]source.Job{{Source: w.poller, Interval: suiteInterval, Timeout: 2 * time.Minute}}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go r.Run(ctx)
	time.Sleep(f.for_ - time.Minute)
	synctest.Wait()
	status := r.Status()[0]
	if f.says != "" {
		require.False(t, status.Up)
		require.Contains(t, status.Err, f.says)
	}
	require.Less(t, len(w.server.Requests()), 2000, "a vendor in trouble is not asked for all it is worth")
	require.NotContains(t, w.log.String()+status.Err, suiteSecret)
	time.Sleep(90 * time.Minute)
	synctest.Wait()
	status = r.Status()[0]
	require.True(t, status.Up, status.Err)
	cancel()
	synctest.Wait()
	got := w.store.Said()
	for i := range 150 {
		require.Contains(t, got, w.vendor.ID(i), strings.Join(slices.Sorted(maps.Keys(got)), " "))
	}
}
