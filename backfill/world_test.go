package backfill

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"meantime/collector"
	"meantime/incident"
	"meantime/measure"
)

var t0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// world is a store made up of slices.
type world struct {
	incidents []incident.Incident
	verdicts  []incident.Verdict
	ledger    []incident.Observed
	err       error // of whatever is read
}

func (w *world) EachIncident(_ context.Context, from time.Time) iter.Seq2[incident.Incident, error] {
	return func(yield func(incident.Incident, error) bool) {
		for _, inc := range w.incidents {
			if (inc.State == incident.StateOpen || !inc.At().Before(from)) && !yield(inc, nil) {
				return
			}
		}
		if w.err != nil {
			yield(incident.Incident{}, w.err)
		}
	}
}

func (w *world) EachVerdict(_ context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error] {
	return func(yield func(incident.Verdict, error) bool) {
		for _, v := range w.verdicts {
			if at := v.Episode.StartsAt; !at.Before(from) && !at.After(to) && !yield(v, nil) {
				return
			}
		}
	}
}

func (w *world) Ledger(context.Context) iter.Seq2[incident.Observed, error] {
	return func(yield func(incident.Observed, error) bool) {
		for _, o := range w.ledger {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// invent makes up incidents and alerts over the days before t0, some of them still open, some of which too little is known.
func invent(seed uint64, days, incidents, alerts int) *world {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &world{}
	ago := func() time.Time {
		return t0.Add(-time.Duration(r.Float64() * float64(days) * 24 * float64(time.Hour))).Truncate(time.Second)
	}
	services := []string{"checkout", "search", `odd "one"\ # {}`, "accounts"}
	severities := []string{"critical", "warning", ""}
	for i := range incidents {
		at := ago()
		inc := incident.Incident{
			ID: fmt.Sprintf("r%d", i), Aliases: []string{fmt.Sprintf("a%d", i)}, Title: "Trouble", Services: []string{services[r.IntN(len(services))]}, Severity: severities[r.IntN(3)],
			Kind: incident.KindIncident, State: incident.StateResolved, DetectedBy: incident.Detectors[r.IntN(len(incident.Detectors))],
			Milestones: map[incident.MilestoneName]incident.Milestone{},
		}
		if r.IntN(4) == 0 {
			inc.Services = append(inc.Services, services[r.IntN(len(services))])
		}
		when := at
		for _, m := range incident.MilestoneNames {
			if m == incident.Resolved && r.IntN(10) == 0 {
				inc.State = incident.StateOpen
				break
			}
			if r.IntN(5) > 0 {
				inc.Milestones[m] = incident.Milestone{Candidate: incident.Candidate{At: when, Origin: incident.OriginRecord}}
			}
			when = when.Add(time.Duration(r.ExpFloat64() * float64(40*time.Minute))).Truncate(time.Second)
		}
		switch r.IntN(20) {
		case 0:
			inc.Kind = incident.KindDrill
		case 1:
			inc.State, inc.OpenUntil = incident.StateOpen, at.Add(7*24*time.Hour)
			delete(inc.Milestones, incident.Resolved)
		}
		if r.IntN(2) == 0 {
			inc.Impacts = []incident.Impact{{From: at, To: when}}
			if inc.State == incident.StateOpen {
				inc.Impacts[0].To = time.Time{}
			}
		}
		w.incidents = append(w.incidents, inc)
	}
	for i := range alerts {
		w.verdicts = append(w.verdicts, incident.Verdict{
			Episode: incident.Episode{Fingerprint: fmt.Sprintf("%016x", i%17), StartsAt: ago(), Labels: map[string]string{"alertname": fmt.Sprintf("Alert%d", i%6)}},
			Service: services[i%len(services)], Severity: severities[i%3], Outcome: incident.Outcomes[r.IntN(3)],
		})
	}
	l := measure.NewLedger(incident.DefaultIntervals(), 0, 0)
	w.ledger = l.Next(w.incidents, t0).Observed
	return w
}

var testMeasure = measure.Options{
	Windows:    []measure.Window{{Name: "7d", Length: 7 * 24 * time.Hour}, {Name: "28d", Length: 28 * 24 * time.Hour}},
	Intervals:  incident.DefaultIntervals(),
	Objectives: []measure.Objective{{Severity: "critical", Interval: "resolve", Within: time.Hour}},
	MaxNames:   4,

	Availability: []measure.Availability{{Objective: 0.99}, {Service: "search", Severities: []string{"critical"}, Objective: 0.999}},
	OpenFor:      7 * 24 * time.Hour,
}

// watched is since when the world is: in the middle of a backfill of a year.
var watched = t0.AddDate(0, -11, -20)

// daemon is the daemon's collector.
type daemon struct{ *collector.Collector }

func newDaemon() daemon {
	return daemon{collector.New(collector.Options{Intervals: testMeasure.Intervals, Objectives: testMeasure.Objectives})}
}

func (d daemon) Publish(f *measure.Figures) { d.Collector.Publish(collector.Snapshot{Figures: f}) }

func options(w *world, from, to time.Time, step time.Duration) Options {
	return Options{Measure: testMeasure, Watched: watched, From: from, To: to, Step: step, Facts: w, Metrics: newDaemon()}
}
