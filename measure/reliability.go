package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Availability says which incidents of a service count as down, and what is aimed at. An empty service is every service that
// has none of its own, and the figures over everything.
type Availability struct {
	Service    string   `json:"service"`
	Severities []string `json:"severities"` // empty: all
	Objective  float64  `json:"objective"`  // above 0 and below 1; 0: none
}

// Reliability is how often the services of a group were down in one window, and for how long. It is of the incidents that
// count as down, over the time of the window that was watched: from the first thing that is known at all.
type Reliability struct {
	Grouping
	// Incidents are those that began in the watched part of the window and count as down. The first thing known is where
	// watching begins; as nobody watched for it, it is not counted.
	Incidents int `json:"incidents"`
	// Unsure are those that may count as down: nobody told their severity.
	Unsure int `json:"incidents_of_unknown_severity,omitempty"`
	// Length is that of the window, Watched that of its part since the first thing known, and Up the part of that without known
	// impact. UpLeast is the part in which nothing can have been impact.
	Length  float64 `json:"window_seconds"`
	Watched float64 `json:"watched_seconds"`
	Up      float64 `json:"up_seconds"`
	UpLeast float64 `json:"up_least_seconds"`
	// Between and Rate are of Up and Incidents, and their worse bounds of UpLeast and with those Unsure; nil where users may have
	// been affected all the time.
	Between *Between `json:"time_between,omitempty"`
	Rate    *Rate    `json:"rate,omitempty"`
	// Availability is 1 - impact over Watched by what is known, which is the best that it can have been. Its lower bound takes
	// whatever may have been impact too: ends and starts that nobody knows, and severities.
	Availability Estimate `json:"availability"`
	// Objective is what is aimed at and BudgetUsed the share of what it allows that the known impact has used, which is the least
	// that was; nil for none, and in the figures of a severity that does not count as down.
	Objective  *float64 `json:"objective,omitempty"`
	BudgetUsed *float64 `json:"error_budget_used,omitempty"`
}

// downs are when an incident affected users: for certain, and at most. The zero value is of one that never did.
type downs struct {
	known, maybe []stretch
	// endless is where the last stretch begins whose end is not known, unknown where there is none. impact says that it is an
	// impact; else it is only the first time known of an incident of which nobody told any.
	endless int64
	impact  bool
	last    int64 // the last time known of it
}

// downsOf are the downs of an incident that applies.
func downsOf(inc *incident.Incident, at int64) downs {
	d := downs{endless: unknown, last: unknown}
	for _, m := range inc.Milestones {
		d.last = max(d.last, nanos(m.At))
	}
	for _, t := range []time.Time{inc.Alerts.Fired, inc.Alerts.First, inc.Alerts.Ended, inc.Alerts.Heard} {
		d.last = max(d.last, nanos(t))
	}
	var windows []stretch
	for _, w := range inc.Impacts {
		if from := nanos(w.From); from != unknown {
			windows = append(windows, stretch{from, nanos(w.To)})
			d.last = max(d.last, from, nanos(w.To))
		}
	}
	if !Applicable(inc) || at == unknown {
		return d
	}
	resolved := nanos(inc.Point(incident.Point(incident.Resolved)))
	end := max(nanos(inc.Point(incident.Point(incident.Mitigated))), resolved)
	slices.SortFunc(windows, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	for i, w := range windows {
		if w.to != unknown {
			d.known = append(d.known, w)
			continue
		}
		// The last word of the alerts is of the last impact: between two of them they may have been silent.
		if heard := nanos(inc.Alerts.Heard); i == len(windows)-1 && heard > w.from {
			d.known = append(d.known, stretch{w.from, heard})
		}
		switch {
		case i+1 < len(windows):
			d.maybe = append(d.maybe, stretch{w.from, windows[i+1].from})
		case resolved > w.from:
			d.maybe = append(d.maybe, stretch{w.from, resolved})
		default:
			d.endless, d.impact = w.from, true
		}
	}
	if len(windows) == 0 {
		if end > at {
			d.maybe = append(d.maybe, stretch{at, end})
		} else {
			d.endless = at
		}
	}
	return d
}

func (d *downs) equal(o *downs) bool {
	return d.endless == o.endless && d.impact == o.impact && d.last == o.last && slices.Equal(d.known, o.known) &&
		slices.Equal(d.maybe, o.maybe)
}

// latest is when impact without a known end was over at the latest.
func (r *row) latest(openFor int64) int64 { return max(r.openUntil, r.downs.last+openFor) }

// reach is until when a row that is not open counts in availability.
func (r *row) reach(openFor int64) int64 {
	until := int64(unknown)
	for _, l := range [][]stretch{r.downs.known, r.downs.maybe} {
		for _, s := range l {
			until = max(until, s.to)
		}
	}
	if r.downs.endless != unknown {
		until = max(until, r.latest(openFor))
	}
	return until
}

// reaches says whether a row that began at or before from counts in a window that begins there.
func (p *plan) reaches(r *row, from, tick int64) bool {
	return r.openAt(tick) || r.reach(p.openFor) > from
}

// stretches are a row's downs as of tick.
func (p *plan) stretches(r *row, tick int64, known, maybe []stretch) (k, m []stretch) {
	known, maybe = append(known, r.downs.known...), append(maybe, r.downs.maybe...)
	switch open := r.openAt(tick); {
	case r.downs.endless == unknown:
	case open && r.downs.impact:
		known = append(known, stretch{r.downs.endless, tick})
	case open:
		maybe = append(maybe, stretch{r.downs.endless, tick})
	default:
		maybe = append(maybe, stretch{r.downs.endless, r.latest(p.openFor)})
	}
	return known, maybe
}

// down is the Availability that holds for a service's figures.
func (p *plan) down(service string) Availability {
	var general Availability
	for _, a := range p.availability {
		switch a.Service {
		case service:
			return a
		case "":
			general = a
		}
	}
	return general
}

// counts says whether incidents of a severity count as down in a group: in that of one severity its own do. Of one whose severity
// nobody told that is not sure.
func (a *Availability) counts(k Grouping, severity string) (counts, sure bool) {
	if k.Severity != "" || len(a.Severities) == 0 || slices.Contains(a.Severities, severity) {
		return true, true
	}
	return severity == "", false
}

// aims says whether the objective is one of a group's figures.
func (a *Availability) aims(k Grouping) bool {
	return a.Objective > 0 && (k.Severity == "" || len(a.Severities) == 0 || slices.Contains(a.Severities, k.Severity))
}

// reliability is that of a group in the window of a length until tick, of which since is the first time watched: of the rows
// that began in it, and of those before it that reach into it. until is when the clock alone changes it. It is nil where
// nothing was watched.
func (p *plan) reliability(k Grouping, rows, before []*row, length, since, tick int64) (rel *Reliability, until int64) {
	edge := tick - length
	from := max(edge, since)
	if since == unknown || from >= tick {
		return nil, tick
	}
	until = math.MaxInt64
	if since > edge {
		until = tick
	}
	a := p.down(k.Service)
	rel = &Reliability{Grouping: k, Length: seconds(length), Watched: seconds(tick - from)}
	var known, maybe []stretch
	for i, list := range [][]*row{before, rows} {
		for _, r := range list {
			counts, sure := a.counts(k, r.severity.Value())
			if !r.applies || !counts {
				continue
			}
			switch {
			case i == 0 || r.at <= since: // before it
			case sure:
				rel.Incidents++
			default:
				rel.Unsure++
			}
			if r.openAt(tick) {
				until = tick
			}
			n, m := len(known), len(maybe)
			known, maybe = p.stretches(r, tick, known, maybe)
			until = min(until, changes(known[n:], edge, tick), changes(maybe[m:], edge, tick))
			if !sure {
				maybe = append(maybe, known[n:]...)
				known = known[:n]
			}
		}
	}
	certain := covered(known, from, tick)
	atMost := covered(append(known, maybe...), from, tick)
	rel.Up, rel.UpLeast = seconds(tick-from-certain), seconds(tick-from-atMost)
	rel.count(p.bounds(rel.Incidents), p.bounds(rel.Incidents+rel.Unsure))
	best, worst := 1-seconds(certain)/rel.Watched, 1-seconds(atMost)/rel.Watched
	rel.Availability = Estimate{best, &Bounds{worst, best}}
	if a.aims(k) {
		rel.Objective = some(a.Objective, true)
		rel.BudgetUsed = some(seconds(certain)/rel.Watched/(1-a.Objective), true)
	}
	return rel, until
}

// changes is when the clock alone changes what stretches cover of the window from edge to tick.
func changes(l []stretch, edge, tick int64) int64 {
	until := int64(math.MaxInt64)
	for _, s := range l {
		switch {
		case s.to > tick || s.from <= edge && s.to > edge: // it comes in, or goes out
			return tick
		case s.from > edge:
			until = min(until, s.from+tick-edge)
		}
	}
	return until
}

// count fills in what the number of incidents says. bounds are PoissonBounds of it, and most those with the ones that may count.
func (r *Reliability) count(bounds, most Bounds) {
	between, rate, ok := betweenOf(r.Incidents, r.Up, bounds)
	if !ok || r.UpLeast <= 0 {
		return
	}
	worst, worstRate, _ := betweenOf(r.Incidents+r.Unsure, r.UpLeast, most)
	between.Lower, rate.Upper = worst.Lower, worstRate.Upper
	r.Between, r.Rate = &between, &rate
}

// bounds are PoissonBounds(n), which take long to compute.
func (p *plan) bounds(n int) Bounds {
	b, ok := p.poisson[n]
	if !ok {
		b = PoissonBounds(n)
		p.poisson[n] = b
	}
	return b
}

// covered is how much of [from, to] at least one of the stretches covers. It sorts them.
func covered(l []stretch, from, to int64) (sum int64) {
	slices.SortFunc(l, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	end := from
	for _, s := range l {
		if till := min(s.to, to); till > max(s.from, end) {
			sum += till - max(s.from, end)
			end = till
		}
	}
	return sum
}

// Lines say it in sentences without the last full stop.
func (r *Reliability) Lines() []string {
	var out []string
	if r.Watched < r.Length {
		out = append(out, fmt.Sprintf("Watched: %s of %s, from the first thing known, which is not counted", Human(r.Watched), Human(r.Length)))
	}
	unsure := ""
	if r.Unsure > 0 {
		unsure = fmt.Sprintf(", and %d of unknown severity", r.Unsure)
	}
	switch b := r.Between; {
	case b == nil:
		out = append(out, "Time between incidents: not known, since users may have been affected all the time")
	case b.Mean == nil:
		out = append(out, fmt.Sprintf("Time between incidents: none began in %s watched%s, so at least %s", Human(r.Watched), unsure,
			Human(*b.Lower)))
	default:
		out = append(out, fmt.Sprintf("Time between incidents: %s on average, of %d%s (%s to %s)", Human(*b.Mean), r.Incidents, unsure,
			Human(*b.Lower), Human(*b.Upper)))
	}
	if x := r.Rate; x != nil {
		out = append(out, fmt.Sprintf("Incidents a week: %.3g (%.3g to %.3g)", 7*x.PerDay, 7*x.Lower, 7*x.Upper))
	}
	words := "Availability: " + Percent(r.Availability.Value)
	if worst := r.Availability.Bounds.Lower; worst < r.Availability.Value {
		words += fmt.Sprintf(" by what is known, and at least %s, since of some impact nobody told when it began or ended", Percent(worst))
		if r.Unsure > 0 {
			words += ", or how severe it was"
		}
	}
	out = append(out, words)
	if r.BudgetUsed != nil {
		least := ""
		if r.Availability.Bounds.Lower < r.Availability.Value {
			least = "at least "
		}
		out = append(out, fmt.Sprintf("Error budget used: %s%.0f %% of what %s allows", least, 100**r.BudgetUsed, Percent(*r.Objective)))
	}
	return out
}

// Percent is a share near 1 in as many digits as tell it from 1: two that are not nines.
func Percent(share float64) string {
	digits := 1
	if gap := 1 - share; gap > 0 && gap < 1 {
		digits = min(max(1, int(math.Ceil(-math.Log10(gap)))-1), 6)
	}
	scale := math.Pow(10, float64(digits))
	s := strings.TrimRight(fmt.Sprintf("%.*f", digits, math.Floor(share*100*scale+1e-6)/scale), "0")
	return strings.TrimSuffix(s, ".") + " %"
}
