package correlate

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

// dense are facts of two days in which one thing leads to the next: what is decided of one alert depends on many others.
func dense(rng *rand.Rand, begin time.Time, alerts, records int) incident.Facts {
	var f incident.Facts
	services := []string{"checkout", "payments", "search", "db", "mail", ""}
	regions := []string{"", "north", "south"}
	at := func() time.Time { // most within some hours
		t := begin.Add(time.Duration(rng.IntN(48*60)) * time.Minute)
		if rng.IntN(3) > 0 {
			t = begin.Add(time.Duration(10*60+rng.IntN(5*60)) * time.Minute)
		}
		return t
	}
	for i := range alerts {
		service, start := services[rng.IntN(len(services))], at()
		rule := rng.IntN(5)
		s := incident.Sighting{
			Fingerprint: fmt.Sprintf("%016x", i%max(1, alerts*2/3)), StartsAt: start, FiringFirst: start.Add(30 * time.Second), FiringLast: start.Add(time.Minute), ToldAt: start.Add(time.Minute),
			Labels: map[string]string{"alertname": fmt.Sprint("Rule", rule), "service": service, "severity": []string{"critical", "warning", ""}[rule%3], "region": regions[rng.IntN(3)], "instance": fmt.Sprint(rng.IntN(4))},
		}
		if rng.IntN(4) > 0 {
			s.EndsAt = start.Add(time.Duration(1+rng.IntN(200)) * time.Minute)
			s.ResolvedFirst = s.EndsAt.Add(time.Minute)
		}
		if rng.IntN(10) == 0 {
			s.Labels["incident"] = fmt.Sprint(rng.IntN(max(1, records)))
		}
		f.Sightings = append(f.Sightings, s)
	}
	// One alert fires every hour: of no outbreak, but records may name it.
	for i := range alerts / 2 {
		start := begin.Add(time.Duration(i) * time.Hour)
		f.Sightings = append(f.Sightings, incident.Sighting{
			Fingerprint: "habit", StartsAt: start, EndsAt: start.Add(time.Minute), FiringFirst: start, FiringLast: start, ResolvedFirst: start.Add(time.Minute), ToldAt: start.Add(time.Minute),
			Labels: map[string]string{"alertname": "Habit", "service": "search", "severity": "critical"},
		})
	}
	for i := range records {
		start := at()
		r := incident.Record{
			Source: []string{"ours", "theirs"}[rng.IntN(2)], ID: fmt.Sprint(i), Title: []string{"checkout errors", "slow search", "mail is late", ""}[rng.IntN(4)], Services: []string{services[rng.IntN(5)]},
			State: incident.StateResolved, UpdatedAt: begin.AddDate(0, 0, 3), Milestones: map[incident.MilestoneName]incident.Stated{incident.Started: {At: start}},
		}
		if rng.IntN(3) > 0 {
			r.Milestones[incident.Resolved] = incident.Stated{At: start.Add(time.Duration(rng.IntN(200)) * time.Minute)}
		}
		if rng.IntN(4) == 0 {
			r.References.Fingerprints = []string{fmt.Sprintf("%016x", rng.IntN(max(1, alerts))), "habit"}
		}
		if i > 0 && rng.IntN(4) == 0 {
			r.References.Keys = []string{fmt.Sprint(rng.IntN(i))}
		}
		r.Normalize()
		f.Records = append(f.Records, r)
	}
	return f
}

// Told bit by bit, in whatever order, a correlator comes to what Correlate makes of everything, and says of each step
// what it changed.
func TestBitByBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "facts"), 1))
		rules := anyRules(t)
		begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		all := dense(rng, begin, rapid.IntRange(1, 60).Draw(t, "alerts"), rapid.IntRange(0, 12).Draw(t, "records"))
		rng.Shuffle(len(all.Sightings), func(i, j int) { all.Sightings[i], all.Sightings[j] = all.Sightings[j], all.Sightings[i] })
		var known incident.Facts
		now := begin.AddDate(0, 0, 1)
		c := newCorrelator(&rules, newDirectory(&rules, nil), past{})
		incidents, verdicts := map[string]incident.Incident{}, map[incident.EpisodeKey]incident.Verdict{}
		var trail []string
		for step := 0; len(all.Sightings)+len(all.Records) > 0 && step < 25; step++ {
			switch action := rng.IntN(9); {
			case action < 4 && len(all.Sightings) > 0:
				n := min(1+rng.IntN(8), len(all.Sightings))
				told := all.Sightings[:n]
				all.Sightings = all.Sightings[n:]
				known.Sightings = append(known.Sightings, told...)
				prints := map[string]bool{}
				for _, s := range told {
					prints[s.Fingerprint] = true
				}
				c.sightings(slices.DeleteFunc(slices.Clone(known.Sightings), func(s incident.Sighting) bool { return !prints[s.Fingerprint] }))
				trail = append(trail, fmt.Sprint(n, " alerts"))
			case action < 6 && len(all.Records) > 0:
				r := all.Records[0]
				all.Records = all.Records[1:]
				known.Records = append(known.Records, r)
				c.record(&r)
				trail = append(trail, "a record")
			case action == 6 && len(known.Records) > 0:
				r := known.Records[rng.IntN(len(known.Records))]
				r.UpdatedAt = r.UpdatedAt.Add(time.Duration(step+1) * time.Hour)
				r.Withdrawn = rng.IntN(3) == 0
				r.Milestones = map[incident.MilestoneName]incident.Stated{incident.Started: {At: begin.Add(time.Duration(rng.IntN(48*60)) * time.Minute)}}
				known.Records = append(known.Records, r)
				c.record(&r)
				trail = append(trail, "a record edited")
			case action == 7:
				known.Reviews = anyReviews(t, known, &rules)
				c.review(known.Reviews)
				trail = append(trail, "reviews")
			default:
				now = now.Add(time.Duration(rng.IntN(600)) * time.Minute)
				// Who has a correlator tells it again of what fires, which time may have ended.
				c.sightings(known.Sightings)
				trail = append(trail, "time")
			}
			ch := c.pass(now)
			want := Correlate(known, &rules, now)
			want.Blind = c.result().Blind
			require.Equal(t, text(t, want), text(t, c.result()), "after %s", trail)
			for _, in := range ch.removed {
				delete(incidents, in.ID)
			}
			for _, in := range ch.incidents {
				incidents[in.ID] = *in
			}
			for _, x := range ch.gone {
				delete(verdicts, utc(x.Key()))
			}
			for _, x := range ch.alerts {
				verdicts[utc(x.Key())] = x.judged()
			}
			require.Len(t, incidents, len(want.Incidents))
			for _, in := range want.Incidents {
				require.True(t, same(ptr(incidents[in.ID]), &in), "%s after %s", in.ID, trail)
			}
			require.Len(t, verdicts, len(want.Verdicts))
			for _, v := range want.Verdicts {
				is := verdicts[utc(v.Episode.Key())]
				require.Equal(t, []any{v.Outcome, v.Incident, v.Service, v.Severity, v.Episode.End, v.Episode.EndsAt.UnixNano()}, []any{is.Outcome, is.Incident, is.Service, is.Severity, is.Episode.End, is.Episode.EndsAt.UnixNano()}, "%s after %s", v.Episode.Key(), trail)
			}
		}
	})
}

func ptr[T any](v T) *T { return &v }
