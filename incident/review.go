package incident

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// ReviewAction is what a person decided.
type ReviewAction string

const (
	ReviewConfirm  ReviewAction = "confirm"         // this episode belongs to this incident
	ReviewReject   ReviewAction = "reject"          // it does not
	ReviewSet      ReviewAction = "set_milestone"   // the milestone was at this time
	ReviewClear    ReviewAction = "clear_milestone" // the milestone's time is not known, whatever the records say
	ReviewMerge    ReviewAction = "merge"           // this incident and Other are one
	ReviewSplit    ReviewAction = "split"           // this incident and Other are two, whatever joined them
	ReviewMark     ReviewAction = "mark"            // it was a drill, a maintenance, cancelled, or an incident after all
	ReviewWithdraw ReviewAction = "withdraw"        // the review named by Other no longer holds
)

// ReviewActions lists every action.
var ReviewActions = []ReviewAction{ReviewConfirm, ReviewReject, ReviewSet, ReviewClear, ReviewMerge, ReviewSplit, ReviewMark, ReviewWithdraw}

// Review is a person's decision. It outlives and outranks every recomputation; of two that decide the same thing the
// later counts (by At, then ID). It names incidents by an ID they have or had; moving a link is a confirm elsewhere.
type Review struct {
	ID     string       `json:"id"`
	At     time.Time    `json:"at"`
	By     string       `json:"by"`
	Reason string       `json:"reason"`
	Action ReviewAction `json:"action"`

	Incident  string        `json:"incident,omitempty"`
	Episode   *EpisodeKey   `json:"episode,omitempty"`   // confirm, reject
	Milestone MilestoneName `json:"milestone,omitempty"` // set_milestone, clear_milestone
	Time      time.Time     `json:"time,omitzero"`       // set_milestone
	Other     string        `json:"other,omitempty"`     // merge, split: an incident; withdraw: a review
	Mark      string        `json:"mark,omitempty"`      // incident, drill, maintenance or cancelled
}

// Validate lists everything wrong with the review.
func (r *Review) Validate() error {
	var p Problems
	need := func(ok bool, path, msg string) {
		if !ok {
			p = append(p, Problem{path, msg})
		}
	}
	known := false
	for _, a := range ReviewActions {
		known = known || a == r.Action
	}
	if !known {
		return append(p, Problem{"action", fmt.Sprintf("unknown value %q; it is one of %s", cut(string(r.Action)), list(ReviewActions))})
	}
	need(strings.TrimSpace(r.By) != "", "by", "missing; say who decides")
	need(r.Action == ReviewWithdraw || r.Incident != "", "incident", "missing; the id of the incident")
	switch r.Action {
	case ReviewConfirm, ReviewReject:
		need(r.Episode != nil && r.Episode.Fingerprint != "" && !r.Episode.StartsAt.IsZero(), "episode", "missing; its fingerprint and starts_at")
	case ReviewSet:
		need(!r.Time.IsZero(), "time", "missing; the time of the milestone")
		need(r.Milestone.Valid(), "milestone", "unknown milestone; the milestones are "+list(MilestoneNames))
	case ReviewClear:
		need(r.Milestone.Valid(), "milestone", "unknown milestone; the milestones are "+list(MilestoneNames))
	case ReviewMerge, ReviewSplit:
		need(r.Other != "" && r.Other != r.Incident, "other", "missing; the id of the other incident")
	case ReviewMark:
		switch r.Mark {
		case string(KindIncident), string(KindDrill), string(KindMaintenance), string(StateCancelled):
		default:
			need(false, "mark", fmt.Sprintf("unknown value %q; it is one of incident, drill, maintenance, cancelled", cut(r.Mark)))
		}
	case ReviewWithdraw:
		need(r.Other != "", "other", "missing; the id of the review to withdraw")
	}
	for path, t := range sorted(map[string]time.Time{"at": r.At, "time": r.Time}) {
		need(outOfRange(t) == "", path, outOfRange(t))
	}
	if r.Episode != nil {
		need(outOfRange(r.Episode.StartsAt) == "", "episode.starts_at", outOfRange(r.Episode.StartsAt))
		need(len(r.Episode.Fingerprint) <= maxID, "episode.fingerprint", "too long")
	}
	for path, s := range sorted(map[string]string{"id": r.ID, "by": r.By, "reason": r.Reason, "incident": r.Incident, "other": r.Other}) {
		need(utf8.ValidString(s) && !strings.ContainsRune(s, 0), path, "not UTF-8, or with a NUL character")
	}
	need(len(r.ID) <= maxID, "id", "too long")
	need(len(r.By) <= maxID && len(r.Reason) <= maxText && len(r.Incident) <= maxID && len(r.Other) <= maxID, "reason", "too long")
	return p.Err()
}
