package measure

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/incident"
)

// Answer is the figures of one period, one line for each group and interval, as the API gives them.
type Answer struct {
	Period string    `json:"period"` // a window's name or a month; empty for one from and to
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Before time.Time `json:"before"` // where the period begins that it is compared with
	// Watched is since when anything is known at all; zero where nothing is.
	Watched time.Time `json:"watched_from,omitzero"`
	// Figures are in the order of groups, everything asked for first, and in each in that of the intervals.
	Figures []Figure `json:"figures"`
	// Reliability is that of the same groups, without those of which nothing was watched.
	Reliability []ReliabilityAnswer `json:"reliability"`
}

// Figure is one interval of one group.
type Figure struct {
	Grouping
	Incidents int `json:"incidents"` // all of the group, whatever is known of the interval
	IntervalFigures
	Before *IntervalFigures `json:"before"`
	Change Comparison       `json:"change"`
}

// ReliabilityAnswer is the reliability of one group.
type ReliabilityAnswer struct {
	Reliability
	Before *Reliability    `json:"before,omitempty"`
	Change *RateComparison `json:"change,omitempty"`
}

// Answer is the report in one line for each figure.
func (r *Report) Answer() *Answer {
	a := &Answer{Period: r.Window, From: r.From, To: r.To, Before: r.Before, Watched: r.Watched, Figures: []Figure{}, Reliability: []ReliabilityAnswer{}}
	for i := range r.Groups {
		g := &r.Groups[i]
		for k := range g.Now.Intervals {
			a.Figures = append(a.Figures, Figure{g.Grouping, g.Now.Incidents, g.Now.Intervals[k], &g.Before.Intervals[k], g.Changes[k]})
		}
		if g.Reliability != nil {
			a.Reliability = append(a.Reliability, ReliabilityAnswer{*g.Reliability, g.ReliabilityBefore, g.RateChange})
		}
	}
	return a
}

// Unwatched says that nothing is known of a stretch of time: that nothing began in it cannot be told.
func (r *Report) Unwatched(from, to time.Time) bool {
	return r.Watched.IsZero() || !r.Watched.Before(to) && from.Before(to)
}

// Only leaves out the groups that a question does not ask for. known are the labels that there are figures by. That a label has no such
// value in either period is an error.
func (r *Report) Only(q *Question, known ...string) error {
	byService, bySeverity, labels, err := q.Groups(known)
	if err != nil {
		return err
	}
	asked, err := q.Grouping(known)
	if err != nil {
		return err
	}
	if asked.Label != "" {
		if err := r.knows(asked); err != nil {
			return err
		}
	}
	r.Groups = slices.DeleteFunc(r.Groups, func(g ReportGroup) bool {
		of := g.Label == asked.Label && g.Value == asked.Value
		if g.Label != "" && asked.Label == "" {
			of = slices.Contains(labels, g.Label) && q.Service == ""
		}
		service := g.Service == q.Service || byService && q.Service == ""
		severity := g.Severity == q.Severity || bySeverity && q.Severity == ""
		return !of || !service || !severity
	})
	return nil
}

// knows says that no incident has the value of the label that is asked for.
func (r *Report) knows(asked Grouping) error {
	var values []string
	for i := range r.Groups {
		g := &r.Groups[i]
		if g.Label != asked.Label || g.Severity != "" {
			continue
		}
		if n := g.Now.Incidents + g.Before.Incidents; g.Value != asked.Value || n > 0 {
			values = append(values, g.Value)
		}
	}
	if slices.Contains(values, asked.Value) {
		return nil
	}
	return unknownName(asked.Label, asked.Value, values)
}

// Group is the one of the report that is asked for; nil where it has none.
func (r *Report) Group(g Grouping) *ReportGroup {
	for i := range r.Groups {
		if r.Groups[i].Grouping == g {
			return &r.Groups[i]
		}
	}
	return nil
}

// OnlyInterval leaves out the figures of other intervals.
func (a *Answer) OnlyInterval(name string) error {
	var names []string
	for i := range a.Figures {
		if !slices.Contains(names, a.Figures[i].Interval) {
			names = append(names, a.Figures[i].Interval)
		}
	}
	if !slices.Contains(names, name) {
		return unknownName("interval", name, names)
	}
	a.Figures = slices.DeleteFunc(a.Figures, func(f Figure) bool { return f.Interval != name })
	return nil
}

// CSV writes the figures as a table. What is not known is an empty cell.
func (a *Answer) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"from", "to", "service", "severity", "interval", "incidents", "n"}
	for _, s := range incident.Statuses[1:] {
		head = append(head, string(s))
	}
	head = append(head, "median_seconds", "median_lower_seconds", "median_upper_seconds", "mean_seconds", "p90_seconds", "max_seconds",
		"survival_median_seconds",
		"before_n", "before_median_seconds", "ratio", "ratio_lower", "ratio_upper", "change", "label", "value")
	if err := out.Write(head); err != nil {
		return err
	}
	for i := range a.Figures {
		f := &a.Figures[i]
		line := []string{
			a.From.UTC().Format(time.RFC3339), a.To.UTC().Format(time.RFC3339), cell(f.Service), cell(f.Severity), cell(f.Interval),
			strconv.Itoa(f.Incidents), strconv.Itoa(f.N),
		}
		for _, s := range incident.Statuses[1:] {
			line = append(line, strconv.Itoa(f.Status[s]))
		}
		line = append(append(line, estimate(f.Median)...), decimal(f.Mean), decimal(f.P90), decimal(f.Max), decimal(f.Survival),
			strconv.Itoa(f.Before.N), estimate(f.Before.Median)[0])
		line = append(append(line, estimate(f.Change.Ratio)...), f.Change.Words, cell(f.Label), cell(f.Value))
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// estimate is a value with its bounds in three cells.
func estimate(e *Estimate) []string {
	out := make([]string, 3)
	if e != nil {
		out[0] = decimal(&e.Value)
		if e.Bounds != nil {
			out[1], out[2] = decimal(&e.Bounds.Lower), decimal(&e.Bounds.Upper)
		}
	}
	return out
}

func decimal(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// cell is text from outside that no spreadsheet takes for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
