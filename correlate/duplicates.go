package correlate

import (
	"fmt"
	"slices"
	"time"

	"meantime/incident"
)

// mergeRecords joins the records that tell of one incident, by what they say of each other or by a review.
func mergeRecords(records []*incident.Record, dir *directory, reviews *decisions, now time.Time) []*report {
	group := make([]int, len(records))
	why := make([]string, len(records))
	for i := range group {
		group[i] = i
	}
	for j := range records {
		for i := range j {
			if group[i] == group[j] {
				continue
			}
			reason := refersTo(records[i], records[j])
			if reason == "" {
				reason = refersTo(records[j], records[i])
			}
			r, decided := reviews.joins[pair(incident.RecordID(records[i].Key()), incident.RecordID(records[j].Key()))]
			if decided {
				if r.Action == incident.ReviewSplit {
					continue
				}
				reason = sentence(r.By+" said they are one", r.Reason)
			}
			if reason == "" {
				continue
			}
			why[j] = reason
			from, to := group[j], group[i]
			for k := range group {
				if group[k] == from {
					group[k] = to
				}
			}
		}
	}
	var out []*report
	for i := range records {
		if group[i] != i {
			continue
		}
		r := &report{}
		for j := range records {
			if group[j] != i {
				continue
			}
			r.records = append(r.records, records[j])
			if j != i {
				r.merged = append(r.merged, why[j])
			}
		}
		slices.SortStableFunc(r.records, func(x, y *incident.Record) int {
			if d := dir.sourceRank(x.Key()) - dir.sourceRank(y.Key()); d != 0 {
				return d
			}
			return y.UpdatedAt.Compare(x.UpdatedAt)
		})
		for _, rec := range r.records {
			from, to := rec.Span()
			r.from, r.to = earliest(r.from, from), latest(r.to, latest(to, openUntil(rec, dir.rules, now)))
			for _, s := range rec.Services {
				r.services = append(r.services, dir.canonical(s))
			}
		}
		out = append(out, r)
	}
	return out
}

// refersTo says how a names b, empty where it does not.
func refersTo(a, b *incident.Record) string {
	switch {
	case b.URL != "" && slices.Contains(a.References.URLs, b.URL):
		return fmt.Sprintf("%s refers to %s by its address %s", a.Key(), b.Key(), b.URL)
	case slices.Contains(a.References.Keys, b.ID), slices.Contains(a.References.Keys, b.Key().String()):
		return fmt.Sprintf("%s refers to %s by its id", a.Key(), b.Key())
	}
	return ""
}

// openUntil is until when a record that tells no end can draw alerts, now at most: for as long after the last thing known of
// it as a record without a state counts as open. One that says it is open and was forgotten draws no more after that.
func openUntil(r *incident.Record, rules *Rules, now time.Time) time.Time {
	if _, resolved := r.Milestones[incident.Resolved]; resolved || r.State == incident.StateResolved || r.State == incident.StateCancelled {
		return time.Time{}
	}
	_, last := r.Span()
	return earliest(last.Add(rules.OpenFor), now)
}
