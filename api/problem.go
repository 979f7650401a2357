package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"unicode/utf8"

	"meantime/incident"
)

// retryAfter is what an answer of 503 asks a client to wait, in seconds.
const retryAfter = 5

// statuses is the one table from what kind of trouble an error is to the HTTP status that says so.
var statuses = map[incident.Code]int{
	incident.CodeInvalid:       http.StatusBadRequest,
	incident.CodeNotFound:      http.StatusNotFound,
	incident.CodeConflict:      http.StatusConflict,
	incident.CodeTooLarge:      http.StatusRequestEntityTooLarge,
	incident.CodeUnprocessable: http.StatusUnprocessableEntity,
	incident.CodeUnavailable:   http.StatusServiceUnavailable,
	incident.CodePending:       http.StatusServiceUnavailable,
	incident.CodeInternal:      http.StatusInternalServerError,
}

// problem is the body of an answer that is not a success, as RFC 9457 has it. Its type is always about:blank and
// therefore left out; code and errors are members of our own. As an error it is trouble of HTTP alone (a wrong method,
// no token), which has no incident.Code.
type problem struct {
	Title  string             `json:"title"`
	Status int                `json:"status"`
	Detail string             `json:"detail"`
	Code   incident.Code      `json:"code,omitempty"`
	Errors []incident.Problem `json:"errors,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

// problemOf is what a client may know of err: everything where the client can do something about it, and nothing of
// what went wrong inside.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		c := *p
		c.Title = http.StatusText(c.Status)
		return &c
	}
	code := incident.CodeOf(err)
	status, ok := statuses[code]
	if !ok {
		code, status = incident.CodeInternal, http.StatusInternalServerError
	}
	p = &problem{Title: http.StatusText(status), Status: status, Code: code, Detail: err.Error()}
	switch code {
	case incident.CodeUnavailable:
		p.Detail = "the store cannot answer now; try again"
	case incident.CodeInternal:
		p.Detail = "this is a fault of the server, whose log says more"
	}
	var all incident.Problems
	if errors.As(err, &all) {
		p.Errors = all
	}
	return p
}

// fail answers with err as a problem. What a client did wrong is logged for debugging only; what went wrong here, as an error.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	log := a.Logger.Debug
	if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		log = a.Logger.Error
	}
	log("Request not answered", "method", r.Method, "path", r.URL.Path, "status", p.Status, "err", err)
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	b, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status) // strings and numbers always marshal
		return
	}
	send(w, p.Status, "application/problem+json", b)
}

// reply answers with v as JSON. It is marshalled whole before the first byte goes out, so that an error can still be told.
func reply(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	send(w, status, "application/json", b)
	return nil
}

func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	if !bytes.HasSuffix(body, []byte("\n")) {
		body = append(body, '\n')
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

// cut shortens what an error quotes.
func cut(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	i := most
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return s[:i] + "…"
}
