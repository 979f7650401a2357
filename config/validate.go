package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// validator collects the mistakes of a configuration.
type validator struct {
	*Config
	problems Problems
	files    []SecretFile
}

func (v *validator) bad(key, format string, args ...any) {
	if !v.places.isBad(key) {
		v.problems = append(v.problems, v.places.problem(key, fmt.Sprintf(format, args...)))
	}
}

// Validate checks the configuration, reads the files of secrets and certificates that it names, and makes of it what the
// program uses. The error is Problems, with everything that is wrong.
func (c *Config) Validate() (*Validated, error) {
	v := &validator{Config: c}
	out := &Validated{
		Windows:       v.windows(),
		Intervals:     v.intervals(),
		Settle:        c.Figures.Settle.Value(),
		Rules:         v.rules(),
		DropLabels:    v.dropLabels(),
		Alertmanagers: v.alertmanagers(),
		Prometheuses:  v.prometheuses(),
		Sources:       v.sources(),
		Postmortems:   v.postmortems(),
		Letters:       v.letters(),
		Limits:        v.limits(),
		Web: Web{
			WebhookToken: v.token("web.webhook_token_file", c.Web.WebhookTokenFile),
			WriteToken:   v.token("web.write_token_file", c.Web.WriteTokenFile),
			AllowedHosts: v.hosts(),
		},
	}
	v.expiry(out)
	out.Store = v.store(out.Windows)
	out.Objectives = v.objectives(out.Intervals)
	out.Availability = v.availability()
	out.By = v.figuresBy()
	out.Rules.Labels = out.By
	for _, s := range out.Sources {
		out.Rules.Sources = append(out.Rules.Sources, s.Name)
	}
	out.SecretFiles = v.files
	if err := v.problems.err(); err != nil {
		return nil, err
	}
	return out, nil
}

// token reads a token that requests must carry. One that no header can carry would refuse everybody.
func (v *validator) token(key string, p Path) Secret {
	s := v.secret(key, p)
	if strings.ContainsFunc(s.Reveal(), func(c rune) bool { return c <= ' ' || c > '~' }) {
		v.bad(key, "the token in %s holds a space or a letter that no HTTP header carries; write letters, digits and signs of ASCII", p)
	}
	return s
}

// hostName is a name as in a URL, without scheme, port or path.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

func (v *validator) hosts() []string {
	var out []string
	for i, h := range v.Web.AllowedHosts {
		name := strings.ToLower(strings.TrimSuffix(h, "."))
		if !hostName.MatchString(name) {
			v.bad(fmt.Sprintf("web.allowed_hosts[%d]", i), "%q is no host name; write it without http://, port and path, such as meantime.example.org", quotable(h))
		}
		out = append(out, name)
	}
	return out
}

// databases are the kinds of database that a dsn can name, by what it begins with, and what comes after.
var databases = []struct{ prefix, needs, form string }{
	{"sqlite:", "file", "sqlite:FILE"},
	{"postgres://", "server", "postgres://USER@HOST/DATABASE"},
	{"postgresql://", "server", "postgresql://USER@HOST/DATABASE"},
}

func (v *validator) store(windows []Window) Store {
	s := Store{DSN: v.Store.DSN}
	key := "store.dsn"
	if v.Store.DSNFile != "" && !v.places.outranks("store.dsn", "store.dsn_file") {
		key = "store.dsn_file"
		if v.Store.DSN != Default().Store.DSN && !v.places.outranks("store.dsn_file", "store.dsn") {
			v.bad(key, "store.dsn is given as well; write one of them")
		}
		s.File = v.secret(key, v.Store.DSNFile)
		s.DSN = DSN(s.File.Reveal())
	}
	v.dsn(key, s.DSN)
	if s.Retention = v.Store.Retention.Episodes.Value(); !v.Store.Retention.Episodes.Given() {
		s.Retention = defaultRetention
		for _, w := range windows {
			s.Retention = max(s.Retention, w.Duration)
		}
	}
	return s
}

// dsn checks what can be said of a DSN without asking the database. What it complains of it does not print: it may hold a password.
func (v *validator) dsn(key string, dsn DSN) {
	if dsn == "" && key != "store.dsn" {
		return // reading its file was reported
	}
	for _, d := range databases {
		rest, ok := strings.CutPrefix(string(dsn), d.prefix)
		if !ok {
			continue
		}
		if rest == "" {
			v.bad(key, "no %s after %s; write %s", d.needs, d.prefix, d.form)
		}
		return
	}
	v.bad(key, "unknown kind of database; write %s or %s", databases[0].form, databases[1].form)
}

func (v *validator) windows() []Window {
	var out []Window
	if len(v.Windows) == 0 {
		v.bad("windows", "empty; write at least one, such as [28d]")
	}
	for i, d := range v.Windows {
		key := fmt.Sprintf("windows[%d]", i)
		v.positive(key, d)
		if j := slices.IndexFunc(out, func(w Window) bool { return w.Duration == d.Value() }); j >= 0 {
			v.bad(key, "%s is the same window as %s", d, out[j].Name)
			continue
		}
		out = append(out, Window{d.String(), d.Value()})
	}
	return out
}

var intervalName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// calendars are those configured, by name.
func (v *validator) calendars() map[string]*incident.Calendar {
	out := map[string]*incident.Calendar{}
	for i, c := range v.Calendars {
		key := fmt.Sprintf("calendars[%d]", i)
		switch {
		case c.Name == "":
			v.bad(key+".name", "missing")
		case out[c.Name] != nil:
			v.bad(key+".name", "%q is given twice", c.Name)
		}
		made, err := incident.NewCalendar(c.Name, c.Zone, c.Hours, c.Holidays)
		if err != nil {
			v.bad(key, "%s", err)
			made = &incident.Calendar{}
		}
		out[c.Name] = made
	}
	return out
}

func (v *validator) intervals() []incident.Interval {
	calendars := v.calendars()
	out := incident.DefaultIntervals()
	given := map[string]bool{}
	for i, c := range v.Intervals {
		key := fmt.Sprintf("intervals[%d]", i)
		switch {
		case c.Name == "":
			v.bad(key+".name", "missing")
		case !intervalName.MatchString(c.Name):
			v.bad(key+".name", "%q; write letters a to z, digits and _, a letter first", quotable(c.Name))
		case given[c.Name]:
			v.bad(key+".name", "%q is given twice", c.Name)
		}
		given[c.Name] = true
		in := incident.Interval{Name: c.Name, From: v.point(key+".from", c.From), To: v.point(key+".to", c.To)}
		if c.Calendar != "" {
			v.oneOf(key+".calendar", "calendar", c.Calendar, slices.Sorted(maps.Keys(calendars)))
			in.Calendar = calendars[c.Calendar]
		}
		if in.From == in.To && in.From != "" {
			v.bad(key+".to", "the same as from: %q", in.To)
		}
		if j := slices.IndexFunc(out, func(o incident.Interval) bool { return o.Name == in.Name }); j >= 0 {
			out[j] = in
		} else {
			out = append(out, in)
		}
	}
	return out
}

func (v *validator) point(key, name string) incident.Point {
	var points []string
	for _, p := range incident.Points() {
		points = append(points, string(p))
	}
	v.oneOf(key, "point", name, points)
	return incident.Point(name)
}

func (v *validator) objectives(intervals []incident.Interval) []Objective {
	var out []Objective
	var known []string
	for _, in := range intervals {
		known = append(known, in.Name)
	}
	for i, c := range v.Objectives {
		key := fmt.Sprintf("objectives[%d]", i)
		if c.Severity != "" {
			v.oneOf(key+".severity", "severity", c.Severity, v.Severities.Order)
		}
		v.oneOf(key+".interval", "interval", c.Interval, known)
		v.positive(key+".within", c.Within)
		if slices.ContainsFunc(out, func(o Objective) bool { return o.Severity == c.Severity && o.Interval == c.Interval }) {
			v.bad(key, "a second objective for %s of %s", c.Interval, cmp.Or(c.Severity, "every severity"))
		}
		out = append(out, Objective{c.Severity, c.Interval, c.Within.Value()})
	}
	return out
}

func (v *validator) availability() []Availability {
	var out []Availability
	for i, c := range v.Availability {
		key := fmt.Sprintf("availability[%d]", i)
		for j, s := range c.Severities {
			v.oneOf(fmt.Sprintf("%s.severities[%d]", key, j), "severity", s, v.Severities.Order)
		}
		switch {
		case c.Objective >= 1 || c.Objective < 0:
			v.bad(key+".objective", "%v is not a share of time above 0 and below 1, such as 0.999", c.Objective)
		case c.Objective == 0 && len(c.Severities) == 0:
			v.bad(key, "says nothing; write severities, objective or both")
		}
		if slices.ContainsFunc(out, func(a Availability) bool { return folded(a.Service) == folded(c.Service) }) {
			v.bad(key, "a second entry for %s", cmp.Or(c.Service, "every service"))
		}
		out = append(out, Availability(c))
	}
	return out
}

// maxBy is how many labels there can be figures by: each costs as many series as services do.
const maxBy = 3

// figuresLabel is what may be a part of a metric's name.
var figuresLabel = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (v *validator) figuresBy() []string {
	by := v.Figures.By
	if len(by) > maxBy {
		v.bad("figures.by", "%d labels are more than the %d that figures can be by", len(by), maxBy)
	}
	for i, l := range by {
		key := fmt.Sprintf("figures.by[%d]", i)
		switch {
		case !figuresLabel.MatchString(l):
			v.bad(key, "%q cannot be a part of a metric's name: letters a to z, digits and _, a letter first", l)
		case l == "service" || l == "severity":
			v.bad(key, "there are figures by %s already", l)
		case slices.Contains(by[:i], l):
			v.bad(key, "%s is there twice", l)
		}
	}
	return by
}

func (v *validator) limits() Limits {
	l := v.Limits
	for _, k := range []struct {
		name         string
		value, least int
	}{
		{"services", l.Services, 1}, {"alert_names", l.AlertNames, 0}, {"recent_incidents", l.RecentIncidents, 0},
		{"body_bytes", l.BodyBytes, 1 << 10}, {"alerts_per_webhook", l.AlertsPerWebhook, 1},
	} {
		if k.value < k.least {
			v.bad("limits."+k.name, "%d is less than %d", k.value, k.least)
		}
	}
	return Limits{l.Services, l.AlertNames, l.RecentIncidents, int64(l.BodyBytes), l.AlertsPerWebhook}
}

// positive is the length of a duration that must be given and longer than nothing.
func (v *validator) positive(key string, d Duration) time.Duration {
	switch {
	case !d.Given():
		v.bad(key, "missing; write a duration such as 5m")
	case d.Value() == 0:
		v.bad(key, "must be longer than 0")
	}
	return d.Value()
}

// orDefault is the length of a duration that need not be given.
func (v *validator) orDefault(key string, d Duration, def time.Duration) time.Duration {
	if !d.Given() {
		return def
	}
	return v.positive(key, d)
}

// oneOf checks a name that must be one of those known.
func (v *validator) oneOf(key, what, name string, known []string) {
	list := strings.Join(known, ", ")
	switch {
	case slices.Contains(known, name):
	case name == "":
		v.bad(key, "missing; it is one of %s", list)
	default:
		hint := "it is one of " + list
		if near := nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		v.bad(key, "unknown %s %q; %s", what, quotable(name), hint)
	}
}

// secret is the secret in a file; none where no file is named, or none may be read.
func (v *validator) secret(key string, p Path) Secret {
	if p == "" || v.unread {
		return Secret{}
	}
	s, err := secretFile(p)
	if err != nil {
		v.bad(key, "%s", err)
	}
	v.files = append(v.files, SecretFile{Key: key, Secret: s})
	return s
}

// unique checks that a name is there and given once. seen holds those before it, with where they were given.
func (v *validator) unique(seen map[string]string, key, name, owner string) {
	same := folded(name)
	if same == "" {
		v.bad(key, "empty")
		return
	}
	if before, ok := seen[same]; ok {
		v.bad(key, "%q is given twice%s", name, before)
		return
	}
	seen[same] = owner
}

// folded is a name as it is compared.
func folded(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
