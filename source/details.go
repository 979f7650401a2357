package source

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"meantime/incident"
)

// notified is an alert as Alertmanager tells it to a pager, in the details of an event or in a kept webhook.
type notified struct {
	Fingerprint string            `json:"fingerprint"`
	StartsAt    string            `json:"startsAt"`
	Labels      map[string]string `json:"labels"`
}

// AddAlerts adds the alerts that a list in a pager's details names, in the form of Alertmanager's webhook, or the
// fingerprints that a text with its `Labels:` blocks has. Anything else adds nothing.
func AddAlerts(refs *incident.References, details json.RawMessage) {
	var text string
	if json.Unmarshal(details, &text) == nil {
		for _, l := range incident.TextLabels(text) {
			addFingerprint(refs, incident.Fingerprint(l))
		}
		return
	}
	var list []notified
	if json.Unmarshal(details, &list) != nil {
		return
	}
	for _, a := range list {
		print := strings.ToLower(a.Fingerprint)
		if print == "" && len(a.Labels) > 0 {
			print = incident.Fingerprint(a.Labels)
		}
		if _, err := model.FingerprintFromString(print); err != nil {
			continue
		}
		start, _ := Time(a.StartsAt) // without a time the fingerprint is what it tells
		addAlert(refs, print, start)
	}
}

// AddLabelled adds an alert of which a vendor kept the labels and the start.
func AddLabelled(refs *incident.References, labels map[string]string, start time.Time) {
	if len(labels) > 0 {
		addAlert(refs, incident.Fingerprint(labels), start)
	}
}

func addAlert(refs *incident.References, print string, start time.Time) {
	switch same := func(o incident.EpisodeKey) bool { return o.Fingerprint == print && o.StartsAt.Equal(start) }; {
	case start.Year() < 1980: // a time that nobody wrote
		addFingerprint(refs, print)
	case !slices.ContainsFunc(refs.Alerts, same):
		refs.Alerts = append(refs.Alerts, incident.EpisodeKey{Fingerprint: print, StartsAt: start})
	}
}

func addFingerprint(refs *incident.References, print string) {
	if !slices.Contains(refs.Fingerprints, print) {
		refs.Fingerprints = append(refs.Fingerprints, print)
	}
}

// Latest is the latest of several times.
func Latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		out = incident.Latest(out, t)
	}
	return out
}
