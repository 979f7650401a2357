package collector

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
)

// Histograms at 0 are those of the labels that incidents have now: a process that saw others meanwhile shows the same as one
// that started later.
func TestHistogramsAtZeroFollowTheLabels(t *testing.T) {
	a, b, c := measure.Labels{Service: "a"}, measure.Labels{Service: "b"}, measure.Labels{Service: "c"}
	e := newEver([]incident.Interval{{Name: "detect"}, {Name: "resolve"}})
	shown := func() []string {
		var out []string
		for _, m := range *e.snapshot.Load() {
			r, ok := m.(*ready)
			require.True(t, ok)
			for _, l := range r.labels {
				if l.GetName() == "affected_service" {
					out = append(out, l.GetValue())
				}
			}
		}
		slices.Sort(out)
		return out
	}
	e.know([]measure.Labels{a, b})
	require.Equal(t, []string{"a", "a", "b", "b"}, shown())
	e.know([]measure.Labels{c, b})
	require.Equal(t, []string{"b", "b", "c", "c"}, shown(), "nothing has the labels of a any more")
	e.observe(slices.Values([]measure.Observation{{Labels: c, Incident: "1", Interval: "resolve", Seconds: 60}}), false)
	e.know([]measure.Labels{a})
	require.Equal(t, []string{"a", "a", "c"}, shown(), "what was counted is never taken back")
	e.observe(slices.Values([]measure.Observation{{Labels: c, Incident: "2", Interval: "resolve", Seconds: 60}}), false)
	for _, m := range *e.snapshot.Load() {
		if r, ok := m.(*ready); ok && r.histogram.GetSampleCount() > 0 {
			require.EqualValues(t, 2, r.histogram.GetSampleCount())
		}
	}
}
