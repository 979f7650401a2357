package measure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"meantime/incident"
)

// JSON writes v, a Report, Explanation or Simulation, as indented JSON.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Human is a duration in the two largest units that say it, such as "1h 31m", "2d 3h" or "-45s"; under a second in full.
func Human(seconds float64) string {
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	if seconds < 1 {
		return fmt.Sprintf("%s%.3gs", sign, seconds)
	}
	n := int64(math.Round(seconds))
	switch {
	case n >= 86400:
		n = (n + 1800) / 3600 * 3600 // to the hour
	case n >= 3600:
		n = (n + 30) / 60 * 60 // to the minute
	}
	var parts []string
	for _, u := range []struct {
		length int64
		name   string
	}{{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}} {
		if k := n / u.length; k > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", k, u.name))
			n -= k * u.length
		}
	}
	return sign + strings.Join(parts, " ")
}

// page collects Markdown; its error is that of the writer, given once at the end.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

// row is a table row of cells that are Markdown already.
func (p *page) row(cells ...string) { p.line("| %s |", strings.Join(cells, " | ")) }

func (p *page) to(w io.Writer) error {
	_, err := io.WriteString(w, p.String())
	return err
}

// plain is text from outside as Markdown that shows just it: one line, no markup, no HTML, no end of a table cell.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if strings.ContainsRune("\\`*_[]#|<>~&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func human(v *float64) string {
	if v == nil {
		return ""
	}
	return Human(*v)
}

func bounds(e *Estimate) string {
	if e == nil || e.Bounds == nil {
		return ""
	}
	return Human(e.Bounds.Lower) + " to " + Human(e.Bounds.Upper)
}

func value(e *Estimate) string {
	if e == nil {
		return ""
	}
	return Human(e.Value)
}

func ratio(r *Ratio) string {
	return fmt.Sprintf("%d of %d, %.0f %% (%.0f to %.0f %%)", r.K, r.N, 100*r.Value, 100*r.Bounds.Lower, 100*r.Bounds.Upper)
}

func (g Grouping) title() string {
	switch {
	case g.Label != "" && g.Severity != "":
		return plain(g.Label) + " " + plain(g.Value) + ", " + plain(g.Severity)
	case g.Label != "":
		return plain(g.Label) + " " + plain(g.Value)
	case g.Service == "" && g.Severity == "":
		return "Everything"
	case g.Severity == "":
		return plain(g.Service)
	case g.Service == "":
		return "Severity " + plain(g.Severity)
	}
	return plain(g.Service) + ", " + plain(g.Severity)
}

// Markdown writes the report for people.
func (r *Report) Markdown(w io.Writer) error {
	var p page
	if r.Window == "" {
		p.line("# Incidents from %s to %s", stamp(r.From), stamp(r.To))
	} else {
		p.line("# Incidents of %s, until %s", plain(r.Window), stamp(r.To))
	}
	p.line("")
	p.line("From %s, by when each began; compared with what began since %s. All intervals are at 90 %%.", stamp(r.From), stamp(r.Before))
	if r.Watched.After(r.Before) {
		p.line("")
		p.line("Nothing is known of what was before %s.", stamp(r.Watched))
	}
	for i := range r.Groups {
		p.line("")
		p.group(&r.Groups[i], r.Unwatched(r.Before, r.From))
	}
	return p.to(w)
}

func (p *page) group(g *ReportGroup, unwatched bool) {
	p.line("## %s", g.title())
	p.line("")
	var by []string
	for _, d := range incident.Detectors {
		switch n := g.Now.DetectedBy[d]; {
		case n == 0:
		case d == incident.ByUnknown:
			by = append(by, fmt.Sprintf("%d by whom is not known", n))
		default:
			by = append(by, fmt.Sprintf("%d by %s", n, strings.ReplaceAll(string(d), "_", " ")))
		}
	}
	detected := ""
	if len(by) > 0 {
		detected = ", detected " + strings.Join(by, ", ")
	}
	noun := "incidents"
	if g.Now.Incidents == 1 {
		noun = "incident"
	}
	before := fmt.Sprint(g.Before.Incidents)
	if g.Before.Incidents == 0 && unwatched {
		before = "not known how many"
	}
	p.line("%d %s%s; %s in the window before.", g.Now.Incidents, noun, detected, before)
	p.line("")
	if g.Now.Incidents > 0 {
		p.row("interval", "n", "median", "90 %", "geometric mean", "90 %", "mean", "p90", "p95", "longest", "with those still open", "not in it")
		p.row("---", "--:", "--:", "---", "--:", "---", "--:", "--:", "--:", "--:", "--:", "---")
		for i := range g.Now.Intervals {
			iv := &g.Now.Intervals[i]
			var not []string
			for _, s := range incident.Statuses {
				if n := iv.Status[s]; n > 0 && s != incident.StatusRecorded {
					not = append(not, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(s), "_", " ")))
				}
			}
			p.row(plain(iv.Interval), fmt.Sprint(iv.N), value(iv.Median), bounds(iv.Median), value(iv.GeometricMean), bounds(iv.GeometricMean),
				human(iv.Mean), human(iv.P90), human(iv.P95), human(iv.Max), human(iv.Survival), strings.Join(not, ", "))
		}
		p.line("")
		p.line("Against the window before, by the geometric mean:")
		p.line("")
		for _, c := range g.Changes {
			if c.Before+c.Now > 0 {
				p.line("- %s: %s", plain(c.Interval), c.Words)
			}
		}
		p.line("")
	}
	p.facts(g)
}

// facts are the figures that are not about intervals.
func (p *page) facts(g *ReportGroup) {
	if r := g.Now.Recall; r != nil {
		p.line("- An alert caught first: %s", ratio(r))
	}
	if r := g.Precision; r != nil {
		p.line("- Alert episodes that belonged to an incident: %s", ratio(r))
	}
	if l := g.Now.Lead; l != nil {
		p.line("- Median lead of the first alert over the first person aware: %s", Human(*l))
	}
	if i := g.Now.Impact; i != nil {
		p.line("- Impact: %s in all", Human(*i))
	}
	if r := g.Reliability; r != nil {
		for _, line := range r.Lines() {
			p.line("- %s", line)
		}
	}
	if c := g.RateChange; c != nil {
		p.line("- Incidents against the window before: %s", c.Words)
	}
	for _, o := range g.Now.Objectives {
		p.line("- Inside the objective for %s: %s", plain(o.Interval), ratio(&o.Ratio))
	}
}

// Markdown writes the explanation for people.
func (e *Explanation) Markdown(w io.Writer) error {
	var p page
	p.line("# %s, %s, until %s: %s", plain(e.Interval.Name), plain(cmp.Or(e.Window, "from "+stamp(e.From))), stamp(e.To), e.title())
	p.line("")
	p.line("From %s to %s of each incident that began after %s.", plain(string(e.Interval.From)), plain(string(e.Interval.To)), stamp(e.From))
	p.line("")
	if c := e.Interval.Calendar; c != nil {
		p.line("Only the time inside the calendar %s counts.", plain(c.Name))
		p.line("")
	}
	p.line("## In the figure")
	p.line("")
	n := len(e.Included)
	if n == 0 {
		p.line("None.")
	} else {
		p.row("", "incident", "title", string(e.Interval.From), "origin", string(e.Interval.To), "origin", "seconds", "")
		p.row("--:", "---", "---", "---", "---", "---", "---", "--:", "--:")
		for i := range e.Included {
			x := &e.Included[i]
			p.row(fmt.Sprint(i+1), plain(x.ID), plain(x.Title), stampPrecise(x.From.At), origin(&x.From), stampPrecise(x.To.At), origin(&x.To), number(x.Seconds), Human(x.Seconds))
		}
		p.line("")
		p.arithmetic(e)
	}
	p.line("")
	p.line("## Left out")
	p.line("")
	if len(e.LeftOut) == 0 {
		p.line("None.")
	} else {
		p.row("incident", "title", "status", "why")
		p.row("---", "---", "---", "---")
		for _, x := range e.LeftOut {
			p.row(plain(x.ID), plain(x.Title), strings.ReplaceAll(string(x.Status), "_", " "), plain(x.Why))
		}
	}
	return p.to(w)
}

// arithmetic shows how the lines make the figures.
func (p *page) arithmetic(e *Explanation) {
	f, n := &e.Figures, len(e.Included)
	p.line("- n: %d", n)
	p.line("- mean: %s / %d = %s s = %s", number(e.Sum), n, number(*f.Mean), Human(*f.Mean))
	if n%2 == 1 {
		p.line("- median: line %d = %s s = %s", n/2+1, number(f.Median.Value), Human(f.Median.Value))
	} else {
		p.line("- median: the middle of lines %d and %d = %s s = %s", n/2, n/2+1, number(f.Median.Value), Human(f.Median.Value))
	}
	if b := f.Median.Bounds; b != nil {
		p.line("- its 90 %% interval: lines %d and %d = %s to %s s", e.MedianRank, n+1-e.MedianRank, number(b.Lower), number(b.Upper))
	} else {
		p.line("- no intervals: %d are too few, %d are needed", n, MinBounds)
	}
	if g := f.GeometricMean; g != nil {
		p.line("- geometric mean: %s s = %s (%s to %s s), by the logarithms, under a second counted as one", number(g.Value), Human(g.Value), number(g.Bounds.Lower), number(g.Bounds.Upper))
	}
	if f.Survival != nil {
		p.line("- median with those still open: %s s = %s", number(*f.Survival), Human(*f.Survival))
	}
}

// number is seconds without digits that say nothing.
func number(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", x), "0"), ".")
}

func stampPrecise(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999Z") }

func origin(p *ExplainedPoint) string {
	s := string(p.Origin)
	if p.Precision == incident.PrecisionApproximate {
		s += ", approximate"
	}
	return s
}

// Markdown writes the simulation for people.
func (s *Simulation) Markdown(w io.Writer) error {
	var p page
	p.line("Two groups of %d incidents each, drawn %d times. By chance alone, nine of ten times, they differ by as much as stated;", s.N, s.Runs)
	p.line("with every incident of one group %.0f %% shorter, the statistic hides it or shows it as often as stated.", 100*s.Change)
	p.line("")
	p.row("statistic", "value", "by chance", "hidden", "told from chance", "smallest change seen four of five times")
	p.row("---", "--:", "---", "--:", "--:", "--:")
	for _, x := range s.Statistics {
		detectable := "none"
		if x.Detectable != nil {
			detectable = fmt.Sprintf("%.0f %% shorter", 100**x.Detectable)
		}
		p.row(strings.ReplaceAll(x.Statistic, "_", " "), Human(x.Value), Human(x.Lower)+" to "+Human(x.Upper),
			fmt.Sprintf("%.0f %%", 100*x.Hidden), fmt.Sprintf("%.0f %%", 100*x.Seen), detectable)
	}
	return p.to(w)
}
