package correlate

import (
	"cmp"
	"fmt"
	"math"
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
	cases := mergeRecords(newestRecords(f.Records), dir, reviews)

	a := &assembler{dir: dir, reviews: reviews, silences: silencesOf(f.Silences), blind: blind, now: now}
	drafts := link(alerts, cases, dir, reviews, now)

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
	// from and to are when it was, as far as the records tell; known says which of both they do tell.
	from, to time.Time
}

// link decides which episodes belong to which report, and lets what is left over open incidents.
func link(alerts []*alert, reports []*report, dir *directory, reviews *decisions, now time.Time) []*draft {
	drafts := make([]*draft, len(reports))
	for i, r := range reports {
		drafts[i] = &draft{records: r.records, merged: r.merged}
	}
	var free []*alert
	for _, x := range alerts {
		if x.watchdog {
			continue
		}
		type choice struct {
			at       int
			score    float64
			evidence []string
		}
		var best []choice
		for i, r := range reports {
			score, evidence := weigh(x, r, dir)
			if score >= dir.rules.SuggestAt {
				best = append(best, choice{i, score, evidence})
			}
		}
		slices.SortStableFunc(best, func(a, b choice) int { return cmp.Compare(b.score, a.score) })
		linked := false
		for n, c := range best[:min(2, len(best))] {
			state := incident.LinkSuggested
			if n == 0 && c.score >= dir.rules.LinkAt {
				state, linked = incident.LinkLinked, true
			}
			drafts[c.at].links = append(drafts[c.at].links, incident.Link{Episode: x.Episode, State: state, Score: c.score, Evidence: c.evidence})
		}
		if !linked && x.opens {
			free = append(free, x)
		}
	}
	return append(drafts, openGroups(free, dir)...)
}

// weigh scores how likely an episode belongs to a report, with the evidence in words.
func weigh(x *alert, r *report, dir *directory) (float64, []string) {
	odds := -3.0
	var evidence []string
	for _, rec := range r.records {
		if slices.Contains(rec.References.Fingerprints, x.Fingerprint) {
			odds += 8
			evidence = append(evidence, fmt.Sprintf("%s names the fingerprint %s", rec.Key(), x.Fingerprint))
		}
	}
	nearest := relation{distance: maxDistance + 1}
	name := ""
	for _, s := range r.services {
		if rel, ok := dir.neighbours(s)[x.service]; ok && x.service != "" && rel.distance < nearest.distance {
			nearest, name = rel, s
		}
	}
	switch {
	case nearest.distance == 0:
		odds += 4
		evidence = append(evidence, "same service "+name)
	case nearest.distance <= maxDistance:
		odds += 2.5 - float64(nearest.distance)
		evidence = append(evidence, fmt.Sprintf("%s is %d steps from %s along dependencies", x.service, nearest.distance, name))
	}
	from, to := r.from.Add(-dir.rules.Before), r.to.Add(dir.rules.After)
	if x.StartsAt.Before(from) || x.StartsAt.After(to) {
		return 0, nil
	}
	odds++
	evidence = append(evidence, fmt.Sprintf("it started %s after the incident", x.StartsAt.Sub(r.from).Round(time.Second)))
	return 1 / (1 + math.Exp(-odds)), evidence
}

// openGroups are the incidents that alerts open by themselves: those of one service that follow each other within
// ReopenWithin.
func openGroups(free []*alert, dir *directory) []*draft {
	open := map[string]*draft{}
	end := map[string]time.Time{}
	var out []*draft
	for _, x := range free {
		g := x.service
		d := open[g]
		if d == nil || x.StartsAt.After(end[g].Add(dir.rules.Open.Quiet+dir.rules.Open.ReopenWithin)) {
			d = &draft{}
			open[g], end[g] = d, time.Time{}
			out = append(out, d)
		}
		d.openers = append(d.openers, x.Key())
		d.links = append(d.links, incident.Link{Episode: x.Episode, State: incident.LinkLinked, Score: 1, Evidence: []string{"it opened the incident"}})
		end[g] = latest(end[g], latest(x.EndsAt, x.LastSeen))
	}
	return out
}
