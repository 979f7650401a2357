package collector

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestSmoke(t *testing.T) {
	b := measure.NewBook(measure.Options{Windows: []measure.Window{{Name: "7d", Length: 7 * 24 * time.Hour}}, Intervals: incident.DefaultIntervals(), Newest: 10})
	b.Apply([]incident.Incident{{ID: "r1", Title: "x", Services: []string{"checkout"}, Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved, DetectedBy: incident.ByAlert,
		Milestones: map[incident.MilestoneName]incident.Milestone{
			"started":  {Candidate: incident.Candidate{At: t0, Origin: incident.OriginRecord}},
			"resolved": {Candidate: incident.Candidate{At: t0.Add(time.Minute), Origin: incident.OriginRecord}},
		}}}, nil)
	b.ApplyVerdicts([]incident.Verdict{{Episode: incident.Episode{Fingerprint: "00000000000000aa", StartsAt: t0, Labels: map[string]string{"alertname": "A"}}, Service: "checkout", Outcome: incident.OutcomeLinked}}, nil)
	c := New(Options{Intervals: incident.DefaultIntervals()})
	c.Publish(Snapshot{Figures: b.Figures(t0.Add(time.Hour))})
	c.Know(b.Known())
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(c))
	n, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	require.Greater(t, n, 50)
	p, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, p)
}
