package web

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/letter"
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

func (x figuresOf) period(q measure.Question) (measure.Period, error) {
	return q.Period([]measure.Window{{Name: "28d", Length: 28 * 24 * time.Hour}, {Name: "7d", Length: 7 * 24 * time.Hour}}, x.f.now)
}

func (x figuresOf) report(q measure.Question) (*measure.Report, error) {
	p, err := x.period(q)
	if err != nil {
		return nil, err
	}
	names := measure.Names{Services: []string{"checkout", "search"}, Severities: []string{"critical", "warning"}}
	if err := names.Check(&q); err != nil {
		return nil, err
	}
	r, err := measure.NewReport(measure.ReportOptions{
		Options: measure.Options{Intervals: incident.DefaultIntervals()}, Period: p, Watched: x.f.watched,
		Asked: measure.Grouping{Service: q.Service, Severity: q.Severity},
	}, x.each, func(func(incident.Verdict, error) bool) {})
	if err != nil {
		return nil, err
	}
	return r, r.Only(&q)
}

func (x figuresOf) Explained(_ context.Context, q measure.Question, intervals []string) (*measure.Report, []*measure.Explanation, error) {
	r, err := x.report(q)
	if err != nil {
		return nil, nil, err
	}
	p, err := x.period(q)
	if err != nil {
		return nil, nil, err
	}
	var out []*measure.Explanation
	for _, iv := range incident.DefaultIntervals() {
		if !slices.Contains(intervals, iv.Name) {
			continue
		}
		e, err := measure.Explain(x.each,
			measure.ExplainOptions{Interval: iv, Period: p, Grouping: measure.Grouping{Service: q.Service, Severity: q.Severity}})
		if err != nil {
			return nil, nil, err
		}
		out = append(out, e)
	}
	return r, out, nil
}

func (x figuresOf) EachIncident(context.Context, time.Time) iter.Seq2[incident.Incident, error] {
	return x.each
}

func (x figuresOf) EachVerdict(context.Context, time.Time, time.Time) iter.Seq2[incident.Verdict, error] {
	return func(func(incident.Verdict, error) bool) {}
}

func (x figuresOf) Letter(ctx context.Context, period string, q measure.Question) (*letter.Letter, error) {
	return letter.Write(ctx, x, x, q, period, "https://ops.example.org/")
}

// many are seven incidents of checkout that took 10 to 70 minutes, and one whose end nobody knows.
func (f *fixture) many() {
	f.store.incidents = nil
	at := func(t time.Time) incident.Milestone {
		return incident.Milestone{Candidate: incident.Candidate{At: t, Precision: incident.PrecisionSecond, Origin: incident.OriginRecord}}
	}
	for i := range 8 {
		start := f.now.Add(-time.Duration(i+1) * 24 * time.Hour)
		inc := incident.Incident{
			ID: "m" + strings.Repeat("x", i+1), Title: "<b>Many</b> " + string(rune('A'+i)), Services: []string{"checkout"},
			Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved,
			DetectedBy: incident.ByAlert, Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: at(start),
				incident.Resolved: at(start.Add(time.Duration(i+1) * 10 * time.Minute))},
		}
		if i == 7 {
			delete(inc.Milestones, incident.Resolved)
		}
		f.store.incidents = append(f.store.incidents, inc)
	}
}

func TestFiguresPage(t *testing.T) {
	f := newFixture(t)
	f.many()
	page := f.get("/figures?window=28d&service=checkout").Body.String()
	for _, words := range []string{
		"Figures of checkout, 28d", "median 40 min", "90 % sure between 10 min and 1 h 10 min", "7 of 8 incidents", "mean 40 min", "before: not known",
		"8 incidents began; 0 in the period before", "1 not known", "resolved is not known",
		`<a href="/incidents/mx" aria-label="&lt;b&gt;Many&lt;/b&gt; A: 10 min">`, "Time between incidents: 3d 12h on average, of 8", "format=csv",
	} {
		require.Contains(t, page, words)
	}
	require.Equal(t, 7, strings.Count(page, "<circle"), "a dot for each incident of the one interval that is known")
	require.Contains(t, f.get("/figures").Body.String(), `<a href="/figures?service=checkout">checkout</a>`)
	require.Contains(t, f.get("/figures?month=2026-03&window=28d").Body.String(), "2026-03")
}

// What Grafana makes of All, of one and of several in the links of dashboards.
func TestFiguresPageFromADashboard(t *testing.T) {
	f := newFixture(t)
	f.many()
	const several = "Of several services or severities at once there is no figure"
	for target, want := range map[string]string{
		"/figures?window=28d&service=%5E%24&severity=%5E%24":             "<h1>Figures, 28d</h1>",
		"/figures?window=28d&service=%7Bcheckout%7D&severity=%5E%24":     "<h1>Figures of checkout, 28d</h1>",
		"/figures?window=28d&service=checkout&severity=%7Bcritical%7D":   "<h1>Figures of checkout, critical, 28d</h1>",
		"/figures?window=28d&service=%7Bcheckout%2Csearch%7D&severity=":  several,
		"/figures?window=28d&service=&severity=%7Bcritical%2Cwarning%7D": several,
	} {
		w := f.get(target)
		require.Equal(t, http.StatusOK, w.Code, target)
		require.Contains(t, w.Body.String(), want, target)
		require.Equal(t, want == several, strings.Contains(w.Body.String(), several), target)
	}
	require.Equal(t, http.StatusBadRequest, f.get("/figures?service=%7Bchekout%7D").Code)
}

// The letter of a month, as a page to print, as text and as JSON.
func TestLetter(t *testing.T) {
	f := newFixture(t)
	f.many()
	month := f.now.AddDate(0, 0, -1).Format("2006-01")
	page := f.get("/reports/" + month + "?service=checkout").Body.String()
	for _, words := range []string{
		"<h1>Incidents of checkout, " + month + "</h1>", "The longest incidents", "(MTTR): <strong>median ", "&lt;b&gt;Many&lt;/b&gt;",
		`<a href="https://ops.example.org/incidents/m`, "What is not known, and who can tell", "MTTA): <strong>not known</strong>",
	} {
		require.Contains(t, page, words)
	}
	require.NotContains(t, page, "<b>Many")
	require.Contains(t, f.get("/figures?service=checkout&month="+month).Body.String(), `<a href="/reports/`+month+`?service=checkout">The month as a letter</a>`)

	w := f.get("/reports/" + month + "?format=text")
	require.Equal(t, "text/markdown; charset=utf-8", w.Header().Get("Content-Type"))
	require.True(t, strings.HasPrefix(w.Body.String(), "# Incidents, "+month+"\n"))
	var l letter.Letter
	require.NoError(t, json.Unmarshal(f.get("/reports/"+month+"?format=json").Body.Bytes(), &l))
	require.Equal(t, month, l.Period)
	require.Equal(t, "https://ops.example.org/reports/"+month, l.URL)

	for target, want := range map[string]string{
		"/reports/soon": "not a month", "/reports/2026-W99": "not a week", "/reports/" + month + "?service=chekout": "did you mean checkout?",
		"/reports/" + month + "?format=pdf": "neither text nor json", "/reports/2200-01": "has not begun", "/reports/" + month + "?zone=Berlin": "unknown zone",
	} {
		w := f.get(target)
		require.Equal(t, http.StatusBadRequest, w.Code, target)
		require.Contains(t, w.Body.String(), want, target)
	}
}

func TestFiguresPageOfNothing(t *testing.T) {
	f := newFixture(t)
	f.store.incidents = nil
	page := f.get("/figures").Body.String()
	require.Contains(t, page, "no incident began")
	require.Equal(t, 4, strings.Count(page, `<p class="figure unknown">not known</p>`))
	require.Contains(t, page, "none began in 28d watched, so at least 9d 8h")
	require.NotContains(t, page, "<circle")
}

// What nobody watched is not known, and not 0.
func TestFiguresPageOfWhatNobodyWatched(t *testing.T) {
	f := newFixture(t)
	f.store.incidents = nil
	for _, c := range []struct {
		watched  time.Time
		has, not []string
	}{
		{f.now.AddDate(-1, 0, 0), []string{"0 incidents began; 0 in the period before", "no incident began"}, []string{"nothing was watched"}},
		{f.now.AddDate(0, 0, -20), []string{"0 incidents began; how many did in the period before is not known: nothing was watched then",
			"Watched: 20d of 28d"}, []string{"0 in the period before"}},
		{time.Time{}, []string{"How many incidents began is not known", "<li>nothing was watched</li>", "not known: nothing was watched in this period"},
			[]string{"0 incidents began", "no incident began"}},
	} {
		f.watched = c.watched
		page := f.get("/figures?window=28d").Body.String()
		for _, words := range c.has {
			require.Contains(t, page, words)
		}
		for _, words := range c.not {
			require.NotContains(t, page, words)
		}
	}
}

// Of very many incidents the shortest and the longest are dots.
func TestDotsOfMany(t *testing.T) {
	e := &measure.Explanation{Figures: measure.IntervalFigures{Median: &measure.Estimate{Value: 600}}}
	for i := range 3*maxDots + 2 {
		e.Included = append(e.Included, measure.IncludedIncident{ID: fmt.Sprint(i), Seconds: float64(1 + i)})
	}
	d := dotsOf(e)
	require.LessOrEqual(t, len(d.Dots), maxDots)
	require.Equal(t, 4, d.Every)
	require.Equal(t, "0", d.Dots[0].ID)
	require.Equal(t, fmt.Sprint(3*maxDots+1), d.Dots[len(d.Dots)-1].ID)
	e.Included = e.Included[:maxDots]
	require.Len(t, dotsOf(e).Dots, maxDots)
	require.Zero(t, dotsOf(e).Every)
}

func TestFiguresPageOfAMistake(t *testing.T) {
	f := newFixture(t)
	for target, want := range map[string]string{
		"/figures?service=chekout": "did you mean checkout?", "/figures?month=2026-99": "not a month", "/figures?window=soon": "neither one of 28d, 7d nor a duration",
	} {
		w := f.get(target)
		require.Equal(t, http.StatusBadRequest, w.Code, target)
		require.Contains(t, w.Body.String(), want, target)
	}
}

// A table has room for one word: what few incidents or an unknown end leave open is said as the least that is so.
func TestTheTableClaimsNoMoreThanIsKnown(t *testing.T) {
	mean, lower, upper := 30*86400., 11*86400., 200*86400.
	for _, c := range []struct {
		name             string
		incidents        int
		best, worst      float64
		between, percent string
	}{
		{"many, all of it known", 5, 0.999, 0.999, "30 d", "99.9 %"},
		{"few", 4, 0.999, 0.999, "at least 11 d", "99.9 %"},
		{"an impact of an unknown end", 5, 1, 0.998, "30 d", "at least 99.8 %"},
	} {
		l := listedOf(&measure.ReportGroup{Now: &measure.Group{}, Reliability: &measure.Reliability{
			Incidents: c.incidents, Between: &measure.Between{Mean: &mean, Lower: &lower, Upper: &upper},
			Availability: measure.Estimate{Value: c.best, Bounds: &measure.Bounds{Lower: c.worst, Upper: c.best}},
		}}, "checkout", "/")
		require.Equal(t, c.between, l.Between, c.name)
		require.Equal(t, c.percent, l.Percent, c.name)
	}
}
