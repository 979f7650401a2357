package correlate

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// opening is an incident that alerts open by themselves: an outbreak that no record tells of, and those that follow it soon.
type opening struct {
	outbreaks []*outbreak
	odds      float64
	number    int
}

// What makes an outbreak an incident of its own, in logarithms of odds; fitted to labelled organisations and rounded. One
// short alert is none, and neither are three of a monitoring outage; seven different alerts are one, and so is one grave
// alert that fires for an hour.
const (
	openBase    = -9.0
	openKinds   = 2.0  // per logarithm of different alerts of services
	openAlerts  = 2.0  // of different alerts
	openOpeners = 1.0  // of alerts that may open an incident
	openLasts   = 0.5  // of minutes that the longest fired
	openAlone   = 4.5  // of how much longer than aloneLasts one that may open fired
	openOneName = -3.0 // one alert name on several services: that is rather monitoring itself
	aloneLasts  = 12 * time.Minute
	// What fires for half a day without anybody writing about it is a state, not an incident.
	chronic = 12 * time.Hour
)

// opens is the logarithm of the odds that an outbreak is an incident.
func (o *outbreak) opens() float64 { return o.look().odds }

func (f *facts) opens(o *outbreak) float64 {
	var last, opener time.Duration
	openers := map[string]bool{}
	for _, x := range o.members {
		d := x.lasted()
		if d > chronic {
			continue
		}
		last = max(last, d)
		if x.opens {
			openers[x.Fingerprint] = true
			opener = max(opener, d)
		}
	}
	if len(openers) == 0 {
		return openBase
	}
	odds := openBase + openKinds*math.Log(f.kinds) + openAlerts*math.Log(float64(f.alerts)) + openOpeners*math.Log(float64(1+len(openers))) +
		openLasts*math.Log(1+last.Minutes()) + openAlone*math.Log(max(1, opener.Minutes()/aloneLasts.Minutes()))
	if f.names == 1 && f.kinds > 1 {
		odds += openOneName
	}
	return odds
}

// why says in words what makes it an incident.
func (o *outbreak) why() string {
	f := o.look()
	var opener *alert
	for _, x := range f.openers {
		if opener == nil || x.lasted() > opener.lasted() {
			opener = x
		}
	}
	switch {
	case f.alerts == 1:
		return fmt.Sprintf("no record tells of it: %s fired for %s and may open an incident", opener.Name(), opener.lasted().Round(time.Second))
	case o.root != "":
		return fmt.Sprintf("no record tells of it: %s fired together, beginning at %s", plural(f.alerts, "alert"), o.root)
	}
	return fmt.Sprintf("no record tells of it: %s fired together", plural(f.alerts, "alert"))
}

// open lets what belongs to no report open incidents. What fires again within ReopenWithin after it was quiet is a relapse
// of the same incident.
func (s *settlement) open() {
	rules := s.dir.rules
	index := map[string][]*outbreak{} // of opened incidents, by what they hit, and by their root
	for _, o := range s.breaks {
		if to, _ := s.attached(o); len(to) > 0 {
			continue
		}
		odds, forced := o.opens(), s.affirmed(o)
		var into *opening
		for _, p := range s.between(o, incident.ReviewMerge) {
			into = p
		}
		if into == nil && len(o.look().openers) > 0 {
			apart := s.between(o, incident.ReviewSplit)
			for where := range o.hits() {
				index[where] = slices.DeleteFunc(index[where], func(q *outbreak) bool { return q.over(rules).Before(o.first) })
				for _, q := range index[where] {
					if p := s.openedBy[q]; (into == nil || p.number > into.number) && o.relapseOf(q, rules) && !slices.Contains(apart, p) {
						into = p // the newest that fits
					}
				}
			}
		}
		switch {
		case into != nil:
			into.outbreaks = append(into.outbreaks, o)
			into.odds = max(into.odds, odds)
		case rules.Open.Every && !forced:
			continue // each opens by itself, however many fired together
		case odds > 0 || forced:
			into = &opening{outbreaks: []*outbreak{o}, odds: odds, number: len(s.opened)}
			if forced {
				into.odds = max(odds, certain)
			}
			s.opened = append(s.opened, into)
		default:
			continue
		}
		for where := range o.hits() {
			index[where] = append(index[where], o)
		}
		s.openedBy[o] = into
	}
}

// hits are the services that an outbreak hit, and its root.
func (o *outbreak) hits() iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range o.look().services {
			if !yield(s) {
				return
			}
		}
		if o.root != "" && o.look().services[o.root] == 0 {
			yield(o.root)
		}
	}
}

// over is until when what fires again can be a relapse of an outbreak.
func (o *outbreak) over(rules *Rules) time.Time {
	return o.look().quiet.Add(rules.Open.Quiet + rules.Open.ReopenWithin)
}

// relapseOf says whether a later outbreak may be a relapse of an earlier one.
func (o *outbreak) relapseOf(q *outbreak, rules *Rules) bool {
	return len(o.look().openers) > 0 && q.group == o.group && !o.first.Before(q.first) && !o.first.After(q.over(rules)) && q.related(o) && !q.apart(o)
}

// affirmed says whether a person spoke of an outbreak as of an incident.
func (s *settlement) affirmed(o *outbreak) bool {
	return slices.ContainsFunc(s.ids[o], func(id string) bool { return s.reviews.affirms[id] })
}

// between are the opened incidents with which the newest decision about an outbreak is the given one.
func (s *settlement) between(o *outbreak, action incident.ReviewAction) (with []*opening) {
	for _, a := range s.ids[o] {
		for _, p := range s.opened {
			for _, q := range p.outbreaks {
				for _, b := range s.ids[q] {
					if d, ok := s.reviews.joins[pair(a, b)]; ok && d.Action == action && !slices.Contains(with, p) {
						with = append(with, p)
					}
				}
			}
		}
	}
	return with
}

// alone says whether an alert that belongs to nothing opens an incident whatever else fired: because the rules say that each
// does, or because here such alerts are so seldom that one is news. A rule that fires for many services at once is none: that
// is rather monitoring itself.
func (d *directory) alone(x *alert) bool {
	if !x.opens || d.rules.Open.Every {
		return x.opens
	}
	if !x.news || x.outbreak == nil {
		return false
	}
	f := x.outbreak.look()
	return f.names > 1 || f.kinds < smallKinds
}

// lonely are alerts that open an incident by themselves, grouped.
type lonely struct {
	alerts []*alert
	until  time.Time // the latest end
	why    string
}

// openSingly groups alerts, in order of key, whose labels to group by are the same and that follow each other within the
// quiet time and the time in which an incident is opened again.
func openSingly(free []*alert, dir *directory) []*lonely {
	open := map[string]*lonely{}
	var out []*lonely
	for _, x := range free {
		key := x.service + "\x00" + x.group
		if !slices.Contains(dir.rules.Open.GroupBy, "service") {
			key = x.group
		}
		g := open[key]
		if g == nil || x.StartsAt.After(g.until.Add(dir.rules.Open.Quiet+dir.rules.Open.ReopenWithin)) {
			g = &lonely{why: "alerts like it open an incident each"}
			if !dir.rules.Open.Every {
				g.why = "no other alert of its severity fired in the four weeks before"
			}
			open[key] = g
			out = append(out, g)
		}
		g.alerts = append(g.alerts, x)
		until := x.quiet()
		if dir.rules.Open.Every { // then an incident takes what comes while any of its alerts fires
			until = x.until()
		}
		g.until = latest(g.until, until)
	}
	return out
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
