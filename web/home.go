package web

import (
	"net/http"
	"slices"
	"time"

	"meantime/incident"
	"meantime/setup"
)

// What the first page shows at most, and how far back it looks for open questions.
const (
	homeOpen      = 20
	homeRecent    = 10
	homeSuggested = 20
	homeQuestions = 20
	lookBack      = 90 * 24 * time.Hour
)

// question is something that a record leaves open.
type question struct {
	incident.Question
	Record   incident.RecordKey
	Title    string
	Incident string
}

// home shows what needs attention, and what happened last.
func (s *web) home(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Open          []row
		MoreOpen      bool
		Recent        []row
		Suggested     []incident.Verdict
		MoreSuggested bool
		Questions     []question
		MoreQuestions int
		Days          int // how far back questions are looked for
		Down          []Source
		Noted         []Source // those with notes
		Notes         []string
		Sources       []Source
		Quiet         bool // nothing needs attention
		Setup         setup.Checklist
		Begins        bool // there is nothing yet
	}
	ctx := r.Context()
	open, next, err := s.Store.Incidents(ctx, incident.IncidentQuery{State: incident.StateOpen, Limit: homeOpen})
	if err != nil {
		return err
	}
	body.Open, body.MoreOpen = s.rows(open), next != ""
	recent, _, err := s.Store.Incidents(ctx, incident.IncidentQuery{Limit: homeRecent})
	if err != nil {
		return err
	}
	body.Recent = s.rows(recent)
	if body.Suggested, next, err = s.Store.Verdicts(ctx, incident.VerdictQuery{Outcome: incident.OutcomeSuggested, Limit: homeSuggested}); err != nil {
		return err
	}
	body.MoreSuggested = next != ""
	records, err := s.Store.Records(ctx, s.Now().Add(-lookBack), time.Time{})
	if err != nil {
		return err
	}
	body.Days = int(lookBack / (24 * time.Hour))
	body.Questions = questions(records)
	if n := len(body.Questions); n > homeQuestions {
		body.Questions, body.MoreQuestions = body.Questions[:homeQuestions], n-homeQuestions
	}
	body.Sources, body.Notes = s.Sources(), s.Notes()
	for _, x := range body.Sources {
		if !x.Up {
			body.Down = append(body.Down, x)
		}
		if len(x.Notes) > 0 {
			body.Noted = append(body.Noted, x)
		}
	}
	if body.Setup, err = s.Setup(ctx); err != nil {
		return err
	}
	body.Begins = len(body.Recent) == 0 && len(body.Setup.Checks) > 0
	body.Quiet = !body.Begins && len(body.Open)+len(body.Suggested)+len(body.Questions)+len(body.Down)+len(body.Noted)+len(body.Notes) == 0
	return s.show(w, r, http.StatusOK, "home", "Meantime", "home", body)
}

// questions are those of all records, the newest record's first.
func questions(records []incident.Record) []question {
	slices.SortStableFunc(records, func(a, b incident.Record) int {
		from, _ := a.Span()
		other, _ := b.Span()
		return other.Compare(from)
	})
	var out []question
	for i := range records {
		for _, q := range records[i].Questions {
			title := records[i].Title
			if title == "" {
				title = records[i].Key().String()
			}
			out = append(out, question{q, records[i].Key(), title, incident.RecordID(records[i].Key())})
		}
	}
	return out
}
