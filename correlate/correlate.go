package correlate

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Correlate works out incidents, links and verdicts from facts. It is the specification of everything in this package:
// a pure function of the set of facts, whatever their order and however often each is repeated.
func Correlate(f incident.Facts, rules *Rules, now time.Time) Result {
	return correlate(f, rules, now, usualSizes)
}

func correlate(f incident.Facts, rules *Rules, now time.Time, sizes sizes) Result {
	b := newBook(rules, sizes)
	b.now = now
	b.reach = incident.NewReach(f.Lives, f.Senders)
	b.blind = blindness(rules.Watchdogs, f.Beats, now)
	at := &atHand{records: map[incident.RecordKey]*incident.Record{}}
	for i := range f.Records {
		r := &f.Records[i]
		if old := at.records[r.Key()]; old == nil || incident.Newer(r, old) {
			at.records[r.Key()] = r
		}
	}
	sightings := map[string][]incident.Sighting{}
	for _, s := range merged(f.Sightings) {
		sightings[s.Fingerprint] = append(sightings[s.Fingerprint], s)
	}
	for _, fingerprint := range sortedKeys(sightings) {
		b.tell(fingerprint, b.episodes(sightings[fingerprint]))
	}
	for _, r := range at.records {
		b.tellRecord(r)
	}
	for _, s := range silencesOf(f.Silences) {
		b.tellSilence(s)
	}
	b.tellReviews(f.Reviews)
	ctx := context.Background()
	res := Result{Blind: b.blind}
	// What is at hand never fails, and the context never ends.
	if err := b.settle(ctx, at, nil); err != nil {
		panic(err)
	}
	d, err := b.show(ctx, at, nil)
	if err != nil {
		panic(err)
	}
	res.Incidents, res.Verdicts = d.incidents, d.verdicts
	slices.SortFunc(res.Incidents, func(x, y incident.Incident) int { return strings.Compare(x.ID, y.ID) })
	return res
}

// atHand is a loader of what is all in memory.
type atHand struct {
	records map[incident.RecordKey]*incident.Record
}

func (a *atHand) load(context.Context, *cell) error   { return nil }
func (a *atHand) worked(context.Context, *cell) error { return nil }
func (a *atHand) record(_ context.Context, k incident.RecordKey) (*incident.Record, error) {
	return a.records[k], nil
}

// merged are sightings as they are once each is known by all that was told of it.
func merged(sightings []incident.Sighting) []incident.Sighting {
	of := make(map[incident.EpisodeKey]incident.Sighting, len(sightings))
	for _, s := range sightings {
		k := utc(s.Key()) // so that one instant is one key
		if old, ok := of[k]; ok {
			s = incident.Merge(old, s)
		}
		of[k] = s
	}
	return slices.SortedFunc(maps.Values(of), func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
}

func utc(k incident.EpisodeKey) incident.EpisodeKey {
	k.StartsAt = k.StartsAt.UTC()
	return k
}

// silencesOf are the silences as last heard of, by id.
func silencesOf(silences []incident.Silence) []incident.Silence {
	of := map[string]incident.Silence{}
	for _, s := range silences {
		if old, ok := of[s.ID]; !ok || s.UpdatedAt.After(old.UpdatedAt) {
			of[s.ID] = s
		}
	}
	return slices.SortedFunc(maps.Values(of), func(a, b incident.Silence) int { return strings.Compare(a.ID, b.ID) })
}
