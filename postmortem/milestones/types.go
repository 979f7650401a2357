package milestones

import (
	"time"

	"meantime/incident"
	"meantime/postmortem/extract"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// Found is one incident of a document.
type Found struct {
	// Record has origin postmortem and an ID made of the document's name. Its source is left to the caller.
	Record incident.Record
	// Questions are what the document leaves open, the same as the record's.
	Questions []incident.Question
	// Entries are the moments it was made from, in the order of the document.
	Entries []Entry
	// Problem is what the milestones were chosen from, nil where nothing was.
	Problem *extract.Problem
	// Weighed are the likeliest moments of each milestone, the likelier first.
	Weighed []Weighed
}

// Weighed is a moment that is, or may be, a milestone.
type Weighed struct {
	Milestone incident.MilestoneName
	At        time.Time
	Line      int
	// Sure is how often such a choice was right.
	Sure float64
	// Reasons are what the place where it stands says for and against it by itself, the strongest first.
	Reasons []extract.Reason
	Entry   *timeline.Entry
}

// Entry is one moment a document tells of, for people to look at.
type Entry struct {
	// At is zero where the moment could not be worked out.
	At    time.Time
	Clock string         // as written
	Kinds []lexicon.Kind // Note alone where it tells nothing that counts
	Line  int
	Text  string
	Prose bool // from running text rather than a timeline
	// Milestones are those that were taken from it.
	Milestones []incident.MilestoneName
	// Told are the words by which it tells its kinds: `alert "alert fires"`.
	Told []string
	// Rules are the names of those that gave or took something: `denied`.
	Rules []string
	// Weighed says which milestones it may be, and why.
	Weighed []Weighed
}
