package invent

import (
	"fmt"
	"slices"
	"strings"
)

type service struct {
	name, level, team, namespace string
	said                         string // what labels call it
	style                        string // which label names it: service, app, job, component or k8s
	regions                      []string
	calls                        []*service
	callers                      []*service
	pods                         int
	node                         int
	aliases                      []string
}

var edgeNames = []string{"storefront", "ios-gateway", "merchant-api", "backoffice", "public-api"}

var middleNames = []string{
	"basket", "catalog", "quotes", "ledger", "payouts", "fraud-check", "delivery", "warehouse", "coupons", "ratings", "accounts", "sms-sender",
	"exports", "search-index", "thumbnails", "feeds", "calendar", "messages", "routing", "subscriptions", "tickets", "referrals", "webhooks-out", "translations",
}

var infraNames = []string{"message-bus", "service-discovery", "object-storage"}

// found lays out services and who calls whom.
func (w *World) found() {
	w.regions = []string{"north", "south", "west"}[:2+w.rng.IntN(2)]
	teams := []string{"amber", "cobalt", "crimson", "jade", "ivory"}
	edges := max(2, w.Services/5)
	middles := slices.Clone(middleNames)
	w.rng.Shuffle(len(middles), func(i, j int) { middles[i], middles[j] = middles[j], middles[i] })
	var edge, middle, infra []*service
	add := func(name, level string) *service {
		s := &service{name: name, level: level, team: pick(w, teams), said: name, regions: w.regions, pods: w.Pods[0] + w.rng.IntN(w.Pods[1]-w.Pods[0]+1), node: 10 + len(w.services)}
		if level == "middle" && w.chance(0.3) {
			s.regions = []string{pick(w, w.regions)}
		}
		s.namespace = s.team
		if w.chance(0.5) {
			s.namespace = name
		}
		if w.chance(w.OtherName) {
			s.said = pick(w, []string{name + "-svc", strings.ReplaceAll(name, "-", "_"), name + "-server", "prod-" + name})
		}
		s.style = pick(w, []string{"service", "service", "service", "app", "job", "component", "k8s"})
		if w.Plain {
			s.style = "k8s"
		}
		title := strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "-", " ")
		s.aliases = []string{title, strings.ReplaceAll(name, "-", " ") + " service", strings.ReplaceAll(name, "-", "")}
		w.services = append(w.services, s)
		w.byName[name] = s
		return s
	}
	for _, n := range edgeNames[:min(edges, len(edgeNames))] {
		edge = append(edge, add(n, "edge"))
	}
	for _, n := range middles[:min(w.Services-edges, len(middles))] {
		middle = append(middle, add(n, "middle"))
	}
	for _, n := range infraNames[:2] {
		s := add(n, "infra")
		s.team = "platform"
		infra = append(infra, s)
	}
	for _, m := range middle {
		if w.chance(0.35) {
			s := add(m.name+"-db", "store")
			s.aliases = []string{m.name + " database", "Postgres " + m.name}
			s.team, s.style, s.said = m.team, "job", m.name+"-db"
			m.calls = append(m.calls, s)
		}
	}
	link := func(from *service, to []*service, n int) {
		for _, i := range w.rng.Perm(len(to))[:min(n, len(to))] {
			if to[i] != from && !slices.Contains(from.calls, to[i]) {
				from.calls = append(from.calls, to[i])
			}
		}
	}
	for _, e := range edge {
		link(e, middle, 3+w.rng.IntN(3))
	}
	for i, m := range middle {
		link(m, middle[i+1:], w.rng.IntN(4))
		if w.chance(0.6) {
			link(m, infra, 1)
		}
	}
	for _, s := range w.services {
		for _, c := range s.calls {
			c.callers = append(c.callers, s)
		}
	}
}

// labels are those of one alert of a service. unit tells pods and instances apart.
func (w *World) labels(s *service, r rule, region string, unit int) map[string]string {
	l := map[string]string{"alertname": r.name, "severity": r.severity, w.placeLabel(): region}
	if w.Clusters {
		l["region"] = "eu"
	}
	if w.Pages {
		l["severity"] = map[string]string{"critical": "page", "warning": "ticket"}[r.severity]
	}
	switch r.by {
	case "pod":
		l["job"], l["namespace"], l["container"] = "kube-state-metrics", s.namespace, s.said
		l["pod"] = fmt.Sprintf("%s-%08x-%d", s.said, hash(s.name, region, fmt.Sprint(unit/2)), unit)
	case "probe":
		l["job"], l["instance"] = "blackbox", fmt.Sprintf("https://%s.%s.example.net/health", s.name, region)
	case "store":
		l["job"], l["instance"], l["datname"] = "postgres", fmt.Sprintf("%s-%d.%s:9187", s.name, unit%2, region), strings.TrimSuffix(s.name, "-db")
	case "node":
		l["job"], l["instance"] = "node", fmt.Sprintf("10.0.%d.%d:9100", s.node, unit)
	case "target":
		l["job"], l["instance"] = s.said, fmt.Sprintf("%s-%d.%s:8080", s.said, unit, region)
	default:
		switch s.style {
		case "service":
			l["service"], l["team"] = s.said, s.team
		case "app":
			l["app"], l["namespace"] = s.said, s.namespace
		case "job":
			l["job"], l["instance"] = s.said, fmt.Sprintf("%s-0:8080", s.said)
		case "component":
			l["component"] = s.said
			if !w.Clusters {
				l["cluster"] = region + "-1"
			}
		default:
			l["namespace"], l["deployment"] = s.namespace, s.said
		}
	}
	if w.Plain {
		delete(l, "job")
	}
	return l
}

// topology is what the organisation would configure.
func (w *World) topology() map[string]any {
	services, deps, rules := []any{}, []any{}, []any{}
	for _, s := range w.services {
		if w.Plain {
			break
		}
		names := []string{}
		for _, a := range s.aliases {
			if w.chance(w.Listed) {
				names = append(names, a)
			}
		}
		label, said := s.nameLabel()
		services = append(services, map[string]any{
			"name": s.name, "tier": s.level, "team": s.team, "regions": s.regions, "aliases": names,
			"labels": map[string][]string{label: {said}},
		})
		if len(s.calls) > 0 {
			var needs []string
			for _, c := range s.calls {
				needs = append(needs, c.name)
			}
			slices.Sort(needs)
			deps = append(deps, map[string]any{"service": s.name, "needs": needs})
		}
		rule := func(ms ...string) {
			if w.chance(w.Listed) {
				rules = append(rules, map[string]any{"matchers": ms, "service": s.name})
			}
		}
		rule(`job="blackbox"`, fmt.Sprintf(`instance=~"https://%s[.].*"`, s.name))
		rule(fmt.Sprintf(`namespace="%s"`, s.namespace), fmt.Sprintf(`pod=~"%s-.*"`, s.said))
		if s.level == "store" {
			rule(`job="postgres"`, fmt.Sprintf(`instance=~"%s-[0-9][.].*"`, s.name))
		}
	}
	out := map[string]any{
		"services": services, "dependencies": deps, "rules": rules,
		"watchdogs": []any{map[string]any{"matchers": []string{`alertname="Heartbeat"`}}},
	}
	if w.Pages {
		out["open"] = [][]string{{`severity="page"`}}
	}
	if w.Clusters {
		out["places"] = []string{w.placeLabel()}
	}
	return out
}

// placeLabel is the label that says where something is.
func (w *World) placeLabel() string {
	if w.Clusters {
		return "cluster"
	}
	return "region"
}

func hash(parts ...string) uint32 {
	h := uint32(2166136261)
	for _, p := range parts {
		for _, c := range []byte(p) {
			h = (h ^ uint32(c)) * 16777619
		}
		h = (h ^ 0xff) * 16777619
	}
	return h
}
