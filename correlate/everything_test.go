package correlate

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// stream is a store of any length in no memory: some alerts an hour, for some days, made when they are asked for.
type stream struct {
	*shelf
	days int
}

const streamHourly = 5

func (s *stream) Extent(context.Context) (time.Time, time.Time, error) {
	return noon, noon.AddDate(0, 0, s.days), nil
}

func (s *stream) Sightings(_ context.Context, from, to time.Time) (out []incident.Sighting, err error) {
	first := max(0, int(from.Sub(noon)/time.Hour)) // a duration ends after some hundred years
	for hour := first; hour < 24*s.days && !noon.Add(time.Duration(hour)*time.Hour).After(to); hour++ {
		for k := range streamHourly {
			start := noon.Add(time.Duration(hour)*time.Hour + time.Duration(k)*time.Minute)
			x := incident.Sighting{
				Fingerprint: fmt.Sprintf("%016x", hour*streamHourly+k), StartsAt: start, EndsAt: start.Add(5 * time.Minute), FiringFirst: start, FiringLast: start, ToldAt: start,
				ResolvedFirst: start.Add(6 * time.Minute),
				Labels:        map[string]string{"alertname": fmt.Sprint("Alert", hour%40), "service": fmt.Sprint("service-", hour%7), "severity": "critical", "instance": fmt.Sprint(hour, ":", k)},
			}
			if a, b := x.Span(); touches(a, b, from, to) {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

func (s *stream) SightingsOf(context.Context, []string) ([]incident.Sighting, error) { return nil, nil }

// EachVerdict tells of what an earlier pass found: more than a desk can know.
func (s *stream) EachVerdict(context.Context, time.Time, time.Time) iter.Seq2[incident.Verdict, error] {
	return func(yield func(incident.Verdict, error) bool) {
		for n := 0; n <= handyAlerts && yield(incident.Verdict{}, nil); n++ {
		}
	}
}

// TestEverythingInParts computes some months and four times as many: what memory holds when a part is delivered is the same, and
// the parts hold everything once, in order.
func TestEverythingInParts(t *testing.T) {
	severe, err := labels.NewMatcher(labels.MatchEqual, "severity", "critical")
	require.NoError(t, err)
	rules := DefaultRules()
	rules.Open.Matchers, rules.Open.Every = []labels.Matchers{{severe}}, true
	run := func(days int) (most uint64, parts int) {
		incidents, last, verdicts := map[string]bool{}, incident.EpisodeKey{}, 0
		r := NewRunner(Options{
			Facts: &stream{newShelf(), days}, Rules: rules, Now: func() time.Time { return noon.AddDate(0, 0, days+1) },
			Deliver: func(_ context.Context, d incident.Pass) error {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
				parts++
				require.True(t, d.Reset)
				require.Equal(t, parts, d.Part)
				for i := range d.Incidents {
					require.NotContains(t, incidents, d.Incidents[i].ID)
					incidents[d.Incidents[i].ID] = true
				}
				for i := range d.Verdicts {
					k := d.Verdicts[i].Episode.Key()
					require.Negative(t, last.Compare(k))
					last = k
				}
				verdicts += len(d.Verdicts)
				require.Equal(t, verdicts == 24*days*streamHourly, !d.More)
				return nil
			},
		})
		r.handy = -1 // else it would be computed as a whole
		require.NoError(t, r.CatchUp(t.Context()))
		require.NotEmpty(t, incidents)
		return most, parts
	}
	few, _ := run(90)
	many, parts := run(4 * 90)
	require.Greater(t, parts, 8)
	require.Less(t, many, 2*few, "bytes held at most, with four times as much to compute")
}

// TestEverythingAgain has a part refused: everything begins again from the first, and comes out as if nothing had been.
func TestEverythingAgain(t *testing.T) {
	s := newShelf()
	for day := range 60 {
		for k := range 5 {
			s.put(incident.Facts{Sightings: []incident.Sighting{fires("checkout", float64(1440*day+60*k), float64(1440*day+60*k+30))}})
		}
	}
	rules, refuse := DefaultRules(), 0
	severe, err := labels.NewMatcher(labels.MatchEqual, "severity", "critical")
	require.NoError(t, err)
	rules.Open.Matchers, rules.Open.Every = []labels.Matchers{{severe}}, true
	var got []int
	now := noon.AddDate(0, 0, 61)
	r := NewRunner(Options{Facts: s, Rules: rules, Now: func() time.Time { return now }, Deliver: func(ctx context.Context, d incident.Pass) error {
		got = append(got, d.Part)
		if d.Part == refuse {
			return refusal{}
		}
		return s.save(ctx, d)
	}})
	refuse = 2
	require.ErrorIs(t, r.CatchUp(t.Context()), refusal{})
	require.Equal(t, []int{1, 2}, got)
	require.Empty(t, s.incidents)
	require.Empty(t, s.rules)
	refuse, got = 0, nil
	require.NoError(t, r.CatchUp(t.Context()))
	require.Equal(t, 1, got[0])
	require.Greater(t, len(got), 2)
	require.Equal(t, s.seq, s.cursor, "the whole feed is in it")

	var f incident.Facts
	for _, x := range s.sightings {
		f.Sightings = append(f.Sightings, x)
	}
	want := Correlate(f, &rules, now)
	require.Len(t, s.incidents, len(want.Incidents))
	for i := range want.Incidents {
		was := s.incidents[want.Incidents[i].ID]
		require.True(t, same(&want.Incidents[i], &was))
	}
	require.Len(t, s.verdicts, len(want.Verdicts))
}
