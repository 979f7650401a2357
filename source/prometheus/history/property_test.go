package history

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

// epoch is when simulated time begins.
var epoch = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// anySpans are stretches of time in order that do not touch.
func anySpans(t *rapid.T, name string, from, to, shortest, longest, apart int64) []span {
	var out []span
	at := from + rapid.Int64Range(0, apart).Draw(t, name+" first")
	for at < to {
		s := span{at, at + rapid.Int64Range(shortest, longest).Draw(t, name+" length")}
		out = append(out, s)
		at = s.to + rapid.Int64Range(apart/10, apart).Draw(t, name+" pause")
	}
	return out
}

// anySim is a Prometheus over some hours.
func anySim(t *rapid.T, restarts bool) *sim {
	s := &sim{
		resend: rapid.SampledFrom([]int64{minute, minute, 5 * second}).Draw(t, "resend"), grace: 10 * minute, outage: hour,
		end:      epoch + rapid.Int64Range(3, 5).Draw(t, "hours")*hour,
		external: map[string]string{"cluster": "eu"},
	}
	// Processes: most restarts are short, some last.
	at := epoch - 30*second
	for at < s.end {
		if !restarts {
			s.up = append(s.up, span{at - hour, s.end})
			break
		}
		stop := at + rapid.Int64Range(20*minute, 4*hour).Draw(t, "up")
		s.up = append(s.up, span{at, stop})
		at = stop + rapid.SampledFrom([]int64{second, 12 * second, 45 * second, 2 * minute, 7 * minute, 40 * minute}).Draw(t, "down")
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "rules") {
		r := simRule{
			name: fmt.Sprintf("Rule%d", i), labels: map[string]string{"severity": "page"},
			interval: rapid.SampledFrom([]int64{10 * second, 15 * second, 30 * second, minute}).Draw(t, "interval"),
			wait:     rapid.SampledFrom([]int64{0, 0, 30 * second, minute, 5 * minute, 15 * minute}).Draw(t, "for"),
			offset:   rapid.SampledFrom([]int64{0, 0, 0, 5 * second, 10 * second, minute}).Draw(t, "query offset"),
		}
		if restarts && r.offset >= r.interval {
			// Where nothing is seen of a rule but what follows a start, such an offset looks like none.
			r.offset = 0
		}
		r.phase = epoch + rapid.Int64Range(0, r.interval-1).Draw(t, "phase")
		if rapid.IntRange(0, 2).Draw(t, "fails") == 0 {
			longest := 5 * r.interval
			if r.wait >= s.grace {
				longest = r.interval // of more in a row nobody can tell a restart, after which such a rule goes on as it was
			}
			r.failing = slices.DeleteFunc(anySpans(t, "failing", epoch, s.end, r.interval, longest, 2*hour), func(x span) bool {
				// Where the first written evaluation of a process fails, nobody can see that there were silent ones before.
				return slices.ContainsFunc(s.up, func(u span) bool { return x.to > u.from && x.from < u.from+4*r.interval })
			})
		}
		for j := range rapid.IntRange(1, 2).Draw(t, "alerts") {
			a := simAlert{labels: map[string]string{"service": fmt.Sprintf("s%d", j)}}
			if j == 1 {
				a.labels["cluster"] = "own" // its own wins over the external one
			}
			longest := rapid.SampledFrom([]int64{3 * minute, 30 * minute, 5 * hour}).Draw(t, "longest")
			a.active = anySpans(t, "active", epoch, s.end, second, longest, hour)
			r.alerts = append(r.alerts, a)
		}
		s.rules = append(s.rules, r)
	}
	s.run()
	return s
}

// reading reads the past of a simulated server into a store, at several moments, with interruptions and restarts.
func reading(t *rapid.T, s *sim, m *memory, victoria bool) *api {
	a := &api{
		sim: s, lookback: 5 * minute, exclusive: rapid.Bool().Draw(t, "exclusive"), victoria: victoria, scraped: rapid.Bool().Draw(t, "scraped"),
		maxSamples: rapid.SampledFrom([]int{400, 3000, 1_000_000}).Draw(t, "max samples"),
	}
	a.version = rapid.SampledFrom([]string{"2.53.0", "3.5.0"}).Draw(t, "version")
	if !slices.ContainsFunc(s.rules, func(r simRule) bool { return r.offset != 0 }) && rapid.Bool().Draw(t, "old") {
		a.version = "2.52.1"
	}
	if victoria {
		a.maxSamples = 1_000_000 // it does not tell
	}
	failing := rapid.Bool().Draw(t, "interrupted")
	draw := func(n int) func() error {
		return func() error {
			if failing && rapid.IntRange(0, n).Draw(t, "interrupt") == 0 {
				return errInterrupted
			}
			return nil
		}
	}
	a.fail, m.fail = draw(15), draw(30)
	var moments []int64
	for range rapid.IntRange(0, 4).Draw(t, "polls") {
		moments = append(moments, epoch+rapid.Int64Range(0, s.end-epoch).Draw(t, "poll"))
	}
	moments = append(moments, s.end+hour)
	slices.Sort(moments)
	var src *Source
	for _, now := range moments {
		a.now = now
		last := now == moments[len(moments)-1]
		for try := 0; ; try++ {
			if last && try > 50 {
				a.fail, m.fail = nil, nil
			}
			if src == nil || rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				src = New(Options{
					Name: "history", Client: a, Store: m, Back: time.Duration(s.end-epoch+3*hour) * time.Millisecond, Now: func() time.Time { return moment(a.now) },
					ExternalLabels: map[string]string{"cluster": "eu"},
				})
				src.asker.pause = func(context.Context, time.Duration) error { return nil }
			}
			err := src.Poll(context.Background())
			if err == nil {
				break
			}
			require.ErrorIs(t, err, errInterrupted, "%v", a.log)
			if !last && try > 3 {
				break
			}
		}
	}
	m.fail = nil
	return a
}

// TestHistoryIsWhatAlertmanagerWasTold compares what is read with what an Alertmanager was told that nothing was kept from.
func TestHistoryIsWhatAlertmanagerWasTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		victoria := rapid.IntRange(0, 3).Draw(t, "victoria") == 0
		// VictoriaMetrics does not tell rules, without which nobody knows what happened in the silent evaluations of a start.
		s := anySim(t, !victoria)
		m := newMemory()
		reading(t, s, m, victoria)

		found := m.sightings
		silent := map[incident.EpisodeKey]bool{} // of which nothing was ever written
		for _, e := range s.truth {
			k := incident.EpisodeKey{Fingerprint: e.fingerprint, StartsAt: moment(e.start)}
			silent[k] = e.silent
		}
		told := map[incident.EpisodeKey][]hook{}
		for _, h := range s.hooks {
			k := incident.EpisodeKey{Fingerprint: h.fingerprint, StartsAt: moment(h.start)}
			told[k] = append(told[k], h)
		}
		for _, k := range slices.SortedFunc(maps.Keys(told), incident.EpisodeKey.Compare) {
			hooks := told[k]
			x, ok := found[k]
			if silent[k] {
				continue
			}
			require.True(t, ok, "%s was told and is not in the past\n%s", k, describe(s, k.Fingerprint, m))
			for _, h := range hooks {
				switch {
				case h.end == 0:
				case !h.lapse:
					if x.HistoryEndsAt.IsZero() { // an evaluation failed when it ended, and nobody can see when it did
						require.True(t, s.failed(k.Fingerprint, h.end) || s.restarted(h.end), "no end of %s\n%s", k, describe(s, k.Fingerprint, m))
						continue
					}
					require.Equal(t, moment(h.end), x.HistoryEndsAt, "the end of %s\n%s", k, describe(s, k.Fingerprint, m))
				case x.ActiveAt.Before(moment(h.end)) && !victoria:
					require.Equal(t, moment(h.end), x.LapsesAt, "the time-out of %s\n%s", k, describe(s, k.Fingerprint, m))
				}
			}
		}
		for _, k := range slices.SortedFunc(maps.Keys(found), incident.EpisodeKey.Compare) {
			x, hooks := found[k], told[k]
			require.NotEmpty(t, hooks, "%s was never told\n%s", k, describe(s, k.Fingerprint, m))
			if !x.HistoryEndsAt.IsZero() {
				require.True(t, slices.ContainsFunc(hooks, func(h hook) bool { return !h.lapse && moment(h.end).Equal(x.HistoryEndsAt) }),
					"%s ended at %s\n%s", k, x.HistoryEndsAt, describe(s, k.Fingerprint, m))
			}
		}
	})
}

// failed says whether evaluations of an alert's rule failed shortly before a time.
func (s *sim) failed(fingerprint string, t int64) bool {
	for i := range s.rules {
		r := &s.rules[i]
		for j := range r.alerts {
			if s.fingerprint(r, &r.alerts[j]) == fingerprint && (within(r.failing, t-r.interval) || within(r.failing, t)) {
				return true
			}
		}
	}
	return false
}

// restarted says whether a process had begun shortly before a time: an end within its first two evaluations is written nowhere.
func (s *sim) restarted(t int64) bool {
	return slices.ContainsFunc(s.up, func(u span) bool { return t >= u.from && t-u.from <= 3*minute })
}

// TestWhicheverComesFirst merges the past before and after the notifications: the same is stored, and of each alert the same
// episodes come of it as of the past alone, but for what never was written.
func TestWhicheverComesFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySim(t, true)
		past, before, after := newMemory(), newMemory(), newMemory()
		reading(t, s, past, false)
		hooks := incident.Facts{Sightings: s.sightings()}
		var read incident.Facts
		for _, x := range past.sightings {
			read.Sightings = append(read.Sightings, x)
		}
		put := func(m *memory, list ...incident.Facts) {
			for _, f := range list {
				_, err := m.Put(context.Background(), f, time.Time{})
				require.NoError(t, err)
			}
		}
		put(before, read, hooks)
		put(after, hooks, read)
		require.Len(t, after.sightings, len(before.sightings))
		for k, x := range before.sightings {
			require.True(t, incident.Equal(x, after.sightings[k]), "%s", k)
		}
		silent := map[string]bool{}
		for _, e := range s.truth {
			if e.silent {
				silent[e.fingerprint] = true
			}
		}
		alone, both := past.episodes(s.end+hour), before.episodes(s.end+hour)
		for _, fp := range slices.Sorted(maps.Keys(both)) {
			list := both[fp]
			if silent[fp] {
				continue
			}
			require.Len(t, list, len(alone[fp]), "%s\n%s", fp, describe(s, fp, past))
			for i, e := range list {
				x := alone[fp][i]
				require.Equal(t, x.StartsAt, e.StartsAt, "%s\n%s", fp, describe(s, fp, past))
				if e.Ended() && !x.Ended() { // an evaluation failed when it ended: only who was told then knows of it
					require.True(t, slices.ContainsFunc(s.hooks, func(h hook) bool {
						return h.fingerprint == fp && !h.lapse && moment(h.end).Equal(e.EndsAt)
					}), "%s ended at %s\n%s", fp, e.EndsAt, describe(s, fp, past))
					continue
				}
				require.Equal(t, x.Ended(), e.Ended(), "%s at %s\n%s", fp, e.StartsAt, describe(s, fp, past))
				if x.Ended() {
					require.Equal(t, x.EndsAt, e.EndsAt, "%s\n%s", fp, describe(s, fp, past))
				}
			}
		}
	})
}

// describe is all that happened to an alert, for people.
func describe(s *sim, fingerprint string, m *memory) (out string) {
	clock := func(t int64) string {
		if t == 0 {
			return "-"
		}
		return moment(t).Format("15:04:05.000")
	}
	for _, u := range s.up {
		out += fmt.Sprintf("up %s to %s\n", clock(u.from), clock(u.to))
	}
	for i := range s.rules {
		r := &s.rules[i]
		for j := range r.alerts {
			if s.fingerprint(r, &r.alerts[j]) != fingerprint {
				continue
			}
			out += fmt.Sprintf("rule interval %d for %d offset %d removed %s resend %d\n", r.interval, r.wait, r.offset, clock(r.removed), s.resend)
			for _, x := range r.failing {
				out += fmt.Sprintf("failing %s to %s\n", clock(x.from), clock(x.to))
			}
			for _, x := range r.alerts[j].active {
				out += fmt.Sprintf("active %s to %s\n", clock(x.from), clock(x.to))
			}
		}
	}
	for _, h := range s.hooks {
		if h.fingerprint == fingerprint {
			out += fmt.Sprintf("told at %s: start %s end %s lapse %v\n", clock(h.at), clock(h.start), clock(h.end), h.lapse)
		}
	}
	var list []incident.Sighting
	for _, x := range m.sightings {
		if x.Fingerprint == fingerprint {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b incident.Sighting) int { return cmp.Compare(a.StartsAt.UnixMilli(), b.StartsAt.UnixMilli()) })
	for _, x := range list {
		out += fmt.Sprintf("found start %s condition %s active %s end %s lapses %s vanished %s\n", stampOf(x.StartsAt), stampOf(x.ConditionAt), stampOf(x.ActiveAt), stampOf(x.HistoryEndsAt), stampOf(x.LapsesAt), stampOf(x.VanishedAt))
	}
	return out
}

func stampOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("15:04:05.000")
}
