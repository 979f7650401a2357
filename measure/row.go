package measure

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
	"unique"

	"meantime/incident"
)

// maxTitle is how many bytes of a title are kept, which is what a label of it shows at most.
const maxTitle = 120

// name is an interned string: services, severities and alert names repeat in a million rows. Names that no row holds any
// more are given back to the collector.
type name = unique.Handle[string]

var noName = unique.Make("")

// row is what the figures need of one incident, about 300 bytes. It is never written to once it is in a Book.
type row struct {
	id, title string
	at        int64 // Incident.At; unknown sorts first and is in no window
	points    points
	lead      int64 // nanoseconds; unknown where there is none
	openUntil int64
	heard     int64 // the last word of alerts whose end is not known although none fires; unknown for others

	impact     int64 // the windows with an end
	impactFrom int64 // where the last window begins, if it has no end
	impactOK   bool  // the length of a window is known
	downs      downs

	open    bool // as the state says; what openUntil says comes with the clock
	applies bool
	listed  bool // among the open and the newest: not a drill or a maintenance
	blind   bool
	missed  bool // no linked alert at all
	late    bool // a linked alert, and a person knew first

	by       uint8 // place in incident.Detectors
	state    incident.State
	severity name
	services []name
	tags     []name             // labels that there are figures by, each as name=value
	origins  [nMilestones]uint8 // place in incident.Origins, plus 1; 0 where the milestone is not known
}

// rowOf is the row of an incident, with those of its labels that there are figures by.
func rowOf(inc *incident.Incident, by ...string) *row {
	r := &row{
		id: strings.Clone(inc.ID), title: clip(inc.Title), at: nanos(inc.At()), points: pointsOf(inc), lead: unknown, openUntil: nanos(inc.OpenUntil), heard: unknown,
		open: inc.State == incident.StateOpen, applies: Applicable(inc), blind: inc.Blind, missed: inc.MissedDetection, late: inc.LateAlert, state: inc.State,
		listed:   inc.Kind != incident.KindDrill && inc.Kind != incident.KindMaintenance,
		severity: intern(inc.Severity),
		by:       uint8(max(0, slices.Index(incident.Detectors, cmp.Or(inc.DetectedBy, incident.ByUnknown)))),
	}
	if d, ok := Lead(inc); ok {
		r.lead = int64(d)
	}
	if r.points[pointEnded] == unknown {
		r.heard = nanos(inc.Alerts.Heard)
	}
	r.impact, r.impactOK, r.impactFrom = impactOf(inc)
	r.downs = downsOf(inc, r.at)
	for _, s := range inc.Services {
		if n := intern(s); n != noName && !slices.Contains(r.services, n) {
			r.services = append(r.services, n)
		}
	}
	r.services = slices.Clip(r.services)
	for _, label := range by {
		if v := inc.Labels[label]; v != "" {
			r.tags = append(r.tags, intern(label+"="+v))
		}
	}
	for i, m := range incident.MilestoneNames {
		if ms, ok := inc.Milestones[m]; ok && !ms.Placeholder && r.points[i] != unknown {
			r.origins[i] = uint8(min(ms.Origin.Rank(), len(incident.Origins)-1)) + 1
		}
	}
	return r
}

func clip(s string) string {
	if len(s) > maxTitle {
		i := maxTitle - len("…")
		for i > 0 && !utf8.RuneStart(s[i]) {
			i--
		}
		s = s[:i] + "…"
	}
	return strings.ToValidUTF8(strings.Clone(s), "\uFFFD")
}

// equal says whether two rows lead to the same figures.
func (r *row) equal(o *row) bool {
	if !slices.Equal(r.services, o.services) || !slices.Equal(r.tags, o.tags) || !r.downs.equal(&o.downs) {
		return false
	}
	return r.id == o.id && r.title == o.title && r.at == o.at && r.points == o.points && r.lead == o.lead &&
		r.openUntil == o.openUntil && r.heard == o.heard &&
		r.impact == o.impact && r.impactFrom == o.impactFrom && r.impactOK == o.impactOK && r.open == o.open && r.applies == o.applies &&
		r.listed == o.listed && r.blind == o.blind && r.missed == o.missed && r.late == o.late && r.by == o.by && r.state == o.state &&
		r.severity == o.severity && r.origins == o.origins
}

// compareRows orders by time, then ID.
func compareRows(a, b *row) int {
	return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.id, b.id))
}

// openAt is Open for a row.
func (r *row) openAt(now int64) bool {
	if r.state == incident.StateCancelled {
		return false
	}
	if r.openUntil != unknown {
		return now < r.openUntil
	}
	return r.open
}

// canOpen says whether there is a clock at which the row is open.
func (r *row) canOpen() bool {
	return r.state != incident.StateCancelled && (r.open || r.openUntil != unknown)
}

// labels are those under which it counts in the all-time histogram.
func (r *row) labels() Labels {
	return Labels{r.service(), r.severity.Value(), incident.Detectors[r.by]}
}

func (r *row) service() string {
	if len(r.services) == 0 {
		return ""
	}
	return r.services[0].Value()
}

func (r *row) head(now int64) *Head {
	h := &Head{
		ID: r.id, Title: r.title, Service: r.service(), Severity: r.severity.Value(),
		DetectedBy: incident.Detectors[r.by], State: r.state, At: timeOf(r.at),
	}
	if r.state != incident.StateCancelled {
		h.State = incident.StateResolved
		if r.openAt(now) {
			h.State = incident.StateOpen
		}
	}
	for i, m := range incident.MilestoneNames {
		if r.origins[i] > 0 {
			h.Milestones = append(h.Milestones, HeadMilestone{m, timeOf(r.points[i]), incident.Origins[r.origins[i]-1]})
		}
	}
	return h
}

//nolint:unused // keep calls it
func (h *Head) equal(o *Head) bool {
	return h.ID == o.ID && h.Title == o.Title && h.Service == o.Service && h.Severity == o.Severity && h.DetectedBy == o.DetectedBy &&
		h.State == o.State && h.At.Equal(o.At) && slices.Equal(h.Milestones, o.Milestones)
}

// groupKey is a Grouping of interned names; noName means not grouped by this.
type groupKey struct{ service, severity, tag name }

var everything = groupKey{noName, noName, noName}

// keys are the groups that the row counts in: everything, each service, the severity, and each service with the severity; each label,
// and each with the severity.
func (r *row) keys(yield func(groupKey) bool) {
	if !yield(everything) {
		return
	}
	bySeverity := r.severity != noName
	if bySeverity && !yield(groupKey{noName, r.severity, noName}) {
		return
	}
	for _, s := range r.services {
		if !yield(groupKey{s, noName, noName}) || bySeverity && !yield(groupKey{s, r.severity, noName}) {
			return
		}
	}
	for _, t := range r.tags {
		if !yield(groupKey{noName, noName, t}) || bySeverity && !yield(groupKey{noName, r.severity, t}) {
			return
		}
	}
}

// in says whether the row counts in a group.
func (r *row) in(k groupKey) bool {
	for x := range r.keys {
		if x == k {
			return true
		}
	}
	return false
}

func (k groupKey) compare(o groupKey) int {
	rank := func(k groupKey) int {
		switch {
		case k == everything:
			return 0
		case k.tag != noName && k.severity == noName:
			return 4
		case k.tag != noName:
			return 5
		case k.severity == noName:
			return 1
		case k.service == noName:
			return 2
		}
		return 3
	}
	return cmp.Or(cmp.Compare(rank(k), rank(o)), strings.Compare(k.service.Value(), o.service.Value()), strings.Compare(k.tag.Value(), o.tag.Value()),
		strings.Compare(k.severity.Value(), o.severity.Value()))
}

// seconds is a length in nanoseconds as seconds.
func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }
