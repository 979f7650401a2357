package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	"meantime/incident"
)

// What an alert's status can be.
const (
	statusFiring   = "firing"
	statusResolved = "resolved"
)

// refusal says why an alert or event was refused: a metric label.
type refusal string

const (
	refusedForm   refusal = "form"   // its fields have the wrong JSON types
	refusedLabels refusal = "labels" // it has none, or more or longer ones than allowed
	refusedTime   refusal = "time"   // its start is not a time
	refusedStatus refusal = "status" // it neither fires nor is resolved
	// refusedUnknown: an event says that an alert is muted of which nothing else is known.
	refusedUnknown refusal = "unknown_alert"
)

// refusals lists what each endpoint refuses.
var refusals = map[string][]refusal{
	"alertmanager": {refusedForm, refusedLabels, refusedTime, refusedStatus},
	"events":       {refusedForm, refusedLabels, refusedTime, refusedUnknown},
}

// Limits on one alert. An alert whose labels are over them is refused, because its labels are what it is; everything
// else is cut, because it only explains.
const (
	maxLabels          = 128
	maxLabelBytes      = 16 << 10 // all names and values of one alert together
	maxAnnotations     = 64
	maxAnnotationBytes = 4 << 10 // one value
	maxAnnotationName  = 256
	maxURL             = 4 << 10
	maxGroupKey        = 8 << 10
	// maxAhead is how far an end may lie after the receipt of the resolved that tells it: the clocks of two machines.
	maxAhead = 5 * time.Minute
)

// sender is what a message says about all its alerts.
type sender struct {
	status      string
	groupKeys   []string
	externalURL []string
}

func (m *message) sender() sender {
	return sender{m.Status, within(m.GroupKey, maxGroupKey), within(m.ExternalURL, maxURL)}
}

// sighting is what one alert of a notification says, or why it is refused: the reason, the field and a sentence.
func (a *wireAlert) sighting(from sender, received time.Time) (incident.Sighting, refusal, incident.Problem) {
	var s incident.Sighting
	switch {
	case a.err != nil:
		return s, refusedForm, incident.Problem{Message: jsonError(a.err)}
	case a.StartsAt.err != nil:
		return s, refusedTime, incident.Problem{Path: "startsAt", Message: a.StartsAt.err.Error()}
	}
	if err := checkLabels(a.Labels); err != nil {
		return s, refusedLabels, incident.Problem{Path: "labels", Message: err.Error()}
	}
	s = incident.Sighting{
		Fingerprint: fingerprint(a.Fingerprint, a.Labels), StartsAt: a.StartsAt.Time,
		Labels: clean(a.Labels), Annotations: annotations(a.Annotations), ToldAt: received,
		GroupKeys: from.groupKeys, Alertmanagers: from.externalURL,
	}
	if len(a.GeneratorURL) <= maxURL { // half an address leads nowhere
		s.GeneratorURL = a.GeneratorURL
	}
	switch a.statusAt(from, received) {
	case statusFiring:
		s.FiringFirst, s.FiringLast = received, received // the endsAt of a firing alert is a forecast
	case statusResolved:
		s.ResolvedFirst = received
		// An end after the notification that tells it is none; the episode then ends when the resolved was received.
		if !a.EndsAt.After(received.Add(maxAhead)) {
			s.EndsAt = a.EndsAt.Time
		}
	default:
		return s, refusedStatus, incident.Problem{Path: "status", Message: fmt.Sprintf("unknown value %q; it is one of firing, resolved", cut(a.Status, 80))}
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

func checkLabels(l template.KV) error {
	size := 0
	for k, v := range l {
		size += len(k) + len(v)
	}
	switch {
	case len(l) == 0:
		return fmt.Errorf("missing; they are what an alert is")
	case len(l) > maxLabels:
		return fmt.Errorf("%d are more than the %d allowed", len(l), maxLabels)
	case size > maxLabelBytes:
		return fmt.Errorf("%d bytes are more than the %d allowed", size, maxLabelBytes)
	}
	return nil
}

// fingerprint is the one sent, or where none of Alertmanager's form was sent, the one Alertmanager computes.
func fingerprint(sent string, l template.KV) string {
	if len(sent) == 16 {
		if fp, err := model.ParseFingerprint(sent); err == nil {
			return fp.String()
		}
	}
	set := make(model.LabelSet, len(l))
	for k, v := range l {
		if v != "" { // Alertmanager drops empty labels before it computes
			set[model.LabelName(k)] = model.LabelValue(v)
		}
	}
	return set.Fingerprint().String()
}

// annotations keeps the first maxAnnotations by name and cuts long values.
func annotations(in template.KV) map[string]string {
	if len(in) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(in))
	names = slices.DeleteFunc(names, func(n string) bool { return len(n) > maxAnnotationName })
	out := make(template.KV, len(names))
	for _, n := range names[:min(len(names), maxAnnotations)] {
		out[n] = cut(in[n], maxAnnotationBytes)
	}
	return clean(out)
}

// clean takes out the one character that is valid JSON and UTF-8 but that PostgreSQL takes in no text. JSON decoding
// has seen to everything else.
func clean(in template.KV) map[string]string {
	for k, v := range in {
		if strings.ContainsRune(k, 0) || strings.ContainsRune(v, 0) {
			out := make(map[string]string, len(in))
			for k, v := range in {
				out[strings.ReplaceAll(k, "\x00", "\uFFFD")] = strings.ReplaceAll(v, "\x00", "\uFFFD")
			}
			return out
		}
	}
	return in
}

// within is s as a list, empty where s is empty or too long to keep.
func within(s string, limit int) []string {
	if s == "" || len(s) > limit {
		return nil
	}
	return []string{plain(s, limit)}
}

// plain is s as text that every database takes, at most limit bytes of it.
func plain(s string, limit int) string { return strings.ReplaceAll(cut(s, limit), "\x00", "\uFFFD") }

// cut shortens s to at most limit bytes, between two characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
