package app

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/api"
	"meantime/config"
	"meantime/incident"
	"meantime/measure"
	"meantime/test/servers"
)

// yearOf puts records of many kinds into a store, from a seed.
func (h *house) yearOf(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 15))
	var f incident.Facts
	for i := range 60 {
		start := houseClock.Add(-time.Duration(r.IntN(100*24*60)) * time.Minute)
		rec := incident.Record{
			Source: "api", ID: fmt.Sprint(i), Title: fmt.Sprint("Incident ", i),
			Services: []string{[]string{"checkout", "search", "payments"}[r.IntN(3)]},
			Severity: []string{"critical", "warning"}[r.IntN(2)], State: incident.StateResolved,
			Milestones: map[incident.MilestoneName]incident.Stated{},
		}
		if i%3 > 0 {
			rec.Labels = map[string]string{"team": []string{"", "pay", "ship"}[i%3], "cluster": "eu-1"}
		}
		at := start
		for _, m := range incident.MilestoneNames {
			if r.IntN(6) > 0 {
				rec.Milestones[m] = incident.Stated{At: incident.Earliest(at, houseClock.Add(-time.Minute))}
			}
			at = at.Add(time.Duration(1+r.IntN(90)) * time.Minute)
		}
		switch r.IntN(12) {
		case 0:
			rec.State = incident.StateCancelled
		case 1:
			rec.Kind = incident.KindDrill
		case 2:
			rec.State = incident.StateOpen
			delete(rec.Milestones, incident.Resolved)
		}
		rec.Normalize()
		f.Records = append(f.Records, rec)
	}
	h.put(f)
	h.settle()
}

// TestOneFigureEverywhere: metrics, report, explain and the API, as JSON and as a table, give the same figure for the same
// question, over every group and interval of random stores.
func TestOneFigureEverywhere(t *testing.T) {
	for seed := range uint64(3) {
		h := newHouse(t, t.TempDir())
		h.yearOf(seed)
		c, err := config.Load("", []string{`MEANTIME_CORRELATE_OPEN_MATCHERS=["severity=\"critical\""]`, "MEANTIME_FIGURES_BY=[team, cluster]"})
		require.NoError(t, err)
		v, err := c.Validate()
		require.NoError(t, err)
		require.NoError(t, h.app.pipeline.configure(context.Background(), v))
		a := &answers{func() *config.Validated { return v }, h.db, h.app.now, func() string { return "" }}
		handler := api.New(api.Options{Figures: a})
		get := func(path string, q url.Values) string {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("GET", path+"?"+q.Encode(), nil))
			require.Equal(t, 200, w.Code, w.Body)
			return w.Body.String()
		}
		h.app.pipeline.follows(context.Background())
		e, err := servers.ReadExposition([]byte(h.figures("meantime_by_", "meantime_time_between_", "meantime_availability", "meantime_error_budget")))
		require.NoError(t, err)
		shown := func(family, more string, g measure.Grouping) *float64 {
			prefix, affected, value := "", "service", g.Service
			if g.Label != "" {
				prefix, affected, value = "by_"+g.Label+"_", g.Label, g.Value
			}
			s, ok := e[fmt.Sprintf("meantime_%s%s{affected_%s=%q,%sseverity=%q,window=\"28d\"}", prefix, family, affected, value, more, g.Severity)]
			if !ok {
				return nil
			}
			x, err := strconv.ParseFloat(s, 64)
			require.NoError(t, err)
			return &x
		}

		all := url.Values{"window": {"28d"}, "by": {"service,severity,team,cluster"}}
		var answer measure.Answer
		require.NoError(t, json.Unmarshal([]byte(get("/api/v1/figures", all)), &answer))
		require.Greater(t, len(answer.Figures), 8*8)
		all.Set("format", "csv")
		table, err := csv.NewReader(strings.NewReader(get("/api/v1/figures", all))).ReadAll()
		require.NoError(t, err)
		report, err := a.Report(context.Background(), measure.Question{Window: "28d", By: "service,severity,team,cluster"})
		require.NoError(t, err)
		var told measure.Report
		all.Set("format", "json")
		require.NoError(t, json.Unmarshal([]byte(get("/api/v1/report", all)), &told))
		require.Len(t, table, len(answer.Figures)+1)
		labelled := 0
		for i, f := range answer.Figures {
			where := fmt.Sprintf("seed %d, %+v %s", seed, f.Grouping, f.Interval)
			k := i % len(v.Intervals)
			require.Equal(t, f.IntervalFigures, report.Group(f.Grouping).Now.Intervals[k], where)
			require.Equal(t, f.IntervalFigures, told.Group(f.Grouping).Now.Intervals[k], where)
			require.Equal(t, strconv.Itoa(f.N), table[i+1][6], where)

			q := url.Values{"window": {"28d"}, "interval": {f.Interval}}
			if f.Service != "" {
				q.Set("service", f.Service)
			}
			if f.Severity != "" {
				q.Set("severity", f.Severity)
			}
			if f.Label != "" {
				q.Set("label", f.Label+"="+f.Value)
				labelled++
			}
			var explained measure.Explanation
			require.NoError(t, json.Unmarshal([]byte(get("/api/v1/explain", q)), &explained))
			require.Equal(t, f.IntervalFigures, explained.Figures, where)
			var alone measure.Answer
			require.NoError(t, json.Unmarshal([]byte(get("/api/v1/figures", q)), &alone))
			require.Equal(t, []measure.Figure{f}, alone.Figures, where)

			if f.Incidents == 0 {
				continue // the metrics leave the statuses of an empty group out
			}
			interval := fmt.Sprintf("interval=%q,", f.Interval)
			require.Equal(t, f.Mean, shown("interval_mean_seconds", interval, f.Grouping), where)
			require.Equal(t, f.Survival, shown("interval_survival_median_seconds", interval, f.Grouping), where)
			if f.Median != nil {
				require.Equal(t, &f.Median.Value, shown("interval_median_seconds", interval, f.Grouping), where)
			}
		}
		require.Greater(t, labelled, 8*9, "two teams and a cluster, each by severity too")
		require.NotEmpty(t, answer.Reliability)
		for i, r := range answer.Reliability {
			require.Equal(t, r.Reliability, *report.Group(r.Grouping).Reliability)
			require.Equal(t, r.Reliability, *told.Group(r.Grouping).Reliability)
			for family, want := range relied(&answer.Reliability[i].Reliability) {
				require.Equal(t, want, shown(family, "", r.Grouping), "seed %d, %s of %+v", seed, family, r.Grouping)
			}
		}
		h.close()
	}
}

// relied are the metrics that show a reliability, nil for those that are not there.
func relied(r *measure.Reliability) map[string]*float64 {
	out := map[string]*float64{
		"availability_ratio": &r.Availability.Value, "availability_ratio_lower": &r.Availability.Bounds.Lower,
		"availability_ratio_upper": &r.Availability.Bounds.Upper, "error_budget_used_ratio": r.BudgetUsed,
		"time_between_incidents_mean_seconds": nil, "time_between_incidents_lower_seconds": nil, "time_between_incidents_upper_seconds": nil,
		"incident_rate_per_day": nil, "incident_rate_per_day_lower": nil, "incident_rate_per_day_upper": nil,
	}
	if b := r.Between; b != nil {
		out["time_between_incidents_mean_seconds"] = b.Mean
		out["time_between_incidents_lower_seconds"], out["time_between_incidents_upper_seconds"] = b.Lower, b.Upper
	}
	if x := r.Rate; x != nil {
		out["incident_rate_per_day"], out["incident_rate_per_day_lower"], out["incident_rate_per_day_upper"] = &x.PerDay, &x.Lower, &x.Upper
	}
	return out
}

// TestQuestionsOfNothingKnown: what a filter names that nobody knows is an error with what there is, and what is known by
// another name is found by it.
func TestQuestionsOfNothingKnown(t *testing.T) {
	h := newHouse(t, t.TempDir())
	defer h.close()
	h.yearOf(1)
	c, err := config.Load("", []string{`MEANTIME_SEVERITIES_ALIASES=[{severity: critical, names: [SEV-1]}]`})
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	a := &answers{func() *config.Validated { return v }, h.db, h.app.now, func() string { return "" }}
	_, err = a.Report(context.Background(), measure.Question{Service: "chekout"})
	require.EqualError(t, err, `service: no service "chekout"; did you mean checkout?; there are checkout, payments, search`)
	_, err = a.Report(context.Background(), measure.Question{By: "team"})
	require.EqualError(t, err, `by: no by "team"; there are service, severity`)
	_, err = a.Report(context.Background(), measure.Question{Label: "team=pay"})
	require.EqualError(t, err, `label: no label "team"; none is known`)
	v.By = []string{"team"}
	_, err = a.Report(context.Background(), measure.Question{Label: "team"})
	require.EqualError(t, err, `label: "team" is not a label and its value; write it like team=payments`)
	_, err = a.Explain(context.Background(), measure.Question{Label: "team=pya"})
	require.EqualError(t, err, `team: no team "pya"; did you mean pay?; there are pay, ship`)
	_, err = a.Report(context.Background(), measure.Question{Label: "team=pay", Service: "checkout"})
	require.EqualError(t, err, "label: give a service or a label, not both: there are figures by each alone and by severity")
	_, err = a.Explain(context.Background(), measure.Question{Severity: "urgent"})
	require.EqualError(t, err, `severity: no severity "urgent"; there are critical, info, warning`)
	want, err := a.Report(context.Background(), measure.Question{Severity: "critical", Window: "90d"})
	require.NoError(t, err)
	got, err := a.Report(context.Background(), measure.Question{Severity: "SEV-1", Window: "90d"})
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Positive(t, got.Groups[0].Now.Incidents)
	none, err := a.Report(context.Background(), measure.Question{Severity: "info"})
	require.NoError(t, err, "it is known, and nothing happened")
	require.Equal(t, measure.Grouping{Severity: "info"}, none.Groups[0].Grouping)
	require.Zero(t, none.Groups[0].Now.Incidents)
}
