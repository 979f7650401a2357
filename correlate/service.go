package correlate

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/incident"
)

// directory knows the services by all their names, and which needs which. It is built once from Rules and never changes.
type directory struct {
	rules *Rules
	// byName finds a service by a name folded to letters and digits; byCore by the name's core, where only one service
	// has it.
	byName, byCore map[string]string
	// known are the services that rules, aliases and dependencies name.
	known map[string]bool
	// longest is the largest number of words in any name.
	longest int
	needs   map[string][]string
	needed  map[string][]string
	// ups and kins cache what upward and relatives answer.
	ups  map[string][]reach
	kins map[string]map[string]kinship
}

func newDirectory(rules *Rules) *directory {
	d := &directory{
		rules: rules, byName: map[string]string{}, byCore: map[string]string{}, known: map[string]bool{},
		needs: map[string][]string{}, needed: map[string][]string{}, ups: map[string][]reach{}, kins: map[string]map[string]kinship{},
	}
	cores := map[string]map[string]bool{}
	add := func(service, name string) {
		d.known[service] = true
		words := split(name)
		d.longest = max(d.longest, len(words))
		if folded := strings.Join(words, ""); folded != "" {
			if _, taken := d.byName[folded]; !taken {
				d.byName[folded] = service
			}
		}
		if c := core(words); c != "" {
			if cores[c] == nil {
				cores[c] = map[string]bool{}
			}
			cores[c][service] = true
		}
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
	for c, services := range cores {
		if len(services) == 1 {
			for s := range services {
				d.byCore[c] = s
			}
		}
	}
	for _, p := range rules.Dependencies {
		for _, n := range p.Needs {
			if n != p.Service && !slices.Contains(d.needs[p.Service], n) {
				d.needs[p.Service] = append(d.needs[p.Service], n)
				d.needed[n] = append(d.needed[n], p.Service)
			}
		}
	}
	return d
}

// canonical is the name under which a service counts: the one it is known by, else as it was said.
func (d *directory) canonical(name string) string {
	words := split(name)
	if s, ok := d.byName[strings.Join(words, "")]; ok {
		return s
	}
	if s, ok := d.byCore[core(words)]; ok {
		return s
	}
	return strings.TrimSpace(name)
}

// lookup is like canonical, but says whether the name is one of a known service.
func (d *directory) lookup(name string) (string, bool) {
	s := d.canonical(name)
	return s, d.known[s]
}

// exporters are values of the label job that name who measured, not what was measured.
var exporters = map[string]bool{
	"kubestatemetrics": true, "nodeexporter": true, "node": true, "blackbox": true, "blackboxexporter": true, "cadvisor": true,
	"kubelet": true, "postgres": true, "postgresexporter": true, "mysql": true, "mysqldexporter": true, "redisexporter": true,
	"prometheus": true, "pushgateway": true, "kubernetespods": true, "kubernetesserviceendpoints": true, "kubernetesnodes": true,
	"integrationskubernetes": true, "alertmanager": true, "probe": true, "windowsexporter": true, "snmp": true, "statsdexporter": true,
}

// telling are labels that often carry a service's name inside their value, the most telling first.
var telling = []string{"deployment", "statefulset", "daemonset", "workload", "container", "pod", "instance", "target", "host", "hostname", "datname", "namespace"}

// serviceOf is the canonical service an alert speaks of, empty where nothing names one. A rule counts before a label;
// a label whose value is a known service before one whose value is not; and a known service's name inside another
// label before an unknown value.
func (d *directory) serviceOf(l map[string]string) string {
	for i := range d.rules.Services.Rules {
		r := &d.rules.Services.Rules[i]
		if matches(r.Matchers, l) {
			return r.Service
		}
	}
	unknown := ""
	for _, name := range d.rules.Services.Labels {
		v := l[name]
		if v == "" || exporters[strings.Join(split(v), "")] {
			continue
		}
		if s, ok := d.lookup(v); ok {
			return s
		}
		if unknown == "" {
			unknown = strings.TrimSpace(v)
		}
	}
	if len(d.known) > 0 {
		for _, name := range telling {
			if s := d.within(l[name]); s != "" {
				return s
			}
		}
	}
	if unknown != "" {
		return unknown
	}
	for _, name := range telling {
		if s := stem(name, l[name]); s != "" {
			return s
		}
	}
	return ""
}

// within is the known service whose name a label's value begins with, the longest such name.
func (d *directory) within(v string) string {
	words := split(strings.TrimPrefix(strings.TrimPrefix(v, "https://"), "http://"))
	for n := min(len(words), d.longest); n > 0; n-- {
		if s, ok := d.byName[strings.Join(words[:n], "")]; ok {
			return s
		}
	}
	return ""
}

// mentioned are the known services that a text names, in the order of the text; longer names count before shorter ones.
func (d *directory) mentioned(text string) []string {
	words := split(text)
	var out []string
	for i := 0; i < len(words); {
		step := 1
		for n := min(len(words)-i, d.longest); n > 0; n-- {
			if s, ok := d.byName[strings.Join(words[i:i+n], "")]; ok {
				if !slices.Contains(out, s) {
					out = append(out, s)
				}
				step = n
				break
			}
		}
		i += step
	}
	return out
}

// stem is the service's name that a label's value begins with, where no service is known: what is left of a pod without its
// hashes, of an instance without scheme, domain, port and ordinal. Empty where nothing but a machine's name is left.
func stem(label, v string) string {
	switch label {
	case "namespace", "datname":
		return ""
	case "instance", "target", "host", "hostname":
		v = strings.TrimPrefix(strings.TrimPrefix(v, "https://"), "http://")
		v, _, _ = strings.Cut(v, "/")
		v, _, _ = strings.Cut(v, ":")
		v, _, _ = strings.Cut(v, ".")
		if strings.HasPrefix(v, "ip-") || strings.HasPrefix(v, "node") || v == "localhost" {
			return ""
		}
	}
	parts := strings.Split(v, "-")
	for len(parts) > 1 && generated(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	s := strings.Join(parts, "-")
	if !strings.ContainsFunc(s, unicode.IsLetter) {
		return ""
	}
	return s
}

// generated says whether a part of a pod's name was made by a machine: an ordinal or a hash.
func generated(s string) bool {
	letters, digits := 0, 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			letters++
		default:
			return false
		}
	}
	// Kubernetes leaves vowels out of its hashes, so that they spell nothing.
	return letters == 0 || (digits > 0 && len(s) >= 5) || (len(s) == 5 && !strings.ContainsAny(s, "aeiou"))
}

// connected says whether any dependency of a service is known.
func (d *directory) connected(service string) bool {
	return len(d.needs[service])+len(d.needed[service]) > 0
}

// reach is a service whose trouble can reach another, with the logarithm of how likely.
type reach struct {
	from string
	odds float64
}

// upward are the services whose trouble can reach a service, itself first.
func (d *directory) upward(service string) []reach {
	if service == "" {
		return nil
	}
	if l, ok := d.ups[service]; ok {
		return l
	}
	list, seen := []reach{{service, math.Log(atRoot)}}, map[string]bool{service: true}
	edge := []string{service}
	for _, q := range []float64{oneStepOff, twoStepsOff, threeOff} {
		var next []string
		for _, s := range edge {
			for _, t := range d.needs[s] {
				if !seen[t] {
					seen[t] = true
					list, next = append(list, reach{t, math.Log(q)}), append(next, t)
				}
			}
		}
		edge = next
	}
	if d.known[service] { // there is no end of names that nothing is known of
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
	if service == "" || !d.connected(service) {
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

func (d *directory) kin(a, b string) kinship {
	if k, ok := d.relatives(b)[a]; ok {
		return k
	}
	if a == "" || b == "" || !d.connected(a) || !d.connected(b) {
		return unknown
	}
	return strangers
}

// relatives are the services that are not strangers to one, itself among them, as kin of it.
func (d *directory) relatives(of string) map[string]kinship {
	if of == "" {
		return nil
	}
	if m, ok := d.kins[of]; ok {
		return m
	}
	m := map[string]kinship{of: itself}
	add := func(k kinship, list []string) {
		for _, s := range list {
			if _, ok := m[s]; !ok {
				m[s] = k
			}
		}
	}
	add(needs, d.needed[of])
	add(needed, d.needs[of])
	for _, s := range d.needed[of] {
		add(far, d.needed[s])
	}
	for _, s := range d.needs[of] {
		add(far, d.needs[s])
	}
	for _, s := range d.needs[of] {
		add(siblings, d.needed[s])
	}
	if d.known[of] { // there is no end of names that nothing is known of
		d.kins[of] = m
	}
	return m
}

// unrelated says whether no way between a service and any of others is known.
func (d *directory) unrelated(service string, others []string) bool {
	return service != "" && len(others) > 0 && !slices.ContainsFunc(others, func(o string) bool { return d.kin(service, o) < unknown })
}

// named are the services a record names, in its services first and then in its title.
func (d *directory) named(r *incident.Record) []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range r.Services {
		add(d.canonical(s))
	}
	for _, s := range d.mentioned(r.Title) {
		add(s)
	}
	return out
}

// severityOf is the canonical severity of an alert, empty where it carries none.
func (d *directory) severityOf(l map[string]string) string {
	for _, name := range d.rules.Severities.Labels {
		if v := l[name]; v != "" {
			return d.severity(v)
		}
	}
	return ""
}

// severity is the name in Order for what a record or a label calls a severity, else that in lower case.
func (d *directory) severity(name string) string {
	folded := strings.Join(split(name), "")
	for _, s := range d.rules.Severities.Order {
		if strings.Join(split(s), "") == folded {
			return s
		}
	}
	for _, a := range d.rules.Severities.Aliases {
		for _, n := range a.Names {
			if strings.Join(split(n), "") == folded {
				return a.Severity
			}
		}
	}
	return strings.ToLower(strings.TrimSpace(name))
}

// graver says whether severity a is graver than b; what Order does not list comes last.
func (d *directory) graver(a, b string) bool {
	rank := func(s string) int {
		if s == "" {
			return len(d.rules.Severities.Order) + 1
		}
		if i := slices.Index(d.rules.Severities.Order, s); i >= 0 {
			return i
		}
		return len(d.rules.Severities.Order)
	}
	return rank(a) < rank(b)
}

// opens says whether an alert may open an incident by itself.
func (d *directory) opens(l map[string]string) bool {
	return slices.ContainsFunc(d.rules.Open.Matchers, func(m labels.Matchers) bool { return matches(m, l) })
}

// watchdog is the name of the watchdog an alert is, empty for none.
func (d *directory) watchdog(l map[string]string) string {
	for i := range d.rules.Watchdogs {
		if matches(d.rules.Watchdogs[i].Matchers, l) {
			return d.rules.Watchdogs[i].Name
		}
	}
	return ""
}

// matches is labels.Matchers.Matches over plain strings. No matchers match nothing.
func matches(ms labels.Matchers, l map[string]string) bool {
	for _, m := range ms {
		if !m.Matches(l[m.Name]) {
			return false
		}
	}
	return len(ms) > 0
}

// sourceRank is the place of a source in the configured order; the unlisted come last.
func (d *directory) sourceRank(k incident.RecordKey) int {
	if i := slices.Index(d.rules.Sources, k.Source); i >= 0 {
		return i
	}
	return len(d.rules.Sources)
}
