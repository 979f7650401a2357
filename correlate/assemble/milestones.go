package assemble

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// milestones collects every candidate for every milestone and lets the rules of origin choose among them.
func (a *Assembler) milestones(in *incident.Incident, records []*incident.Record, linked []*incident.Episode, reviews []incident.Review, over time.Time) {
	for _, name := range incident.MilestoneNames {
		var set *incident.Candidate
		cleared := false
		for _, r := range reviews {
			if r.Milestone != name {
				continue
			}
			switch r.Action {
			case incident.ReviewSet:
				cleared = false
				set = &incident.Candidate{
					At: r.Time, Precision: incident.DefaultPrecision(r.Time), Origin: incident.OriginReview,
					Evidence: sentence(r.By, r.Reason), From: r.ID,
				}
			case incident.ReviewClear:
				cleared, set = true, nil
			}
		}
		if cleared {
			continue // a person said that nobody knows
		}
		var all []incident.Candidate
		if set != nil {
			all = append(all, *set)
		}
		for _, r := range a.byRank(records, name) { // which a stable sort by origin keeps
			if c, ok := stated(r, name); ok {
				all = append(all, c)
			}
		}
		all = append(all, a.told(in, name, linked, over)...)
		if len(all) == 0 {
			continue
		}
		slices.SortStableFunc(all, func(x, y incident.Candidate) int {
			if x.Placeholder != y.Placeholder {
				return cmp.Compare(btoi(x.Placeholder), btoi(y.Placeholder))
			}
			return x.Origin.Rank() - y.Origin.Rank()
		})
		if name == incident.Detected {
			first := firstAware(all)
			c := all[first]
			all = slices.Insert(slices.Delete(all, first, first+1), 0, c)
		}
		in.Milestones[name] = incident.Milestone{Candidate: all[0], Candidates: all}
	}
}

// firstAware is the index of the candidate that counts as detected: a review's; else the earlier of the best record's
// and the first notification of an alert.
func firstAware(all []incident.Candidate) int {
	if all[0].Origin == incident.OriginReview {
		return 0
	}
	for i, c := range all {
		if c.Origin == incident.OriginAlert && c.At.Before(all[0].At) {
			return i
		}
	}
	return 0
}

// byRank are the records whose times count for a milestone, the one that does before all others first: the most trusted
// sources, and among records of one rank the one that tells the earliest time, of an end the latest. A record that was merged
// into another tells none. Where one of a rank says that the incident is open, no other of the rank tells its end.
func (a *Assembler) byRank(records []*incident.Record, name incident.MilestoneName) []*incident.Record {
	type rank struct{ origin, source int }
	of := func(r *incident.Record) rank {
		return rank{cmp.Or(r.Origin, incident.OriginRecord).Rank(), a.Rank(r.Key())}
	}
	open := map[rank]bool{}
	for _, r := range records {
		if r.State == incident.StateOpen && MergedInto(r) == "" {
			open[of(r)] = true
		}
	}
	list := slices.DeleteFunc(slices.Clone(records), func(r *incident.Record) bool {
		return MergedInto(r) != "" || name == incident.Resolved && open[of(r)] && r.State != incident.StateOpen
	})
	slices.SortStableFunc(list, func(x, y *incident.Record) int {
		p, q := x.Milestones[name].At, y.Milestones[name].At
		c := p.Compare(q)
		if name == incident.Mitigated || name == incident.Resolved {
			c = -c
		}
		return cmp.Or(of(x).origin-of(y).origin, of(x).source-of(y).source, c, strings.Compare(x.Source, y.Source), strings.Compare(x.ID, y.ID))
	})
	return list
}

// MergedInto is the id of the record that its source merged a record into; empty where it did not.
func MergedInto(r *incident.Record) string {
	for _, x := range r.Related {
		if strings.ToLower(strings.NewReplacer(" ", "_", "-", "_").Replace(x.How)) == "merged_into" {
			return x.ID
		}
	}
	return ""
}

// stated is a milestone as a record states it.
func stated(r *incident.Record, name incident.MilestoneName) (incident.Candidate, bool) {
	m, ok := r.Milestones[name]
	if !ok {
		return incident.Candidate{}, false
	}
	c := incident.Candidate{At: m.At, Precision: m.Precision, Origin: r.Origin, Evidence: m.Evidence, From: r.Key().String()}
	if c.Origin == "" {
		c.Origin = incident.OriginRecord
	}
	if c.Precision == "" {
		c.Precision = incident.DefaultPrecision(m.At)
	}
	if m.Line > 0 {
		c.Evidence = strings.TrimSpace(fmt.Sprintf("%s (line %d)", c.Evidence, m.Line))
	}
	if name == incident.Started {
		detected, known := r.Milestones[incident.Detected]
		switch {
		case known && repeats(m.At, detected.At):
			c.Placeholder = true
			c.Evidence = "it only repeats the record's own detected"
		case !r.CreatedAt.IsZero() && repeats(m.At, r.CreatedAt):
			c.Placeholder = true
			c.Evidence = "it only repeats when the record was made"
		}
	}
	if name == incident.Mitigated || name == incident.Resolved {
		if started, ok := r.Milestones[incident.Started]; ok && repeats(m.At, started.At) {
			c.Placeholder = true
			c.Evidence = "it only repeats the record's own started"
		}
	}
	return c, true
}

// repeats says whether a time is another time of the same form, exactly or cut to the minute.
func repeats(t, other time.Time) bool {
	return t.Equal(other) || t.Equal(other.Truncate(time.Minute))
}

// told are the candidates for a milestone that the linked alerts tell.
func (a *Assembler) told(in *incident.Incident, name incident.MilestoneName, linked []*incident.Episode, over time.Time) []incident.Candidate {
	if len(linked) == 0 {
		return nil
	}
	var out []incident.Candidate
	switch name {
	case incident.Started:
		linked = a.leading(in, linked)
		var measured, estimated *incident.Episode
		for _, e := range linked {
			switch e.ConditionFrom {
			case incident.ConditionMeasured:
				if measured == nil || e.ConditionAt.Before(measured.ConditionAt) {
					measured = e
				}
			case incident.ConditionFromFor:
				if estimated == nil || e.ConditionAt.Before(estimated.ConditionAt) {
					estimated = e
				}
			}
		}
		if measured != nil {
			out = append(out, incident.Candidate{
				At: measured.ConditionAt, Precision: incident.PrecisionSecond, Origin: incident.OriginPrometheus,
				Evidence: fmt.Sprintf("the condition of %s became true, read from ALERTS_FOR_STATE", measured.Name()), From: measured.Key().String(),
			})
		}
		if estimated != nil {
			out = append(out, incident.Candidate{
				At: estimated.ConditionAt, Precision: incident.PrecisionApproximate, Origin: incident.OriginPrometheus,
				Evidence: fmt.Sprintf("%s fired, less the `for` of its rule", estimated.Name()), From: estimated.Key().String(),
			})
		}
		first := linked[0]
		out = append(out, incident.Candidate{
			At: first.StartsAt, Precision: incident.PrecisionSecond, Origin: incident.OriginAlert,
			Evidence: fmt.Sprintf("%s fired first", first.Name()), From: first.Key().String(),
		})
	case incident.Detected:
		if first, _ := firstNotified(linked); first != nil {
			out = append(out, incident.Candidate{
				At: first.NotifiedAt, Precision: incident.PrecisionSecond, Origin: incident.OriginAlert,
				Evidence: fmt.Sprintf("the first notification of %s", first.Name()), From: first.Key().String(),
			})
		}
	case incident.Acknowledged:
		if c, ok := a.silenced(linked); ok {
			out = append(out, c)
		}
	case incident.Mitigated, incident.Resolved:
		if name == incident.Resolved && !in.OpenedByAlerts || in.Alerts.Ended.IsZero() {
			break // people close tickets long after users are well: where there is a record, the end of an alert is not the end of it all
		}
		if in.OpenedByAlerts && over.After(a.Now) {
			break
		}
		var last *incident.Episode
		for _, e := range linked {
			if e.Ended() && (last == nil || e.EndsAt.After(last.EndsAt)) {
				last = e
			}
		}
		c := incident.Candidate{At: last.EndsAt, Precision: incident.PrecisionSecond, Origin: incident.OriginAlert, Evidence: fmt.Sprintf("%s ended last", last.Name()), From: last.Key().String()}
		switch last.End {
		case incident.EndGone:
			c.Precision = incident.PrecisionApproximate
			c.Evidence = fmt.Sprintf("%s ended last; Alertmanager listed it until then", last.Name())
		case incident.EndHistory:
			c.Origin = incident.OriginPrometheus
			c.Evidence = fmt.Sprintf("%s ended last, as Prometheus' past shows", last.Name())
		}
		out = append(out, c)
	}
	return out
}

// silenced is the acknowledgement that a silence tells: somebody muted one of the alerts while it fired.
func (a *Assembler) silenced(linked []*incident.Episode) (incident.Candidate, bool) {
	var at time.Time
	var by *incident.Silence
	var of *incident.Episode
	for i := range a.Silences {
		s := &a.Silences[i]
		made := s.CreatedAt
		if made.IsZero() {
			made = s.StartsAt
		}
		for _, e := range linked {
			if made.Before(e.StartsAt) || (!at.IsZero() && !made.Before(at)) || s.EndsAt.Before(e.StartsAt) {
				continue
			}
			if !e.Firing() && (made.After(e.EndsAt) || s.StartsAt.After(e.EndsAt)) { // made for a maintenance to come, it may be
				continue
			}
			if slices.Contains(e.SilencedBy, s.ID) || mutes(s, e.Labels) {
				at, by, of = made, s, e
			}
		}
	}
	if by == nil {
		return incident.Candidate{}, false
	}
	return incident.Candidate{
		At: at, Precision: incident.PrecisionSecond, Origin: incident.OriginAlert, From: by.ID,
		Evidence: sentence(fmt.Sprintf("%s silenced %s while it fired", cmp.Or(by.CreatedBy, "somebody"), of.Name()), by.Comment),
	}, true
}

// mutes says whether a silence's matchers match an alert.
func mutes(s *incident.Silence, l map[string]string) bool {
	for _, m := range s.Matchers {
		v := l[m.Name]
		ok := v == m.Value
		if m.IsRegex {
			re, err := regexp.Compile("^(?:" + m.Value + ")$")
			if err != nil {
				return false // Alertmanager would not have taken it
			}
			ok = re.MatchString(v)
		}
		if ok != m.IsEqual {
			return false
		}
	}
	return len(s.Matchers) > 0
}

// detection decides who knew first, and tells a late alert from a missed detection.
func (a *Assembler) detection(in *incident.Incident, records []*incident.Record, reviews []incident.Review) {
	said := incident.ByUnknown
	for _, r := range records {
		if said == incident.ByUnknown && r.DetectedBy != "" {
			said = r.DetectedBy
		}
	}
	person := said == incident.ByCustomer || said == incident.ByStaff || said == incident.ByThirdParty
	for _, r := range records {
		if MergedInto(r) != "" {
			continue
		}
		if m, ok := r.Milestones[incident.Detected]; ok && person {
			in.Alerts.Person = incident.Earliest(in.Alerts.Person, m.At)
		}
		if m, ok := r.Milestones[incident.Acknowledged]; ok {
			in.Alerts.Person = incident.Earliest(in.Alerts.Person, m.At)
		}
	}
	for _, r := range reviews {
		if r.Action == incident.ReviewSet && (r.Milestone == incident.Acknowledged || r.Milestone == incident.Detected && person) {
			in.Alerts.Person = incident.Earliest(in.Alerts.Person, r.Time)
		}
	}
	in.MissedDetection = in.Alerts.Fired.IsZero()
	first := in.Alerts.First
	detected, known := in.Milestones[incident.Detected]
	in.DetectedBy = said
	switch {
	case first.IsZero() && in.OpenedByAlerts && said == incident.ByUnknown && !known:
		in.DetectedBy = incident.ByAlert // it is not known when
	case first.IsZero() || !known:
		// no alert, or nobody knows when: who knew first is what the record says
	case !detected.At.Before(first), !person && !detected.At.Before(first.Add(-tolerance(detected.Precision))):
		in.DetectedBy = incident.ByAlert
	case said == incident.ByAlert:
		// the record's time is earlier than what was delivered, but it says itself that an alert told it
	default:
		in.LateAlert = true
	}
}

// tolerance is how far a time can be off by the way it was written.
func tolerance(p incident.Precision) time.Duration {
	switch p {
	case incident.PrecisionSecond:
		return 0
	case incident.PrecisionApproximate:
		return 5 * time.Minute
	}
	return time.Minute
}

// sentence joins what was done with the reason given for it.
func sentence(what, why string) string {
	if why = strings.TrimSpace(why); why == "" {
		return what
	}
	return what + ": " + why
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
