package history

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// samples reads points such as "10 12 14" or, with values, "10=4 12=4": seconds, of which each is a sample with the value 1; a
// "N" in place of a value is a staleness marker. "10..16" stands for all from one to the other, two seconds apart.
func samples(t *testing.T, text string) series {
	var out []model.SamplePair
	add := func(at string, v float64) float64 {
		f, err := strconv.ParseFloat(at, 64)
		require.NoError(t, err)
		out = append(out, model.SamplePair{Timestamp: model.Time(f * 1000), Value: model.SampleValue(v)})
		return f
	}
	for _, word := range strings.Fields(text) {
		times, value, valued := strings.Cut(word, "=")
		v := 1.0
		if valued {
			var err error
			if value == "N" {
				value = "NaN"
			}
			v, err = strconv.ParseFloat(value, 64)
			require.NoError(t, err)
		}
		first, last, many := strings.Cut(times, "..")
		at := add(first, v)
		if !many {
			continue
		}
		to, err := strconv.ParseFloat(last, 64)
		require.NoError(t, err)
		for at += 2; at <= to; at += 2 {
			add(strconv.FormatFloat(at, 'f', -1, 64), v)
		}
	}
	return newSeries(out)
}

// TestTraps has one case for each thing that looks otherwise in the series than it was. The rule is evaluated every two seconds
// and sent again after five, so that it lapses 20 s after it was last sent, which is every sixth second.
func TestTraps(t *testing.T) {
	type want struct {
		start, condition, last, end, vanished, lapses float64
		before                                        bool
	}
	for name, c := range map[string]struct {
		firing, state string
		cuts          []int64
		rules         []Rule
		labels        map[string]string
		markers       bool
		interval      int64
		want          []want
	}{
		"an episode ends one interval after its last sample": {
			firing: "110.3..120.3", state: "104.3..120.3=104", want: []want{{start: 110.3, condition: 104.3, last: 120.3, end: 122.3, lapses: 136.3}},
		},
		"the same samples twice": {
			firing: "110.3..120.3 110.3..114.3", state: "104.3..120.3=104", want: []want{{start: 110.3, condition: 104.3, last: 120.3, end: 122.3, lapses: 136.3}},
		},
		"what fires again after an evaluation without is another": {
			firing: "110.3 114.3", state: "110.3=110 114.3=114",
			want: []want{{start: 110.3, condition: 110.3, last: 110.3, end: 112.3, lapses: 130.3}, {start: 114.3, condition: 114.3, last: 114.3, end: 116.3, lapses: 134.3}},
		},
		"a cut that Alertmanager bridges is no end": {
			firing: "110.3..120.3 132.3..140.3", state: "110.3..120.3=110 132.3..140.3=128", cuts: []int64{123000}, rules: []Rule{{}},
			want: []want{{start: 110.3, condition: 110.3, last: 140.3, end: 142.3, lapses: 160.3}},
		},
		"a longer one makes two, and the first has no end": {
			firing: "110.3..120.3 142.3..150.3", state: "110.3..120.3=110 142.3..150.3=138", cuts: []int64{123000}, rules: []Rule{{}},
			want: []want{{start: 110.3, condition: 110.3, last: 120.3, lapses: 136.3}, {start: 138.3, condition: 138.3, last: 150.3, end: 152.3, lapses: 170.3}},
		},
		"the first two evaluations of a process are written nowhere": {
			firing: "110.3..120.3", state: "110.3..120.3=106", rules: []Rule{{}},
			want: []want{{start: 106.3, condition: 106.3, last: 120.3, end: 122.3, lapses: 138.3}},
		},
		"of one whose rule waits, one of them": {
			firing: "110.3..120.3", state: "110.3..120.3=106", rules: []Rule{{For: 2 * time.Second}},
			want: []want{{start: 108.3, condition: 106.3, last: 120.3, end: 122.3, lapses: 140.3}},
		},
		"nobody knows which where rules differ": {
			firing: "110.3..120.3", state: "110.3..120.3=106", rules: []Rule{{}, {For: 2 * time.Second}},
			want: []want{{start: 110.3, condition: 106.3, last: 120.3, end: 122.3, lapses: 136.3}},
		},
		"a restored value says nothing of the start": {
			firing: "130.3..140.3", state: "110.3..118.3=110 130.3..140.3=104", cuts: []int64{121000}, rules: []Rule{{For: 16 * time.Second}},
			want: []want{{start: 130.3, condition: 104.3, last: 140.3, end: 142.3, lapses: 156.3}},
		},
		"a pending alert that a restart interrupts was active before": {
			firing: "136.3..140.3", state: "110.3..118.3=110 130.3..140.3=126", cuts: []int64{121000}, rules: []Rule{{For: 10 * time.Second}},
			want: []want{{start: 136.3, condition: 110.3, last: 140.3, end: 142.3, lapses: 156.3}},
		},
		"one that went away before was not": {
			firing: "136.3..140.3", state: "110.3..118.3=110 130.3..140.3=130", rules: []Rule{{For: 6 * time.Second}},
			want: []want{{start: 136.3, condition: 130.3, last: 140.3, end: 142.3, lapses: 156.3}},
		},
		"evaluations that fail are no end and no new start": {
			firing: "110.3..120.3 132.3..140.3", state: "110.3..120.3=110 132.3..140.3=110", cuts: []int64{123000}, rules: []Rule{{}},
			want: []want{{start: 110.3, condition: 110.3, last: 140.3, end: 142.3, lapses: 158.3}},
		},
		"not even where Alertmanager lost its patience meanwhile": {
			firing: "110.3..120.3 148.3..150.3", state: "110.3..120.3=110 148.3..150.3=110", cuts: []int64{123000}, rules: []Rule{{}},
			want: []want{{start: 110.3, condition: 110.3, last: 150.3, end: 152.3, lapses: 168.3}},
		},
		"a renamed group goes on with another phase": {
			firing: "110.3..120.3 123.9..129.9", state: "110.3..120.3=110 123.9..129.9=123", rules: []Rule{{}},
			want: []want{{start: 110.3, condition: 110.3, last: 129.9, end: 131.9, lapses: 149.9}},
		},
		"a marker is no sample": {
			firing: "110.3..120.3 122.3=N", state: "110.3..120.3=110 122.3=N", markers: true,
			want: []want{{start: 110.3, condition: 110.3, last: 120.3, end: 122.3, lapses: 136.3}},
		},
		"without one it is a cut where markers are shown": {
			firing: "110.3..120.3", state: "110.3..120.3=110", markers: true,
			want: []want{{start: 110.3, condition: 110.3, last: 120.3, lapses: 136.3}},
		},
		"one off the grid is a group taken away": {
			firing: "110.3..120.3 121=N", state: "110.3..120.3=110 121=N", markers: true,
			want: []want{{start: 110.3, condition: 110.3, last: 120.3, vanished: 121, lapses: 136.3}},
		},
		"one after evaluations that failed is no end": {
			firing: "110.3..120.3 128.3=N", state: "110.3..120.3=110 128.3=N", markers: true,
			want: []want{{start: 110.3, condition: 110.3, last: 120.3, lapses: 136.3}},
		},
		"a query offset makes samples older than they are": {
			firing: "110.3..120.3", state: "104.3..120.3=114", want: []want{{start: 120.3, condition: 114.3, last: 130.3, end: 132.3, lapses: 146.3}},
		},
		"it shows in the silent evaluations too": {
			firing: "110.3..120.3", state: "110.3..120.3=107", rules: []Rule{{}},
			want: []want{{start: 107.3, condition: 107.3, last: 121.3, end: 123.3, lapses: 139.3}},
		},
		"one that began before everything there is": {
			firing: "110.3..120.3", state: "110.3..120.3=50", rules: []Rule{{For: 10 * time.Second}},
			want: []want{{start: 110.3, condition: 50.3, last: 120.3, end: 122.3, lapses: 136.3, before: true}},
		},
		"vmalert sends with each evaluation, good for three": {
			firing: "110..120", labels: map[string]string{"alertgroup": "g"},
			want: []want{{start: 110, last: 120, end: 122, lapses: 126}},
		},
		"what is evaluated more rarely than the lookback has no known end": {
			firing: "1000 1300 1600", state: "1000=1000 1300=1000 1600=1000", interval: 300_000,
			want: []want{{start: 1000, condition: 1000, last: 1600, lapses: 2800}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := &tape{Labels: c.labels}
			interval := int64(2000)
			if c.interval > 0 {
				interval = c.interval
			}
			x.add(samples(t, c.firing), samples(t, c.state), interval)
			for i := range x.State {
				if is, ok := offsetShown(&x.State[i], false); ok {
					x.Offset = max(x.Offset, is)
				}
			}
			x.decide(view{markers: c.markers, lookback: 300_000}, 3_000_000, c.cuts)
			var got []want
			for _, f := range x.episodes(c.rules, sender{resend: 5000, grace: 600_000}, 0, true) {
				sec := func(t int64) float64 { return float64(t) / 1000 }
				got = append(got, want{sec(f.start), sec(f.condition), sec(f.last), sec(f.end), sec(f.vanished), sec(f.lapses), f.before})
			}
			require.Equal(t, c.want, got)
		})
	}
}

// TestLabels has what Prometheus does to labels on the way to Alertmanager.
func TestLabels(t *testing.T) {
	s, err := readSettings(`
global:
  evaluation_interval: 30s
  rule_query_offset: 10s
  external_labels: {cluster: eu, replica: r1, zone: z}
alerting:
  alert_relabel_configs:
    - {action: labeldrop, regex: replica}
    - {source_labels: [zone], target_label: region}
    - {action: labeldrop, regex: zone}
    - {source_labels: [alertname], regex: DropMe, action: drop}
    - {source_labels: [severity], regex: page, target_label: severity, replacement: critical}
  alertmanagers:
    - {static_configs: [{targets: [a]}], alert_relabel_configs: [{target_label: to, replacement: all}]}
    - {static_configs: [{targets: [b]}], alert_relabel_configs: [{target_label: to, replacement: all}]}
`)
	require.NoError(t, err)
	require.False(t, s.differing)
	require.Equal(t, 30*time.Second, s.evaluation)
	require.Equal(t, 10*time.Second, s.queryOffset)
	got, ok := s.alert(map[string]string{"alertname": "X", "cluster": "own", "severity": "page", "replica_set": "r1"})
	require.True(t, ok)
	require.Equal(t, map[string]string{"alertname": "X", "cluster": "own", "severity": "critical", "region": "z", "replica_set": "r1", "to": "all"}, got)
	_, ok = s.alert(map[string]string{"alertname": "DropMe"})
	require.False(t, ok, "it is never sent")
	got, ok = s.alert(map[string]string{"alertname": "paged", "severity": "pages"})
	require.True(t, ok)
	require.Equal(t, "pages", got["severity"], "expressions are anchored")

	_, err = readSettings(" \n")
	require.ErrorIs(t, err, errNoSettings, "empty is not known")
	for text, want := range map[string]string{
		"alerting: {alert_relabel_configs: [{action: hashmod, target_label: x}]}": "its configuration: alert_relabel_configs: relabel configuration for hashmod requires non-zero modulus",
		"alerting: {alert_relabel_configs: [{action: nothing}]}":                  `its configuration: unknown relabel action "nothing"`,
		"alerting: {alert_relabel_configs: [null]}":                               "its configuration: an empty alert_relabel_configs",
		"alerting: 3": "its configuration: yaml: unmarshal errors:",
	} {
		_, err := readSettings(text)
		require.ErrorContains(t, err, want)
	}
	s, err = readSettings("alerting: {alertmanagers: [{alert_relabel_configs: [{target_label: to, replacement: a}]}, {}]}")
	require.NoError(t, err)
	require.True(t, s.differing)
}

func TestRulesOf(t *testing.T) {
	rules := Rules{"Down": {{Labels: map[string]string{"severity": "page"}, For: time.Minute}, {Labels: map[string]string{"severity": "", "team": "a"}}}}
	require.Len(t, rules.Of(map[string]string{"alertname": "Down", "severity": "page", "service": "x"}), 1)
	require.Len(t, rules.Of(map[string]string{"alertname": "Down", "team": "a"}), 1, "an empty label is none")
	require.Empty(t, rules.Of(map[string]string{"alertname": "Down", "severity": "warning", "team": "a"}))
	require.Empty(t, rules.Of(map[string]string{"alertname": "Up", "severity": "page"}))
}

// TestIntervalOfAnUnknownRule is the one between the samples, whatever markers and gaps between episodes say.
func TestIntervalOfAnUnknownRule(t *testing.T) {
	for name, c := range map[string]struct {
		values string
		want   int64
	}{
		"between samples":             {"10 12 14 16", 2000},
		"gaps between episodes":       {"10 12 14 40 42 44 90", 2000},
		"a group that was taken away": {"10 11=N 12 14 14.1=N", 2000},
		"one sample and its marker":   {"10 12=N", 2000},
		"nothing":                     {"10", 60_000},
	} {
		t.Run(name, func(t *testing.T) {
			src := New(Options{Name: "history", Back: time.Hour, Client: nil})
			var values []model.SamplePair
			x := samples(t, c.values)
			values = append(values, x.samples...)
			for _, m := range x.markers {
				values = append(values, model.SamplePair{Timestamp: model.Time(m), Value: model.SampleValue(math.NaN())})
			}
			src.take(model.Matrix{{Metric: model.Metric{"alertname": "X", "alertstate": "firing"}, Values: values}}, nil, 0)
			for _, tape := range src.tapes {
				require.Equal(t, c.want, tape.Firing[0].Interval)
			}
		})
	}
}
