package api

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"meantime/incident"
)

// memory is a store in memory. While err is set, every call answers with it.
type memory struct {
	mu        sync.Mutex
	records   map[incident.RecordKey][]incident.Record // the newest first
	reviews   []incident.Review
	incidents []incident.Incident
	verdicts  []incident.Verdict
	pending   bool // correlation has not taken in everything
	lists     int  // how often all reviews were read
	err       error
}

var _ Store = (*memory)(nil)

func (m *memory) Put(_ context.Context, f incident.Facts, received time.Time) (incident.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return incident.Receipt{}, m.err
	}
	var out incident.Receipt
	for _, r := range f.Records {
		versions := m.records[r.Key()]
		if len(versions) > 0 && incident.Same(&versions[0], &r) {
			out.Records = append(out.Records, false)
			continue
		}
		if r.UpdatedAt.IsZero() {
			r.UpdatedAt = received.UTC()
			if len(versions) > 0 && !r.UpdatedAt.After(versions[0].UpdatedAt) {
				r.UpdatedAt = versions[0].UpdatedAt.Add(1)
			}
		}
		versions = append(slices.Clone(versions), r)
		slices.SortFunc(versions, func(a, b incident.Record) int {
			if incident.Newer(&a, &b) {
				return -1
			}
			return 1
		})
		m.records[r.Key()] = versions
		out.Records = append(out.Records, incident.Same(&versions[0], &r))
	}
	for _, r := range f.Reviews {
		m.reviews = slices.DeleteFunc(m.reviews, func(x incident.Review) bool { return x.ID == r.ID })
		m.reviews = append(m.reviews, r)
	}
	return out, nil
}

func (m *memory) Record(_ context.Context, k incident.RecordKey) (incident.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return incident.Record{}, m.err
	}
	if v := m.records[k]; len(v) > 0 {
		return v[0], nil
	}
	return incident.Record{}, incident.Errorf(incident.CodeNotFound, "no record %s", k)
}

func (m *memory) RecordPage(_ context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	var out []incident.Record
	for k, v := range m.records {
		if (source == "" || k.Source == source) && k.String() > after.String() && !v[0].Withdrawn {
			out = append(out, v[0])
		}
	}
	slices.SortFunc(out, func(a, b incident.Record) int {
		if a.Key().String() < b.Key().String() {
			return -1
		}
		return 1
	})
	return out[:min(limit, len(out))], nil
}

func (m *memory) History(_ context.Context, k incident.RecordKey) ([]incident.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[k], m.err
}

func (m *memory) Reviews(context.Context) ([]incident.Review, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists++
	return slices.Clone(m.reviews), m.err
}

func (m *memory) Review(_ context.Context, id string) (incident.Review, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.reviews, func(r incident.Review) bool { return r.ID == id }); i >= 0 && m.err == nil {
		return m.reviews[i], nil
	}
	if m.err != nil {
		return incident.Review{}, m.err
	}
	return incident.Review{}, incident.Errorf(incident.CodeNotFound, "no review %s", id)
}

func (m *memory) SightingsOf(_ context.Context, fingerprints []string) (out []incident.Sighting, err error) {
	for _, v := range m.verdicts {
		if slices.Contains(fingerprints, v.Episode.Fingerprint) {
			out = append(out, incident.Sighting{Fingerprint: v.Episode.Fingerprint, StartsAt: v.Episode.StartsAt})
		}
	}
	return out, m.err
}

// Position is behind the only change while something is pending.
func (m *memory) Position(context.Context) (int64, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending {
		return 0, "rules", m.err
	}
	return 1, "rules", m.err
}

func (m *memory) Changes(_ context.Context, after int64, _ int) ([]incident.Change, error) {
	if after == 0 {
		return []incident.Change{{Seq: 1}}, m.err
	}
	return nil, m.err
}

func (m *memory) Incident(_ context.Context, id string) (incident.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return incident.Incident{}, m.err
	}
	for _, i := range m.incidents {
		if i.ID == id || slices.Contains(i.Aliases, id) {
			return i, nil
		}
	}
	return incident.Incident{}, incident.Errorf(incident.CodeNotFound, "no incident %s", id)
}

func (m *memory) Incidents(_ context.Context, q incident.IncidentQuery) ([]incident.Incident, string, error) {
	if m.err != nil {
		return nil, "", m.err
	}
	var out []incident.Incident
	for _, i := range m.incidents {
		if (q.State == "" || q.State == i.State) && (q.Severity == "" || q.Severity == i.Severity) &&
			(q.Service == "" || slices.Contains(i.Services, q.Service)) && within(i.At(), q.From, q.To) {
			out = append(out, i)
		}
	}
	return turn(out, q.Cursor, q.Limit)
}

func (m *memory) Verdicts(_ context.Context, q incident.VerdictQuery) ([]incident.Verdict, string, error) {
	if m.err != nil {
		return nil, "", m.err
	}
	var out []incident.Verdict
	for _, v := range m.verdicts {
		if (q.Outcome == "" || q.Outcome == v.Outcome) && within(v.Episode.StartsAt, q.From, q.To) {
			out = append(out, v)
		}
	}
	return turn(out, q.Cursor, q.Limit)
}

func within(t, from, to time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

// turn is the page at a cursor that counts from 0.
func turn[T any](all []T, cursor string, limit int) ([]T, string, error) {
	n := 0
	if cursor != "" {
		var err error
		if n, err = strconv.Atoi(cursor); err != nil || n > len(all) {
			return nil, "", incident.Errorf(incident.CodeInvalid, "cursor: not one of ours")
		}
	}
	end, next := min(n+limit, len(all)), ""
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[n:end], next, nil
}
