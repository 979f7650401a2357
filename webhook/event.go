package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/eventrecorder/eventrecorderpb"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"meantime/incident"
)

// eventTypes are the types of events there are, as the event recorder's own metrics name them.
var eventTypes = []string{
	"alertmanager_startup_event", "alertmanager_shutdown_event", "alert_created", "alert_resolved", "alert_grouped",
	"notification", "silence_created", "silence_updated", "silence_muted_alert", "inhibition_muted_alert", "unknown",
}

// splitEvents gives the events in a body: one object, or an array of them (`batch: true`). errTooMany where there are
// more than limit.
func splitEvents(body []byte, limit int) ([]json.RawMessage, error) {
	var whole json.RawMessage
	if err := parse(body, &whole); err != nil {
		return nil, err
	}
	switch k := kindOf(whole); k {
	case "object":
		return []json.RawMessage{whole}, nil
	case "array":
		return elements(whole, limit)
	default:
		return nil, incident.Problems{{Message: fmt.Sprintf("a JSON %s where an event or a list of events belongs", k)}}
	}
}

// elements are those of an array; errTooMany where it has more than limit, of which no more are read.
func elements(b []byte, limit int) (list []json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		if len(list) == limit {
			return nil, errTooMany
		}
		var e json.RawMessage
		if err := d.Decode(&e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// heard gathers what events say. Events come twice and in any order; what they say merges all the same.
type heard struct {
	sightings map[incident.EpisodeKey]incident.Sighting
	order     []incident.EpisodeKey // the keys of sightings as they came
	silences  map[string]incident.Silence
	mutes     []incident.MutedAlert // of which of their starts, only what is stored can tell
	senders   map[string]incident.Sender
	types     map[string]int
	intake    incident.Intake
	ignored   int
}

func newHeard(intake incident.Intake) *heard {
	return &heard{intake: intake, sightings: map[incident.EpisodeKey]incident.Sighting{}, silences: map[string]incident.Silence{}, senders: map[string]incident.Sender{}, types: map[string]int{}}
}

// decodeEvent reads one event. Unknown fields and unknown enum values are ignored.
func decodeEvent(raw []byte) (*eventrecorderpb.Event, error) {
	var e eventrecorderpb.Event
	err := protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: 100}.Unmarshal(raw, &e)
	return &e, err
}

// add takes one event in. An event of which only a part can be used is used as far as it goes.
func (h *heard) add(e *eventrecorderpb.Event, received time.Time) (refusal, incident.Problem) {
	at := eventTime(e.GetTimestamp())
	if at.IsZero() || at.After(received.Add(maxAhead)) {
		at = received
	}
	sender := h.sender(e, at)
	d := e.GetData()
	switch t := d.GetEventType().(type) {
	case *eventrecorderpb.EventData_AlertCreated:
		h.types["alert_created"]++
		return h.alert("data.alertCreated.alert", t.AlertCreated.GetAlert(), nil, at)
	case *eventrecorderpb.EventData_AlertGrouped:
		h.types["alert_grouped"]++
		return h.alert("data.alertGrouped.alert.details", t.AlertGrouped.GetAlert().GetDetails(), t.AlertGrouped.GetGroupInfo(), at)
	case *eventrecorderpb.EventData_AlertResolved:
		h.types["alert_resolved"]++
		return h.alert("data.alertResolved.alert.details", t.AlertResolved.GetAlert().GetDetails(), t.AlertResolved.GetGroupInfo(), at)
	case *eventrecorderpb.EventData_Notification:
		h.types["notification"]++
		return h.notification(t.Notification, sender, at)
	case *eventrecorderpb.EventData_SilenceCreated:
		h.types["silence_created"]++
		h.silence(t.SilenceCreated.GetSilence(), at)
	case *eventrecorderpb.EventData_SilenceUpdated:
		h.types["silence_updated"]++
		h.silence(t.SilenceUpdated.GetSilence(), at)
	case *eventrecorderpb.EventData_SilenceMutedAlert:
		h.types["silence_muted_alert"]++
		p := t.SilenceMutedAlert.GetSilence()
		if s, ok := silence(p, eventTime(p.GetStartsAt())); ok && h.mute(t.SilenceMutedAlert.GetMutedAlert(), incident.Mute{By: s.ID, At: at}) {
			h.keepSilence(s) // it is said again at every flush, and not changed by that
		}
	case *eventrecorderpb.EventData_InhibitionMutedAlert:
		h.types["inhibition_muted_alert"]++
		h.mute(t.InhibitionMutedAlert.GetMutedAlert(), incident.Mute{At: at})
	case *eventrecorderpb.EventData_AlertmanagerStartupEvent:
		h.types["alertmanager_startup_event"]++
	case *eventrecorderpb.EventData_AlertmanagerShutdownEvent:
		h.types["alertmanager_shutdown_event"]++
	default:
		h.types["unknown"]++ // a later Alertmanager's, no mistake
	}
	return "", incident.Problem{}
}

// alert takes in what an event says about one alert.
func (h *heard) alert(path string, a *eventrecorderpb.Alert, group *eventrecorderpb.AlertGroupInfo, at time.Time) (refusal, incident.Problem) {
	s, why, p := eventAlert(a, at)
	if why != "" {
		p.Path = path + dot(p.Path)
		return why, p
	}
	s.GroupKeys = within(group.GetGroupKey(), maxGroupKey)
	h.take(s)
	return "", incident.Problem{}
}

// take merges what an alert said, unless it is ignored.
func (h *heard) take(s incident.Sighting) {
	var ok bool
	if s.Fingerprint, s.Labels, ok = h.intake.Take(s.Fingerprint, s.Labels); !ok {
		h.ignored++
		return
	}
	h.merge(s)
}

// mute notes that an alert was muted, unless it is ignored.
func (h *heard) mute(m *eventrecorderpb.MutedAlert, by incident.Mute) bool {
	fp, _, ok := h.intake.Take(mutedFingerprint(m), pairs(m.GetLabels()))
	if !ok {
		h.ignored++
		return false
	}
	h.mutes = append(h.mutes, incident.MutedAlert{Fingerprint: fp, Mute: by})
	return true
}

// notification takes in a notification that was delivered: for what fires in it, somebody was told at that time.
func (h *heard) notification(n *eventrecorderpb.NotificationEvent, by string, at time.Time) (refusal, incident.Problem) {
	var kind incident.WordKind
	switch n.GetReason() {
	case eventrecorderpb.NotifyReason_NOTIFY_REASON_FIRST_NOTIFICATION:
		kind = incident.WordFirst
	case eventrecorderpb.NotifyReason_NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED:
		kind = incident.WordRepeat
	default: // it tells of some alerts in it, and not of which
	}
	var why refusal
	var first incident.Problem
	for i, g := range n.GetAlerts() {
		s, w, p := eventAlert(g.GetDetails(), at)
		if w != "" {
			if why == "" {
				why, first = w, incident.Problem{Path: fmt.Sprintf("data.notification.alerts[%d].details", i) + dot(p.Path), Message: p.Message}
			}
			continue
		}
		// A notification of the end alone does not tell when the first word of the alert went out.
		if !g.GetDetails().GetResolved() {
			s.Word = incident.Word{At: at, By: by, Kind: kind}
		}
		s.GroupKeys = within(n.GetGroupInfo().GetGroupKey(), maxGroupKey)
		h.take(s)
	}
	return why, first
}

// sender is an Alertmanager's event recorder: whatever the route, it tells of all that this Alertmanager does. It could be
// heard of from its first event on, of whatever kind.
func (h *heard) sender(e *eventrecorderpb.Event, at time.Time) string {
	s := incident.NewSender("events of "+incident.PlainText(e.GetInstance(), maxInstance), "", at)
	if old, ok := h.senders[s.Key]; !ok || at.Before(old.First) {
		h.senders[s.Key] = s
	}
	return s.Key
}

func (h *heard) silence(p *eventrecorderpb.Silence, at time.Time) {
	if s, ok := silence(p, at); ok {
		h.keepSilence(s)
	}
}

// keepSilence keeps the newest version of a silence.
func (h *heard) keepSilence(s incident.Silence) {
	if old, ok := h.silences[s.ID]; ok && old.UpdatedAt.After(s.UpdatedAt) {
		return
	}
	h.silences[s.ID] = s
}

func (h *heard) merge(s incident.Sighting) {
	k := s.Key()
	if old, ok := h.sightings[k]; ok {
		h.sightings[k] = incident.Merge(old, s)
		return
	}
	h.sightings[k] = s
	h.order = append(h.order, k)
}

// eventAlert is what an alert in an event says by itself.
//
// It sets no FiringFirst: that is when a notification was received, and an alert created or grouped has not been
// notified of yet. And what it says about labels and annotations ranks below every notification, because events do not
// carry the generator's URL.
func eventAlert(a *eventrecorderpb.Alert, at time.Time) (incident.Sighting, refusal, incident.Problem) {
	var s incident.Sighting
	l := pairs(a.GetLabels())
	if err := incident.CheckLabels(l); err != nil {
		return s, refusedLabels, incident.Problem{Path: "labels", Message: err.Error()}
	}
	s.StartsAt = eventTime(a.GetStartsAt())
	if s.StartsAt.IsZero() {
		return s, refusedTime, incident.Problem{Path: "startsAt", Message: "missing or out of range"}
	}
	if why := ahead(s.StartsAt, at); why != "" {
		return s, refusedTime, incident.Problem{Path: "startsAt", Message: why}
	}
	s.Fingerprint = eventFingerprint(a.GetFingerprint(), l)
	s.Labels, s.Annotations, s.ToldAt = incident.PlainLabels(l), incident.PlainAnnotations(pairs(a.GetAnnotations())), s.StartsAt
	if !a.GetResolved() {
		s.FiringLast = at
		return s, "", incident.Problem{}
	}
	end := eventTime(a.GetEndsAt())
	if end.After(at.Add(maxAhead)) {
		end = time.Time{}
	}
	if s.Resolved(end, at); !end.IsZero() {
		s.ResolvedFirst = time.Time{} // an event is no notification
	}
	return s, "", incident.Problem{}
}

func eventFingerprint(n uint64, l map[string]string) string {
	if n == 0 {
		return fingerprint("", l)
	}
	return model.Fingerprint(n).String()
}

func mutedFingerprint(m *eventrecorderpb.MutedAlert) string {
	return eventFingerprint(m.GetFingerprint(), pairs(m.GetLabels()))
}

func pairs(l *eventrecorderpb.LabelSet) map[string]string {
	out := make(map[string]string, len(l.GetLabels()))
	for _, p := range l.GetLabels() {
		out[p.GetKey()] = p.GetValue()
	}
	return out
}

// eventTime is a time in UTC, zero where it is not set, in the year 1 or out of range.
func eventTime(t *timestamppb.Timestamp) time.Time {
	if t == nil || !t.IsValid() {
		return time.Time{}
	}
	if y := t.AsTime().Year(); y < 1980 || y > 2200 {
		return time.Time{}
	}
	return t.AsTime()
}

// Limits on a silence: what is over them is cut or, where it is the ID or the number of matchers, refused.
const (
	maxInstance    = 256
	maxSilenceID   = 128
	maxSilenceText = 2048
	maxMatchers    = 128
)

// silence is a silence as an event shows it. It is false where it has no usable ID.
func silence(p *eventrecorderpb.Silence, at time.Time) (incident.Silence, bool) {
	if p.GetId() == "" || len(p.GetId()) > maxSilenceID || len(p.GetMatchers()) > maxMatchers {
		return incident.Silence{}, false
	}
	s := incident.Silence{
		ID: incident.PlainText(p.GetId(), maxSilenceID), StartsAt: eventTime(p.GetStartsAt()), EndsAt: eventTime(p.GetEndsAt()), UpdatedAt: eventTime(p.GetUpdatedAt()),
		CreatedBy: incident.PlainText(p.GetCreatedBy(), maxSilenceText), Comment: incident.PlainText(p.GetComment(), maxSilenceText),
	}
	if s.UpdatedAt.IsZero() {
		s.UpdatedAt = at
	}
	// Alertmanager does not keep when a silence was made. It was there when it was last written and when it began.
	s.CreatedAt = s.UpdatedAt
	if !s.StartsAt.IsZero() && s.StartsAt.Before(s.CreatedAt) {
		s.CreatedAt = s.StartsAt
	}
	for _, m := range p.GetMatchers() {
		s.Matchers = append(s.Matchers, incident.SilenceMatcher{
			Name: incident.PlainText(m.GetName(), maxSilenceText), Value: incident.PlainText(m.GetPattern(), maxSilenceText),
			IsRegex: m.GetType() == eventrecorderpb.Matcher_TYPE_REGEXP || m.GetType() == eventrecorderpb.Matcher_TYPE_NOT_REGEXP,
			IsEqual: m.GetType() != eventrecorderpb.Matcher_TYPE_NOT_EQUAL && m.GetType() != eventrecorderpb.Matcher_TYPE_NOT_REGEXP,
		})
	}
	return s, true
}
