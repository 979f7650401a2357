package collector

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
	"meantime/test/servers"
)

var update = flag.Bool("update", false, "write the golden files anew")

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func minute(m float64) time.Time { return t0.Add(time.Duration(m * float64(time.Minute))) }

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

type at = map[incident.MilestoneName]float64

var objectives = []measure.Objective{{Severity: "critical", Interval: "resolve", Within: time.Hour}, {Severity: "", Interval: "detect", Within: 5 * time.Minute}}

// house is what app puts together: book, ledger and collector.
type house struct {
	book   *measure.Book
	ledger *measure.Ledger
	c      *Collector
	reg    *prometheus.Registry
}

func newHouse(t testing.TB, services int) *house {
	h := &house{
		book: measure.NewBook(measure.Options{
			Windows:   []measure.Window{{Name: "7d", Length: 7 * 24 * time.Hour}, {Name: "90d", Length: 90 * 24 * time.Hour}},
			Intervals: incident.DefaultIntervals(), Objectives: objectives, Newest: 3, MaxServices: services, MaxNames: 1,
			OpenFor: 7 * 24 * time.Hour, Availability: []measure.Availability{{Objective: 0.999}},
		}),
		ledger: measure.NewLedger(incident.DefaultIntervals(), services, 0),
		c:      New(Options{Intervals: incident.DefaultIntervals(), Objectives: objectives}),
		reg:    prometheus.NewPedanticRegistry(),
	}
	h.book.Watched(minute(-60 * 24 * 60))
	require.NoError(t, h.reg.Register(h.c))
	return h
}

func (h *house) take(incs []incident.Incident, removed ...string) {
	step := h.ledger.Next(incs, minute(100))
	h.ledger.Commit(step)
	h.book.Apply(incs, removed)
	h.c.Know(h.ledger.Meet(h.book.Known()))
	h.c.Observe(step.New)
	h.c.Restate(step.Restated)
}

func (h *house) publish(now time.Time) {
	h.c.Publish(Snapshot{
		Figures:   h.book.Figures(now),
		Watchdogs: map[string]time.Time{"Watchdog": now.Add(-time.Minute), "never-seen": {}},
		Blind:     map[string]float64{"7d": 90, "90d": 300.5},
	})
}

// rich has something of everything that can be shown.
func rich(t testing.TB) *house {
	h := newHouse(t, 2)
	var incs []incident.Incident
	for i := range 60 { // enough for every percentile
		s := -float64(i*24*60) / 2
		incs = append(incs, made(fmt.Sprintf("r%015d0", i), at{"started": s, "detected": s + 1 + float64(i%7), "acknowledged": s + 9, "identified": s + 12, "mitigated": s + 14, "resolved": s + 15 + float64(i)}, func(x *incident.Incident) {
			x.Impacts = []incident.Impact{{From: minute(s), To: minute(s + 14)}}
			x.Alerts = incident.AlertTimes{Condition: minute(s - 5), Fired: minute(s), Notified: minute(s + 0.5), First: minute(s + 0.5), Ended: minute(s + 13), Person: minute(s + 4)}
			x.DetectedBy = incident.Detectors[i%2]
			if i%10 == 3 {
				x.Services, x.Severity = []string{"payments"}, "warning"
			}
			if i == 20 {
				x.Services = []string{"rare", "rarer"}
			}
		}))
	}
	incs = append(incs,
		made("open", at{"started": 10, "detected": 11}, func(x *incident.Incident) {
			x.State, x.Title = incident.StateOpen, `quotes " and \ and`+"\nlines and \xff bytes"
			x.Impacts = []incident.Impact{{From: minute(10)}}
		}),
		made("drill", at{"started": 5, "resolved": 6}, func(x *incident.Incident) { x.Kind = incident.KindDrill }),
		made("backwards", at{"started": 5, "detected": 4}),
	)
	h.take(incs)
	h.take([]incident.Incident{made("r0000000000000000", at{"started": 0, "detected": 2, "resolved": 17})}) // a correction
	verdict := func(i int, name, service string, o incident.Outcome) incident.Verdict {
		return incident.Verdict{Episode: incident.Episode{Fingerprint: fmt.Sprintf("%016x", i), StartsAt: minute(-float64(i)), Labels: map[string]string{"alertname": name}}, Service: service, Severity: "critical", Outcome: o}
	}
	h.book.ApplyVerdicts([]incident.Verdict{
		verdict(1, "Errors", "checkout", incident.OutcomeLinked), verdict(2, "Errors", "checkout", incident.OutcomeNone), verdict(3, "Slow", "checkout", incident.OutcomeSuggested),
		verdict(4, "Disk", "", incident.OutcomeNone), verdict(5, "Errors", "rare", incident.OutcomeLinked), verdict(6, "Watchdog", "", incident.OutcomeWatchdog),
	}, nil)
	h.publish(minute(60))
	return h
}

// text is the exposition; created times, which are the wall clock's, are not in this format.
func text(t testing.TB, g prometheus.Gatherer, f expfmt.Format) string {
	families, err := g.Gather()
	require.NoError(t, err)
	var b bytes.Buffer
	e := expfmt.NewEncoder(&b, f)
	for _, mf := range families {
		require.NoError(t, e.Encode(mf))
	}
	if c, ok := e.(expfmt.Closer); ok {
		require.NoError(t, c.Close())
	}
	return b.String()
}

var plain = expfmt.NewFormat(expfmt.TypeTextPlain)

func TestGolden(t *testing.T) {
	got := text(t, rich(t).reg, plain)
	path := filepath.Join("testdata", "metrics.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	// By lines, because the whole is too long to look at where one differs.
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(wantLines), len(gotLines)) {
		require.Equal(t, wantLines[i], gotLines[i], "line %d", i+1)
	}
	require.Len(t, gotLines, len(wantLines))
}

func TestLint(t *testing.T) {
	h := rich(t)
	problems, err := testutil.CollectAndLint(h.c)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// TestPromtool: what the newest linter of the library does not check, promtool does.
func TestPromtool(t *testing.T) {
	said, ok := servers.Promtool(t, text(t, rich(t).reg, plain), "check", "metrics", "--extended")
	require.True(t, ok, said)
}

// TestNames: a name, once released, stays. So does what a metric is grouped by.
func TestNames(t *testing.T) {
	families, err := rich(t).reg.Gather()
	require.NoError(t, err)
	var got []string
	for _, mf := range families {
		labels := map[string]bool{}
		for _, m := range mf.Metric {
			for _, l := range m.Label {
				labels[l.GetName()] = true
			}
			require.Zero(t, m.GetTimestampMs(), mf.GetName())
		}
		var names []string
		for l := range labels {
			names = append(names, l)
		}
		slices.Sort(names)
		got = append(got, mf.GetName()+" "+strings.Join(names, " "))
	}
	window := "affected_service severity window"
	require.Equal(t, []string{
		"meantime_alert_episodes affected_service alertname outcome severity window",
		"meantime_alert_lead_median_seconds " + window,
		"meantime_alert_precision_ratio " + window,
		"meantime_alert_precision_ratio_lower " + window,
		"meantime_alert_precision_ratio_upper " + window,
		"meantime_alert_recall_incidents " + window,
		"meantime_alert_recall_ratio " + window,
		"meantime_alert_recall_ratio_lower " + window,
		"meantime_alert_recall_ratio_upper " + window,
		"meantime_availability_ratio " + window,
		"meantime_availability_ratio_lower " + window,
		"meantime_availability_ratio_upper " + window,
		"meantime_blind_seconds window",
		"meantime_episodes_ended how",
		"meantime_error_budget_used_ratio " + window,
		"meantime_impact_seconds " + window,
		"meantime_incident_info affected_service detected_by incident severity state title",
		"meantime_incident_milestone_timestamp_seconds incident milestone origin",
		"meantime_incident_rate_per_day " + window,
		"meantime_incident_rate_per_day_lower " + window,
		"meantime_incident_rate_per_day_upper " + window,
		"meantime_incidents affected_service detected_by severity window",
		"meantime_interval_duration_seconds affected_service detected_by interval severity",
		"meantime_interval_geometric_mean_lower_seconds affected_service interval severity window",
		"meantime_interval_geometric_mean_seconds affected_service interval severity window",
		"meantime_interval_geometric_mean_upper_seconds affected_service interval severity window",
		"meantime_interval_max_seconds affected_service interval severity window",
		"meantime_interval_mean_seconds affected_service interval severity window",
		"meantime_interval_median_lower_seconds affected_service interval severity window",
		"meantime_interval_median_seconds affected_service interval severity window",
		"meantime_interval_median_upper_seconds affected_service interval severity window",
		"meantime_interval_p90_seconds affected_service interval severity window",
		"meantime_interval_p95_seconds affected_service interval severity window",
		"meantime_interval_restatements_total interval",
		"meantime_interval_survival_median_seconds affected_service interval severity window",
		"meantime_late_alerts " + window,
		"meantime_measurements affected_service interval severity status window",
		"meantime_milestones milestone origin",
		"meantime_missed_detections " + window,
		"meantime_objective_measurements affected_service interval severity window",
		"meantime_objective_ratio affected_service interval severity window",
		"meantime_objective_seconds interval severity",
		"meantime_oldest_open_incident_timestamp_seconds ",
		"meantime_open_incidents affected_service severity",
		"meantime_other_alert_names ",
		"meantime_other_services ",
		"meantime_other_severities ",
		"meantime_suggested_links ",
		"meantime_time_between_incidents_lower_seconds " + window,
		"meantime_time_between_incidents_mean_seconds " + window,
		"meantime_time_between_incidents_upper_seconds " + window,
		"meantime_watchdog_last_seen_timestamp_seconds watchdog",
	}, got)
}

// TestNothing: before the first snapshot and with nothing in the store the exposition is whole, and what is not known is not there.
func TestNothing(t *testing.T) {
	h := newHouse(t, 0)
	got := text(t, h.reg, plain)
	require.Contains(t, got, `meantime_interval_restatements_total{interval="resolve"} 0`)
	require.NotContains(t, got, "meantime_incidents")
	h.c.Publish(Snapshot{Figures: h.book.Figures(minute(60))})
	got = text(t, h.reg, plain)
	require.Contains(t, got, `meantime_incidents{affected_service="",detected_by="alert",severity="",window="7d"} 0`)
	require.Contains(t, got, `meantime_measurements{affected_service="",interval="resolve",severity="",status="recorded",window="7d"} 0`)
	require.Contains(t, got, `meantime_open_incidents{affected_service="",severity=""} 0`)
	for _, no := range []string{"interval_median", "interval_mean", "impact", "recall", "precision", "oldest", "blind", "watchdog"} {
		require.NotContains(t, got, "meantime_"+no)
	}
}

func TestSmallSamples(t *testing.T) {
	has := func(n int) map[string]bool {
		h := newHouse(t, 0)
		var incs []incident.Incident
		for i := range n {
			incs = append(incs, made(fmt.Sprint(i), at{"started": float64(-i), "resolved": float64(i + 1)}))
		}
		h.take(incs)
		h.publish(minute(60))
		out := map[string]bool{}
		for _, m := range regexp.MustCompile(`meantime_interval_(\w+)_seconds\{affected_service="",interval="resolve"`).FindAllStringSubmatch(text(t, h.reg, plain), -1) {
			out[m[1]] = true
		}
		return out
	}
	always := []string{"median", "mean", "max", "survival_median"}
	five := append(slices.Clone(always), "median_lower", "median_upper", "geometric_mean", "geometric_mean_lower", "geometric_mean_upper")
	for n, want := range map[int][]string{0: nil, 1: always, 4: always, 5: five, 28: five, 29: append(slices.Clone(five), "p90"), 58: append(slices.Clone(five), "p90"), 59: append(slices.Clone(five), "p90", "p95")} {
		set := map[string]bool{}
		for _, w := range want {
			set[w] = true
		}
		require.Equal(t, set, has(n), "n = %d", n)
	}
}

func histogram(t *testing.T, h *house, interval string) *dto.Histogram {
	families, err := h.reg.Gather()
	require.NoError(t, err)
	for _, mf := range families {
		for _, m := range mf.Metric {
			if mf.GetName() == "meantime_interval_duration_seconds" && slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == interval }) {
				return m.Histogram
			}
		}
	}
	return nil
}

func TestHistogramSinceEver(t *testing.T) {
	h := newHouse(t, 0)
	h.take([]incident.Incident{made("a", at{"started": 0, "detected": 1}, func(x *incident.Incident) { x.State = incident.StateOpen })})
	require.Zero(t, histogram(t, h, "resolve").GetSampleCount(), "it is there before its first value")
	require.Equal(t, uint64(1), histogram(t, h, "detect").GetSampleCount())

	h.take([]incident.Incident{made("a", at{"started": 0, "detected": 1, "resolved": 90})})
	got := histogram(t, h, "resolve")
	require.Equal(t, 5400.0, got.GetSampleSum())
	require.NotNil(t, got.Schema, "it is a native histogram too")
	var edges []float64
	for _, b := range got.Bucket {
		edges = append(edges, b.GetUpperBound()/60)
		require.Equal(t, b.GetUpperBound() >= 5400, b.GetCumulativeCount() == 1)
	}
	require.Equal(t, []float64{1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 3 * 1440, 7 * 1440, 30 * 1440}, edges)
	require.Contains(t, text(t, h.reg, expfmt.NewFormat(expfmt.TypeOpenMetrics)), `# {incident="a"} 5400`)

	// A correction and a withdrawal take nothing back.
	h.take([]incident.Incident{made("a", at{"started": 0, "detected": 1, "resolved": 30})})
	h.take(nil, "a")
	require.Equal(t, 5400.0, histogram(t, h, "resolve").GetSampleSum())
	require.Contains(t, text(t, h.reg, plain), `meantime_interval_restatements_total{interval="resolve"} 1`)
}

// TestRestart: what the ledger remembers is counted again, and looks the same.
func TestRestart(t *testing.T) {
	before := rich(t)
	after := newHouse(t, 2)
	after.c.Know(before.ledger.Meet(before.book.Known()))
	after.c.Replay(before.ledger.All())
	after.c.Restate(before.ledger.Restatements())
	after.c.Publish(Snapshot{Figures: before.book.Figures(minute(60)), Watchdogs: map[string]time.Time{"Watchdog": minute(59)}, Blind: map[string]float64{"7d": 90, "90d": 300.5}})
	require.Equal(t, text(t, before.reg, plain), text(t, after.reg, plain))
	require.NotContains(t, text(t, after.reg, expfmt.NewFormat(expfmt.TypeOpenMetrics)), "# {incident", "a value counted again is nothing new")
}

func TestLabelsFromOutsideAreMadeValid(t *testing.T) {
	h := newHouse(t, 0)
	h.take([]incident.Incident{made("a\xfe", at{"started": 0, "resolved": 1}, func(x *incident.Incident) {
		x.Services, x.Severity, x.Title = []string{"ch\xffeckout"}, "cri\xfftical", "ti\xfftle"
	})})
	h.c.Know([]measure.Labels{{Service: "\xff", Severity: "\xff", DetectedBy: "\xff"}})
	h.publish(minute(60))
	require.Contains(t, text(t, h.reg, plain), "ch\uFFFDeckout")
}

// TestPublishKeepsWhatIsTheSame: metrics of a part of the figures that did not change are not made again.
func TestPublishKeepsWhatIsTheSame(t *testing.T) {
	h := rich(t)
	before := *h.c.ready.Load()
	h.take([]incident.Incident{made("new", at{"started": 50, "resolved": 55}, func(x *incident.Incident) { x.Services, x.Severity = []string{"payments"}, "warning" })})
	h.publish(minute(60))
	made := map[prometheus.Metric]bool{}
	for _, m := range before {
		made[m] = true
	}
	kept := 0
	for _, m := range *h.c.ready.Load() {
		if made[m] {
			kept++
		}
	}
	require.Greater(t, kept, len(before)/3)
	require.Less(t, kept, len(before))
}

// TestScrapesWhilePublishing is for the race detector, and a scrape must see one snapshot whole.
func TestScrapesWhilePublishing(t *testing.T) {
	h := newHouse(t, 0)
	h.publish(t0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			h.take([]incident.Incident{made(fmt.Sprint(i), at{"started": float64(-i), "resolved": 1})})
			h.publish(minute(60))
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		got := text(t, h.reg, plain)
		var n [2]string
		for i, re := range []string{`meantime_incidents\{affected_service="",detected_by="alert",severity="",window="7d"\} (\d+)`, `meantime_measurements\{affected_service="",interval="resolve",severity="",status="recorded",window="7d"\} (\d+)`} {
			n[i] = regexp.MustCompile(re).FindStringSubmatch(got)[1]
		}
		require.Equal(t, n[0], n[1])
		runtime.Gosched()
	}
}
