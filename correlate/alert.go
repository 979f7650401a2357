package correlate

import (
	"cmp"
	"strings"
	"time"

	"meantime/incident"
)

// alert is an episode with what the rules say of it.
type alert struct {
	incident.Episode
	service, severity, place string
	opens, watchdog          bool
	naming                   bool // its labels name an incident
	// group and key say which trouble it can be part of: see fold.
	group, key string
	// habit is how usual it is: see past.
	habit
	// outbreak and trouble are what it is part of; nil for one that fires too often to say anything by itself.
	outbreak *outbreak
	trouble  *trouble
	// placed are the incidents it has to do with, verdict what was told of that.
	placed  []placement
	verdict verdict
}

func newAlert(e incident.Episode, dir *directory) *alert {
	x := &alert{Episode: e, service: dir.ServiceOf(e.Labels), severity: dir.SeverityOf(e.Labels), place: placeOf(e.Labels), watchdog: dir.watchdog(e.Labels) != "" || dir.Meta(e.Labels)}
	x.opens = !x.watchdog && dir.opens(e.Labels)
	x.naming = e.Labels["incident"]+e.Labels["incident_id"]+e.Labels["incident_key"] != ""
	x.group = dir.group(x)
	what := x.service
	if what == "" {
		what = "\x00" + cmp.Or(e.Labels["instance"], e.Fingerprint)
	}
	x.key = what + "\x00" + x.place + "\x00" + x.group
	return x
}

// ids are the ids that the episode lends the incident it opens, one for each start it was told with.
func (x *alert) ids() []string {
	out := make([]string, len(x.Starts))
	for i, t := range x.Starts {
		out[i] = incident.EpisodeID(incident.EpisodeKey{Fingerprint: x.Fingerprint, StartsAt: t})
	}
	return out
}

// until is when it ended, or a time later than any other while it fires.
func (x *alert) until() time.Time {
	if x.Firing() {
		return forever
	}
	return x.EndsAt
}

// quiet is until when it has something to do with what fires later: its end, but of what is chronic not for longer.
func (x *alert) quiet() time.Time { return earliest(x.until(), x.StartsAt.Add(chronic)) }

var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// lasted is for how long it is known to have fired.
func (x *alert) lasted() time.Duration {
	if x.Firing() {
		return x.LastSeen.Sub(x.StartsAt)
	}
	return x.EndsAt.Sub(x.StartsAt)
}

func byKey(a, b *alert) int {
	if c := a.StartsAt.Compare(b.StartsAt); c != 0 {
		return c
	}
	return strings.Compare(a.Fingerprint, b.Fingerprint)
}

// merged are sightings as they are once each is known by all that was told of it.
func merged(sightings []incident.Sighting) []incident.Sighting {
	of := make(map[incident.EpisodeKey]int, len(sightings))
	var out []incident.Sighting
	for _, s := range sightings {
		k := utc(s.Key()) // so that one instant is one key
		i, ok := of[k]
		if !ok {
			of[k] = len(out)
			out = append(out, s)
			continue
		}
		out[i] = incident.Merge(out[i], s)
	}
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
