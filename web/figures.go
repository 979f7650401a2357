package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/letter"
	"meantime/measure"
)

// Figures answers questions about figures. An error that a person can do something about is incident.Problems.
type Figures interface {
	// Explained is a report with the explanations of those of the intervals that there are, of one reading.
	Explained(ctx context.Context, q measure.Question, intervals []string) (*measure.Report, []*measure.Explanation, error)
	// Letter is the letter of a period by its name, such as 2026-11.
	Letter(ctx context.Context, period string, q measure.Question) (*letter.Letter, error)
}

// tiles are the intervals that the page shows large, with what managers call them.
var tiles = []struct{ interval, title, name string }{
	{"detect", "Time to detect", "MTTD"},
	{"acknowledge", "Time to acknowledge", "MTTA"},
	{"mitigate", "Time to mitigate", "MTTM"},
	{"resolve", "Time to resolve", "MTTR"},
}

// tile is one figure as a manager reads it.
type tile struct {
	Interval, Title, Name string
	// Value is the median, or how many are too few. Lines say the rest, one sentence each.
	Value string
	Known bool
	Lines []string
	Dots  *dots
	// LeftOut are the incidents that are not in it, by why.
	LeftOut []leftOut
}

type leftOut struct {
	Why       string
	Incidents []measure.LeftOutIncident
}

// dots are the incidents of a figure on a line, by how long they took.
type dots struct {
	Dots             []dot
	Median           string // where the median is
	Shortest, Longer string // the ends of the line in words
	Every            int    // only every so many-th incident is a dot; 0 for all
}

type dot struct{ ID, Title, X, Y string }

// Sizes of the strip of dots, in its own units.
const (
	stripWidth, stripHeight = 600.0, 44.0
	stripEdge               = 8.0
	maxDots                 = 500 // more say nothing to the eye
)

// listed is a line of a table of groups.
type listed struct {
	Name, Address                     string
	Incidents                         int
	Detect, Resolve, Between, Percent string
}

// figuresPage is what the page shows.
type figuresPage struct {
	Query                         measure.Question
	Several                       bool // several services or severities were asked for
	Windows, Services, Severities []string
	Months                        []string
	Period, Before                string
	Group                         measure.Grouping
	Began, BeganBefore            string
	Watched                       string // since when anything is known
	Tiles                         []tile
	Reliability                   []string
	RateChange                    string
	ByService, BySeverity         []listed
	ByLabel                       []labelled
	Labels                        []string // that there are figures by
	Table                         string   // the address of the figures as a table
	Letter                        string   // that of the letter of the month, or of the last one that is over
}

// labelled are the groups by one label.
type labelled struct {
	Label  string
	Groups []listed
}

func (p *figuresPage) label(name string, l listed) {
	if n := len(p.ByLabel); n == 0 || p.ByLabel[n-1].Label != name {
		p.ByLabel = append(p.ByLabel, labelled{Label: name})
	}
	last := &p.ByLabel[len(p.ByLabel)-1]
	last.Groups = append(last.Groups, l)
}

// by are the labels that there are figures by.
func (s *web) by() []string {
	if s.By == nil {
		return nil
	}
	return s.By()
}

// monthsBack is how many calendar months can be chosen.
const monthsBack = 12

// months are those, the last first.
func (s *web) months() (out []string) {
	first := time.Date(s.Now().UTC().Year(), s.Now().UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	for k := range monthsBack {
		out = append(out, first.AddDate(0, -k, 0).Format("2006-01"))
	}
	return out
}

// showFigures shows the figures of one period and group, with their incidents.
func (s *web) showFigures(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	service, services := chosen(v.Get("service"))
	severity, severities := chosen(v.Get("severity"))
	q := measure.Question{Window: v.Get("window"), Month: v.Get("month"), Service: service, Severity: severity, Label: v.Get("label"),
		By: strings.Join(append([]string{"service", "severity"}, s.by()...), ",")}
	if q.Month != "" {
		q.Window = "" // both are fields of one form
	}
	var shown []string
	for i := range tiles {
		shown = append(shown, tiles[i].interval)
	}
	rep, explained, err := s.Figures.Explained(r.Context(), q, shown)
	if err != nil {
		return err
	}
	g, z := &rep.Groups[0], s.zone(r)
	body := figuresPage{
		Query: q, Several: services || severities, Group: g.Grouping, Windows: s.Windows(),
		Began:       beganWords(g.Now.Incidents, rep.Unwatched(rep.From, rep.To)),
		Period:      cmp.Or(rep.Window, "the period"),
		BeganBefore: beforeWords(g.Before.Incidents, rep.Unwatched(rep.Before, rep.From)),
		Before:      z.when(rep.Before, incident.PrecisionMinute) + " to " + z.when(rep.From, incident.PrecisionMinute),
	}
	body.Labels = s.by()
	if !rep.Watched.IsZero() {
		body.Watched = z.when(rep.Watched, incident.PrecisionMinute)
	}
	body.Months = s.months()
	for _, e := range explained {
		i := slices.IndexFunc(g.Now.Intervals, func(iv measure.IntervalFigures) bool { return iv.Interval == e.Interval.Name })
		k := slices.Index(shown, e.Interval.Name)
		if i < 0 || k < 0 {
			continue
		}
		t := tileOf(&g.Now.Intervals[i], &g.Before.Intervals[i], g.Changes[i].Words, g.Now.Incidents, rep.Unwatched(rep.From, rep.To))
		t.Interval, t.Title, t.Name = e.Interval.Name, tiles[k].title, tiles[k].name
		t.Dots, t.LeftOut = dotsOf(e), leftOutOf(e)
		body.Tiles = append(body.Tiles, t)
	}
	if g.Reliability != nil {
		body.Reliability = g.Reliability.Lines()
	}
	if g.RateChange != nil {
		body.RateChange = g.RateChange.Words
	}
	address := func(service, severity, label string) string {
		a := url.Values{}
		for name, value := range map[string]string{
			"window": q.Window, "month": q.Month, "service": service, "severity": severity, "label": label,
		} {
			if value != "" {
				a.Set(name, value)
			}
		}
		return s.Prefix + "/figures?" + a.Encode()
	}
	for i := range rep.Groups {
		x := &rep.Groups[i]
		switch {
		case x.Label != g.Label:
			if x.Severity == q.Severity {
				body.label(x.Label, listedOf(x, x.Value, address("", q.Severity, x.Label+"="+x.Value)))
			}
		case x.Service != q.Service && x.Severity == q.Severity:
			body.ByService = append(body.ByService, listedOf(x, x.Service, address(x.Service, q.Severity, "")))
		case x.Severity != q.Severity && x.Service == q.Service:
			body.BySeverity = append(body.BySeverity, listedOf(x, x.Severity, address(q.Service, x.Severity, q.Label)))
		}
	}
	body.Table = strings.Replace(address(q.Service, q.Severity, q.Label), "/figures?", "/api/v1/figures?format=csv&", 1)
	body.Letter = letterAddress(s.Prefix, cmp.Or(q.Month, body.Months[1]), &q)
	return s.show(w, r, http.StatusOK, "figures", "Figures", "figures", body)
}

// chosen is the service or severity that a link of a dashboard names: Grafana writes what is chosen in a variable as {a} or
// {a,b}, and All as the text that stands for all. Of several there is no one figure.
func chosen(v string) (one string, several bool) {
	if v == "^$" {
		return "", false
	}
	if inner, ok := strings.CutPrefix(v, "{"); ok && strings.HasSuffix(inner, "}") {
		if inner = inner[:len(inner)-1]; strings.Contains(inner, ",") {
			return "", true
		}
		return inner, false
	}
	return v, false
}

// seconds is a duration of so many seconds in words.
func seconds(x float64) string { return duration(time.Duration(x * float64(time.Second))) }

// notKnown is how a figure is shown that has no value, everywhere.
const notKnown = "not known"

// beganWords says how many incidents began in a period, of which nothing may have been watched: of that 0 says nothing.
func beganWords(n int, unwatched bool) string {
	switch {
	case n == 0 && unwatched:
		return "How many incidents began is " + notKnown + ": nothing was watched in this period"
	case n == 1:
		return "1 incident began"
	}
	return fmt.Sprintf("%d incidents began", n)
}

// beforeWords says how many incidents began in the period before.
func beforeWords(n int, unwatched bool) string {
	if n == 0 && unwatched {
		return "how many did in the period before is " + notKnown + ": nothing was watched then"
	}
	return fmt.Sprintf("%d in the period before", n)
}

// tileOf says an interval's figures in words.
func tileOf(now, before *measure.IntervalFigures, change string, incidents int, unwatched bool) (t tile) {
	if now.Median == nil {
		t.Value = notKnown
		t.Lines = []string{fmt.Sprintf("of none of %d incidents", incidents)}
		switch {
		case incidents == 0 && unwatched:
			t.Lines = []string{"nothing was watched"}
		case incidents == 0:
			t.Lines = []string{"no incident began"}
		}
		return t
	}
	t.Value, t.Known = "median "+seconds(now.Median.Value), true
	if b := now.Median.Bounds; b != nil {
		t.Lines = append(t.Lines, "90 % sure between "+seconds(b.Lower)+" and "+seconds(b.Upper))
	} else {
		t.Lines = append(t.Lines, fmt.Sprintf("too few to be sure of: it takes %d", measure.MinBounds))
	}
	t.Lines = append(t.Lines, fmt.Sprintf("%d of %d incidents", now.N, incidents))
	if before.Median != nil {
		t.Lines = append(t.Lines, "before: "+seconds(before.Median.Value)+"; "+change)
	} else {
		t.Lines = append(t.Lines, "before: "+notKnown)
	}
	if now.Survival != nil && *now.Survival != now.Median.Value {
		t.Lines = append(t.Lines, "median with those that went on longer than is known: "+seconds(*now.Survival))
	}
	if now.Mean != nil {
		t.Lines = append(t.Lines, "mean "+seconds(*now.Mean))
	}
	return t
}

// dotsOf places the incidents of a figure by the logarithm of their length; under a second is one.
func dotsOf(e *measure.Explanation) *dots {
	list := e.Included
	if len(list) == 0 {
		return nil
	}
	low := math.Log(max(1, list[0].Seconds))
	high := math.Log(max(1, e.Included[len(e.Included)-1].Seconds))
	at := func(x float64) string {
		if high <= low {
			return fmt.Sprintf("%.1f", stripWidth/2)
		}
		return fmt.Sprintf("%.1f", stripEdge+(stripWidth-2*stripEdge)*(math.Log(max(1, x))-low)/(high-low))
	}
	d := &dots{Shortest: seconds(e.Included[0].Seconds), Longer: seconds(e.Included[len(e.Included)-1].Seconds),
		Median: at(e.Figures.Median.Value)}
	// Of more than can be told apart every n-th is shown, and so are the shortest and the longest.
	every := (len(list) + maxDots - 1) / maxDots
	if every > 1 {
		d.Every = every
	}
	for i := range list {
		if i%every != 0 && i != len(list)-1 {
			continue
		}
		x := &list[i]
		// Neighbours stand one above the other, so that they can be told apart and hit.
		y := stripHeight/2 + float64(i%3-1)*12
		d.Dots = append(d.Dots, dot{x.ID, cmp.Or(x.Title, "Incident "+x.ID) + ": " + seconds(x.Seconds), at(x.Seconds), fmt.Sprintf("%.0f", y)})
	}
	return d
}

// leftOutOf are the incidents that are not in a figure, by status.
func leftOutOf(e *measure.Explanation) (out []leftOut) {
	for _, x := range e.LeftOut {
		if x.Status == "" {
			continue // it is in no window
		}
		why := statusWords(x.Status)
		if n := len(out); n == 0 || out[n-1].Why != why {
			out = append(out, leftOut{Why: why})
		}
		last := &out[len(out)-1]
		last.Incidents = append(last.Incidents, x)
	}
	return out
}

// statusWords says why a measurement is not in a figure.
func statusWords(s incident.Status) string {
	switch s {
	case incident.StatusPending:
		return "not yet: still open"
	case incident.StatusMissing:
		return notKnown
	case incident.StatusInvalid:
		return "the end is told before the start"
	case incident.StatusNotApplicable:
		return "not measured: a drill, maintenance, or no incident after all"
	}
	return string(s)
}

// listedOf is a group in a table.
func listedOf(g *measure.ReportGroup, name, address string) listed {
	l := listed{Name: name, Address: address, Incidents: g.Now.Incidents, Detect: notKnown, Resolve: notKnown, Between: notKnown,
		Percent: notKnown}
	for i := range g.Now.Intervals {
		iv := &g.Now.Intervals[i]
		if iv.Median == nil {
			continue
		}
		words := fmt.Sprintf("%s (%d)", seconds(iv.Median.Value), iv.N)
		switch iv.Interval {
		case "detect":
			l.Detect = words
		case "resolve":
			l.Resolve = words
		}
	}
	if r := g.Reliability; r != nil {
		l.Percent = measure.Percent(r.Availability.Value)
		if worst := r.Availability.Bounds.Lower; worst < r.Availability.Value {
			l.Percent = "at least " + measure.Percent(worst)
		}
		switch b := r.Between; {
		case b == nil:
		case b.Mean == nil || r.Incidents < measure.MinBounds: // the mean of so few is no fact
			l.Between = "at least " + seconds(*b.Lower)
		default:
			l.Between = seconds(*b.Mean)
		}
	}
	return l
}
