package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// report is what `meantime report --format=json` writes.
type report struct{ Groups []group }

// group is one group of incidents in a report: everything, a service, a severity or both.
type group struct {
	Service, Severity string
	Now               struct {
		Incidents  int
		DetectedBy map[string]int `json:"detected_by"`
		Intervals  []span
		Impact     *float64 `json:"impact_seconds"`
		Recall     *share   `json:"alert_recall"`
		Missed     int      `json:"missed_detections"`
		Late       int      `json:"late_alerts"`
		Lead       *float64 `json:"alert_lead_seconds"`
		Objectives []struct {
			Interval string
			share
		}
	}
	Precision *share `json:"alert_precision"`
}

// span is one interval of a group.
type span struct {
	Interval            string
	Status              map[string]int
	N                   int
	Median              *estimate
	GeometricMean       *estimate `json:"geometric_mean"`
	Mean, P90, P95, Max *float64
}

type estimate struct {
	Value  float64
	Bounds *struct{ Lower, Upper float64 }
}

type share struct {
	K, N int
	estimate
}

// reported asks the program for a report.
func reported(t *testing.T, config, window string, at time.Time) (r report) {
	t.Helper()
	text, err := exec.Command(servers.Binary(t), "report", "--config.file="+config, "--window="+window, "--by=service,severity",
		"--format=json", "--to="+at.Format(time.RFC3339)).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &r))
	require.NotEmpty(t, r.Groups)
	return r
}

// span is an interval by name.
func (g *group) span(name string) *span {
	i := slices.IndexFunc(g.Now.Intervals, func(s span) bool { return s.Interval == name })
	if i < 0 {
		return &span{}
	}
	return &g.Now.Intervals[i]
}

// A put takes one figure. What is not known is nil, and is nowhere to be seen.
type put func(name, of string, value *float64)

// A counterpart says how a panel's figures are found in a report.
type counterpart struct {
	groups  func(choice, *group) bool // whether a group is in the panel
	figures func(choice, *group, put)
}

// The groups that panels show.
func chosen(c choice, g *group) bool {
	return among(c.services, g.Service) && among(c.severities, g.Severity)
}
func byService(c choice, g *group) bool  { return g.Service != "" && among(c.severities, g.Severity) }
func bySeverity(c choice, g *group) bool { return among(c.services, g.Service) && g.Severity != "" }
func allAndByService(c choice, g *group) bool {
	return (g.Service != "" || len(c.services) == 0) && among(c.severities, g.Severity)
}

func among(chosen []string, name string) bool {
	return len(chosen) == 0 && name == "" || name != "" && slices.Contains(chosen, name)
}

func count(n int) *float64 { return number(float64(n)) }

func number(x float64) *float64 { return &x }

// some is a count, or nothing where it is 0.
func some(n int) *float64 {
	if n == 0 {
		return nil
	}
	return count(n)
}

// left is a count of measurements that are in no figure. For services and severities there is no 0 of them, in the place of
// which panels have their words for nothing.
func (g *group) left(s *span, status string) *float64 {
	if g.Service+g.Severity != "" {
		return some(s.Status[status])
	}
	return count(s.Status[status])
}

// leftOut tells the measurements that are in no figure, by the words that panels have for why.
func (g *group) leftOut(s *span, tell func(status string, n *float64)) {
	for status, words := range map[string]string{
		"missing": "not known", "invalid": "invalid", "pending": "still open", "not_applicable": "not applicable",
	} {
		tell(words, g.left(s, status))
	}
}

// The figures of an estimate, some of which are not known.
func (e *estimate) value() *float64 {
	if e == nil {
		return nil
	}
	return &e.Value
}

func (e *estimate) lower() *float64 {
	if e == nil || e.Bounds == nil {
		return nil
	}
	return &e.Bounds.Lower
}

func (e *estimate) upper() *float64 {
	if e == nil || e.Bounds == nil {
		return nil
	}
	return &e.Bounds.Upper
}

func (s *share) part() *estimate {
	if s == nil {
		return nil
	}
	return &s.estimate
}

// words are a figure's, or -1, for which the panel has the words "too few".
func words(x *float64) *float64 {
	if x == nil {
		return number(-1)
	}
	return x
}

func hours(x *float64) *float64 {
	if x == nil {
		return nil
	}
	return number(*x / 3600)
}

// timeTo is a panel of one interval.
func timeTo(interval string) counterpart {
	return counterpart{chosen, func(_ choice, g *group, put put) {
		s := g.span(interval)
		put("median", "", s.Median.value())
		put("mean", "", s.Mean)
		switch {
		case s.N >= 5:
			put("90 % from", "", s.Median.lower())
		case s.N > 0:
			put("90 % from", "", number(-1))
		}
		put("90 % to", "", s.Median.upper())
		put("n", "", some(s.N))
	}}
}

// ratio is a panel of a share with its interval.
func ratio(of func(*group) *share) counterpart {
	return counterpart{chosen, func(_ choice, g *group, put put) {
		q := of(g).part()
		put("share", "", q.value())
		put("90 % from", "", q.lower())
		put("90 % to", "", q.upper())
	}}
}

// withN is a panel of a share with its interval and what it is of.
func withN(of func(*group) *share) counterpart {
	r := ratio(of)
	return counterpart{chosen, func(c choice, g *group, put put) {
		r.figures(c, g, put)
		if x := of(g); x != nil {
			put("n", "", count(x.N))
		}
	}}
}

func recall(g *group) *share    { return g.Now.Recall }
func precision(g *group) *share { return g.Precision }

// medians are the medians of some intervals, each under its name.
func medians(intervals ...string) counterpart {
	return counterpart{chosen, func(_ choice, g *group, put put) {
		for _, interval := range intervals {
			put("", interval, g.span(interval).Median.value())
		}
	}}
}

func detectors(_ choice, g *group, put put) {
	for by, n := range g.Now.DetectedBy {
		put("", strings.NewReplacer("_", " ", "unknown", "not known").Replace(by), count(n))
	}
}

// howMany is a panel of their number.
var howMany = counterpart{chosen, func(_ choice, g *group, put put) { put("incidents", "", count(g.Now.Incidents)) }}

// objectives is a panel of what was inside the objectives. The objectives themselves are of no group.
var objectives = counterpart{chosen, func(_ choice, g *group, put put) {
	for _, o := range g.Now.Objectives {
		put(": inside", o.Interval, &o.Value)
		put(": n", o.Interval, count(o.N))
	}
}}

// rest is what of a mean is left over steps, some of which are not known.
func rest(of *float64, steps ...*float64) *float64 {
	if of == nil {
		return nil
	}
	left := *of
	for _, s := range steps {
		if s != nil {
			left -= *s
		}
	}
	return number(max(0, left))
}

// byStatus are the columns of a table of all intervals that say how many incidents are in a figure, and why the others are not.
func byStatus(recorded string) counterpart {
	return counterpart{chosen, func(_ choice, g *group, put put) {
		for _, s := range g.Now.Intervals {
			put(recorded, s.Interval, count(s.N))
			g.leftOut(&s, func(status string, n *float64) { put(status, s.Interval, n) })
		}
	}}
}

// resolving are the columns of the tables by service and by severity.
func resolving(_ choice, g *group, put put) {
	s := g.span("resolve")
	put("incidents", "", some(g.Now.Incidents))
	if g.Now.Incidents > 0 {
		put("n", "", count(s.N))
	}
	put("MTTD", "", g.span("detect").Mean)
	put("MTTR", "", s.Mean)
	put("median", "", s.Median.value())
	if g.Now.Incidents > 0 {
		put("90 % from", "", words(s.Median.lower()))
		put("90 % to", "", words(s.Median.upper()))
	}
	put("impact so far", "", g.Now.Impact)
}

// counterparts are the panels of which the figures are in the report, by dashboard and title.
var counterparts = map[string]counterpart{
	"For the review meeting / Incidents, $window":                  howMany,
	"For the review meeting / Time to detect (MTTD), $window":      timeTo("detect"),
	"For the review meeting / Time to acknowledge (MTTA), $window": timeTo("acknowledge"),
	"For the review meeting / Time to mitigate (MTTM), $window":    timeTo("mitigate"),
	"For the review meeting / Time to resolve (MTTR), $window":     timeTo("resolve"),
	"For the review meeting / Caught by an alert first, $window":   withN(recall),
	"For the review meeting / Inside the objective, $window":       objectives,
	"For the review meeting / What is not known, $window":          byStatus("recorded"),

	"Incident response / Each incident, and the median, $window": {chosen, func(_ choice, g *group, put put) {
		e := g.span("resolve").Median
		put("median of the window", "", hours(e.value()))
		put("90 % from", "", hours(e.lower()))
		put("90 % to", "", hours(e.upper()))
	}},
	"Incident response / Incidents, $window":                  howMany,
	"Incident response / Impact in all, $window":              {chosen, func(_ choice, g *group, put put) { put("", "", g.Now.Impact) }},
	"Incident response / Caught by an alert first, $window":   withN(recall),
	"Incident response / Inside the objective, $window":       objectives,
	"Incident response / Time to detect (MTTD), $window":      timeTo("detect"),
	"Incident response / Time to acknowledge (MTTA), $window": timeTo("acknowledge"),
	"Incident response / Time to mitigate (MTTM), $window":    timeTo("mitigate"),
	"Incident response / Time to resolve (MTTR), $window":     timeTo("resolve"),
	"Incident response / Every interval, $window": {chosen, func(_ choice, g *group, put put) {
		for _, s := range g.Now.Intervals {
			put("n", s.Interval, count(s.N))
			g.leftOut(&s, func(status string, n *float64) { put(status, s.Interval, n) })
			put("median", s.Interval, s.Median.value())
			put("90 % from", s.Interval, s.Median.lower())
			put("90 % to", s.Interval, s.Median.upper())
			put("geometric mean", s.Interval, s.GeometricMean.value())
			put("mean", s.Interval, s.Mean)
			put("90 % within", s.Interval, s.P90)
			put("longest", s.Interval, s.Max)
		}
	}},
	"Incident response / Where the time goes, $window": {allAndByService, func(_ choice, g *group, put put) {
		mean := func(interval string) *float64 { return g.span(interval).Mean }
		for _, step := range []string{"pending", "notify", "acknowledge", "paperwork"} {
			put(step, "", mean(step))
		}
		put("unnoticed", "", rest(mean("detect"), mean("pending"), mean("notify")))
		if mean("detect") != nil {
			put("mitigate", "", rest(mean("mitigate"), mean("detect"), mean("acknowledge")))
		}
	}},
	"Incident response / $measured: median with its interval, rolling $window": {chosen, func(c choice, g *group, put put) {
		s := g.span(c.measured)
		put("median", "", hours(s.Median.value()))
		put("90 % from", "", hours(s.Median.lower()))
		put("90 % to", "", hours(s.Median.upper()))
		put("mean", "", hours(s.Mean))
	}},
	"Incident response / MTTD, MTTA, MTTM and MTTR, rolling $window": {chosen, func(_ choice, g *group, put put) {
		for name, interval := range map[string]string{"MTTD": "detect", "MTTA": "acknowledge", "MTTM": "mitigate", "MTTR": "resolve"} {
			put(name, "", hours(g.span(interval).Mean))
		}
	}},
	"Incident response / Incidents, rolling $window": {chosen, func(_ choice, g *group, put put) { put("incidents", "", count(g.Now.Incidents)) }},
	"Incident response / By service, $window":        {byService, resolving},
	"Incident response / By severity, $window":       {bySeverity, resolving},
	"Incident response / Who knew first, $window":    {chosen, detectors},

	"Detection / Caught by an alert first, $window": withN(recall),
	"Detection / Missed, and late, $window": {chosen, func(_ choice, g *group, put put) {
		put("missed", "", count(g.Now.Missed))
		put("late", "", count(g.Now.Late))
	}},
	"Detection / Lead of alerts, $window":                         {chosen, func(_ choice, g *group, put put) { put("", "", g.Now.Lead) }},
	"Detection / Time to detect (MTTD), $window":                  timeTo("detect"),
	"Detection / Share caught by an alert first, rolling $window": ratio(recall),
	"Detection / Who knew first, rolling $window":                 {chosen, detectors},
	"Detection / Steps until somebody knew, $window": {chosen, func(_ choice, g *group, put put) {
		mean := func(interval string) *float64 { return g.span(interval).Mean }
		put("1 pending", "", mean("pending"))
		put("2 notify", "", mean("notify"))
		put("3 unnoticed", "", rest(mean("detect"), mean("pending"), mean("notify")))
	}},
	"Detection / By service, $window": {byService, func(_ choice, g *group, put put) {
		q := g.Now.Recall.part()
		put("incidents", "", some(g.Now.Incidents))
		put("caught first", "", q.value())
		put("90 % from", "", q.lower())
		put("90 % to", "", q.upper())
		put("detect", "", g.span("detect").Median.value())
		put("lead", "", g.Now.Lead)
		put("missed", "", count(g.Now.Missed))
		put("late", "", count(g.Now.Late))
	}},

	"Alert quality / Belonged to an incident, $window": withN(precision),
	"Alert quality / Episodes, $window": {chosen, func(_ choice, g *group, put put) {
		if g.Precision != nil {
			put("", "linked", some(g.Precision.K))
		}
	}},
	"Alert quality / Share that belonged to an incident, rolling $window": ratio(precision),
	"Alert quality / By service, $window": {byService, func(_ choice, g *group, put put) {
		q := g.Precision.part()
		if q != nil {
			put("episodes", "", count(g.Precision.N))
		}
		put("belonged", "", q.value())
		put("90 % from", "", q.lower())
		put("90 % to", "", q.upper())
	}},
	"Alert quality / Steps of an alert, $window": medians("pending", "notify"),

	"Data quality / $measured is measured, $window": {chosen, func(c choice, g *group, put put) {
		if g.Now.Incidents == 0 && g.Service+g.Severity != "" {
			return
		}
		s := g.span(c.measured).Status
		could := s["recorded"] + s["missing"] + s["invalid"]
		if could > 0 {
			put("share", "", number(float64(s["recorded"])/float64(could)))
		}
		put("measured", "", count(s["recorded"]))
		put("of those that could be", "", count(could))
		put("of all incidents", "", count(could+s["pending"]+s["not_applicable"]))
	}},
	"Data quality / $measured: not in the figures, $window": {chosen, func(c choice, g *group, put put) {
		g.leftOut(g.span(c.measured), func(status string, n *float64) { put("", status, n) })
	}},
	"Data quality / Measurements by status, $window": byStatus("recorded"),
	"Data quality / Incidents without a known $measured, rolling $window": {chosen, func(c choice, g *group, put put) {
		s := g.span(c.measured)
		put("", "not known", g.left(s, "missing"))
		put("", "invalid", g.left(s, "invalid"))
	}},
}

// without are the panels and figures that the report has not, and why.
var without = map[string]string{
	"For the review meeting / How often, and available, $window":         "it goes on with the clock; the report of app is held to the metrics at one moment",
	"For the review meeting / Inside the objective, $window / objective": "they are of no group of incidents",
	"For the review meeting / The longest incidents, $window":            "single incidents; meantime explain lists them",
	"For the review meeting / What no alert caught first, $window":       "single incidents; meantime explain lists them",
	"For the review meeting / Noise worth deleting, $window":             "a report names no alerts",
	"For the review meeting / What is not known, $window / order":        "it only sorts",
	"For the review meeting / Suggested links waiting, now":              "it is of now, not of a window",
	"For the review meeting / Open questions, now":                       "it is of now, not of a window",

	"Incident response / Dots: newest of all incidents":             "it is of all incidents, not of a window",
	"Incident response / Inside the objective, $window / objective": "they are of no group of incidents",
	"Incident response / Every interval, $window / order":           "it only sorts",
	"Data quality / Measurements by status, $window / order":        "it only sorts",

	"Incident response / Each incident, and the median, $window / ":    "a dot is one incident; meantime explain lists them",
	"Incident response / Each incident, and the median, $window / too": "a dot is one incident; meantime explain lists them",
	"Incident response / Open now":                                     "it is of now, not of a window",
	"Incident response / The newest incidents":                         "single incidents; meantime explain lists them",

	"Detection / Blind, $window":                                  "a report leaves blind stretches out and does not sum them up",
	"Detection / The newest incidents that no alert caught first": "single incidents; meantime explain lists them",
	"Detection / Watchdogs, now":                                  "it is of now, not of a window",

	"Alert quality / Episodes, $window /  / without an incident":      "a report tells those that belonged to an incident, of all",
	"Alert quality / Episodes, $window /  / suggested":                "a report tells those that belonged to an incident, of all",
	"Alert quality / Waiting for review, now":                         "it is of now, not of a window",
	"Alert quality / Episodes without an incident, by alert, $window": "a report names no alerts",
	"Alert quality / Flapping, the last day":                          "Prometheus counts it itself",
	"Alert quality / Alerts received, the last 6 hours":               "Meantime's own work",

	"Data quality / Waiting for review, now":              "it is of now, not of a window",
	"Data quality / Open questions, now":                  "it is of now, not of a window",
	"Data quality / Where times come from, all incidents": "a report does not tell origins; meantime explain does for each incident",
	"Data quality / Corrections, each day":                "a report is as if they had been known at once",
	"Data quality / Sources of records, now":              "Meantime's own work",
	"Data quality / Duration of polls, the last 6 hours":  "Meantime's own work",
	"Data quality / Services under (other), now":          "a report has no limits",
	"Data quality / Alert names under (other), now":       "a report has no limits",

	"Meantime itself / Instances, now":               "Meantime's own work",
	"Meantime itself / Refused, last hour":           "Meantime's own work",
	"Meantime itself / Truncated, last day":          "Meantime's own work",
	"Meantime itself / Waiting writes, now":          "Meantime's own work",
	"Meantime itself / Webhook requests":             "Meantime's own work",
	"Meantime itself / Time to answer a webhook":     "Meantime's own work",
	"Meantime itself / Alerts":                       "Meantime's own work",
	"Meantime itself / Events of the event recorder": "Meantime's own work",
	"Meantime itself / API requests":                 "Meantime's own work",
	"Meantime itself / Polls of sources that failed": "Meantime's own work",
	"Meantime itself / Correlation passes":           "Meantime's own work",
	"Meantime itself / What passes computed":         "Meantime's own work",
	"Meantime itself / Store operations":             "Meantime's own work",
	"Meantime itself / Store operations that failed": "Meantime's own work",
	"Meantime itself / Transactions":                 "Meantime's own work",
	"Meantime itself / Writes in a transaction":      "Meantime's own work",
	"Meantime itself / Memory":                       "Meantime's own work",
	"Meantime itself / CPU":                          "Meantime's own work",
	"Meantime itself / Scrapes":                      "Meantime's own work",
}

// of is what a panel must show by a report.
func (x counterpart) of(r report, c choice) map[figure]float64 {
	out := map[figure]float64{}
	for _, g := range r.Groups {
		if !x.groups(c, &g) {
			continue
		}
		x.figures(c, &g, func(name, of string, value *float64) {
			if value != nil {
				out[figure{name, of, g.Service, g.Severity}] = *value
			}
		})
	}
	return out
}

// differs names the first figure of a panel that is not as reported. A group without an incident in the window may be
// shown with 0 or not at all.
func (x counterpart) differs(r report, want, got map[figure]float64) error {
	empty := func(f figure) bool {
		return !slices.ContainsFunc(r.Groups, func(g group) bool {
			return g.Service == f.service && g.Severity == f.severity && g.Now.Incidents > 0
		})
	}
	for f, v := range want {
		shown, ok := got[f]
		switch {
		case !ok && v == 0 && empty(f):
		case !ok:
			return fmt.Errorf("%s is not shown; the report says %g", f, v)
		case !near(shown, v):
			return fmt.Errorf("%s is shown as %g; the report says %g", f, shown, v)
		}
	}
	for f, v := range got {
		if _, ok := want[f]; !ok && !(v == 0 && empty(f)) {
			return fmt.Errorf("%s is shown as %g; the report does not have it", f, v)
		}
	}
	return nil
}

func near(a, b float64) bool {
	d := a - b
	return max(d, -d) <= 1e-9*max(1, a, -a)
}
