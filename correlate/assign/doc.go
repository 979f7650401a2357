// Package assign decides which alert belongs to which incident. It knows nothing of stores, records or texts: it is given
// the alerts of a stretch of time, the incidents that records tell of, and what is known of the past, and says for each
// alert what explains it best. It is a pure function.
//
// Every alert begins somewhere in time. Each incident that could be the reason makes alerts like this one begin at this
// moment at some rate per hour; so does the alert's own habit; so does an incident that nobody wrote about. The largest
// rate wins, and the winner's share of the sum is the probability. All terms are rates or ratios of rates, so they
// multiply, and their logarithms are the evidence. What an alert has as company is only what began before it, so no two
// alerts vouch for each other, and one pass in order of time is already a fixed point. Passes are repeated because habit
// and the choice of new incidents depend on the outcome.
package assign

import (
	"math"
	"slices"

	"meantime/incident"
)

// Alert is an episode with what the catalog says of it. Times are hours since 1970.
type Alert struct {
	Key        incident.EpisodeKey
	Start, End float64 // End is +Inf while it fires; of one whose end nobody told, when it was last heard of
	Ended      bool    // somebody told its end
	Name       string  // of the rule
	Service    string  // canonical; empty where the alert names none
	Places     []Place // in order of label
	// Opens: it may open an incident by itself. Group is what incidents that alerts open are kept apart by.
	Opens bool
	Group string
	// Quiet: a person or the configuration says that it is maintenance; it belongs to nothing.
	Quiet bool
	Past  Past
	// Stated are the incidents that name exactly this alert.
	Stated []Statement
	// Named are the incidents that name its fingerprint or an address of it, or that it names.
	Named []Statement
	// Confirmed is the incident that a person put it in; Rejected are those a person said it is not of.
	// Own: that is the one which it opened.
	Confirmed string
	Own       bool
	Rejected  []string
	// Seed: a person spoke of it as of an incident, so it opens one where it is of none. Excluded are the incidents that a
	// person said that one is not.
	Seed     bool
	Excluded []string
}

// Said says whether a person put the alert somewhere or, below that, a record states it: neither is weighed.
func (x *Alert) Said() bool {
	return x.Confirmed != "" ||
		slices.ContainsFunc(x.Stated, func(m Statement) bool { return !slices.Contains(x.Rejected, m.Incident) })
}

// Statement is that an incident names an alert, and how, in words.
type Statement struct {
	Incident string
	How      string
}

// Place is one place label with its value.
type Place struct{ Label, Value string }

// Known is an incident that records tell of, or a maintenance that is never shown. Times are hours since 1970.
type Known struct {
	ID          string
	Maintenance bool
	Services    []string // named in the record or its title
	Places      []Place
	// Onset is when it began, as near as the records tell, and Milestone which of their times that is.
	Onset     float64
	Milestone Milestone
	// Windows are when users were affected. End is when that ended, Ended whether it is told. Last is the last time told.
	Windows [][2]float64
	End     float64
	Ended   bool
	Last    float64
}

// Milestone is which time of a record its onset is.
type Milestone int

// The milestones an onset can be, the most telling first. Identified counts as acknowledged.
const (
	Started Milestone = iota
	Detected
	Acknowledged
	Created
)

// Reach is how far an incident's alerts may lie from what its records tell, in hours.
const (
	ReachBefore = 6.0
	ReachAfter  = 2.0
)

// From and To are the stretch in which alerts of it can begin.
func (k *Known) From() float64 { return k.Onset - ReachBefore - 2 }

// To is the end of that stretch. Two hours on each side are for a clock that is wrong.
func (k *Known) To() float64 { return max(k.Last, k.End, k.Onset) + ReachAfter + 2 }

// Org are a few numbers of the organisation, worked out from the weeks before.
type Org struct {
	// Median is how long incidents last, in hours: what records state, the middle of them.
	Median float64
	// Services is how many there are, RecordRate how many incidents an hour are written down, Hours how long alerts were
	// listened to before.
	Services   float64
	RecordRate float64
	Hours      float64
	Days       float64 // on which alerts were listened to
	// Lateness are the shares of an incident's alerts that begin after, just before, a while before and long before its onset,
	// by which milestone that is.
	Lateness [4][4]float64
	// Values says of how many values each place label has.
	Values map[string]float64
}

// Tempo is by what an organisation is quicker or slower than one whose incidents last 40 minutes.
func (o *Org) Tempo() float64 { return math.Min(2, math.Max(0.125, o.Median/(40.0/60))) }

// Options are what the configuration decides.
type Options struct {
	LinkAt, SuggestAt float64
	// Weigh: alerts that may open an incident do so only where what fired together is likely one. Otherwise each does that
	// nothing else explains.
	Weigh bool
	// ByService: an alert that opens by itself joins an incident of another service only along a dependency.
	ByService bool
	// Quiet and Reopen, in hours: what may open and fires so soon after an opened incident was over is a relapse of it.
	Quiet, Reopen float64
	// Apart are pairs of incidents, the smaller ID first, that a person said are two.
	Apart map[[2]string]bool
}
