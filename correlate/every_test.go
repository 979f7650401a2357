package correlate

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// However many services fire in one second, each opens an incident of its own where the configuration says that every alert does.
func TestEveryServiceItsOwn(t *testing.T) {
	m, err := labels.ParseMatchers(`severity="critical"`)
	require.NoError(t, err)
	rules := DefaultRules()
	rules.Open.Matchers = []labels.Matchers{m}
	for _, n := range []int{4, 5, 9} {
		var list []incident.Sighting
		for i := range n {
			list = append(list, labelled(0, 30, map[string]string{"alertname": fmt.Sprintf("DiskFull%d", i), "severity": "critical", "service": fmt.Sprintf("s%d", i)}))
		}
		require.Len(t, Correlate(incident.Facts{Sightings: list}, &rules, noon.Add(24*time.Hour)).Incidents, n)
	}
}
