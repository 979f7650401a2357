package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Mute says since when a silence, or another alert, mutes an alert.
type Mute struct {
	By string    `json:"by,omitempty"` // the silence's ID; empty where another alert inhibits it
	At time.Time `json:"at"`           // when that was first seen
}

// MutedAlert is a mute that names its alert and not the alert's start, as Alertmanager's events do. It may be told before
// the alert is.
type MutedAlert struct {
	Fingerprint string `json:"fingerprint"`
	Mute
}

// mutesUnion are the mutes of both, by ID, each since the earlier time; of too many the first by ID are kept. It is
// commutative, associative and idempotent, as union is.
func mutesUnion(a, b []Mute) []Mute {
	if len(b) == 0 && mutesInOrder(a) {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y Mute) int { return cmp.Or(strings.Compare(x.By, y.By), x.At.Compare(y.At)) })
	all = slices.CompactFunc(all, func(x, y Mute) bool { return x.By == y.By })
	return all[:min(len(all), MaxOrigins)]
}

// mutesInOrder says whether a list is what merging leaves of it.
func mutesInOrder(l []Mute) bool {
	for i := 1; i < len(l); i++ {
		if l[i-1].By >= l[i].By {
			return false
		}
	}
	return len(l) <= MaxOrigins
}

func mutesEqual(a, b []Mute) bool {
	return slices.EqualFunc(a, b, func(x, y Mute) bool { return x.By == y.By && x.At.Equal(y.At) })
}

// PlaceMutes finds for every mute the start it was seen in: the last of its alert at or before it. It gives what the
// sightings of those starts learn, in order of start, and says of each mute whether it was placed. The sightings are all
// that is known of the alerts; the cost grows with the number of both, not with their product.
//
// A start that is told later may be the one a mute belongs to, so whoever calls it keeps the mutes for a while and
// places them again. An earlier start loses nothing by that: of what it was given, it takes what lies within its
// episode (see Episodes).
func PlaceMutes(sightings []Sighting, mutes []MutedAlert) (learned []Sighting, placed []bool) {
	starts := map[string][]*Sighting{}
	for i := range sightings {
		if s := &sightings[i]; !s.StartsAt.IsZero() {
			starts[s.Fingerprint] = append(starts[s.Fingerprint], s)
		}
	}
	for _, of := range starts {
		slices.SortFunc(of, func(a, b *Sighting) int { return a.StartsAt.Compare(b.StartsAt) })
	}
	found := map[EpisodeKey]int{}
	placed = make([]bool, len(mutes))
	for i, m := range mutes {
		of := starts[m.Fingerprint]
		n, _ := slices.BinarySearchFunc(of, m.At, func(s *Sighting, at time.Time) int {
			if s.StartsAt.After(at) {
				return 1
			}
			return -1
		})
		if n == 0 || (!of[n-1].EndsAt.IsZero() && of[n-1].EndsAt.Before(m.At)) {
			continue
		}
		placed[i] = true
		s := of[n-1]
		k, ok := found[s.Key()]
		if !ok {
			k = len(learned)
			found[s.Key()] = k
			learned = append(learned, Sighting{ // the labels with it, so that it stands by itself
				Fingerprint: s.Fingerprint, StartsAt: s.StartsAt,
				Labels: s.Labels, Annotations: s.Annotations, GeneratorURL: s.GeneratorURL, ToldAt: s.ToldAt,
			})
		}
		learned[k].Mutes = append(learned[k].Mutes, m.Mute)
	}
	for i := range learned {
		learned[i].Mutes = mutesUnion(learned[i].Mutes, nil)
	}
	slices.SortFunc(learned, func(a, b Sighting) int { return a.Key().Compare(b.Key()) })
	return learned, placed
}
