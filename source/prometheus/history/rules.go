package history

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// Rule is an alerting rule as a server has it today.
type Rule struct {
	Labels   map[string]string // those that are the same for all its alerts
	For      time.Duration
	Interval time.Duration // between its evaluations; 0 where the server does not say
}

// Rules are alerting rules by the name of their alerts.
type Rules map[string][]Rule

// maxFor is the longest time that is believed, in seconds.
const maxFor = 365 * 24 * 60 * 60

// AskRules asks a server for its alerting rules.
func AskRules(ctx context.Context, c interface {
	Get(ctx context.Context, path string, query url.Values, out any) error
}) (Rules, error) {
	var answer struct {
		Data struct {
			Groups []struct {
				Interval float64           `json:"interval"` // seconds
				Rules    []json.RawMessage `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	// Versions before 2.52 do not know exclude_alerts and ignore it.
	if err := c.Get(ctx, "/api/v1/rules", url.Values{"type": {"alert"}, "exclude_alerts": {"true"}}, &answer); err != nil {
		return nil, err
	}
	rules := Rules{}
	for _, g := range answer.Data.Groups {
		for _, raw := range g.Rules {
			var w struct {
				Name     string            `json:"name"`
				Type     string            `json:"type"`
				Duration float64           `json:"duration"` // seconds
				Labels   map[string]string `json:"labels"`
			}
			if err := json.Unmarshal(raw, &w); err != nil || w.Type != "alerting" || w.Duration < 0 || w.Duration > maxFor {
				continue // one odd rule does not lose the others
			}
			for k, v := range w.Labels {
				if strings.Contains(v, "{{") { // a template: every alert has its own
					delete(w.Labels, k)
				}
			}
			r := Rule{Labels: w.Labels, For: seconds(w.Duration)}
			if g.Interval > 0 && g.Interval < maxFor {
				r.Interval = seconds(g.Interval)
			}
			rules[w.Name] = append(rules[w.Name], r)
		}
	}
	return rules, nil
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

// Of are the rules that may have made an alert with these labels: each label of theirs is one of the alert's. An empty one is
// none.
func (r Rules) Of(labels map[string]string) []Rule {
	var out []Rule
next:
	for _, x := range r[labels["alertname"]] {
		for k, v := range x.Labels {
			if labels[k] != v {
				continue next
			}
		}
		out = append(out, x)
	}
	return out
}
