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

// The weights of the evidence, in natural logarithms of odds. A score is the probability that they add up to, beginning at
// prior: most alerts that fire during an incident do not belong to it.
const (
	prior       = -3.0
	byReference = 8.0 // the record names the alert, or the alert the record
	sameService = 3.5
	oneStep     = 2.0 // along dependencies; each further step takes stepLess
	stepLess    = 1.0
	inTime      = 1.0 // it began while users were affected, or within the configured tolerance of that
)

// link decides which episodes belong to which report, and lets what is left over open incidents. An episode is linked to
// one report at most; the runner-up is a suggestion.
func link(alerts []*alert, reports []*report, dir *directory, reviews *decisions) []*draft {
	drafts := make([]*draft, len(reports))
	named := map[string]int{} // places of reports by the ids that reviews name them with
	for i, r := range reports {
		drafts[i] = &draft{records: r.records, merged: r.merged}
		for _, id := range drafts[i].ids() {
			named[id] = i
		}
	}
	near := newTimeline(reports, dir.rules)
	var free []*alert
	for _, x := range alerts {
		if x.watchdog {
			continue
		}
		type choice struct {
			at       int
			score    float64
			evidence []string
			decided  incident.LinkState // by a person
		}
		var choices []choice
		around := near.around(x.StartsAt)
		for _, r := range reviews.episodes[x.Fingerprint] {
			if i, ok := named[r.Incident]; ok && !slices.Contains(around, i) {
				around = append(around, i) // a person may know better than the times
			}
		}
		for _, i := range around {
			score, evidence := weigh(x, reports[i], dir)
			c := choice{i, score, evidence, reviews.ofLink(x, drafts[i].ids())}
			if c.decided != "" || score >= dir.rules.SuggestAt {
				choices = append(choices, c)
			}
		}
		// What a person decided comes first, then the likelier; what is equally likely in the order of the reports.
		slices.SortStableFunc(choices, func(a, b choice) int {
			return cmp.Or(btoi(b.decided == incident.LinkConfirmed)-btoi(a.decided == incident.LinkConfirmed), cmp.Compare(b.score, a.score))
		})
		linked, suggested := false, 0
		for _, c := range choices {
			state := c.decided
			switch {
			case state == incident.LinkConfirmed && linked: // confirmed twice: the later decision is the one ofLink gives
				state = incident.LinkSuggested
			case state != "":
			case !linked && c.score >= dir.rules.LinkAt:
				state = incident.LinkLinked
			default:
				state = incident.LinkSuggested
				if suggested++; suggested > 1 {
					continue
				}
			}
			linked = linked || state.Counts()
			drafts[c.at].links = append(drafts[c.at].links, incident.Link{Episode: x.Episode, State: state, Score: c.score, Evidence: c.evidence})
		}
		if !linked && x.opens {
			free = append(free, x)
		}
	}
	return append(drafts, openGroups(free, dir)...)
}

// weigh scores how likely an episode belongs to a report, with the evidence in words.
func weigh(x *alert, r *report, dir *directory) (score float64, evidence []string) {
	odds := prior
	for _, rec := range r.records {
		if s := refersToAlert(rec, x); s != "" {
			odds += byReference
			evidence = append(evidence, s)
			break
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
		odds += sameService
		evidence = append(evidence, "same service "+name)
	case nearest.distance <= maxDistance:
		odds += oneStep - stepLess*float64(nearest.distance-1)
		how := fmt.Sprintf("%s and %s are %d steps apart along dependencies", x.service, name, nearest.distance)
		if nearest.distance == 1 && nearest.upstream {
			how = fmt.Sprintf("%s needs %s", name, x.service)
		} else if nearest.distance == 1 {
			how = fmt.Sprintf("%s needs %s", x.service, name)
		}
		evidence = append(evidence, how)
	}
	switch {
	case x.StartsAt.Before(r.from.Add(-dir.rules.Before)) || x.StartsAt.After(r.to.Add(dir.rules.After)):
		return 0, nil
	case x.StartsAt.Before(r.from):
		evidence = append(evidence, fmt.Sprintf("it fired %s before the incident began", r.from.Sub(x.StartsAt).Round(time.Second)))
	case x.StartsAt.After(r.to):
		evidence = append(evidence, fmt.Sprintf("it fired %s after the incident ended", x.StartsAt.Sub(r.to).Round(time.Second)))
	default:
		evidence = append(evidence, fmt.Sprintf("it fired during the incident, %s after it began", x.StartsAt.Sub(r.from).Round(time.Second)))
	}
	odds += inTime
	return 1 / (1 + math.Exp(-odds)), evidence
}

// refersToAlert says how a record and an alert name each other, empty where they do not.
func refersToAlert(rec *incident.Record, x *alert) string {
	if slices.Contains(rec.References.Fingerprints, x.Fingerprint) {
		return fmt.Sprintf("%s names the fingerprint %s", rec.Key(), x.Fingerprint)
	}
	for _, g := range x.GroupKeys {
		if slices.Contains(rec.References.GroupKeys, g) {
			return fmt.Sprintf("%s names the alert group %s", rec.Key(), g)
		}
	}
	for _, u := range rec.References.URLs {
		if u != "" && (u == x.GeneratorURL || u == x.Annotations["runbook_url"] || u == x.Annotations["dashboard_url"]) {
			return fmt.Sprintf("%s names the alert's address %s", rec.Key(), u)
		}
	}
	for _, texts := range []map[string]string{x.Labels, x.Annotations} {
		for _, name := range []string{"incident", "incident_id", "incident_key"} {
			if v := texts[name]; v != "" && (v == rec.ID || v == rec.Key().String() || slices.Contains(rec.References.Keys, v)) {
				return fmt.Sprintf("the alert names %s by its %s", rec.Key(), name)
			}
		}
	}
	return ""
}

// ofLink is what a person decided of an episode and an incident with any of these ids; empty where nobody did.
func (d *decisions) ofLink(x *alert, ids []string) incident.LinkState {
	var state incident.LinkState
	for _, r := range d.episodes[x.Fingerprint] {
		if !slices.Contains(ids, r.Incident) || !slices.ContainsFunc(x.Starts, r.Episode.StartsAt.Equal) {
			continue
		}
		state = incident.LinkConfirmed
		if r.Action == incident.ReviewReject {
			state = incident.LinkRejected
		}
	}
	return state
}

// timeline finds the reports that an episode can belong to by the time it fired.
type timeline struct {
	// order are the places of the reports by when they begin, widened; ends are the latest end of all up to there.
	order  []int
	begins []time.Time
	ends   []time.Time
	end    []time.Time // of each report, by place
}

func newTimeline(reports []*report, rules *Rules) *timeline {
	t := &timeline{end: make([]time.Time, len(reports))}
	for i := range reports {
		t.order = append(t.order, i)
		t.end[i] = reports[i].to.Add(rules.After)
	}
	slices.SortStableFunc(t.order, func(a, b int) int { return reports[a].from.Compare(reports[b].from) })
	var last time.Time
	for _, i := range t.order {
		last = latest(last, t.end[i])
		t.begins, t.ends = append(t.begins, reports[i].from.Add(-rules.Before)), append(t.ends, last)
	}
	return t
}

// around are the places of the reports that were going on at a time, in order of place.
func (t *timeline) around(at time.Time) []int {
	n, _ := slices.BinarySearchFunc(t.begins, at, func(b, at time.Time) int {
		if b.After(at) {
			return 1
		}
		return -1
	})
	var out []int
	for k := n - 1; k >= 0 && !t.ends[k].Before(at); k-- {
		if i := t.order[k]; !t.end[i].Before(at) {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}

// openGroups are the incidents that alerts open by themselves: those whose labels to group by are the same and that follow
// each other within the quiet time and the time in which an incident is opened again.
func openGroups(free []*alert, dir *directory) []*draft {
	open := map[string]*draft{}
	end := map[string]time.Time{}
	var out []*draft
	for _, x := range free {
		g := group(x, dir.rules.Open.GroupBy)
		d := open[g]
		if d == nil || x.StartsAt.After(end[g].Add(dir.rules.Open.Quiet+dir.rules.Open.ReopenWithin)) {
			d = &draft{}
			open[g], end[g] = d, time.Time{}
			out = append(out, d)
		}
		d.openers = append(d.openers, x.Key())
		d.links = append(d.links, incident.Link{Episode: x.Episode, State: incident.LinkLinked, Score: 1, Evidence: []string{"no record tells of it, and alerts like it open an incident"}})
		end[g] = latest(end[g], latest(x.EndsAt, x.LastSeen))
	}
	return out
}

// group is what alerts of one incident have in common.
func group(x *alert, by []string) string {
	var b strings.Builder
	for _, name := range by {
		v := x.Labels[name]
		if name == "service" {
			v = x.service
		}
		fmt.Fprintf(&b, "%q", v)
	}
	return b.String()
}
