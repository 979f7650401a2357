package backfill

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
	"meantime/test/servers"
)

// TestPrometheus writes a year, makes blocks of it, and holds a trend over that year in a real Prometheus to a report on
// each month. Then one incident is corrected, and what it touches is written again.
func TestPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	w := invent(11, 430, 120, 500)
	from, to := t0.AddDate(-1, 0, 0), t0
	data := t.TempDir()
	imported(t, w, from, to, data)
	p := serving(t, data)
	holds(t, p, w, from, to)

	since, until := correct(w, t0.AddDate(0, -6, 0), t0.AddDate(0, -5, 0))
	forget(t, p, since, until)
	require.NoError(t, p.Stop())
	imported(t, w, since, until, data)
	holds(t, serving(t, data), w, from, to)
}

// correct makes an incident that began in a stretch of time an hour longer, and says which samples that touches.
func correct(w *world, from, to time.Time) (since, until time.Time) {
	changed := &w.incidents[0]
	for i := range w.incidents {
		if x := &w.incidents[i]; measured(x) && x.At().After(from) && x.At().Before(to) {
			changed = x
		}
	}
	m := changed.Milestones[incident.Resolved]
	m.At = m.At.Add(time.Hour)
	changed.Milestones[incident.Resolved] = m
	return changed.At(), changed.At().Add(28 * 24 * time.Hour)
}

// forget deletes what was written of a stretch of time.
func forget(t *testing.T, p *servers.PrometheusServer, from, to time.Time) {
	t.Helper()
	q := url.Values{"match[]": {`{__name__=~"meantime_.+",job=""}`}, "start": {from.Format(time.RFC3339)}, "end": {to.Format(time.RFC3339)}}
	answer, err := http.Post(p.URL+"/api/v1/admin/tsdb/delete_series?"+q.Encode(), "", nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
}

// measured says whether an incident has a length to correct.
func measured(inc *incident.Incident) bool {
	return measure.Applicable(inc) && !inc.Point("started").IsZero() && !inc.Point("resolved").IsZero()
}

func serving(t *testing.T, data string) *servers.PrometheusServer {
	return servers.Prometheus(t, servers.PrometheusOptions{Data: data, Args: []string{"--storage.tsdb.retention.time=50y", "--web.enable-admin-api"}})
}

// imported writes a stretch of the past, a sample a day, and makes blocks of it.
func imported(t *testing.T, w *world, from, to time.Time, data string) {
	t.Helper()
	dir := t.TempDir()
	before := blocks(t, data)
	o := daily(w, from, to)
	o.Part = 486 * time.Hour
	var names []string
	_, err := Write(context.Background(), func(first time.Time) (io.WriteCloser, error) {
		names = append(names, filepath.Join(dir, first.Format("20060102T150405Z")+".om"))
		return os.Create(names[len(names)-1])
	}, o)
	require.NoError(t, err)
	for _, name := range names {
		said, ok := servers.Promtool(t, "", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=486h", name, data)
		require.True(t, ok, said)
	}
	require.Equal(t, before+len(names), blocks(t, data), "each file is one block")
}

// daily are options for a sample a day of the figures over 28 days.
func daily(w *world, from, to time.Time) Options {
	o := options(w, from, to, 24*time.Hour)
	o.Measure.Windows = testMeasure.Windows[1:]
	return o
}

// blocks is how many blocks there are.
func blocks(t *testing.T, data string) int {
	t.Helper()
	all, err := filepath.Glob(data + "/*/meta.json")
	require.NoError(t, err)
	return len(all)
}

// holds holds what Prometheus shows for every month of a year to a report.
func holds(t *testing.T, p *servers.PrometheusServer, w *world, from, to time.Time) {
	t.Helper()
	shown := map[string]map[time.Time]float64{}
	for _, name := range []string{
		"meantime_incidents", "meantime_measurements", "meantime_interval_median_seconds", "meantime_interval_median_lower_seconds", "meantime_interval_median_upper_seconds",
		"meantime_interval_geometric_mean_seconds", "meantime_interval_mean_seconds", "meantime_interval_max_seconds", "meantime_interval_survival_median_seconds",
		"meantime_impact_seconds", "meantime_alert_recall_ratio", "meantime_alert_precision_ratio", "meantime_objective_ratio",
		"meantime_time_between_incidents_mean_seconds", "meantime_time_between_incidents_lower_seconds", "meantime_incident_rate_per_day_upper",
		"meantime_availability_ratio", "meantime_availability_ratio_lower", "meantime_error_budget_used_ratio",
	} {
		trend, err := p.QueryRange(name+`{window="28d"}`, from, to, 24*time.Hour)
		require.NoError(t, err)
		for _, series := range trend {
			l := series.Metric
			key := fmt.Sprintln(name, l["affected_service"], l["severity"], l["interval"], l["status"], l["detected_by"])
			require.NotContains(t, shown, key)
			shown[key] = map[time.Time]float64{}
			for _, v := range series.Values {
				shown[key][v.Timestamp.Time().UTC()] = float64(v.Value)
			}
		}
	}
	for at, n := from, 0; !at.After(to); at, n = at.AddDate(0, 1, 0), n+1 {
		want, also := reported(t, w, at)
		require.Greater(t, len(want), 100, at)
		got := map[string]float64{}
		for key, values := range shown {
			if v, ok := values[at]; ok {
				got[key] = v
			}
		}
		for key, v := range want {
			require.Contains(t, got, key, at)
			require.InDelta(t, v, got[key], 1e-9, "%s at %s", key, at) // as PromQL's JSON writes it
			delete(got, key)
		}
		for key, v := range got {
			if x, ok := also[key]; ok {
				require.InDelta(t, x, v, 1e-9, "%s at %s", key, at)
				continue
			}
			require.Zero(t, v, "%s at %s", key, at) // a report leaves out groups without anything
		}
	}
}

// reported is a report on 28 days, by the names of metrics. also is the reliability of groups in which nothing began: metrics show it
// only where something reaches into the window, and a report also where something was in the window before.
func reported(t *testing.T, w *world, at time.Time) (out, also map[string]float64) {
	t.Helper()
	ctx := context.Background()
	o := measure.ReportOptions{Options: testMeasure, Period: measure.Rolling(testMeasure.Windows[1], at), Watched: watched}
	r, err := measure.NewReport(o, w.EachIncident(ctx, time.Time{}), w.EachVerdict(ctx, o.Before, at))
	require.NoError(t, err)
	all := map[string]float64{}
	also = map[string]float64{}
	for _, g := range r.Groups {
		out = all
		put := func(name string, v float64, interval string, status incident.Status, by incident.DetectedBy) {
			out[fmt.Sprintln("meantime_"+name, model.LabelValue(g.Service), model.LabelValue(g.Severity), model.LabelValue(interval), model.LabelValue(status), model.LabelValue(by))] = v
		}
		maybe := func(name string, v *float64, interval string) {
			if v != nil {
				put(name, *v, interval, "", "")
			}
		}
		if g.Precision != nil {
			put("alert_precision_ratio", g.Precision.Value, "", "", "")
		}
		if g.Now.Incidents == 0 {
			out = also
		}
		if r := g.Reliability; r != nil {
			maybe("availability_ratio", &r.Availability.Value, "")
			maybe("availability_ratio_lower", &r.Availability.Bounds.Lower, "")
			maybe("error_budget_used_ratio", r.BudgetUsed, "")
			if r.Between != nil {
				maybe("time_between_incidents_mean_seconds", r.Between.Mean, "")
				maybe("time_between_incidents_lower_seconds", r.Between.Lower, "")
				maybe("incident_rate_per_day_upper", &r.Rate.Upper, "")
			}
		}
		if g.Now.Incidents == 0 {
			continue
		}
		for by, n := range g.Now.DetectedBy {
			put("incidents", float64(n), "", "", by)
		}
		maybe("impact_seconds", g.Now.Impact, "")
		if g.Now.Recall != nil {
			put("alert_recall_ratio", g.Now.Recall.Value, "", "", "")
		}
		for _, iv := range g.Now.Intervals {
			for s, n := range iv.Status {
				if n > 0 {
					put("measurements", float64(n), iv.Interval, s, "")
				}
			}
			maybe("interval_mean_seconds", iv.Mean, iv.Interval)
			maybe("interval_max_seconds", iv.Max, iv.Interval)
			maybe("interval_survival_median_seconds", iv.Survival, iv.Interval)
			for name, e := range map[string]*measure.Estimate{"interval_median": iv.Median, "interval_geometric_mean": iv.GeometricMean} {
				if e == nil {
					continue
				}
				put(name+"_seconds", e.Value, iv.Interval, "", "")
				if name == "interval_median" && e.Bounds != nil {
					put(name+"_lower_seconds", e.Bounds.Lower, iv.Interval, "", "")
					put(name+"_upper_seconds", e.Bounds.Upper, iv.Interval, "", "")
				}
			}
		}
		for _, x := range g.Now.Objectives {
			put("objective_ratio", x.Value, x.Interval, "", "")
		}
	}
	return all, also
}
