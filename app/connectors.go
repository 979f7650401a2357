package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/source"
	"meantime/source/firehydrant"
	"meantime/source/github"
	"meantime/source/gitlab"
	"meantime/source/httpjson"
	"meantime/source/incidentio"
	"meantime/source/jira"
	"meantime/source/jq"
	"meantime/source/oncall"
	"meantime/source/opsgenie"
	"meantime/source/pagerduty"
	"meantime/source/rootly"
	"meantime/source/servicenow"
	"meantime/source/statuspage"
	"meantime/webhook"
)

// connectors are the types of source that are asked over HTTP, each with how to make one of its configuration.
var connectors = map[string]func(c *config.SourceConfig, a source.Access) (source.Connector, error){
	"pagerduty": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return pagerduty.New(pagerduty.Options{Access: a, Services: c.Services})
	},
	"jira": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return jira.New(jira.Options{
			Access: a, JQL: c.JQL, Statuses: c.Statuses, Fields: c.Fields, CloudID: c.JSMCloudID, TimeZone: c.TimeZone,
		})
	},
	"github": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return github.New(github.Options{
			Access: a, Repositories: c.Repositories, Labels: c.Labels, MilestoneLabels: c.MilestoneLabels, SeverityLabels: c.SeverityLabels,
		})
	},
	"gitlab": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return gitlab.New(gitlab.Options{
			Access: a, Projects: c.Projects, Labels: c.Labels, MilestoneLabels: c.MilestoneLabels, SeverityLabels: c.SeverityLabels,
		})
	},
	"opsgenie": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return opsgenie.New(opsgenie.Options{Access: a, Read: c.Read})
	},
	"statuspage": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return statuspage.New(statuspage.Options{Access: a, PageID: c.PageID})
	},
	"incident-io": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return incidentio.New(incidentio.Options{Access: a, Timestamps: c.Timestamps, Fields: c.Fields})
	},
	"rootly": func(_ *config.SourceConfig, a source.Access) (source.Connector, error) {
		return rootly.New(rootly.Options{Access: a})
	},
	"firehydrant": func(_ *config.SourceConfig, a source.Access) (source.Connector, error) {
		return firehydrant.New(firehydrant.Options{Access: a})
	},
	"grafana-oncall": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return oncall.New(oncall.Options{Access: a, GrafanaURL: c.GrafanaURL})
	},
	"servicenow": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return servicenow.New(servicenow.Options{Access: a, Query: c.EncodedQuery, Fields: c.Fields})
	},
	"http": func(c *config.SourceConfig, a source.Access) (source.Connector, error) {
		return httpjson.New(httpjson.Options{
			Access: a, Query: c.Query, PerMinute: c.PerMinute, By: c.Page.By, Param: c.Page.Param, Size: c.Page.Size, Next: c.Next,
			SinceParam: c.Since.Param, SinceFormat: c.Since.Format, Lookback: c.Since.Lookback.Value(), Items: c.Items, Map: c.Map,
			Body: c.Body, TokenScheme: c.Scheme,
		})
	},
}

// program is a jq program of a source's configuration; nil where it has none.
func program(s *config.Source, key, text string) (*jq.Program, error) {
	if text == "" {
		return nil, nil
	}
	p, err := jq.New(text)
	if err != nil {
		return nil, config.Problems{s.Problem(key, err.Error())}
	}
	return p, nil
}

// polled makes the source of a connector, which asks through via where that is not nil. What is wrong with its configuration is
// config.Problems.
func (a *App) polled(s *config.Source, via http.RoundTripper) (*source.Poller, error) {
	var problems config.Problems
	bad := func(err error) {
		for _, e := range each(err) {
			key := ""
			var o *source.OptionError
			if errors.As(e, &o) {
				key, e = o.Key, o.Err
			}
			problems = append(problems, s.Problem(key, e.Error()))
		}
	}
	options := a.clientOptions(config.Client{
		URL: s.URL, Headers: s.Headers, TLS: s.TLS, ProxyURL: s.Config.ProxyURL, NoProxy: s.Config.NoProxy,
	})
	options.Transport = via
	access := source.Access{User: s.User, Client: options}
	if !s.Secret.IsZero() {
		access.Secret = s.Secret.Reveal
	}
	connector, err := connectors[s.Type](&s.Config, access)
	if err != nil {
		bad(err)
	}
	only, err := program(s, "only", s.Config.Only)
	problems = append(problems, problemsIn(err)...)
	var change *jq.Program
	if s.Type != "http" { // whose map makes the record
		change, err = program(s, "map", s.Config.Map)
		problems = append(problems, problemsIn(err)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return source.NewPoller(source.PollerOptions{
		Name: s.Name, Kind: kindOf(s), Connector: connector, Store: a.store, Logger: a.logger, Metrics: a.metrics.sources, Now: a.now,
		Backfill: s.Backfill, Only: only, Map: change, Private: s.Config.Private, Heard: a.heardIn,
	}), nil
}

// problemsIn are the problems that an error is.
func problemsIn(err error) config.Problems {
	var p config.Problems
	errors.As(err, &p)
	return p
}

// each are the errors that one was joined of.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// kindOf tells a source's records from those of another address, selection or mapping: where it changes, everything is read anew.
func kindOf(s *config.Source) string {
	c := s.Config
	c.Name, c.Interval, c.Timeout, c.Backfill, c.WebhookSecretFiles = "", config.Duration{}, config.Duration{}, config.Duration{}, nil
	c.TokenFile, c.PasswordFile, c.User, c.PerMinute = "", "", "", 0
	c.TLSConfig, c.ProxyURL, c.NoProxy, c.Headers = config.TLSConfig{}, "", "", nil
	text, _ := json.Marshal(c) // texts, numbers and lists of them
	return fmt.Sprintf("%s %s %x", s.Type, s.URL, sha256.Sum256(text))[:len(s.Type)+len(s.URL)+18]
}

// heardIn says whether there are alerts of a stretch of time.
func (a *App) heardIn(ctx context.Context, from, to time.Time) (bool, error) {
	for _, err := range a.store.EachVerdict(ctx, from, to) {
		return err == nil, err
	}
	return false, nil
}

// bellsEvery is how often the process that polls looks whether another one took a webhook.
const bellsEvery = 5 * time.Second

// bells has a source polled as soon as a webhook for it came, whichever process took it.
func (a *App) bells(ctx context.Context, t *term) {
	rung := map[string]string{}
	tick := time.NewTicker(bellsEvery)
	defer tick.Stop()
	for {
		for _, s := range a.config.Load().Sources {
			if len(s.WebhookSecrets) == 0 {
				continue
			}
			marks, err := a.store.Marks(ctx, s.Name)
			if err != nil {
				break // the store is down; what was rung stays
			}
			for _, m := range marks {
				if m.Name == source.MarkRing && m.Value != rung[s.Name] {
					rung[s.Name] = m.Value
					t.sources.Trigger(s.Name)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// bell is the source that the webhook of a vendor at /webhook/<name> wakes.
func (a *App) bell(name string) (webhook.Bell, bool) {
	for _, s := range a.config.Load().Sources {
		if s.Name != name || len(s.WebhookSecrets) == 0 {
			continue
		}
		b := webhook.Bell{Name: name, Type: s.Type, Ring: func(ctx context.Context) error { return a.ring(ctx, name) }}
		for _, secret := range s.WebhookSecrets {
			b.Secrets = append(b.Secrets, secret.Reveal)
		}
		return b, true
	}
	return webhook.Bell{}, false
}

// ring has a source read: by this process at once where it is the one that polls, by another as soon as that one looks.
func (a *App) ring(ctx context.Context, name string) error {
	value := fmt.Sprintf("%s %s", a.now().UTC().Format(time.RFC3339Nano), a.name)
	mark := incident.Mark{Source: name, Name: source.MarkRing, Value: value}
	if _, err := a.store.Put(ctx, incident.Facts{Marks: []incident.Mark{mark}}, a.now().UTC()); err != nil {
		return err
	}
	if t := a.term.Load(); t != nil {
		t.sources.Trigger(name)
	}
	return nil
}
