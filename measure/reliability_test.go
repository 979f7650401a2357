package measure

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

// TestPoissonBounds holds the bounds to what bisection finds of the definition itself, the tails of the Poisson distribution:
//
//	python3 -c 'from math import *
//	def cdf(n, m): return fsum(exp(-m + k*log(m) - lgamma(k+1)) for k in range(n+1))
//	def root(f, a=1e-12, b=1000):
//	    for _ in range(200): a, b = ((a+b)/2, b) if f((a+b)/2) > 0 else (a, (a+b)/2)
//	    return a
//	for n in 0, 1, 2, 3, 10, 50, 400:
//	    print(n, n and root(lambda m: .05 - 1 + cdf(n-1, m)), root(lambda m: cdf(n, m) - .05))'
func TestPoissonBounds(t *testing.T) {
	for n, want := range map[int]Bounds{
		0: {0, 2.995732}, 1: {0.051293, 4.743865}, 2: {0.355362, 6.295794}, 3: {0.817691, 7.753657}, 10: {5.425406, 16.962219},
		50: {38.964733, 63.287074}, 400: {367.681174, 434.496809},
	} {
		got := PoissonBounds(n)
		require.InDelta(t, want.Lower, got.Lower, 1e-5, "n = %d", n)
		require.InDelta(t, want.Upper, got.Upper, 1e-5, "n = %d", n)
	}
}

// TestPoissonCoverage: whatever number of incidents was seen, the interval of their true number holds it nine times out of ten.
// The true rates are drawn at large, incidents are let happen by them, and what is looked at is who saw n.
func TestPoissonCoverage(t *testing.T) {
	const enough = 4000
	for _, n := range []int{0, 1, 3, 10, 50} {
		r := rand.New(rand.NewPCG(uint64(n), 11))
		_, rate, ok := betweenOf(n, secondsOfDay, PoissonBounds(n)) // one day, so the rate is the number
		require.True(t, ok)
		hits, seen := 0, 0
		for seen < enough {
			truth := r.Float64() * float64(3*n+20)
			k := 0
			for at := r.ExpFloat64(); at < truth && k <= n; at += r.ExpFloat64() {
				k++
			}
			if k != n {
				continue
			}
			if seen++; rate.Lower <= truth && truth <= rate.Upper {
				hits++
			}
		}
		share := float64(hits) / enough
		require.True(t, share >= 0.88 && share <= 0.97, "at n = %d it holds the truth in %.3f of the samples", n, share)
	}
}

// TestCompareRates holds the bounds to bisection on the tails of the binomial distribution, and the p-value to its
// definition. The first are the breast cancer cases of the help page of R's poisson.test, which prints p-value = 0.07967.
//
//	python3 -c 'from math import *
//	def cdf(k, n, p): return fsum(comb(n, i) * p**i * (1-p)**(n-i) for i in range(k+1))
//	def root(f, a=0, b=1):
//	    for _ in range(200): a, b = ((a+b)/2, b) if f((a+b)/2) > 0 else (a, (a+b)/2)
//	    return a
//	for k0, t0, k1, t1 in (21, 3011, 11, 800), (19, 28, 9, 28), (12, 28, 12, 28), (3, 28, 12, 27.5):
//	    n, odds = k0 + k1, t0 / t1
//	    u, l = root(lambda p: cdf(k1, n, p) - .05), root(lambda p: .05 - 1 + cdf(k1-1, n, p))
//	    q = [comb(n, i) * (t1/(t0+t1))**i * (t0/(t0+t1))**(n-i) for i in range(n+1)]
//	    print(k1/k0*odds, l/(1-l)*odds, u/(1-u)*odds, fsum(x for x in q if x <= q[k1] * (1+1e-7)))'
func TestCompareRates(t *testing.T) {
	const none = -1
	for _, c := range []struct {
		before                 int
		exposureBefore         float64
		now                    int
		exposure               float64
		ratio, lower, upper, p float64
		words                  string
	}{
		{21, 3011, 11, 800, 1.971488, 0.977584, 3.827386, 0.079669,
			"no change can be told from 21 before and 11 now (0.98 to 3.83 times as often)"},
		{19, 28, 9, 28, 0.473684, 0.218141, 0.975461, 0.087159, "less often: 0.47 times as often as before (0.22 to 0.98)"},
		{12, 28, 12, 28, 1, 0.469337, 2.130664, 1, "no change can be told from 12 before and 12 now (0.47 to 2.13 times as often)"},
		{3, 28, 12, 27.5, 4.072727, 1.297002, 16.892775, 0.020215, "more often: 4.07 times as often as before (1.30 to 16.89)"},
		{0, 28, 4, 28, none, 0.897068, none, 0.125, "no change can be told from none before and 4 now"},
		{0, 28, 5, 28, none, 1.218674, none, 0.0625, "more often: 5 now and none before (at least 1.22 times as often)"},
		{6, 28, 0, 28, 0, 0, 0.647549, 0.03125, "less often: 0.00 times as often as before (0.00 to 0.65)"},
		{0, 28, 0, 28, none, none, none, none, "none in either"},
		{3, 0, 2, 28, none, none, none, none, "nothing to compare with: one of the two windows was not watched"},
	} {
		got := CompareRates(c.before, c.exposureBefore, c.now, c.exposure)
		require.Equal(t, c.words, got.Words)
		for name, x := range map[string]struct {
			got  *float64
			want float64
		}{"ratio": {got.Ratio, c.ratio}, "lower": {got.Lower, c.lower}, "upper": {got.Upper, c.upper}, "p": {got.P, c.p}} {
			if x.want == none {
				require.Nil(t, x.got, "%s of %s", name, c.words)
				continue
			}
			require.NotNil(t, x.got, "%s of %s", name, c.words)
			require.InDelta(t, x.want, *x.got, 2e-6, "%s of %s", name, c.words)
		}
	}
}

// TestCompareRatesCoverage: where the rate is the same, the ratio's interval holds 1, and where it is not, the true ratio.
func TestCompareRatesCoverage(t *testing.T) {
	for _, c := range []struct{ mean, ratio float64 }{{8, 1}, {30, 1}, {20, 2}} {
		r := rand.New(rand.NewPCG(uint64(c.mean), 5))
		draw := func(mean float64) (k int) {
			for at := r.ExpFloat64(); at < mean; at += r.ExpFloat64() {
				k++
			}
			return k
		}
		hits := 0
		const runs = 3000
		for range runs {
			got := CompareRates(draw(c.mean), 28, draw(c.mean*c.ratio), 28)
			if (got.Lower == nil || *got.Lower <= c.ratio) && (got.Upper == nil || *got.Upper >= c.ratio) {
				hits++
			}
		}
		share := float64(hits) / runs
		require.True(t, share >= 0.88 && share <= 0.97, "mean %v, ratio %v: %.3f", c.mean, c.ratio, share)
	}
}

// relied is the reliability of everything in the 28 days until t0 + 28 days.
func relied(t *testing.T, o Options, watched time.Time, in Grouping, incs ...incident.Incident) *Reliability {
	t.Helper()
	o.Windows = []Window{{"28d", 28 * 24 * time.Hour}}
	b := NewBook(o)
	b.Watched(watched)
	require.NoError(t, b.Load(each(incs), each([]incident.Verdict(nil))))
	for _, r := range b.Figures(minute(28 * day)).Windows[0].Reliability {
		if r.Grouping == in {
			return r
		}
	}
	return nil
}

func down(id string, from, to float64, change ...func(*incident.Incident)) incident.Incident {
	inc := made(id, at{"started": from, "mitigated": to, "resolved": to}, change...)
	inc.Impacts = []incident.Impact{{From: minute(from), To: minute(to)}}
	return inc
}

func warning(inc *incident.Incident) { inc.Severity = "warning" }

// TestReliabilityByHand are the worked examples of docs/metrics.md.
func TestReliabilityByHand(t *testing.T) {
	long := minute(-400 * day)
	o := Options{OpenFor: 7 * 24 * time.Hour, Availability: []Availability{{Objective: 0.999}}}

	// Three incidents of 1 h, 2 h and 30 min in 28 days.
	r := relied(t, o, long, Grouping{}, down("a", 1*day, 1*day+60), down("b", 9*day, 9*day+120), down("c", 20*day, 20*day+30))
	require.Equal(t, 3, r.Incidents)
	require.InDelta(t, 28*86400-12600, r.Up, 1e-6)
	require.InDelta(t, 9.2847, *r.Between.Mean/86400, 1e-3)
	require.InDelta(t, 3.5925, *r.Between.Lower/86400, 1e-3)
	require.InDelta(t, 34.0645, *r.Between.Upper/86400, 1e-3)
	require.InDelta(t, 0.107704, r.Rate.PerDay, 1e-5)
	require.InDelta(t, 0.029356, r.Rate.Lower, 1e-5)
	require.InDelta(t, 0.278366, r.Rate.Upper, 1e-5)
	require.InDelta(t, 0.994792, r.Availability.Value, 1e-6)
	require.Equal(t, r.Availability.Value, r.Availability.Bounds.Lower)
	require.InDelta(t, 5.2083, *r.BudgetUsed, 1e-3)

	// None in 28 days, and nothing known before: at least 9.3 days.
	r = relied(t, o, long, Grouping{})
	require.Zero(t, r.Incidents)
	require.Nil(t, r.Between.Mean)
	require.Nil(t, r.Between.Upper)
	require.InDelta(t, 9.3466, *r.Between.Lower/86400, 1e-3)
	require.InDelta(t, 0.106990, r.Rate.Upper, 1e-5)
	require.InDelta(t, 1, r.Availability.Value, 0)
	require.Zero(t, *r.BudgetUsed)

	// Two overlap, and of a third nobody told the end: its alerts were last heard of after 20 min.
	untold := made("u", at{"started": 10 * day}, func(x *incident.Incident) {
		x.Impacts = []incident.Impact{{From: minute(10 * day)}}
		x.Alerts.Fired, x.Alerts.Heard = minute(10*day), minute(10*day+20)
	})
	r = relied(t, o, long, Grouping{}, down("a", 1*day, 1*day+60), down("b", 1*day+30, 1*day+90), untold)
	require.InDelta(t, 1-110.0/(28*day), r.Availability.Value, 1e-9)
	require.InDelta(t, 1-(90+20+7*day)/float64(28*day), r.Availability.Bounds.Lower, 1e-9)
}

// TestReliability is a case for each rule.
func TestReliability(t *testing.T) {
	long := minute(-400 * day)
	o := Options{OpenFor: 7 * 24 * time.Hour}
	month := 28.0 * day
	for _, c := range []struct {
		name      string
		o         Options
		watched   time.Time
		in        Grouping
		incs      []incident.Incident
		incidents int
		unsure    int
		down      float64 // minutes of known impact
		atMost    float64
		watchedTo float64 // minutes watched
	}{
		{name: "an incident before the window reaches into it and did not begin in it", incs: []incident.Incident{down("a", -day, 60)},
			down: 60, atMost: 60},
		{name: "so does one whose end nobody knows, for as long as one may count as open",
			incs: []incident.Incident{made("a", at{"started": -3 * day},
				func(x *incident.Incident) { x.Impacts = []incident.Impact{{From: minute(-3 * day)}} })}, atMost: 4 * day},
		{name: "so does one that began long ago and is over now", incs: []incident.Incident{down("a", -300*day, 60)}, down: 60, atMost: 60},
		{name: "but where it is open", incs: []incident.Incident{made("a", at{"started": -36 * day}, open,
			func(x *incident.Incident) { x.Impacts = []incident.Impact{{From: minute(-36 * day)}} })},
			down: month, atMost: month},
		{name: "an open one counts until now", incidents: 1, down: 60, atMost: 60,
			incs: []incident.Incident{made("a", at{"started": 28*day - 60}, open,
				func(x *incident.Incident) { x.Impacts = []incident.Impact{{From: minute(28*day - 60)}} })}},
		{name: "where it is resolved, impact was over", incidents: 1, atMost: 90,
			incs: []incident.Incident{made("a", at{"started": 5 * day, "resolved": 5*day + 90},
				func(x *incident.Incident) { x.Impacts = []incident.Impact{{From: minute(5 * day)}} })}},
		{name: "an impact without an end was over before the next", incidents: 1, down: 10, atMost: 60,
			incs: []incident.Incident{made("a", at{"started": 5 * day}, func(x *incident.Incident) {
				x.Impacts = []incident.Impact{{From: minute(5 * day)}, {From: minute(5*day + 50), To: minute(5*day + 60)}}
				x.Alerts.Heard = minute(5*day + 55) // of the second
			})}},
		{name: "where nobody told any impact, there may have been from the first time known", incidents: 1, atMost: 45,
			incs: []incident.Incident{made("a", at{"detected": 5 * day, "resolved": 5*day + 45})}},
		{name: "drills and cancelled ones are none", incs: []incident.Incident{
			down("a", 5*day, 6*day, func(x *incident.Incident) { x.Kind = incident.KindDrill }),
			down("b", 5*day, 6*day, func(x *incident.Incident) { x.State = incident.StateCancelled })}},
		{name: "only severities that count as down", o: Options{Availability: []Availability{{Severities: []string{"critical"}}}},
			incs: []incident.Incident{down("a", 5*day, 5*day+60), down("b", 6*day, 6*day+7, warning)}, incidents: 1, down: 60, atMost: 60},
		{name: "a severity's own figures are of its own", o: Options{Availability: []Availability{{Severities: []string{"critical"}}}},
			in:   Grouping{Severity: "warning"},
			incs: []incident.Incident{down("a", 5*day, 5*day+60), down("b", 6*day, 6*day+7, warning)}, incidents: 1, down: 7, atMost: 7},
		{name: "a service's own rule stands before the general one", in: Grouping{Service: "checkout"},
			o:    Options{Availability: []Availability{{Severities: []string{"critical"}}, {Service: "checkout", Severities: []string{"warning"}}}},
			incs: []incident.Incident{down("a", 5*day, 5*day+60), down("b", 6*day, 6*day+7, warning)}, incidents: 1, down: 7, atMost: 7},
		{name: "only what was watched, and not the first thing known as one that began in it", watched: minute(18 * day),
			incs:      []incident.Incident{down("a", 18*day, 18*day+60), down("b", 19*day, 19*day+60)},
			incidents: 1, down: 120, atMost: 120, watchedTo: 10 * day},
		{name: "one of unknown severity may count as down", o: Options{Availability: []Availability{{Severities: []string{"critical"}}}},
			incs:      []incident.Incident{down("a", 5*day, 5*day+60), down("b", 6*day, 6*day+7, func(x *incident.Incident) { x.Severity = "" })},
			incidents: 1, unsure: 1, down: 60, atMost: 67},
		{name: "where all severities count, it does", incidents: 1, down: 7, atMost: 7,
			incs: []incident.Incident{down("b", 6*day, 6*day+7, func(x *incident.Incident) { x.Severity = "" })}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.OpenFor = o.OpenFor
			if c.watched.IsZero() {
				c.watched = long
			}
			if c.watchedTo == 0 {
				c.watchedTo = month
			}
			r := relied(t, c.o, c.watched, c.in, c.incs...)
			require.Equal(t, c.incidents, r.Incidents)
			require.Equal(t, c.unsure, r.Unsure)
			require.InDelta(t, c.watchedTo*60, r.Watched, 1e-6)
			require.InDelta(t, (c.watchedTo-c.atMost)*60, r.UpLeast, 1e-6)
			worst := PoissonBounds(c.incidents + c.unsure).Upper
			if r.UpLeast > 0 {
				require.InDelta(t, r.UpLeast/worst, *r.Between.Lower, 1e-6)
				require.InDelta(t, worst/r.UpLeast*secondsOfDay, r.Rate.Upper, 1e-9)
			} else {
				require.Nil(t, r.Between)
				require.Nil(t, r.Rate)
			}
			require.InDelta(t, c.down, (1-r.Availability.Value)*c.watchedTo, 1e-6, "known impact")
			require.InDelta(t, c.atMost, (1-r.Availability.Bounds.Lower)*c.watchedTo, 1e-6, "at most")
		})
	}
	require.Nil(t, relied(t, o, time.Time{}, Grouping{}), "nothing is known")
	require.Nil(t, relied(t, o, minute(28*day), Grouping{}), "nothing was watched")
	r := relied(t, o, long, Grouping{}, down("a", -day, 29*day))
	require.Nil(t, r.Between, "users were affected all the time")
	require.Nil(t, r.Rate)
}

// TestReliabilityLines: what is not sure is said.
func TestReliabilityLines(t *testing.T) {
	long := minute(-400 * day)
	strict := Options{OpenFor: 7 * 24 * time.Hour, Availability: []Availability{{Severities: []string{"critical"}, Objective: 0.999}}}
	endless := made("u", at{"started": 10 * day}, func(x *incident.Incident) { x.Impacts = []incident.Impact{{From: minute(10 * day)}} })
	unsaid := down("s", 6*day, 6*day+60, func(x *incident.Incident) { x.Severity = "" })
	for _, c := range []struct {
		name    string
		watched time.Time
		in      Grouping
		incs    []incident.Incident
		want    []string
	}{
		{"all of it watched", long, Grouping{}, []incident.Incident{down("a", day, day+60)}, []string{
			"Time between incidents: 27d 23h on average, of 1 (5d 21h to 545d 2h)", "Incidents a week: 0.25 (0.0128 to 1.19)",
			"Availability: 99.85 %", "Error budget used: 149 % of what 99.9 % allows"}},
		{"a day of it watched", minute(27 * day), Grouping{}, nil, []string{
			"Watched: 1d of 28d, from the first thing known, which is not counted",
			"Time between incidents: none began in 1d watched, so at least 8h 1m", "Incidents a week: 0 (0 to 21)", "Availability: 100 %",
			"Error budget used: 0 % of what 99.9 % allows"}},
		{"an end that nobody told", long, Grouping{}, []incident.Incident{endless}, []string{
			"Time between incidents: 28d on average, of 1 (4d 10h to 545d 21h)", "Incidents a week: 0.25 (0.0128 to 1.58)",
			"Availability: 100 % by what is known, and at least 75 %, since of some impact nobody told when it began or ended",
			"Error budget used: at least 0 % of what 99.9 % allows"}},
		{"a severity that nobody told", long, Grouping{}, []incident.Incident{unsaid}, []string{
			"Time between incidents: none began in 28d watched, and 1 of unknown severity, so at least 5d 21h", "Incidents a week: 0 (0 to 1.19)",
			"Availability: 100 % by what is known, and at least 99.85 %, since of some impact nobody told when it began or ended, " +
				"or how severe it was",
			"Error budget used: at least 0 % of what 99.9 % allows"}},
		{"a severity that does not count as down has no objective", long, Grouping{Severity: "warning"},
			[]incident.Incident{down("a", day, day+60, warning)}, []string{
				"Time between incidents: 27d 23h on average, of 1 (5d 21h to 545d 2h)", "Incidents a week: 0.25 (0.0128 to 1.19)",
				"Availability: 99.85 %"}},
		{"down all the time", long, Grouping{}, []incident.Incident{down("a", -day, 29*day)}, []string{
			"Time between incidents: not known, since users may have been affected all the time", "Availability: 0 %",
			"Error budget used: 100000 % of what 99.9 % allows"}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, relied(t, strict, c.watched, c.in, c.incs...).Lines()) })
	}
}

// TestOnlyReaching: what only reaches into a window from before it has figures there.
func TestOnlyReaching(t *testing.T) {
	o := Options{OpenFor: 7 * 24 * time.Hour, Intervals: incident.DefaultIntervals()}
	inc, of := down("a", -40*day, 60), Grouping{Service: "checkout", Severity: "critical"}
	r := relied(t, o, minute(-400*day), of, inc)
	require.NotNil(t, r, "in the metrics")
	require.InDelta(t, 1-60/(28.*day), r.Availability.Value, 1e-9)
	rep, err := NewReport(ReportOptions{Options: o, Period: Rolling(Window{"28d", 28 * 24 * time.Hour}, minute(28*day)), Watched: minute(-400 * day)},
		each([]incident.Incident{inc}), each([]incident.Verdict(nil)))
	require.NoError(t, err)
	require.NotNil(t, rep.Group(of), "in the report")
	require.Equal(t, r, rep.Group(of).Reliability)

	o.Windows = []Window{{"28d", 28 * 24 * time.Hour}}
	b := NewBook(o)
	b.Watched(minute(-400 * day))
	require.NoError(t, b.Load(each([]incident.Incident{inc}), each([]incident.Verdict(nil))))
	require.Len(t, b.Figures(minute(28 * day)).Windows[0].Reliability, 4)
	require.Len(t, b.Figures(minute(28*day + 61)).Windows[0].Reliability, 1, "it does not any more")
	require.Len(t, b.groups, 1)
}

// TestCovered: the union of stretches is what counting its minutes one by one gives.
func TestCovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minute := rapid.Int64Range(-20, 120)
		from, to := int64(0), int64(100)
		var l []stretch
		want := int64(0)
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			l = append(l, stretch{minute.Draw(t, "from"), minute.Draw(t, "to")})
		}
		for m := from; m < to; m++ {
			if slices.ContainsFunc(l, func(s stretch) bool { return s.from <= m && m < s.to }) {
				want++
			}
		}
		require.Equal(t, want, covered(l, from, to), fmt.Sprint(l))
	})
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		1: "100 %", 0: "0 %", 0.5: "50 %", 0.983: "98.3 %", 0.99: "99 %", 0.9987599: "99.87 %", 0.999: "99.9 %", 0.99999: "99.999 %", 0.9999999: "99.99999 %",
	} {
		require.Equal(t, want, Percent(share), "%v", share)
	}
}
