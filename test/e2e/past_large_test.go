package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"meantime/test/servers"
)

// How much past TestPastWithinMaxSamples makes: `make past` asks for a quarter of a year.
var (
	pastDays     = flag.Int("past.days", 2, "days of the past that is read")
	pastEpisodes = flag.Int("past.episodes", 200, "episodes in it, beside the alerts that fire all the time")
	pastWatched  = flag.Int("past.watched", 80, "alerts that fire all the time")
	pastSamples  = flag.Int("past.max-samples", 100_000, "how many samples the server loads for one question")
)

const (
	pastNames = 20 // alerts; each second one fires after five minutes, and one of four is critical
	pastEvery = time.Minute
	pastPiece = 30 // evaluations in one request
)

// stale is the value by which Prometheus marks that a series is no more (model/value/value.go).
var stale = math.Float64frombits(0x7ff0000000000002)

// pastSeries are the two or three series that Prometheus writes of an alert.
type pastSeries struct {
	labels map[string]string
	wait   int // evaluations of its for
	spells []pastSpell
}

// pastSpell is for which evaluations the condition was true: from the first to the one before the second.
type pastSpell struct{ from, to int }

// samples are those of evaluations from one to another.
func (s *pastSeries) samples(from, to int, at func(int) int64) (pending, firing, state []byte) {
	for _, x := range s.spells {
		fires := min(x.from+s.wait, x.to)
		for k := max(from, x.from); k < min(to, x.to+1); k++ {
			switch {
			case k == x.to:
				state = appendPast(state, at(k), stale)
				if fires < x.to {
					firing = appendPast(firing, at(k), stale)
				} else {
					pending = appendPast(pending, at(k), stale)
				}
				continue
			case k < fires:
				pending = appendPast(pending, at(k), 1)
			default:
				if k == fires && s.wait > 0 {
					pending = appendPast(pending, at(k), stale)
				}
				firing = appendPast(firing, at(k), 1)
			}
			state = appendPast(state, at(k), float64(at(x.from)/1000))
		}
	}
	return pending, firing, state
}

func appendPast(b []byte, at int64, v float64) []byte {
	sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(v))
	sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(at))
	return protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), sample)
}

// pastRequest is the body of a remote write 1.0 request, encoded already.
type pastRequest []byte

func (r pastRequest) SizeVT() int { return len(r) }

func (r pastRequest) MarshalToSizedBufferVT(b []byte) (int, error) { return copy(b, r), nil }

func (r *pastRequest) add(labels map[string]string, samples []byte) {
	if len(samples) == 0 {
		return
	}
	var series []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pair := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		pair = protowire.AppendString(protowire.AppendTag(pair, 2, protowire.BytesType), labels[name])
		series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), pair)
	}
	*r = protowire.AppendBytes(protowire.AppendTag(*r, 1, protowire.BytesType), append(series, samples...))
}

// with are labels and more of them.
func with(labels map[string]string, more ...string) map[string]string {
	out := maps.Clone(labels)
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// madePast are alerts over so many evaluations, some of which fire all the time, and the rules that they are of.
func madePast(evaluations, watched, episodes int) (all []*pastSeries, rules string) {
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("groups:\n  - name: shop\n    interval: 1m\n    rules:\n")
	for i := range watched {
		all = append(all, &pastSeries{
			labels: map[string]string{"alertname": "Watched", "severity": "none", "instance": fmt.Sprint("w", i)}, spells: []pastSpell{{0, evaluations}},
		})
	}
	text.WriteString("      - {alert: Watched, expr: 'vector(0) > 1', labels: {severity: none}}\n")
	severities := []string{"critical", "warning", "warning", "warning"}
	for i := range pastNames {
		name, severity, wait := fmt.Sprint("Alert", i), severities[i%len(severities)], 5*(i%2)
		fmt.Fprintf(&text, "      - {alert: %s, expr: 'vector(0) > 1', for: %dm, labels: {severity: %s}}\n", name, wait, severity)
		// One after another on each of as many instances as the episodes need, an hour of quiet between.
		left := episodes / pastNames
		for n := 0; left > 0; n++ {
			s := &pastSeries{wait: wait, labels: map[string]string{
				"alertname": name, "severity": severity, "service": fmt.Sprint("s", i%7), "instance": fmt.Sprint("i", n),
			}}
			for at := 60 + r.IntN(600); left > 0; {
				length := wait + 1 + int(r.ExpFloat64()*15)
				if at+length >= evaluations-60 || len(s.spells) == 4 {
					break
				}
				s.spells = append(s.spells, pastSpell{at, at + length})
				left--
				at += length + 60 + r.IntN(max(61, evaluations/4))
			}
			all = append(all, s)
		}
	}
	return all, text.String()
}

// withPast is a Prometheus with a past, whose rules were evaluated until a quarter of an hour ago, and when they were.
func withPast(t *testing.T, series []*pastSeries, rules string, evaluations int, args ...string) (*servers.PrometheusServer, func(int) int64) {
	t.Helper()
	p := servers.Prometheus(t, servers.PrometheusOptions{
		Rules: rules, Args: append(args, "--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=1y"),
	})
	// Its rules are evaluated at some milliseconds past the minute, until a quarter of an hour ago.
	base := time.Now().Add(-15*time.Minute).Truncate(pastEvery).UnixMilli() + 7_123 - int64(evaluations)*pastEvery.Milliseconds()
	at := func(k int) int64 { return base + int64(k)*pastEvery.Milliseconds() }
	api, err := remote.NewAPI(p.URL+"/api/v1/write", remote.WithAPIPath(""))
	require.NoError(t, err)
	begun := time.Now()
	for k := 0; k <= evaluations; k += pastPiece {
		var body pastRequest
		for _, s := range series {
			pending, firing, state := s.samples(k, k+pastPiece, at)
			body.add(with(s.labels, "__name__", "ALERTS", "alertstate", "pending"), pending)
			body.add(with(s.labels, "__name__", "ALERTS", "alertstate", "firing"), firing)
			body.add(with(s.labels, "__name__", "ALERTS_FOR_STATE"), state)
		}
		_, err := api.Write(context.Background(), remote.WriteV1MessageType, body)
		require.NoError(t, err)
	}
	t.Logf("%d series of %d days written in %s", len(series), evaluations/24/60, time.Since(begun).Round(time.Second))
	return p, at
}

// TestPastWithinMaxSamples has Prometheus hold a past whose single days are more than it loads for a question, and reads it whole:
// each start and end to the millisecond.
func TestPastWithinMaxSamples(t *testing.T) {
	t.Parallel()
	evaluations := *pastDays * 24 * 60
	series, rules := madePast(evaluations, *pastWatched, *pastEpisodes)
	p, at := withPast(t, series, rules, evaluations, fmt.Sprintf("--query.max-samples=%d", *pastSamples))

	want := map[string]bool{}
	for _, s := range series[*pastWatched:] {
		for _, x := range s.spells {
			want[fmt.Sprintf("%s %s %d-%d", s.labels["alertname"], s.labels["instance"], at(x.from+s.wait), at(x.to))] = true
		}
	}
	require.Len(t, want, *pastEpisodes/pastNames*pastNames)

	begun := time.Now()
	m := servers.Meantime(t, servers.MeantimeOptions{Config: fmt.Sprintf(
		"windows: [1d]\nsources: []\ncorrelate: {open: {matchers: ['severity=\"critical\"']}}\nprometheuses: [{url: %q, history: 90d}]\n", p.URL)})
	past := func(family string) bool { return strings.HasPrefix(family, "meantime_history_") }
	servers.Eventually(t, time.Duration(*pastDays+5)*time.Minute, func() error {
		if read := scrape(t, m, past)[`meantime_history_read_ratio{source="history"}`]; read != "1" {
			return fmt.Errorf("read %s of the past", read)
		}
		return nil
	})
	told := scrape(t, m, past)
	t.Logf("read in %s: %s requests, %s samples", time.Since(begun).Round(100*time.Millisecond),
		told[`meantime_history_requests_total{source="history"}`], told[`meantime_history_samples_total{source="history"}`])
	servers.Eventually(t, soon, func() error {
		list, err := episodes(m)
		if err != nil {
			return err
		}
		n := 0
		for _, e := range list {
			if e.Labels["alertname"] == "Watched" {
				continue
			}
			n++
			if k := fmt.Sprintf("%s %s %d-%d", e.Labels["alertname"], e.Labels["instance"], e.StartsAt.UnixMilli(), e.EndsAt.UnixMilli()); !want[k] {
				return fmt.Errorf("%s was not", k)
			}
		}
		if n != len(want) {
			return fmt.Errorf("%d of %d episodes", n, len(want))
		}
		return nil
	})
	list, err := incidents(m)
	require.NoError(t, err)
	t.Logf("%d episodes and %d incidents known after %s", len(want), len(list), time.Since(begun).Round(100*time.Millisecond))
}

// TestInstalledAfterAWeek has one Meantime hear of a week by notifications, and another be installed after it and read it out of
// Prometheus. Both must show the same incidents of the same alerts, with the same starts and ends. What only the first can know is
// when people were told: detected, and what is measured by it. What only the second could know, alerts of which no notification told,
// there is none of in this week; TestPast has some.
func TestInstalledAfterAWeek(t *testing.T) {
	t.Parallel()
	const evaluations = 7 * 24 * 60
	series, rules := madePast(evaluations, 5, 120)
	p, at := withPast(t, series, rules, evaluations)

	type line struct {
		at   time.Time
		text []byte
	}
	var lines []line
	for _, s := range series[5:] {
		for i, x := range s.spells {
			start, end := time.UnixMilli(at(x.from+s.wait)).UTC(), time.UnixMilli(at(x.to)).UTC()
			labels := model.LabelSet{}
			for k, v := range s.labels {
				labels[model.LabelName(k)] = model.LabelValue(v)
			}
			for _, told := range []struct {
				status string
				end    time.Time
				at     time.Time
			}{{"firing", time.Time{}, start.Add(10 * time.Second)}, {"resolved", end, end.Add(10 * time.Second)}} {
				text, err := json.Marshal(map[string]any{"at": told.at, "body": map[string]any{
					"version": "4", "status": told.status, "receiver": "meantime", "externalURL": "http://alertmanager:9093",
					"groupKey":    fmt.Sprintf(`{}:{alertname=%q,instance=%q,n="%d"}`, s.labels["alertname"], s.labels["instance"], i),
					"groupLabels": s.labels, "commonLabels": s.labels, "commonAnnotations": map[string]string{},
					"alerts": []any{map[string]any{
						"status": told.status, "labels": s.labels, "annotations": map[string]string{}, "startsAt": start, "endsAt": told.end,
						"fingerprint": labels.Fingerprint().String(),
					}},
				}})
				require.NoError(t, err)
				lines = append(lines, line{told.at, text})
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var archive []byte
	for _, l := range lines {
		archive = append(append(archive, l.text...), '\n')
	}
	const config = "windows: [28d]\nsources: []\nalerts: {ignore: [{matchers: ['alertname=\"Watched\"']}]}\n" +
		"correlate: {open: {matchers: ['severity=\"critical\"']}}\n"
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "archive.jsonl"), archive, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "replay.yml"), []byte(config), 0o600))
	status, log := servers.MeantimeRun(t, dir, "replay", "--config.file=replay.yml", "archive.jsonl")
	require.Zero(t, status, log)
	ask := func(history string) string {
		return fmt.Sprintf("prometheuses: [{url: %q, history: %s}]\n", p.URL, history)
	}
	heard := servers.Meantime(t, servers.MeantimeOptions{Dir: dir, Config: config + ask("0s")})
	read := servers.Meantime(t, servers.MeantimeOptions{Config: config + ask("90d")})

	// An incident by its alerts, and when it began and ended. Asked for one alert, Prometheus tells whole seconds.
	outline := func(m *servers.MeantimeServer) (out []string, list []incident, err error) {
		list, err = incidents(m)
		for _, in := range list {
			var of []string
			for _, l := range in.linked() {
				e := l.Episode
				of = append(of, fmt.Sprint(e.Labels["alertname"], e.Labels["instance"], e.StartsAt.UnixMilli(), "-", e.EndsAt.UnixMilli()))
			}
			slices.Sort(of)
			out = append(out, fmt.Sprint(in.Title, in.Services, in.State, in.Milestones["started"].At.Unix(), in.Milestones["resolved"].At.Unix(), of))
		}
		slices.Sort(out)
		return out, list, err
	}
	var told, found []incident
	servers.Eventually(t, 5*time.Minute, func() error {
		a, list, err := outline(heard)
		if err != nil {
			return err
		}
		b, other, err := outline(read)
		if err != nil {
			return err
		}
		told, found = list, other
		if len(a) == 0 || !slices.Equal(a, b) {
			return fmt.Errorf("heard %d:\n%s\nread %d:\n%s", len(a), strings.Join(a, "\n"), len(b), strings.Join(b, "\n"))
		}
		return nil
	})
	t.Logf("%d incidents of %d notifications", len(told), len(lines))
	for _, in := range told {
		require.Contains(t, in.Milestones, "detected")
	}
	for _, in := range found {
		require.NotContains(t, in.Milestones, "detected", "nobody was told because Prometheus had it")
		require.Equal(t, "missing", in.Measurements["detect"].Status)
		require.Equal(t, "recorded", in.Measurements["resolve"].Status)
	}
}
