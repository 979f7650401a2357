package web

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"meantime/incident"
)

// pageSize is how many entries a list shows at once.
const pageSize = 50

// filters are what a list is narrowed to, as the form shows it.
type filters struct {
	From, To string // days in UTC, YYYY-MM-DD, both included
	Service  string
	Severity string
	State    string
	Outcome  string
}

// Any says whether anything is filtered.
func (f filters) Any() bool { return f != filters{} }

// farthest is the last moment that a link of a dashboard may name: the end of the year 9999, in milliseconds.
const farthest = 253402300799999

// readFilters reads the parameters of a list's form. Empty ones select all. around is of the links of dashboards, whose dots stand up to
// one step of the axis after an incident began: the day of that moment, and the day before.
func readFilters(v url.Values) (f filters, from, to time.Time, err error) {
	f = filters{v.Get("from"), v.Get("to"), v.Get("service"), v.Get("severity"), v.Get("state"), v.Get("outcome")}
	var p incident.Problems
	day := func(name, s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			p = append(p, incident.Problem{Path: name, Message: fmt.Sprintf("not a day: %q; write it like 2006-01-02", cut(s))})
		}
		return t
	}
	if around := v.Get("around"); around != "" && f.From == "" && f.To == "" {
		ms, err := strconv.ParseInt(around, 10, 64)
		if err != nil || ms < 0 || ms > farthest {
			p = append(p, incident.Problem{Path: "around", Message: fmt.Sprintf("not a time in milliseconds since 1970: %q", cut(around))})
		} else {
			t := time.UnixMilli(ms).UTC()
			f.From, f.To = t.AddDate(0, 0, -1).Format(time.DateOnly), t.Format(time.DateOnly)
		}
	}
	from, to = day("from", f.From), day("to", f.To)
	if !to.IsZero() {
		to = to.AddDate(0, 0, 1) // the day itself is meant too
	}
	return f, from, to, p.Err()
}

// older is the address of the page that goes on at cursor; empty where there is none.
func older(u *url.URL, cursor string) string {
	if cursor == "" {
		return ""
	}
	v := u.Query()
	v.Set("cursor", cursor)
	return u.Path + "?" + v.Encode()
}

// newest is the address of the first page where this is another.
func newest(u *url.URL) string {
	v := u.Query()
	if v.Get("cursor") == "" {
		return ""
	}
	v.Del("cursor")
	return u.Path + "?" + v.Encode()
}
