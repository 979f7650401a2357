package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// LetterConfig says to whom the letter of a period goes.
type LetterConfig struct {
	Name string `mapstructure:"name"` // in metrics and the log; by it is remembered which period was told last
	// URL is a webhook's. Who has it can post, so it can be in a file instead, as can a token.
	URL             string   `mapstructure:"url"`
	URLFile         Path     `mapstructure:"url_file"`
	BearerTokenFile Path     `mapstructure:"bearer_token_file"`
	Form            string   `mapstructure:"form"`  // slack, teams, text or json
	Every           string   `mapstructure:"every"` // month or week
	Zone            string   `mapstructure:"zone"`  // whose months, weeks and days; UTC where it is not given
	After           Duration `mapstructure:"after"` // how long after the period's end it is posted
	Service         string   `mapstructure:"service"`
	Severity        string   `mapstructure:"severity"`
}

// Letter is to whom the letter of a period goes; see LetterConfig.
type Letter struct {
	Name        string
	URL         Secret
	BearerToken Secret
	Form        string
	Weekly      bool
	Zone        *time.Location
	After       time.Duration
	Service     string
	Severity    string
}

const (
	// defaultLetterAfter is in the morning of the day after: what was told late in the evening is in it.
	defaultLetterAfter = 8 * time.Hour
	// mostLetterAfter is less than the shortest period, so that there is one to tell at a time.
	mostLetterAfter = 6 * day
)

var (
	letterForms   = []string{"slack", "teams", "text", "json"}
	letterPeriods = []string{"month", "week"}
)

func (v *validator) letters() []Letter {
	var out []Letter
	for i, c := range v.Letters {
		key := fmt.Sprintf("letters[%d]", i)
		l := Letter{
			Name: c.Name, Form: c.Form, Weekly: c.Every == "week", Service: c.Service, Severity: c.Severity,
			After: v.orDefault(key+".after", c.After, defaultLetterAfter), BearerToken: v.token(key+".bearer_token_file", c.BearerTokenFile),
		}
		switch {
		case !sourceName.MatchString(c.Name):
			v.bad(key+".name", "%q; write letters, digits, _, . and -, at most 64", quotable(c.Name))
		case slices.ContainsFunc(out, func(o Letter) bool { return o.Name == c.Name }):
			v.bad(key+".name", "%q is given twice", c.Name)
		}
		switch {
		case c.URL != "" && c.URLFile != "":
			v.bad(key+".url_file", "url is given as well; write one of them")
		case c.URLFile != "":
			l.URL = v.secret(key+".url_file", c.URLFile)
			if !v.unread {
				v.webhook(key+".url_file", l.URL.Reveal())
			}
		default:
			l.URL = NewSecret(c.URL)
			v.webhook(key+".url", c.URL)
		}
		v.oneOf(key+".form", "form", c.Form, letterForms)
		if c.Every != "" {
			v.oneOf(key+".every", "period", c.Every, letterPeriods)
		}
		if l.After > mostLetterAfter {
			v.bad(key+".after", "%s is more than %s, after which the next week's letter is near", c.After, DurationOf(mostLetterAfter))
		}
		zone, err := time.LoadLocation(c.Zone)
		if err != nil || c.Zone == "Local" {
			v.bad(key+".zone", "unknown zone %q; write it like Europe/Berlin", quotable(c.Zone))
			zone = time.UTC
		}
		l.Zone = zone
		out = append(out, l)
	}
	return out
}

// webhook checks the address of a webhook, which can be a secret and is not shown.
func (v *validator) webhook(key, s string) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		v.bad(key, "not an http or https address; write that of a webhook, such as https://hooks.slack.com/services/…")
	}
}
