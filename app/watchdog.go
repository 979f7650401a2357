package app

import (
	"github.com/prometheus/common/model"

	"meantime/correlate"
)

// watchdogOf is the name of the watchdog that an alert with these labels is.
func watchdogOf(dogs []correlate.Watchdog, labels map[string]string) (name string, ok bool) {
	if len(dogs) == 0 {
		return "", false
	}
	set := make(model.LabelSet, len(labels))
	for k, v := range labels {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	for _, d := range dogs {
		if d.Matchers.Matches(set) {
			return d.Name, true
		}
	}
	return "", false
}
