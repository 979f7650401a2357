package incident

import (
	"slices"
	"time"
)

// ReplicaSkew is how far apart two starts of one fingerprint can be and still be one episode: replicas of one Prometheus
// evaluate the same rule at different moments.
const ReplicaSkew = time.Minute

// EndKind says how the end of an episode is known.
type EndKind string

const (
	EndNone       EndKind = ""           // it still fires
	EndResolved   EndKind = "resolved"   // a resolved notification told it
	EndGone       EndKind = "gone"       // Alertmanager no longer lists it; the end is when it was last seen
	EndSuperseded EndKind = "superseded" // a later start came without a resolved; the end is when it was last seen
	EndExpired    EndKind = "expired"    // nothing was heard of it for the configured silence; the end is when it was last seen
)

// Episode is one continuous firing of one alert, derived from sightings by Episodes.
type Episode struct {
	Fingerprint string            `json:"fingerprint"`
	StartsAt    time.Time         `json:"starts_at"`
	EndsAt      time.Time         `json:"ends_at,omitzero"` // zero while it fires
	End         EndKind           `json:"end,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// NotifiedAt is when somebody was first told of it; zero where that is not known, and NotifiedUnknown then says why, in
	// words. Both are what Reach.Judge makes of Word.
	NotifiedAt      time.Time `json:"notified_at,omitzero"`
	NotifiedUnknown string    `json:"notified_unknown,omitempty"`
	// Unheard: somebody was told of it, and it is not known when.
	Unheard bool `json:"-"`
	// Told is what Reach.Judge decides by.
	Told          Told            `json:"-"`
	ConditionAt   time.Time       `json:"condition_at,omitzero"`
	ConditionFrom ConditionSource `json:"condition_from,omitempty"`
	SilencedAt    time.Time       `json:"silenced_at,omitzero"`
	InhibitedAt   time.Time       `json:"inhibited_at,omitzero"`
	SilencedBy    []string        `json:"silenced_by,omitempty"`
	GeneratorURL  string          `json:"generator_url,omitempty"`
	GroupKeys     []string        `json:"group_keys,omitempty"`
	// LastSeen is when anything was last heard of it.
	LastSeen time.Time `json:"last_seen,omitzero"`
	// Starts are the starts of all its sightings, the episode's own first, so that what names one of them finds it.
	Starts []time.Time `json:"-"`
}

// Told is what was told of an episode: its first word, when its end was first told, and the addresses of all Alertmanagers that
// told anything.
type Told struct {
	Word          Word
	End           time.Time
	Alertmanagers []string
}

// Key is the episode's key.
func (e *Episode) Key() EpisodeKey { return EpisodeKey{e.Fingerprint, e.StartsAt} }

// Firing says whether it still fires.
func (e *Episode) Firing() bool { return e.End == EndNone }

// Name is the alert's name.
func (e *Episode) Name() string { return e.Labels["alertname"] }

// Episodes derives the episodes of one fingerprint from all its sightings, sorted by start.
//
// Two sightings are one episode when their starts are less than ReplicaSkew apart, or when the later one starts before
// the resolved end of the earlier. A resolved closes the episode, and the latest end wins. A later start after a
// sighting that never resolved is a new episode, and the one before it is superseded. What is heard of no more for
// longer than silence, before now or before a later start, is expired.
//
// The answer depends only on the set of sightings and now, never on the order they came in.
func Episodes(sightings []Sighting, silence time.Duration, now time.Time) []Episode {
	s := slices.Clone(sightings)
	slices.SortFunc(s, func(a, b Sighting) int { return a.begin().Compare(b.begin()) })
	var out []Episode
	for i := 0; i < len(s); {
		m, lastStart := s[i], s[i].begin()
		starts := []time.Time{s[i].begin()}
		j := i + 1
		for ; j < len(s); j++ {
			b := s[j].begin()
			if b.Sub(lastStart) >= ReplicaSkew && !b.Before(m.end()) {
				break
			}
			lastStart = b
			starts = append(starts, b)
			next := s[j]
			next.EndsAt = next.end() // before the key is lost
			m.EndsAt = m.end()
			m = Merge(m, next)
		}
		e := Episode{
			Fingerprint: m.Fingerprint, StartsAt: s[i].begin(), Labels: m.Labels, Annotations: m.Annotations,
			Told: Told{m.word(), m.ResolvedFirst, m.Alertmanagers}, ConditionAt: m.ConditionAt, ConditionFrom: m.ConditionFrom,
			GeneratorURL: m.GeneratorURL, GroupKeys: m.GroupKeys, LastSeen: m.lastSeen(), Starts: starts,
		}
		e.EndsAt, e.End = m.end(), EndResolved
		if e.EndsAt.IsZero() {
			seen := latest(m.FiringLast, e.StartsAt)
			switch {
			case j < len(s) && s[j].begin().Sub(e.LastSeen) <= silence:
				e.EndsAt, e.End = earliest(seen, s[j].begin()), EndSuperseded
			case m.GoneAt.After(m.FiringLast):
				e.EndsAt, e.End = seen, EndGone
			case j < len(s) || now.Sub(e.LastSeen) > silence:
				e.EndsAt, e.End = seen, EndExpired
			default:
				e.End = EndNone
			}
		}
		if e.EndsAt.Before(e.StartsAt) && e.End != EndNone {
			e.EndsAt = e.StartsAt
		}
		e.mute(m.Mutes, j < len(s), s[min(j, len(s)-1)].begin())
		out = append(out, e)
		i = j
	}
	return out
}

// mute takes over the mutes that lie in the episode: before a told end of it, and before the next episode begins.
func (e *Episode) mute(mutes []Mute, more bool, next time.Time) {
	for _, m := range mutes {
		if more && !m.At.Before(next) || e.End == EndResolved && m.At.After(e.EndsAt) {
			continue // placed before the start it belongs to, or the end, was told
		}
		if m.By == "" {
			e.InhibitedAt = m.At
			continue
		}
		e.SilencedAt = earliest(e.SilencedAt, m.At)
		e.SilencedBy = append(e.SilencedBy, m.By)
	}
}

// word is the first word of it. One that was received and of which nothing more is known is a word too.
func (s *Sighting) word() Word {
	if s.Word.At.IsZero() || !s.FiringFirst.IsZero() && s.FiringFirst.Before(s.Word.At) {
		return Word{At: s.FiringFirst}
	}
	return s.Word
}

// begin is the start, or when it was first heard of where the sender did not know.
func (s *Sighting) begin() time.Time {
	if !s.StartsAt.IsZero() {
		return s.StartsAt
	}
	return earliest(s.FiringFirst, s.ResolvedFirst)
}

// end is the resolved end, or when the resolved came where its sender did not know.
func (s *Sighting) end() time.Time {
	if s.EndsAt.IsZero() {
		return s.ResolvedFirst
	}
	return s.EndsAt
}

func (s *Sighting) lastSeen() time.Time {
	return latest(latest(s.FiringLast, s.ResolvedFirst), s.begin())
}
