package catalog

import (
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// metaAlerts are names, folded, of alerts that say something of alerting itself: those that always fire to show that it
// works, and those that only mute others.
var metaAlerts = set("watchdog", "infoinhibitor", "deadmansswitch", "deadmanswitch", "deadmanssnitch")

// SelfLabel is the label by which Meantime's own alerts are known, with the value SelfValue.
const SelfLabel, SelfValue = "meantime", "self"

// Meta says whether an alert belongs to no incident and no figure: one of alerting itself, or one that the configuration
// ignores.
func (c *Catalog) Meta(l map[string]string) bool {
	return c.SpeaksOfAlerting(l) || slices.ContainsFunc(c.rules.Ignore, func(m labels.Matchers) bool { return Matches(m, l) })
}

// SpeaksOfAlerting says whether an alert is one of alerting itself, or of Meantime's own.
func (c *Catalog) SpeaksOfAlerting(l map[string]string) bool {
	return metaAlerts[fold(l["alertname"])] || l[SelfLabel] == SelfValue
}
