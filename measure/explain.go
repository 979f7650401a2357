package measure

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Explanation is where one figure comes from, line by line.
type Explanation struct {
	Interval incident.Interval `json:"interval"`
	Grouping
	Window string    `json:"window"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	// Included are the recorded measurements, the shortest first: the order that medians and quantiles count in.
	Included []IncludedIncident `json:"included"`
	// LeftOut are the other incidents of the window, in the order of incident.Statuses, and those of no window.
	LeftOut []LeftOutIncident `json:"left_out"`
	// Sum is that of all Included, in seconds: the mean is Sum over their number.
	Sum float64 `json:"sum_seconds"`
	// MedianRank is k where the median's interval reaches from the k-th shortest to the k-th longest; 0 where there is none.
	MedianRank int             `json:"median_rank"`
	Figures    IntervalFigures `json:"figures"`
}

// Period names the period in words.
func (e *Explanation) Period() string {
	return (&Period{Name: e.Window, From: e.From, To: e.To}).String()
}

// IncludedIncident is one measurement in a figure.
type IncludedIncident struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	From    ExplainedPoint `json:"from"`
	To      ExplainedPoint `json:"to"`
	Seconds float64        `json:"seconds"`
}

// ExplainedPoint is one end of a measurement.
type ExplainedPoint struct {
	Point     incident.Point     `json:"point"`
	At        time.Time          `json:"at"`
	Precision incident.Precision `json:"precision"`
	Origin    incident.Origin    `json:"origin"`
	Evidence  string             `json:"evidence,omitempty"`
}

// LeftOutIncident is an incident that is not in a figure, and why.
type LeftOutIncident struct {
	ID     string          `json:"id"`
	Title  string          `json:"title"`
	Status incident.Status `json:"status,omitempty"` // empty for an incident of no window
	Why    string          `json:"why"`
}

// ExplainOptions name the figure.
type ExplainOptions struct {
	Interval incident.Interval
	Grouping
	Period
}

// Explain explains one figure by the incidents of its window, which may come among others. It counts by the same code as the
// metrics. It stops at the first error.
func Explain(incidents iter.Seq2[incident.Incident, error], o ExplainOptions) (*Explanation, error) {
	x := NewExplainer(o)
	for inc, err := range incidents {
		if err != nil {
			return nil, err
		}
		x.Add(&inc)
	}
	return x.Explanation(), nil
}

// Explainer makes an Explanation of incidents that come one by one, so that several can be made of one reading.
type Explainer struct {
	o      ExplainOptions
	plan   plan
	tick   int64
	wanted groupKey
	rows   []*row
	e      *Explanation
}

// NewExplainer explains one figure.
func NewExplainer(o ExplainOptions) *Explainer {
	return &Explainer{
		o: o, plan: newPlan(Options{Intervals: []incident.Interval{o.Interval}}), tick: o.To.Truncate(Step).UnixNano(),
		wanted: o.Grouping.key(),
		e:      &Explanation{Interval: o.Interval, Grouping: o.Grouping, Window: o.Name, From: o.From, To: o.To},
	}
}

// Add takes in an incident, of which nothing is kept but copies.
func (x *Explainer) Add(inc *incident.Incident) {
	o, e, edges := &x.o, x.e, x.o.edges()
	var by []string
	if o.Label != "" {
		by = []string{o.Label}
	}
	r := rowOf(inc, by...)
	if !r.in(x.wanted) {
		return
	}
	if r.at == unknown {
		e.LeftOut = append(e.LeftOut, LeftOutIncident{ID: inc.ID, Title: inc.Title, Why: "no time of it is known, so it is in no window"})
		return
	}
	if r.at <= edges[1] || r.at > edges[2] {
		return
	}
	x.rows = append(x.rows, r)
	open := r.openAt(x.tick)
	place, ns := r.points.measure(x.plan.spans[0], open, r.applies)
	if place != recorded {
		status := incident.Statuses[place]
		e.LeftOut = append(e.LeftOut, LeftOutIncident{inc.ID, inc.Title, status, why(inc, o.Interval, status, open)})
		return
	}
	e.Included = append(e.Included, IncludedIncident{
		inc.ID, inc.Title, explainPoint(inc, o.Interval.From), explainPoint(inc, o.Interval.To), seconds(ns),
	})
}

// Explanation is of what was added. No more can be.
func (x *Explainer) Explanation() *Explanation {
	e := x.e
	g, _ := x.plan.figures(x.o.Grouping, x.rows, x.tick)
	e.Figures = g.Intervals[0]
	e.MedianRank = medianRank(len(e.Included))
	slices.SortFunc(e.Included, func(a, b IncludedIncident) int {
		return cmp.Or(cmp.Compare(a.Seconds, b.Seconds), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(e.LeftOut, func(a, b LeftOutIncident) int {
		return cmp.Or(cmp.Compare(slices.Index(incident.Statuses, a.Status), slices.Index(incident.Statuses, b.Status)), strings.Compare(a.ID, b.ID))
	})
	for i := range e.Included {
		e.Sum += e.Included[i].Seconds
	}
	return e
}

// explainPoint is a known point with where it comes from.
func explainPoint(inc *incident.Incident, p incident.Point) ExplainedPoint {
	if m, ok := inc.Milestones[incident.MilestoneName(p)]; ok {
		return ExplainedPoint{p, m.At, m.Precision, m.Origin, m.Evidence}
	}
	e := ExplainedPoint{Point: p, At: inc.Point(p), Precision: incident.PrecisionSecond, Origin: incident.OriginAlert}
	switch p {
	case incident.PointCondition:
		e.Origin, e.Evidence = incident.OriginPrometheus, "when the condition of the first linked alert became true"
	case incident.PointFired:
		e.Evidence = "when the first linked alert fired"
	case incident.PointNotified:
		e.Evidence = "the first notification of the first linked alert"
	case incident.PointEnded:
		e.Evidence = "when the last linked alert ended"
	case incident.PointOpened:
		e.Evidence = "the first notification of a linked alert"
		if !inc.Opened.IsZero() {
			e.Origin, e.Evidence = incident.OriginRecord, "when the first record was made"
		}
	}
	return e
}

// fromOpened names the interval that measures what pagers and trackers do, where that is known and the start of impact is not.
func fromOpened(inc *incident.Incident, iv incident.Interval) string {
	m, told := inc.Milestones[incident.Started]
	if iv.From != incident.Point(incident.Started) || told && !m.Placeholder || iv.To == incident.Point(incident.Detected) ||
		inc.Point(iv.To).IsZero() {
		return ""
	}
	switch opened, detected := inc.Point(incident.PointOpened), inc.Point(incident.Point(incident.Detected)); {
	case iv.To == incident.Point(incident.Resolved) && !opened.IsZero():
		return "; the interval handle measures from when it was opened, as pagers and trackers do"
	case !detected.IsZero():
		return fmt.Sprintf("; {name: from_detected, from: detected, to: %s} under intervals measures from when it was detected", iv.To)
	}
	return ""
}

// why says in words why a measurement is not recorded.
func why(inc *incident.Incident, iv incident.Interval, s incident.Status, open bool) string {
	switch s {
	case incident.StatusNotApplicable:
		if i := slices.IndexFunc(inc.Related, func(r incident.Related) bool { return strings.HasPrefix(r.How, "merged") }); i >= 0 && inc.State == incident.StateCancelled {
			return fmt.Sprintf("its source merged it into %s", inc.Related[i].ID)
		}
		if inc.State == incident.StateCancelled {
			return "cancelled: it turned out to be no incident"
		}
		return fmt.Sprintf("a %s: counted, not measured", inc.Kind)
	case incident.StatusInvalid:
		return fmt.Sprintf("%s at %s is before %s at %s", iv.To, stamp(inc.Point(iv.To)), iv.From, stamp(inc.Point(iv.From)))
	case incident.StatusPending:
		return fmt.Sprintf("still open, and %s has not come", unknownPoints(inc, iv))
	}
	if m, ok := inc.Milestones[incident.MilestoneName(iv.From)]; ok && m.Placeholder {
		return fmt.Sprintf("%s only repeats when the record was made or detected, so it is not known", iv.From) + fromOpened(inc, iv)
	}
	if m, ok := inc.Milestones[incident.MilestoneName(iv.To)]; ok && m.Placeholder {
		return fmt.Sprintf("%s only repeats when it started, so it is not known", iv.To)
	}
	words := fmt.Sprintf("%s is not known", unknownPoints(inc, iv)) + fromOpened(inc, iv)
	if why := whyMissing(inc, iv, missing); why != "" {
		words += " " + why
	}
	if inc.Point(iv.From).IsZero() && iv.From == incident.PointEnded || inc.Point(iv.To).IsZero() && endsWithAlerts(iv.To) {
		words += untold(inc)
	}
	if !open && !inc.OpenUntil.IsZero() && inc.Point(iv.To).IsZero() {
		words += fmt.Sprintf("; neither its state nor its end was said by %s", stamp(inc.OpenUntil))
	}
	return words
}

// endsWithAlerts says whether the end of alerts can tell a point.
func endsWithAlerts(p incident.Point) bool {
	return p == incident.PointEnded || p == incident.Point(incident.Mitigated) || p == incident.Point(incident.Resolved)
}

// untold says in words why it is not known when the alerts of an incident ended; empty where it is, or one fires.
func untold(inc *incident.Incident) string {
	if inc.Alerts.Heard.IsZero() || !inc.Alerts.Ended.IsZero() {
		return ""
	}
	words := "; nobody told when its last alert ended, and it was last heard of at " + stamp(inc.Alerts.Heard)
	if of := inc.Unended(); len(of) > 0 { // they are not always read
		words += fmt.Sprintf(" (%s %s)", of[0].Name(), endWords(of[0]))
	}
	return words
}

// endWords says how an episode came to fire no more; empty for one that fires.
func endWords(e *incident.Episode) string {
	switch e.End {
	case incident.EndResolved:
		return "was told to be resolved"
	case incident.EndGone:
		return "was listed by Alertmanager until then"
	case incident.EndHistory:
		return "ended in Prometheus' past"
	case incident.EndSuperseded:
		return "fired anew without an end"
	case incident.EndExpired:
		return "was heard of no more"
	case incident.EndVanished:
		return "vanished: " + e.EndReason
	}
	return ""
}

// unknownPoints names the ends of the interval that are not known.
func unknownPoints(inc *incident.Incident, iv incident.Interval) string {
	var names []string
	for _, p := range []incident.Point{iv.From, iv.To} {
		if inc.Point(p).IsZero() {
			names = append(names, string(p))
		}
	}
	return strings.Join(names, " and ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
