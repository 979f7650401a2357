package sqlstore

import (
	"fmt"
	"time"

	"meantime/incident"
)

// appendSighting writes the body of a sighting's row: all but its key.
func appendSighting(b []byte, s *incident.Sighting) []byte {
	o := object{b}
	o.open()
	o.time("end", s.EndsAt)
	o.time("endtold", s.EndToldAt)
	o.time("vanished", s.VanishedAt)
	o.str("vanishedfor", s.VanishedFor)
	o.time("history", s.HistoryEndsAt)
	o.time("lapses", s.LapsesAt)
	o.time("active", s.ActiveAt)
	o.time("first", s.FiringFirst)
	o.time("last", s.FiringLast)
	o.time("resolved", s.ResolvedFirst)
	o.time("gone", s.GoneAt)
	if w := s.Word; !w.At.IsZero() {
		o.time("word", w.At)
		o.str("by", w.By)
		o.str("kind", string(w.Kind))
	}
	if s.Mutes != nil {
		o.key("mutes")
		o.b = append(o.b, '[')
		for i, m := range s.Mutes {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.b = append(appendTime(append(appendString(append(o.b, '['), m.By), ','), m.At), ']')
		}
		o.b = append(o.b, ']')
	}
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

// readSighting reads what appendSighting wrote. With words, the sighting shares no memory with body.
func readSighting(fingerprint string, startsAt int64, body string, words *words) (incident.Sighting, error) {
	s := incident.Sighting{Fingerprint: fingerprint, StartsAt: fromNanos(startsAt)}
	r := reader{s: body, words: words}
	var old oldSighting
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "end":
			s.EndsAt = r.time()
		case "endtold":
			s.EndToldAt = r.time()
		case "vanished":
			s.VanishedAt = r.time()
		case "vanishedfor":
			s.VanishedFor = r.str()
		case "history":
			s.HistoryEndsAt = r.time()
		case "lapses":
			s.LapsesAt = r.time()
		case "active":
			s.ActiveAt = r.time()
		case "first":
			s.FiringFirst = r.time()
		case "last":
			s.FiringLast = r.time()
		case "resolved":
			s.ResolvedFirst = r.time()
		case "gone":
			s.GoneAt = r.time()
		case "word":
			s.Word.At = r.time()
		case "by":
			s.Word.By = r.str()
		case "kind":
			s.Word.Kind = incident.WordKind(r.str())
		case "mutes":
			s.Mutes = readMutes(&r)
		case "notified":
			old.notified = r.time()
		case "silenced":
			old.silenced = r.time()
		case "inhibited":
			old.inhibited = r.time()
		case "silences":
			old.silences = r.strs()
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
	old.complete(&s)
	return s, nil
}

// oldSighting is what rows tell that were written before schema version 4.
type oldSighting struct {
	notified, silenced, inhibited time.Time
	silences                      []string
}

// complete says what an old row says as a new one would. Such a row knows when the first word came and not by whom.
func (o *oldSighting) complete(s *incident.Sighting) {
	if s.Word.At.IsZero() {
		s.Word.At = o.notified
	}
	if s.Mutes != nil {
		return
	}
	if !o.inhibited.IsZero() {
		s.Mutes = append(s.Mutes, incident.Mute{At: o.inhibited})
	}
	for _, id := range o.silences {
		s.Mutes = append(s.Mutes, incident.Mute{By: id, At: o.silenced})
	}
}

// readMutes reads a list of [silence, time].
func readMutes(r *reader) []incident.Mute {
	list := []incident.Mute{}
	for ok := r.open('['); ok && r.more(']'); {
		var m incident.Mute
		field := 0
		for ok := r.open('['); ok && r.more(']'); field++ { //nolint:staticcheck // ok says whether there is a list at all
			switch field {
			case 0:
				m.By = r.str()
			case 1:
				m.At = r.time()
			default:
				r.skip()
			}
		}
		list = append(list, m)
	}
	return list
}
