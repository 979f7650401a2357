package sqlstore

import (
	"fmt"

	"meantime/incident"
)

// appendSighting writes the body of a sighting's row: all but its key.
func appendSighting(b []byte, s *incident.Sighting) []byte {
	o := object{b}
	o.open()
	o.time("end", s.EndsAt)
	o.time("first", s.FiringFirst)
	o.time("last", s.FiringLast)
	o.time("resolved", s.ResolvedFirst)
	o.time("gone", s.GoneAt)
	o.time("notified", s.NotifiedAt)
	o.time("silenced", s.SilencedAt)
	o.time("inhibited", s.InhibitedAt)
	o.strs("silences", s.SilencedBy)
	o.time("condition", s.ConditionAt)
	o.str("how", string(s.ConditionFrom))
	o.time("told", s.ToldAt)
	o.strMap("labels", s.Labels)
	o.strMap("notes", s.Annotations)
	o.str("url", s.GeneratorURL)
	o.strs("groups", s.GroupKeys)
	o.strs("from", s.Alertmanagers)
	o.close()
	return o.b
}

// readSighting reads what appendSighting wrote. The sighting's strings are parts of body.
func readSighting(fingerprint string, startsAt int64, body string) (incident.Sighting, error) {
	s := incident.Sighting{Fingerprint: fingerprint, StartsAt: fromNanos(startsAt)}
	r := reader{s: body}
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "end":
			s.EndsAt = r.time()
		case "first":
			s.FiringFirst = r.time()
		case "last":
			s.FiringLast = r.time()
		case "resolved":
			s.ResolvedFirst = r.time()
		case "gone":
			s.GoneAt = r.time()
		case "notified":
			s.NotifiedAt = r.time()
		case "silenced":
			s.SilencedAt = r.time()
		case "inhibited":
			s.InhibitedAt = r.time()
		case "silences":
			s.SilencedBy = r.strs()
		case "condition":
			s.ConditionAt = r.time()
		case "how":
			s.ConditionFrom = incident.ConditionSource(r.str())
		case "told":
			s.ToldAt = r.time()
		case "labels":
			s.Labels = r.strMap()
		case "notes":
			s.Annotations = r.strMap()
		case "url":
			s.GeneratorURL = r.str()
		case "groups":
			s.GroupKeys = r.strs()
		case "from":
			s.Alertmanagers = r.strs()
		default:
			r.skip()
		}
	}
	if err := r.end(); err != nil {
		return s, fmt.Errorf("sighting %s: %w", s.Key(), err)
	}
	return s, nil
}
