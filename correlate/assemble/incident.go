// Package assemble makes incidents of what was decided: records that are one, and the alerts that belong to them. It works
// out their milestones, state and impacts.
package assemble

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// Draft is an incident in the making: its records and links are decided, everything else follows from them.
type Draft struct {
	// Records are those of one incident, the most trusted first: the source listed first, then the newest.
	Records []*incident.Record
	// Merged says for each record after the first why it is the same incident.
	Merged []string
	Links  []incident.Link
	// Openers are the episodes that opened the incident or would have, had there been no record, by key.
	Openers []incident.EpisodeKey
	// Ref is its id where no record and no opening episode lends it one.
	Ref string
	// Also are further ids that reviews name it by.
	Also []string
}

// mostOpeners is how many opening episodes lend an incident their ids as aliases.
const mostOpeners = 50

// ids are the ids by which the incident can be named, its own first: of its records in order of key, then of its
// opening episodes.
func (d *Draft) ids() []string {
	keys := make([]incident.RecordKey, len(d.Records))
	for i, r := range d.Records {
		keys[i] = r.Key()
	}
	slices.SortFunc(keys, func(a, b incident.RecordKey) int { return strings.Compare(a.Source+"\x00"+a.ID, b.Source+"\x00"+b.ID) })
	var out []string
	for _, k := range keys {
		out = append(out, incident.RecordID(k))
	}
	for _, k := range d.Openers[:min(len(d.Openers), mostOpeners)] {
		out = append(out, incident.EpisodeID(k))
	}
	if len(out) == 0 {
		out = append(out, d.Ref)
	}
	return out
}

// Assembler turns drafts into incidents. It holds what they have in common.
type Assembler struct {
	Catalog *catalog.Catalog
	// Opens says whether an alert may open an incident by itself.
	Opens func(labels map[string]string) bool
	// Rank is the place of a record's source in the configured order.
	Rank func(incident.RecordKey) int
	// Labels are taken of its alerts where no record says them.
	Labels []string
	// About are the reviews that name an incident by any of the given ids, in order.
	About    func(ids []string) []incident.Review
	Silences []incident.Silence
	Blind    map[string][]incident.Impact
	// Quiet is how long nothing may fire before an incident that alerts opened is over. OpenFor is how long a record that
	// neither says its state nor has an end counts as open.
	Quiet, OpenFor time.Duration
	Now            time.Time
}

// Assemble is the incident of a draft and the next moment at which the clock alone changes it (zero for never).
func (a *Assembler) Assemble(d *Draft) (incident.Incident, time.Time) {
	ids := d.ids()
	records := slices.Clone(d.Records) // those merged into others last, so that these speak first
	slices.SortStableFunc(records, func(x, y *incident.Record) int { return btoi(MergedInto(x) != "") - btoi(MergedInto(y) != "") })
	in := incident.Incident{
		ID: ids[0], Aliases: ids[1:], Kind: incident.KindIncident, OpenedByAlerts: len(records) == 0,
		Links: d.Links, Merged: d.Merged, Milestones: map[incident.MilestoneName]incident.Milestone{}, Impacts: []incident.Impact{},
		Records: []incident.RecordKey{}, Measurements: map[string]incident.Measurement{},
	}
	slices.SortFunc(in.Links, func(x, y incident.Link) int { return x.Episode.Key().Compare(y.Episode.Key()) })
	linked := in.Linked()
	a.describe(&in, records, linked)
	reviews := a.About(append(d.Also, ids...))
	marked := ""
	for _, r := range reviews {
		in.Reviews = append(in.Reviews, r.ID)
		if r.Action == incident.ReviewMark {
			marked = r.Mark
		}
	}
	if marked != "" && marked != string(incident.StateCancelled) {
		in.Kind = incident.Kind(marked)
	}
	in.Alerts = alertTimes(linked)

	over := a.quietAfter(&in)
	next := incident.Earliest(time.Time{}, a.state(&in, records, linked, marked, over))
	a.milestones(&in, records, linked, reviews, over)
	a.detection(&in, records, reviews)
	a.impacts(&in, records, linked)
	in.Blind = a.wasBlind(&in)
	if in.OpenedByAlerts && over.After(a.Now) {
		next = incident.Earliest(next, over)
	}
	return in, next
}

// describe fills in what the records say in words, and where they say nothing, what the alerts say.
func (a *Assembler) describe(in *incident.Incident, records []*incident.Record, linked []*incident.Episode) {
	seen := map[string]bool{}
	service := func(s string) {
		if s != "" && !seen[s] {
			seen[s] = true
			in.Services = append(in.Services, s)
		}
	}
	for _, r := range records {
		in.Records = append(in.Records, r.Key())
		in.Opened = incident.Earliest(in.Opened, r.CreatedAt)
		for _, s := range r.Services {
			service(a.Catalog.Canonical(s))
		}
		if in.Title == "" {
			in.Title = r.Title
		}
		if in.URL == "" {
			in.URL = r.URL
		}
		if in.Severity == "" {
			in.Severity = a.Catalog.Severity(r.Severity)
		}
		for k, v := range r.Labels {
			if in.Labels == nil {
				in.Labels = map[string]string{}
			}
			if _, ok := in.Labels[k]; !ok {
				in.Labels[k] = v
			}
		}
		for _, x := range r.Related {
			if !slices.Contains(in.Related, x) {
				in.Related = append(in.Related, x)
			}
		}
		for _, x := range r.Actions {
			if !slices.Contains(in.Actions, x) {
				in.Actions = append(in.Actions, x)
			}
		}
	}
	if len(records) > 0 {
		in.Kind = records[0].Kind
	}
	if len(in.Services) == 0 {
		for _, r := range records {
			for _, s := range a.Catalog.Mentioned(r.Title) {
				service(s)
			}
		}
	}
	leading := a.leading(in, linked)
	if len(in.Services) == 0 {
		for _, s := range affected(a.Catalog, leading) {
			service(s)
		}
	}
	if in.Services == nil {
		in.Services = []string{}
	}
	if in.Severity == "" {
		for _, e := range leading {
			if s := a.Catalog.SeverityOf(e.Labels); a.Catalog.Graver(s, in.Severity) {
				in.Severity = s
			}
		}
	}
	for _, name := range a.Labels {
		if v := common(leading, name); v != "" && in.Labels[name] == "" {
			if in.Labels == nil {
				in.Labels = map[string]string{}
			}
			in.Labels[name] = v
		}
	}
	if in.Title == "" && len(linked) > 0 {
		in.Title = leading[0].Name()
		if len(in.Services) > 0 {
			in.Title += " on " + in.Services[0]
		}
		if n := len(linked) - 1; n == 1 {
			in.Title += " and 1 more alert"
		} else if n > 1 {
			in.Title += fmt.Sprintf(" and %d more alerts", n)
		}
	}
	if in.Title == "" && len(records) > 0 {
		in.Title = records[0].ID
	}
}

// leading are the linked alerts that say what an incident is. Of one that alerts opened these are the alerts that may open
// one: what else joined it is another's warning, or none's. Of any other incident, and where a person linked only such
// alerts, all are.
func (a *Assembler) leading(in *incident.Incident, linked []*incident.Episode) []*incident.Episode {
	if !in.OpenedByAlerts {
		return linked
	}
	var out []*incident.Episode
	for _, e := range linked {
		if a.Opens(e.Labels) {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return linked
	}
	return out
}

// common is the value of a label that most alerts have, and between equals that of the one that fired first; empty where none has it.
func common(linked []*incident.Episode, label string) (most string) {
	count := map[string]int{}
	for _, e := range linked {
		if v := e.Labels[label]; v != "" {
			count[v]++
		}
	}
	for _, e := range linked {
		if v := e.Labels[label]; count[v] > count[most] {
			most = v
		}
	}
	return most
}

// affected are the services of alerts, the one with the most alerts first, and between equals the one that fired first.
func affected(dir *catalog.Catalog, linked []*incident.Episode) []string {
	count := map[string]int{}
	var order []string
	for _, e := range linked {
		s := dir.ServiceOf(e.Labels)
		if s == "" {
			continue
		}
		if count[s] == 0 {
			order = append(order, s)
		}
		count[s]++
	}
	slices.SortStableFunc(order, func(x, y string) int { return count[y] - count[x] })
	return order
}

func alertTimes(linked []*incident.Episode) incident.AlertTimes {
	var t incident.AlertTimes
	firing, known := false, true
	newest := map[string]*incident.Episode{}
	if first, unheard := firstNotified(linked); first != nil {
		t.First = first.NotifiedAt
	} else if unheard != nil {
		t.FirstUnknown = whyUnheard(unheard)
	}
	for i, e := range linked {
		if i == 0 {
			t.Fired, t.Condition, t.Notified, t.NotifiedUnknown = e.StartsAt, e.ConditionAt, e.NotifiedAt, whyUnheard(e)
		}
		t.Heard = incident.Latest(t.Heard, e.EndsAt)
		firing = firing || e.Firing()
		newest[e.Fingerprint] = e
	}
	for _, e := range newest { // one before it ended before it began, whenever that was
		known = known && e.Ended()
	}
	if firing {
		t.Heard = time.Time{}
	}
	if known {
		t.Ended = t.Heard
	}
	return t
}

// firstNotified is the episode of which somebody was notified first. Where it is not known when somebody was told of one that
// had fired by then, nobody knows which was first: it is unheard.
func firstNotified(linked []*incident.Episode) (first, unheard *incident.Episode) {
	for _, e := range linked {
		if !e.NotifiedAt.IsZero() && (first == nil || e.NotifiedAt.Before(first.NotifiedAt)) {
			first = e
		}
	}
	for _, e := range linked { // by start
		if e.NotifiedAt.IsZero() && (first == nil || e.Unheard && e.StartsAt.Before(first.NotifiedAt)) {
			return nil, e
		}
	}
	return first, nil
}

// whyUnheard says in words why it is not known when somebody was first told of an episode; empty where it is known, or may be
// told yet.
func whyUnheard(e *incident.Episode) string {
	if e.NotifiedUnknown == "" || !e.Unheard && e.Firing() {
		return ""
	}
	return fmt.Sprintf("of %s: %s", e.Name(), e.NotifiedUnknown)
}

// quietAfter is when an incident that alerts opened counts as over: Quiet after its last alert ended, or was last heard of.
// Zero while one fires, and for one with a record, which says itself when it is over.
func (a *Assembler) quietAfter(in *incident.Incident) time.Time {
	if !in.OpenedByAlerts || in.Alerts.Heard.IsZero() {
		return time.Time{}
	}
	return in.Alerts.Heard.Add(a.Quiet)
}

// state decides whether the incident is open. It returns the moment at which the clock alone will change that.
func (a *Assembler) state(
	in *incident.Incident,
	records []*incident.Record,
	linked []*incident.Episode,
	marked string,
	over time.Time,
) time.Time {
	cancelled := marked == string(incident.StateCancelled)
	said := a.said(records)
	ended, timeless := false, true
	var last time.Time
	for _, r := range records {
		_, ok := r.Milestones[incident.Resolved]
		ended = ended || ok
		last = incident.Latest(last, lastKnown(r))
		timeless = timeless && !r.Timed()
	}
	if marked == "" {
		cancelled = said == incident.StateCancelled
	}
	for _, r := range a.About(append([]string{in.ID}, in.Aliases...)) {
		if r.Action == incident.ReviewSet && r.Milestone == incident.Resolved {
			ended = true
		}
		if r.Action == incident.ReviewSet {
			last, timeless = incident.Latest(last, r.Time), false
		}
	}
	firing := slices.ContainsFunc(linked, func(e *incident.Episode) bool { return e.Firing() })
	timeless = timeless && len(linked) == 0 && !in.OpenedByAlerts
	switch {
	case cancelled:
		in.State = incident.StateCancelled
	case timeless: // whatever it says: nobody could tell since when
		in.State = incident.StateResolved
	case firing, said == incident.StateOpen:
		in.State = incident.StateOpen
	case in.OpenedByAlerts:
		in.State = incident.StateResolved
		if over.After(a.Now) {
			in.State = incident.StateOpen
		}
	case said == incident.StateResolved, ended:
		in.State = incident.StateResolved
	default:
		in.OpenUntil = incident.Latest(last, in.Alerts.Heard).Add(a.OpenFor)
		in.State = incident.StateResolved
		if in.OpenUntil.After(a.Now) {
			in.State = incident.StateOpen
			return in.OpenUntil
		}
	}
	return time.Time{}
}

// said is the state that the most trusted record tells that tells one: of several of its rank open before resolved, and resolved
// before cancelled. What was merged into another tells none; where that is not known, what is left of it is no incident of its
// own.
func (a *Assembler) said(records []*incident.Record) incident.State {
	said, rank, merged := incident.State(""), 0, 0
	order := []incident.State{incident.StateOpen, incident.StateResolved, incident.StateCancelled}
	for _, r := range records {
		if MergedInto(r) != "" {
			merged++
			continue
		}
		n := a.Rank(r.Key())
		if said == "" {
			said, rank = r.State, n
		}
		if r.State != "" && n == rank && slices.Index(order, r.State) < slices.Index(order, said) {
			said = r.State
		}
	}
	if merged > 0 && merged == len(records) {
		return incident.StateCancelled
	}
	return said
}

// lastKnown is the last moment a record speaks of, or when it was made. When it was written is no time of the incident: an old
// one imported today is not news of today.
func lastKnown(r *incident.Record) time.Time {
	var t time.Time
	for _, m := range r.Milestones {
		t = incident.Latest(t, m.At)
	}
	for _, w := range r.Impacts {
		t = incident.Latest(t, incident.Latest(w.From, w.To))
	}
	return incident.Latest(t, r.CreatedAt)
}

// impacts are the windows in which users were affected: as the most trusted record that lists any does; else, for an
// incident with records, from started to mitigated (or resolved); else the stretches in which its alerts fired, where
// a gap no longer than Quiet does not end one: flapping is one impact with gaps. One has no end where its last alert's is
// not known.
func (a *Assembler) impacts(in *incident.Incident, records []*incident.Record, linked []*incident.Episode) {
	for _, r := range records {
		if len(r.Impacts) > 0 && MergedInto(r) == "" {
			in.Impacts = slices.Clone(r.Impacts)
			for i, w := range in.Impacts {
				if w.To.Equal(w.From) { // it only repeats when it began
					in.Impacts[i].To = time.Time{}
				}
			}
			slices.SortStableFunc(in.Impacts, func(x, y incident.Impact) int { return x.From.Compare(y.From) })
			return
		}
	}
	if len(records) > 0 {
		from := in.Point(incident.Point(incident.Started))
		to := in.Point(incident.Point(incident.Mitigated))
		if to.IsZero() {
			to = in.Point(incident.Point(incident.Resolved))
		}
		if !from.IsZero() && (to.IsZero() || !to.Before(from)) {
			in.Impacts = append(in.Impacts, incident.Impact{From: from, To: to, Evidence: "from started to the end of impact"})
		}
		return
	}
	in.Impacts = stretches(linked, a.Quiet)
}

// stretches are the times in which at least one of the episodes fired, joined over gaps no longer than gap. One has no end
// where an episode fires, or may have fired until after the others: one whose end is not known has ended when the next of
// the same alert began, and nothing else tells when.
func stretches(linked []*incident.Episode, gap time.Duration) []incident.Impact {
	out := []incident.Impact{}
	open := []map[string]bool{} // of each the alerts that may not have ended in it
	for _, e := range linked {  // by start
		end := e.EndsAt
		if e.Firing() {
			end = forever
		}
		n := len(out) - 1
		if n >= 0 && !e.StartsAt.After(out[n].To.Add(gap)) {
			out[n].To = incident.Latest(out[n].To, end)
		} else {
			out, open, n = append(out, incident.Impact{From: e.StartsAt, To: end}), append(open, map[string]bool{}), n+1
		}
		if delete(open[n], e.Fingerprint); !e.Ended() {
			open[n][e.Fingerprint] = true
		}
	}
	for n := range out {
		if len(open[n]) > 0 {
			out[n].To = time.Time{}
		}
	}
	return out
}

// wasBlind says whether a watchdog was silent while the incident was to be detected.
func (a *Assembler) wasBlind(in *incident.Incident) bool {
	from := in.At()
	to := in.Point(incident.Point(incident.Detected))
	if to.Before(from) {
		to = from
	}
	if from.IsZero() {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(a.Blind)) {
		for _, w := range a.Blind[name] {
			if !w.From.After(to) && (w.To.IsZero() || w.To.After(from)) {
				return true
			}
		}
	}
	return false
}

// forever is a time later than any other.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
