package correlate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Correlate works out incidents, links and verdicts from facts. It is the specification of everything in this package:
// a pure function of the set of facts, whatever their order and however often each is repeated.
func Correlate(f incident.Facts, rules *Rules, now time.Time) Result {
	return correlate(f, rules, blindness(rules.Watchdogs, f.Beats, now), now)
}

// correlate is Correlate with the stretches of blindness worked out; it looks at no beats.
func correlate(f incident.Facts, rules *Rules, blind map[string][]incident.Impact, now time.Time) Result {
	dir := newDirectory(rules)
	reviews := decide(f.Reviews)
	alerts := alertsOf(f.Sightings, dir, now)
	cases := mergeRecords(newestRecords(f.Records), dir, reviews, now)

	a := &assembler{dir: dir, reviews: reviews, silences: silencesOf(f.Silences), blind: blind, now: now}
	drafts := link(alerts, cases, dir, reviews)

	res := Result{Blind: a.blind, Incidents: []incident.Incident{}, Verdicts: []incident.Verdict{}}
	verdicts := map[incident.EpisodeKey]*incident.Verdict{}
	for _, x := range alerts {
		res.Verdicts = append(res.Verdicts, incident.Verdict{Episode: x.Episode, Service: x.service, Severity: x.severity, Outcome: incident.OutcomeNone})
	}
	for i := range res.Verdicts {
		verdicts[res.Verdicts[i].Episode.Key()] = &res.Verdicts[i]
	}
	for _, d := range drafts {
		in, _ := a.assemble(d)
		for _, l := range in.Links {
			v := verdicts[l.Episode.Key()]
			switch {
			case l.State.Counts():
				v.Outcome, v.Incident = incident.OutcomeLinked, in.ID
			case l.State == incident.LinkSuggested && v.Outcome == incident.OutcomeNone:
				v.Outcome, v.Incident = incident.OutcomeSuggested, in.ID
			}
		}
		res.Incidents = append(res.Incidents, in)
	}
	slices.SortFunc(res.Incidents, func(x, y incident.Incident) int { return strings.Compare(x.ID, y.ID) })
	return res
}

// alert is an episode with what the rules say of it.
type alert struct {
	incident.Episode
	service, severity string
	opens, watchdog   bool
}

// alertsOf derives the episodes of all sightings, in order of key.
func alertsOf(sightings []incident.Sighting, dir *directory, now time.Time) []*alert {
	merged := map[incident.EpisodeKey]incident.Sighting{}
	for _, s := range sightings {
		k := s.Key()
		k.StartsAt = k.StartsAt.UTC() // so that one instant is one key
		if old, ok := merged[k]; ok {
			s = incident.Merge(old, s)
		}
		merged[k] = s
	}
	of := map[string][]incident.Sighting{}
	for _, s := range merged {
		of[s.Fingerprint] = append(of[s.Fingerprint], s)
	}
	var out []*alert
	for _, list := range of {
		for _, e := range incident.Episodes(list, dir.rules.Silence, now) {
			x := &alert{Episode: e, service: dir.serviceOf(e.Labels), severity: dir.severityOf(e.Labels), watchdog: dir.watchdog(e.Labels) != ""}
			x.opens = !x.watchdog && dir.opens(e.Labels)
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b *alert) int { return a.Key().Compare(b.Key()) })
	return out
}

// newestRecords are the versions that count of records not withdrawn, in order of key.
func newestRecords(records []incident.Record) []*incident.Record {
	newest := map[incident.RecordKey]*incident.Record{}
	for i := range records {
		r := &records[i]
		if old, ok := newest[r.Key()]; !ok || incident.Newer(r, old) {
			newest[r.Key()] = r
		}
	}
	var out []*incident.Record
	for _, r := range newest {
		if !r.Withdrawn {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *incident.Record) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID))
	})
	return out
}

// silencesOf are the silences as last heard of, by id.
func silencesOf(silences []incident.Silence) []incident.Silence {
	out := slices.Clone(silences)
	slices.SortFunc(out, func(a, b incident.Silence) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), b.UpdatedAt.Compare(a.UpdatedAt))
	})
	return slices.CompactFunc(out, func(a, b incident.Silence) bool { return a.ID == b.ID })
}

// report is one incident as its records tell it.
type report struct {
	records  []*incident.Record
	merged   []string
	services []string
	// from and to are when it was, as far as the records tell; to is now where it counts as open.
	from, to time.Time
}
