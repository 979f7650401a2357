package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"time"

	"meantime/correlate"
	"meantime/incident"
	"meantime/webhook"
)

// line is one line of notifications.jsonl, records.jsonl or silences.jsonl.
type line struct {
	At      time.Time       `json:"at"`
	Body    json.RawMessage `json:"body"` // a notification
	Source  string          `json:"source"`
	Record  json.RawMessage `json:"record"`
	Silence *silence        `json:"silence"`

	taken time.Time // when it is taken in
	place string    // file and line, for errors
}

// arrival is when a line is taken in. A record of times that have not come is refused until they have, wherever it comes from:
// a source that is polled reads it again then.
func (l *line) arrival() time.Time {
	at := l.At
	if l.Record == nil {
		return at
	}
	r, err := incident.DecodeRecordAs(incident.RecordKey{Source: l.Source}, l.Record)
	if err != nil || r.CheckPast(at) == nil {
		return at // what is wrong with it is said when it is taken in
	}
	at = incident.Latest(at, r.CreatedAt)
	for _, s := range r.Milestones {
		at = incident.Latest(at, s.At)
	}
	for _, w := range r.Impacts {
		at = incident.Latest(at, incident.Latest(w.From, w.To))
	}
	return at
}

// silence is one of Alertmanager's, in its own form.
type silence struct {
	ID       string `json:"id"`
	Matchers []struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		IsRegex bool   `json:"isRegex"`
		IsEqual bool   `json:"isEqual"`
	} `json:"matchers"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
}

// play takes in notifications, records and silences in the order in which they came, by the code that takes them in from
// outside, and gives the facts a store would hold at the end and the time of the last arrival.
func play(dir string, dogs []correlate.Watchdog) (incident.Facts, time.Time, error) {
	var all []line
	for _, name := range []string{"notifications.jsonl", "records.jsonl", "silences.jsonl"} {
		ls, err := lines(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) && name == "silences.jsonl" {
			continue
		}
		if err != nil {
			return incident.Facts{}, time.Time{}, err
		}
		all = append(all, ls...)
	}
	if len(all) == 0 {
		return incident.Facts{}, time.Time{}, errors.New("nothing in it to play")
	}
	for i := range all {
		all[i].taken = all[i].arrival()
	}
	slices.SortStableFunc(all, func(a, b line) int { return a.taken.Compare(b.taken) })
	m := newMemory()
	hook := webhook.New(webhook.Options{
		Store: m, Now: func() time.Time { return m.now },
		Watchdogs: func(l map[string]string) (string, bool) {
			for i := range dogs {
				if matches(dogs[i].Matchers, l) {
					return dogs[i].Name, true
				}
			}
			return "", false
		},
	}).Alertmanager()
	for _, l := range all {
		m.now = l.taken
		if err := m.take(hook, l); err != nil {
			return incident.Facts{}, m.now, fmt.Errorf("%s: %w", l.place, err)
		}
	}
	return m.facts(), m.now, nil
}

// memory is a store of facts as they are merged, without any that remain.
type memory struct {
	now       time.Time
	sightings map[incident.EpisodeKey]incident.Sighting
	records   map[incident.RecordKey]incident.Record
	silences  map[string]incident.Silence
	beats     []incident.Beat
}

func newMemory() *memory {
	return &memory{
		sightings: map[incident.EpisodeKey]incident.Sighting{}, records: map[incident.RecordKey]incident.Record{},
		silences: map[string]incident.Silence{},
	}
}

func (m *memory) take(hook http.Handler, l line) error {
	switch {
	case l.Body != nil:
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook/alertmanager", bytes.NewReader(l.Body)))
		if w.Code >= 300 {
			return fmt.Errorf("notification not taken: %s", bytes.TrimSpace(w.Body.Bytes()))
		}
	case l.Record != nil:
		r, err := incident.DecodeRecordAs(incident.RecordKey{Source: l.Source}, l.Record)
		if err == nil {
			err = r.CheckPast(m.now)
		}
		if err != nil {
			return err
		}
		if r.UpdatedAt.IsZero() {
			r.UpdatedAt = l.At
		}
		if old, ok := m.records[r.Key()]; !ok || incident.Newer(&r, &old) {
			m.records[r.Key()] = r
		}
	case l.Silence != nil:
		s := l.Silence
		x := incident.Silence{
			ID: s.ID, StartsAt: s.StartsAt.UTC(), EndsAt: s.EndsAt.UTC(), CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
			CreatedBy: s.CreatedBy, Comment: s.Comment,
		}
		for _, k := range s.Matchers {
			x.Matchers = append(x.Matchers, incident.SilenceMatcher{Name: k.Name, Value: k.Value, IsRegex: k.IsRegex, IsEqual: k.IsEqual})
		}
		m.silences[x.ID] = x
	default:
		return errors.New("neither a notification nor a record nor a silence")
	}
	return nil
}

// Put implements webhook.Store.
func (m *memory) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	r := incident.Receipt{Sightings: make([]incident.MergeKind, len(f.Sightings))}
	for i, s := range f.Sightings {
		r.Sightings[i] = incident.MergeNew
		if old, ok := m.sightings[s.Key()]; ok {
			s = incident.Merge(old, s)
		}
		m.sightings[s.Key()] = s
	}
	m.beats = append(m.beats, f.Beats...)
	return r, nil
}

// SightingsOf implements webhook.Store.
func (m *memory) SightingsOf(_ context.Context, fingerprints []string) ([]incident.Sighting, error) {
	var out []incident.Sighting
	for k, s := range m.sightings {
		if slices.Contains(fingerprints, k.Fingerprint) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
	return out, nil
}

func (m *memory) facts() incident.Facts {
	f := incident.Facts{Beats: m.beats}
	for _, s := range m.sightings {
		f.Sightings = append(f.Sightings, s)
	}
	slices.SortFunc(f.Sightings, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
	for _, r := range m.records {
		f.Records = append(f.Records, r)
	}
	slices.SortFunc(f.Records, func(a, b incident.Record) int { return cmp.Compare(a.Key().String(), b.Key().String()) })
	for _, s := range m.silences {
		f.Silences = append(f.Silences, s)
	}
	slices.SortFunc(f.Silences, func(a, b incident.Silence) int { return cmp.Compare(a.ID, b.ID) })
	return f
}

// lines reads a file of one JSON object a line.
func lines(path string) ([]line, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	in.Buffer(nil, 64<<20)
	var out []line
	for n := 1; in.Scan(); n++ {
		l := line{place: fmt.Sprintf("%s:%d", path, n)}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s: %w", l.place, err)
		}
		out = append(out, l)
	}
	return out, in.Err()
}
