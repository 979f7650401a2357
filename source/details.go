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
			labels := model.LabelSet{}
			for name, value := range a.Labels {
				labels[model.LabelName(name)] = model.LabelValue(value)
			}
			print = labels.Fingerprint().String()
		}
		if _, err := model.FingerprintFromString(print); err != nil {
			continue
		}
		start, err := Time(a.StartsAt)
		if err != nil || start.Year() < 1980 {
			addFingerprint(refs, print)
			continue
		}
		k := incident.EpisodeKey{Fingerprint: print, StartsAt: start}
		if !slices.ContainsFunc(refs.Alerts, func(o incident.EpisodeKey) bool { return o.Fingerprint == print && o.StartsAt.Equal(start) }) {
			refs.Alerts = append(refs.Alerts, k)
		}
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
