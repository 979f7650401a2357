package measure

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

const day = 24 * 60 // minutes

// twoWindows are incidents of the week that ends at minute 7 * day and of the one before, with one of each sort.
func twoWindows() []incident.Incident {
	var all []incident.Incident
	for i, length := range []float64{30, 45, 60, 90, 120, 200} { // the week before
		s := float64(-(i + 1) * day)
		all = append(all, made("before-"+string(rune('a'+i)), at{"started": s, "detected": s + 5, "acknowledged": s + 9, "resolved": s + length}))
	}
	for i, length := range []float64{3, 5, 8, 4, 10, 12.5} {
		s := float64((i + 1) * day)
		all = append(all, made("now-"+string(rune('a'+i)), at{"started": s, "detected": s + 6, "acknowledged": s + 8, "mitigated": s + length, "resolved": s + length}, func(x *incident.Incident) {
			x.Impacts = []incident.Impact{{From: minute(s), To: minute(s + length)}}
			if i == 5 {
				x.DetectedBy, x.Services, x.Severity = incident.ByCustomer, []string{"payments | <b>"}, "warning"
				x.Title = "A title with | a bar, *stars* and\na second line <script>"
			}
		}))
	}
	s := 6.5 * day
	return append(all,
		made("still-open", at{"started": s, "detected": s + 3}, open),
		made("a-drill", at{"started": s, "detected": s + 3, "resolved": s + 20}, func(x *incident.Incident) { x.Kind = incident.KindDrill }),
		made("no-incident", at{"started": s}, func(x *incident.Incident) { x.State = incident.StateCancelled }),
		made("backwards", at{"started": s, "resolved": s - 10}),
		made("placeholder", at{"started": s, "detected": s, "resolved": s + 5}, placeholder),
		made("no-end", at{"started": s}, func(x *incident.Incident) { x.OpenUntil = minute(s + 60) }),
		made("undated", nil),
		made("too-old", at{"started": -15 * day, "resolved": -15*day + 1}),
	)
}

func verdictsOf(t0 float64) []incident.Verdict {
	v := func(m float64, o incident.Outcome) incident.Verdict {
		return incident.Verdict{Episode: incident.Episode{Fingerprint: "aa", StartsAt: minute(t0 + m), Labels: map[string]string{"alertname": "X"}}, Service: "checkout", Severity: "critical", Outcome: o}
	}
	return []incident.Verdict{v(1, incident.OutcomeLinked), v(2, incident.OutcomeNone), v(3, incident.OutcomeLinked), v(-8*day, incident.OutcomeNone)}
}

var week = Window{"7d", 7 * 24 * time.Hour}

var weekOptions = Options{
	Windows: []Window{week}, Intervals: incident.DefaultIntervals(), Objectives: []Objective{{"critical", "resolve", 6 * time.Minute}},
	OpenFor: 7 * 24 * time.Hour, Availability: []Availability{{Objective: 0.999}},
}

func testReport(t *testing.T) *Report {
	r, err := NewReport(ReportOptions{Period: Rolling(week, minute(7*day)), Watched: minute(-15 * day), Options: weekOptions},
		each(twoWindows()), each(verdictsOf(6.9*day)))
	require.NoError(t, err)
	return r
}

func TestReport(t *testing.T) {
	r := testReport(t)
	require.Equal(t, minute(-7*day), r.Before)
	all := r.Groups[0]
	require.Equal(t, 12, all.Now.Incidents)
	require.Equal(t, 6, all.Before.Incidents)
	require.Equal(t, [2]int{2, 3}, [2]int{all.Precision.K, all.Precision.N})
	require.Equal(t, [2]int{0, 1}, [2]int{all.PrecisionBefore.K, all.PrecisionBefore.N})

	var md, js bytes.Buffer
	require.NoError(t, r.Markdown(&md))
	golden(t, "report.md", md.Bytes())
	require.NotContains(t, md.String(), "<b>")
	require.NoError(t, JSON(&js, r))
	golden(t, "report.json", js.Bytes())
	var back Report
	require.NoError(t, json.Unmarshal(js.Bytes(), &back))
	require.Equal(t, r.Groups[0].Now.Intervals, back.Groups[0].Now.Intervals)
}

// TestReportIsTheMetrics: the figures of the report are those of the window's metrics.
func TestReportIsTheMetrics(t *testing.T) {
	b := NewBook(weekOptions)
	b.Watched(minute(-15 * day))
	require.NoError(t, b.Load(each(twoWindows()), each(verdictsOf(6.9*day))))
	f := b.Figures(minute(7 * day)).Windows[0]
	got := map[Grouping]*Group{}
	for _, g := range testReport(t).Groups {
		if g.Now.Incidents > 0 {
			got[g.Grouping] = g.Now
		}
	}
	require.Len(t, got, len(f.Groups))
	for _, want := range f.Groups {
		require.Equal(t, want, got[want.Grouping])
	}
	relied := map[Grouping]*Reliability{}
	for _, g := range testReport(t).Groups {
		relied[g.Grouping] = g.Reliability
	}
	require.Len(t, f.Reliability, len(f.Groups))
	for _, want := range f.Reliability {
		require.Equal(t, want, relied[want.Grouping])
	}
	require.Equal(t, f.Alerts[0].Precision, *testReport(t).Groups[0].Precision)
}

func TestReportOfNothing(t *testing.T) {
	r, err := NewReport(ReportOptions{Period: Rolling(week, t0), Options: weekOptions}, each([]incident.Incident(nil)),
		each([]incident.Verdict(nil)))
	require.NoError(t, err)
	require.Len(t, r.Groups, 1)
	var b bytes.Buffer
	require.NoError(t, r.Markdown(&b))
	require.Contains(t, b.String(), "0 incidents; not known how many in the window before.")
	b.Reset()
	r.Watched = t0.AddDate(-1, 0, 0)
	require.NoError(t, r.Markdown(&b))
	require.Contains(t, b.String(), "0 incidents; 0 in the window before.")
	bad := errors.New("gone")
	_, err = NewReport(ReportOptions{Period: Rolling(week, t0)},
		func(yield func(incident.Incident, error) bool) { yield(incident.Incident{}, bad) }, each([]incident.Verdict(nil)))
	require.ErrorIs(t, err, bad)
	_, err = NewReport(ReportOptions{Period: Rolling(week, t0)}, each([]incident.Incident(nil)),
		func(yield func(incident.Verdict, error) bool) { yield(incident.Verdict{}, bad) })
	require.ErrorIs(t, err, bad)
}

func TestCompare(t *testing.T) {
	scale := func(f float64, s ...float64) []float64 {
		for i := range s {
			s[i] *= f
		}
		return s
	}
	few := Compare("resolve", []float64{1, 2, 3, 4}, []float64{1, 2, 3, 4, 5})
	require.Nil(t, few.Ratio)
	require.Equal(t, "too few to compare: 4 before and 5 now, of each 5 are needed", few.Words)

	same := Compare("resolve", scale(60, 10, 20, 40, 80, 160), scale(60, 12, 19, 44, 70, 170))
	require.Contains(t, same.Words, "no change can be told from these 5 and 5 incidents")
	require.Less(t, same.Ratio.Bounds.Lower, 1.0)
	require.Greater(t, same.Ratio.Bounds.Upper, 1.0)

	shorter := Compare("resolve", scale(600, 10, 20, 40, 80, 160), scale(6, 10, 20, 40, 80, 160))
	require.InDelta(t, 0.01, shorter.Ratio.Value, 1e-9)
	require.True(t, strings.HasPrefix(shorter.Words, "shorter: 0.01 times as long as before ("), shorter.Words)
	// By hand: the logarithms of 10·2^i have variance 2.5 ln²2 in both; df = 8; t(8; 0.95) = 1.859548.
	half := 1.859548 * math.Sqrt(2*2.5*math.Ln2*math.Ln2/5)
	require.InDelta(t, math.Exp(math.Log(0.01)+half), shorter.Ratio.Bounds.Upper, 1e-6)
	require.True(t, strings.HasPrefix(Compare("resolve", scale(6, 10, 20, 40, 80, 160), scale(600, 10, 20, 40, 80, 160)).Words, "longer: 100.00 times"))

	constant := Compare("resolve", []float64{60, 60, 60, 60, 60}, []float64{120, 120, 120, 120, 120})
	require.InDelta(t, 2, constant.Ratio.Bounds.Lower, 1e-9)
}

// TestCompareCoverage: the interval of the ratio holds the true one nine times in ten, also where the windows differ in size
// and spread, and so "no change" is rarely said wrongly.
func TestCompareCoverage(t *testing.T) {
	r, hits, runs := rand.New(rand.NewPCG(11, 12)), 0, 8000
	for range runs {
		before, now := make([]float64, 6), make([]float64, 15)
		for i := range before {
			before[i] = math.Exp(7 + 1.4*r.NormFloat64())
		}
		for i := range now {
			now[i] = math.Exp(6.5 + 0.9*r.NormFloat64())
		}
		if b := Compare("resolve", before, now).Ratio.Bounds; b.Lower <= math.Exp(-0.5) && math.Exp(-0.5) <= b.Upper {
			hits++
		}
	}
	require.InDelta(t, 0.90, float64(hits)/float64(runs), 0.02)
}

func explainOptions() ExplainOptions {
	return ExplainOptions{Interval: incident.Interval{Name: "resolve", From: "started", To: "resolved"},
		Grouping: Grouping{Service: "checkout"}, Period: Rolling(week, minute(7*day))}
}

func TestExplain(t *testing.T) {
	e, err := Explain(each(twoWindows()), explainOptions())
	require.NoError(t, err)
	require.Len(t, e.Included, 5)
	require.Equal(t, 1800.0, e.Sum)
	require.Equal(t, 360.0, *e.Figures.Mean)
	reasons := map[string]string{}
	for _, x := range e.LeftOut {
		reasons[x.ID] = string(x.Status) + ": " + x.Why
	}
	require.Equal(t, map[string]string{
		"still-open":  "pending: still open, and resolved has not come",
		"a-drill":     "not_applicable: a drill: counted, not measured",
		"no-incident": "not_applicable: cancelled: it turned out to be no incident",
		"backwards":   "invalid: resolved at 2026-03-07 23:50:00Z is before started at 2026-03-08 00:00:00Z",
		"placeholder": "missing: started only repeats when the record was made or detected, so it is not known; " +
			"{name: from_detected, from: detected, to: resolved} under intervals measures from when it was detected",
		"no-end":  "missing: resolved is not known; neither its state nor its end was said by 2026-03-08 01:00:00Z",
		"undated": ": no time of it is known, so it is in no window",
	}, reasons)
	var b bytes.Buffer
	require.NoError(t, e.Markdown(&b))
	golden(t, "explain.md", b.Bytes())
	b.Reset()
	require.NoError(t, JSON(&b, e))
	golden(t, "explain.json", b.Bytes())

	require.Equal(t, []float64{180, 240, 300, 480, 600}, e.Seconds())
}

func TestExplainOfNothing(t *testing.T) {
	e, err := Explain(each([]incident.Incident(nil)), explainOptions())
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, e.Markdown(&b))
	require.Equal(t, 2, strings.Count(b.String(), "None."))
	bad := errors.New("gone")
	_, err = Explain(func(yield func(incident.Incident, error) bool) { yield(incident.Incident{}, bad) }, explainOptions())
	require.ErrorIs(t, err, bad)
}

// TestExplainAddsUp: what is listed makes the figure that the metrics show, whatever the incidents.
func TestExplainAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		byID := map[string]incident.Incident{}
		for _, inc := range rapid.SliceOfN(rapid.Custom(randomIncident), 0, 40).Draw(t, "incidents") {
			byID[inc.ID] = inc
		}
		var all []incident.Incident
		for _, inc := range byID {
			all = append(all, inc)
		}
		now := minute(rapid.Float64Range(0, 400).Draw(t, "now"))
		w := Window{"3h", 3 * time.Hour}
		b := NewBook(Options{Windows: []Window{w}, Intervals: incident.DefaultIntervals()})
		require.NoError(t, b.Load(each(all), each([]incident.Verdict(nil))))
		for _, g := range b.Figures(now).Windows[0].Groups {
			for i, iv := range incident.DefaultIntervals() {
				e, err := Explain(each(all), ExplainOptions{Interval: iv, Grouping: g.Grouping, Period: Rolling(w, now)})
				require.NoError(t, err)
				require.Equal(t, g.Intervals[i], e.Figures)
				require.Len(t, e.Included, e.Figures.N)
				left := slices.DeleteFunc(slices.Clone(e.LeftOut), func(x LeftOutIncident) bool { return x.Status == "" })
				require.Equal(t, g.Incidents, len(e.Included)+len(left))
				if n := len(e.Included); n > 0 {
					require.InDelta(t, *e.Figures.Mean, e.Sum/float64(n), 1e-9)
					require.Equal(t, e.Included[n-1].Seconds, *e.Figures.Max)
					for _, x := range e.Included {
						require.InDelta(t, x.Seconds, x.To.At.Sub(x.From.At).Seconds(), 1e-9)
					}
					if k := e.MedianRank; k > 0 {
						require.Equal(t, Bounds{e.Included[k-1].Seconds, e.Included[n-k].Seconds}, *e.Figures.Median.Bounds)
					}
				}
			}
		}
	})
}

func TestHuman(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0s", 0.25: "0.25s", 1: "1s", 59.6: "1m", 60: "1m", 61: "1m 1s", 5460: "1h 31m", 3600: "1h", 3629: "1h", 3659: "1h 1m", 86399: "1d",
		90000: "1d 1h", 86400 * 3: "3d", -90: "-1m 30s",
	} {
		require.Equal(t, want, Human(s), "%v", s)
	}
}

func TestPlain(t *testing.T) {
	require.Equal(t, `a \| b \<script\> \*x\* c`, plain("a | b\n<script> *x* c"))
}

func TestSimulationMarkdown(t *testing.T) {
	s, ok := Simulate([]float64{60, 120, 300, 600, 900, 3600, 7200}, SimulateOptions{Runs: 2000, Seed: 3})
	require.True(t, ok)
	var b bytes.Buffer
	require.NoError(t, s.Markdown(&b))
	golden(t, "simulation.md", b.Bytes())
}
