package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"meantime/incident"
)

// notification is one line of notifications.jsonl.
type notification struct {
	At   time.Time `json:"at"`
	Body struct {
		GroupKey    string `json:"groupKey"`
		ExternalURL string `json:"externalURL"`
		Alerts      []struct {
			Status       string            `json:"status"`
			Labels       map[string]string `json:"labels"`
			Annotations  map[string]string `json:"annotations"`
			StartsAt     time.Time         `json:"startsAt"`
			EndsAt       time.Time         `json:"endsAt"`
			GeneratorURL string            `json:"generatorURL"`
			Fingerprint  string            `json:"fingerprint"`
		} `json:"alerts"`
	} `json:"body"`
}

// stored is one line of records.jsonl.
type stored struct {
	At     time.Time       `json:"at"`
	Source string          `json:"source"`
	Record json.RawMessage `json:"record"`
}

// play reads notifications and records as they would have arrived, and gives the facts a store would hold at the end
// and the time of the last arrival.
func play(dir string) (incident.Facts, time.Time, error) {
	var f incident.Facts
	var now time.Time
	sightings := map[incident.EpisodeKey]incident.Sighting{}
	err := lines(filepath.Join(dir, "notifications.jsonl"), func(b []byte) error {
		var n notification
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		if n.At.After(now) {
			now = n.At
		}
		for _, a := range n.Body.Alerts {
			s := incident.Sighting{
				Fingerprint: a.Fingerprint, StartsAt: a.StartsAt.UTC(), Labels: a.Labels, Annotations: a.Annotations, GeneratorURL: a.GeneratorURL,
				ToldAt: n.At, GroupKeys: []string{n.Body.GroupKey}, Alertmanagers: []string{n.Body.ExternalURL},
			}
			if a.Status == "resolved" {
				s.EndsAt, s.ResolvedFirst = a.EndsAt.UTC(), n.At
			} else {
				s.FiringFirst, s.FiringLast = n.At, n.At
			}
			if old, ok := sightings[s.Key()]; ok {
				s = incident.Merge(old, s)
			}
			sightings[s.Key()] = s
		}
		return nil
	})
	if err != nil {
		return f, now, err
	}
	for _, s := range sightings {
		f.Sightings = append(f.Sightings, s)
	}
	slices.SortFunc(f.Sightings, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })

	records := map[incident.RecordKey]incident.Record{}
	err = lines(filepath.Join(dir, "records.jsonl"), func(b []byte) error {
		var s stored
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		r, err := incident.DecodeRecord(s.Record)
		if err != nil {
			return err
		}
		if s.At.After(now) {
			now = s.At
		}
		r.Source = s.Source
		if r.UpdatedAt.IsZero() {
			r.UpdatedAt = s.At
		}
		if old, ok := records[r.Key()]; !ok || incident.Newer(&r, &old) {
			records[r.Key()] = r
		}
		return nil
	})
	for _, r := range records {
		f.Records = append(f.Records, r)
	}
	slices.SortFunc(f.Records, func(a, b incident.Record) int { return cmp.Compare(a.Key().String(), b.Key().String()) })
	return f, now, err
}

// lines calls do with each line of a file.
func lines(path string, do func([]byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	in.Buffer(nil, 64<<20)
	for n := 1; in.Scan(); n++ {
		if err := do(in.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return in.Err()
}
