package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// trouble is one incident as it truly was.
type trouble struct {
	id       string // of its record
	cause    cause
	service  string
	also     []string // services that suffer with it
	severity string
	kind     string
	title    string
	by       string // who knew first
	region   string

	started, detected, acknowledged, identified, mitigated, resolved time.Time
	back                                                             [2]time.Time // it came back from the first to the second; zero where it did not

	alerts   []*firing
	unseen   bool   // nobody wrote a record of it
	document string // the name of its postmortem; empty where nobody wrote one
}

// incidents makes up everything that went wrong.
func (y *year) incidents() {
	y.each(func(day time.Time) {
		for range y.events(0.62 * season(day)) {
			c := weighted(y, causes, func(c cause) float64 { return c.often })
			if at := y.moment(day, c.office); at.After(y.from) && at.Before(y.end.Add(-3*time.Hour)) {
				y.troubles = append(y.troubles, y.incident(c, at))
			}
		}
	})
	y.planned()
	y.goingOn()
	slices.SortStableFunc(y.troubles, func(a, b *trouble) int { return a.started.Compare(b.started) })
	for i, t := range y.troubles {
		t.id = fmt.Sprintf("INC-%04d", 1001+i)
	}
}

// incident makes up one.
func (y *year) incident(c cause, at time.Time) *trouble {
	t := &trouble{cause: c, kind: "incident", started: at, region: choose(y, []string{"eu", "eu", "us"})}
	t.service = weighted(y, services, func(s service) float64 {
		if c.only != nil && !slices.Contains(c.only, s.name) {
			return 0
		}
		return s.often
	}).name
	t.title = c.title
	if strings.Contains(c.title, "%s") {
		t.title = fmt.Sprintf(c.title, strings.ToUpper(t.service[:1])+t.service[1:])
	}
	t.severity = weighted(y, []string{"critical", "warning", "info"}, func(s string) float64 {
		return map[string]float64{"critical": 0.3, "warning": 0.5, "info": 0.2}[s]
	})
	for _, caller := range callers(t.service) {
		if y.chance(0.35) {
			t.also = append(t.also, caller)
		}
	}

	// Mitigation gets faster over the year, and once more with the runbooks.
	better := 1.25 - 0.35*y.progress(at)
	if y.month(at, 7) {
		better *= 0.8
	}
	lasts := y.about(time.Duration(float64(c.median)*better), 0.7)

	y.alertsOf(t, at.Add(lasts))
	fired := t.firstNotice()
	person := at.Add(y.about(26*time.Minute, 0.7))
	t.by = weighted(y, []string{"customer", "staff", "third_party"}, func(s string) float64 {
		return map[string]float64{"customer": 0.6, "staff": 0.3, "third_party": 0.1}[s]
	})
	t.detected = person
	if !fired.IsZero() && !fired.After(person) {
		t.detected, t.by = fired, "alert"
	}
	night := t.detected.Hour() < 7 || t.detected.Hour() > 19
	reaction := 4 * time.Minute
	if night {
		reaction = 11 * time.Minute
	}
	t.acknowledged = t.detected.Add(y.about(reaction, 0.6))
	t.mitigated = latest(at.Add(lasts), t.acknowledged.Add(y.about(6*time.Minute, 0.5)))
	t.identified = t.acknowledged.Add(time.Duration(float64(t.mitigated.Sub(t.acknowledged)) * (0.2 + 0.7*y.rng.Float64())))
	if y.chance(0.1) { // it was over before anybody knew why
		t.identified = t.mitigated.Add(y.within(2 * time.Hour))
	}
	t.resolved = t.mitigated.Add(y.within(25 * time.Minute))
	if y.chance(0.06) {
		t.back[0] = t.mitigated.Add(10*time.Minute + y.within(30*time.Minute))
		t.back[1] = t.back[0].Add(y.about(15*time.Minute, 0.5))
		t.resolved = t.back[1].Add(y.within(25 * time.Minute))
	}
	late := 0.35 // how often a ticket is closed hours later
	if y.month(at, 10) {
		late = 0.1
	}
	if y.chance(late) {
		t.resolved = t.resolved.Add(90*time.Minute + y.within(4*time.Hour))
	}
	for _, f := range t.alerts {
		f.end = t.mitigated.Add(y.within(2 * time.Minute))
	}
	t.unseen = len(t.alerts) > 0 && t.alerts[0].rule.severity == "critical" && y.chance(0.1)
	return t
}

// firstNotice is when the first notification of an alert comes; zero where none does.
func (t *trouble) firstNotice() (first time.Time) {
	for _, f := range t.alerts {
		first = earlier(first, f.notified())
	}
	return first
}

// planned makes up drills, maintenance and false alarms.
func (y *year) planned() {
	at := func(daysAgo, hour int) time.Time {
		return y.end.AddDate(0, 0, -daysAgo).Truncate(24 * time.Hour).Add(time.Duration(hour) * time.Hour)
	}
	for i := range 5 {
		start := at(40+i*90, 13)
		y.troubles = append(y.troubles, &trouble{
			kind: "drill", service: services[i].name, title: "The quarterly drill", severity: "info", by: "staff",
			started: start, detected: start.Add(4 * time.Minute), acknowledged: start.Add(6 * time.Minute), mitigated: start.Add(50 * time.Minute), resolved: start.Add(time.Hour),
		})
	}
	for i := range 8 {
		start := at(12+i*55, 4)
		s := services[(i*3)%len(services)].name
		y.troubles = append(y.troubles, &trouble{
			kind: "maintenance", service: s, title: "Planned work on the database of " + s, severity: "info", by: "staff", started: start, resolved: start.Add(2 * time.Hour),
		})
	}
	for i := range 6 {
		start := at(25+i*70, 10).Add(17 * time.Minute)
		y.troubles = append(y.troubles, &trouble{
			kind: "cancelled", service: services[(i*5)%len(services)].name, title: "Customers report trouble that was their own", severity: "warning", by: "customer",
			started: start, detected: start.Add(9 * time.Minute), acknowledged: start.Add(12 * time.Minute),
		})
	}
}

// goingOn is what is not over at the end: one that an alert found, and one of which the record says no end.
func (y *year) goingOn() {
	open := &trouble{
		cause: causes[0], kind: "incident", service: "checkout", also: []string{"storefront"}, severity: "critical", title: "Checkout answers with errors", by: "alert", region: "eu",
		started: y.end.Add(-41 * time.Minute),
	}
	f := &firing{rule: errorsRule, service: "checkout", region: "eu", condition: open.started.Add(40 * time.Second), wait: 31 * time.Second}
	open.alerts = []*firing{f}
	open.detected = f.notified()
	open.acknowledged = open.detected.Add(4 * time.Minute)
	y.troubles = append(y.troubles, open, &trouble{
		cause: causes[4], kind: "incident", service: "search", severity: "warning", title: "Search shows old data", by: "customer", region: "eu",
		started: y.end.Add(-26 * time.Hour), detected: y.end.Add(-23 * time.Hour), acknowledged: y.end.Add(-22 * time.Hour),
	})
}
