package incident

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestJudge has a case for each thing that makes the first word of an alert a detection or none. Times are minutes.
func TestJudge(t *testing.T) {
	life := func(from, to float64) Life { return Life{at(from), at(to)} }
	day := []Life{life(0, 1440)}
	old := Sender{Key: "old", URL: "http://am:9093", Route: "{}", First: at(1)}
	route := Sender{Key: "route", URL: "http://am:9093", Route: `{}/{team="b"}`, First: at(600)}
	firing := func(start, word float64, by string, kind WordKind) []Sighting {
		return []Sighting{{Fingerprint: "a", StartsAt: at(start), FiringFirst: at(word), FiringLast: at(word), Word: Word{at(word), by, kind}}}
	}
	tests := []struct {
		name    string
		lives   []Life
		told    []Sighting
		unknown string // why; empty where the word counts
	}{
		{"prompt", day, firing(100, 101, "old", WordPlain), ""},
		{"late, of a sender heard of before: the group waited, or was muted", day, firing(100, 400, "old", WordPlain), ""},
		{"the first alert of a quiet shop", day, firing(599.5, 600, "route", WordPlain), ""},
		{"the first of a sender, a quarter of an hour late", day, firing(585, 600, "route", WordPlain), ""},
		{"later than that", day, firing(584.9, 600, "route", WordPlain), `the first word ever of http://am:9093 by the route {}/{team="b"} came 15 min after it had fired`},
		{"which says that it is the first", day, firing(500, 600, "route", WordFirst), ""},
		{"a sender that is not known", day, firing(500, 600, "other", WordPlain), "the first word ever of its sender came 100 min after it had fired"},
		{"it had fired before there was a Meantime", []Life{life(60, 1440)}, firing(0, 60, "old", WordFirst), "it had fired 60 min before Meantime began to listen"},
		{"by seconds", []Life{life(60, 1440)}, firing(59.9, 60.1, "old", WordPlain), "it had fired 6 s before Meantime began to listen"},
		{"it fired in an outage", []Life{life(0, 60), life(120, 1440)}, firing(70, 121, "old", WordFirst), "Meantime was not running from 2026-03-01 11:00:00Z to 2026-03-01 12:00:00Z, when it fired"},
		{"an outage before the first word", []Life{life(0, 60), life(120, 1440)}, firing(59, 121, "old", WordPlain), "Meantime was not running from 2026-03-01 11:00:00Z to 2026-03-01 12:00:00Z, after it had fired and before the first word of it came"},
		{"an outage after it", []Life{life(0, 60), life(120, 1440)}, firing(50, 51, "old", WordPlain), ""},
		{"a restart of half a minute", []Life{life(0, 60), life(60.5, 1440)}, firing(60.2, 61, "old", WordPlain), ""},
		{"a longer one", []Life{life(0, 60), life(60.6, 1440)}, firing(60.2, 61, "old", WordPlain), "Meantime was not running from 2026-03-01 11:00:00Z to 2026-03-01 11:00:36Z, when it fired"},
		{"lives of two replicas that overlap", []Life{life(50, 1440), life(0, 60)}, firing(40, 61, "old", WordPlain), ""},
		{"a word since the newest sign of life", []Life{life(0, 100)}, firing(99, 100.3, "old", WordPlain), ""},
		{"a repeat", day, firing(100, 101, "old", WordRepeat), "the first notification that came only repeats an earlier one"},
		{"only an end", day, []Sighting{{Fingerprint: "a", StartsAt: at(100), EndsAt: at(110), ResolvedFirst: at(111)}}, "only its end was told"},
		{"an end, then a firing that came late", day, []Sighting{{Fingerprint: "a", StartsAt: at(100), EndsAt: at(110), ResolvedFirst: at(111), Word: Word{At: at(112), By: "old"}}}, "its end was told before any word of its firing"},
		{"nothing", day, []Sighting{{Fingerprint: "a", StartsAt: at(100), FiringLast: at(101)}}, "no notification of it came"},
		{"a row of before, of an address that is known", day, []Sighting{{Fingerprint: "a", StartsAt: at(700), FiringFirst: at(800), Alertmanagers: []string{"http://old"}}}, ""},
		{"a row of before, first contact", day, []Sighting{{Fingerprint: "a", StartsAt: at(100), FiringFirst: at(300), Alertmanagers: []string{"http://old"}}}, "the first word ever of http://old came 3 h after it had fired"},
		{"facts without times of life", nil, firing(0, 60, "old", WordPlain), ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			e := Episodes(tc.told, 24*time.Hour, at(1440))
			require.Len(t, e, 1)
			var senders []Sender
			if tc.lives != nil {
				senders = []Sender{old, route, {Key: "http://old", URL: "http://old", First: at(290)}}
			}
			NewReach(tc.lives, senders).Judge(&e[0])
			require.Equal(t, tc.unknown, e[0].NotifiedUnknown)
			require.Equal(t, tc.unknown == "", !e[0].NotifiedAt.IsZero())
			require.Equal(t, tc.unknown != "" && tc.name != "nothing", e[0].Unheard)
		})
	}
}

func TestJoinLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lives := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Life {
			from := rapid.Float64Range(0, 30).Draw(t, "from")
			return Life{at(from), at(from + rapid.Float64Range(0, 5).Draw(t, "length"))}
		})).Draw(t, "lives")
		all := JoinLives(lives)
		require.Equal(t, all, JoinLives(all), "idempotent")
		require.Equal(t, all, JoinLives(rapid.Permutation(lives).Draw(t, "order")), "in any order")
		cut := rapid.IntRange(0, len(lives)).Draw(t, "cut")
		require.Equal(t, all, JoinLives(slices.Concat(JoinLives(lives[:cut]), JoinLives(lives[cut:]), lives[:cut])), "in parts, some twice")
		for i := 1; i < len(all); i++ {
			require.Greater(t, all[i].From.Sub(all[i-1].To), RestartGap)
		}
	})
	var many []Life
	for i := range maxLives + 5 {
		many = append(many, Life{at(float64(2 * i)), at(float64(2*i + 1))})
	}
	require.Len(t, JoinLives(many), maxLives)
	require.Equal(t, at(10), JoinLives(many)[0].From, "the oldest are forgotten")
}

func TestRoutes(t *testing.T) {
	for key, want := range map[string]string{
		`{}:{alertname="a"}`: `{}`,
		`{}/{team="b:{x}\"}:"}/{severity=~"a|b"}:{a="b:{c"}`: `{}/{team="b:{x}\"}:"}/{severity=~"a|b"}`,
		`{}/{"a:b"="c"}:{}`: `{}/{"a:b"="c"}`,
		"":                  "",
		"odd":               "odd",
	} {
		require.Equal(t, want, routeOf(key), key)
	}
	a := NewSender("http://am", `{}:{a="1"}`, at(1))
	require.Equal(t, a.Key, NewSender("http://am", `{}:{a="2"}`, at(2)).Key, "groups of one route are one sender")
	require.NotEqual(t, a.Key, NewSender("http://am", `{}/{b="c"}:{a="1"}`, at(1)).Key)
	require.NotEqual(t, a.Key, NewSender("http://am2", `{}:{a="1"}`, at(1)).Key)
}

// TestPlaceMutes: a mute belongs to the start it was seen in.
func TestPlaceMutes(t *testing.T) {
	all := []Sighting{
		{Fingerprint: "a", StartsAt: at(120)}, {Fingerprint: "a", StartsAt: at(0), EndsAt: at(30)}, {Fingerprint: "a", StartsAt: at(60)},
		{Fingerprint: "b", StartsAt: at(0)}, {Fingerprint: "a"},
	}
	mute := func(of string, minute float64, by string) MutedAlert { return MutedAlert{of, Mute{by, at(minute)}} }
	learned, placed := PlaceMutes(all, []MutedAlert{
		mute("a", 30, "s"), mute("a", 45, "s"), mute("a", 105, "s"), mute("a", 104, "s"), mute("a", 1000, ""), mute("b", 0, "s"), mute("c", 0, "s"), mute("b", -1, "s"),
	})
	require.Equal(t, []bool{true, false, true, true, true, true, false, false}, placed)
	got := map[EpisodeKey][]Mute{}
	for _, s := range learned {
		got[s.Key()] = s.Mutes
	}
	require.Equal(t, map[EpisodeKey][]Mute{
		{"a", at(0)}: {{"s", at(30)}}, {"a", at(60)}: {{"s", at(104)}}, {"a", at(120)}: {{"", at(1000)}}, {"b", at(0)}: {{"s", at(0)}},
	}, got)
}

// TestMutesInAnyOrder places mutes after each fact, as a store does, in any order of starts, ends and mutes.
func TestMutesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var facts []any
		for i := range rapid.IntRange(1, 4).Draw(t, "starts") {
			start := at(float64(10 * i))
			facts = append(facts, Sighting{Fingerprint: "a", StartsAt: start, FiringLast: start})
			if rapid.Bool().Draw(t, "ends") {
				facts = append(facts, Sighting{Fingerprint: "a", StartsAt: start, EndsAt: at(float64(10*i) + 5)})
			}
			for range rapid.IntRange(0, 2).Draw(t, "mutes") {
				facts = append(facts, MutedAlert{"a", Mute{rapid.SampledFrom([]string{"", "s", "t"}).Draw(t, "by"), at(float64(10*i) + rapid.Float64Range(0, 4.9).Draw(t, "after"))}})
			}
		}
		play := func(facts []any) []Episode {
			var sightings []Sighting
			var mutes []MutedAlert
			put := func(s Sighting) {
				if i := slices.IndexFunc(sightings, func(x Sighting) bool { return x.Key() == s.Key() }); i >= 0 {
					sightings[i] = Merge(sightings[i], s)
				} else {
					sightings = append(sightings, s)
				}
			}
			for _, f := range facts {
				switch f := f.(type) {
				case Sighting:
					put(f)
				case MutedAlert:
					mutes = append(mutes, f)
				}
				learned, _ := PlaceMutes(sightings, mutes)
				for _, s := range learned {
					put(s)
				}
			}
			return Episodes(sightings, 24*time.Hour, at(100))
		}
		require.Equal(t, play(facts), play(rapid.Permutation(facts).Draw(t, "order")))
	})
}

// The cost of placing mutes grows with starts and mutes, not with their product: with it this takes minutes.
func TestPlaceManyMutes(t *testing.T) {
	const n = 200_000
	sightings, mutes := make([]Sighting, n), make([]MutedAlert, n)
	for i := range n {
		sightings[i] = Sighting{Fingerprint: "a", StartsAt: at(float64(i))}
		mutes[n-1-i] = MutedAlert{"a", Mute{"s", at(float64(i) + 0.5)}}
	}
	learned, placed := PlaceMutes(sightings, mutes)
	require.Len(t, learned, n)
	require.NotContains(t, placed, false)
}
