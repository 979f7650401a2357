package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

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
	// Open are the sets of matchers of which one must match for an alert to open an incident.
	Open [][]string `json:"open"`
	// Places are the labels that say where.
	Places []string `json:"places"`
}

// defaultOpen is the opening rule where a topology has none.
var defaultOpen = [][]string{{`severity="critical"`}}

// readTopology reads a topology; one that is not there says nothing.
func readTopology(path string) (*topology, error) {
	var t topology
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &t, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &t, nil
}

// rules turns a topology into rules. Values that labels carry in a service's name are aliases of it, and so are the names
// people say. Where it is not full, only the opening rule is taken.
func (t *topology) rules(full bool) (correlate.Rules, error) {
	rules := correlate.DefaultRules()
	rules.Open.Weigh = true // else every alert that the rule names opens, which judges the rule and not what is weighed
	rules.Open.Matchers = nil
	open := t.Open
	if len(open) == 0 {
		open = defaultOpen
	}
	for _, o := range open {
		m, err := matchers(o)
		if err != nil {
			return rules, err
		}
		rules.Open.Matchers = append(rules.Open.Matchers, m)
	}
	if !full {
		return rules, nil
	}
	if len(t.Places) > 0 {
		rules.Places = t.Places
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
	return rules, nil
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

// matches says whether all matchers match; none match nothing.
func matches(ms labels.Matchers, l map[string]string) bool {
	set := make(model.LabelSet, len(l))
	for k, v := range l {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return len(ms) > 0 && ms.Matches(set)
}
