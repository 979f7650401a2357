package incident

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxOrigins bounds the sets in a Sighting. Keeping the smallest k of a union is still commutative, associative and
// idempotent, so the bound costs no law.
const MaxOrigins = 8

// Sighting is all that has been said about one start of one alert: the fact that is stored. It is keyed by Fingerprint
// and StartsAt, and two sightings of one key merge (see Merge) whatever order they came in, however often, from
// whichever Alertmanager, the event recorder, the Alertmanager API or Prometheus. Episodes are derived from sightings.
type Sighting struct {
	// Fingerprint is Alertmanager's, 16 hexadecimal digits.
	Fingerprint string `json:"fingerprint"`
	// StartsAt is the alert's own start: when it fired, after the rule's `for`. Zero where the sender did not know it;
	// the episode then starts when it was first received.
	StartsAt time.Time `json:"starts_at,omitzero"`
	// EndsAt is the end that a resolved notification told; zero while none did. The latest wins, as in Alertmanager's
	// own merge. The endsAt of a firing alert is a forecast and never comes here.
	EndsAt time.Time `json:"ends_at,omitzero"`
	// EndToldAt is when the first notification that told EndsAt was received. Zero in stores of earlier versions.
	EndToldAt time.Time `json:"end_told_at,omitzero"`
	// VanishedAt is the latest moment at which its sender said that it fires no more for a reason that is no end, told in
	// VanishedFor: its rule was paused, edited or deleted, or lost its data. Where EndsAt is the same moment, that was no end
	// either.
	VanishedAt  time.Time `json:"vanished_at,omitzero"`
	VanishedFor string    `json:"vanished_for,omitempty"`
	// HistoryEndsAt is the end of its series in Prometheus' past; the latest wins.
	HistoryEndsAt time.Time `json:"history_ends_at,omitzero"`
	// LapsesAt is when Alertmanager gives it up by itself where it is told nothing more of it, as worked out from
	// Prometheus' past: Prometheus stopped, or lost what told it. An EndsAt of that moment is no end; the latest wins.
	LapsesAt time.Time `json:"lapses_at,omitzero"`

	// FiringFirst and FiringLast are when it was first and last received or seen as firing.
	FiringFirst time.Time `json:"firing_first,omitzero"`
	FiringLast  time.Time `json:"firing_last,omitzero"`
	// ActiveAt is the latest moment at which somebody who looked saw it firing: Alertmanager had it from Prometheus then, or
	// Prometheus' past has a sample of it. Unlike a notification, which may have been under way for long, it refutes every
	// end told of an earlier moment.
	ActiveAt time.Time `json:"active_at,omitzero"`
	// ResolvedFirst is when it was first received as resolved.
	ResolvedFirst time.Time `json:"resolved_first,omitzero"`
	// GoneAt is when Alertmanager was last asked and did not know it, though no resolved had come. It counts only where
	// it is later than FiringLast.
	GoneAt time.Time `json:"gone_at,omitzero"`

	// Word is the first word of it as firing, whoever told it: a notification that was received, one that the event
	// recorder saw go out, or Alertmanager's list. Whether it tells when somebody first knew, Reach decides.
	Word Word `json:"word,omitzero"`
	// Mutes are what muted it, by silence, and since when.
	Mutes []Mute `json:"mutes,omitempty"`

	// ConditionAt is when the alert's condition became true, before the rule's `for`; the earliest measured wins over
	// any estimate. Of two in one second the later does: Prometheus tells whole seconds, and the other one is more exact.
	ConditionAt time.Time `json:"condition_at,omitzero"`
	// ConditionFrom says how ConditionAt is known; empty where it is not.
	ConditionFrom ConditionSource `json:"condition_from,omitempty"`

	// Labels, Annotations and GeneratorURL are those of the newest notification, told at ToldAt.
	Labels       map[string]string `json:"labels,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	GeneratorURL string            `json:"generator_url,omitempty"`
	ToldAt       time.Time         `json:"told_at,omitzero"`

	// GroupKeys and Alertmanagers (external URLs) name the groups and senders it came in, sorted. Groups are those of the routes
	// by which others were told as well, where Alertmanager's configuration or event log tells them.
	GroupKeys     []string `json:"group_keys,omitempty"`
	Alertmanagers []string `json:"alertmanagers,omitempty"`
}

// ConditionSource says how the time at which a condition became true is known, the best first.
type ConditionSource string

const (
	ConditionMeasured ConditionSource = "ALERTS_FOR_STATE" // read from Prometheus
	ConditionFromFor  ConditionSource = "startsAt - for"   // the alert's start minus its rule's `for`
)

func (c ConditionSource) rank() int {
	switch c {
	case ConditionMeasured:
		return 0
	case ConditionFromFor:
		return 1
	}
	return 2
}

// EpisodeKey identifies an episode, and a sighting: fingerprint and start.
type EpisodeKey struct {
	Fingerprint string    `json:"fingerprint"`
	StartsAt    time.Time `json:"starts_at"`
}

// String is the key as one word: fingerprint, "@", start in unix nanoseconds (0 for an unknown start).
func (k EpisodeKey) String() string {
	n := int64(0)
	if !k.StartsAt.IsZero() {
		n = k.StartsAt.UnixNano()
	}
	return k.Fingerprint + "@" + strconv.FormatInt(n, 10)
}

// Compare orders keys by start, then fingerprint.
func (k EpisodeKey) Compare(o EpisodeKey) int {
	if c := k.StartsAt.Compare(o.StartsAt); c != 0 {
		return c
	}
	return strings.Compare(k.Fingerprint, o.Fingerprint)
}

// Key is the sighting's key.
func (s *Sighting) Key() EpisodeKey { return EpisodeKey{s.Fingerprint, s.StartsAt} }

// Merge is the sighting that says what a and b say together. It is commutative, associative and idempotent. Both must
// have the same key. Neither is changed; the result may share their maps, so maps in sightings are never written to.
func Merge(a, b Sighting) Sighting {
	m := a
	switch c := a.EndsAt.Compare(b.EndsAt); {
	case c < 0:
		m.EndsAt, m.EndToldAt = b.EndsAt, b.EndToldAt
	case c == 0:
		m.EndToldAt = Earliest(a.EndToldAt, b.EndToldAt)
	}
	if c := cmp.Or(a.VanishedAt.Compare(b.VanishedAt), strings.Compare(a.VanishedFor, b.VanishedFor)); c < 0 {
		m.VanishedAt, m.VanishedFor = b.VanishedAt, b.VanishedFor
	}
	m.HistoryEndsAt = Latest(a.HistoryEndsAt, b.HistoryEndsAt)
	m.LapsesAt = Latest(a.LapsesAt, b.LapsesAt)
	m.ActiveAt = Latest(a.ActiveAt, b.ActiveAt)
	m.FiringFirst = Earliest(a.FiringFirst, b.FiringFirst)
	m.FiringLast = Latest(a.FiringLast, b.FiringLast)
	m.ResolvedFirst = Earliest(a.ResolvedFirst, b.ResolvedFirst)
	m.GoneAt = Latest(a.GoneAt, b.GoneAt)
	m.Word = earlierWord(a.Word, b.Word)
	m.Mutes = mutesUnion(a.Mutes, b.Mutes)
	m.GroupKeys = union(a.GroupKeys, b.GroupKeys)
	m.Alertmanagers = union(a.Alertmanagers, b.Alertmanagers)

	switch c := cmp.Compare(a.ConditionFrom.rank(), b.ConditionFrom.rank()); {
	case c > 0:
		m.ConditionAt, m.ConditionFrom = b.ConditionAt, b.ConditionFrom
	case c == 0:
		m.ConditionAt = earlierSecond(a.ConditionAt, b.ConditionAt)
	}
	c := a.ToldAt.Compare(b.ToldAt)
	if c == 0 && !sameText(&a, &b) { // writing the text out is worth it only for a true tie
		c = strings.Compare(a.told(), b.told())
	}
	if c < 0 {
		m.Labels, m.Annotations, m.GeneratorURL, m.ToldAt = b.Labels, b.Annotations, b.GeneratorURL, b.ToldAt
	}
	return m
}

// sameText says whether a and b were told with the same labels, annotations and generator.
func sameText(a, b *Sighting) bool {
	return a.GeneratorURL == b.GeneratorURL && maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations)
}

// told is the text of the newest notification in one string, to break ties of ToldAt the same way in any order.
func (s *Sighting) told() string {
	b, _ := json.Marshal([]any{s.Labels, s.Annotations, s.GeneratorURL}) // maps marshal in key order; strings cannot fail
	return string(b)
}

// Equal says whether a and b say the same.
func Equal(a, b Sighting) bool {
	return a.Fingerprint == b.Fingerprint && a.StartsAt.Equal(b.StartsAt) && a.EndsAt.Equal(b.EndsAt) &&
		a.FiringFirst.Equal(b.FiringFirst) && a.FiringLast.Equal(b.FiringLast) && a.ResolvedFirst.Equal(b.ResolvedFirst) &&
		a.EndToldAt.Equal(b.EndToldAt) && a.VanishedAt.Equal(b.VanishedAt) && a.VanishedFor == b.VanishedFor &&
		a.HistoryEndsAt.Equal(b.HistoryEndsAt) && a.LapsesAt.Equal(b.LapsesAt) && a.ActiveAt.Equal(b.ActiveAt) &&
		a.GoneAt.Equal(b.GoneAt) && a.Word.equal(b.Word) && mutesEqual(a.Mutes, b.Mutes) &&
		a.ConditionAt.Equal(b.ConditionAt) && a.ConditionFrom == b.ConditionFrom &&
		a.ToldAt.Equal(b.ToldAt) && sameText(&a, &b) &&
		slices.Equal(a.GroupKeys, b.GroupKeys) && slices.Equal(a.Alertmanagers, b.Alertmanagers)
}

// MergeKind says what a notification told about a sighting that was, or was not, already known.
type MergeKind string

const (
	MergeNew       MergeKind = "new"       // the first notification of this start
	MergeRepeated  MergeKind = "repeated"  // the same Alertmanager said it again
	MergeDuplicate MergeKind = "duplicate" // another Alertmanager of the pair said the same
	MergeResolved  MergeKind = "resolved"  // the end of a known start
	MergeLate      MergeKind = "late"      // a firing that came after its resolved
)

// MergeKinds lists every kind.
var MergeKinds = []MergeKind{MergeNew, MergeRepeated, MergeDuplicate, MergeResolved, MergeLate}

// Settled says whether its lists are what merging leaves of them.
func (s *Sighting) Settled() bool {
	set := func(l []string) bool { return len(l) < 2 || len(union(l, l)) == len(l) && slices.IsSorted(l) }
	return set(s.GroupKeys) && set(s.Alertmanagers) && mutesInOrder(s.Mutes)
}

// KindOf says what next, which was just received, adds to known.
func KindOf(known *Sighting, next Sighting) MergeKind {
	switch {
	case known == nil:
		return MergeNew
	case known.received().IsZero() && !next.received().IsZero():
		return MergeNew // known from the API or the event recorder, but nobody was notified of it here
	case !next.over() && known.over(): // a resolved may not tell its end
		return MergeLate
	case next.over() && !known.over():
		return MergeResolved
	}
	for _, am := range next.Alertmanagers {
		if !slices.Contains(known.Alertmanagers, am) {
			return MergeDuplicate
		}
	}
	return MergeRepeated
}

// over says whether anybody told that it fires no more.
func (s *Sighting) over() bool {
	return !s.EndsAt.IsZero() || !s.ResolvedFirst.IsZero() || !s.VanishedAt.IsZero()
}

// received is when the first notification of it was received; zero where none was.
func (s *Sighting) received() time.Time { return Earliest(s.FiringFirst, s.ResolvedFirst) }

// Earliest is the earlier of two times, a zero time being no time.
func Earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// earlierSecond is the earlier of two times, a zero time being no time, and of two in one second the later.
func earlierSecond(a, b time.Time) time.Time {
	if !a.IsZero() && a.Unix() == b.Unix() {
		return Latest(a, b)
	}
	return Earliest(a, b)
}

// Latest is the later of two times, a zero time being no time.
func Latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// union is the sorted union of two sets, of which the smallest MaxOrigins are kept.
func union(a, b []string) []string {
	if len(b) == 0 && slices.IsSorted(a) {
		return a
	}
	u := slices.Concat(a, b)
	slices.Sort(u)
	u = slices.Compact(u)
	return u[:min(len(u), MaxOrigins)]
}
