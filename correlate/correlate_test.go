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

// A record that speaks of no time is not open, whatever it says.
func TestARecordWithoutATimeIsNotOpen(t *testing.T) {
	written := at("10:00")
	for name, c := range map[string]struct {
		record incident.Record
		want   incident.State
	}{
		"nothing but a title":      {incident.Record{Title: "Mail delayed"}, incident.StateResolved},
		"it says that it is open":  {incident.Record{State: incident.StateOpen}, incident.StateResolved},
		"it says that it is over":  {incident.Record{State: incident.StateResolved}, incident.StateResolved},
		"it was called off":        {incident.Record{State: incident.StateCancelled}, incident.StateCancelled},
		"when it was made":         {incident.Record{CreatedAt: at("09:30")}, incident.StateOpen},
		"when it was acknowledged": {record("1", map[incident.MilestoneName]string{incident.Acknowledged: "09:40"}), incident.StateOpen},
		"when it hurt":             {incident.Record{Impacts: []incident.Impact{{From: at("09:00"), To: at("09:10")}}}, incident.StateOpen},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.record
			r.Source, r.ID, r.UpdatedAt = "ours", "1", written
			r.Normalize()
			rules := DefaultRules()
			res := Correlate(incident.Facts{Records: []incident.Record{r}}, &rules, written.Add(time.Minute))
			require.Len(t, res.Incidents, 1)
			require.Equal(t, c.want, res.Incidents[0].State)
		})
	}
	r := incident.Record{Source: "ours", ID: "1", UpdatedAt: written}
	r.Normalize()
	set := incident.Review{
		ID: "v", At: written, By: "ada", Action: incident.ReviewSet, Incident: incident.RecordID(r.Key()), Milestone: incident.Started, Time: at("09:00"),
	}
	rules := DefaultRules()
	res := Correlate(incident.Facts{Records: []incident.Record{r}, Reviews: []incident.Review{set}}, &rules, written.Add(time.Minute))
	require.Equal(t, incident.StateOpen, res.Incidents[0].State, "a person said when it began")
}
