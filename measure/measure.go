package measure

import (
	"cmp"
	"time"

	"meantime/incident"
)

// All measures every interval of an incident as of now. The status of each is
//
//   - not_applicable for a drill, a maintenance and a cancelled incident, whatever is known of them;
//   - recorded where both points are known and the end is not before the start; zero is a duration like any other;
//   - invalid where both are known and the end is before the start;
//   - pending where the incident is open and the interval's end has not come, whether or not its start is known, unless it
//     came unheard (see incident.Incident.WhyUnknown);
//   - missing otherwise: a point is not known and will not come by itself, such as an end of alerts that nobody told.
//
// A started that is only a placeholder is not known (see incident.Incident.Point), so a detect of 0 from one is missing.
// The interval of an open incident that begins where its last alert ends is pending for as long as an alert fires.
func All(inc *incident.Incident, intervals []incident.Interval, now time.Time) map[string]incident.Measurement {
	p, open, applies := pointsOf(inc), Open(inc, now), Applicable(inc)
	out := make(map[string]incident.Measurement, len(intervals))
	for _, iv := range intervals {
		s, ns := p.measure(rangeOf(iv), open, applies)
		if s == recorded {
			out[iv.Name] = incident.Recorded(time.Duration(ns))
		} else {
			out[iv.Name] = incident.Measurement{Status: incident.Statuses[s], Why: whyMissing(inc, iv, s)}
		}
	}
	return out
}

// whyMissing says why nobody knows the end of an interval that alerts would tell, where that is known.
func whyMissing(inc *incident.Incident, iv incident.Interval, s status) string {
	if s != missing {
		return ""
	}
	return cmp.Or(inc.WhyUnknown(iv.From), inc.WhyUnknown(iv.To))
}

// Applicable says whether an incident is one that is measured: not a drill, a maintenance or cancelled.
func Applicable(inc *incident.Incident) bool {
	return inc.Kind != incident.KindDrill && inc.Kind != incident.KindMaintenance && inc.State != incident.StateCancelled
}

// Open says whether an incident is open as of now. One that says neither its state nor its end is open until its OpenUntil,
// which can pass without any new fact.
func Open(inc *incident.Incident, now time.Time) bool {
	if inc.State == incident.StateCancelled {
		return false
	}
	if !inc.OpenUntil.IsZero() {
		return now.Before(inc.OpenUntil)
	}
	return inc.State == incident.StateOpen
}

// Impact is the time in which users were affected as of now: the incident's impact windows, overlaps counted once. The
// last window of an open incident goes on until now; any other window without an end is of unknown length and does not
// count. ok is false where no window's length is known.
func Impact(inc *incident.Incident, now time.Time) (d time.Duration, ok bool) {
	closed, known, openFrom := impactOf(inc)
	ns, ok := impactAt(closed, known, openFrom, Open(inc, now), now.UnixNano())
	return time.Duration(ns), ok
}

// Lead is how long before the first person aware the first alert's notification came; negative where people were first.
// ok is false where either is not known.
func Lead(inc *incident.Incident) (d time.Duration, ok bool) {
	if inc.Alerts.Person.IsZero() || inc.Alerts.First.IsZero() {
		return 0, false
	}
	return inc.Alerts.Person.Sub(inc.Alerts.First), true
}
