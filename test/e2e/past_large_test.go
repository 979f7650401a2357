package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
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

// madePast are alerts over so many evaluations, and the rules that they are of.
func madePast(evaluations int) (all []*pastSeries, rules string) {
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("groups:\n  - name: shop\n    interval: 1m\n    rules:\n")
	for i := range *pastWatched {
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
		left := *pastEpisodes / pastNames
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

// TestPastWithinMaxSamples has Prometheus hold a past whose single days are more than it loads for a question, and reads it whole:
// each start and end to the millisecond.
func TestPastWithinMaxSamples(t *testing.T) {
	t.Parallel()
	evaluations := *pastDays * 24 * 60
	series, rules := madePast(evaluations)
	p := servers.Prometheus(t, servers.PrometheusOptions{Rules: rules, Args: []string{
		"--web.enable-remote-write-receiver", fmt.Sprintf("--query.max-samples=%d", *pastSamples), "--storage.tsdb.retention.time=1y",
	}})
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
	t.Logf("%d series of %d days written in %s", len(series), *pastDays, time.Since(begun).Round(time.Second))

	want := map[string]bool{}
	for _, s := range series[*pastWatched:] {
		for _, x := range s.spells {
			want[fmt.Sprintf("%s %s %d-%d", s.labels["alertname"], s.labels["instance"], at(x.from+s.wait), at(x.to))] = true
		}
	}
	require.Len(t, want, *pastEpisodes/pastNames*pastNames)

	begun = time.Now()
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
