package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/incident"
)

// Limits on a page.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// query reads the parameters of a request and collects what is wrong with them, each problem under the parameter's name.
type query struct {
	values   url.Values
	known    []string
	problems incident.Problems
}

// newQuery reads the request's query, of which only the given parameters are known. An unknown one is a mistake: ignored,
// a misspelt filter would answer with everything.
func newQuery(r *http.Request, known ...string) *query {
	v, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: v, known: known}
	if err != nil {
		q.bad("", "query: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch {
		case !slices.Contains(known, name):
			q.bad(cut(name), "unknown parameter; %s", knownParameters(known))
		case len(v[name]) > 1:
			q.bad(name, "given %d times", len(v[name]))
		}
	}
	return q
}

func knownParameters(known []string) string {
	if len(known) == 0 {
		return "this address takes none"
	}
	return "the parameters are " + strings.Join(known, ", ")
}

func (q *query) bad(name, format string, args ...any) {
	q.problems = append(q.problems, incident.Problem{Path: name, Message: fmt.Sprintf(format, args...)})
}

// err is everything wrong with the query, nil where nothing is.
func (q *query) err() error { return q.problems.Err() }

// text is a parameter as it is.
func (q *query) text(name string) string { return q.values.Get(name) }

// time is a parameter's time, zero where it is not given.
func (q *query) time(name string) time.Time {
	s := q.values.Get(name)
	if s == "" {
		return time.Time{}
	}
	t, err := incident.ParseTime(s)
	if err != nil && strings.Contains(s, " ") {
		t, err = incident.ParseTime(strings.Replace(s, " ", "+", 1)) // a + in a query that was not escaped
	}
	if err != nil {
		q.bad(name, "%v", err)
	}
	return t
}

// between is the stretch from..to, either of which may be left out.
func (q *query) between() (from, to time.Time) {
	from, to = q.time("from"), q.time("to")
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		q.bad("to", "%s is before from %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return from, to
}

// flag is a parameter that is true or false; false where it is not given.
func (q *query) flag(name string) bool {
	switch s := q.values.Get(name); s {
	case "true":
		return true
	case "", "false":
		return false
	default:
		q.bad(name, "neither true nor false: %q", cut(s))
		return false
	}
}

// limit is the number of entries of a page.
func (q *query) limit() int {
	s := q.values.Get("limit")
	if s == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		q.bad("limit", "not a number from 1 to %d: %q", maxLimit, cut(s))
	}
	return n
}

// oneOf is a parameter with a fixed set of values.
func oneOf[T ~string](q *query, name string, allowed ...T) T {
	v := T(q.values.Get(name))
	if v != "" && !slices.Contains(allowed, v) {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		q.bad(name, "unknown value %q; it is one of %s", cut(string(v)), strings.Join(names, ", "))
	}
	return v
}

// A cursor is opaque to clients: base64url of a digest of the list and its filters, and of what the list itself needs to
// go on. The digest is there so that a cursor brought to another list, or to other filters, is refused instead of
// answering with a page of nonsense.

const digestSize = 6

func (q *query) digest(list string) []byte {
	h := sha256.New()
	h.Write([]byte(list))
	for _, name := range q.known {
		if name != "cursor" && name != "limit" {
			fmt.Fprintf(h, "\x00%s=%s", name, q.values.Get(name))
		}
	}
	return h.Sum(nil)[:digestSize]
}

// next is the cursor for the page that goes on at the given place; empty where there is no such page.
func (q *query) next(list, at string) string {
	if at == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(q.digest(list), at...))
}

// cursor is the place at which the page goes on; empty for the first page.
func (q *query) cursor(list string) string {
	s := q.values.Get("cursor")
	if s == "" {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) <= digestSize || string(b[:digestSize]) != string(q.digest(list)) {
		q.bad("cursor", "not one that this list gave for these filters; begin again without it")
		return ""
	}
	return string(b[digestSize:])
}
