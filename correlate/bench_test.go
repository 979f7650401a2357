package correlate

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/correlate/catalog"
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
		d := catalog.Dependency{Service: name(i)}
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

// One more alert on such a day, through a Runner that has just worked out all of it: as it fires, and told when that was some
// time ago, where it may change what many later alerts are part of.
func BenchmarkOneMoreAlert(b *testing.B) {
	for _, late := range []time.Duration{0, 10 * time.Minute, 12 * time.Hour} {
		b.Run("told after "+late.String(), func(b *testing.B) {
			f, rules := busyDay(100_000, 1000)
			s := newShelf()
			now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
			r := NewRunner(Options{Facts: s, Rules: rules, Now: func() time.Time { return now }, Deliver: s.save})
			one := func(n int) {
				at := now.Add(-late).Add(time.Duration(n) * time.Second)
				x := f.Sightings[n*97%len(f.Sightings)]
				x.StartsAt, x.EndsAt, x.ResolvedFirst, x.FiringFirst, x.FiringLast, x.ToldAt = at, time.Time{}, time.Time{}, at, at, now
				s.put(incident.Facts{Sightings: []incident.Sighting{x}})
				if err := r.CatchUp(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			s.put(f)
			one(0)
			one(1) // after it, the present is at hand
			held := func() float64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return float64(m.HeapAlloc) / 1e6
			}
			before := held()
			var took []time.Duration
			for n := 2; b.Loop(); {
				for range 50 {
					begun := time.Now()
					one(n)
					took = append(took, time.Since(begun))
					n++
				}
			}
			var sum time.Duration
			for _, d := range took {
				sum += d
			}
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(sum.Seconds()*1000/float64(len(took)), "ms-mean")
			b.ReportMetric(before, "MB-before")
			b.ReportMetric(held(), "MB-after")
			runtime.KeepAlive(r)
			runtime.KeepAlive(s)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-median")
			b.ReportMetric(took[len(took)*9/10].Seconds()*1000, "ms-p90")
		})
	}
}
