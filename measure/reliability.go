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

// Reach is how long before a window an incident may have begun whose impact still counts in it; one that is open may have begun
// at any time.
const Reach = 35 * 24 * time.Hour

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
	// Incidents are those that began in the window and count as down.
	Incidents int `json:"incidents"`
	// Watched is the length of the window, or of its part since the first thing known, and Up the part of it without impact.
	Watched float64 `json:"watched_seconds"`
	Up      float64 `json:"up_seconds"`
	// Between and Rate are of Up and Incidents; nil where users were affected all the time.
	Between *Between `json:"time_between,omitempty"`
	Rate    *Rate    `json:"rate,omitempty"`
	// Availability is 1 - impact over Watched by what is known, which is the best that it can have been. Its lower bound takes
	// whatever may have been impact too: ends and starts that nobody knows.
	Availability Estimate `json:"availability"`
	// Objective is what is aimed at and BudgetUsed the share of what it allows that the known impact has used; nil for none.
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
		if heard := nanos(inc.Alerts.Heard); heard > w.from {
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
	return r.openAt(tick) || r.at > from-int64(Reach) && r.reach(p.openFor) > from
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

// counts says whether incidents of a severity count as down in a group: in that of one severity its own do.
func (a *Availability) counts(k Grouping, severity string) bool {
	return k.Severity != "" || len(a.Severities) == 0 || slices.Contains(a.Severities, severity)
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
	rel = &Reliability{Grouping: k, Watched: seconds(tick - from)}
	var known, maybe []stretch
	for i, list := range [][]*row{before, rows} {
		for _, r := range list {
			if !r.applies || !a.counts(k, r.severity.Value()) {
				continue
			}
			rel.Incidents += i // before or in it
			if r.openAt(tick) {
				until = tick
			}
			n, m := len(known), len(maybe)
			known, maybe = p.stretches(r, tick, known, maybe)
			for _, l := range [][]stretch{known[n:], maybe[m:]} {
				for _, s := range l {
					switch {
					case s.to > tick || s.from <= edge && s.to > edge: // it comes in, or goes out
						until = tick
					case s.from > edge:
						until = min(until, s.from+length)
					}
				}
			}
		}
	}
	certain := covered(known, from, tick)
	atMost := covered(append(known, maybe...), from, tick)
	rel.Up = seconds(tick - from - certain)
	if b, r, ok := betweenOf(rel.Incidents, rel.Up, p.bounds(rel.Incidents)); ok {
		rel.Between, rel.Rate = &b, &r
	}
	best, worst := 1-seconds(certain)/rel.Watched, 1-seconds(atMost)/rel.Watched
	rel.Availability = Estimate{best, &Bounds{worst, best}}
	if a.Objective > 0 {
		rel.Objective = some(a.Objective, true)
		rel.BudgetUsed = some(seconds(certain)/rel.Watched/(1-a.Objective), true)
	}
	return rel, until
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
	switch b := r.Between; {
	case b == nil:
	case b.Mean == nil:
		out = append(out, fmt.Sprintf("Time between incidents: none began in %s watched, so at least %s", Human(r.Watched), Human(*b.Lower)))
	default:
		out = append(out, fmt.Sprintf("Time between incidents: %s on average, of %d (%s to %s)", Human(*b.Mean), r.Incidents,
			Human(*b.Lower), Human(*b.Upper)))
	}
	if x := r.Rate; x != nil {
		out = append(out, fmt.Sprintf("Incidents a week: %.3g (%.3g to %.3g)", 7*x.PerDay, 7*x.Lower, 7*x.Upper))
	}
	words := "Availability: " + Percent(r.Availability.Value)
	if worst := r.Availability.Bounds.Lower; worst < r.Availability.Value {
		words += fmt.Sprintf(" by what is known, and at least %s, since of some impact nobody told when it began or ended", Percent(worst))
	}
	out = append(out, words)
	if r.BudgetUsed != nil {
		out = append(out, fmt.Sprintf("Error budget used: %.0f %% of what %s allows", 100**r.BudgetUsed, Percent(*r.Objective)))
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
