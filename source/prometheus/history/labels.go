package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"go.yaml.in/yaml/v3"
)

// labelling is what a server does to the labels of a series on the way to Alertmanager.
type labelling struct {
	external map[string]string
	relabel  []*relabel.Config
}

// alert gives the labels that Alertmanager has of an alert with these labels, or says that it is never sent.
func (l *labelling) alert(of map[string]string) (map[string]string, bool) {
	b := labels.NewBuilder(labels.FromMap(of))
	for k, v := range l.external {
		if b.Get(k) == "" { // its own wins
			b.Set(k, v)
		}
	}
	if !relabel.ProcessBuilder(b, l.relabel...) {
		return nil, false
	}
	out := b.Labels().Map()
	for k, v := range out {
		if v == "" {
			delete(out, k)
		}
	}
	return out, len(out) > 0
}

// settings are what a server's configuration says.
type settings struct {
	labelling
	evaluation  time.Duration // the interval of groups without one of their own
	queryOffset time.Duration // of groups without one of their own
	// differing: it sends to Alertmanagers that it relabels for otherwise than for others.
	differing bool
}

// errNoSettings says that a server tells nothing of its configuration.
var errNoSettings = errors.New("it tells nothing of its configuration")

// readSettings reads the configuration that a server shows. An empty one is no configuration.
func readSettings(text string) (*settings, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errNoSettings
	}
	var c struct {
		Global struct {
			ExternalLabels     map[string]string `yaml:"external_labels"`
			EvaluationInterval model.Duration    `yaml:"evaluation_interval"`
			RuleQueryOffset    model.Duration    `yaml:"rule_query_offset"`
		} `yaml:"global"`
		Alerting struct {
			Relabel       []*relabel.Config `yaml:"alert_relabel_configs"`
			Alertmanagers []struct {
				Relabel []*relabel.Config `yaml:"alert_relabel_configs"`
			} `yaml:"alertmanagers"`
		} `yaml:"alerting"`
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		return nil, fmt.Errorf("its configuration: %w", err)
	}
	s := &settings{evaluation: time.Duration(c.Global.EvaluationInterval), queryOffset: time.Duration(c.Global.RuleQueryOffset)}
	s.external, s.relabel = c.Global.ExternalLabels, c.Alerting.Relabel
	if a := c.Alerting.Alertmanagers; len(a) > 0 {
		own := written(a[0].Relabel)
		for _, x := range a[1:] {
			s.differing = s.differing || written(x.Relabel) != own
		}
		if !s.differing {
			s.relabel = slices.Concat(s.relabel, a[0].Relabel)
		}
	}
	for _, r := range s.relabel {
		if r == nil {
			return nil, errors.New("its configuration: an empty alert_relabel_configs")
		}
		if err := r.Validate(model.UTF8Validation); err != nil {
			return nil, fmt.Errorf("its configuration: alert_relabel_configs: %w", err)
		}
	}
	return s, nil
}

func written(configs []*relabel.Config) string {
	b, _ := yaml.Marshal(configs) // what was read can be written
	return string(b)
}
