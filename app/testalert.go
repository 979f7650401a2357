package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"meantime/access"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
	"meantime/setup"
	"meantime/webhook"
)

// testLabels are those of the made-up alert where nobody says otherwise.
var testLabels = map[string]string{"alertname": "MeantimeTest", "severity": "critical", "service": "meantime-test"}

// testFired is how long the made-up alert fired.
const testFired = 5 * time.Minute

// aside takes facts in place of a store: nothing of a made-up alert is stored where figures are.
type aside struct {
	mu    sync.Mutex
	facts incident.Facts
}

func (s *aside) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts.Sightings = append(s.facts.Sightings, f.Sightings...)
	s.facts.Senders = append(s.facts.Senders, f.Senders...)
	s.facts.Beats = append(s.facts.Beats, f.Beats...)
	return incident.Receipt{Sightings: make([]incident.MergeKind, len(f.Sightings))}, nil
}

// reaction takes an answer.
type reaction struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

func (a *reaction) Header() http.Header         { return a.head }
func (a *reaction) WriteHeader(status int)      { a.status = status }
func (a *reaction) Write(b []byte) (int, error) { return a.body.Write(b) }

// notificationOf is what Alertmanager sends of one alert.
func notificationOf(labels map[string]string, from, to time.Time) []byte {
	status, end := "firing", time.Time{}
	if !to.IsZero() {
		status, end = "resolved", to
	}
	b, _ := json.Marshal(map[string]any{ // texts and times
		"version": "4", "groupKey": `{}/{meantime="test"}:{}`, "status": status, "receiver": "meantime",
		"groupLabels": map[string]string{}, "commonLabels": labels, "commonAnnotations": map[string]string{}, "externalURL": "",
		"alerts": []any{map[string]any{
			"status": status, "labels": labels, "annotations": map[string]string{"summary": "A made-up alert"},
			"startsAt": from, "endsAt": end, "generatorURL": "", "fingerprint": incident.Fingerprint(labels),
		}},
	})
	return b
}

// testAlert has one made-up alert, that fired and ended, go the way of all alerts, but into a store of its own: it is read as a
// notification, taken in by the rules in force, correlated and measured, and nothing of it stays. The real store is only asked
// whether it takes a write.
func (a *App) testAlert(ctx context.Context, labels map[string]string) (setup.Trial, error) {
	if len(labels) == 0 {
		labels = testLabels
	}
	c := a.config.Load()
	out := setup.Trial{Labels: maps.Clone(labels)}
	step := func(name string, ok bool, text string) bool {
		out.Steps = append(out.Steps, setup.Step{Name: name, OK: ok, Text: text})
		return ok
	}
	facts, at, refused := takeTest(ctx, c.Rules.Watchdogs, intakeOf(c), labels, a.now().UTC())
	if !step("notification", refused == "", orElse(refused, "It is read as Alertmanager sends it.")) {
		return out, nil
	}
	err := a.store.Ping(ctx)
	if !step("store", err == nil, "The store takes a write.") {
		out.Steps[len(out.Steps)-1].Text = "The store cannot take a write: notifications are answered 503, and Alertmanager sends them again."
		return out, nil
	}
	if len(facts.Sightings) == 0 {
		step("intake", false, "alerts.ignore leaves it out: it is stored nowhere.")
		return out, nil
	}
	step("intake", true, "It is taken in, with the labels "+labelsIn(facts.Sightings[0].Labels)+".")
	got := correlate.Correlate(facts, &c.Rules, at)
	text := ""
	for i := range got.Verdicts {
		text = got.Verdicts[i].Why
	}
	out.Opened = len(got.Incidents) > 0
	if !step("incident", out.Opened, orElse(sentence(text), "It opens no incident.")) {
		return out, nil
	}
	in := &got.Incidents[0]
	all := measure.All(in, c.Intervals, at)
	var parts []string
	for _, iv := range c.Intervals {
		if m := all[iv.Name]; m.Status == incident.StatusRecorded {
			parts = append(parts, fmt.Sprintf("%s %s", iv.Name, time.Duration(*m.Seconds*float64(time.Second)).Round(time.Second)))
		}
	}
	step("measured", len(parts) > 0, fmt.Sprintf("Service %s, severity %s: %s.",
		orElse(strings.Join(in.Services, ", "), "not told"), orElse(in.Severity, "not told"),
		orElse(strings.Join(parts, ", "), "no interval is known")))
	step("removed", true, "Nothing of it was stored, and no figure changed.")
	return out, nil
}

// takeTest takes in a made-up alert that fired and was resolved, as of a time at which it is long over, or says why not.
func takeTest(
	ctx context.Context, dogs []correlate.Watchdog, intake incident.Intake, labels map[string]string, now time.Time,
) (facts incident.Facts, at time.Time, refused string) {
	var s aside
	clock := now
	hook := webhook.New(webhook.Options{
		Store: &s, Now: func() time.Time { return clock }, Gate: access.NewGate(access.Options{}),
		Watchdogs: func(l map[string]string) (string, bool) { return watchdogOf(dogs, l) },
		Intake:    func() incident.Intake { return intake },
	}).Alertmanager()
	s.facts.Lives = []incident.Life{{From: now.Add(-24 * time.Hour), To: now.Add(24 * time.Hour)}}
	for _, end := range []time.Time{{}, now.Add(testFired)} {
		if !end.IsZero() {
			clock = end.Add(time.Second)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/webhook/alertmanager",
			bytes.NewReader(notificationOf(labels, now.Add(-time.Second), end)))
		if err != nil {
			return facts, now, err.Error()
		}
		req.Header.Set("Content-Type", "application/json")
		w := &reaction{head: http.Header{}}
		hook.ServeHTTP(w, req)
		if w.status != http.StatusOK && w.status != 0 {
			return facts, now, fmt.Sprintf("It is refused with %d: %s", w.status, incident.PlainText(w.body.String(), 300))
		}
	}
	var merged []incident.Sighting
	for _, x := range s.facts.Sightings {
		if len(merged) > 0 && merged[0].Key() == x.Key() {
			merged[0] = incident.Merge(merged[0], x)
			continue
		}
		merged = append(merged, x)
	}
	s.facts.Sightings = merged
	return s.facts, now.Add(24 * time.Hour), ""
}

func labelsIn(l map[string]string) string {
	b, _ := json.Marshal(l)
	return string(b)
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// sentence makes a sentence of one that lacks its capital or its full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}
