package app

import (
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/config"
	"meantime/correlate/catalog"
	"meantime/incident"
)

// intakeOf is what a configuration says of which alerts are taken in. Every way in goes by it.
func intakeOf(c *config.Validated) incident.Intake {
	in := incident.Intake{DropLabels: c.DropLabels}
	if sets := c.Rules.Ignore; len(sets) > 0 {
		in.Ignored = func(l map[string]string) bool {
			return slices.ContainsFunc(sets, func(m labels.Matchers) bool { return catalog.Matches(m, l) })
		}
	}
	return in
}
