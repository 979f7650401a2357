package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"meantime/incident"
)

// memory is a store in memory that merges as the contract says.
type memory struct {
	mu        sync.Mutex
	sightings map[incident.EpisodeKey]incident.Sighting
	silences  map[string]incident.Silence
	beats     []incident.Beat
	mutes     []incident.MutedAlert
	lives     []incident.Life
	senders   []incident.Sender
	puts      int
	err       error // what Put answers instead
}

func newMemory() *memory {
	return &memory{sightings: map[incident.EpisodeKey]incident.Sighting{}, silences: map[string]incident.Silence{}}
}

func (m *memory) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return incident.Receipt{}, m.err
	}
	m.puts++
	var r incident.Receipt
	for _, s := range f.Sightings {
		if old, ok := m.sightings[s.Key()]; ok {
			r.Sightings = append(r.Sightings, incident.KindOf(&old, s))
			s = incident.Merge(old, s)
		} else {
			r.Sightings = append(r.Sightings, incident.KindOf(nil, s))
		}
		m.sightings[s.Key()] = s
	}
	for _, s := range f.Silences {
		m.silences[s.ID] = s
	}
	m.beats = append(m.beats, f.Beats...)
	m.senders = append(m.senders, f.Senders...)
	m.mutes = append(m.mutes, f.Mutes...)
	if len(m.mutes) == 0 {
		return r, nil
	}
	learned, placed := incident.PlaceMutes(slices.Collect(maps.Values(m.sightings)), m.mutes)
	for _, s := range learned {
		m.sightings[s.Key()] = incident.Merge(m.sightings[s.Key()], s)
	}
	r.Mutes = placed[len(placed)-len(f.Mutes):]
	return r, nil
}

// episodes derives all episodes, by start.
func (m *memory) episodes(now time.Time) []incident.Episode {
	by := map[string][]incident.Sighting{}
	for _, s := range m.sightings {
		by[s.Fingerprint] = append(by[s.Fingerprint], s)
	}
	var out []incident.Episode
	for _, s := range by {
		out = append(out, incident.Episodes(s, 5*time.Hour, now)...)
	}
	reach := incident.NewReach(m.lives, m.senders)
	for i := range out {
		reach.Judge(&out[i])
	}
	slices.SortFunc(out, func(a, b incident.Episode) int { return a.Key().Compare(b.Key()) })
	return out
}

// clock is a clock that a test sets.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func post(h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body)))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
