package lexicon

// Kind says what a timeline entry tells.
type Kind string

// The kinds of an entry. One entry can be of several.
const (
	Trigger       Kind = "trigger"        // a change, a deploy, a maintenance: what set it off
	ImpactStart   Kind = "impact_start"   // users begin to be affected
	Failing       Kind = "failing"        // users are affected; that it begins here is not said
	Symptom       Kind = "symptom"        // something is seen to be wrong
	Alert         Kind = "alert"          // our monitoring fires
	ReportUser    Kind = "report_user"    // a user or customer reports
	ReportSupport Kind = "report_support" // our own support passes it on
	Report        Kind = "report"         // a report; by whom is not said
	Noticed       Kind = "noticed"        // our staff notices
	ThirdParty    Kind = "third_party"    // a supplier's event or statement
	Ack           Kind = "ack"            // somebody begins to work on it
	Declared      Kind = "declared"       // an incident is declared
	Finding       Kind = "finding"        // something is found out
	Cause         Kind = "cause"          // the cause is known
	Attempt       Kind = "attempt"        // an action that is meant to help
	Partial       Kind = "partial"        // it gets better
	Recovered     Kind = "recovered"      // users are well again
	Resolved      Kind = "resolved"       // everything is well again
	Ended         Kind = "ended"          // the incident itself is said to be over
	FixLive       Kind = "fix_live"       // the fix is in production; that users are well is not said
	SelfHealed    Kind = "self_healed"    // it went away by itself
	Relapse       Kind = "relapse"        // it comes back
	FollowUp      Kind = "follow_up"      // work after the end
	Talk          Kind = "talk"           // somebody is told something
	NotYet        Kind = "not_yet"        // it says that something is not known or not over
	Backlog       Kind = "backlog"        // what had piled up is worked off
	Note          Kind = "note"           // nothing of the above
)

// Told is one thing an entry tells: the sentence that tells it and how firmly.
type Told struct {
	From, To int // tokens of the entry's words
	Sentence int
	Hedged   bool
	Nonprod  bool // the sentence speaks of a test environment
	Weak     bool // it says that something is in order, not that it is so again: it may always have been
	Subject  bool // of ThirdParty: the sentence is about what a supplier does or says
}

// KindSet is what an entry tells, the first firm mention of each kind, or the first hedged one where none is firm.
type KindSet map[Kind]Told

// OfSupplier says whether the entry is about what a supplier does or says.
func (k KindSet) OfSupplier() bool { return k[ThirdParty].Subject }

func (k KindSet) Has(kinds ...Kind) bool {
	for _, x := range kinds {
		if t, ok := k[x]; ok && !t.Hedged {
			return true
		}
	}
	return false
}

func (k KindSet) Firm(x Kind) bool { t, ok := k[x]; return ok && !t.Hedged }
