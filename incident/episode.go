package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// ReplicaSkew is how far apart two starts of one fingerprint can be and still be one episode: replicas of one Prometheus
// evaluate the same rule at different moments.
const ReplicaSkew = time.Minute

// tooLate is how long after an end, and after it was told, a firing notification is no longer one that was merely
// delivered late: Alertmanager tries to deliver one for a group_interval, which is 5m where nobody set it, and each of a
// pair does.
const tooLate = 15 * time.Minute

// EndKind says how an episode came to fire no more.
type EndKind string

const (
	EndNone EndKind = "" // it still fires

	// These are ends.
	EndResolved EndKind = "resolved" // a resolved notification told it
	EndGone     EndKind = "gone"     // Alertmanager listed it and lists it no more; the end is when it was last listed
	EndHistory  EndKind = "history"  // its series in Prometheus' past ended

	// These are not: when it ended is not known, only when it was last heard of.
	EndSuperseded EndKind = "superseded" // a later start came without an end of this one
	EndExpired    EndKind = "expired"    // nothing was heard of it for the configured silence
	EndVanished   EndKind = "vanished"   // its sender said that it stopped for a reason that is no end, or told no possible end
)

// EndKinds lists how episodes come to fire no more: the ends first.
var EndKinds = []EndKind{EndResolved, EndGone, EndHistory, EndSuperseded, EndExpired, EndVanished}

// Known says whether the time of an end of this kind is known.
func (k EndKind) Known() bool { return k == EndResolved || k == EndGone || k == EndHistory }

// Episode is one continuous firing of one alert, derived from sightings by Episodes.
type Episode struct {
	Fingerprint string    `json:"fingerprint"`
	StartsAt    time.Time `json:"starts_at"`
	// EndsAt is when it ended, where End is known; else the last that was heard of it firing. Zero while it fires.
	EndsAt time.Time `json:"ends_at,omitzero"`
	End    EndKind   `json:"end,omitempty"`
	// EndReason says why its sender says that it vanished.
	EndReason   string            `json:"end_reason,omitempty"`
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

// Ended says whether it fires no more and it is known when it ended.
func (e *Episode) Ended() bool { return e.End.Known() }

// HideUnknownEnd takes EndsAt away where it is not when the episode ended: what leaves the program has it only as an end, and
// LastSeen for the other.
func (e *Episode) HideUnknownEnd() {
	if !e.Ended() {
		e.EndsAt = time.Time{}
	}
}

// Name is the alert's name.
func (e *Episode) Name() string { return e.Labels["alertname"] }

// Episodes derives the episodes of one fingerprint from all its sightings, sorted by start.
//
// Two sightings are one episode when their starts are less than ReplicaSkew apart and the earlier has no end before the
// later, or when the later one starts before the end of the earlier, or before it was last seen firing. Of several ends of an
// episode the latest counts, unless something shows that the alert went on after it. A later start after a sighting without an
// end is a new episode, and the one before it is superseded. What is heard of no more for longer than silence, before now or
// before a later start, is expired.
//
// The answer depends only on the set of sightings and now, never on the order they came in.
func Episodes(sightings []Sighting, silence time.Duration, now time.Time) []Episode {
	s := slices.Clone(sightings)
	slices.SortFunc(s, func(a, b Sighting) int { return a.begin().Compare(b.begin()) })
	var out []Episode
	for len(s) > 0 {
		c := chain{Sighting: s[0], heard: s[0].heard(), end: s[0].ending(s[0].LapsesAt), starts: []time.Time{s[0].begin()}, parts: s[:1]}
		for s = s[1:]; len(s) > 0 && c.holds(s[0].begin()); s = s[1:] {
			c.add(s[0])
		}
		next := time.Time{}
		if len(s) > 0 {
			next = s[0].begin()
		}
		out = append(out, c.episode(next, silence, now))
	}
	return out
}

// mute takes over the mutes that lie in the episode: before a told end of it, and before the next episode begins, if one does.
func (e *Episode) mute(mutes []Mute, next time.Time) {
	told := e.End == EndResolved || e.End == EndHistory || e.End == EndVanished
	for _, m := range mutes {
		if !next.IsZero() && !m.At.Before(next) || told && m.At.After(e.EndsAt) {
			continue // placed before the start it belongs to, or the end, was told
		}
		if m.By == "" {
			e.InhibitedAt = m.At
			continue
		}
		e.SilencedAt = Earliest(e.SilencedAt, m.At)
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

// chain are sightings of one episode.
type chain struct {
	Sighting // all of them merged
	starts   []time.Time
	heard    time.Time // when a notification was last received that told of the start and that it fires
	end      ending    // the latest told
	parts    []Sighting
}

// over is the end that counts; zero where there is none, or what was heard later shows that it went on.
func (c *chain) over() ending {
	e := c.end
	if c.ActiveAt.Sub(e.at) >= ReplicaSkew || c.heard.Sub(Latest(e.at, e.told)) >= tooLate {
		return ending{}
	}
	return e
}

// holds says whether a sighting that begins then is of the same episode.
func (c *chain) holds(begin time.Time) bool {
	if e := c.over(); !e.at.IsZero() {
		return begin.Before(e.at)
	}
	if begin.Before(c.ActiveAt) {
		return true // it was seen firing from its start on until after that
	}
	if !c.LapsesAt.IsZero() && !begin.Before(c.LapsesAt) && !c.ActiveAt.After(c.LapsesAt) {
		return false // Alertmanager had given it up
	}
	return begin.Sub(c.starts[len(c.starts)-1]) < ReplicaSkew
}

func (c *chain) add(s Sighting) {
	c.starts = append(c.starts, s.begin())
	c.heard = Latest(c.heard, s.heard())
	c.parts = c.parts[:len(c.parts)+1] // what follows them in the list that they are part of
	lapses := c.LapsesAt
	c.Sighting = Merge(c.Sighting, s)
	if !c.LapsesAt.Equal(lapses) { // what was an end until now may be none
		c.end = ending{}
		for i := range c.parts[:len(c.parts)-1] {
			c.end = c.end.later(c.parts[i].ending(c.LapsesAt))
		}
	}
	c.end = c.end.later(s.ending(c.LapsesAt))
}

// episode is the episode of the chain; next is the start of the one after it, zero where there is none.
func (c *chain) episode(next time.Time, silence time.Duration, now time.Time) (e Episode) {
	start := c.starts[0]
	e = Episode{
		Fingerprint: c.Fingerprint, StartsAt: start, Labels: c.Labels, Annotations: c.Annotations,
		Told: Told{c.word(), Earliest(c.ResolvedFirst, c.VanishedAt), c.Alertmanagers}, ConditionAt: c.ConditionAt, ConditionFrom: c.ConditionFrom,
		GeneratorURL: c.GeneratorURL, GroupKeys: c.GroupKeys, LastSeen: Latest(c.lastSeen(), start), Starts: c.starts,
	}
	defer func() { e.mute(c.Mutes, next) }()
	if over := c.over(); !over.at.IsZero() {
		e.EndsAt, e.End, e.EndReason = Latest(over.at, start), over.kind, over.reason
		return e
	}
	seen := Latest(Latest(c.FiringLast, c.ActiveAt), start)
	switch {
	case c.lapsed(now) && (next.IsZero() || next.Sub(e.LastSeen) > silence):
		e.EndsAt, e.End = seen, EndExpired
	case c.GoneAt.After(seen) && !c.lapsed(now) && (next.IsZero() || !c.GoneAt.After(next)):
		e.EndsAt, e.End = seen, EndGone
	case !next.IsZero() && next.Sub(e.LastSeen) <= silence:
		e.EndsAt, e.End = Earliest(seen, next), EndSuperseded
	case !next.IsZero() || now.Sub(e.LastSeen) > silence:
		e.EndsAt, e.End = seen, EndExpired
	}
	return e
}

// lapsed says whether Alertmanager had to give it up because nobody told it anything more.
func (c *chain) lapsed(now time.Time) bool {
	return !c.LapsesAt.IsZero() && !c.ActiveAt.After(c.LapsesAt) && now.After(c.LapsesAt) && c.heard.Sub(c.LapsesAt) < tooLate
}

// ending is how a sighting says that it fires no more; a zero at is that it does not say so.
type ending struct {
	at     time.Time
	kind   EndKind
	told   time.Time // when that was first received
	reason string
}

// compare orders endings: the latest counts, and of one moment the one that knows less.
func (e ending) compare(o ending) int {
	rank := func(k EndKind) int { return slices.Index(EndKinds, k) }
	return cmp.Or(e.at.Compare(o.at), cmp.Compare(rank(e.kind), rank(o.kind)), o.told.Compare(e.told), cmp.Compare(e.reason, o.reason))
}

// later is the one of two that counts.
func (e ending) later(o ending) ending {
	if !o.at.IsZero() && (e.at.IsZero() || o.compare(e) > 0) {
		return o
	}
	return e
}

// noEnd is the reason where a resolved told an end that cannot be one.
const noEnd = "its resolved tells an end that is not after its start"

// ending is the latest that was told of the sighting. What was told of the moment at which its episode lapses is none.
func (s *Sighting) ending(lapses time.Time) ending {
	var last ending
	consider := func(e ending) { last = last.later(e) }
	told := s.EndToldAt
	if told.IsZero() {
		told = s.ResolvedFirst
	}
	switch reason := lostReason(s.Annotations); {
	case s.EndsAt.IsZero():
		consider(ending{at: s.ResolvedFirst, kind: EndResolved, told: s.ResolvedFirst})
	case !s.StartsAt.IsZero() && !s.EndsAt.After(s.StartsAt):
		consider(ending{Earliest(Latest(s.FiringLast, s.StartsAt), told), EndVanished, told, noEnd})
	case !lapses.IsZero() && s.EndsAt.Sub(lapses).Abs() < lapsePrecision: // Alertmanager gave it up, and nobody told it that it ended
	case s.EndToldAt.IsZero() && reason != "": // as earlier versions stored it
		consider(ending{s.EndsAt, EndVanished, told, reason})
	default:
		consider(ending{s.EndsAt, EndResolved, told, ""})
	}
	consider(ending{s.VanishedAt, EndVanished, s.VanishedAt, s.VanishedFor})
	consider(ending{s.HistoryEndsAt, EndHistory, s.HistoryEndsAt, ""})
	return last
}

// lapsePrecision is how far an end that was told may be from the moment at which Alertmanager gives up, and be that one.
const lapsePrecision = time.Second

// lostReasons are what Grafana writes into the annotation grafana_state_reason of an alert that it resolves although
// nothing says that its condition is over (https://grafana.com/docs/grafana/latest/alerting/, "state reason").
var lostReasons = []string{"MissingSeries", "NoData", "Error", "Paused", "Updated", "RuleDeleted"}

// lostReason is why a resolved notification with these annotations is no end; empty where it is one.
func lostReason(annotations map[string]string) string {
	why := annotations["grafana_state_reason"]
	for part := range strings.SplitSeq(why, ",") { // Grafana joins several with a comma
		if slices.Contains(lostReasons, strings.TrimSpace(part)) {
			return why
		}
	}
	return ""
}

// Resolved notes that a notification received then told that the alert is resolved, with its end, which is zero where that
// is not known. Its annotations must be set: they may say that it only vanished.
func (s *Sighting) Resolved(end, received time.Time) {
	if why := lostReason(s.Annotations); why != "" {
		s.VanishedAt, s.VanishedFor = Earliest(end, received), why
		return
	}
	if s.ResolvedFirst = received; !end.IsZero() {
		s.EndsAt, s.EndToldAt = end, received
	}
}

// begin is the start, or when it was first heard of where the sender did not know.
func (s *Sighting) begin() time.Time {
	if !s.StartsAt.IsZero() {
		return s.StartsAt
	}
	return Earliest(Earliest(s.FiringFirst, s.ResolvedFirst), s.VanishedAt)
}

// heard is when it was last received as firing, of a start that its sender knew: without one, what fires later may be another.
func (s *Sighting) heard() time.Time {
	if s.StartsAt.IsZero() {
		return time.Time{}
	}
	return s.FiringLast
}

func (s *Sighting) lastSeen() time.Time {
	return Latest(Latest(Latest(s.FiringLast, s.ActiveAt), Latest(s.ResolvedFirst, s.VanishedAt)), s.begin())
}
