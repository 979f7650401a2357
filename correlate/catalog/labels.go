package catalog

import (
	"strings"
	"unicode"
)

// workloads are labels that name what runs, the most telling first. What a mesh says of the destination comes before what
// Kubernetes says of the pod that was scraped, and the object that a person named before what was made from it.
var workloads = []string{
	"destination_canonical_service", "destination_workload", "destination_service_name", "destination_service",
	"app_kubernetes_io_name", "app.kubernetes.io/name", "service_name", "service.name",
	"deployment", "statefulset", "daemonset", "rollout", "workload", "cronjob", "job_name", "horizontalpodautoscaler", "persistentvolumeclaim",
	"replicaset", "container", "pod",
}

// machines are labels that name where something runs; a service's name may be part of the value.
var machines = []string{"instance", "target", "host", "hostname", "datname"}

// value is what an alert's labels say by a name. Where a scrape found the label on its target as well, the target's own
// was kept under it and what the metric said stands under "exported_".
func value(l map[string]string, name string) string {
	if v := l["exported_"+name]; v != "" {
		return v
	}
	return l[name]
}

// ServiceOf is the canonical service an alert speaks of, empty where nothing names one. A rule counts before a label. Of
// the labels those that the configuration names come first, then workloads, machines and the namespace; but a label that
// names a known service comes before one that names an unknown one, and what names only who measured never counts.
func (c *Catalog) ServiceOf(l map[string]string) string {
	for i := range c.rules.Services.Rules {
		if r := &c.rules.Services.Rules[i]; Matches(r.Matchers, l) {
			return r.Service
		}
	}
	var said, monitored string // the first unknown service, and the first that may be who measured
	for _, label := range c.rules.Services.Labels {
		v := value(l, label)
		if v == "" {
			continue
		}
		if s, ok := c.byName[fold(v)]; ok { // also where it reads like an exporter: the configuration names it
			return s
		}
		name, standing := named(v)
		switch {
		case standing < monitor:
		case standing == monitor && monitored == "":
			monitored = name
		case standing > monitor:
			if s := c.Canonical(name); c.known[s] {
				return s
			}
			if said == "" {
				said = name
			}
		}
	}
	if s := c.knownWithin(l); s != "" {
		return s
	}
	if said != "" {
		return c.Canonical(said)
	}
	for _, label := range workloads {
		if s, standing := named(stem(label, value(l, label))); standing == proper {
			return c.Canonical(s)
		} else if standing == monitor && monitored == "" {
			monitored = s
		}
	}
	for _, label := range machines {
		if s := stem(label, value(l, label)); s != "" && label != "datname" {
			if s, standing := named(s); standing == proper {
				return s
			}
		}
	}
	if s := c.namespace(l); s != "" {
		return s
	}
	return monitored
}

// knownWithin is the known service whose name a label's value begins with, or for a volume claim holds.
func (c *Catalog) knownWithin(l map[string]string) string {
	if len(c.known) == 0 {
		return ""
	}
	for _, list := range [][]string{workloads, machines, {"namespace"}} {
		for _, label := range list {
			v := value(l, label)
			if v == "" {
				continue
			}
			if label == "namespace" && c.foreignNamespace(l) {
				continue
			}
			if s := c.begins(label, v); s != "" {
				return s
			}
		}
	}
	return ""
}

// begins is the known service whose name a label's value begins with, the longest such name, or another spelling of
// all of it. In a volume claim the volume's name may come first.
func (c *Catalog) begins(label, v string) string {
	whole := stem(label, v)
	if _, standing := named(whole); standing == exporter {
		return ""
	}
	words := Words(unschemed(v))
	from := min(1, len(words))
	if label == "persistentvolumeclaim" {
		from = len(words)
	}
	for i := range from {
		for n := min(len(words)-i, c.longest); n > 0; n-- {
			if s, ok := c.byName[strings.Join(words[i:i+n], "")]; ok {
				return s
			}
		}
	}
	if s, standing := named(whole); standing == proper {
		if s, ok := c.find(s); ok {
			return s
		}
	}
	return ""
}

// observers are exporters, folded, that tell of other objects, in whose alerts the namespace is the object's.
var observers = set("kubestatemetrics", "kubelet", "cadvisor")

// foreignNamespace says whether the namespace is that of who measured: the alert carries the labels of an exporter's own
// target, and the exporter tells of no object in a namespace.
func (c *Catalog) foreignNamespace(l map[string]string) bool {
	if l["exported_namespace"] != "" {
		return false
	}
	measured := false
	for _, label := range append([]string{"service", "job", "app", "container"}, c.rules.Services.Labels...) {
		words := Words(l[label])
		for i := range words {
			if observers[strings.Join(words[i:], "")] {
				return false
			}
		}
		if _, standing := named(l[label]); l[label] != "" && standing == exporter {
			measured = true
		}
	}
	return measured
}

// namespace is the service that a namespace stands for where nothing else names one.
func (c *Catalog) namespace(l map[string]string) string {
	v := value(l, "namespace")
	words := Words(v)
	if v == "" || c.foreignNamespace(l) {
		return ""
	}
	for _, w := range words {
		if w == "monitoring" || w == "observability" || w == "system" {
			return ""
		}
	}
	if s, standing := named(v); standing == proper && len(bare(words)) > 0 {
		return c.Canonical(s)
	}
	return ""
}

// machineWords begin names that clouds and clusters give to machines.
var machineWords = []string{"ip-", "node", "gke-", "aks-", "eks-", "vm-", "i-", "worker", "master", "localhost", "control-plane"}

// unschemed is an address without its scheme.
func unschemed(v string) string {
	if _, rest, ok := strings.Cut(v, "://"); ok {
		return rest
	}
	return v
}

// stem is the service's name that a label's value begins with: what is left of a pod without its hashes, of a volume claim
// without the volume's name and ordinal, of an address without scheme, domain, port and ordinal. Empty where nothing but a
// machine's name is left.
func stem(label, v string) string {
	switch label {
	case "instance", "target", "host", "hostname":
		v = unschemed(v)
		v, _, _ = strings.Cut(v, "/")
		v, _, _ = strings.Cut(v, ":")
		v, _, _ = strings.Cut(v, ".")
		for _, w := range machineWords {
			if strings.HasPrefix(v, w) {
				return ""
			}
		}
	case "destination_service", "destination_service_name":
		v, _, _ = strings.Cut(v, ".")
	}
	parts := strings.Split(v, "-")
	if label == "persistentvolumeclaim" {
		for len(parts) > 1 && volumes[parts[0]] {
			parts = parts[1:]
		}
	}
	if n := len(parts); label == "pod" && n > 2 && len(parts[n-1]) == 5 && generated(parts[n-2]) {
		parts = parts[:n-1] // behind the hash of a replica set, whatever it spells
	}
	if cutsHashes[label] {
		for len(parts) > 1 && generated(parts[len(parts)-1]) {
			parts = parts[:len(parts)-1]
		}
	}
	s := strings.Join(parts, "-")
	if !strings.ContainsFunc(s, unicode.IsLetter) {
		return ""
	}
	return s
}

// cutsHashes are labels whose values end in what a machine made; the others are names that people gave.
var cutsHashes = set("pod", "replicaset", "job_name", "persistentvolumeclaim", "instance", "target", "host", "hostname", "workload")

// volumes are words that names of volume claims begin with.
var volumes = set("data", "storage", "pvc", "volume", "db", "config", "logs", "pgdata", "datadir", "redis")

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
