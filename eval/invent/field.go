package invent

import (
	"fmt"
	"slices"
	"time"
)

// Habits are what organisations do that the plain kinds of trouble and noise lack. Each is nothing where it is zero, and
// then no random number is drawn for it.
type Habits struct {
	Soon         float64 // an incident begins 5 to 40 minutes after another was over
	Twin         float64 // it begins within ten minutes of another, on a service that has nothing to do with that one
	NoticedLate  float64 // people come 25 to 120 minutes after the first alert, and state only their own times
	Chains       int     // troubles that come back two to four times, each time as a ticket of its own in one tracker
	Long         int     // incidents of two to four days, which flare up now and then
	Nightly      int     // jobs that fire at the same hour each night, for over an hour and for nothing
	Frequent     int     // alerts that fire for nothing all the time, and in their service's incidents too
	PerDay       float64 // how often a day
	Silenced     float64 // maintenance nobody records that has a silence, made hours before
	SilenceOnAck float64 // who begins to work on an incident silences the root's alerts for an hour
	CreatedOnly  float64 // records with the time of their creation and no other
	Exact        float64 // records that state an alert by fingerprint and start
	Pages        bool    // severities are page and ticket
	Clusters     bool    // the label cluster says where, beside a region that is always the same
}

// Field is one with the habits that real organisations have.
func Field(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Services, p.Incidents, p.Days, p.Overlap, p.Maintenance, p.MaintenanceRecorded = "field", 20, 18, 14, 0.1, 8, 0.15
	p.Endless, p.Repeaters = 3, 2
	p.Habits = Habits{
		Soon: 0.15, Twin: 0.15, NoticedLate: 0.3, Chains: 2, Long: 1, Nightly: 2, Frequent: 3, PerDay: 2, Silenced: 0.5, SilenceOnAck: 0.15,
		CreatedOnly: 0.1, Exact: 0.1, Pages: true, Clusters: true,
	}
	return p
}

// The kinds of the field, each of one habit on top of a busy organisation, so that a figure says what it is of.

// Late is one whose people come long after the first alert.
func Late(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Habits = "late", Habits{NoticedLate: 0.6}
	return p
}

// Dense is one whose incidents follow each other closely, often as relapses with a ticket each.
func Dense(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Habits = "dense", Habits{Soon: 0.5, Twin: 0.2, Chains: 4}
	return p
}

// Usual is one of alerts that fire each night or all the time.
func Usual(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Days, p.Incidents, p.Habits = "usual", 21, 25, Habits{Nightly: 3, Frequent: 6, PerDay: 2}
	return p
}

// silence is one of Alertmanager's.
type silence struct {
	id, service, label, value string
	made, from, to            time.Time
}

func (s *silence) covers(e *episode, at time.Time) bool {
	return e.labels[s.label] == s.value && !at.Before(s.from) && at.Before(s.to)
}

// muted says whether an alert is silenced at a time.
func (w *World) muted(e *episode, at time.Time) bool {
	return slices.ContainsFunc(w.silences, func(s *silence) bool { return s.covers(e, at) })
}

// nameLabel is by which label a service's own alerts name it, and what it says there.
func (s *service) nameLabel() (string, string) {
	return map[string]string{"service": "service", "app": "app", "job": "job", "component": "component", "k8s": "deployment"}[s.style], s.said
}

func (w *World) hush(s *service, made, from, to time.Time) {
	label, value := s.nameLabel()
	w.silences = append(w.silences, &silence{fmt.Sprintf("silence-%d", len(w.silences)+1), s.name, label, value, made, from, to})
}

// begins is when the n-th incident begins, and on which service, where a habit decides it.
func (w *World) begins(t *trouble, begin time.Time) time.Time {
	if len(w.troubles) == 0 {
		return begin
	}
	other := w.troubles[len(w.troubles)-1]
	switch {
	case w.Soon > 0 && w.chance(w.Soon):
		begin = other.mitigated.Add(w.between(5*time.Minute, 40*time.Minute))
	case w.Twin > 0 && w.chance(w.Twin):
		var strangers []*service
		for _, s := range w.services {
			if _, hit := other.hit[s]; !hit && s.level != "infra" {
				strangers = append(strangers, s)
			}
		}
		if len(strangers) > 0 {
			t.root = pick(w, strangers)
			begin = other.started.Add(w.between(0, 10*time.Minute))
		}
	}
	return begin
}

// lag is how long after the first alert people come, where that is late; the incident lasts until they did.
func (w *World) lag(t *trouble, length time.Duration) (lag, longer time.Duration) {
	if w.NoticedLate == 0 || t.kind != "incident" || t.length > 0 || !w.chance(w.NoticedLate) {
		return 0, length
	}
	lag = w.between(25*time.Minute, 2*time.Hour)
	return lag, max(length, lag+w.logNormal(20*time.Minute, 0.7))
}

// noticed moves what people say of a trouble to when they came.
func (w *World) noticed(t *trouble, lag time.Duration, fired []*episode) {
	if lag == 0 || len(fired) == 0 {
		return
	}
	t.noticedLate, t.came = true, t.detected.Add(lag)
	t.acknowledged = t.came.Add(max(30*time.Second, w.logNormal(6*time.Minute, 0.7)))
	t.identified = t.acknowledged.Add(w.logNormal(20*time.Minute, 0.7))
}

// special are the incidents that habits make.
func (w *World) special() {
	span := w.to.Sub(w.from)
	moment := func(spare time.Duration) time.Time {
		return w.from.Add(12*time.Hour + time.Duration(w.rng.Int64N(int64(span-spare-12*time.Hour))))
	}
	for n := range w.Chains {
		root, begin := pick(w, w.services), moment(12*time.Hour)
		var before *trouble
		for range 2 + w.rng.IntN(3) {
			t := &trouble{
				kind: "incident", root: root, recorded: true, chain: fmt.Sprintf("chain-%d", n+1), length: w.between(8*time.Minute, 30*time.Minute),
			}
			if before != nil {
				t.like = before
				begin = before.mitigated.Add(w.between(20*time.Minute, 70*time.Minute))
			}
			w.unfold(t, begin)
			before = t
		}
	}
	for range w.Long {
		begin := moment(5 * 24 * time.Hour)
		t := &trouble{kind: "incident", root: pick(w, w.services), recorded: true, long: true, length: w.between(30*time.Minute, 2*time.Hour)}
		at := begin
		for over := begin.Add(w.between(48*time.Hour, 96*time.Hour)); at.Before(over); {
			at = at.Add(w.between(4*time.Hour, 20*time.Hour))
			t.flares = append(t.flares, window{at, at.Add(w.between(10*time.Minute, time.Hour))})
		}
		w.unfold(t, begin)
	}
}

// habitual is what fires for nothing by habit. one makes an episode.
func (w *World) habitual(one func(s *service, r rule, start time.Time, length time.Duration, unit int, region, why string)) {
	for range w.Nightly {
		s := pick(w, w.services)
		rules, region := rulesFor(s.level), pick(w, s.regions)
		first := w.rng.Perm(len(rules))[:min(len(rules), 1+w.rng.IntN(3))]
		clock := w.between(0, 6*time.Hour)
		for day := w.from; day.Before(w.to); day = day.AddDate(0, 0, 1) {
			for _, i := range first {
				one(s, rules[i], day.Add(clock+w.between(0, 5*time.Minute)), w.between(50*time.Minute, 100*time.Minute), 0, region, "nightly")
			}
		}
	}
	for range w.Frequent {
		s := pick(w, w.services)
		r, region := pick(w, rulesFor(s.level)), pick(w, s.regions)
		for at := w.from.Add(w.expo(12 * time.Hour)); at.Before(w.to); at = at.Add(w.expo(time.Duration(float64(24*time.Hour) / w.PerDay))) {
			one(s, r, at, w.logNormal(8*time.Minute, 0.5), 0, region, "frequent")
		}
	}
}

// quiet makes the silences that habits make.
func (w *World) quiet() {
	if w.Silenced == 0 && w.SilenceOnAck == 0 {
		return
	}
	for _, t := range w.troubles {
		switch {
		case t.kind == "maintenance" && !t.recorded && w.chance(w.Silenced):
			from := t.started.Add(-w.between(0, 5*time.Minute))
			w.hush(t.root, from.Add(-w.between(time.Hour, 20*time.Hour)), from, t.mitigated.Add(w.between(5*time.Minute, 20*time.Minute)))
		case t.kind == "incident" && w.chance(w.SilenceOnAck):
			w.hush(t.root, t.acknowledged, t.acknowledged, t.acknowledged.Add(time.Hour))
		}
	}
}

// hushes are the lines of silences.jsonl.
func (w *World) hushes() []map[string]any {
	var out []map[string]any
	for _, s := range w.silences {
		out = append(out, map[string]any{"at": stamp(s.made), "silence": map[string]any{
			"id": s.id, "matchers": []any{map[string]any{"name": s.label, "value": s.value, "isRegex": false, "isEqual": true}},
			"createdAt": stamp(s.made), "updatedAt": stamp(s.made), "startsAt": stamp(s.from), "endsAt": stamp(s.to),
			"createdBy": "somebody", "comment": "work on " + s.service,
		}})
	}
	slices.SortStableFunc(out, func(a, b map[string]any) int {
		return slices.Compare([]string{a["at"].(string)}, []string{b["at"].(string)})
	})
	return out
}
