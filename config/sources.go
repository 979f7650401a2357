package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sourceType says which keys a source of a type needs and which it takes besides.
type sourceType struct {
	name  string
	needs []string
	takes []string
	// polled: it is asked over HTTP, and takes polledKeys as well.
	polled bool
}

// polledKeys are what every source that is asked over HTTP takes.
var polledKeys = []string{
	"url", "interval", "timeout", "backfill", "webhook_secret_files", "only", "map", "private", "tls_config", "proxy_url", "no_proxy",
}

// sourceTypes are the types of source there are.
var sourceTypes = []sourceType{
	{name: "file", needs: []string{"dir"}, takes: []string{"interval", "timeout", "map"}},
	{name: "pagerduty", needs: []string{"token_file"}, takes: []string{"services"}, polled: true},
	{
		name: "jira", needs: []string{"url", "token_file"}, polled: true,
		takes: []string{"user", "jql", "statuses", "fields", "jsm_cloud_id", "time_zone"},
	},
	{
		name: "github", needs: []string{"token_file", "repositories"}, polled: true,
		takes: []string{"labels", "milestone_labels", "severity_labels"},
	},
	{
		name: "gitlab", needs: []string{"token_file", "projects"}, polled: true,
		takes: []string{"labels", "milestone_labels", "severity_labels"},
	},
	{name: "statuspage", takes: []string{"page_id", "token_file"}, polled: true},
	{name: "incident-io", needs: []string{"token_file"}, takes: []string{"timestamps", "fields"}, polled: true},
	{name: "rootly", needs: []string{"token_file"}, polled: true},
	{name: "firehydrant", needs: []string{"token_file"}, polled: true},
	{name: "opsgenie", needs: []string{"token_file"}, takes: []string{"read"}, polled: true},
	{name: "grafana-oncall", needs: []string{"url", "token_file"}, takes: []string{"grafana_url"}, polled: true},
	{
		name: "servicenow", needs: []string{"url", "user", "password_file"}, takes: []string{"encoded_query", "fields"}, polled: true,
	},
	{
		name: "http", needs: []string{"url", "items", "map"}, polled: true,
		takes: []string{"token_file", "user", "password_file", "headers", "query", "per_minute", "page", "next", "since", "body", "token_scheme"},
	},
}

func (t *sourceType) takesAll() []string {
	takes := slices.Clone(t.takes)
	if t.polled {
		takes = append(takes, polledKeys...)
	}
	return slices.DeleteFunc(takes, func(k string) bool { return slices.Contains(t.needs, k) })
}

// What a source has where its configuration does not say.
const (
	defaultSourceInterval = time.Minute
	defaultSourceTimeout  = 30 * time.Second
	defaultPolledInterval = 5 * time.Minute
	defaultPolledTimeout  = 2 * time.Minute
	defaultSourceBackfill = 90 * day
)

// ownSources are names in the metrics of sources that the program has by itself.
var ownSources = map[string]string{
	"alertmanager": "an alertmanager that is asked", "prometheus": "a prometheus that is asked", "history": "the past of a prometheus",
	"topology": "the calls between services that a prometheus knows",
}

var sourceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func (v *validator) sources() []Source {
	if v.Sources == nil {
		if st, err := os.Stat(DefaultSourceDir); err != nil || !st.IsDir() {
			return nil
		}
		return []Source{{
			Name: "incidents", Type: "file", Dir: DefaultSourceDir,
			Interval: defaultSourceInterval, Timeout: defaultSourceTimeout,
		}}
	}
	var out []Source
	for i, c := range v.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		switch {
		case c.Name == "":
			v.bad(key+".name", "missing; it names the source in metrics and in the keys of its records")
		case !sourceName.MatchString(c.Name):
			v.bad(key+".name", "%q; write letters, digits, _, . and -, at most 64", quotable(c.Name))
		case ownSources[c.Name] != "":
			v.bad(key+".name", "%q is the name that %s has in metrics; choose another", c.Name, ownSources[c.Name])
		case slices.ContainsFunc(out, func(s Source) bool { return s.Name == c.Name }):
			v.bad(key+".name", "%q is given twice", c.Name)
		}
		out = append(out, v.source(key, c))
	}
	return out
}

// source checks one source.
func (v *validator) source(key string, c SourceConfig) Source {
	t := v.sourceKeys(key, c)
	interval, timeout := defaultSourceInterval, defaultSourceTimeout
	if t.polled {
		interval, timeout = defaultPolledInterval, defaultPolledTimeout
	}
	s := Source{
		Name: c.Name, Type: c.Type, Dir: string(c.Dir), URL: strings.TrimSuffix(c.URL, "/"), User: c.User,
		Interval: v.orDefault(key+".interval", c.Interval, interval),
		Timeout:  v.orDefault(key+".timeout", c.Timeout, timeout),
		Headers:  v.headers(key+".headers", c.Headers, "token_file, or user and password_file"),
		TLS:      v.tlsConfig(key+".tls_config", c.TLSConfig),
	}
	if t.name == "http" {
		s.URL = c.URL // the whole address, which may end in a slash
	}
	if t.polled || c.Map != "" {
		s.Config, s.key, s.places = c, key, v.places
	}
	if t.polled {
		s.Backfill = defaultSourceBackfill
		if c.Backfill.Given() {
			s.Backfill = c.Backfill.Value() // 0 is none
		}
	}
	s.Secret = v.token(key+".token_file", c.TokenFile)
	if c.PasswordFile != "" {
		s.Secret = v.secret(key+".password_file", c.PasswordFile)
	}
	switch {
	case c.TokenFile != "" && c.PasswordFile != "":
		v.bad(key+".password_file", "token_file is given as well; write one of them")
	case c.User != "" && c.TokenFile == "" && c.PasswordFile == "":
		v.bad(key+".password_file", "missing; user is given")
	case c.PasswordFile != "" && c.User == "":
		v.bad(key+".user", "missing; password_file is given")
	}
	for i, p := range c.WebhookSecretFiles {
		s.WebhookSecrets = append(s.WebhookSecrets, v.secret(fmt.Sprintf("%s.webhook_secret_files[%d]", key, i), p))
	}
	if c.ProxyURL != "" {
		v.address(key+".proxy_url", c.ProxyURL)
	} else if c.NoProxy != "" {
		v.bad(key+".no_proxy", "without proxy_url it has no effect")
	}
	if c.PerMinute < 0 || c.Page.Size < 0 {
		v.bad(key, "per_minute and page.size cannot be less than 0")
	}
	return s
}

// sourceKeys checks which keys a source has against those of its type.
func (v *validator) sourceKeys(key string, c SourceConfig) sourceType {
	var known []string
	for _, t := range sourceTypes {
		known = append(known, t.name)
	}
	i := slices.Index(known, c.Type)
	if i < 0 {
		v.oneOf(key+".type", "type of source", c.Type, known)
		return sourceType{}
	}
	t := sourceTypes[i]
	takes := t.takesAll()
	value := reflect.ValueOf(c)
	for _, f := range fieldsOf(value.Type()) {
		if f.name == "name" || f.name == "type" {
			continue
		}
		given := !value.FieldByIndex(f.index).IsZero()
		needed := slices.Contains(t.needs, f.name)
		switch {
		case needed && !given:
			v.bad(key+"."+f.name, "missing; a source of type %s needs it", t.name)
		case given && !needed && !slices.Contains(takes, f.name):
			v.bad(key+"."+f.name, "a source of type %s does not take it; it takes %s", t.name, strings.Join(slices.Concat(t.needs, takes), ", "))
		case given && f.name == "url":
			v.address(key+".url", c.URL)
		}
	}
	return t
}
