package web

import (
	"net/http"
	"net/url"
	"slices"

	"meantime/incident"
	"meantime/letter"
	"meantime/measure"
)

// letterAddress is where the letter of a period is, of the group that a question names.
func letterAddress(prefix, period string, q *measure.Question) string {
	v := url.Values{}
	if q.Service != "" {
		v.Set("service", q.Service)
	}
	if q.Severity != "" {
		v.Set("severity", q.Severity)
	}
	address := prefix + "/reports/" + url.PathEscape(period)
	if len(v) > 0 {
		address += "?" + v.Encode()
	}
	return address
}

// letterForms are those that can be asked for besides the page.
var letterForms = []string{"", letter.FormText, letter.FormJSON}

// showLetter shows the letter of a month or a week, to be read, printed or sent on.
func (s *web) showLetter(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	form := v.Get("format")
	if !slices.Contains(letterForms, form) {
		return incident.Errorf(incident.CodeInvalid, "format: %q is neither text nor json", cut(form))
	}
	q := measure.Question{Zone: v.Get("zone"), Service: v.Get("service"), Severity: v.Get("severity")}
	l, err := s.Figures.Letter(r.Context(), r.PathValue("period"), q)
	if err != nil {
		return err
	}
	if form == "" {
		return s.show(w, r, http.StatusOK, "letter", l.Title(), "figures", l)
	}
	body, contentType, err := l.Body(form)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	_, err = w.Write(body)
	return err
}
