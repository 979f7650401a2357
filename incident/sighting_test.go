package incident

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func at(minutes float64) time.Time { return t0.Add(time.Duration(minutes * float64(time.Minute))) }

// anySighting draws a sighting of one fingerprint out of a small world, so that keys and times collide often.
func anySighting(t *rapid.T, starts int) Sighting {
	moment := func(label string) time.Time {
		n := rapid.IntRange(-1, 12).Draw(t, label)
		if n < 0 {
			return time.Time{}
		}
		return at(float64(n) / 2)
	}
	set := func(label string) []string {
		s := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}), 0, 6, rapid.ID).Draw(t, label)
		return union(s, nil)
	}
	s := Sighting{
		Fingerprint: "00000000000000aa",
		StartsAt:    at(float64(rapid.IntRange(0, starts).Draw(t, "start")) * 0.7),
		EndsAt:      moment("end"), FiringFirst: moment("first"), FiringLast: moment("last"), ResolvedFirst: moment("resolved"),
		ActiveAt: moment("active"), HistoryEndsAt: moment("history"), LapsesAt: moment("lapses"),
		GoneAt: moment("gone"), Mutes: mutesUnion(anyMutes(t), nil), GroupKeys: set("groups"), Alertmanagers: set("senders"),
		ToldAt: moment("told"), Annotations: map[string]string{"x": rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "annotation")},
	}
	if s.Word.At = moment("word"); !s.Word.At.IsZero() {
		s.Word.By = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "by")
		s.Word.Kind = rapid.SampledFrom([]WordKind{WordPlain, WordFirst, WordRepeat}).Draw(t, "kind")
	}
	if !s.VanishedAt.IsZero() {
		s.VanishedFor = rapid.SampledFrom([]string{"Paused", "Updated"}).Draw(t, "why")
	}
	if s.ConditionFrom = rapid.SampledFrom([]ConditionSource{"", ConditionFromFor, ConditionMeasured}).Draw(t, "from"); s.ConditionFrom != "" {
		s.ConditionAt = at(rapid.Float64Range(-5, 5).Draw(t, "condition"))
	}
	return s
}

func anyMutes(t *rapid.T) []Mute {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Mute {
		return Mute{By: rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e", "f", "g", "h", "i"}).Draw(t, "by"), At: at(float64(rapid.IntRange(0, 9).Draw(t, "at")))}
	}), 0, 6).Draw(t, "mutes")
}

func TestMergeIsCommutativeAssociativeIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anySighting(t, 0), anySighting(t, 0), anySighting(t, 0)
		require.True(t, Equal(Merge(a, b), Merge(b, a)), "commutative")
		require.True(t, Equal(Merge(Merge(a, b), c), Merge(a, Merge(b, c))), "associative")
		require.True(t, Equal(Merge(a, a), a), "idempotent")
		require.True(t, Equal(Merge(Merge(a, b), b), Merge(a, b)), "a repetition adds nothing")
	})
}

func TestEpisodesIgnoreOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		byKey := map[EpisodeKey]Sighting{}
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			s := anySighting(t, 9)
			if known, ok := byKey[s.Key()]; ok {
				s = Merge(known, s)
			}
			byKey[s.Key()] = s
		}
		var all []Sighting
		for _, s := range byKey {
			all = append(all, s)
		}
		want := Episodes(all, time.Hour, at(60))
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		require.Equal(t, want, Episodes(all, time.Hour, at(60)))

		for i, e := range want {
			require.False(t, e.End != EndNone && e.EndsAt.Before(e.StartsAt), "an end is not before its start")
			if i > 0 {
				require.True(t, want[i-1].StartsAt.Before(e.StartsAt), "sorted, no start twice")
				require.NotEqual(t, EndNone, want[i-1].End, "only the newest can be firing")
				require.False(t, want[i-1].EndsAt.After(e.StartsAt), "episodes of one alert do not overlap")
			}
		}
	})
}

func TestEpisodes(t *testing.T) {
	firing := func(start, received float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), FiringFirst: at(received), FiringLast: at(received), ToldAt: at(received)}
	}
	resolved := func(start, end, received float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), EndsAt: at(end), EndToldAt: at(received), ResolvedFirst: at(received), ToldAt: at(received)}
	}
	vanished := func(start, end float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), VanishedAt: at(end), VanishedFor: "Paused", ToldAt: at(end)}
	}
	active := func(start, then float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), ActiveAt: at(then)}
	}
	history := func(start, end float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), HistoryEndsAt: at(end)}
	}
	lapses := func(start, active, then float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), ActiveAt: at(active), LapsesAt: at(then)}
	}
	gone := func(start, then float64) Sighting {
		return Sighting{Fingerprint: "f", StartsAt: at(start), GoneAt: at(then)}
	}
	all := func(list ...Sighting) Sighting { // merged from the last to the first, which may not matter
		m := list[len(list)-1]
		for i := len(list) - 2; i >= 0; i-- {
			m = Merge(m, list[i])
		}
		return m
	}
	type episode struct {
		start, end float64
		how        EndKind
	}
	for name, c := range map[string]struct {
		in   []Sighting
		want []episode
	}{
		"an end that is only Alertmanager's time-out": {
			[]Sighting{all(resolved(0, 7, 8), lapses(0, 3, 7))},
			[]episode{{0, 3, EndExpired}},
		},
		"an end a second off is only that": {[]Sighting{all(resolved(0, 7.01, 8), lapses(0, 3, 7))}, []episode{{0, 3, EndExpired}}},
		"another end is one":               {[]Sighting{all(resolved(0, 6, 8), lapses(0, 3, 7))}, []episode{{0, 6, EndResolved}}},
		"the end of the past wins against a time-out": {
			[]Sighting{all(resolved(0, 7, 8), lapses(0, 4, 7), history(0, 5))},
			[]episode{{0, 5, EndHistory}},
		},
		"a time-out of a start of another replica": {
			[]Sighting{resolved(0, 7, 8), all(lapses(0.5, 4, 7), history(0.5, 5))},
			[]episode{{0, 5, EndHistory}},
		},
		"what Alertmanager lists no more because it was given up": {
			[]Sighting{all(lapses(0, 3, 7), Sighting{Fingerprint: "f", StartsAt: at(0), FiringLast: at(6), GoneAt: at(8)})},
			[]episode{{0, 6, EndExpired}},
		},
		"it goes on though one replica gave it up": {
			[]Sighting{all(lapses(0, 3, 7), firing(0, 40))},
			[]episode{{0, 0, EndNone}},
		},
		"what fires when it was given up is another": {
			[]Sighting{lapses(0, 0.1, 0.3), firing(0.5, 1)},
			[]episode{{0, 0.1, EndSuperseded}, {0.5, 0, EndNone}},
		},
		"a start within what was seen firing": {[]Sighting{active(0, 20), firing(10, 11)}, []episode{{0, 0, EndNone}}},
		"firing":                              {[]Sighting{firing(0, 1)}, []episode{{0, 0, EndNone}}},
		"resolved":                            {[]Sighting{Merge(firing(0, 1), resolved(0, 7, 8))}, []episode{{0, 7, EndResolved}}},
		"firing after resolved":               {[]Sighting{Merge(resolved(0, 7, 8), firing(0, 9))}, []episode{{0, 7, EndResolved}}},
		"the latest end wins":                 {[]Sighting{Merge(resolved(0, 7, 8), resolved(0, 6, 9))}, []episode{{0, 7, EndResolved}}},
		"fires again":                         {[]Sighting{resolved(0, 7, 8), firing(20, 21)}, []episode{{0, 7, EndResolved}, {20, 0, EndNone}}},
		"a replica's start":                   {[]Sighting{firing(0, 1), firing(0.5, 1)}, []episode{{0, 0, EndNone}}},
		"a minute apart is another":           {[]Sighting{firing(0, 1), firing(1, 1.5)}, []episode{{0, 1, EndSuperseded}, {1, 0, EndNone}}},
		"the start moved earlier":             {[]Sighting{firing(5, 6), resolved(0, 9, 10)}, []episode{{0, 9, EndResolved}}},
		"its resolved was swallowed":          {[]Sighting{firing(0, 1), firing(20, 21)}, []episode{{0, 1, EndSuperseded}, {20, 0, EndNone}}},
		"silence before it fires again":       {[]Sighting{firing(-100, -99), firing(20, 21)}, []episode{{-100, -99, EndExpired}, {20, 0, EndNone}}},
		"a resolved that touches the next":    {[]Sighting{resolved(0, 5, 6), firing(5, 6)}, []episode{{0, 5, EndResolved}, {5, 0, EndNone}}},
		"seen firing long after it began":     {[]Sighting{Merge(firing(0, 1), firing(0, 30)), firing(20, 21)}, []episode{{0, 20, EndSuperseded}, {20, 0, EndNone}}},
		"silence":                             {[]Sighting{firing(-100, -90)}, []episode{{-100, -90, EndExpired}}},
		"Alertmanager forgot it":              {[]Sighting{Merge(firing(0, 1), Sighting{Fingerprint: "f", StartsAt: at(0), GoneAt: at(3)})}, []episode{{0, 1, EndGone}}},
		"forgotten, then seen again":          {[]Sighting{Merge(firing(0, 4), Sighting{Fingerprint: "f", StartsAt: at(0), GoneAt: at(3)})}, []episode{{0, 0, EndNone}}},

		"an end before the start":            {[]Sighting{resolved(5, 2, 6)}, []episode{{5, 5, EndVanished}}},
		"an end that repeats the start":      {[]Sighting{all(firing(5, 5.5), firing(5, 15), resolved(5, 5, 20))}, []episode{{5, 15, EndVanished}}},
		"an end before it, and a true one":   {[]Sighting{all(firing(5, 5.5), resolved(5, 4, 6), resolved(5, 9, 10))}, []episode{{5, 9, EndResolved}}},
		"an end before it, fires on":         {[]Sighting{all(firing(5, 5.5), resolved(5, 4, 6), firing(5, 25))}, []episode{{5, 0, EndNone}}},
		"resolved, firing, resolved":         {[]Sighting{all(firing(0, 1), resolved(0, 5, 5.5), firing(0, 6), resolved(0, 9, 9.5))}, []episode{{0, 9, EndResolved}}},
		"a repeat well after the end":        {[]Sighting{all(firing(0, 1), resolved(0, 5, 5.5), firing(0, 21))}, []episode{{0, 0, EndNone}}},
		"a repeat, then its true end":        {[]Sighting{all(firing(0, 1), resolved(0, 5, 5.5), firing(0, 21), resolved(0, 22, 23))}, []episode{{0, 22, EndResolved}}},
		"delivered a little late":            {[]Sighting{all(firing(0, 1), resolved(0, 5, 9), firing(0, 20))}, []episode{{0, 5, EndResolved}}},
		"an end told late is no older":       {[]Sighting{all(firing(0, 1), firing(0, 24), resolved(0, 5, 25))}, []episode{{0, 5, EndResolved}}},
		"of two ends the later was told":     {[]Sighting{all(firing(0, 1), resolved(0, 2, 3), firing(0, 24), resolved(0, 5, 25))}, []episode{{0, 5, EndResolved}}},
		"Alertmanager had it after the end":  {[]Sighting{all(firing(0, 1), resolved(0, 5, 5.5), active(0, 6))}, []episode{{0, 0, EndNone}}},
		"Alertmanager had it about then":     {[]Sighting{all(firing(0, 1), resolved(0, 5, 5.5), active(0, 5.9))}, []episode{{0, 5, EndResolved}}},
		"reopened, and gone since":           {[]Sighting{all(firing(0, 1), resolved(0, 5, 5.5), active(0, 8), gone(0, 14))}, []episode{{0, 8, EndGone}}},
		"history knows the end":              {[]Sighting{all(firing(0, 1), history(0, 7))}, []episode{{0, 7, EndHistory}}},
		"an end inside a run of history":     {[]Sighting{all(firing(0, 1), resolved(0, 5, 6), active(0, 19), history(0, 20))}, []episode{{0, 20, EndHistory}}},
		"told and history agree":             {[]Sighting{all(firing(0, 1), resolved(0, 7, 8), history(0, 7))}, []episode{{0, 7, EndHistory}}},
		"history saw it go on":               {[]Sighting{all(firing(0, 1), resolved(0, 7, 8), active(0, 8.5))}, []episode{{0, 0, EndNone}}},
		"its rule was paused":                {[]Sighting{all(firing(0, 1), vanished(0, 7))}, []episode{{0, 7, EndVanished}}},
		"paused and resolved in one moment":  {[]Sighting{all(firing(0, 1), resolved(0, 7, 8), vanished(0, 7))}, []episode{{0, 7, EndVanished}}},
		"paused, and truly resolved later":   {[]Sighting{all(firing(0, 1), vanished(0, 7), resolved(0, 9, 10))}, []episode{{0, 9, EndResolved}}},
		"paused before it was heard to fire": {[]Sighting{vanished(0, 7), firing(8, 9)}, []episode{{0, 7, EndVanished}, {8, 0, EndNone}}},
		"paused, and listed after that":      {[]Sighting{all(vanished(0, 7), active(0, 12))}, []episode{{0, 0, EndNone}}},
		"gone, and fires anew":               {[]Sighting{all(firing(0, 1), gone(0, 7)), firing(9, 10)}, []episode{{0, 1, EndGone}, {9, 0, EndNone}}},
		"fires anew while it was looked for": {[]Sighting{all(firing(0, 1), gone(0, 12)), firing(9, 13)}, []episode{{0, 1, EndSuperseded}, {9, 0, EndNone}}},
		"flapping": {
			[]Sighting{resolved(0, 0.3, 1), resolved(0.6, 0.8, 1), resolved(1.2, 1.4, 2), firing(1.8, 2)},
			[]episode{{0, 0.3, EndResolved}, {0.6, 0.8, EndResolved}, {1.2, 1.4, EndResolved}, {1.8, 0, EndNone}},
		},
		"flapping of two replicas": {
			[]Sighting{resolved(0, 0.5, 1), firing(0.3, 1), resolved(0.9, 1.5, 2), firing(1.2, 2)},
			[]episode{{0, 0.5, EndResolved}, {0.9, 1.5, EndResolved}},
		},
		"no start known, and another outage": {
			[]Sighting{all(Sighting{Fingerprint: "f", FiringFirst: at(3), FiringLast: at(3)}, Sighting{Fingerprint: "f", ResolvedFirst: at(5)}, Sighting{Fingerprint: "f", FiringFirst: at(28), FiringLast: at(28)})},
			[]episode{{3, 5, EndResolved}},
		},
		"a start its sender did not know":   {[]Sighting{{Fingerprint: "f", FiringFirst: at(3), FiringLast: at(4)}}, []episode{{3, 0, EndNone}}},
		"a resolved without its own time":   {[]Sighting{{Fingerprint: "f", StartsAt: at(1), ResolvedFirst: at(4)}}, []episode{{1, 4, EndResolved}}},
		"unknown start in a known firing":   {[]Sighting{resolved(0, 9, 10), {Fingerprint: "f", FiringFirst: at(3), FiringLast: at(4)}}, []episode{{0, 9, EndResolved}}},
		"three replicas, each a little off": {[]Sighting{firing(0, 1), firing(0.8, 1), firing(1.6, 2)}, []episode{{0, 0, EndNone}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []episode
			for _, e := range Episodes(c.in, time.Hour, at(30)) {
				ep := episode{start: e.StartsAt.Sub(t0).Minutes(), how: e.End}
				if e.End != EndNone {
					ep.end = e.EndsAt.Sub(t0).Minutes()
					require.Equal(t, e.End.Known(), e.Ended())
				}
				got = append(got, ep)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestConditionMeasuredBeatsEstimate(t *testing.T) {
	measured := Sighting{ConditionAt: at(2), ConditionFrom: ConditionMeasured}
	estimated := Sighting{ConditionAt: at(1), ConditionFrom: ConditionFromFor}
	require.Equal(t, at(2), Merge(measured, estimated).ConditionAt)
	require.Equal(t, at(2), Merge(estimated, measured).ConditionAt)
}

func TestKindOf(t *testing.T) {
	am := func(name string, end time.Time) Sighting {
		return Sighting{Alertmanagers: []string{name}, EndsAt: end, FiringFirst: at(0)}
	}
	firing, over := am("a", time.Time{}), am("a", at(1))
	require.Equal(t, MergeNew, KindOf(nil, firing))
	require.Equal(t, MergeRepeated, KindOf(&firing, firing))
	require.Equal(t, MergeDuplicate, KindOf(&firing, am("b", time.Time{})))
	require.Equal(t, MergeResolved, KindOf(&firing, over))
	require.Equal(t, MergeLate, KindOf(&over, firing))
	require.Equal(t, MergeRepeated, KindOf(&over, over))
	polled := Sighting{FiringLast: at(0), Alertmanagers: []string{"a"}}
	require.Equal(t, MergeNew, KindOf(&polled, firing), "seen before, but not notified of")
	require.Equal(t, MergeNew, KindOf(&polled, am("b", time.Time{})))
	require.Equal(t, MergeRepeated, KindOf(&firing, polled))
}

func TestKindOfResolvedWithoutItsEnd(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	firing := Sighting{Fingerprint: "c1f6a0a8d0c3b7e5", StartsAt: at, FiringFirst: at, FiringLast: at}
	resolved := Sighting{Fingerprint: "c1f6a0a8d0c3b7e5", StartsAt: at, ResolvedFirst: at.Add(time.Minute)}
	require.Equal(t, MergeResolved, KindOf(&firing, resolved))
	require.Equal(t, MergeLate, KindOf(&resolved, firing))
	require.Equal(t, MergeRepeated, KindOf(&resolved, resolved))
}
