package correlate

import (
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// Alerts of alerting itself, Meantime's own and those that the configuration ignores belong to no incident and no figure,
// whatever opens one and whatever a record says; they used to open incidents and to count against precision.
func TestMetaAlertsBelongToNothing(t *testing.T) {
	set := func(s string) labels.Matchers {
		m, err := labels.ParseMatchers(s)
		require.NoError(t, err)
		return m
	}
	rules := DefaultRules()
	rules.Open.Matchers = []labels.Matchers{set(`severity="critical"`)}
	rules.Ignore = []labels.Matchers{set(`{team="sandbox"}`), set(`{env="dev",alertname="Errors"}`)}
	for _, c := range []struct {
		name   string
		labels map[string]string
		meta   bool
	}{
		{"a watchdog that nobody configured", map[string]string{"alertname": "Watchdog"}, true},
		{"an inhibitor", map[string]string{"alertname": "InfoInhibitor", "namespace": "shop"}, true},
		{"a dead man's switch", map[string]string{"alertname": "DeadMansSwitch"}, true},
		{"otherwise written", map[string]string{"alertname": "dead-mans-switch"}, true},
		{"Meantime's own", map[string]string{"alertname": "MeantimeStoreErrors", "meantime": "self"}, true},
		{"another's label of that name", map[string]string{"alertname": "Late", "meantime": "5m"}, false},
		{"the sandbox", map[string]string{"alertname": "Errors", "team": "sandbox"}, true},
		{"all of a set", map[string]string{"alertname": "Errors", "env": "dev"}, true},
		{"half of a set", map[string]string{"alertname": "Slow", "env": "dev"}, false},
		{"a name that only begins so", map[string]string{"alertname": "WatchdogTimeout"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fires("checkout", 0, 20, func(s *incident.Sighting) {
				s.Labels = map[string]string{"severity": "critical", "service": "checkout"}
				for k, v := range c.labels {
					s.Labels[k] = v
				}
			})
			for _, records := range [][]incident.Record{nil, {tells("1", []string{"checkout"}, 0, 30)}} {
				res := Correlate(incident.Facts{Sightings: []incident.Sighting{s}, Records: records}, &rules, noon.Add(24*time.Hour))
				require.Len(t, res.Verdicts, 1)
				require.Equal(t, c.meta, res.Verdicts[0].Outcome == incident.OutcomeWatchdog)
				for _, in := range res.Incidents {
					require.Equal(t, !c.meta, len(in.Links) == 1)
				}
				require.Equal(t, len(records) > 0 || !c.meta, len(res.Incidents) == 1)
			}
		})
	}
}
