package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/correlate"
	"meantime/correlate/catalog"
)

// topology is topology.json: what an organisation would write into its configuration.
type topology struct {
	Services []struct {
		Name    string              `json:"name"`
		Aliases []string            `json:"aliases"`
		Labels  map[string][]string `json:"labels"`
	} `json:"services"`
	Dependencies []struct {
		Service string   `json:"service"`
		Needs   []string `json:"needs"`
	} `json:"dependencies"`
	Rules []struct {
		Matchers []string `json:"matchers"`
		Service  string   `json:"service"`
	} `json:"rules"`
	Watchdogs []struct {
		Matchers []string `json:"matchers"`
	} `json:"watchdogs"`
}

// readTopology turns a topology into rules. Values that labels carry in a service's name are aliases of it, and so are
// the names people say.
func readTopology(path string) (correlate.Rules, error) {
	rules := correlate.DefaultRules()
	b, err := os.ReadFile(path)
	if err != nil {
		return rules, err
	}
	var t topology
	if err := json.Unmarshal(b, &t); err != nil {
		return rules, fmt.Errorf("%s: %w", path, err)
	}
	rules.Services.Labels = []string{"service", "app", "deployment", "job"}
	for _, s := range t.Services {
		a := catalog.ServiceAlias{Service: s.Name, Names: slices.Clone(s.Aliases)}
		for _, values := range s.Labels {
			a.Names = append(a.Names, values...)
		}
		slices.Sort(a.Names)
		a.Names = slices.Compact(a.Names)
		rules.Services.Aliases = append(rules.Services.Aliases, a)
	}
	for _, d := range t.Dependencies {
		rules.Dependencies = append(rules.Dependencies, catalog.Dependency{Service: d.Service, Needs: d.Needs})
	}
	for _, r := range t.Rules {
		m, err := matchers(r.Matchers)
		if err != nil {
			return rules, err
		}
		rules.Services.Rules = append(rules.Services.Rules, catalog.ServiceRule{Matchers: m, Service: r.Service})
	}
	for i, w := range t.Watchdogs {
		m, err := matchers(w.Matchers)
		if err != nil {
			return rules, err
		}
		rules.Watchdogs = append(rules.Watchdogs, correlate.Watchdog{Name: fmt.Sprintf("watchdog-%d", i), Matchers: m, Every: 30 * time.Minute})
	}
	open, err := matchers([]string{`severity="critical"`})
	rules.Open.Matchers = []labels.Matchers{open}
	return rules, err
}

func matchers(texts []string) (labels.Matchers, error) {
	var out labels.Matchers
	for _, s := range texts {
		m, err := labels.ParseMatcher(s)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
