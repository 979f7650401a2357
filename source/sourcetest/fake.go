// Package sourcetest is what the tests of connectors have in common: a fake vendor in memory, a store in memory, a player of
// recorded exchanges, and the suite that every connector must pass. See docs/connectors.md.
package sourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"meantime/incident"
	"meantime/source"
)

// Server carries requests to a handler without any network, so that a test can run in a bubble of testing/synctest, where
// an hour takes no time.
type Server struct {
	Handler http.Handler
	// Secret must be in some header of every request; empty: none is asked for.
	Secret string
	// Fault may answer a request in the handler's place; nil, or nil from it, leaves it to the handler.
	Fault func(n int, r *http.Request) *http.Response
	// Now is the time in the header Date; nil: the clock's.
	Now func() time.Time

	mu       sync.Mutex
	requests []string
}

// RoundTrip implements http.RoundTripper.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	s.mu.Unlock()
	if s.Fault != nil {
		if res := s.Fault(n, r); res != nil {
			if slow, ok := res.Body.(*Slow); ok {
				slow.ctx = r.Context()
			}
			return res, nil
		}
	}
	if s.Secret != "" && !carries(r, s.Secret) {
		return Answer(http.StatusUnauthorized, `{"error":{"message":"Unauthorized"}}`), nil
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	res := w.Result()
	if res.Header.Get("Date") == "" {
		now := time.Now
		if s.Now != nil {
			now = s.Now
		}
		res.Header.Set("Date", now().UTC().Format(http.TimeFormat))
	}
	return res, nil
}

// Access reaches a vendor through a transport, with the token that Played asks for.
func Access(transport http.RoundTripper) source.Access {
	return source.Access{Client: source.ClientOptions{Transport: transport}, Secret: func() string { return playedToken }}
}

const playedToken = "t0ken"

func carries(r *http.Request, secret string) bool {
	for _, values := range r.Header {
		for _, v := range values {
			if strings.Contains(v, secret) {
				return true
			}
		}
	}
	_, password, _ := r.BasicAuth()
	return password == secret
}

// Requests are all requests so far, as "METHOD path?query".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Answer makes an answer. header is name, value, name, value and so on.
func Answer(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

// Endless is the answer of a server that never stops sending.
func Endless() *http.Response {
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: -1,
		Body: io.NopCloser(io.MultiReader(strings.NewReader(`{"incidents":["`), repeat{})),
	}
}

type repeat struct{}

func (repeat) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// Slow is the body of an answer that never comes.
type Slow struct{ ctx context.Context }

// Read waits until the request is given up.
func (s *Slow) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// Close does nothing.
func (*Slow) Close() error { return nil }

// WriteJSON answers with JSON.
func WriteJSON(w http.ResponseWriter, v any) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.Bytes())
}

// Store keeps records and marks in memory, as the contract of package store says.
type Store struct {
	mu      sync.Mutex
	records map[incident.RecordKey]incident.Record
	marks   map[[2]string]string
	puts    int
	// Err is what Put answers; nil: it stores. Put calls Stored after each write.
	Err    error
	Stored func()
}

// NewStore makes an empty store.
func NewStore() *Store {
	return &Store{records: map[incident.RecordKey]incident.Record{}, marks: map[[2]string]string{}}
}

// Put implements source.PollerStore.
func (m *Store) Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Err != nil {
		return incident.Receipt{}, m.Err
	}
	if err := ctx.Err(); err != nil {
		return incident.Receipt{}, err
	}
	var r incident.Receipt
	for _, rec := range f.Records {
		old, known := m.records[rec.Key()]
		if rec.UpdatedAt.IsZero() {
			rec.UpdatedAt = received
			if known && !rec.UpdatedAt.After(old.UpdatedAt) {
				rec.UpdatedAt = old.UpdatedAt.Add(1)
			}
		}
		changed := !known || incident.Newer(&rec, &old)
		if changed {
			m.records[rec.Key()] = rec
		}
		r.Records = append(r.Records, changed)
	}
	for _, mark := range f.Marks {
		if mark.Value == "" {
			delete(m.marks, [2]string{mark.Source, mark.Name})
		} else {
			m.marks[[2]string{mark.Source, mark.Name}] = mark.Value
		}
	}
	m.puts += len(f.Records)
	if m.Stored != nil {
		m.Stored()
	}
	return r, nil
}

// Marks implements source.PollerStore.
func (m *Store) Marks(_ context.Context, source string) ([]incident.Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []incident.Mark
	for k, v := range m.marks {
		if k[0] == source {
			out = append(out, incident.Mark{Source: source, Name: k[1], Value: v})
		}
	}
	slices.SortFunc(out, func(a, b incident.Mark) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Record implements source.PollerStore.
func (m *Store) Record(_ context.Context, k incident.RecordKey) (incident.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[k]
	if !ok {
		return r, incident.Errorf(incident.CodeNotFound, "no record %s", k)
	}
	return r, nil
}

// RecordPage implements source.PollerStore.
func (m *Store) RecordPage(_ context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []incident.Record
	for k, r := range m.records {
		if (source == "" || k.Source == source) && !r.Withdrawn && (k.Source > after.Source || (k.Source == after.Source && k.ID > after.ID)) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b incident.Record) int {
		if c := strings.Compare(a.Source, b.Source); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out[:min(len(out), limit)], nil
}

// Said is what every record says, by id, without when it was written; withdrawn ones say "withdrawn".
func (m *Store) Said() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]string{}
	for k, r := range m.records {
		r.UpdatedAt = time.Time{}
		b, err := json.Marshal(&r)
		if err != nil {
			panic(err)
		}
		if out[k.ID] = string(b); r.Withdrawn {
			out[k.ID] = "withdrawn"
		}
	}
	return out
}

// Written is how many versions of records were written.
func (m *Store) Written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.puts
}

// String names the records, for messages of tests.
func (m *Store) String() string { return fmt.Sprint(m.Said()) }
