package tracker

import (
	"slices"
	"time"

	"meantime/incident"
	"meantime/source"
)

// Labelled is a label that was put on an issue, or taken off it.
type Labelled struct {
	At    time.Time
	Label string
	On    bool
}

// Label states the milestones that the labels of an issue mean: when the first of them was put on, of mitigated and resolved the
// last, because it went on until then. A label that was taken off says nothing any more.
func (n Names) Label(r *incident.Record, changes []Labelled, evidence string) {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b Labelled) int { return a.At.Compare(b.At) })
	for i := range changes {
		c := &changes[i]
		name := incident.MilestoneName(n.Of(c.Label))
		off := slices.ContainsFunc(changes[i+1:], func(o Labelled) bool { return o.Label == c.Label && !o.On })
		if name == "" || !c.On || off {
			continue
		}
		_, before := r.Milestones[name]
		if !before || name == incident.Mitigated || name == incident.Resolved {
			source.Set(r, name, c.At, evidence+" "+c.Label)
		}
	}
}

// Reopened takes back that an incident was over, where that was said no later than it was opened again.
func Reopened(r *incident.Record, at time.Time) {
	if end, said := r.Milestones[incident.Resolved]; said && !end.At.After(at) {
		delete(r.Milestones, incident.Resolved)
	}
}

// Severity gives a record the first severity that one of its labels means.
func (n Names) Severity(r *incident.Record, labels []string) {
	for _, l := range labels {
		if s := n.Of(l); s != "" {
			r.Severity = s
			return
		}
	}
}
