// Package letter makes of the figures of a period the one page that people read of it: what the figures are and were, which
// incidents were the longest, what no alert caught, which alerts are noise, and what is not known and who can tell. It is pure: its
// figures are those of measure's report and explanations, and it works nothing out again.
package letter

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/incident"
	"meantime/measure"
)

// Intervals are those that a letter tells of, in the order of an incident's life, with what managers call their means.
var Intervals = []struct{ Interval, Title, Mean string }{
	{"detect", "Time to detect", "MTTD"},
	{"acknowledge", "Time to acknowledge", "MTTA"},
	{"mitigate", "Time to mitigate", "MTTM"},
	{"resolve", "Time to resolve", "MTTR"},
}

// longest is the interval by which incidents are ordered.
const longest = "resolve"

// leastNoise is how often an alert must have fired for nothing, and never for something, to be worth deleting.
const leastNoise = 3

// Facts is what a letter reads of the store.
type Facts interface {
	EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error]
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
}

// Answers are the figures that a letter tells.
type Answers interface {
	// Explained is a report with the explanations of those of the intervals that there are, of one reading.
	Explained(ctx context.Context, q measure.Question, intervals []string) (*measure.Report, []*measure.Explanation, error)
}

// Asked is the question for a period by its name: a month such as 2026-11, or a week of ISO 8601 such as 2026-W48, of a zone. The error
// is incident.Problems.
func Asked(period, zone string) (measure.Question, error) {
	year, week, ok := strings.Cut(period, "-W")
	if !ok {
		return measure.Question{Month: period, Zone: zone}, nil
	}
	in, err := time.LoadLocation(zone)
	y, yearErr := strconv.Atoi(year)
	n, weekErr := strconv.Atoi(week)
	if err != nil || zone == "Local" {
		return measure.Question{}, incident.Problems{{Path: "zone", Message: fmt.Sprintf("unknown zone %q; write it like Europe/Berlin", zone)}}
	}
	// The fourth of January is in the first week.
	from := time.Date(y, 1, 4, 0, 0, 0, 0, in)
	from = from.AddDate(0, 0, 7*(n-1)-(int(from.Weekday())+6)%7)
	if name := Week(from); yearErr != nil || weekErr != nil || y < 1980 || y > 2200 || name != period {
		return measure.Question{}, incident.Problems{{Path: "period", Message: fmt.Sprintf("not a week: %q; write it like 2026-W48", period)}}
	}
	return measure.Question{From: from.Format(time.RFC3339), To: from.AddDate(0, 0, 7).Format(time.RFC3339)}, nil
}

// Week names the week of ISO 8601 that a time is in, in its own zone.
func Week(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, week)
}

// Write writes the letter of a period by its name. The page of it is below the address, which may be empty.
func Write(ctx context.Context, a Answers, f Facts, q measure.Question, period, address string) (*Letter, error) {
	zone := q.Zone
	asked, err := Asked(period, zone)
	if err != nil {
		return nil, err
	}
	asked.Service, asked.Severity = q.Service, q.Severity
	o := Options{Address: address}
	var names []string
	for _, iv := range Intervals {
		names = append(names, iv.Interval)
	}
	if o.Report, o.Explained, err = a.Explained(ctx, asked, names); err != nil {
		return nil, err
	}
	l, err := New(o, f.EachIncident(ctx, o.Report.From), f.EachVerdict(ctx, o.Report.From, o.Report.To))
	if err != nil {
		return nil, err
	}
	l.Period = period
	if address != "" {
		v := url.Values{}
		for name, value := range map[string]string{"zone": zone, "service": q.Service, "severity": q.Severity} {
			if value != "" {
				v.Set(name, value)
			}
		}
		l.URL = address + "reports/" + url.PathEscape(period)
		if len(v) > 0 {
			l.URL += "?" + v.Encode()
		}
	}
	return l, nil
}

// Options are what a letter is made of.
type Options struct {
	Report    *measure.Report        // its first group is what the letter is about
	Explained []*measure.Explanation // of all Intervals, of the same period and group
	Address   string                 // where the pages are, with a slash at the end; empty: no links
}

// Letter is what is said of a period. In JSON it is what programs get in the place of text.
type Letter struct {
	Period string    `json:"period"` // such as 2026-11; empty for one from and to
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	measure.Grouping
	URL string `json:"url,omitempty"` // the same letter as a page

	Incidents int    `json:"incidents"`
	Before    int    `json:"incidents_before"`
	Change    string `json:"incidents_change,omitempty"`
	// Unwatched: nothing is known of the period, or of the one before, so that none began cannot be told.
	Unwatched       bool     `json:"unwatched,omitempty"`
	UnwatchedBefore bool     `json:"unwatched_before,omitempty"`
	Figures         []Figure `json:"figures"`
	// Reliability says how often and for how long services were down, one sentence each; empty where nothing was watched.
	Reliability []string `json:"reliability,omitempty"`

	Longest   []Entry `json:"longest"`    // those with a known time to resolve, the longest first
	NotCaught []Entry `json:"not_caught"` // those that no alert caught first
	Noise     []Noise `json:"noise"`
	Unknown   []Entry `json:"unknown"` // those of which a time is not known
	// Timeless is how many incidents are in no period, because no time of them is known.
	Timeless int `json:"timeless"`
}

// Figure is one interval of the period and of the one before.
type Figure struct {
	Interval string `json:"interval"`
	Title    string `json:"title"`
	Mean     string `json:"mean_is_called"`
	// Now and Before are nil where the interval is known of no incident.
	Now    *measure.IntervalFigures `json:"now"`
	Before *measure.IntervalFigures `json:"before"`
	Change string                   `json:"change"`
}

// Entry is one incident.
type Entry struct {
	ID         string              `json:"id"`
	Title      string              `json:"title"`
	URL        string              `json:"url,omitempty"`
	Services   []string            `json:"services"`
	Severity   string              `json:"severity,omitempty"`
	DetectedBy incident.DetectedBy `json:"detected_by"`
	Seconds    float64             `json:"seconds,omitempty"` // of Longest
	// What is said of it: why no alert caught it, or what is not known of it. Ask is who can tell.
	What []string `json:"what,omitempty"`
	Ask  string   `json:"ask,omitempty"`
}

// Noise is an alert that fired and belonged to no incident.
type Noise struct {
	Alert    string `json:"alert"`
	Service  string `json:"service,omitempty"`
	Episodes int    `json:"episodes"`
}

// New makes a letter. Incidents and verdicts are those of the period, and may come among others. It stops at the first error.
func New(o Options, incidents iter.Seq2[incident.Incident, error], verdicts iter.Seq2[incident.Verdict, error]) (*Letter, error) {
	r, g := o.Report, &o.Report.Groups[0]
	l := &Letter{
		Period: r.Window, From: r.From, To: r.To, Grouping: g.Grouping, Incidents: g.Now.Incidents, Before: g.Before.Incidents,
		Unwatched: r.Unwatched(r.From, r.To), UnwatchedBefore: r.Unwatched(r.Before, r.From),
		Longest: []Entry{}, NotCaught: []Entry{}, Noise: []Noise{}, Unknown: []Entry{},
	}
	if g.RateChange != nil {
		l.Change = g.RateChange.Words
	}
	if g.Reliability != nil {
		l.Reliability = g.Reliability.Lines()
	}
	for _, iv := range Intervals {
		f := Figure{Interval: iv.Interval, Title: iv.Title, Mean: iv.Mean}
		for i := range g.Now.Intervals {
			if g.Now.Intervals[i].Interval == iv.Interval {
				f.Now, f.Before, f.Change = &g.Now.Intervals[i], &g.Before.Intervals[i], g.Changes[i].Words
			}
		}
		l.Figures = append(l.Figures, f)
	}
	missing := l.missing(o.Explained)
	lengths, members := lengths(o.Explained)
	for inc, err := range incidents {
		if err != nil {
			return nil, err
		}
		if !members[inc.ID] {
			continue
		}
		e := entryOf(&inc, o.Address)
		if s, ok := lengths[inc.ID]; ok {
			long := e
			long.Seconds = s
			l.Longest = append(l.Longest, long)
		}
		if how := notCaught(&inc); how != "" {
			late := e
			late.What = []string{how}
			l.NotCaught = append(l.NotCaught, late)
		}
		if what := missing[inc.ID]; len(what) > 0 {
			e.What, e.Ask = what, ask(&inc)
			l.Unknown = append(l.Unknown, e)
		}
	}
	slices.SortFunc(l.Longest, func(a, b Entry) int { return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.ID, b.ID)) })
	slices.SortFunc(l.NotCaught, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(lengths[b.ID], lengths[a.ID]), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(l.Unknown, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(len(b.What), len(a.What)), strings.Compare(a.ID, b.ID))
	})
	return l, l.noise(verdicts)
}

// lengths are how long incidents took, by ID, and which incidents are of the period at all.
func lengths(explained []*measure.Explanation) (lengths map[string]float64, members map[string]bool) {
	lengths, members = map[string]float64{}, map[string]bool{}
	for _, e := range explained {
		if e.Interval.Name != longest {
			continue
		}
		for i := range e.Included {
			lengths[e.Included[i].ID], members[e.Included[i].ID] = e.Included[i].Seconds, true
		}
		for _, x := range e.LeftOut {
			members[x.ID] = members[x.ID] || x.Status != ""
		}
	}
	return lengths, members
}

// missing is what is not known of incidents, by ID, in the order of an incident's life.
func (l *Letter) missing(explained []*measure.Explanation) map[string][]string {
	out, whys := map[string][]string{}, map[string][]string{} // in step: what is not known for one reason, and the reason
	for _, iv := range Intervals {
		k := slices.IndexFunc(explained, func(e *measure.Explanation) bool { return e.Interval.Name == iv.Interval })
		if k < 0 {
			continue
		}
		e := explained[k]
		for _, x := range e.LeftOut {
			switch {
			case x.Status == "" && e.Interval.Name == longest:
				l.Timeless++
			case x.Status == incident.StatusMissing, x.Status == incident.StatusInvalid:
				why, _, _ := strings.Cut(x.Why, ";") // what could be configured is for explain
				if k := slices.Index(whys[x.ID], why); k >= 0 {
					out[x.ID][k] += " and " + iv.Interval
					continue
				}
				out[x.ID], whys[x.ID] = append(out[x.ID], "time to "+iv.Interval), append(whys[x.ID], why)
			}
		}
	}
	for id := range out {
		for k := range out[id] {
			out[id][k] += ": " + whys[id][k]
		}
	}
	return out
}

func entryOf(inc *incident.Incident, address string) Entry {
	e := Entry{ID: inc.ID, Title: cmp.Or(inc.Title, "Incident "+inc.ID), Services: inc.Services, Severity: inc.Severity, DetectedBy: inc.DetectedBy}
	if address != "" {
		e.URL = address + "incidents/" + url.PathEscape(inc.ID)
	}
	return e
}

// notCaught says why no alert caught an incident first, by the rule by which the figures count it; empty for one that was, or of which
// nobody can know.
func notCaught(inc *incident.Incident) string {
	switch {
	case inc.Blind || !measure.Applicable(inc):
	case inc.MissedDetection:
		return "no alert belongs to it"
	case inc.LateAlert:
		return "an alert came, after a person knew"
	}
	return ""
}

// ask says who can tell what is not known of an incident.
func ask(inc *incident.Incident) string {
	var records []string
	for _, k := range inc.Records {
		records = append(records, k.Source+" "+k.ID)
	}
	who := "whoever was on call; no record of it exists"
	if len(records) > 0 {
		who = "whoever keeps its record, " + strings.Join(records, " or ")
	}
	for _, label := range []string{"owner", "team"} {
		if name := inc.Labels[label]; name != "" {
			who = label + " " + name + ": " + who
		}
	}
	return who
}

// noise finds the alerts of the period that fired for nothing again and again, and never for something.
func (l *Letter) noise(verdicts iter.Seq2[incident.Verdict, error]) error {
	type key struct{ alert, service string }
	none, some := map[key]int{}, map[key]bool{}
	for v, err := range verdicts {
		if err != nil {
			return err
		}
		at, k := v.Episode.StartsAt, key{v.Episode.Name(), v.Service}
		other := l.Service != "" && v.Service != l.Service || l.Severity != "" && v.Severity != l.Severity
		if other || at.Before(l.From) || !at.Before(l.To) {
			continue
		}
		switch v.Outcome {
		case incident.OutcomeNone:
			none[k]++
		case incident.OutcomeLinked, incident.OutcomeSuggested:
			some[k] = true
		}
	}
	for k, n := range none {
		if n >= leastNoise && !some[k] && k.alert != "" {
			l.Noise = append(l.Noise, Noise{k.alert, k.service, n})
		}
	}
	slices.SortFunc(l.Noise, func(a, b Noise) int {
		return cmp.Or(cmp.Compare(b.Episodes, a.Episodes), strings.Compare(a.Alert, b.Alert), strings.Compare(a.Service, b.Service))
	})
	return nil
}

// Title is the headline.
func (l *Letter) Title() string {
	t := "Incidents"
	if l.Service != "" {
		t += " of " + l.Service
	}
	if l.Severity != "" {
		t += ", " + l.Severity
	}
	if l.Period != "" {
		return t + ", " + l.Period
	}
	return fmt.Sprintf("%s, %s to %s", t, day(l.From), day(l.To))
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
