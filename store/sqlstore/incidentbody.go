package sqlstore

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"meantime/incident"
)

// An incident is stored in two bodies. The head is all that measuring needs, written and read by hand because a start
// reads every one; the rest is what only a page about the incident shows: links, and the candidates of milestones.

type incidentRest struct {
	Links      []incident.Link                                 `json:"links,omitempty"`
	Candidates map[incident.MilestoneName][]incident.Candidate `json:"candidates,omitempty"`
}

// appendRest writes the rest of an incident.
func appendRest(i *incident.Incident) ([]byte, error) {
	rest := incidentRest{Links: i.Links}
	for n, m := range i.Milestones {
		if m.Candidates != nil {
			if rest.Candidates == nil {
				rest.Candidates = make(map[incident.MilestoneName][]incident.Candidate, len(i.Milestones))
			}
			rest.Candidates[n] = m.Candidates
		}
	}
	return json.Marshal(rest)
}

// readRest adds the rest to an incident read from its head.
func readRest(i *incident.Incident, body string) error {
	var rest incidentRest
	if err := json.Unmarshal([]byte(body), &rest); err != nil {
		return fmt.Errorf("incident %s: %w", i.ID, err)
	}
	i.Links = rest.Links
	for n, m := range i.Milestones {
		m.Candidates = rest.Candidates[n]
		i.Milestones[n] = m
	}
	return nil
}

// appendHead writes the head of an incident: everything but its ID, its links and its milestones' candidates.
func appendHead(b []byte, i *incident.Incident) []byte {
	o := object{b}
	o.open()
	o.strs("aliases", i.Aliases)
	o.str("title", i.Title)
	o.str("url", i.URL)
	o.strs("services", i.Services)
	o.str("severity", i.Severity)
	o.str("kind", string(i.Kind))
	o.str("state", string(i.State))
	o.strMap("labels", i.Labels)
	o.time("opened", i.Opened)
	o.time("open_until", i.OpenUntil)
	o.str("detected_by", string(i.DetectedBy))
	o.flag("by_alerts", i.OpenedByAlerts)
	o.flag("missed", i.MissedDetection)
	o.flag("late", i.LateAlert)
	o.flag("blind", i.Blind)
	list(&o, "records", i.Records, func(k incident.RecordKey) {
		o.str("source", k.Source)
		o.str("id", k.ID)
	})
	o.milestones(i.Milestones)
	list(&o, "impacts", i.Impacts, func(w incident.Impact) {
		o.time("from", w.From)
		o.time("to", w.To)
		o.str("evidence", w.Evidence)
	})
	if a := i.Alerts; a != (incident.AlertTimes{}) {
		o.key("alerts")
		o.open()
		o.time("condition", a.Condition)
		o.time("fired", a.Fired)
		o.time("notified", a.Notified)
		o.str("notified_unknown", a.NotifiedUnknown)
		o.str("first_unknown", a.FirstUnknown)
		o.time("ended", a.Ended)
		o.time("heard", a.Heard)
		o.time("first", a.First)
		o.time("person", a.Person)
		o.close()
	}
	o.measurements(i.Measurements)
	o.strs("merged", i.Merged)
	list(&o, "related", i.Related, func(r incident.Related) {
		o.str("id", r.ID)
		o.str("how", r.How)
	})
	list(&o, "actions", i.Actions, func(a incident.Action) {
		o.str("title", a.Title)
		o.str("state", a.State)
		o.str("due", a.Due)
	})
	o.strs("reviews", i.Reviews)
	o.close()
	return o.b
}

// list writes a list of objects; a nil one is left out.
func list[T any](o *object, k string, l []T, fields func(T)) {
	if l == nil {
		return
	}
	o.key(k)
	o.b = append(o.b, '[')
	for i, v := range l {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.open()
		fields(v)
		o.close()
	}
	o.b = append(o.b, ']')
}

// milestones writes each as [at, precision, origin, evidence, from, placeholder]: names would be most of a head.
func (o *object) milestones(all map[incident.MilestoneName]incident.Milestone) {
	if all == nil {
		return
	}
	o.key("milestones")
	o.open()
	for _, n := range slices.Sorted(maps.Keys(all)) {
		m := all[n]
		o.member(string(n))
		o.b = append(appendTime(append(o.b, '['), m.At), ',')
		for _, text := range []string{string(m.Precision), string(m.Origin), m.Evidence, m.From} {
			o.b = append(appendString(o.b, text), ',')
		}
		o.b = append(strconv.AppendBool(o.b, m.Placeholder), ']')
	}
	o.close()
}

// measurements writes each that is recorded as its seconds, and any other as its status.
func (o *object) measurements(all map[string]incident.Measurement) {
	if all == nil {
		return
	}
	o.key("measurements")
	o.open()
	for _, n := range slices.Sorted(maps.Keys(all)) {
		m := all[n]
		o.member(n)
		switch {
		case m.Why != "":
			o.b = append(appendString(append(o.b, '['), string(m.Status)), ',')
			if m.Seconds != nil {
				o.b = strconv.AppendFloat(o.b, *m.Seconds, 'g', -1, 64)
			} else {
				o.b = append(o.b, "null"...)
			}
			o.b = append(appendString(append(o.b, ','), m.Why), ']')
		case m.Status == incident.StatusRecorded && m.Seconds != nil:
			o.b = strconv.AppendFloat(o.b, *m.Seconds, 'g', -1, 64)
		case m.Seconds == nil:
			o.b = appendString(o.b, string(m.Status))
		default: // which nothing makes, but which could be said
			o.b = append(appendString(append(o.b, '['), string(m.Status)), ',')
			o.b = append(strconv.AppendFloat(o.b, *m.Seconds, 'g', -1, 64), ']')
		}
	}
	o.close()
}

// member writes a key that is not a plain word of this package.
func (o *object) member(k string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(appendString(o.b, k), ':')
}

// readHead reads what appendHead wrote. With words, the incident shares no memory with body.
func readHead(id, body string, words *words) (incident.Incident, error) {
	i := incident.Incident{ID: id}
	r := reader{s: body, words: words}
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "aliases":
			i.Aliases = r.strs()
		case "title":
			i.Title = r.str()
		case "url":
			i.URL = r.str()
		case "services":
			i.Services = r.strs()
		case "severity":
			i.Severity = r.str()
		case "kind":
			i.Kind = incident.Kind(r.str())
		case "state":
			i.State = incident.State(r.str())
		case "labels":
			i.Labels = r.strMap()
		case "opened":
			i.Opened = r.time()
		case "open_until":
			i.OpenUntil = r.time()
		case "detected_by":
			i.DetectedBy = incident.DetectedBy(r.str())
		case "by_alerts":
			i.OpenedByAlerts = r.flag()
		case "missed":
			i.MissedDetection = r.flag()
		case "late":
			i.LateAlert = r.flag()
		case "blind":
			i.Blind = r.flag()
		case "records":
			i.Records = readList(&r, (*reader).recordKey)
		case "milestones":
			i.Milestones = r.milestones()
		case "impacts":
			i.Impacts = readList(&r, (*reader).impact)
		case "alerts":
			i.Alerts = r.alertTimes()
		case "measurements":
			i.Measurements = r.measurements()
		case "merged":
			i.Merged = r.strs()
		case "related":
			i.Related = readList(&r, (*reader).related)
		case "actions":
			i.Actions = readList(&r, (*reader).action)
		case "reviews":
			i.Reviews = r.strs()
		default:
			r.skip()
		}
	}
	if err := r.end(); err != nil {
		return i, fmt.Errorf("incident %s: %w", id, err)
	}
	return i, nil
}

func readList[T any](r *reader, member func(*reader) T) []T {
	if !r.open('[') {
		return nil
	}
	l := []T{}
	for r.more(']') {
		l = append(l, member(r))
	}
	return l
}

func (r *reader) recordKey() (k incident.RecordKey) {
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "source":
			k.Source = r.str()
		case "id":
			k.ID = r.str()
		default:
			r.skip()
		}
	}
	return k
}

func (r *reader) impact() (w incident.Impact) {
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "from":
			w.From = r.time()
		case "to":
			w.To = r.time()
		case "evidence":
			w.Evidence = r.str()
		default:
			r.skip()
		}
	}
	return w
}

func (r *reader) related() (x incident.Related) {
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "id":
			x.ID = r.str()
		case "how":
			x.How = r.str()
		default:
			r.skip()
		}
	}
	return x
}

func (r *reader) action() (a incident.Action) {
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "title":
			a.Title = r.str()
		case "state":
			a.State = r.str()
		case "due":
			a.Due = r.str()
		default:
			r.skip()
		}
	}
	return a
}

func (r *reader) alertTimes() (a incident.AlertTimes) {
	for ok := r.open('{'); ok && r.more('}'); {
		switch r.key() {
		case "condition":
			a.Condition = r.time()
		case "fired":
			a.Fired = r.time()
		case "notified":
			a.Notified = r.time()
		case "notified_unknown":
			a.NotifiedUnknown = r.str()
		case "first_unknown":
			a.FirstUnknown = r.str()
		case "ended":
			a.Ended = r.time()
		case "heard":
			a.Heard = r.time()
		case "first":
			a.First = r.time()
		case "person":
			a.Person = r.time()
		default:
			r.skip()
		}
	}
	return a
}

func (r *reader) milestones() map[incident.MilestoneName]incident.Milestone {
	if !r.open('{') {
		return nil
	}
	all := make(map[incident.MilestoneName]incident.Milestone, 8)
	for r.more('}') {
		n := incident.MilestoneName(r.name())
		var m incident.Milestone
		field := 0
		for ok := r.open('['); ok && r.more(']'); field++ { //nolint:staticcheck // ok says whether there is a list at all
			switch field {
			case 0:
				m.At = r.time()
			case 1:
				m.Precision = incident.Precision(r.str())
			case 2:
				m.Origin = incident.Origin(r.str())
			case 3:
				m.Evidence = r.str()
			case 4:
				m.From = r.str()
			case 5:
				m.Placeholder = r.flag()
			default:
				r.skip()
			}
		}
		all[n] = m
	}
	return all
}

func (r *reader) measurements() map[string]incident.Measurement {
	if !r.open('{') {
		return nil
	}
	all := make(map[string]incident.Measurement, 8)
	for r.more('}') {
		n := r.name()
		var m incident.Measurement
		switch r.peek() {
		case '"':
			m.Status = incident.Status(r.str())
		case '[':
			r.open('[')
			for field := 0; r.more(']'); field++ {
				switch field {
				case 0:
					m.Status = incident.Status(r.str())
				case 1:
					if r.peek() == 'n' {
						r.skip()
						break
					}
					seconds := r.float()
					m.Seconds = &seconds
				case 2:
					m.Why = r.str()
				default:
					r.skip()
				}
			}
		default:
			seconds := r.float()
			m = incident.Measurement{Status: incident.StatusRecorded, Seconds: &seconds}
		}
		all[n] = m
	}
	return all
}
