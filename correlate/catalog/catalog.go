// Package catalog knows an organisation's services by all their names, how they stand to each other, and what an alert's
// labels say about service, severity and place. A Catalog is built once, from what the configuration says and from the
// names that alerts' labels carry, and never changes: the same rules and the same names give the same answers, in whatever
// order the names were learned.
package catalog

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/incident"
)

// Rules are what the configuration says about services, severities and dependencies.
type Rules struct {
	Services     Services
	Severities   Severities
	Dependencies []Dependency
	// Learned are dependencies that were seen and that nobody wrote. They say nothing of a service whose needs are written.
	Learned []Dependency
	// Places are labels that say where something is, the widest first.
	Places []string
	// Ignore: an alert that any of these sets matches belongs to no incident and no figure.
	Ignore []labels.Matchers
}

// Services say how an alert and a record name a service.
type Services struct {
	// Labels: the first of these that an alert carries names its service, where no rule does.
	Labels  []string
	Rules   []ServiceRule
	Aliases []ServiceAlias
}

// ServiceRule names the service of alerts whose labels match. The first rule that matches counts.
type ServiceRule struct {
	Matchers labels.Matchers
	Service  string
}

// ServiceAlias lists what people call a service.
type ServiceAlias struct {
	Service string
	Names   []string
}

// Dependency says what a service needs.
type Dependency struct {
	Service string
	Needs   []string
}

// Catalog answers what is what. Safe for concurrent use.
type Catalog struct {
	rules *Rules
	// byName finds a service by a name folded to letters and digits. byCore finds it by the name's core, and byBare by the core
	// without its environment, where only one service has it.
	byName, byCore, byBare map[string]string
	known                  map[string]bool
	// longest is the largest number of words in any name.
	longest         int
	needs, neededBy map[string][]string
	charted         map[string]bool // whose dependencies are written
	relatives       sync.Map        // of a known service: map[string]Relation
}

// New builds a catalog from rules, which must not change afterwards, and from learned names; nil for none. A learned
// name that is another spelling of a configured service is a name of that service. Of several learned spellings of one
// name, that with the most words is the service's, then the first in order of bytes.
func New(rules *Rules, learned *Names) *Catalog {
	c := &Catalog{
		rules: rules, byName: map[string]string{}, byCore: map[string]string{}, byBare: map[string]string{}, known: map[string]bool{},
		needs: map[string][]string{}, neededBy: map[string][]string{}, charted: map[string]bool{},
	}
	cores, bares := candidates{}, candidates{}
	add := func(service, name string) {
		c.known[service] = true
		words := Words(name)
		c.longest = max(c.longest, len(words))
		if folded := strings.Join(words, ""); folded != "" {
			if _, taken := c.byName[folded]; !taken {
				c.byName[folded] = service
			}
		}
		cores.add(core(words), service)
		bares.add(core(bare(words)), service)
	}
	for _, a := range rules.Services.Aliases {
		add(a.Service, a.Service)
	}
	for _, r := range rules.Services.Rules {
		add(r.Service, r.Service)
	}
	for _, p := range rules.Dependencies {
		add(p.Service, p.Service)
		for _, n := range p.Needs {
			add(n, n)
		}
	}
	for _, a := range rules.Services.Aliases {
		for _, n := range a.Names {
			add(a.Service, n)
		}
	}
	cores.settle(c.byCore)
	bares.settle(c.byBare)
	if learned != nil {
		var fresh []string
		for _, n := range learned.sorted() {
			if _, ok := c.find(n); !ok {
				fresh = append(fresh, n)
			}
		}
		slices.SortStableFunc(fresh, func(a, b string) int { return cmp.Compare(len(Words(b)), len(Words(a))) })
		for _, n := range fresh {
			if s, taken := c.byName[fold(n)]; taken {
				add(s, n)
			} else {
				add(n, n)
			}
		}
		cores.settle(c.byCore)
		bares.settle(c.byBare)
	}
	for _, p := range rules.Dependencies {
		for _, n := range p.Needs {
			c.need(p.Service, n)
		}
	}
	// What is learned uses the names that are known and adds none: a spelling in a trace names no service for people.
	written := maps.Clone(c.needs)
	for _, ways := range []map[string][]string{c.needs, c.neededBy} {
		for s := range ways {
			c.charted[s] = true
		}
	}
	for _, p := range rules.Learned {
		from := c.Canonical(p.Service)
		for _, n := range p.Needs {
			if to := c.Canonical(n); !outranked(written, from, to) {
				c.need(from, to)
			}
		}
	}
	return c
}

// need notes that one service needs another.
func (c *Catalog) need(service, other string) {
	if service != other && !slices.Contains(c.needs[service], other) {
		c.needs[service] = append(c.needs[service], other)
		c.neededBy[other] = append(c.neededBy[other], service)
	}
}

// outranked says whether what is written speaks against a dependency that was learned: it says what the service needs, or that the
// other one needs it.
func outranked(written map[string][]string, service, other string) bool {
	return len(written[service]) > 0 || slices.Contains(written[other], service)
}

// Outranked says whether the dependencies of the rules speak against a learned one.
func (c *Catalog) Outranked(service, other string) bool {
	written := map[string][]string{}
	for _, p := range c.rules.Dependencies {
		written[p.Service] = append(written[p.Service], p.Needs...)
	}
	return outranked(written, c.Canonical(service), c.Canonical(other))
}

// candidates are the services that share a core.
type candidates map[string]map[string]bool

func (c candidates) add(core, service string) {
	if core == "" {
		return
	}
	if c[core] == nil {
		c[core] = map[string]bool{}
	}
	c[core][service] = true
}

// settle writes those cores that only one service has.
func (c candidates) settle(out map[string]string) {
	clear(out)
	for core, services := range c {
		if len(services) == 1 {
			for s := range services {
				out[core] = s
			}
		}
	}
}

// Size is the number of services known.
func (c *Catalog) Size() int { return len(c.known) }

// Known says whether a name, as Canonical gives it, is that of a known service.
func (c *Catalog) Known(service string) bool { return c.known[service] }

// Canonical is the name under which a service counts: the one it is known by, else the name itself without a leading
// "namespace/".
func (c *Catalog) Canonical(name string) string {
	if s, ok := c.find(name); ok {
		return s
	}
	name = strings.TrimSpace(name)
	if last := lastSegment(name); last != name {
		if s, ok := c.find(last); ok {
			return s
		}
		return last
	}
	return name
}

// find is the known service that a name means: by all of it, then by its core, then by its core whatever the environment
// the service's name says; where several services fit, none.
func (c *Catalog) find(name string) (string, bool) {
	words := Words(name)
	if s, ok := c.byName[strings.Join(words, "")]; ok {
		return s, true
	}
	k := core(words)
	if s, ok := c.byCore[k]; ok {
		return s, true
	}
	s, ok := c.byBare[k] // one that says an environment itself means that one
	return s, ok
}

// stateTag is what Alertmanager's default title begins with: whether the group fires, and how many of its alerts do.
var stateTag = regexp.MustCompile(`^\s*\[(?i:firing|resolved)(?::\d+)?\]`)

// Mentioned are the known services that a text names, in the order of the text. Longer names count before shorter ones, and
// whole names before cores. What Alertmanager writes before a title names none.
func (c *Catalog) Mentioned(text string) []string {
	words := Words(stateTag.ReplaceAllString(text, ""))
	var out []string
	for i := 0; i < len(words); {
		s, n := c.mention(words[i:])
		if n > 0 && !slices.Contains(out, s) {
			out = append(out, s)
		}
		i += max(n, 1)
	}
	return out
}

// mention is the known service whose name a text begins with, and the number of its words.
func (c *Catalog) mention(words []string) (string, int) {
	for n := min(len(words), c.longest); n > 0; n-- {
		if s, ok := c.byName[strings.Join(words[:n], "")]; ok {
			return s, n
		}
	}
	for n := min(len(words), c.longest); n > 0; n-- {
		if generic[words[0]] || generic[words[n-1]] {
			continue
		}
		if k := core(words[:n]); len(k) >= shortestCore {
			if s, ok := c.byCore[k]; ok {
				return s, n
			}
		}
	}
	return "", 0
}

// shortestCore is how many letters a core needs to be found in a text: shorter ones are also ordinary words.
const shortestCore = 5

// Named are the services a record names: its services first, then those of its title.
func (c *Catalog) Named(r *incident.Record) []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range r.Services {
		add(c.Canonical(s))
	}
	for _, s := range c.Mentioned(r.Title) {
		add(s)
	}
	return out
}

// Matches is labels.Matchers.Matches over plain strings. No matchers match nothing.
func Matches(ms labels.Matchers, l map[string]string) bool {
	for _, m := range ms {
		if !m.Matches(l[m.Name]) {
			return false
		}
	}
	return len(ms) > 0
}
