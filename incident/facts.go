package incident

import "time"

// Facts are what goes into a store in one piece: all of it is stored, or nothing.
type Facts struct {
	Sightings []Sighting
	Records   []Record // a Record with Withdrawn set takes its record back
	Reviews   []Review
	Silences  []Silence
	Beats     []Beat
	Mutes     []MutedAlert // placed in the starts they belong to, at once or when those are told
	Lives     []Life       // when Meantime could be told of alerts
	Senders   []Sender     // by whom
	// Marks are stored with the other facts: how far a source has been read is durable exactly when what it brought is.
	Marks []Mark
}

// Mark is what a source wants to be told of itself after a restart, such as how far it has read. The one stored last
// counts. An empty Value takes the mark away.
type Mark struct {
	Source, Name string
	Value        string
}

// Receipt says what storing Facts did.
type Receipt struct {
	// Sightings has one kind for each sighting of the Facts, in their order.
	Sightings []MergeKind
	// Records says for each record of the Facts whether it changed what counts.
	Records []bool
	// Mutes says for each mute of the Facts whether its alert is known.
	Mutes []bool
	// MutesForgotten is how many mutes were kept for alerts that never came, and are forgotten now.
	MutesForgotten int
}

// Beat is one sign of life of a watchdog: an alert that always fires was received.
type Beat struct {
	Watchdog string    `json:"watchdog"` // the watchdog's name
	At       time.Time `json:"at"`       // the time of receipt; stores may keep it to the second
}

// ChangeKind says which sort of fact changed.
type ChangeKind string

const (
	ChangeSighting ChangeKind = "sighting"
	ChangeRecord   ChangeKind = "record"
	ChangeReview   ChangeKind = "review"
	ChangeSilence  ChangeKind = "silence"
	ChangeBeat     ChangeKind = "beat"
	// ChangeReach: what is known of times of life or senders of the past is otherwise than it was. That time goes on, and
	// that a sender was heard of for the first time, is no change: no stored word is judged otherwise by it.
	ChangeReach ChangeKind = "reach"
)

// Change is one entry of the feed that tells the correlator what to look at again.
type Change struct {
	Seq  int64
	Kind ChangeKind
	// Key is a sighting's fingerprint, a record's "source/id", a review's or a silence's id, or a watchdog's name.
	Key string
	// From and To are the stretch of time that the fact spoke of before the change or speaks of after it.
	From, To time.Time
}

// Span is the stretch of time a sighting speaks of. An open one reaches to when it was last heard of.
func (s *Sighting) Span() (from, to time.Time) {
	from = s.begin()
	if !s.ConditionAt.IsZero() && s.ConditionAt.Before(from) {
		from = s.ConditionAt
	}
	to = Latest(s.lastSeen(), s.GoneAt)
	for _, t := range []time.Time{s.EndsAt, s.VanishedAt, s.HistoryEndsAt, s.LapsesAt} {
		to = Latest(to, t)
	}
	return from, to
}

// Span is the stretch of time a record speaks of: all its milestones and impacts, or when it was made or updated where
// it has none.
func (r *Record) Span() (from, to time.Time) {
	add := func(t time.Time) { from, to = Earliest(from, t), Latest(to, t) }
	for _, m := range r.Milestones {
		add(m.At)
	}
	for _, w := range r.Impacts {
		add(w.From)
		add(w.To)
	}
	if from.IsZero() {
		add(r.CreatedAt)
	}
	if from.IsZero() {
		add(r.UpdatedAt)
	}
	return from, to
}

// Pass is what one correlation pass found, to be stored in one piece.
type Pass struct {
	// Cursor: every change up to and including this Seq is in it.
	Cursor int64
	// Rules is a digest of the rules it was computed by.
	Rules string
	// Reset: forget everything derived before; the pass holds all there is.
	Reset bool
	// Part and More: a pass with Reset may come in parts, numbered from 1, of which all but the last have More. Nobody sees
	// any of it before the last is stored, and then all at once; where that never comes, or another pass does, it is as
	// if none had come. The episodes of a part come after those of the parts before, by key, and Cursor, Rules and Blind
	// are those of the last. One that comes whole has neither.
	Part int
	More bool
	// Removed and Gone are the incidents and episodes that are no more; Incidents and Verdicts replace those of the same ID or key.
	Removed   []string
	Gone      []EpisodeKey
	Incidents []Incident
	Verdicts  []Verdict
	// Observed are the entries of the ledger that are new or changed.
	Observed []Observed
	// Blind are the stretches in which a watchdog was silent, all of them, by watchdog.
	Blind map[string][]Impact
	// Token is that of the lease under which it was computed; 0 for a store of which nobody ever took the lease.
	Token int64
}

// Saved is what passes saved since an earlier one, as the store has it now.
type Saved struct {
	// Number is that of the newest pass; each has the next one.
	Number int64
	// Whole: what changed can no longer be told in parts, and everything has to be read again. Nothing below is filled in
	// then but Blind.
	Whole bool
	// Incidents are without links and candidates, Verdicts as far as measuring needs them.
	Removed   []string
	Gone      []EpisodeKey
	Incidents []Incident
	Verdicts  []Verdict
	Observed  []Observed
	// Records are those of which another version may count than before, Beats the newest signs of life of watchdogs.
	Records []RecordKey
	Beats   []Beat
	// Blind are the stretches in which a watchdog was silent, all of them, by watchdog.
	Blind map[string][]Impact
}

// Observed says which measurements of an incident the all-time histogram has counted, and with which values. It is
// kept because a histogram cannot take back: what was counted once must not be counted again, not even when the
// incident's ID changed or its numbers were corrected.
type Observed struct {
	Incident   string             `json:"incident"`
	Service    string             `json:"service"`
	Severity   string             `json:"severity"`
	DetectedBy DetectedBy         `json:"detected_by"`
	Seconds    map[string]float64 `json:"seconds"`  // interval -> the value counted
	Restated   map[string]float64 `json:"restated"` // interval -> the newest corrected value, where there is one
	Restates   map[string]int     `json:"restates"` // interval -> how often it was corrected
}
