package correlate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// at is a moment on the day that the tests of this package tell of.
func at(clock string) time.Time {
	t, err := time.Parse("15:04:05", clock)
	if err != nil {
		t, err = time.Parse("15:04", clock)
	}
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 3, 2, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// later is well after everything the tests tell of.
var later = at("00:00").AddDate(0, 1, 0)

func record(id string, milestones map[incident.MilestoneName]string, services ...string) incident.Record {
	r := incident.Record{Source: "ours", ID: id, Title: "Trouble " + id, Services: services, Severity: "critical", UpdatedAt: at("23:00"), Milestones: map[incident.MilestoneName]incident.Stated{}}
	for n, c := range milestones {
		r.Milestones[n] = incident.Stated{At: at(c)}
	}
	r.Normalize()
	return r
}

func TestImpactsNeverBecomeMilestones(t *testing.T) {
	r := record("1", nil, "registry")
	r.Impacts = []incident.Impact{{From: at("10:00"), To: at("10:03")}, {From: at("11:00"), To: at("11:30")}, {From: at("13:00"), To: at("13:10")}}
	rules := DefaultRules()
	res := Correlate(incident.Facts{Records: []incident.Record{r}}, &rules, later)
	require.Len(t, res.Incidents, 1)
	in := res.Incidents[0]
	require.Empty(t, in.Milestones)
	require.Len(t, in.Impacts, 3)
	require.Equal(t, 2, in.Relapses())
	require.Equal(t, incident.StateResolved, in.State)
	require.True(t, in.MissedDetection)
}
