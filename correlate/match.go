package correlate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// match is how likely an outbreak is what a report tells of: what each sort of evidence says, in logarithms of odds, and
// their weighted sum.
type match struct {
	report   *report
	outbreak *outbreak
	odds     float64

	timing
	service, place, reference, words, size float64
	referred                               string   // how the report names an alert of it
	said                                   []string // words in common

	than   *report // see gain
	gained float64
	of     *outbreak // see partly
	fits   float64
}

// The services a report names, as a share of how often they were named in labelled incidents.
const (
	namesRoot      = 0.6
	namesSufferer  = 0.3
	namesAny       = 0.1
	namesNeighbour = 0.02
	namesRelated   = 0.01
	namesMember    = 0.7
	worstService   = -4.0 // services that contradict count no more than this
	furtherService = 0.5  // every service named after the first counts half
	byReference    = 6.0
	byGroup        = 3.0
	perWord        = 0.3
	mostWords      = 3
	otherPlaces    = -2.0
	samePlace      = 0.7
	matchBase      = -1.5
	worthwhile     = -2.5 // odds below which a match is not considered at all
)

// compare weighs an outbreak against a report. It is nil where nothing speaks for them.
func (r *report) compare(o *outbreak, dir *directory, w *Weights) *match {
	m := &match{report: r, outbreak: o}
	seen := o.look()
	m.size = min(2, 0.7*math.Log2(seen.kinds)) - 0.5
	for _, rec := range r.records {
		if !seen.naming && !refers(rec) {
			continue
		}
		for _, x := range o.members {
			if s, odds := refersToAlert(rec, x); odds > m.reference {
				m.reference, m.referred = odds, s
			}
		}
	}
	for p, n := range o.places {
		switch {
		case r.place == "" || p == "":
		case p == r.place:
			m.place += float64(n)
		case elsewhere(p, r.place):
			m.place -= float64(n)
		}
	}
	m.place = max(otherPlaces, min(samePlace, 4*m.place/float64(len(o.troubles)+2)))
	m.said = common(r.words, seen.words)
	m.said = m.said[:min(len(m.said), mostWords)]
	m.words = perWord * float64(len(m.said))
	best := w.Service * r.bestService(dir)
	m.odds = matchBase + w.Size*m.size + w.Place*m.place + w.Reference*m.reference + w.Words*m.words
	// Most are too far apart in time for anything that services can say.
	m.timing = r.times(o, w, worthwhile-m.odds-best)
	m.odds += w.Time*m.first + w.OtherTimes*m.others + w.End*m.end
	if m.shift != 0 {
		m.odds += clockOdds
	}
	if m.odds+best < worthwhile {
		return nil
	}
	m.service = r.servicesFit(o, dir)
	if m.odds += w.Service * m.service; m.odds < worthwhile {
		return nil
	}
	return m
}

// bestService is the most that servicesFit can say.
func (r *report) bestService(dir *directory) float64 {
	if len(r.services) == 0 {
		return 0
	}
	total := dir.total()
	return math.Log(namesAny+(namesRoot+namesSufferer)*total) + furtherService*float64(len(r.services)-1)*math.Log(0.3+namesMember*total)
}

// servicesFit is how much likelier the report names the services it names because of the outbreak than by chance.
func (r *report) servicesFit(o *outbreak, dir *directory) float64 {
	hit := o.look().services
	n, total := float64(max(1, len(hit))), dir.total()
	sum := 0.0
	for i, s := range r.services {
		nearest := o.nearest(s, dir)
		if i > 0 {
			p := 0.3 / total
			switch {
			case nearest == itself:
				p += namesMember / n
			case nearest <= needed:
				p = namesMember / total
			}
			sum += furtherService * math.Log(p*total)
			continue
		}
		p := namesRoot*o.share(s) + namesAny/total
		switch {
		case nearest == itself:
			p += namesSufferer / n
		case nearest <= needed:
			p += namesNeighbour
		case nearest <= siblings:
			p += namesRelated
		case nearest == unknown && len(dir.rules.Dependencies) == 0 && len(hit) > 1:
			p += namesRelated
		}
		sum += math.Log(p * total)
	}
	return max(sum, worstService)
}

// nearest is how close the closest of the services hit is to one.
func (o *outbreak) nearest(to string, dir *directory) kinship {
	f := o.look()
	best := strangers
	few, kin := f.services, dir.Relatives(to)
	if len(kin) < len(few) {
		for s, k := range kin {
			if f.services[s] > 0 {
				best = min(best, kinOf(k))
			}
		}
	} else {
		for s := range few {
			if k, ok := kin[s]; ok {
				best = min(best, kinOf(k))
			}
		}
	}
	if best < strangers || len(few) == 0 {
		return best
	}
	if !f.looked {
		f.looked = true
		for s := range few {
			f.unconnected = f.unconnected || !dir.Connected(s)
		}
	}
	if f.unconnected || !dir.Connected(to) {
		return unknown
	}
	return strangers
}

// total is how many services there are to be named.
func (d *directory) total() float64 { return float64(max(fewServices, d.Size())) }

const fewServices = 20 // taken as known where fewer are

// related says whether two outbreaks may be parts of one incident: they began at one service, or hit one in common.
func (o *outbreak) related(p *outbreak) bool {
	if o.root == p.root && o.root != "" {
		return true
	}
	few, many := o.look().services, p.look().services
	if len(few) > len(many) {
		few, many = many, few
	}
	for s := range few {
		if many[s] > 0 {
			return true
		}
	}
	return false
}

// apart says whether two outbreaks have no place in common.
func (o *outbreak) apart(p *outbreak) bool {
	if len(o.places) == 0 || len(p.places) == 0 {
		return false
	}
	for a := range o.places {
		for b := range p.places {
			if !elsewhere(a, b) {
				return false
			}
		}
	}
	return true
}

// explains is the logarithm of how well the report explains that a service fell into trouble when and where it did.
func (r *report) explains(t *trouble, dir *directory) float64 {
	best := dir.none(t.service)
	if len(r.services) == 0 {
		best = math.Log(0.1)
	}
	for i, s := range r.services {
		if q, ok := dir.reaches(s, t.service); ok {
			if i > 0 {
				q = min(q, math.Log(0.5))
			}
			best = max(best, q)
		} else if _, ok := dir.reaches(t.service, s); ok && i == 0 {
			best = max(best, math.Log(0.1)) // people name what suffered rather than what failed
		}
	}
	if elsewhere(t.place, r.place) {
		best += math.Log(0.15)
	}
	return best + math.Log(r.density(t.first))
}

// density is how likely an alert of the incident fires around a time, per hour: close to the onset, or while it lasts.
func (r *report) density(t time.Time) float64 {
	c := r.clues[0]
	before, after := c.before.Hours()+1.0/60, c.after.Hours()+4.0/60
	off := t.Sub(c.at).Hours()
	window := min(r.over.Sub(r.onset).Hours(), dayFraction) + 0.25
	early := math.Exp(min(0, off) / before)
	near, within := early, early
	if off > 0 {
		near = math.Exp(-off / after)
		if late := t.Sub(r.over).Hours(); late > 0 {
			within = math.Exp(-late / 0.25)
		}
	}
	return 0.6*near/(before+after) + 0.4*within/window
}

// refersToAlert says how a record and an alert name each other, and how much that says; empty where they do not.
func refersToAlert(rec *incident.Record, x *alert) (string, float64) {
	for _, texts := range []map[string]string{x.Labels, x.Annotations} {
		for _, name := range []string{"incident", "incident_id", "incident_key"} {
			if v := texts[name]; v != "" && (v == rec.ID || v == rec.Key().String() || slices.Contains(rec.References.Keys, v)) {
				return fmt.Sprintf("the alert names %s by its %s", rec.Key(), name), byReference
			}
		}
	}
	ref := &rec.References
	if slices.Contains(ref.Fingerprints, x.Fingerprint) {
		return fmt.Sprintf("%s names the fingerprint %s", rec.Key(), x.Fingerprint), byReference
	}
	for _, u := range ref.URLs {
		switch {
		case u == "":
		case strings.Contains(u, x.Fingerprint):
			return fmt.Sprintf("%s names the alert's address %s", rec.Key(), u), byReference
		case u == x.GeneratorURL || u == x.Annotations["runbook_url"] || u == x.Annotations["dashboard_url"]:
			return fmt.Sprintf("%s names the alert's address %s", rec.Key(), u), byGroup
		}
	}
	for _, g := range x.GroupKeys {
		if slices.Contains(ref.GroupKeys, g) {
			return fmt.Sprintf("%s names the alert group %s", rec.Key(), g), byGroup
		}
	}
	return "", 0
}

// refers says whether a record names any alert.
func refers(rec *incident.Record) bool {
	r := &rec.References
	return len(r.Fingerprints)+len(r.URLs)+len(r.GroupKeys) > 0
}
