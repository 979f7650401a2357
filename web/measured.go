package web

import (
	"slices"
	"time"

	"meantime/incident"
)

// measured is a measurement in words.
type measured struct {
	Name     string
	From, To string // its points in words
	Status   incident.Status
	// Words is the duration where it is recorded, else what is wrong in a word or two. Why says more.
	Words, Why string
}

// inWords says what a measurement of an incident is, and why it is not known where it is not.
func inWords(i *incident.Incident, v incident.Interval, m incident.Measurement) measured {
	out := measured{Name: v.Name, From: pointWords(v.From), To: pointWords(v.To), Status: m.Status}
	switch m.Status {
	case incident.StatusRecorded:
		if m.Seconds != nil {
			out.Words = duration(time.Duration(*m.Seconds * float64(time.Second)))
		}
	case incident.StatusPending:
		out.Words = "not yet"
	case incident.StatusMissing:
		out.Words, out.Why = "not known", whyMissing(i, v)
	case incident.StatusInvalid:
		out.Words, out.Why = "contradiction", out.To+" is told before "+out.From
	case incident.StatusNotApplicable:
		out.Words, out.Why = "not measured", "a "+string(i.Kind)+" is counted, not measured"
		if i.State == incident.StateCancelled {
			out.Why = "the incident was cancelled"
		}
	}
	return out
}

// alertPoints are the points that only alerts tell.
var alertPoints = []incident.Point{incident.PointCondition, incident.PointFired, incident.PointNotified, incident.PointEnded}

// whyMissing names the ends that nobody knows.
func whyMissing(i *incident.Incident, v incident.Interval) string {
	var unknown []string
	why := ""
	for _, p := range []incident.Point{v.From, v.To} {
		if !i.Point(p).IsZero() {
			continue
		}
		if slices.Contains(alertPoints, p) && len(i.Linked()) == 0 {
			return "no alert is linked"
		}
		words := pointWords(p)
		if m, ok := i.Milestones[incident.MilestoneName(p)]; ok && m.Placeholder {
			words += " (only a placeholder)"
		}
		unknown = append(unknown, words)
		if why == "" {
			why = i.WhyUnknown(p)
		}
	}
	if why != "" {
		return joinWords(unknown) + " not known " + why
	}
	if len(unknown) == 0 {
		return "an end is not known"
	}
	return joinWords(unknown) + " not known"
}
