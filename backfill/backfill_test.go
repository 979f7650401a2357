package backfill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
	"meantime/test/servers"
)

// to gives everything to one writer.
func to(w io.Writer) Open {
	return func(time.Time) (io.WriteCloser, error) { return open{w}, nil }
}

type open struct{ io.Writer }

func (open) Close() error { return nil }

func write(t *testing.T, o Options) (string, Written) {
	t.Helper()
	var text strings.Builder
	o.Dir = t.TempDir()
	out, err := Write(context.Background(), to(&text), o)
	require.NoError(t, err)
	left, err := os.ReadDir(o.Dir)
	require.NoError(t, err)
	require.Empty(t, left, "nothing is left of the temporary file")
	return text.String(), out
}

// TestWrite holds every sample to a daemon that is made anew at every step, of which the figures over windows and the
// histogram are gathered as a scrape does.
func TestWrite(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := invent(seed, 50, 40, 120)
			const step = 7 * time.Hour
			from, to := t0.AddDate(0, 0, -8), t0.AddDate(0, 0, 1)
			text, out := write(t, options(w, from, to, step))
			got := parse(t, text)

			want, n := samples{}, 0
			for at := out.From; !at.After(to); at = at.Add(step) {
				for series, v := range scraped(t, w, at, step) {
					if want[series] == nil {
						want[series] = map[int64]float64{}
					}
					want[series][at.Unix()] = v
					n++
				}
			}
			same(t, want, got)
			require.Equal(t, len(want), out.Series)
			require.Equal(t, n, out.Samples)

			o := options(w, from, to, step)
			o.memory = 8 << 10
			spilled, _ := write(t, o)
			require.Equal(t, text, spilled, "the temporary file changes nothing")
		})
	}
}

// same holds samples to others and names the first series that differs.
func same(t *testing.T, want, got samples) {
	t.Helper()
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, series := range slices.Sorted(maps.Keys(all)) {
		require.Equal(t, want[series], got[series], series)
	}
}

// scraped is what a daemon with the facts shows at a moment of what backfill writes.
func scraped(t *testing.T, w *world, at time.Time, step time.Duration) map[string]float64 {
	t.Helper()
	ctx := context.Background()
	book, ledger, d := measure.NewBook(testMeasure), measure.NewLedger(testMeasure.Intervals, 0, 0), newDaemon()
	require.NoError(t, book.Load(w.EachIncident(ctx, time.Time{}), w.EachVerdict(ctx, time.Time{}, at)))
	book.Watched(watched)
	require.NoError(t, ledger.Load(w.Ledger(ctx)))
	d.Publish(book.Figures(at))
	ends := map[string]time.Time{}
	for i := range w.incidents {
		for _, iv := range testMeasure.Intervals {
			ends[w.incidents[i].ID+iv.Name] = w.incidents[i].Point(iv.To)
		}
	}
	var known []measure.Labels
	for v := range ledger.All() {
		end := ends[v.Incident+v.Interval]
		if !end.After(at.Add(step)) {
			known = append(known, v.Labels)
		}
		if !end.After(at) {
			d.Replay(slices.Values([]measure.Observation{v}))
		}
	}
	d.Know(known)
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(d))
	all, err := reg.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range all {
		windowed := strings.HasPrefix(f.GetName(), "meantime_objective")
		for _, l := range f.Metric[0].Label {
			windowed = windowed || l.GetName() == "window"
		}
		if !windowed && f.GetName() != "meantime_interval_duration_seconds" {
			continue
		}
		var text strings.Builder
		_, err := expfmt.MetricFamilyToOpenMetrics(&text, f)
		require.NoError(t, err)
		for line := range strings.Lines(text.String()) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			i := strings.LastIndexByte(line, ' ')
			var v float64
			_, err := fmt.Sscan(line[i:], &v)
			require.NoError(t, err)
			out[line[:i]] = v
		}
	}
	return out
}

// TestPromtool: what is written becomes blocks, sample for sample.
func TestPromtool(t *testing.T) {
	text, out := write(t, options(invent(5, 30, 20, 60), t0.AddDate(0, 0, -2), t0, 6*time.Hour))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/past.om", []byte(text), 0o644))
	said, ok := servers.Promtool(t, "", "tsdb", "create-blocks-from", "openmetrics", dir+"/past.om", dir+"/data")
	require.True(t, ok, said)
	require.NoError(t, os.Mkdir(dir+"/data/wal", 0o755)) // or promtool does not take it for a folder of Prometheus
	dumped, ok := servers.Promtool(t, "", "tsdb", "dump", dir+"/data")
	require.True(t, ok, dumped)
	require.Equal(t, out.Samples, strings.Count(dumped, "\n"))
	require.NotZero(t, out.Samples)

	cut := strings.TrimSuffix(text, "# EOF\n")
	require.NoError(t, os.WriteFile(dir+"/cut.om", []byte(cut), 0o644))
	said, ok = servers.Promtool(t, "", "tsdb", "create-blocks-from", "openmetrics", dir+"/cut.om", dir+"/none")
	require.False(t, ok, "what was cut short is refused: %s", said)
}

// TestNothingFromLater: what began after a step leaves no trace in it.
func TestNothingFromLater(t *testing.T) {
	w := invent(6, 10, 30, 100)
	to := t0.AddDate(0, 0, -5)
	text, _ := write(t, options(w, to.AddDate(0, 0, -3), to, time.Hour))
	before := *w
	before.incidents = slices.DeleteFunc(slices.Clone(w.incidents), func(inc incident.Incident) bool { return inc.At().After(to.Add(time.Hour)) })
	before.verdicts = slices.DeleteFunc(slices.Clone(w.verdicts), func(v incident.Verdict) bool { return v.Episode.StartsAt.After(to) })
	l := measure.NewLedger(incident.DefaultIntervals(), 0, 0)
	before.ledger = l.Next(before.incidents, t0).Observed
	require.Less(t, len(before.incidents), len(w.incidents))
	again, _ := write(t, options(&before, to.AddDate(0, 0, -3), to, time.Hour))
	require.Equal(t, text, again)
}

// TestParts: stretches written one after the other are the whole, whether in one go or in several.
func TestParts(t *testing.T) {
	w := invent(7, 30, 25, 60)
	from, until := t0.AddDate(0, 0, -12), t0
	text, out := write(t, options(w, from, until, 5*time.Hour))
	whole := parse(t, text)
	add := func(all, more samples) {
		for series, values := range more {
			if all[series] == nil {
				all[series] = map[int64]float64{}
			}
			maps.Copy(all[series], values)
		}
	}

	goes := samples{}
	for at := from; at.Before(until); at = at.AddDate(0, 0, 3) {
		text, _ := write(t, options(w, at.Add(time.Second), at.AddDate(0, 0, 3), 5*time.Hour))
		add(goes, parse(t, text))
	}
	for series := range whole { // the first go began a second late
		delete(whole[series], from.Unix())
	}
	same(t, whole, goes)

	o := options(w, from.Add(time.Second), until, 5*time.Hour)
	o.Part = 50 * time.Hour
	files, starts := map[time.Time]*strings.Builder{}, []time.Time(nil)
	inParts, err := Write(context.Background(), func(first time.Time) (io.WriteCloser, error) {
		starts = append(starts, first)
		files[first] = &strings.Builder{}
		return open{files[first]}, nil
	}, o)
	require.NoError(t, err)
	require.LessOrEqual(t, inParts.Samples, out.Samples)
	parts := samples{}
	for i, first := range starts {
		part := parse(t, files[first].String())
		for _, values := range part {
			for at := range values {
				require.GreaterOrEqual(t, at, first.Unix())
				require.Equal(t, first.Unix()/(50*3600), at/(50*3600))
				require.True(t, i+1 == len(starts) || at < starts[i+1].Unix())
			}
		}
		add(parts, part)
	}
	same(t, whole, parts)
}

func TestPartStarts(t *testing.T) {
	hour := int64(3600)
	for name, c := range map[string]struct {
		steps steps
		part  time.Duration
		want  []int
		err   string
	}{
		"all in one":        {steps{0, hour, 100}, 0, []int{0}, ""},
		"whole":             {steps{0, hour, 6}, 2 * time.Hour, []int{0, 2, 4}, ""},
		"begun inside":      {steps{3 * hour, hour, 6}, 2 * time.Hour, []int{0, 1, 3, 5}, ""},
		"not a multiple":    {steps{0, 2 * hour, 5}, 3 * time.Hour, []int{0, 2, 3}, ""},
		"longer steps":      {steps{0, 5 * hour, 3}, 2 * time.Hour, []int{0, 1, 2}, ""},
		"before the epoch":  {steps{-3 * hour, hour, 6}, 2 * time.Hour, []int{0, 1, 3, 5}, ""},
		"parts of a second": {steps{0, hour, 6}, time.Millisecond, nil, "parts of 1ms: not a whole number of seconds"},
		"far too many":      {steps{0, hour, 1000}, time.Hour, nil, "more than the 500 parts of 1h0m0s allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.steps.parts(c.part)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestSteps(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return x
	}
	for name, c := range map[string]struct {
		from, to string
		step     time.Duration
		first    string
		n        int
		err      string
	}{
		"whole":         {"2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z", time.Hour, "2026-01-01T00:00:00Z", 4, ""},
		"inside":        {"2026-01-01T00:00:00.001Z", "2026-01-01T02:59:59.9Z", time.Hour, "2026-01-01T01:00:00Z", 2, ""},
		"one":           {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", time.Hour, "2026-01-01T00:00:00Z", 1, ""},
		"of weeks":      {"2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", 7 * 24 * time.Hour, "2026-01-01T00:00:00Z", 5, ""},
		"before 1970":   {"1969-12-31T23:30:00Z", "1970-01-01T00:30:00Z", time.Hour, "1970-01-01T00:00:00Z", 1, ""},
		"none":          {"2026-01-01T00:10:00Z", "2026-01-01T00:50:00Z", time.Hour, "", 0, "step 1h0m0s: no whole multiple of it lies between 2026-01-01T00:10:00Z and 2026-01-01T00:50:00Z"},
		"backwards":     {"2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", time.Hour, "", 0, "step 1h0m0s: no whole multiple of it lies between 2026-01-02T00:00:00Z and 2026-01-01T00:00:00Z"},
		"no step":       {"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 0, "", 0, "step 0s: not a whole number of seconds"},
		"parts of it":   {"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1500 * time.Millisecond, "", 0, "step 1.5s: not a whole number of seconds"},
		"far too many":  {"2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", time.Second, "", 0, "step 1s: 31449601 samples of each series between 2026-01-01T00:00:00Z and 2026-12-31T00:00:00Z are more than the 1048576 allowed; write it in parts"},
		"the far past":  {"0001-01-01T00:00:00Z", "0001-01-01T05:00:00Z", time.Hour, "0001-01-01T00:00:00Z", 6, ""},
		"another zone":  {"2026-01-01T00:00:00+05:30", "2026-01-01T02:00:00+05:30", time.Hour, "2025-12-31T19:00:00Z", 2, ""},
		"a nanosecond":  {"2026-01-01T00:00:00.000000001Z", "2026-01-01T01:00:00Z", time.Hour, "2026-01-01T01:00:00Z", 1, ""},
		"minus a blink": {"2026-01-01T00:00:00Z", "2026-01-01T00:59:59.999999999Z", time.Hour, "2026-01-01T00:00:00Z", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := stepsOf(Options{From: at(c.from), To: at(c.to), Step: c.step})
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.n, s.n)
			require.Equal(t, at(c.first).UTC(), s.at(0))
		})
	}
}

// TestWhenAValueCounts: the histogram has everything that the daemon's has, whatever became of it.
func TestWhenAValueCounts(t *testing.T) {
	at := func(minutes int) incident.Milestone {
		return incident.Milestone{Candidate: incident.Candidate{At: t0.Add(time.Duration(minutes) * time.Minute), Origin: incident.OriginRecord}}
	}
	w := &world{
		incidents: []incident.Incident{
			{ID: "kept", Services: []string{"s"}, State: incident.StateResolved, Milestones: map[incident.MilestoneName]incident.Milestone{
				"started": at(0), "detected": at(70), "resolved": at(130),
			}},
			{ID: "merged", Aliases: []string{"old"}, State: incident.StateResolved, Milestones: map[incident.MilestoneName]incident.Milestone{
				"started": at(0), "resolved": at(190),
			}},
		},
		ledger: []incident.Observed{
			// What was counted, not what it is now; the identified was taken back; an interval that is not measured any more.
			{Incident: "kept", Service: "s", DetectedBy: "alert", Seconds: map[string]float64{"detect": 4200, "resolve": 1, "identify": 60, "gone": 5}},
			{Incident: "old", Service: "s", DetectedBy: "alert", Seconds: map[string]float64{"resolve": 11400}},
			{Incident: "withdrawn", Service: "s", DetectedBy: "alert", Seconds: map[string]float64{"resolve": 30}},
		},
	}
	text, _ := write(t, options(w, t0.Add(-2*time.Hour), t0.Add(4*time.Hour), time.Hour))
	got := parse(t, text)
	for interval, want := range map[string][]float64{ // counts at -2h, -1h, 0h to 4h; -1: no sample
		"detect":   {0, 0, 0, 0, 1, 1, 1},
		"resolve":  {1, 1, 1, 1, 1, 2, 3}, // 3h10m is after 3h
		"identify": {0, 0, 1, 1, 1, 1, 1},
		"gone":     {-1, -1, 1, 1, 1, 1, 1},
	} {
		if interval == "resolve" {
			want = []float64{1, 1, 1, 1, 1, 2, 3}
		}
		series := `meantime_interval_duration_seconds_count{affected_service="s",detected_by="alert",interval="` + interval + `",severity=""}`
		var counts []float64
		for k := -2; k <= 4; k++ {
			if v, ok := got[series][t0.Add(time.Duration(k)*time.Hour).Unix()]; ok {
				counts = append(counts, v)
			} else {
				counts = append(counts, -1)
			}
		}
		require.Equal(t, want, counts, interval)
	}
}

// TestBornAtZero: a first value is an increase, also where it comes right after the last step.
func TestBornAtZero(t *testing.T) {
	w := &world{
		incidents: []incident.Incident{{ID: "one", Services: []string{"s"}, State: incident.StateResolved, Milestones: map[incident.MilestoneName]incident.Milestone{
			"started":  {Candidate: incident.Candidate{At: t0, Origin: incident.OriginRecord}},
			"resolved": {Candidate: incident.Candidate{At: t0.Add(90 * time.Minute), Origin: incident.OriginRecord}},
		}}},
		ledger: []incident.Observed{{Incident: "one", Service: "s", DetectedBy: "alert", Seconds: map[string]float64{"resolve": 5400}}},
	}
	const series = `meantime_interval_duration_seconds_count{affected_service="s",detected_by="alert",interval="resolve",severity=""}`
	text, _ := write(t, options(w, t0, t0.Add(2*time.Hour), time.Hour))
	require.Equal(t, map[int64]float64{t0.Add(time.Hour).Unix(): 0, t0.Add(2 * time.Hour).Unix(): 1}, parse(t, text)[series])
	text, _ = write(t, options(w, t0, t0.Add(time.Hour), time.Hour))
	require.Equal(t, map[int64]float64{t0.Add(time.Hour).Unix(): 0}, parse(t, text)[series])
}

type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("no room")
	}
	return len(b), nil
}

func TestErrors(t *testing.T) {
	w := invent(1, 30, 20, 50)
	o := options(w, t0.AddDate(0, 0, -20), t0, time.Hour)

	_, err := Write(context.Background(), to(&full{1 << 20}), o)
	require.EqualError(t, err, "no room")

	o.Metrics = newDaemon()
	_, err = Write(context.Background(), func(time.Time) (io.WriteCloser, error) { return nil, errors.New("no place") }, o)
	require.EqualError(t, err, "no place")

	o.Metrics = newDaemon()
	o.Facts = &world{incidents: w.incidents, err: errors.New("disk on fire")}
	_, err = Write(context.Background(), to(&full{}), o)
	require.EqualError(t, err, "disk on fire")

	o.Metrics, o.Facts, o.memory, o.Dir = newDaemon(), w, 1<<10, t.TempDir()+"/none"
	_, err = Write(context.Background(), to(&full{}), o)
	require.ErrorContains(t, err, "no such file or directory")

	o.Metrics, o.memory = newDaemon(), 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Write(ctx, to(&full{}), o)
	require.ErrorIs(t, err, context.Canceled)
}

func TestNothingKnown(t *testing.T) {
	text, out := write(t, options(&world{}, t0, t0.Add(time.Hour), time.Hour))
	got := parse(t, text)
	require.Equal(t, map[int64]float64{t0.Unix(): 0, t0.Add(time.Hour).Unix(): 0}, got[`meantime_incidents{affected_service="",detected_by="alert",severity="",window="7d"}`])
	require.Equal(t, len(got), out.Series)
}
