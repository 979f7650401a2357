package measure

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"meantime/incident"
)

// Question is what people ask for of the figures, as they write it: in a command's flags, a request's parameters, a page's
// address. Empty fields are not given.
type Question struct {
	Window string // a configured window's name or any duration, such as 28d; where nothing is given the first configured
	From   string // RFC 3339; with To instead of a window
	To     string // RFC 3339; now where it is not given
	Month  string // a calendar month, such as 2026-11, instead of all of these
	Zone   string // whose month, such as Europe/Berlin; UTC where it is not given

	Interval string // resolve where it is not given
	Service  string
	Severity string
	Label    string // such as team=payments: of one of the labels that there are figures by
	By       string // service, severity, and labels that there are figures by, with commas between: further groups
}

// Grouping is the group that a question asks for, among labels that there are figures by. The error is incident.Problems.
func (q *Question) Grouping(labels []string) (Grouping, error) {
	g := Grouping{Service: q.Service, Severity: q.Severity}
	if q.Label == "" {
		return g, nil
	}
	label, value, ok := strings.Cut(q.Label, "=")
	switch {
	case !ok || value == "":
		return g, incident.Problems{{Path: "label", Message: fmt.Sprintf("%q is not a label and its value; write it like team=payments", clip(q.Label))}}
	case !slices.Contains(labels, label):
		return g, unknownName("label", label, slices.Clone(labels))
	case q.Service != "":
		return g, incident.Problems{{Path: "label", Message: "give a service or a label, not both: there are figures by each alone and by severity"}}
	}
	g.Label, g.Value = label, value
	return g, nil
}

// Period is the stretch of time that figures are of, and the one before it that they are compared with.
type Period struct {
	// Name is a window's as the configuration says it, or a month's; empty for one from and to.
	Name             string
	Before, From, To time.Time
	// halfOpen: an incident that began at From is in it, and one that began at To is not. In a rolling window, whose end is now,
	// it is the other way round.
	halfOpen bool
}

// Rolling is the period of a rolling window.
func Rolling(w Window, to time.Time) Period {
	return Period{Name: w.Name, Before: to.Add(-2 * w.Length), From: to.Add(-w.Length), To: to}
}

// edges are Before, From and To such that what is after one and not after the next is between them.
func (p *Period) edges() [3]int64 {
	out := [3]int64{p.Before.UnixNano(), p.From.UnixNano(), p.To.UnixNano()}
	if p.halfOpen {
		for i := range out {
			out[i]--
		}
	}
	return out
}

// String names the period in words.
func (p *Period) String() string {
	if p.Name != "" {
		return p.Name
	}
	return stamp(p.From) + " to " + stamp(p.To)
}

// Period is the one that a question asks for. The error is incident.Problems.
func (q *Question) Period(windows []Window, now time.Time) (Period, error) {
	var bad incident.Problems
	problem := func(name, format string, args ...any) {
		bad = append(bad, incident.Problem{Path: name, Message: fmt.Sprintf(format, args...)})
	}
	at := func(name, s string, missing time.Time) time.Time {
		if s == "" {
			return missing
		}
		t, err := incident.ParseTime(s)
		if err != nil {
			problem(name, "%v", err)
		} else if t.After(now) {
			problem(name, "%s is later than now", stamp(t))
		}
		return t
	}
	switch {
	case q.Month != "" && q.Window+q.From+q.To != "":
		problem("month", "give it alone, without window, from and to")
	case q.Month == "" && q.Zone != "":
		problem("zone", "it says whose month is meant, and no month is given")
	case q.Month != "":
		p, err := month(q.Month, q.Zone, now)
		if err != nil {
			problem("month", "%v", err)
		}
		return p, bad.Err()
	case q.From != "" && q.Window != "":
		problem("from", "give a window or from, not both")
	case q.From != "":
		p := Period{From: at("from", q.From, now), To: at("to", q.To, now), halfOpen: true}
		if len(bad) == 0 && !p.From.Before(p.To) {
			problem("to", "%s is not after from %s", stamp(p.To), stamp(p.From))
		}
		p.Before = p.From.Add(-p.To.Sub(p.From))
		return p, bad.Err()
	}
	w, err := windowOf(q.Window, windows)
	if err != nil {
		problem("window", "%v", err)
	}
	return Rolling(w, at("to", q.To, now)), bad.Err()
}

// windowOf is the window of a name or a duration.
func windowOf(name string, configured []Window) (Window, error) {
	for _, w := range configured {
		if name == "" || w.Name == name {
			return w, nil
		}
	}
	d, err := model.ParseDuration(name)
	if err != nil || d == 0 {
		var names []string
		for _, w := range configured {
			names = append(names, w.Name)
		}
		return Window{}, fmt.Errorf("%q is neither one of %s nor a duration such as 28d", name, strings.Join(names, ", "))
	}
	return Window{name, time.Duration(d)}, nil
}

// month is a calendar month, until now where it is not over.
func month(name, zone string, now time.Time) (Period, error) {
	in, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return Period{}, fmt.Errorf("unknown zone %q; write it like Europe/Berlin", zone)
	}
	from, err := time.ParseInLocation("2006-01", name, in)
	if err != nil || from.Year() < 1980 || from.Year() > 2200 {
		return Period{}, fmt.Errorf("not a month: %q; write it like 2026-11", name)
	}
	if !from.Before(now) {
		return Period{}, fmt.Errorf("%s has not begun", name)
	}
	return Period{
		Name: name, Before: from.AddDate(0, -1, 0).UTC(), From: from.UTC(), To: incident.Earliest(from.AddDate(0, 1, 0), now).UTC(),
		halfOpen: true,
	}, nil
}

// Asked is the interval that a question asks for. The error is incident.Problems.
func (q *Question) Asked(intervals []incident.Interval) (incident.Interval, error) {
	name := q.Interval
	if name == "" {
		name = "resolve"
	}
	var names []string
	for _, iv := range intervals {
		if iv.Name == name {
			return iv, nil
		}
		names = append(names, iv.Name)
	}
	return incident.Interval{}, unknownName("interval", name, names)
}

// Groups say which further groups a question asks for, among the labels that there are figures by.
func (q *Question) Groups(known []string) (service, severity bool, labels []string, err error) {
	if q.By == "" {
		return false, false, nil, nil
	}
	for by := range strings.SplitSeq(q.By, ",") {
		switch by = strings.TrimSpace(by); {
		case by == "service":
			service = true
		case by == "severity":
			severity = true
		case slices.Contains(known, by):
			labels = append(labels, by)
		default:
			return false, false, nil, unknownName("by", by, append([]string{"service", "severity"}, known...))
		}
	}
	return service, severity, labels, nil
}

// mostNames is how many names an error lists.
const mostNames = 20

// unknownName is the error for a name that is none of those there are.
func unknownName(path, name string, known []string) error {
	slices.Sort(known)
	words := fmt.Sprintf("no %s %q", path, clip(name))
	if near := incident.Nearest(name, known); near != "" {
		words += fmt.Sprintf("; did you mean %s?", near)
	}
	switch n := len(known); {
	case n == 0:
		words += "; none is known"
	case n > mostNames:
		words += fmt.Sprintf("; there are %s and %d more", strings.Join(known[:mostNames], ", "), n-mostNames)
	default:
		words += "; there are " + strings.Join(known, ", ")
	}
	return incident.Problems{{Path: path, Message: words}}
}

// Names are those of services and severities that incidents have.
type Names struct{ Services, Severities []string }

// Check says that a service or severity is not known which a question asks for.
func (n *Names) Check(q *Question) error {
	if q.Service != "" && !slices.Contains(n.Services, q.Service) {
		return unknownName("service", q.Service, slices.Clone(n.Services))
	}
	if q.Severity != "" && !slices.Contains(n.Severities, q.Severity) {
		return unknownName("severity", q.Severity, slices.Clone(n.Severities))
	}
	return nil
}
