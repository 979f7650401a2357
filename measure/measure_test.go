package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// made is an incident with milestones at minutes after t0.
func made(id string, minutes map[incident.MilestoneName]float64, change ...func(*incident.Incident)) incident.Incident {
	inc := incident.Incident{
		ID: id, Title: "Incident " + id, Services: []string{"checkout"}, Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved,
		DetectedBy: incident.ByAlert, Milestones: map[incident.MilestoneName]incident.Milestone{},
	}
	for m, at := range minutes {
		inc.Milestones[m] = incident.Milestone{Candidate: incident.Candidate{At: minute(at), Precision: incident.PrecisionSecond, Origin: incident.OriginRecord}}
	}
	for _, f := range change {
		f(&inc)
	}
	return inc
}

func minute(m float64) time.Time { return t0.Add(time.Duration(m * float64(time.Minute))) }

type at = map[incident.MilestoneName]float64

func open(i *incident.Incident) { i.State = incident.StateOpen }
func placeholder(i *incident.Incident) {
	m := i.Milestones[incident.Started]
	m.Placeholder = true
	i.Milestones[incident.Started] = m
}

func TestAllStatuses(t *testing.T) {
	const (
		recorded = incident.StatusRecorded
		pending  = incident.StatusPending
		missing  = incident.StatusMissing
		invalid  = incident.StatusInvalid
		notApply = incident.StatusNotApplicable
	)
	type want struct {
		status  incident.Status
		seconds float64
	}
	for _, c := range []struct {
		name string
		inc  incident.Incident
		want map[string]want
	}{
		{"all known", made("a", at{"started": 0, "detected": 2, "acknowledged": 3, "identified": 40, "mitigated": 30, "resolved": 35.5}), map[string]want{
			"detect": {recorded, 120}, "acknowledge": {recorded, 60}, "identify": {recorded, 2280}, "mitigate": {recorded, 1800}, "resolve": {recorded, 2130},
			"pending": {missing, 0}, "notify": {missing, 0}, "paperwork": {missing, 0},
		}},
		{"zero is a duration", made("a", at{"started": 5, "detected": 5}), map[string]want{"detect": {recorded, 0}, "resolve": {missing, 0}}},
		{"zero from a placeholder is not", made("a", at{"started": 5, "detected": 5, "resolved": 9}, placeholder), map[string]want{"detect": {missing, 0}, "resolve": {missing, 0}}},
		{"end before start", made("a", at{"started": 5, "detected": 4, "resolved": 9}), map[string]want{"detect": {invalid, 0}, "resolve": {recorded, 240}}},
		{"open", made("a", at{"started": 0, "detected": 1}, open), map[string]want{"detect": {recorded, 60}, "acknowledge": {pending, 0}, "resolve": {pending, 0}}},
		{"open, start not known", made("a", at{"detected": 1}, open), map[string]want{"detect": {missing, 0}, "resolve": {pending, 0}}},
		{"open for a while, and still", made("a", at{"started": 0}, func(i *incident.Incident) { i.OpenUntil = minute(61) }), map[string]want{"resolve": {pending, 0}}},
		{"open for a while that is over", made("a", at{"started": 0}, open, func(i *incident.Incident) { i.OpenUntil = minute(60) }), map[string]want{"resolve": {missing, 0}}},
		{"drill", made("a", at{"started": 0, "detected": 1}, func(i *incident.Incident) { i.Kind = incident.KindDrill }), map[string]want{"detect": {notApply, 0}, "resolve": {notApply, 0}}},
		{"maintenance", made("a", at{"started": 0}, open, func(i *incident.Incident) { i.Kind = incident.KindMaintenance }), map[string]want{"resolve": {notApply, 0}}},
		{"cancelled", made("a", at{"started": 2, "detected": 1}, func(i *incident.Incident) { i.State = incident.StateCancelled }), map[string]want{"detect": {notApply, 0}}},
		{"alerts", made("a", at{"resolved": 30}, func(i *incident.Incident) {
			i.Alerts = incident.AlertTimes{Condition: minute(-5), Fired: minute(0), Notified: minute(0.5), Ended: minute(20)}
		}), map[string]want{"pending": {recorded, 300}, "notify": {recorded, 30}, "paperwork": {recorded, 600}}},
		{"resolved while an alert fires", made("a", at{"resolved": 30}, open, func(i *incident.Incident) {
			i.Alerts = incident.AlertTimes{Fired: minute(0)}
		}), map[string]want{"paperwork": {pending, 0}, "pending": {missing, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := All(&c.inc, incident.DefaultIntervals(), minute(60))
			require.Len(t, got, len(incident.DefaultIntervals()))
			for name, w := range c.want {
				require.Equal(t, w.status, got[name].Status, name)
				if w.status == recorded {
					require.Equal(t, w.seconds, *got[name].Seconds, name)
				} else {
					require.Nil(t, got[name].Seconds, name)
				}
			}
		})
	}
}

// TestPlaces: what is kept as a place in a list of another package is at that place.
func TestPlaces(t *testing.T) {
	require.Equal(t, []incident.Status{recorded: "recorded", pending: "pending", missing: "missing", invalid: "invalid", notApplicable: "not_applicable"}, incident.Statuses)
	require.Len(t, incident.Statuses, nStatuses)
	require.Len(t, incident.MilestoneNames, nMilestones)
	require.Equal(t, []incident.Point{
		pointCondition: incident.PointCondition, pointFired: incident.PointFired, pointNotified: incident.PointNotified,
		pointEnded: incident.PointEnded, pointOpened: incident.PointOpened,
	}[nMilestones:], allPoints[nMilestones:])
	require.Len(t, allPoints, nPoints)
	require.LessOrEqual(t, len(incident.Origins), len(counts{}[0]))
	require.LessOrEqual(t, len(incident.Detectors), 8)
	require.Len(t, incident.Outcomes, len(tally{}))
}

func TestUnknownPointIsMissing(t *testing.T) {
	inc := made("a", at{"started": 0, "resolved": 1})
	got := All(&inc, []incident.Interval{{Name: "x", From: "started", To: "forgotten"}}, t0)
	require.Equal(t, incident.StatusMissing, got["x"].Status)
}

func TestImpact(t *testing.T) {
	w := func(from, to float64) incident.Impact { return incident.Impact{From: minute(from), To: minute(to)} }
	going := func(from float64) incident.Impact { return incident.Impact{From: minute(from)} }
	for _, c := range []struct {
		name    string
		impacts []incident.Impact
		open    bool
		want    float64 // minutes, -1 for not known
	}{
		{"none", nil, false, -1},
		{"one", []incident.Impact{w(0, 10)}, false, 10},
		{"three", []incident.Impact{w(0, 10), w(20, 25), w(30, 31)}, false, 16},
		{"overlapping, out of order", []incident.Impact{w(5, 15), w(0, 10), w(6, 7)}, false, 15},
		{"end not known", []incident.Impact{going(0)}, false, -1},
		{"one end not known", []incident.Impact{w(0, 10), going(20)}, false, 10},
		{"goes on", []incident.Impact{w(0, 10), going(20)}, true, 50},
		{"an earlier end not known", []incident.Impact{going(0), w(20, 30)}, true, 10},
		{"goes on inside another", []incident.Impact{w(0, 30), going(20)}, true, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			inc := made("a", nil, func(i *incident.Incident) { i.Impacts = c.impacts })
			if c.open {
				open(&inc)
			}
			d, ok := Impact(&inc, minute(60))
			require.Equal(t, c.want >= 0, ok)
			if ok {
				require.Equal(t, c.want, d.Minutes())
			}
		})
	}
}

func TestLead(t *testing.T) {
	inc := made("a", nil)
	_, ok := Lead(&inc)
	require.False(t, ok)
	inc.Alerts.First, inc.Alerts.Person = minute(5), minute(2)
	d, ok := Lead(&inc)
	require.True(t, ok)
	require.Equal(t, -3*time.Minute, d)
}

func TestBlindSeconds(t *testing.T) {
	blind := map[string][]incident.Impact{
		"a": {{From: minute(-10), To: minute(5)}, {From: minute(50)}},
		"b": {{From: minute(3), To: minute(8)}, {From: minute(70), To: minute(80)}},
	}
	require.Equal(t, 18*60.0, BlindSeconds(blind, minute(0), minute(60)))
	require.Zero(t, BlindSeconds(nil, minute(0), minute(60)))
}

// TestCalendar: an interval with a calendar counts the time inside it, in every figure.
func TestCalendar(t *testing.T) {
	c, err := incident.NewCalendar("support", "Europe/London", []string{"mon-fri 10:00-17:00"}, nil)
	require.NoError(t, err)
	iv := incident.Interval{Name: "support", From: "started", To: "resolved", Calendar: c}
	monday := 24.0 * 60                                                           // t0 is a Sunday, noon
	inc := made("a", at{"started": monday + 4*60, "resolved": monday + 24*60})    // 16:00 until noon of the next day
	outside := made("b", at{"started": monday + 6*60, "resolved": monday + 7*60}) // in the evening
	still := made("c", at{"started": monday}, open)                               // since noon
	require.Equal(t, 3*time.Hour.Seconds(), *All(&inc, []incident.Interval{iv}, minute(3*monday))["support"].Seconds)
	e, err := Explain(each([]incident.Incident{inc, outside, still}), ExplainOptions{Interval: iv, Period: Rolling(week, minute(2*monday))})
	require.NoError(t, err)
	require.Equal(t, []float64{0, 3 * time.Hour.Seconds()}, e.Seconds())
	require.Equal(t, 3*time.Hour.Seconds(), *e.Figures.Survival, "the open one has lasted seven hours of support")
}
