package correlate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/incident"
)

// busyDay is a day with so many episodes and incidents, of two thousand services: three in five episodes belong to an
// incident, the rest fire by themselves.
func busyDay(episodes, incidents int) (incident.Facts, Rules) {
	rng := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	const services = 2000
	name := func(i int) string { return fmt.Sprintf("service-%04d", i) }
	rules := DefaultRules()
	needed := map[int][]int{}
	for i := range services {
		d := Dependency{Service: name(i)}
		for range 2 {
			if j := i + 1 + rng.IntN(60); j < services {
				d.Needs = append(d.Needs, name(j))
				needed[j] = append(needed[j], i)
			}
		}
		rules.Dependencies = append(rules.Dependencies, d)
	}
	m, err := labels.ParseMatchers(`severity="critical"`)
	if err != nil {
		panic(err)
	}
	rules.Open.Matchers = append(rules.Open.Matchers, m)
	var f incident.Facts
	seen := map[incident.EpisodeKey]bool{}
	fire := func(service int, at time.Time, lasts time.Duration) {
		rule, unit := rng.IntN(12), rng.IntN(8)
		l := map[string]string{"alertname": fmt.Sprintf("Rule%d", rule), "service": name(service), "severity": []string{"critical", "warning"}[rule%2], "instance": fmt.Sprintf("%s-%d", name(service), unit), "region": []string{"north", "south"}[unit%2]}
		s := incident.Sighting{
			Fingerprint: fmt.Sprintf("%016x", service*1000+rule*20+unit), StartsAt: at, EndsAt: at.Add(lasts), FiringFirst: at.Add(30 * time.Second), FiringLast: at.Add(30 * time.Second),
			ResolvedFirst: at.Add(lasts + time.Minute), ToldAt: at.Add(lasts + time.Minute), Labels: l,
		}
		if !seen[s.Key()] {
			seen[s.Key()] = true
			f.Sightings = append(f.Sightings, s)
		}
	}
	for i := range incidents {
		root := rng.IntN(services)
		at := begin.Add(time.Duration(rng.Int64N(int64(23 * time.Hour))))
		hit := append([]int{root}, needed[root]...)
		for range episodes * 3 / 5 / incidents {
			fire(hit[rng.IntN(len(hit))], at.Add(time.Duration(rng.Int64N(int64(20*time.Minute)))), time.Duration(5+rng.IntN(40))*time.Minute)
		}
		r := incident.Record{Source: "ours", ID: fmt.Sprint(i), Title: "Errors on " + name(root), Services: []string{name(root)}, State: incident.StateResolved, UpdatedAt: at.Add(2 * time.Hour), Milestones: map[incident.MilestoneName]incident.Stated{
			incident.Started: {At: at.Truncate(time.Minute)}, incident.Acknowledged: {At: at.Add(6 * time.Minute)}, incident.Resolved: {At: at.Add(50 * time.Minute)},
		}}
		r.Normalize()
		f.Records = append(f.Records, r)
	}
	for len(f.Sightings) < episodes {
		fire(rng.IntN(services), begin.Add(time.Duration(rng.Int64N(int64(24*time.Hour)))), time.Duration(1+rng.IntN(15))*time.Minute)
	}
	slices.SortFunc(f.Sightings, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
	return f, rules
}

// A day of 100,000 episodes and 1,000 incidents, all of it at once.
func BenchmarkBusyDay(b *testing.B) {
	f, rules := busyDay(100_000, 1000)
	now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		res := Correlate(f, &rules, now)
		n := 0
		for i := range res.Incidents {
			n += len(res.Incidents[i].Linked())
		}
		b.ReportMetric(float64(len(res.Incidents)), "incidents")
		b.ReportMetric(float64(n), "links")
	}
}

// One more alert on such a day, through a Runner that has just worked out all of it: in the evening, and in the middle.
func BenchmarkOneMoreAlert(b *testing.B) {
	for _, at := range []time.Duration{23*time.Hour + 50*time.Minute, 12 * time.Hour} {
		b.Run(at.String(), func(b *testing.B) {
			f, rules := busyDay(100_000, 1000)
			s := newShelf()
			s.put(f)
			now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
			r := NewRunner(Options{Facts: s, Rules: rules, Now: func() time.Time { return now }, Deliver: s.save})
			begun := time.Now()
			if err := r.CatchUp(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(begun).Seconds(), "s/all")
			b.ReportMetric(float64(len(s.incidents)), "incidents")
			n := 0
			for b.Loop() {
				n++
				start := now.Add(-24 * time.Hour).Add(at).Add(time.Duration(n) * time.Millisecond)
				x := f.Sightings[n%len(f.Sightings)]
				x.StartsAt, x.EndsAt, x.ResolvedFirst, x.FiringFirst, x.FiringLast, x.ToldAt = start, time.Time{}, time.Time{}, start, start, start
				s.put(incident.Facts{Sightings: []incident.Sighting{x}})
				if err := r.CatchUp(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
