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
		for _, l := range LabelsIn(text) {
			addFingerprint(refs, l.Fingerprint().String())
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

// LabelsIn are the sets of labels in a text made by Alertmanager's default templates: after each line `Labels:` one
// ` - name = value` a line. A value may hold ` = `. A block that is not whole, or of which a value went over several
// lines, gives nothing: a wrong fingerprint would name another alert.
func LabelsIn(text string) []model.LabelSet {
	var out []model.LabelSet
	var block model.LabelSet // nil: outside of one
	good := true
	end := func() {
		if good && len(block) > 0 && block["alertname"] != "" {
			out = append(out, block)
		}
		block, good = nil, true
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "Labels:":
			block, good = model.LabelSet{}, true
		case block == nil:
		case strings.HasSuffix(trimmed, ":") && !strings.HasPrefix(trimmed, "-"), strings.HasPrefix(trimmed, "Source: "):
			end() // the next heading; a text that was cut before one may have lost labels
		case trimmed == "":
		default:
			name, value, ok := strings.Cut(strings.TrimPrefix(trimmed, "- "), " = ")
			if !ok || !strings.HasPrefix(trimmed, "- ") || !model.LabelName(name).IsValid() {
				good = false
				continue
			}
			if _, twice := block[model.LabelName(name)]; twice {
				good = false
			}
			block[model.LabelName(name)] = model.LabelValue(value)
		}
	}
	return out
}

// Latest is the latest of several times.
func Latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		out = incident.Latest(out, t)
	}
	return out
}
