package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"meantime/incident"
)

// stateActive is the state of an alert that is neither silenced, inhibited, muted by time nor yet to be processed.
const stateActive = "active"

// alert is one that Alertmanager lists: it fires.
type alert struct {
	fingerprint         string
	startsAt            time.Time
	updatedAt           time.Time // when it last came from Prometheus, which is that it fires; zero where that is not told
	labels, annotations map[string]string
	generatorURL        string
	state               string
	silencedBy          []string
	inhibited           bool
	receivers           []string          // that it is routed to
	routed              map[string]string // the labels that it is routed by: those it has in Alertmanager
}

const (
	maxURL      = 4 << 10
	maxID       = 128
	maxText     = 2048
	maxMatchers = 128
	maxSilences = 50_000
)

// alerts asks for all alerts that fire, whatever mutes them. unread says which could not be read; the rest is good.
func (s *Source) alerts(ctx context.Context) (list []alert, unread, err error) {
	var raw []json.RawMessage
	query := url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"}}
	if err := s.client.Get(ctx, "/api/v2/alerts", query, &raw); err != nil {
		return nil, nil, err
	}
	var first error
	bad := 0
	for i := range raw {
		a, err := readAlert(raw[i])
		if err != nil {
			if bad++; first == nil {
				first = fmt.Errorf("alerts[%d]: %w", i, err)
			}
			continue
		}
		var ok bool
		if a.fingerprint, a.labels, ok = s.intake.Take(a.fingerprint, a.labels); ok {
			list = append(list, a)
		}
	}
	if first != nil {
		unread = fmt.Errorf("%d of %d alerts could not be read: %w", bad, len(raw), first)
	}
	return list, unread, nil
}

// readAlert reads one of Alertmanager's models.GettableAlert. Only what is used is read, so that versions may differ in
// the rest: 0.25 has no mutedBy.
func readAlert(raw json.RawMessage) (alert, error) {
	var wire struct {
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     string            `json:"startsAt"`
		UpdatedAt    string            `json:"updatedAt"`
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
		Receivers    []struct {
			Name string `json:"name"`
		} `json:"receivers"`
		Status struct {
			State       string   `json:"state"`
			SilencedBy  []string `json:"silencedBy"`
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return alert{}, err
	}
	if err := incident.CheckLabels(wire.Labels); err != nil {
		return alert{}, fmt.Errorf("labels: %w", err)
	}
	start, err := incident.ParseTime(wire.StartsAt)
	if err != nil {
		return alert{}, fmt.Errorf("startsAt: %w", err)
	}
	if start.Year() < 1980 || start.Year() > 2200 {
		return alert{}, fmt.Errorf("startsAt: year %d is out of range", start.Year())
	}
	a := alert{
		fingerprint: incident.Fingerprint(wire.Labels), startsAt: start, state: wire.Status.State, inhibited: len(wire.Status.InhibitedBy) > 0,
		labels: incident.PlainLabels(wire.Labels), annotations: incident.PlainAnnotations(wire.Annotations), routed: wire.Labels,
	}
	for _, r := range wire.Receivers {
		a.receivers = append(a.receivers, r.Name)
	}
	if t, err := incident.ParseTime(wire.UpdatedAt); err == nil && !t.Before(start) && t.Year() <= 2200 {
		a.updatedAt = t
	}
	if fp, err := model.ParseFingerprint(wire.Fingerprint); err == nil && len(wire.Fingerprint) == 16 {
		a.fingerprint = fp.String()
	}
	if len(wire.GeneratorURL) <= maxURL {
		a.generatorURL = incident.PlainText(wire.GeneratorURL, maxURL)
	}
	for _, id := range wire.Status.SilencedBy {
		if id != "" && len(id) <= maxID {
			a.silencedBy = append(a.silencedBy, incident.PlainText(id, maxID))
		}
	}
	slices.Sort(a.silencedBy)
	return a, nil
}

// among finds the sighting of this start, and says whether a notification of it came. The API tells times to the
// millisecond, webhooks to the nanosecond: where the API was first there is one of each, and the webhook's goes on. A
// notification of a replica's start is one of this alert.
func (a *alert) among(all []incident.Sighting) (found *incident.Sighting, notified bool) {
	start := a.startsAt.Truncate(time.Millisecond)
	for i := range all {
		x := &all[i]
		told := !x.FiringFirst.IsZero() || !x.Word.At.IsZero()
		if told && x.StartsAt.Sub(start).Abs() < incident.ReplicaSkew {
			notified = true
		}
		if x.StartsAt.Truncate(time.Millisecond).Equal(start) && (found == nil || x.StartsAt.After(found.StartsAt)) {
			found = x
		}
	}
	return found, notified
}

// newSilences asks for all silences, those over included, and gives those that are new or changed.
func (s *Source) newSilences(ctx context.Context) ([]incident.Silence, error) {
	var raw []json.RawMessage
	if err := s.client.Get(ctx, "/api/v2/silences", nil, &raw); err != nil {
		return nil, err
	}
	if len(raw) > maxSilences {
		return nil, fmt.Errorf("%d silences are more than the %d allowed", len(raw), maxSilences)
	}
	var out []incident.Silence
	var errs []error
	for i := range raw {
		x, err := readSilence(raw[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("silences[%d]: %w", i, err))
			continue
		}
		// Whatever changes a silence moves its updatedAt.
		if old, ok := s.silences[x.ID]; !ok || !old.UpdatedAt.Equal(x.UpdatedAt) || !old.EndsAt.Equal(x.EndsAt) {
			out = append(out, x)
		}
	}
	if len(errs) > 1 {
		errs = []error{fmt.Errorf("%d of %d silences could not be read: %w", len(errs), len(raw), errs[0])}
	}
	return out, errors.Join(errs...)
}

// readSilence reads one of Alertmanager's models.GettableSilence.
func readSilence(raw json.RawMessage) (incident.Silence, error) {
	var wire struct {
		ID       string `json:"id"`
		Matchers []struct {
			Name    string `json:"name"`
			Value   string `json:"value"`
			IsRegex bool   `json:"isRegex"`
			IsEqual *bool  `json:"isEqual"` // absent before 0.22: it is equal
		} `json:"matchers"`
		StartsAt  string `json:"startsAt"`
		EndsAt    string `json:"endsAt"`
		UpdatedAt string `json:"updatedAt"`
		CreatedBy string `json:"createdBy"`
		Comment   string `json:"comment"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return incident.Silence{}, err
	}
	if wire.ID == "" || len(wire.ID) > maxID {
		return incident.Silence{}, errors.New("id: missing or too long")
	}
	if len(wire.Matchers) > maxMatchers {
		return incident.Silence{}, fmt.Errorf("matchers: %d are more than the %d allowed", len(wire.Matchers), maxMatchers)
	}
	x := incident.Silence{ID: incident.PlainText(wire.ID, maxID), CreatedBy: incident.PlainText(wire.CreatedBy, maxText), Comment: incident.PlainText(wire.Comment, maxText)}
	for _, f := range []struct {
		name, text string
		to         *time.Time
	}{{"startsAt", wire.StartsAt, &x.StartsAt}, {"endsAt", wire.EndsAt, &x.EndsAt}, {"updatedAt", wire.UpdatedAt, &x.UpdatedAt}} {
		t, err := incident.ParseTime(f.text)
		if err != nil {
			return incident.Silence{}, fmt.Errorf("%s: %w", f.name, err)
		}
		if t.Year() < 1980 || t.Year() > 2200 {
			return incident.Silence{}, fmt.Errorf("%s: year %d is out of range", f.name, t.Year())
		}
		*f.to = t
	}
	// Alertmanager does not keep when a silence was made. It was there when it was last written and when it began, if it
	// has begun.
	x.CreatedAt = x.UpdatedAt
	if x.StartsAt.Before(x.CreatedAt) {
		x.CreatedAt = x.StartsAt
	}
	for _, m := range wire.Matchers {
		x.Matchers = append(x.Matchers, incident.SilenceMatcher{
			Name: incident.PlainText(m.Name, maxText), Value: incident.PlainText(m.Value, maxText), IsRegex: m.IsRegex, IsEqual: m.IsEqual == nil || *m.IsEqual,
		})
	}
	return x, nil
}
