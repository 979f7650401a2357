package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
)

// maxPreviewForm bounds the form of a preview: a form can need three bytes for one of the text.
const maxPreviewForm = 3*preview.MaxText + 4<<10

// previewPage is the form of a preview, and its answer.
type previewPage struct {
	Text            string
	Query           measure.Question
	Windows, Months []string
	SignIn          bool     // who asks has to sign in first
	Wrong           []string // what is wrong with what was sent
	Change          *preview.Change
	Period          string
	Lists           []previewList
	Links           []preview.Link
	Figures         []movedFigure
	// MoreLinks and MoreFigures are how many are not shown.
	MoreLinks, MoreFigures int
}

// previewList is one way in which incidents would be otherwise.
type previewList struct {
	Title, One, Several string
	Rows                []previewRow
	More                int
}

// previewRow is an incident with those that it is on the other side, where it is several.
type previewRow struct {
	One     shownIncident
	Several []shownIncident
}

// shownIncident has an address where it is there as configured now.
type shownIncident struct {
	preview.Incident
	Now bool
}

// movedFigure is one figure in words, each from what it is to what it would be.
type movedFigure struct{ Interval, Of, Incidents, N, Median, Mean string }

// askPreview shows the form.
func (s *web) askPreview(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	return s.previewWith(w, r, http.StatusOK, previewPage{Query: measure.Question{Window: v.Get("window"), Month: v.Get("month")}})
}

func (s *web) previewWith(w http.ResponseWriter, r *http.Request, status int, body previewPage) error {
	body.Windows, body.Months = s.Windows(), s.months()
	body.SignIn = s.Token() != "" && s.user(r) == ""
	return s.show(w, r, status, "preview", "Preview", "figures", body)
}

// showPreview says what the configuration in the form would change. Nothing is stored. Where there is a token for writing, it takes somebody
// who signed in, because it takes memory and a processor.
func (s *web) showPreview(w http.ResponseWriter, r *http.Request) error {
	if s.Token() != "" && s.user(r) == "" {
		return s.previewWith(w, r, http.StatusForbidden, previewPage{})
	}
	if err := readFormOf(w, r, maxPreviewForm); err != nil {
		return err
	}
	f := r.PostForm
	body := previewPage{Text: f.Get("text"), Query: measure.Question{Window: f.Get("window"), Month: f.Get("month")}}
	if body.Query.Month != "" {
		body.Query.Window = "" // both are fields of one form
	}
	switch {
	case strings.TrimSpace(body.Text) == "":
		body.Wrong = []string{"There is no configuration"}
		return s.previewWith(w, r, http.StatusBadRequest, body)
	case len(body.Text) > preview.MaxText:
		return &refusal{http.StatusRequestEntityTooLarge, "This configuration is too long."}
	}
	change, err := s.Preview(r.Context(), []byte(strings.ReplaceAll(body.Text, "\r\n", "\n")), body.Query)
	var wrong incident.Problems
	switch {
	case errors.Is(err, preview.ErrBusy):
		w.Header().Set("Retry-After", "5")
		body.Wrong = []string{capital(err.Error())}
		return s.previewWith(w, r, http.StatusTooManyRequests, body)
	case errors.As(err, &wrong):
		for _, p := range wrong {
			body.Wrong = append(body.Wrong, p.String())
		}
		return s.previewWith(w, r, http.StatusBadRequest, body)
	case err != nil && incident.CodeOf(err) == incident.CodeInvalid:
		body.Wrong = []string{capital(err.Error())}
		return s.previewWith(w, r, http.StatusBadRequest, body)
	case err != nil:
		return err
	}
	z := s.zone(r)
	body.Period = z.when(change.From, incident.PrecisionMinute) + " to " + z.when(change.To, incident.PrecisionMinute)
	body.tell(change)
	return s.previewWith(w, r, http.StatusOK, body)
}

// tell says a change as tables.
func (p *previewPage) tell(c *preview.Change) {
	p.Change = c
	alone := func(l []preview.Incident, now bool) (out []previewRow) {
		for _, x := range l {
			out = append(out, previewRow{One: shownIncident{x, now}})
		}
		return out
	}
	split := func(l []preview.Split, now bool) (out []previewRow) {
		for _, x := range l {
			row := previewRow{One: shownIncident{x.One, now}}
			for _, y := range x.Several {
				row.Several = append(row.Several, shownIncident{y, !now})
			}
			out = append(out, row)
		}
		return out
	}
	for _, l := range []previewList{
		{Title: "would appear", One: "Incident", Rows: alone(c.Appearing, false)},
		{Title: "would vanish", One: "Incident", Rows: alone(c.Vanishing, true)},
		{Title: "would join several", One: "Would be", Several: "Is now", Rows: split(c.Joining, false)},
		{Title: "would part", One: "Is now", Several: "Would be", Rows: split(c.Parting, true)},
	} {
		l.Rows, l.More = most(l.Rows)
		p.Lists = append(p.Lists, l)
	}
	p.Links, p.MoreLinks = most(c.Links)
	list, more := most(c.Figures)
	p.MoreFigures = more
	for i := range list {
		p.Figures = append(p.Figures, movedOf(&list[i]))
	}
}

// most is as many of a list as the page shows, and how many it does not.
func most[T any](l []T) ([]T, int) {
	n := min(len(l), preview.MostLines)
	return l[:n], len(l) - n
}

func movedOf(f *preview.Figure) movedFigure {
	words := func(v *float64) string {
		if v == nil {
			return notKnown
		}
		return seconds(*v)
	}
	moved := func(before, after string) string {
		if before == after {
			return after
		}
		return before + " → " + after
	}
	count := func(before, after int) string { return moved(strconv.Itoa(before), strconv.Itoa(after)) }
	return movedFigure{
		Interval: f.Interval, Of: f.Of(), Incidents: count(f.IncidentsBefore, f.Incidents), N: count(f.NBefore, f.N),
		Median: moved(words(f.MedianBefore), words(f.Median)), Mean: moved(words(f.MeanBefore), words(f.Mean)),
	}
}

// Same says that nothing would change.
func (p previewPage) Same() bool {
	c := p.Change
	return c != nil && len(c.Appearing)+len(c.Vanishing)+len(c.Joining)+len(c.Parting)+len(c.Links)+len(c.Figures) == 0
}
