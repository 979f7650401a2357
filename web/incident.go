package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"meantime/incident"
	"meantime/measure"
)

// Bounds on what one page shows.
const (
	maxRecords = 20
	maxLinks   = 200
)

// view is everything that the page of an incident shows.
type view struct {
	incident.Incident
	At       time.Time
	Detected string // who knew first, in words
	Timeline timeline
	// Milestones are all six, those known in order of time.
	Milestones []milestone
	Measured   []measured
	Windows    []window
	Impact     string // all windows together, where there are several
	Links      []links
	MoreLinks  int
	Records    []record
	Decisions  []decision
	// CanSplit: there is more than one record to take apart.
	CanSplit bool
	Stored   bool // a decision was just stored
	Marks    []string
}

type milestone struct {
	Name       incident.MilestoneName
	Known      bool
	Milestone  incident.Milestone
	Candidates []candidate
}

type candidate struct {
	incident.Candidate
	Counts bool
	// Fact names what it came from in words, or is the name that the candidate gives it.
	Fact string
	Why  string
}

type window struct {
	incident.Impact
	Words string
}

// links are the alerts of one state.
type links struct {
	State incident.LinkState
	Title string
	Links []incident.Link
}

type record struct {
	Key    incident.RecordKey
	Record incident.Record // empty where it could not be read
	Split  string          // the id under which it would be an incident of its own
}

type decision struct {
	incident.Review
	Words     string
	Withdrawn bool
}

// showIncident shows one incident. An address with an id it used to have leads to the one it has.
func (s *web) showIncident(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	i, err := s.Store.Incident(r.Context(), id)
	if err != nil {
		return err
	}
	if i.ID != id {
		http.Redirect(w, r, s.Prefix+"/incidents/"+url.PathEscape(i.ID), http.StatusFound)
		return nil
	}
	now := s.Now()
	reviews, err := s.Store.Reviews(r.Context())
	if err != nil {
		return err
	}
	v := view{
		Incident: i, At: i.At(), Detected: detectedWords(i.DetectedBy), Timeline: newTimeline(&i, now, s.zone(r)), Stored: r.URL.Query().Get("stored") != "",
		Milestones: milestones(&i, reviews), Windows: windows(&i, now), CanSplit: len(i.Records) > 1,
		Marks: []string{string(incident.KindIncident), string(incident.KindDrill), string(incident.KindMaintenance), string(incident.StateCancelled)},
	}
	if d, ok := measure.Impact(&i, now); ok && len(i.Impacts) > 1 {
		v.Impact = duration(d)
	}
	m := measure.All(&i, s.Intervals(), now)
	for _, iv := range s.Intervals() {
		v.Measured = append(v.Measured, inWords(&i, iv, m[iv.Name]))
	}
	v.Links, v.MoreLinks = groups(i.Links)
	if v.Records, err = s.recordsOf(r, &i); err != nil {
		return err
	}
	v.Decisions = decisions(&i, reviews, s.zone(r))
	return s.show(w, r, http.StatusOK, "incident", title(&i), "incidents", v)
}

// title is an incident's title; every incident must be called something to be clicked on.
func title(i *incident.Incident) string {
	if i.Title == "" {
		return "Incident " + i.ID
	}
	return i.Title
}

func milestones(i *incident.Incident, reviews []incident.Review) []milestone {
	// What an episode's key and a review's id are to a person.
	facts := map[string]string{}
	for _, l := range i.Links {
		facts[l.Episode.Key().String()] = l.Episode.Name()
	}
	for _, rev := range reviews {
		facts[rev.ID] = rev.By
	}
	var out []milestone
	for _, n := range incident.MilestoneNames {
		m, known := i.Milestones[n]
		x := milestone{Name: n, Known: known, Milestone: m}
		if len(m.Candidates) == 0 && known {
			m.Candidates = []incident.Candidate{m.Candidate}
		}
		for k, words := range why(n, m.Candidates) {
			c := m.Candidates[k]
			x.Candidates = append(x.Candidates, candidate{c, k == 0, cmp.Or(facts[c.From], c.From), words})
		}
		out = append(out, x)
	}
	// In the order in which they came, and at the end those that nobody knows.
	slices.SortStableFunc(out, func(a, b milestone) int {
		switch {
		case a.Known && b.Known:
			return a.Milestone.At.Compare(b.Milestone.At)
		case a.Known:
			return -1
		case b.Known:
			return 1
		}
		return 0
	})
	return out
}

func windows(i *incident.Incident, now time.Time) []window {
	var out []window
	for k, w := range i.Impacts {
		x := window{Impact: w, Words: "end not known"}
		switch {
		case !w.To.IsZero():
			x.Words = duration(w.To.Sub(w.From))
		case i.State == incident.StateOpen && k == len(i.Impacts)-1:
			x.Words = "goes on for " + duration(now.Sub(w.From))
		}
		out = append(out, x)
	}
	return out
}

// groups sorts links by what a person has to do about them: first those that wait for a decision.
func groups(all []incident.Link) (out []links, more int) {
	if len(all) > maxLinks {
		all, more = all[:maxLinks], len(all)-maxLinks
	}
	for _, g := range []links{
		{State: incident.LinkSuggested, Title: "Suggested: do they belong to it?"},
		{State: incident.LinkConfirmed, Title: "Confirmed by a person"},
		{State: incident.LinkStated, Title: "Stated by a record"},
		{State: incident.LinkLinked, Title: "Linked"},
		{State: incident.LinkRejected, Title: "Rejected by a person"},
	} {
		for _, l := range all {
			if l.State == g.State {
				g.Links = append(g.Links, l)
			}
		}
		slices.SortStableFunc(g.Links, func(a, b incident.Link) int { return a.Episode.Key().Compare(b.Episode.Key()) })
		if len(g.Links) > 0 {
			out = append(out, g)
		}
	}
	return out, more
}

func (s *web) recordsOf(r *http.Request, i *incident.Incident) ([]record, error) {
	var out []record
	for n, k := range i.Records {
		x := record{Key: k}
		if n > 0 {
			x.Split = incident.RecordID(k)
		}
		if n < maxRecords {
			rec, err := s.Store.Record(r.Context(), k)
			switch {
			case err == nil && !rec.Withdrawn:
				x.Record = rec
			case err != nil && incident.CodeOf(err) != incident.CodeNotFound: // it may have been withdrawn this moment
				return nil, err
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// decisions are the reviews that speak of the incident, the newest first, those since withdrawn among them.
func decisions(i *incident.Incident, reviews []incident.Review, z zone) []decision {
	holds := map[string]bool{}
	for _, rev := range incident.Effective(reviews) {
		holds[rev.ID] = true
	}
	mine := func(id string) bool { return id != "" && (id == i.ID || slices.Contains(i.Aliases, id)) }
	var out []decision
	for _, rev := range slices.Backward(reviews) {
		if rev.Action != incident.ReviewWithdraw && (mine(rev.Incident) || mine(rev.Other) || slices.Contains(i.Reviews, rev.ID)) {
			out = append(out, decision{rev, reviewWords(i, rev, z), !holds[rev.ID]})
		}
	}
	return out
}

// reviewWords says what a review decided.
func reviewWords(i *incident.Incident, rev incident.Review, z zone) string {
	episode := "an alert"
	if rev.Episode != nil {
		episode = "the alert " + rev.Episode.Fingerprint
		for _, l := range i.Links {
			if l.Episode.Key() == *rev.Episode && l.Episode.Name() != "" {
				episode = l.Episode.Name()
			}
		}
		episode += " of " + z.clock(rev.Episode.StartsAt)
	}
	switch rev.Action {
	case incident.ReviewConfirm:
		return episode + " belongs to it"
	case incident.ReviewReject:
		return episode + " does not belong to it"
	case incident.ReviewSet:
		return string(rev.Milestone) + " was at " + z.clock(rev.Time)
	case incident.ReviewClear:
		return "it is not known when it was " + string(rev.Milestone)
	case incident.ReviewMerge:
		return "incidents " + rev.Incident + " and " + rev.Other + " are one"
	case incident.ReviewSplit:
		return "incidents " + rev.Incident + " and " + rev.Other + " are two"
	case incident.ReviewMark:
		return "it counts as: " + rev.Mark
	}
	return string(rev.Action)
}
