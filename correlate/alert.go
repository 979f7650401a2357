package correlate

import (
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// alert is an episode with what the rules say of it.
type alert struct {
	incident.Episode
	service, severity, place string
	opens, watchdog          bool
	// habit is how usual it is: see past.
	habit
	// outbreak and trouble are what it is part of; nil for one that fires too often to say anything by itself.
	outbreak *outbreak
	trouble  *trouble
}

func newAlert(e incident.Episode, dir *directory) *alert {
	x := &alert{Episode: e, service: dir.serviceOf(e.Labels), severity: dir.severityOf(e.Labels), place: placeOf(e.Labels), watchdog: dir.watchdog(e.Labels) != ""}
	x.opens = !x.watchdog && dir.opens(e.Labels)
	return x
}

// until is when it ended, or a time later than any other while it fires.
func (x *alert) until() time.Time {
	if x.Firing() {
		return forever
	}
	return x.EndsAt
}

var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// lasted is for how long it is known to have fired.
func (x *alert) lasted() time.Duration {
	if x.Firing() {
		return x.LastSeen.Sub(x.StartsAt)
	}
	return x.EndsAt.Sub(x.StartsAt)
}

func byKey(a, b *alert) int { return a.Key().Compare(b.Key()) }

// alertsOf derives the episodes of all sightings, in order of key.
func alertsOf(sightings []incident.Sighting, dir *directory, now time.Time) []*alert {
	merged := map[incident.EpisodeKey]incident.Sighting{}
	for _, s := range sightings {
		k := utc(s.Key()) // so that one instant is one key
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
			out = append(out, newAlert(e, dir))
		}
	}
	slices.SortFunc(out, byKey)
	return out
}

// places are labels that say where, the widest first. Of each alert the first it carries counts.
var places = []string{"region", "cluster", "datacenter", "dc", "zone", "site", "environment", "env"}

// placeOf is where labels say something is, as name=value; empty where they do not.
func placeOf(l map[string]string) string {
	for _, n := range places {
		if v := l[n]; v != "" {
			return n + "=" + v
		}
	}
	return ""
}

// elsewhere says whether two places are known to be different ones. Places named by different labels cannot be told apart.
func elsewhere(a, b string) bool {
	x, _, _ := strings.Cut(a, "=")
	y, _, _ := strings.Cut(b, "=")
	return a != b && x == y && a != "" && b != ""
}
