package correlate

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestRecordsThatLookAlikeCostNoSquare correlates records of one source that only their ids tell apart. Each is an incident, and
// four times as many cost about four times as much memory: where each pair was compared and put into words it was sixteen times.
func TestRecordsThatLookAlikeCostNoSquare(t *testing.T) {
	rules := DefaultRules()
	allocated := func(n int) uint64 {
		var f incident.Facts
		for i := range n {
			r := tells(fmt.Sprint(i), nil, 0, 60)
			r.Title = "t"
			f.Records = append(f.Records, r)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := Correlate(f, &rules, noon.Add(24*time.Hour))
		runtime.ReadMemStats(&after)
		require.Len(t, res.Incidents, n)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(10) // what is made once
	few, many := allocated(300), allocated(1200)
	t.Logf("300: %d kB, 1200: %d kB", few>>10, many>>10)
	require.Less(t, many, 8*few)
}

// firingAt is an alert that began at a time and fires.
func firingAt(w *world, n int, at time.Time, labels map[string]string) incident.Sighting {
	s := labelled(0, 1, maps.Clone(labels))
	s.Labels["instance"] = fmt.Sprint("i", n)
	s.Fingerprint = incident.Fingerprint(s.Labels)
	s.StartsAt, s.FiringFirst, s.FiringLast, s.ToldAt = at, at, at, w.now
	s.EndsAt, s.ResolvedFirst = time.Time{}, time.Time{}
	return s
}

const watcher = "what watches is down"

// storms are alerts of which all begin within an hour and fire; those of what watches within a minute, which is one cell.
var storms = map[string]func(n int) map[string]string{
	"each of a service of its own": func(n int) map[string]string {
		return map[string]string{"alertname": fmt.Sprint("n", n), "service": fmt.Sprint("s", n), "severity": "critical"}
	},
	"all of one service": func(int) map[string]string {
		return map[string]string{"alertname": "Down", "service": "checkout", "severity": "critical"}
	},
	"of 40 services and 10 names": func(n int) map[string]string {
		return map[string]string{"alertname": fmt.Sprint("n", n%10), "service": fmt.Sprint("s", n%40), "severity": "critical"}
	},
	"of no service": func(n int) map[string]string {
		return map[string]string{"alertname": fmt.Sprint("n", n), "severity": "critical"}
	},
	watcher: func(n int) map[string]string {
		return map[string]string{"alertname": "Down", "service": fmt.Sprint("s", n%40), "severity": "warning"}
	},
	"none may open an incident": func(n int) map[string]string {
		return map[string]string{"alertname": fmt.Sprint("n", n), "service": fmt.Sprint("s", n), "severity": "warning"}
	},
}

// cost is what a pass takes.
type cost struct{ weighed, allocated int }

// settleAt lets a world catch up, and counts.
func settleAt(w *world) cost {
	var before, after runtime.MemStats
	weighed := 0
	if w.runner.book != nil {
		weighed = w.runner.book.weighed
	}
	runtime.ReadMemStats(&before)
	w.settle()
	runtime.ReadMemStats(&after)
	return cost{w.runner.book.weighed - weighed, int(after.TotalAlloc - before.TotalAlloc)}
}

// TestStormsCostNoSquare has storms of every shape four times as large: they cost about four times as much, and so does one more
// alert, or one that is told late. Where each alert was weighed against each incident that others had opened it was sixteen times.
func TestStormsCostNoSquare(t *testing.T) {
	const few, many = 300, 1200
	for name, of := range storms {
		t.Run(name, func(t *testing.T) {
			storm := func(n int) (first, more, late cost) {
				w := newWorld(t, DefaultRules(), true)
				w.sizes.cell = 100
				w.restart()
				begun := w.now.Add(-6 * time.Hour)
				within := time.Hour
				if name == watcher {
					within = time.Minute
				}
				var list []incident.Sighting
				for i := range n {
					list = append(list, firingAt(w, i, begun.Add(time.Duration(i)*within/time.Duration(n)), of(i)))
				}
				w.shelf.put(incident.Facts{Sightings: list})
				first = settleAt(w)
				w.shelf.put(incident.Facts{Sightings: []incident.Sighting{firingAt(w, n, begun.Add(61*time.Minute), of(n))}})
				more = settleAt(w)
				w.shelf.put(incident.Facts{Sightings: []incident.Sighting{firingAt(w, n+1, begun.Add(-time.Minute), of(n+1))}})
				late = settleAt(w)
				return first, more, late
			}
			storm(10) // what is made once
			f1, m1, l1 := storm(few)
			f2, m2, l2 := storm(many)
			t.Logf("the storm %v %v, one more %v %v, late %v %v", f1, f2, m1, m2, l1, l2)
			require.LessOrEqual(t, f2.weighed, 6*f1.weighed, "alerts weighed")
			require.LessOrEqual(t, f2.allocated, 7*f1.allocated, "memory")
			require.LessOrEqual(t, m2.weighed, 6*m1.weighed+few, "alerts weighed for one more")
			require.LessOrEqual(t, m2.allocated, 7*m1.allocated, "memory for one more")
			require.LessOrEqual(t, l2.weighed, f2.weighed+f2.weighed/5, "a late one is not worse than all again")
			require.LessOrEqual(t, l2.allocated, 7*l1.allocated, "memory for a late one")
		})
	}
}

// TestLateAlertsLeaveOtherDaysAlone tells an alert of a quiet day late, between two days of a storm each: neither is read.
func TestLateAlertsLeaveOtherDaysAlone(t *testing.T) {
	w := newWorld(t, DefaultRules(), true)
	w.sizes = sizes{cell: 50, atHand: 100, flush: 100}
	w.restart()
	var list []incident.Sighting
	for i := range 120 { // what is listened to every day, so that one more day changes no rate
		s := firingAt(w, i, w.now.Add(-time.Duration(30*24-6*i)*time.Hour),
			map[string]string{"alertname": "Now and then", "service": "s2", "severity": "info"})
		s.EndsAt = s.StartsAt.Add(time.Minute)
		s.ResolvedFirst = s.EndsAt
		list = append(list, s)
	}
	for day := range 3 {
		for i := range 200 {
			s := firingAt(w, i, w.now.Add(-time.Duration(20-8*day)*24*time.Hour).Add(time.Duration(i)*time.Second),
				storms["of 40 services and 10 names"](i))
			s.EndsAt = s.StartsAt.Add(10 * time.Minute)
			s.ResolvedFirst = s.EndsAt
			list = append(list, s)
		}
	}
	w.shelf.put(incident.Facts{Sightings: list})
	w.settle()
	w.shelf.reads = 0
	late := firingAt(w, 999, w.now.Add(-16*24*time.Hour), map[string]string{"alertname": "One", "service": "s1", "severity": "critical"})
	late.EndsAt = late.StartsAt.Add(time.Minute)
	late.ResolvedFirst = late.EndsAt
	w.shelf.put(incident.Facts{Sightings: []incident.Sighting{late}})
	c := settleAt(w)
	t.Logf("read %d, %v", w.shelf.reads, c)
	require.Less(t, w.shelf.reads, 20, "alerts read")
	require.Less(t, c.weighed, 100)
}

// TestMemoryForEachAlert is what a Runner holds of many alerts with a name and a service of their own that have ended, where all are
// at hand, and where few are.
func TestMemoryForEachAlert(t *testing.T) {
	held := func(n int, sizes sizes) int {
		w := newWorld(t, DefaultRules(), true)
		w.sizes = sizes
		w.restart()
		var list []incident.Sighting
		for i := range n {
			s := firingAt(w, i, w.now.Add(-time.Duration(n-i)*time.Minute), storms["each of a service of its own"](i))
			s.EndsAt = s.StartsAt.Add(2 * time.Minute)
			s.ResolvedFirst = s.EndsAt
			list = append(list, s)
		}
		w.shelf.put(incident.Facts{Sightings: list})
		w.settle()
		w.settle()
		live := func() int {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int(m.HeapAlloc)
		}
		with := live()
		w.runner = nil
		without := live()
		runtime.KeepAlive(w) // the store is no part of it
		return with - without
	}
	held(10, usualSizes)
	for _, c := range []struct {
		name  string
		sizes sizes
		most  int // bytes for each alert
	}{
		{"at hand", usualSizes, 3500},
		{"in the store", sizes{cell: 100, atHand: 200, flush: 200}, 3000},
	} {
		few, many := held(500, c.sizes), held(2000, c.sizes)
		each := (many - few) / 1500
		t.Logf("%s: %d kB and %d kB, %d bytes for each alert more", c.name, few>>10, many>>10, each)
		require.Less(t, each, c.most, c.name)
	}
}

// TestAReviewCostsNoOther decides about one more incident where people decided about many: nothing is weighed or read again but
// what the one names.
func TestAReviewCostsNoOther(t *testing.T) {
	decided := func(n int) (weighed, reads, delivered int) {
		w := newWorld(t, DefaultRules(), false)
		w.restart()
		var f incident.Facts
		decide := func(i int, at time.Time) incident.Review {
			s := f.Sightings[i]
			k := s.Key()
			return incident.Review{ID: fmt.Sprint("v", i), At: at, By: "ada", Action: incident.ReviewReject, Incident: incident.EpisodeID(k),
				Episode: &k}
		}
		for i := range n + 1 {
			at := w.now.Add(-time.Duration(n+1-i) * 36 * time.Hour)
			s := firingAt(w, i, at, map[string]string{"alertname": "Down", "service": fmt.Sprint("s", i), "severity": "critical"})
			s.EndsAt = at.Add(10 * time.Minute)
			s.ResolvedFirst = s.EndsAt
			f.Sightings = append(f.Sightings, s)
		}
		for i := range n {
			f.Reviews = append(f.Reviews, decide(i, w.now.Add(-time.Hour)))
		}
		w.shelf.put(f)
		w.settle()
		require.Len(t, w.shelf.incidents, 1)
		w.shelf.reads = 0
		deliver := w.runner.deliver
		w.runner.deliver = func(ctx context.Context, p incident.Pass) error {
			delivered += len(p.Incidents) + len(p.Removed) + len(p.Verdicts)
			return deliver(ctx, p)
		}
		w.shelf.put(incident.Facts{Reviews: []incident.Review{decide(n, w.now)}})
		before := w.runner.book.weighed
		w.settle()
		require.Empty(t, w.shelf.incidents)
		return w.runner.book.weighed - before, w.shelf.reads, delivered
	}
	few, fewReads, fewDelivered := decided(5)
	many, manyReads, manyDelivered := decided(60)
	t.Logf("of 5: weighed %d, read %d, delivered %d; of 60: %d, %d, %d", few, fewReads, fewDelivered, many, manyReads, manyDelivered)
	require.LessOrEqual(t, many, few)
	require.LessOrEqual(t, manyReads, fewReads)
	require.LessOrEqual(t, manyDelivered, fewDelivered)
	require.Positive(t, fewDelivered)
}

// TestFeedOfAnEarlierVersion has a feed that names incidents where a review changed, as a replica of an earlier version writes it.
func TestFeedOfAnEarlierVersion(t *testing.T) {
	w := newWorld(t, DefaultRules(), false)
	w.restart()
	at := w.now.Add(-time.Hour)
	s := firingAt(w, 1, at, map[string]string{"alertname": "Down", "service": "shop", "severity": "critical"})
	s.EndsAt = at.Add(10 * time.Minute)
	s.ResolvedFirst = s.EndsAt
	w.shelf.put(incident.Facts{Sightings: []incident.Sighting{s}})
	w.settle()
	require.Len(t, w.shelf.incidents, 1)
	k := s.Key()
	w.shelf.put(incident.Facts{Reviews: []incident.Review{{ID: "v", At: w.now, By: "ada", Action: incident.ReviewReject,
		Incident: incident.EpisodeID(k), Episode: &k}}})
	last := &w.shelf.feed[len(w.shelf.feed)-1]
	require.Equal(t, "v", last.Key)
	last.Key = incident.EpisodeID(k)
	w.settle()
	require.Empty(t, w.shelf.incidents)
}
