package correlate

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// shelf is a store in memory, as far as a Runner needs one. What goes through it goes through JSON, as in a real one.
type shelf struct {
	sightings map[incident.EpisodeKey]incident.Sighting
	prints    map[string][]incident.EpisodeKey // by fingerprint
	records   map[incident.RecordKey]incident.Record
	reviews   map[string]incident.Review
	silences  map[string]incident.Silence
	beats     []incident.Beat
	lives     []incident.Life
	senders   []incident.Sender
	feed      []incident.Change
	seq       int64
	cursor    int64
	rules     string
	incidents map[string]incident.Incident
	verdicts  map[incident.EpisodeKey]incident.Verdict

	parts  incident.Pass // of a Reset, so far
	refuse bool          // the next save fails
	reads  int           // sightings and reviews read
}

func newShelf() *shelf {
	return &shelf{sightings: map[incident.EpisodeKey]incident.Sighting{}, prints: map[string][]incident.EpisodeKey{}, records: map[incident.RecordKey]incident.Record{}, reviews: map[string]incident.Review{}, silences: map[string]incident.Silence{},
		incidents: map[string]incident.Incident{}, verdicts: map[incident.EpisodeKey]incident.Verdict{}}
}

// stretch is a stretch of time, both ends included.
type stretch struct{ from, to time.Time }

// join is the shortest stretch that holds both; one that is zero holds nothing.
func (s stretch) join(o stretch) stretch {
	if s.from.IsZero() {
		return o
	}
	if o.from.IsZero() {
		return s
	}
	return stretch{incident.Earliest(s.from, o.from), incident.Latest(s.to, o.to)}
}

func (s *shelf) tell(kind incident.ChangeKind, key string, spans ...stretch) {
	var span stretch
	for _, x := range spans {
		span = span.join(x)
	}
	s.seq++
	s.feed = append(s.feed, incident.Change{Seq: s.seq, Kind: kind, Key: key, From: span.from, To: span.to})
}

func (s *shelf) put(f incident.Facts) {
	for _, x := range f.Sightings {
		from, to := x.Span()
		old, ok := s.sightings[utc(x.Key())]
		before := stretch{}
		if ok {
			merged := incident.Merge(old, x)
			if incident.Equal(merged, old) {
				continue
			}
			before.from, before.to = old.Span()
			x = merged
			from, to = x.Span()
		}
		if !ok {
			s.prints[x.Fingerprint] = append(s.prints[x.Fingerprint], utc(x.Key()))
		}
		s.sightings[utc(x.Key())] = x
		s.tell(incident.ChangeSighting, x.Fingerprint, stretch{from, to}, before)
	}
	for _, r := range f.Records {
		from, to := r.Span()
		now, before := stretch{from, to}, stretch{}
		if old, ok := s.records[r.Key()]; ok {
			if !incident.Newer(&r, &old) {
				continue
			}
			before.from, before.to = old.Span()
			if r.Withdrawn {
				now = stretch{}
			}
		}
		s.records[r.Key()] = r
		s.tell(incident.ChangeRecord, r.Key().String(), now, before)
	}
	for _, r := range f.Reviews {
		s.reviews[r.ID] = r
		s.tell(incident.ChangeReview, r.ID)
	}
	for _, x := range f.Silences {
		before := stretch{}
		if old, ok := s.silences[x.ID]; ok {
			before = stretch{old.StartsAt, old.EndsAt}
			x.CreatedAt = incident.Earliest(old.CreatedAt, x.CreatedAt)
		}
		s.silences[x.ID] = x
		s.tell(incident.ChangeSilence, x.ID, stretch{x.StartsAt, x.EndsAt}, before)
	}
	for _, b := range f.Beats {
		s.beats = append(s.beats, b)
		s.tell(incident.ChangeBeat, b.Watchdog, stretch{b.At, b.At})
	}
}

// facts are all that was put.
func (s *shelf) facts() incident.Facts {
	var f incident.Facts
	for _, x := range s.sightings {
		f.Sightings = append(f.Sightings, x)
	}
	f.Records = slices.Collect(maps.Values(s.records))
	f.Reviews = slices.Collect(maps.Values(s.reviews))
	f.Silences = slices.Collect(maps.Values(s.silences))
	f.Beats = s.beats
	return f
}

type refusal struct{}

func (refusal) Error() string { return "refused" }

func (s *shelf) save(_ context.Context, d incident.Pass) error {
	if s.refuse {
		s.refuse = false
		return refusal{}
	}
	if d.Part > 1 {
		d.Incidents, d.Verdicts = append(s.parts.Incidents, d.Incidents...), append(s.parts.Verdicts, d.Verdicts...)
	}
	if s.parts = d; d.More {
		return nil
	}
	if d.Reset {
		clear(s.incidents)
		clear(s.verdicts)
	}
	for _, id := range d.Removed {
		delete(s.incidents, id)
	}
	for _, k := range d.Gone {
		delete(s.verdicts, utc(k))
	}
	for _, in := range d.Incidents {
		s.incidents[in.ID] = copied(in)
	}
	for _, v := range d.Verdicts {
		s.verdicts[utc(v.Episode.Key())] = v
	}
	s.cursor, s.rules = d.Cursor, d.Rules
	return nil
}

func copied(in incident.Incident) incident.Incident {
	b, err := json.Marshal(&in)
	if err != nil {
		panic(err)
	}
	var out incident.Incident
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

func (s *shelf) Changes(_ context.Context, after int64, limit int) ([]incident.Change, error) {
	i, _ := slices.BinarySearchFunc(s.feed, after+1, func(c incident.Change, seq int64) int { return int(c.Seq - seq) })
	return s.feed[i:min(len(s.feed), i+limit)], nil
}

func (s *shelf) Extent(context.Context) (time.Time, time.Time, error) {
	var span stretch
	for _, x := range s.sightings {
		from, to := x.Span()
		span = span.join(stretch{from, to})
	}
	for _, r := range s.records {
		from, to := r.Span()
		span = span.join(stretch{from, to})
	}
	return span.from, span.to, nil
}

func touches(aFrom, aTo, from, to time.Time) bool {
	return (to.IsZero() || !aFrom.After(to)) && (from.IsZero() || !aTo.Before(from))
}

func (s *shelf) Sightings(_ context.Context, from, to time.Time) ([]incident.Sighting, error) {
	var out []incident.Sighting
	for _, x := range s.sightings {
		if a, b := x.Span(); touches(a, b, from, to) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
	s.reads += len(out)
	return out, nil
}

func (s *shelf) SightingsOf(_ context.Context, prints []string) ([]incident.Sighting, error) {
	var out []incident.Sighting
	for _, p := range prints {
		for _, k := range s.prints[p] {
			out = append(out, s.sightings[k])
		}
	}
	slices.SortFunc(out, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
	s.reads += len(out)
	return out, nil
}

func (s *shelf) Records(_ context.Context, from, to time.Time) ([]incident.Record, error) {
	var out []incident.Record
	for _, r := range s.records {
		if a, b := r.Span(); !r.Withdrawn && touches(a, b, from, to) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b incident.Record) int { return byRecord(a.Key(), b.Key()) })
	return out, nil
}

func (s *shelf) Record(_ context.Context, k incident.RecordKey) (incident.Record, error) {
	if r, ok := s.records[k]; ok {
		return r, nil
	}
	return incident.Record{}, incident.Errorf(incident.CodeNotFound, "no record %s", k)
}

func (s *shelf) Review(_ context.Context, id string) (incident.Review, error) {
	r, ok := s.reviews[id]
	if !ok {
		return r, incident.Errorf(incident.CodeNotFound, "no review %s", id)
	}
	s.reads++
	return r, nil
}

func (s *shelf) Reviews(context.Context) ([]incident.Review, error) {
	out := slices.Collect(maps.Values(s.reviews))
	s.reads += len(out)
	slices.SortFunc(out, func(a, b incident.Review) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

func (s *shelf) Silences(_ context.Context, from, to time.Time) ([]incident.Silence, error) {
	var out []incident.Silence
	for _, id := range sortedKeys(s.silences) {
		if x := s.silences[id]; touches(x.StartsAt, x.EndsAt, from, to) {
			out = append(out, x)
		}
	}
	return out, nil
}

func (s *shelf) Reach(context.Context) ([]incident.Life, []incident.Sender, error) {
	return s.lives, s.senders, nil
}

func (s *shelf) Beats(_ context.Context, from, to time.Time) ([]incident.Beat, error) {
	var out []incident.Beat
	for _, b := range s.beats {
		if touches(b.At, b.At, from, to) {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b incident.Beat) int { return a.At.Compare(b.At) })
	return out, nil
}

func (s *shelf) Position(context.Context) (int64, string, error) { return s.cursor, s.rules, nil }

func (s *shelf) Incident(_ context.Context, id string) (incident.Incident, error) {
	if in, ok := s.incidents[id]; ok {
		return copied(in), nil
	}
	for _, k := range sortedKeys(s.incidents) {
		if in := s.incidents[k]; slices.Contains(in.Aliases, id) {
			return copied(in), nil
		}
	}
	return incident.Incident{}, incident.Errorf(incident.CodeNotFound, "no incident %s", id)
}

func (s *shelf) EachIncident(_ context.Context, from time.Time) iter.Seq2[incident.Incident, error] {
	return func(yield func(incident.Incident, error) bool) {
		for _, id := range sortedKeys(s.incidents) {
			in := s.incidents[id]
			if in.State == incident.StateOpen || !in.At().Before(from) {
				in.Links = nil
				if !yield(in, nil) {
					return
				}
			}
		}
	}
}

func (s *shelf) EachVerdict(_ context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error] {
	return func(yield func(incident.Verdict, error) bool) {
		for _, k := range slices.SortedFunc(maps.Keys(s.verdicts), incident.EpisodeKey.Compare) {
			if !touches(k.StartsAt, k.StartsAt, from, to) {
				continue
			}
			v := s.verdicts[k]
			e := v.Episode
			v.Episode = incident.Episode{Fingerprint: e.Fingerprint, StartsAt: e.StartsAt.UTC(), EndsAt: e.EndsAt, End: e.End, Labels: map[string]string{"alertname": e.Name()}}
			if !yield(v, nil) {
				return
			}
		}
	}
}

func byRecord(a, b incident.RecordKey) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID))
}

func ptr[T any](v T) *T { return &v }
