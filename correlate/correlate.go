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
	return correlate(f, rules, blindness(rules.Watchdogs, f.Beats, now), past{}, now)
}

// correlate is Correlate with the stretches of blindness worked out; it looks at no beats. before counts alerts that are not
// among the facts; those that are get counted in it too.
func correlate(f incident.Facts, rules *Rules, blind map[string][]incident.Impact, before past, now time.Time) Result {
	dir := newDirectory(rules)
	reviews := decide(f.Reviews)
	alerts := alertsOf(f.Sightings, dir, now)
	reports := mergeRecords(newestRecords(f.Records), dir, reviews)
	reviews.learn(namesOf(alerts))

	for _, x := range alerts {
		if !x.watchdog {
			before.add(x.mark(), 1)
		}
	}
	var rare, loose []*alert
	for _, x := range alerts {
		if x.habit = before.habit(x.mark()); x.rare() {
			rare = append(rare, x)
		} else if !x.watchdog {
			loose = append(loose, x)
		}
	}
	var breaks []*outbreak
	for _, day := range days(rare) {
		breaks = append(breaks, fold(day, dir)...)
	}
	drafts := settle(reports, breaks, dir, reviews).drafts(loose)

	a := &assembler{dir: dir, reviews: reviews, silences: silencesOf(f.Silences), blind: blind, now: now}
	res := Result{Blind: a.blind, Incidents: []incident.Incident{}, Verdicts: []incident.Verdict{}}
	verdicts := map[incident.EpisodeKey]*incident.Verdict{}
	for _, x := range alerts {
		outcome := incident.OutcomeNone
		if x.watchdog {
			outcome = incident.OutcomeWatchdog
		}
		res.Verdicts = append(res.Verdicts, incident.Verdict{Episode: x.Episode, Service: x.service, Severity: x.severity, Outcome: outcome})
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

// namesOf finds the name and service of an alert by its fingerprint.
func namesOf(alerts []*alert) func(string) (string, string) {
	of := map[string]*alert{}
	for _, x := range alerts {
		of[x.Fingerprint] = x // the newest
	}
	return func(fingerprint string) (name, service string) {
		if x := of[fingerprint]; x != nil {
			return x.Name(), x.service
		}
		return "", ""
	}
}
