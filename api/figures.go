package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"meantime/measure"
)

// Figures answers questions about figures. An error that a person can do something about is incident.Problems.
type Figures interface {
	Report(ctx context.Context, q measure.Question) (*measure.Report, error)
	Explain(ctx context.Context, q measure.Question) (*measure.Explanation, error)
}

// period are the parameters that say what figures are of.
var period = []string{"window", "from", "to", "month", "zone", "service", "severity", "label"}

// question reads what a request asks for, and the form of its answer, which is one of forms.
func question(r *http.Request, forms []string, more ...string) (measure.Question, string, error) {
	q := newQuery(r, append(append(more, "format"), period...)...)
	out := stretch(q)
	out.Service, out.Severity, out.Label = q.text("service"), q.text("severity"), q.text("label")
	out.Interval, out.By = q.text("interval"), q.text("by")
	form := oneOf(q, "format", forms...)
	if form == "" {
		form = forms[0]
	}
	return out, form, q.err()
}

// stretch reads which period is asked for.
func stretch(q *query) measure.Question {
	out := measure.Question{Window: q.text("window"), Month: q.text("month"), Zone: q.text("zone")}
	for name, into := range map[string]*string{"from": &out.From, "to": &out.To} {
		if t := q.time(name); !t.IsZero() {
			*into = t.Format("2006-01-02T15:04:05.999999999Z07:00")
		}
	}
	return out
}

// getFigures answers with one line for each group and interval.
func (a *api) getFigures(w http.ResponseWriter, r *http.Request) error {
	q, form, err := question(r, []string{"json", "csv"}, "by", "interval")
	if err != nil {
		return err
	}
	rep, err := a.Figures.Report(r.Context(), q)
	if err != nil {
		return err
	}
	answer := rep.Answer()
	if q.Interval != "" {
		if err := answer.OnlyInterval(q.Interval); err != nil {
			return err
		}
	}
	if form == "csv" {
		return written(w, "text/csv; charset=utf-8", answer.CSV)
	}
	return reply(w, http.StatusOK, answer)
}

// getReport answers with the report that the command of that name prints.
func (a *api) getReport(w http.ResponseWriter, r *http.Request) error {
	q, form, err := question(r, []string{"json", "markdown"}, "by")
	if err != nil {
		return err
	}
	rep, err := a.Figures.Report(r.Context(), q)
	if err != nil {
		return err
	}
	if form == "markdown" {
		return written(w, "text/markdown; charset=utf-8", rep.Markdown)
	}
	return reply(w, http.StatusOK, rep)
}

// getExplain answers with the incidents of one figure.
func (a *api) getExplain(w http.ResponseWriter, r *http.Request) error {
	q, form, err := question(r, []string{"json", "markdown"}, "interval")
	if err != nil {
		return err
	}
	e, err := a.Figures.Explain(r.Context(), q)
	if err != nil {
		return err
	}
	e.Included, e.LeftOut = list(e.Included), list(e.LeftOut)
	if form == "markdown" {
		return written(w, "text/markdown; charset=utf-8", e.Markdown)
	}
	return reply(w, http.StatusOK, e)
}

// written answers with what write writes, whole.
func written(w http.ResponseWriter, contentType string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	send(w, http.StatusOK, contentType, b.Bytes())
	return nil
}
