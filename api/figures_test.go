package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
)

// figuresOf answers questions about the incidents of the store in memory.
type figuresOf struct{ f *fixture }

func (x figuresOf) each(yield func(incident.Incident, error) bool) {
	for _, i := range x.f.store.incidents {
		if !yield(i, nil) {
			return
		}
	}
}

func (x figuresOf) Report(_ context.Context, q measure.Question) (*measure.Report, error) {
	p, err := q.Period([]measure.Window{{Name: "28d", Length: 28 * 24 * time.Hour}}, x.f.now)
	if err != nil {
		return nil, err
	}
	r, err := measure.NewReport(measure.ReportOptions{
		Options: measure.Options{Intervals: incident.DefaultIntervals(),
			Objectives: []measure.Objective{{Interval: "resolve", Within: time.Hour}}, Availability: []measure.Availability{{Objective: 0.999}}},
		Period: p, Watched: x.f.now.AddDate(0, -1, 0), Asked: measure.Grouping{Service: q.Service, Severity: q.Severity},
	}, x.each, func(func(incident.Verdict, error) bool) {})
	if err != nil {
		return nil, err
	}
	return r, r.Only(&q)
}

func (x figuresOf) Explain(_ context.Context, q measure.Question) (*measure.Explanation, error) {
	iv, err := q.Asked(incident.DefaultIntervals())
	if err != nil {
		return nil, err
	}
	p, err := q.Period([]measure.Window{{Name: "28d", Length: 28 * 24 * time.Hour}}, x.f.now)
	if err != nil {
		return nil, err
	}
	return measure.Explain(x.each,
		measure.ExplainOptions{Interval: iv, Period: p, Grouping: measure.Grouping{Service: q.Service, Severity: q.Severity}})
}

// someIncidents are enough for every statistic that an answer can hold, and one left out.
func (f *fixture) someIncidents() {
	at := func(t time.Time) incident.Milestone {
		return incident.Milestone{Candidate: incident.Candidate{At: t, Precision: incident.PrecisionSecond, Origin: incident.OriginRecord}}
	}
	for i := range 60 {
		start := f.now.Add(-time.Duration(i*20+1) * time.Hour)
		inc := incident.Incident{
			ID: "r" + strings.Repeat("0", i+1), Title: "One", Services: []string{"checkout"}, Severity: "critical",
			Kind: incident.KindIncident, State: incident.StateResolved,
			DetectedBy: incident.ByAlert, Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: at(start),
				incident.Resolved: at(start.Add(time.Duration(i+1) * time.Minute))},
			Impacts: []incident.Impact{{From: start, To: start.Add(time.Minute)}},
		}
		if i == 3 {
			delete(inc.Milestones, incident.Resolved)
		}
		f.store.incidents = append(f.store.incidents, inc)
	}
}

func TestFigures(t *testing.T) {
	f := newFixture(t)
	f.someIncidents()
	a := decode[measure.Answer](t, f.call("GET", "/api/v1/figures?by=service,severity", ""))
	require.Equal(t, "28d", a.Period)
	require.Len(t, a.Figures, 4*len(incident.DefaultIntervals()))
	one := decode[measure.Answer](t, f.call("GET", "/api/v1/figures?interval=resolve&service=checkout", ""))
	require.Len(t, one.Figures, 1)
	require.Equal(t, 1, one.Figures[0].Status[incident.StatusMissing])
	require.NotEmpty(t, one.Figures[0].Change.Words)
	require.Equal(t, one.Figures[0].N, one.Figures[0].Incidents-1)

	w := f.call("GET", "/api/v1/figures?format=csv&month=2026-02&zone=Europe/Berlin", "")
	require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), "2026-01-31T23:00:00Z,2026-02-28T23:00:00Z,,,resolve,")

	r := decode[measure.Report](t, f.call("GET", "/api/v1/report?from=2026-02-01T00:00:00Z&to=2026-02-15T00:00:00%2B01:00", ""))
	require.Len(t, r.Groups, 1)
	require.Contains(t, f.call("GET", "/api/v1/report?format=markdown&by=service", "").Body.String(), "## checkout")

	e := decode[measure.Explanation](t, f.call("GET", "/api/v1/explain?service=checkout", ""))
	require.Equal(t, one.Figures[0].IntervalFigures, e.Figures)
	require.Len(t, e.LeftOut, 1)
	require.Contains(t, f.call("GET", "/api/v1/explain?format=markdown", "").Body.String(), "## Left out")
	require.Contains(t, f.call("GET", "/api/v1/explain?interval=notify", "").Body.String(), `"included":[]`)
}

func TestFiguresOfNothing(t *testing.T) {
	f := newFixture(t)
	a := decode[measure.Answer](t, f.call("GET", "/api/v1/figures", ""))
	require.Len(t, a.Figures, len(incident.DefaultIntervals()))
	require.Zero(t, a.Figures[0].N)
	require.Nil(t, a.Figures[0].Mean)
}

func TestWrongQuestions(t *testing.T) {
	f := newFixture(t)
	for target, want := range map[string]string{
		"/api/v1/figures?windw=28d":                       "unknown parameter; the parameters are by, interval, format, window, from, to, month, zone, service, severity",
		"/api/v1/figures?by=team":                         `no by "team"; there are service, severity`,
		"/api/v1/figures?window=1mo":                      `"1mo" is neither one of 28d nor a duration such as 28d`,
		"/api/v1/figures?format=xml":                      `unknown value "xml"; it is one of json, csv`,
		"/api/v1/figures?interval=resolv":                 "did you mean resolve?",
		"/api/v1/explain?interval=resolv":                 "did you mean resolve?",
		"/api/v1/report?month=2026-1":                     `not a month: "2026-1"`,
		"/api/v1/report?month=2026-02&window=28d":         "give it alone",
		"/api/v1/report?from=2026-02-01T00:00:00Z&to=now": `not a time: "now"`,
	} {
		w := f.call("GET", target, "")
		require.Equal(t, http.StatusBadRequest, w.Code, target)
		require.Contains(t, f.requireProblem(w).Detail, want, target)
	}
}
