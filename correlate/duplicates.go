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

// openUntil is until when a record counts as open, now at most: it says so, or it neither says its state nor tells an end.
func openUntil(r *incident.Record, rules *Rules, now time.Time) time.Time {
	_, resolved := r.Milestones[incident.Resolved]
	switch {
	case resolved || r.State == incident.StateResolved || r.State == incident.StateCancelled:
		return time.Time{}
	case r.State == incident.StateOpen:
		return now
	}
	_, last := r.Span()
	return earliest(last.Add(rules.OpenFor), now)
}
