package correlate

import (
	"math"
	"slices"
	"strings"
	"time"

	"meantime/correlate/assemble"
	"meantime/correlate/assign"
	"meantime/correlate/catalog"
	"meantime/correlate/linkage"
	"meantime/incident"
)

// hours is a time as hours since 1970.
func hours(t time.Time) float64 { return float64(t.UnixMilli()) / 3.6e6 }

// described is what the rules say of an alert's labels.
type described struct {
	labels                  map[string]string
	name, service, severity string
	group, watchdog         string
	places                  []assign.Place
	opens                   bool
}

// metaDog stands for a watchdog that nobody configured.
const metaDog = "meta"

func (b *book) describe(l map[string]string) *described {
	d := &described{labels: l, name: l["alertname"], service: b.catalog.ServiceOf(l), severity: b.catalog.SeverityOf(l)}
	for i := range b.rules.Watchdogs {
		if w := &b.rules.Watchdogs[i]; catalog.Matches(w.Matchers, l) {
			d.watchdog = w.Name
			break
		}
	}
	if d.watchdog == "" && b.catalog.Meta(l) {
		d.watchdog = metaDog
	}
	if d.watchdog == "" {
		for _, m := range b.rules.Open.Matchers {
			d.opens = d.opens || catalog.Matches(m, l)
		}
	}
	var group []string
	for _, n := range b.rules.Open.GroupBy {
		if n != "service" {
			group = append(group, l[n])
		}
	}
	d.group = strings.Join(group, "\x00")
	places := b.catalog.Places(l)
	for _, n := range sortedKeys(places) {
		d.places = append(d.places, assign.Place{Label: n, Value: places[n]})
	}
	return d
}

// describeRecord is what of a record tells whether it is of one incident with others, and which alerts are of it.
func (b *book) describeRecord(r *incident.Record) *recordInfo {
	from, to := r.Span()
	x := &recordInfo{Record: linkage.Record{
		Key: r.Key(), ID: incident.RecordID(r.Key()), URL: r.URL, Kind: r.Kind, From: from, To: to,
		Services: b.catalog.Named(r), Places: b.catalog.Places(r.Labels),
		URLs: r.References.URLs, Keys: r.References.Keys,
	}, said: r.Services, title: r.Title, prints: r.References.Fingerprints, keys: r.References.GroupKeys,
		refs: incident.References{Alerts: r.References.Alerts, Groups: r.References.Groups}, created: r.CreatedAt, state: r.State}
	x.States = r.References.Alerts
	for _, g := range r.References.Groups {
		x.Groups = append(x.Groups, linkage.AlertGroup{Hash: groupHash(&g), From: g.From, To: g.To})
		if g.To.IsZero() { // it goes on
			x.Groups[len(x.Groups)-1].To = g.From.Add(statedLongest)
		}
	}
	for n, m := range incident.MilestoneNames {
		x.Times[n] = r.Milestones[m].At
	}
	if into := assemble.MergedInto(r); into != "" {
		x.Merged = []string{into, r.Source + "/" + into}
	}
	for _, w := range r.Impacts {
		x.impacts = append(x.impacts, [2]time.Time{w.From, w.To})
	}
	x.place(usualLength) // settle knows better
	return x
}

// groupHash is by what two records can be seen to name one group.
func groupHash(g *incident.GroupRef) string {
	if g.Key != "" {
		return incident.GroupHash(g.Key)
	}
	return g.SHA256 + g.MD5
}

// recordInfo is a record in little memory.
type recordInfo struct {
	linkage.Record
	said, prints, keys []string
	refs               incident.References // those that are exact
	title              string
	impacts            [][2]time.Time
	created            time.Time
	state              incident.State

	milestone assign.Milestone
	end       time.Time // of the impact, zero where nobody told
	lasted    time.Duration
	guessed   bool // when it began, from its end
}

// usualLength is how long an incident lasts where nobody told; what records tell counts between the other two.
const (
	usualLength   = 40 * time.Minute
	shortestUsual = 5 * time.Minute
	longestUsual  = 2 * time.Hour
)

const (
	detectedLate = 5 * time.Minute
	workedLate   = 10 * time.Minute
	createdLate  = 30 * time.Minute
)

// place works out when a record's incident began, and by which of its times. One that tells only its end began as long before
// it as incidents usually last.
func (x *recordInfo) place(usual time.Duration) {
	t := &x.Times
	const started, detected, acknowledged, identified, mitigated, resolved = 0, 1, 2, 3, 4, 5
	x.end = t[mitigated]
	if x.end.IsZero() {
		x.end = t[resolved]
	}
	for _, w := range x.impacts {
		if w[1].After(x.end) && t[mitigated].IsZero() {
			x.end = w[1]
		}
	}
	var onset time.Time
	take := func(at time.Time, m assign.Milestone, late time.Duration) {
		if !at.IsZero() && (onset.IsZero() || at.Before(onset)) {
			onset, x.milestone, x.Late = at, m, late
		}
	}
	take(t[started], assign.Started, 0)
	for _, w := range x.impacts {
		take(w[0], assign.Started, 0)
	}
	if !onset.IsZero() && (onset.Equal(t[detected]) || onset.Equal(x.created) && !t[started].IsZero()) {
		x.milestone, x.Late = assign.Detected, detectedLate // a form's copy
	}
	take(t[detected], assign.Detected, detectedLate)
	take(t[acknowledged], assign.Acknowledged, workedLate)
	take(t[identified], assign.Acknowledged, workedLate)
	switch {
	case !onset.IsZero() && (x.end.IsZero() || !x.end.Before(onset)):
		if !x.end.IsZero() {
			x.lasted = x.end.Sub(onset)
		}
	case !x.end.IsZero():
		onset, x.milestone, x.Late, x.guessed = x.end.Add(-usual), assign.Acknowledged, createdLate, true
	case !x.created.IsZero():
		onset, x.milestone, x.Late = x.created.Add(-createdLate), assign.Created, createdLate
	default: // when it was written says nothing of when it was; no alert is drawn to it
		onset, x.milestone, x.Untimed = time.Unix(0, 0).UTC(), assign.Created, true
	}
	x.Onset = onset
}

// last is the last moment that a record's incident is known to have gone on.
func (x *recordInfo) last(openFor time.Duration) time.Time {
	if x.Untimed {
		return x.Onset
	}
	last := incident.Latest(x.To, x.end)
	if x.state == incident.StateOpen && x.Times[5].IsZero() {
		last = incident.Latest(last, incident.Latest(x.To, x.created)).Add(openFor)
	}
	return last
}

// known is the incident of a group of records, as alerts are weighed against it.
func (b *book) knownOf(g *linkage.Group) *assign.Known {
	k := &assign.Known{ID: g.ID(), Onset: math.Inf(1)}
	places := map[assign.Place]bool{}
	var windows [][2]float64
	for _, m := range g.Members {
		x := b.records[m.Key]
		if on := hours(x.Onset); on < k.Onset {
			k.Onset, k.Milestone = on, x.milestone
		}
		for _, s := range x.Services {
			if !slices.Contains(k.Services, s) {
				k.Services = append(k.Services, s)
			}
		}
		for l, v := range x.Places {
			places[assign.Place{Label: l, Value: v}] = true
		}
		if !x.end.IsZero() {
			k.End, k.Ended = max(k.End, hours(x.end)), true
		}
		k.Last = max(k.Last, hours(x.last(b.rules.OpenFor)))
		for _, w := range x.impacts {
			to := k.Last
			if !w[1].IsZero() {
				to = hours(w[1])
			}
			windows = append(windows, [2]float64{hours(w[0]), to})
		}
		if x.state == incident.StateOpen && x.Times[5].IsZero() && x.Times[4].IsZero() {
			k.Ended = false
		}
	}
	for p := range places {
		k.Places = append(k.Places, p)
	}
	slices.SortFunc(k.Places, func(p, q assign.Place) int { return strings.Compare(p.Label+"\x00"+p.Value, q.Label+"\x00"+q.Value) })
	if len(windows) == 0 {
		to := k.Last
		if k.Ended {
			to = k.End
		}
		windows = append(windows, [2]float64{k.Onset, max(to, k.Onset)})
	}
	k.Windows = windows
	return k
}

// forever is a time later than any other.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
