package catalog

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Names are names of services that alerts' labels carry: a set, so that order and repetition mean nothing. The zero value
// is empty and ready.
type Names struct{ set map[string]bool }

// learning are labels whose every value names a service, besides those that the configuration names.
var learning = []string{"service", "app", "deployment", "job"}

// Learn adds the names that the labels of an alert carry, and says whether any is new: each value of service, app,
// deployment, job and of the configured labels that is neither an exporter's name nor a generic word.
func (n *Names) Learn(rules *Services, l map[string]string) (fresh bool) {
	learn := func(label string) {
		name, standing := named(value(l, label))
		if standing != proper || n.set[name] {
			return
		}
		if n.set == nil {
			n.set = map[string]bool{}
		}
		n.set[name], fresh = true, true
	}
	for _, label := range rules.Labels {
		learn(label)
	}
	for _, label := range learning {
		learn(label)
	}
	return fresh
}

// Merge adds the names of another set, and says whether any is new.
func (n *Names) Merge(other *Names) (fresh bool) {
	for name := range other.set {
		if !n.set[name] {
			if n.set == nil {
				n.set = map[string]bool{}
			}
			n.set[name], fresh = true, true
		}
	}
	return fresh
}

// Len is the number of names.
func (n *Names) Len() int { return len(n.set) }

func (n *Names) sorted() []string { return slices.Sorted(maps.Keys(n.set)) }

// Words cuts a text, or a name, into its words of letters and digits, in lower case.
func Words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// fold is a name without case and separators.
func fold(s string) string { return strings.Join(Words(s), "") }

func set(words ...string) map[string]bool {
	out := map[string]bool{}
	for _, w := range words {
		out[w] = true
	}
	return out
}

// generic are words that say what sort of thing a name names, and not which.
var generic = set("service", "svc", "services", "api", "app", "server", "the", "prod", "production", "prd", "live")

// databases are the words for a database; in a service's name they all mean the same.
var databases = set("db", "database", "postgres", "postgresql", "mysql", "mariadb", "pg")

// environments are words for where a service runs, other than for its users.
var environments = set("staging", "stg", "dev", "development", "qa", "uat", "preprod", "sandbox")

// endings are what a name in one word may end in.
var endings = []string{"service", "svc", "api"}

// core is what tells a service's name from others, in whatever order it was said: "the checkout service", "checkout-svc",
// "checkoutservice" and "Checkout" have one core, as have "Postgres orders" and "orders_db". Empty where all of it is generic.
func core(words []string) string {
	var out []string
	for _, w := range words {
		if databases[w] {
			w = "db"
		}
		if generic[w] {
			continue
		}
		for _, e := range endings {
			if rest, ok := strings.CutSuffix(w, e); ok && len(rest) >= 4 {
				w = rest
				break
			}
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// bare are words without those for an environment.
func bare(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return environments[w] })
}

// lastSegment is what follows the last slash of "namespace/name", as agents write the label job.
func lastSegment(v string) string {
	v = strings.Trim(strings.TrimSpace(v), "/")
	if i := strings.LastIndexByte(v, '/'); i >= 0 && !strings.Contains(v, "://") {
		return strings.TrimSpace(v[i+1:])
	}
	return v
}

// standing is what a label's value can say about a service.
type standing int

const (
	nameless standing = iota // nothing
	exporter                 // who measured
	monitor                  // who measured, or what was measured: "postgres", "prometheus"
	vague                    // a word that any service could be called
	proper                   // a service
)

// exporters are names of what measures other things, folded. A value that ends in one names no service.
var exporters = set(
	"kubestatemetrics",
	"kubelet",
	"cadvisor",
	"blackbox",
	"exporter",
	"exporters",
	"pushgateway",
	"metricsserver",
	"nodeproblemdetector",
	"opentelemetrycollector",
	"otelcollector",
	"otelcol",
	"telegraf",
	"collectd",
	"netdata",
	"grafanaagent",
	"statsd",
	"istiomesh",
	"envoystats",
	"kubernetespods",
	"kubernetesserviceendpoints",
	"kubernetesservices",
	"kubernetesnodes",
	"integrationskubernetes",
)

// beginnings are words that a value begins with which names who measured: "blackbox-http", "probe/monitoring/shop".
var beginnings = set("blackbox", "snmp", "probe", "probes")

// monitors are values, folded, that can be who measured and what was measured. They name a service where nothing else does.
var monitors = set("postgres", "postgresql", "mysql", "mysqld", "mariadb", "redis", "mongodb", "prometheus", "alertmanager")

// nothings are values, folded, that name no service whatever else is missing.
var nothings = set(
	"node", "nodes", "windows", "federate", "kubernetes", "kubernetesapiservers", "docker", "default", "unknown", "none", "null",
	"http", "https", "metrics", "httpmetrics", "httpsmetrics",
)

// vagues are values, folded, that name a service only where the label says that they do: a container of this name says
// nothing.
var vagues = set(
	"app",
	"apps",
	"application",
	"main",
	"server",
	"service",
	"svc",
	"web",
	"api",
	"backend",
	"frontend",
	"container",
	"pod",
	"test",
	"prod",
	"production",
	"staging",
	"dev",
	"development",
	"worker",
	"manager",
	"controller",
	"sidecar",
	"istioproxy",
	"linkerdproxy",
	"envoy",
	"proxy",
	"init",
)

// named is the service that a value of a label for services names, without the prefix of a chart or a namespace, and what
// it can say.
func named(v string) (string, standing) {
	words := Words(v)
	if len(words) == 0 || beginnings[words[0]] {
		return "", exporter
	}
	for i := range words {
		if exporters[strings.Join(words[i:], "")] {
			return "", exporter
		}
	}
	v = chartless(lastSegment(v))
	switch folded := fold(v); {
	case folded == "" || nothings[folded]:
		return "", nameless
	case monitors[folded]:
		return v, monitor
	case vagues[folded]:
		return v, vague
	}
	return v, proper
}

// stackWords are how charts of Prometheus' stack name what they install, cut to the length that a release's name leaves.
var stackWords = set("prometheus", "promethe", "prometheu", "prometh", "prome", "prom")

// chartless is a name without the prefix that the charts of Prometheus' stack give all they install, a release's name
// included: of "monitoring-kube-prometheus-coredns" it is "coredns", of the bare prefix "prometheus".
func chartless(v string) string {
	parts := strings.FieldsFunc(v, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for i := len(parts) - 2; i >= 0; i-- {
		if !strings.EqualFold(parts[i], "kube") || !stackWords[strings.ToLower(parts[i+1])] {
			continue
		}
		rest := parts[i+2:]
		if len(rest) > 0 && strings.EqualFold(rest[0], "stack") {
			rest = rest[1:]
		}
		switch s := strings.ToLower(strings.Join(rest, "-")); s {
		case "":
			return "prometheus"
		case "operator":
			return "prometheus-operator"
		default:
			return s
		}
	}
	return v
}
