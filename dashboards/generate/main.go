// Command generate makes what others read of the rules in alerts.yaml and records.yaml, which are the one place where a rule
// is written: rules.libsonnet for the mixin, because the jsonnet of Debian cannot read YAML, and a PrometheusRule for
// Kubernetes. `make generate` runs it in the folder of the dashboards.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Where the generated files lie, from the folder of the dashboards.
const (
	libsonnet      = "rules.libsonnet"
	prometheusRule = "../deploy/kubernetes/monitoring/prometheusrule.yaml"
)

// header says in every generated file where it comes from.
const header = "Generated from alerts.yaml and records.yaml of dashboards/ by `make generate`. Do not edit."

// A threshold is a bound in a rule's expression that a mixin's user may set.
type threshold struct {
	alert string
	name  string // in _config.thresholds
	text  string // the end of the expression as it is written, after the comparison
	value int
}

var thresholds = []threshold{
	{"MeantimeStoreSlow", "storeWaitingWrites", "100", 100},
	{"MeantimeCorrelationFailing", "correlationFailures", "3", 3},
	{"MeantimeCorrelationSlow", "correlationPassSeconds", "5", 5},
	{"MeantimeSourceStale", "sourceStaleSeconds", "6 * 3600", 6 * 3600},
	{"MeantimeSourceStandsStill", "sourceStandsStillSeconds", "3600", 3600},
	{"MeantimeWatchdogSilent", "watchdogSilentSeconds", "15 * 60", 15 * 60},
	{"MeantimeIncidentOpenLong", "incidentOpenSeconds", "86400", 86400},
	{"MeantimeSuggestionsWaiting", "suggestedLinks", "25", 25},
}

// A group of rules, as Prometheus reads it.
type group struct {
	Name  string `json:"name" yaml:"name"`
	Rules []rule `json:"rules" yaml:"rules"`
}

type rule struct {
	Alert       string            `json:"alert,omitempty" yaml:"alert,omitempty"`
	Record      string            `json:"record,omitempty" yaml:"record,omitempty"`
	Expr        string            `json:"expr" yaml:"expr"`
	For         string            `json:"for,omitempty" yaml:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty" yaml:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty" yaml:"annotations,omitempty"`
}

func main() {
	if err := generate("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	alerts, err := read(filepath.Join(dir, "alerts.yaml"))
	if err != nil {
		return err
	}
	records, err := read(filepath.Join(dir, "records.yaml"))
	if err != nil {
		return err
	}
	object, err := kubernetes(alerts, records)
	if err != nil {
		return err
	}
	mixin, err := jsonnet(alerts, records)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{libsonnet: mixin, prometheusRule: object} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// read reads a file of rules. A key that is not known here would be lost, so it is a mistake.
func read(path string) ([]group, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Groups []group }
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file.Groups, nil
}

// kubernetes is the rules as prometheus-operator reads them.
func kubernetes(alerts, records []group) ([]byte, error) {
	type metadata struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	object := struct {
		APIVersion string             `yaml:"apiVersion"`
		Kind       string             `yaml:"kind"`
		Metadata   metadata           `yaml:"metadata"`
		Spec       map[string][]group `yaml:"spec"`
	}{
		"monitoring.coreos.com/v1", "PrometheusRule",
		metadata{"meantime", map[string]string{"app.kubernetes.io/name": "meantime"}},
		map[string][]group{"groups": append(append([]group{}, alerts...), records...)},
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", header)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(object); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// jsonnet is the rules with a mark in the place of every threshold, and the thresholds. JSON is jsonnet.
func jsonnet(alerts, records []group) ([]byte, error) {
	values := map[string]int{}
	for _, t := range thresholds {
		r := find(alerts, t.alert)
		if r == nil {
			return nil, fmt.Errorf("threshold %s: there is no rule %s", t.name, t.alert)
		}
		before, ok := strings.CutSuffix(strings.TrimRight(r.Expr, "\n"), "> "+t.text)
		if !ok {
			return nil, fmt.Errorf("threshold %s: the expression of %s does not end in %q: %s", t.name, t.alert, "> "+t.text, r.Expr)
		}
		r.Expr = before + "> <" + t.name + ">"
		values[t.name] = t.value
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// %s\n", header)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Thresholds map[string]int `json:"thresholds"`
		Alerts     []group        `json:"alerts"`
		Records    []group        `json:"records"`
	}{values, alerts, records})
	return b.Bytes(), err
}

// find is the alert of a name, in place.
func find(groups []group, alert string) *rule {
	for _, g := range groups {
		for i := range g.Rules {
			if g.Rules[i].Alert == alert {
				return &g.Rules[i]
			}
		}
	}
	return nil
}
