package webhook

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"meantime/incident"
)

// What an alert's status can be.
const (
	statusFiring   = "firing"
	statusResolved = "resolved"
)

// wordKinds are what Alertmanager 0.34 gives as reason of a notification, as far as it tells of the alerts in it whether
// they were notified of before. The others, and no reason, tell of some of them and not of which.
var wordKinds = map[string]incident.WordKind{
	"first notification":      incident.WordFirst,
	"repeat interval elapsed": incident.WordRepeat,
}

// refusal says why an alert or event was refused: a metric label.
type refusal string

const (
	refusedForm   refusal = "form"   // its fields have the wrong JSON types
	refusedLabels refusal = "labels" // it has none, or more or longer ones than allowed
	refusedTime   refusal = "time"   // its start is not a time
	refusedStatus refusal = "status" // it neither fires nor is resolved
	// refusedUnknown: an event said that an alert is muted of which nothing else was told for as long as that was kept.
	refusedUnknown refusal = "unknown_alert"
)

// refusals lists what each endpoint refuses.
var refusals = map[string][]refusal{
	"alertmanager": {refusedForm, refusedLabels, refusedTime, refusedStatus},
	"events":       {refusedForm, refusedLabels, refusedTime, refusedUnknown},
}

const (
	maxURL      = 4 << 10
	maxGroupKey = 8 << 10
	// maxAhead is how far an end may lie after the receipt of the resolved that tells it: the clocks of two machines.
	maxAhead = 5 * time.Minute
)

// sender is what a message says about all its alerts.
type sender struct {
	status      string
	kind        incident.WordKind
	key         string
	groupKeys   []string
	externalURL []string
}

func (m *message) sender() sender {
	return sender{m.Status, wordKinds[m.NotificationReason], "", within(m.GroupKey, maxGroupKey), within(m.ExternalURL, maxURL)}
}

// sighting is what one alert of a notification says, or why it is refused: the reason, the field and a sentence.
func (a *wireAlert) sighting(from sender, received time.Time) (incident.Sighting, refusal, incident.Problem) {
	var s incident.Sighting
	switch {
	case a.wrong != nil:
		return s, refusedForm, *a.wrong
	case a.StartsAt.err != nil:
		return s, refusedTime, incident.Problem{Path: "startsAt", Message: a.StartsAt.err.Error()}
	}
	if why := ahead(a.StartsAt.Time, received); why != "" {
		return s, refusedTime, incident.Problem{Path: "startsAt", Message: why}
	}
	if err := incident.CheckLabels(a.Labels); err != nil {
		return s, refusedLabels, incident.Problem{Path: "labels", Message: err.Error()}
	}
	s = incident.Sighting{
		Fingerprint: fingerprint(a.Fingerprint, a.Labels), StartsAt: a.StartsAt.Time,
		Labels: incident.PlainLabels(a.Labels), Annotations: incident.PlainAnnotations(a.Annotations), ToldAt: received,
		GroupKeys: from.groupKeys, Alertmanagers: from.externalURL,
	}
	if len(a.GeneratorURL) <= maxURL { // half an address leads nowhere
		s.GeneratorURL = a.GeneratorURL
	}
	switch a.statusAt(from, received) {
	case statusFiring:
		s.FiringFirst, s.FiringLast = received, received // the endsAt of a firing alert is a forecast
		s.Word = incident.Word{At: received, By: from.key, Kind: from.kind}
	case statusResolved:
		// An end after the notification that tells it is none; the episode then ends when the resolved was received.
		end := a.EndsAt.Time
		if end.After(received.Add(maxAhead)) {
			end = time.Time{}
		}
		s.Resolved(end, received)
	default:
		return s, refusedStatus, incident.Problem{Path: "status", Message: fmt.Sprintf("unknown value %q; it is one of firing, resolved", incident.PlainText(a.Status, 80))}
	}
	return s, "", incident.Problem{}
}

// statusAt is the alert's status. Where the alert does not say, it is what Alertmanager would have said: resolved where
// everything in the message is, or where its end had come.
func (a *wireAlert) statusAt(from sender, received time.Time) string {
	if a.Status != "" {
		return a.Status
	}
	if from.status == statusResolved || (!a.EndsAt.IsZero() && !a.EndsAt.After(received)) {
		return statusResolved
	}
	return statusFiring
}

// fingerprint is the one sent, or where none of Alertmanager's form was sent, the one Alertmanager computes.
func fingerprint(sent string, l map[string]string) string {
	if len(sent) == 16 {
		if fp, err := model.ParseFingerprint(sent); err == nil {
			return fp.String()
		}
	}
	return incident.Fingerprint(l)
}

// within is s as a list, empty where s is empty or too long to keep.
func within(s string, limit int) []string {
	if s == "" || len(s) > limit {
		return nil
	}
	return []string{incident.PlainText(s, limit)}
}
