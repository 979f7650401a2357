package correlate

import (
	"math"
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// directory is the catalog with what else the rules say of alerts and records.
type directory struct {
	*catalog.Catalog
	rules *Rules
	ups   map[string][]reach // caches what upward answers
	interrupt
}

// newDirectory makes one from rules and from the names that alerts carry; nil for none.
func newDirectory(rules *Rules, names *catalog.Names) *directory {
	return &directory{rules: rules, Catalog: catalog.New(rules.catalog(), names), ups: map[string][]reach{}}
}

// catalog is the part of the rules that the catalog is made of.
func (r *Rules) catalog() *catalog.Rules {
	return &catalog.Rules{Services: r.Services, Severities: r.Severities, Dependencies: r.Dependencies, Places: places, Ignore: r.Ignore}
}

// reach is a service whose trouble can reach another, with the logarithm of how likely.
type reach struct {
	from string
	odds float64
}

// upward are the services whose trouble can reach a service, itself first.
func (d *directory) upward(service string) []reach {
	if l, ok := d.ups[service]; ok {
		return l
	}
	var list []reach
	for _, r := range d.Upstream(service) {
		list = append(list, reach{r.Service, math.Log([]float64{atRoot, oneStepOff, twoStepsOff, threeOff}[r.Hops])})
	}
	if d.Known(service) { // there is no end of names that nothing is known of
		d.ups[service] = list
	}
	return list
}

// reaches is the logarithm of how likely trouble of one service reaches another; false where no way is known.
func (d *directory) reaches(from, to string) (float64, bool) {
	for _, r := range d.upward(to) {
		if r.from == from {
			return r.odds, true
		}
	}
	return 0, false
}

// none is the logarithm of how likely trouble reaches a service from where no way is known.
func (d *directory) none(service string) float64 {
	if service == "" || !d.Connected(service) {
		return math.Log(unknownWay)
	}
	return math.Log(noWay)
}

// kinship is how two services stand to each other, the closest first.
type kinship int

const (
	itself   kinship = iota
	needs            // the first needs the second
	needed           // the second needs the first
	far              // through another
	siblings         // both need a third
	unknown          // of one of them no dependency is known
	strangers
)

func (d *directory) kin(a, b string) kinship { return kinOf(d.Relation(a, b)) }

// kinOf is a relation by steps: what is more than two apart are strangers.
func kinOf(r catalog.Relation) kinship {
	switch {
	case r.Kind == catalog.Same:
		return itself
	case r.Kind == catalog.SharesNeed:
		return siblings
	case r.Kind == catalog.Unknown:
		return unknown
	case r.Kind == catalog.Unrelated || r.Hops > 2:
		return strangers
	case r.Hops == 2:
		return far
	case r.Kind == catalog.Needs:
		return needs
	}
	return needed
}

// opens says whether an alert may open an incident by itself.
func (d *directory) opens(l map[string]string) bool {
	return slices.ContainsFunc(d.rules.Open.Matchers, func(m labels.Matchers) bool { return catalog.Matches(m, l) })
}

// watchdog is the name of the watchdog an alert is, empty for none.
func (d *directory) watchdog(l map[string]string) string {
	for i := range d.rules.Watchdogs {
		if catalog.Matches(d.rules.Watchdogs[i].Matchers, l) {
			return d.rules.Watchdogs[i].Name
		}
	}
	return ""
}

// sourceRank is the place of a source in the configured order; the unlisted come last.
func (d *directory) sourceRank(k incident.RecordKey) int {
	if i := slices.Index(d.rules.Sources, k.Source); i >= 0 {
		return i
	}
	return len(d.rules.Sources)
}
