package config

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"

	"meantime/correlate"
	"meantime/correlate/catalog"
	"meantime/incident"
)

func (v *validator) rules() correlate.Rules {
	c := v.Correlate
	r := correlate.Rules{
		Services:     v.services(),
		Severities:   v.severities(),
		LinkAt:       c.LinkAt,
		SuggestAt:    c.SuggestAt,
		Dependencies: v.dependencies(),
		Open:         v.open(),
		Places:       v.names("correlate.places", c.Places),
		Maintenance:  v.maintenance(),
		Silence:      v.positive("correlate.expire_after", c.ExpireAfter),
		OpenFor:      v.positive("correlate.open_for", c.OpenFor),
		Watchdogs:    v.watchdogs(),
		Ignore:       v.ignore(),
	}
	switch {
	case !(c.LinkAt > 0 && c.LinkAt <= 1):
		v.bad("correlate.link_at", "%v is not above 0 and at most 1", c.LinkAt)
	case !(c.SuggestAt > 0 && c.SuggestAt <= 1):
		v.bad("correlate.suggest_at", "%v is not above 0 and at most 1", c.SuggestAt)
	case c.SuggestAt > c.LinkAt:
		v.bad("correlate.suggest_at", "%v is above link_at, which is %v", c.SuggestAt, c.LinkAt)
	}
	return r
}

func (v *validator) services() catalog.Services {
	out := catalog.Services{Labels: v.names("services.labels", v.Services.Labels)}
	for i, c := range v.Services.Rules {
		key := fmt.Sprintf("services.rules[%d]", i)
		if c.Service == "" {
			v.bad(key+".service", "missing; it names the service of the alerts that match")
		}
		out.Rules = append(out.Rules, catalog.ServiceRule{Matchers: v.matchers(key+".matchers", c.Matchers), Service: c.Service})
	}
	owners := map[string]string{}
	for i, c := range v.Services.Aliases {
		key := fmt.Sprintf("services.aliases[%d]", i)
		if c.Service == "" {
			v.bad(key+".service", "missing; it is the service that the names mean")
		}
		v.aliases(owners, key+".names", c.Service, c.Names)
		out.Aliases = append(out.Aliases, catalog.ServiceAlias{Service: c.Service, Names: c.Names})
	}
	return out
}

func (v *validator) severities() catalog.Severities {
	out := catalog.Severities{
		Labels: v.names("severities.labels", v.Severities.Labels),
		Order:  v.names("severities.order", v.Severities.Order),
	}
	if len(out.Order) == 0 {
		v.bad("severities.order", "empty; name the severities, the gravest first")
	}
	owners := map[string]string{}
	for i, c := range v.Severities.Aliases {
		key := fmt.Sprintf("severities.aliases[%d]", i)
		v.oneOf(key+".severity", "severity", c.Severity, out.Order)
		v.aliases(owners, key+".names", c.Severity, c.Names)
		out.Aliases = append(out.Aliases, catalog.SeverityAlias{Severity: c.Severity, Names: c.Names})
	}
	return out
}

// aliases checks the other names of something: no name may mean two things. One that is given twice for the same thing is
// no mistake: lists of names are often made of several, by letter case and by label.
func (v *validator) aliases(owners map[string]string, key, owner string, names []string) {
	if len(names) == 0 {
		v.bad(key, "missing; list the other names")
	}
	for j, n := range names {
		first := ", first for " + owner
		if owners[folded(n)] != first {
			v.unique(owners, fmt.Sprintf("%s[%d]", key, j), n, first)
		}
	}
}

// names checks a list of names: none empty, none twice.
func (v *validator) names(key string, list []string) []string {
	seen := map[string]string{}
	for i, n := range list {
		v.unique(seen, fmt.Sprintf("%s[%d]", key, i), n, "")
	}
	return slices.Clone(list)
}

func (v *validator) dependencies() []catalog.Dependency {
	var out []catalog.Dependency
	for i, c := range v.Correlate.Dependencies {
		key := fmt.Sprintf("correlate.dependencies[%d]", i)
		if c.Service == "" {
			v.bad(key+".service", "missing; it is the service that needs the others")
		}
		if len(c.Needs) == 0 {
			v.bad(key+".needs", "missing; list the services it needs")
		}
		for j, n := range v.names(key+".needs", c.Needs) {
			if n == c.Service && n != "" {
				v.bad(fmt.Sprintf("%s.needs[%d]", key, j), "%s needs itself", n)
			}
		}
		out = append(out, catalog.Dependency{Service: c.Service, Needs: c.Needs})
	}
	return out
}

func (v *validator) open() correlate.Open {
	const key = "correlate.open"
	c := v.Correlate.Open
	out := correlate.Open{
		Weigh:        c.Weigh,
		GroupBy:      v.names(key+".group_by", c.GroupBy),
		Quiet:        v.positive(key+".quiet", c.Quiet),
		ReopenWithin: c.ReopenWithin.Value(),
	}
	if slices.Equal(c.Matchers, Matchers{opensByDefault}) {
		out.Matchers = v.gravest()
	} else if len(c.Matchers) > 0 {
		out.Matchers = append(out.Matchers, v.matchers(key+".matchers", c.Matchers))
	}
	for i, a := range c.Any {
		out.Matchers = append(out.Matchers, v.matchers(fmt.Sprintf("%s.any[%d].matchers", key, i), a.Matchers))
	}
	return out
}

// gravest matches the gravest severities: by the words that people use, and the first that the configuration names.
func (v *validator) gravest() []labels.Matchers {
	var names []string
	if order := v.Severities.Order; len(order) > 0 {
		names = append(names, order[0])
		for _, a := range v.Severities.Aliases {
			if a.Severity == order[0] {
				names = append(names, a.Names...)
			}
		}
	}
	return correlate.OpenGravest(v.Severities.Labels, names...)
}

func (v *validator) ignore() []labels.Matchers {
	var out []labels.Matchers
	for i, a := range v.Alerts.Ignore {
		out = append(out, v.matchers(fmt.Sprintf("alerts.ignore[%d].matchers", i), a.Matchers))
	}
	return out
}

// dropLabels are the labels by which no alert is told from another.
func (v *validator) dropLabels() []string {
	list := v.names("alerts.drop_labels", v.Alerts.DropLabels)
	for i, n := range list {
		if n == "alertname" {
			v.bad(fmt.Sprintf("alerts.drop_labels[%d]", i), "alertname tells one alert from another; name labels that only tell replicas apart, such as prometheus_replica")
		}
	}
	return list
}

func (v *validator) maintenance() []correlate.Maintenance {
	var out []correlate.Maintenance
	for i, c := range v.Correlate.Maintenance {
		key := fmt.Sprintf("correlate.maintenance[%d]", i)
		m := correlate.Maintenance{Matchers: v.matchers(key+".matchers", c.Matchers), From: v.instant(key+".from", c.From), To: v.instant(key+".to", c.To)}
		if !m.From.IsZero() && !m.To.IsZero() && !m.To.After(m.From) {
			v.bad(key+".to", "%s is not after from, which is %s", c.To, c.From)
		}
		if c.Weekly != "" {
			m.Weekly = v.weekly(key, c)
		} else if c.Zone != "" {
			v.bad(key+".zone", "it is the zone of weekly, which is missing; from and to carry their own")
		}
		out = append(out, m)
	}
	return out
}

// instant reads an RFC 3339 time; zero where there is none.
func (v *validator) instant(key, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := incident.ParseTime(text)
	if err != nil {
		v.bad(key, "%v", err)
	}
	return t
}

var weeklyForm = regexp.MustCompile(`^(sun|mon|tue|wed|thu|fri|sat) ([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)

// weekly reads a stretch of each week.
func (v *validator) weekly(key string, c MaintenanceConfig) *correlate.Weekly {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		v.bad(key+".zone", "unknown zone %q; write one such as Europe/Berlin", c.Zone)
		return nil
	}
	m := weeklyForm.FindStringSubmatch(c.Weekly)
	if m == nil {
		v.bad(key+".weekly", "%q is not a day and two times; write it like \"sun 02:00-04:00\"", c.Weekly)
		return nil
	}
	clock := func(hour, minute string) time.Duration {
		h, _ := strconv.Atoi(hour) // the form holds digits alone
		n, _ := strconv.Atoi(minute)
		return time.Duration(h)*time.Hour + time.Duration(n)*time.Minute
	}
	day := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, m[1])
	return &correlate.Weekly{Day: time.Weekday(day), From: clock(m[2], m[3]), To: clock(m[4], m[5]), Zone: zone}
}

func (v *validator) watchdogs() []correlate.Watchdog {
	var out []correlate.Watchdog
	seen := map[string]string{}
	for i, c := range v.Watchdogs {
		key := fmt.Sprintf("watchdogs[%d]", i)
		w := correlate.Watchdog{Name: c.Name, Matchers: v.matchers(key+".matchers", c.Matchers), Every: v.positive(key+".every", c.Every)}
		for _, m := range w.Matchers {
			if w.Name == "" && m.Name == "alertname" && m.Type == labels.MatchEqual {
				w.Name = m.Value
			}
		}
		if w.Name != "" {
			v.unique(seen, key+".name", w.Name, "")
		} else if len(w.Matchers) > 0 {
			v.bad(key+".name", "missing, and no matcher asks for one alertname to take it from")
		}
		out = append(out, w)
	}
	return out
}

// matchers parses a set of matchers in the syntax of Alertmanager's configuration, in its default mode: UTF-8 first, then
// the classic one.
func (v *validator) matchers(key string, list Matchers) labels.Matchers {
	if len(list) == 0 {
		v.bad(key, `missing; write it like ['alertname="Watchdog"']`)
	}
	parse := compat.FallbackMatchersParser(slog.New(slog.DiscardHandler))
	var out labels.Matchers
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		ms, err := parse(s, key)
		if err != nil {
			v.bad(at, "not a matcher: %q: %s", quotable(s), err)
		} else if len(ms) == 0 {
			v.bad(at, `not a matcher: %q; write it like 'severity="critical"'`, quotable(s))
		}
		out = append(out, ms...)
	}
	return out
}
