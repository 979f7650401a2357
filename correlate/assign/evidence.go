package assign

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// term is one reason, with what it is worth in nats.
type term struct {
	text  string
	worth float64
}

const worthTelling = 0.5 // nats

// evidence says in words why an alert is given to an incident and not to what comes next, the weightiest first.
func (s *solver) evidence(i int, ids map[*state]string) []string {
	return s.words(i, &s.out[i].best)
}

// words are the reasons for one choice, each against the alert's habit.
func (s *solver) words(i int, c *choice) []string {
	x, t := &s.alerts[i], &c.terms
	var list []term
	if c.state.seed == i && c.state.known == nil {
		list = append(list, term{"no record tells of it; it fired first of those that fired together", 1})
	} else {
		list = append(list,
			term{s.tieWords(x, t), math.Log(t.share / shareUncharted)},
			term{s.timeWords(c, t), math.Log(math.Max(smallest, t.time))})
	}
	if w := math.Log(t.end); w > 0 {
		list = append(list, term{"it ended when the record says that the impact did", w})
	}
	if w := math.Log(t.place); math.Abs(w) >= worthTelling {
		text := fmt.Sprintf("the incident is in %s %s", t.where.Label, t.where.Value)
		if w < 0 {
			text = fmt.Sprintf("it fired in %s %s, and the incident is elsewhere", t.where.Label, t.where.Value)
		}
		list = append(list, term{text, w})
	}
	if t.named != "" {
		list = append(list, term{t.named, namedWorth})
	}
	list = append(list, term{s.habitWords(i), -math.Log(s.habit[i] * habitPrior)})
	slices.SortStableFunc(list, func(a, b term) int { return cmp.Compare(math.Abs(b.worth), math.Abs(a.worth)) })
	var out []string
	for n, r := range list {
		if n < 2 || math.Abs(r.worth) >= worthTelling {
			out = append(out, fmt.Sprintf("%s (%+.1f)", r.text, r.worth))
		}
	}
	return out
}

func (s *solver) tieWords(x *Alert, t *terms) string {
	switch t.tie.Kind {
	case Same:
		return "same service " + s.names[t.via]
	case Joined:
		return fmt.Sprintf("other alerts of %s belong to it", x.Service)
	case Uses:
		return fmt.Sprintf("%s needs %s%s", x.Service, s.names[t.via], steps(t.tie.Hops))
	case NeededBy:
		return fmt.Sprintf("%s needs %s%s", s.names[t.via], x.Service, steps(t.tie.Hops))
	case Siblings:
		return fmt.Sprintf("%s and %s need the same service", x.Service, s.names[t.via])
	case Untied:
		return fmt.Sprintf("%s is not tied to %s", x.Service, s.names[t.via])
	case Uncharted:
		return fmt.Sprintf("no dependency between %s and %s is known", x.Service, s.names[t.via])
	case Nameless:
		return "the alert names no service"
	}
	return "the record names no service"
}

func steps(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", %d steps away", n)
}

func (s *solver) timeWords(c *choice, t *terms) string {
	gap := short(t.gap)
	what := "the incident began"
	if k := c.state.known; k != nil {
		what = [...]string{
			Started: "the incident began", Detected: "it was detected", Acknowledged: "somebody began to work on it", Created: "its record was made",
		}[k.Milestone]
	}
	switch t.how {
	case beforeOnset:
		return fmt.Sprintf("it fired %s before %s", short(-t.gap), what)
	case insideWindow:
		return "it fired while users were affected"
	case afterMember:
		if t.gap < 0 {
			return fmt.Sprintf("two more alerts of it fired within %s", short(-t.gap))
		}
		return fmt.Sprintf("another alert of it had fired %s before", gap)
	case whileFiring:
		return "another alert of it was firing"
	case asRelapse:
		return "it fired again soon after the incident was quiet"
	}
	return fmt.Sprintf("it fired %s after %s", gap, what)
}

// habitWords say how often an alert fires for nothing; of a habit of the time of day or of a burst no number would mean that.
func (s *solver) habitWords(i int) string {
	rate := s.habit[i]
	month := rate * 24 * 30
	switch s.habitBy[i] {
	case byClock:
		return "it often fires on its own at this time of day"
	case byDay:
		return "it fired on its own again and again within the day before"
	case byBurst:
		return "the same alert began on many services at once: what watches is down, it may be"
	}
	switch {
	case month < 2:
		return "it seldom fires on its own"
	case month < 45:
		return fmt.Sprintf("it fires about %.0f times a month on its own", month)
	}
	return fmt.Sprintf("it fires about %.0f times a day on its own", rate*24)
}

func short(hours float64) string {
	d := time.Duration(math.Abs(hours) * float64(time.Hour)).Round(time.Second)
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
		if m := int(d.Minutes()) % 60; m != 0 {
			return fmt.Sprintf("%dh%dm", int(d.Hours()), m)
		}
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d >= time.Minute:
		return fmt.Sprintf("%dm", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

// joined says of an alert that is linked whether it opened its incident.
func (s *solver) joined(i int, ids map[*state]string) string {
	x, st := &s.alerts[i], s.out[i].best.state
	switch {
	case st.known != nil && x.Opens:
		return "an incident that is recorded explains it, so it opened none"
	case st.known != nil:
		return "an incident that is recorded explains it"
	case x.Opens && ids[st] == s.seedID(i):
		return "it opened the incident: correlate.open lets it, and nothing else explains it"
	case x.Opens:
		return "it joined an incident that another alert opened, which explains it; else it would have opened one"
	}
	return "it joined an incident that another alert opened, which explains it"
}

// note says of an alert that belongs to nothing why that is, and why it opened no incident.
func (s *solver) note(i int, ids map[*state]string) string {
	x, o := &s.alerts[i], &s.out[i]
	text := "nothing explains it, and " + s.habitWords(i)
	if st := o.best.state; st != nil && o.sure > 0 && ids[st] == "" {
		text = "it fired with others, none of which may open an incident"
	}
	switch {
	case !x.Opens:
		return text + "; correlate.open does not let it open an incident"
	case !s.opt.Weigh:
		return text + "; a person said that it is no incident"
	}
	return text + fmt.Sprintf("; it and what fired with it are not enough to be an incident (%.0f nats of %.0f)", s.worthOf(i), keepWorth)
}

func (s *solver) worthOf(i int) float64 {
	if st := s.out[i].best.state; st != nil && st.known == nil {
		return math.Max(0, st.worth)
	}
	return 0
}
