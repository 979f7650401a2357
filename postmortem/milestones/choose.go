package milestones

import (
	"slices"
	"strings"

	"meantime/incident"
	"meantime/postmortem/extract"
	"meantime/postmortem/timeline"
)

// suggestion is a moment that may be a milestone.
type suggestion struct {
	pick
	probability float64
	reasons     []extract.Reason
}

// The least a suggestion must be likely, and how many of them a person is shown for a milestone.
const (
	leastLikely     = 0.05
	mostSuggestions = 2
)

// choose weighs all candidates together. A milestone that is sure enough is given; what is not stays a suggestion.
func (r *Reader) choose(c *candidates) error {
	w, err := extract.Load()
	if err != nil {
		return err
	}
	rules := r.picks
	r.picks = map[incident.MilestoneName]pick{}
	if r.doubtful() { // one answer first; then it is read again
		r.by = ""
		r.ws = nil
		r.qs = slices.DeleteFunc(r.qs, func(q incident.Question) bool { return q.Kind != AskTruncated && q.Kind != AskDate })
		return nil
	}
	r.suggested = map[incident.MilestoneName][]suggestion{}
	for name, p := range rules {
		if p.declared { // it is no matter of words
			r.picks[name] = p
		}
	}
	for m, ch := range w.Choose(&c.problem) {
		name := extract.Milestones[m]
		for i, s := range ch.Suggestions {
			p := c.sources[s.Source].pick
			p.confidence = incident.ConfidenceStated
			if old, ok := rules[name]; ok && old.at.Equal(p.at) && old.confidence == incident.ConfidenceInferred {
				p.confidence = incident.ConfidenceInferred
			}
			if i == 0 && s.Likeliest && s.Probability >= w.Cut(m) && !rules[name].declared {
				r.picks[name] = p
			}
			if s.Probability >= leastLikely && len(r.suggested[name]) < mostSuggestions {
				r.suggested[name] = append(r.suggested[name], suggestion{p, s.Probability, w.Reasons(c.problem.Sources[s.Source], m)})
			}
		}
	}
	r.startProved = r.startProved && r.picks[incident.Started].at.Equal(rules[incident.Started].at)
	now := r.picks[incident.Detected]
	if old, had := rules[incident.Detected]; had && !now.at.Equal(old.at) || !had && now.e != nil {
		d := r.picks[incident.Detected]
		r.by = ""
		if d.e != nil {
			r.by = r.whoKnew(d.e)
		}
		r.byFields()
	}
	r.who()
	r.settleQuestions()
	return nil
}

// weighed lists the likeliest moments of all milestones.
func (r *Reader) weighed() (ws []Weighed) {
	for _, n := range incident.MilestoneNames {
		for _, s := range r.suggested[n] {
			ws = append(ws, Weighed{Milestone: n, At: s.at, Line: s.line, Sure: s.probability, Reasons: s.reasons, Entry: s.e})
		}
	}
	return ws
}

// doubtful says whether the day of the times is in doubt: the text names another than the one that stands beside it, and the
// times themselves name none.
func (r *Reader) doubtful() bool {
	return len(r.Calendar.Doubts) > 0 && slices.ContainsFunc(r.own, func(e *timeline.Entry) bool { return e.Dated && !e.Explicit })
}

// settleQuestions leaves, of what the rules asked of a milestone, what goes with the choice: of one that is given what else it
// could be; one that is not given is asked for with its suggestions.
func (r *Reader) settleQuestions() {
	var qs []incident.Question
	for _, q := range r.qs {
		name := incident.MilestoneName(q.Kind)
		if !name.Valid() {
			qs = append(qs, q)
			continue
		}
		p, ok := r.picks[name]
		if !ok {
			continue
		}
		q.Candidates = slices.DeleteFunc(q.Candidates, func(c string) bool { return sameMoment(c, candidate(p.at, "")) })
		if len(q.Candidates) == 0 {
			continue
		}
		q.Candidates = append([]string{candidate(p.at, p.evidence)}, q.Candidates[:min(len(q.Candidates), mostSuggestions-1)]...)
		qs = append(qs, q)
	}
	r.qs = qs
}

// wanted is how a milestone is asked for.
var wanted = map[incident.MilestoneName]string{
	incident.Started:      "When did users begin to be affected?",
	incident.Detected:     "When did the organisation first know?",
	incident.Acknowledged: "When did somebody begin to work on it?",
	incident.Identified:   "When was the cause known?",
	incident.Mitigated:    "When were users well again?",
	incident.Resolved:     "When was it over?",
}

// askMissing asks for the milestones that are not given: with what may be them, the likeliest first, and in one question for
// all of which the document seems to say nothing.
func (r *Reader) askMissing() {
	if r.doubtful() {
		return
	}
	var absent []string
	for _, n := range incident.MilestoneNames {
		if _, ok := r.picks[n]; ok {
			continue
		}
		var cs []string
		line := 0
		for _, s := range r.suggested[n] {
			cs = append(cs, candidate(s.at, s.evidence))
			if line == 0 {
				line = s.line
			}
		}
		if len(cs) == 0 {
			absent = append(absent, string(n))
			continue
		}
		r.question(string(n), "milestones."+string(n), wanted[n], "No line says it plainly; the likeliest comes first.", cs, line)
	}
	if len(absent) > 0 {
		r.question(AskAbsent, "milestones", "Not in the document: "+strings.Join(absent, ", ")+".", "Nothing in it looks like them.", nil, 0)
	}
}
