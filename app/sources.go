package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/source"
	"meantime/source/alertmanager"
	"meantime/source/file"
	"meantime/source/prometheus"
	"meantime/source/prometheus/history"
	"meantime/web"
)

// alertmanagerJob, prometheusJob, historyJob and topologyJob are the names, or what they begin with, of the jobs that bring no records. No source of
// records can have them.
const (
	alertmanagerJob = "alertmanager"
	prometheusJob   = "prometheus"
	historyJob      = "history"
	topologyJob     = "topology"
)

// jobs are everything that is polled, as a configuration wants it.
func (a *App) jobs(c *config.Validated) ([]source.Job, error) {
	jobs, err := a.recordJobs(c)
	if err != nil {
		return nil, err
	}
	for i := range c.Alertmanagers {
		am := &c.Alertmanagers[i]
		name := jobName(alertmanagerJob, am.Name)
		client, err := source.NewClient(a.clientOptions(am.Client))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		jobs = append(jobs, source.Job{
			Source: alertmanager.New(alertmanager.Options{
				Name: name, Client: client, Store: a.store, Logger: a.logger, Metrics: a.metrics.alertmanager, Now: a.now,
				Intake: intakeOf(c), ExpireAfter: c.Rules.Silence, Address: notifier(c.Alertmanagers, i),
				Mark: tenant(c.Alertmanagers, i, client.Base()), Alone: len(c.Alertmanagers) == 1,
				Ways: a.ways,
			}),
			Interval: am.ReconcileEvery, Timeout: am.Timeout, Debounce: reconcileDebounce,
			Config: shape([]any{
				am, c.Rules.Ignore, c.DropLabels, c.Rules.Silence, notifier(c.Alertmanagers, i), tenant(c.Alertmanagers, i, ""), len(c.Alertmanagers),
			}, secretsOf(&am.Client)...),
		})
	}
	owners := promOrigins(c.Prometheuses)
	for i := range c.Prometheuses {
		p := &c.Prometheuses[i]
		name := jobName(prometheusJob, p.Name)
		client, err := source.NewClient(a.clientOptions(p.Client))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		jobs = append(jobs, source.Job{
			Source: prometheus.New(prometheus.Options{
				Name: name, Client: client, Store: a.store, Logger: a.logger, Metrics: a.metrics.prometheus, Now: a.now,
				Unmeasured: func(ctx context.Context) ([]incident.Episode, error) {
					return a.unmeasured(ctx, max(p.History, usualRetention), func(e *incident.Episode) bool { return owners.Asked(i, e) })
				},
			}),
			// Whose episodes are asked here depends on the others as well.
			Interval: measureEvery, Timeout: p.Timeout, Config: shape(c.Prometheuses, secretsOf(&p.Client)...),
		})
		if p.History > 0 {
			jobs = append(jobs, a.historyJob(c, p, client))
		}
		if p.Topology {
			jobs = append(jobs, a.topologyJob(p, client))
		}
	}
	return jobs, nil
}

// recordJobs are the configured sources of records.
func (a *App) recordJobs(c *config.Validated) ([]source.Job, error) {
	var jobs []source.Job
	var problems config.Problems
	for i := range c.Sources {
		s := &c.Sources[i]
		job := source.Job{Interval: s.Interval, Timeout: s.Timeout, Config: shape(s, secretsOfSource(s)...)}
		switch {
		case s.Type == "file":
			o, err := a.fileOptions(s)
			if err != nil {
				problems = append(problems, problemsIn(err)...)
				continue
			}
			// A folder is read anew in another style.
			o.Readers, job.Config = a.postmortemFiles(), job.Config+styleOf(&c.Postmortems)
			job.Source = file.New(o)
		case connectors[s.Type] != nil:
			p, err := a.polled(s, nil)
			var wrong config.Problems
			if errors.As(err, &wrong) {
				problems = append(problems, wrong...)
				continue
			} else if err != nil {
				return nil, err
			}
			job.Source, job.Debounce = p, bellsEvery
			if len(s.WebhookSecrets) > 0 {
				a.metrics.webhook.Expect(s.Name)
			}
		default:
			return nil, fmt.Errorf("source %q: no such type: %q", s.Name, s.Type)
		}
		jobs = append(jobs, job)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return jobs, nil
}

// fileOptions are those of a folder. The error is config.Problems.
func (a *App) fileOptions(s *config.Source) (file.Options, error) {
	o := file.Options{
		Name: s.Name, Dir: s.Dir, Store: a.store, Logger: a.logger, Metrics: a.metrics.files, Now: a.now,
	}
	rows, err := program(s, "map", s.Config.Map)
	if rows != nil {
		o.Map = rows
	}
	return o, err
}

// secretsOfSource are all of a source's.
func secretsOfSource(s *config.Source) []config.Secret {
	out := append([]config.Secret{s.Secret}, s.WebhookSecrets...)
	for _, h := range s.Headers {
		out = append(out, h.Secret)
	}
	return out
}

// historyJob reads the past of a Prometheus.
func (a *App) historyJob(c *config.Validated, p *config.Prometheus, client *source.Client) source.Job {
	var asked []string
	for _, am := range c.Alertmanagers {
		asked = append(asked, jobName(alertmanagerJob, am.Name))
	}
	external := map[string]string{}
	for _, l := range p.ExternalLabels {
		external[l.Name] = l.Value
	}
	return source.Job{
		Source: history.New(history.Options{
			Name: jobName(historyJob, p.Name), Client: client, Store: a.store, Back: p.History, Timeout: p.Timeout,
			Intake: intakeOf(c), ExternalLabels: external,
			Settled: func(ctx context.Context) {
				ctx, cancel := context.WithTimeout(ctx, routesWithin)
				defer cancel()
				a.ways.Wait(ctx, asked)
			},
			Elsewhere: func(l map[string]string) bool { return a.ways.Elsewhere(asked, l) },
			Progress:  a.progress.Report(pastRead(jobName(historyJob, p.Name))),
			Logger:    a.logger, Metrics: a.metrics.history, Now: a.now,
		}),
		Interval: historyEvery, Timeout: historyTimeout,
		Config: shape([]any{p, c.Rules.Ignore, c.DropLabels, asked}, secretsOf(&p.Client)...),
	}
}

// notifier is the address that notifications of the i-th Alertmanager name. It is empty where another has the same one and
// is asked there too: tenants of one server, whose routes are not each other's. Members of a cluster, asked at an address
// each, have the same routes and may share it.
func notifier(all []config.Alertmanager, i int) string {
	asked := func(am *config.Alertmanager) string { return strings.TrimRight(am.URL, "/") }
	address := func(am *config.Alertmanager) string { return cmp.Or(strings.TrimRight(am.ExternalURL, "/"), asked(am)) }
	for j := range all {
		if j != i && asked(&all[j]) == asked(&all[i]) && address(&all[j]) == address(&all[i]) {
			return ""
		}
	}
	return address(&all[i])
}

// tenant tells the i-th Alertmanager from others that are asked at its address; it is empty where there is none.
func tenant(all []config.Alertmanager, i int, address string) string {
	for j := range all {
		if j != i && strings.TrimRight(all[j].URL, "/") == strings.TrimRight(all[i].URL, "/") {
			return address + "#" + all[i].Name
		}
	}
	return ""
}

// jobName is what is polled in metrics, logs and pages: "alertmanager/eu", or "alertmanager" where it has no name.
func jobName(kind, name string) string {
	if name == "" {
		return kind
	}
	return kind + "/" + name
}

// promOrigins are the Prometheuses by what tells their alerts from others'.
func promOrigins(all []config.Prometheus) prometheus.Origins {
	var out prometheus.Origins
	for _, p := range all {
		o := prometheus.Origin{Address: cmp.Or(p.ExternalURL, p.URL)}
		for _, l := range p.ExternalLabels {
			o.Labels = append(o.Labels, prometheus.Label(l))
		}
		out = append(out, o)
	}
	return out
}

// tryJobs says what is wrong with what is polled, without polling anything.
func (a *App) tryJobs(c *config.Validated) error {
	jobs, err := a.jobs(c)
	if err != nil {
		return err
	}
	return source.NewRunner(source.Options{}).Reload(jobs)
}

// shape is everything that shaped a source, as text: where it is the same after a reload, the source goes on as it is. A
// secret is told by its file: what is in that is asked for at each use, so that a new one needs no new source.
func shape(settings any, secrets ...config.Secret) string {
	text, _ := json.Marshal(settings) // texts, numbers and lists of them
	for _, s := range secrets {
		text = fmt.Appendf(text, " %q", s.File())
	}
	return string(text)
}

// secretsOf are all of a client's.
func secretsOf(c *config.Client) []config.Secret {
	out := []config.Secret{c.BearerToken, c.Password}
	if c.OAuth2 != nil {
		out = append(out, c.OAuth2.ClientSecret)
	}
	for _, h := range c.Headers {
		out = append(out, h.Secret)
	}
	return out
}

// sourceStates are how all that is polled is doing, for the pages; nothing where another process polls.
func (a *App) sourceStates() []web.Source {
	t := a.term.Load()
	if t == nil {
		return nil
	}
	c := a.config.Load()
	kinds := map[string]string{}
	for _, s := range c.Sources {
		kinds[s.Name] = s.Type
	}
	for _, x := range c.Alertmanagers {
		kinds[jobName(alertmanagerJob, x.Name)] = "Alertmanager"
	}
	for _, x := range c.Prometheuses {
		kinds[jobName(prometheusJob, x.Name)] = "Prometheus"
		kinds[jobName(historyJob, x.Name)] = "Prometheus' past"
		kinds[jobName(topologyJob, x.Name)] = "Calls between services"
	}
	var out []web.Source
	for _, s := range t.sources.Status() {
		out = append(out, web.Source{
			Name: s.Name, Kind: kinds[s.Name], Up: s.Up, LastSuccess: s.LastSuccess, Err: s.Err, Notes: s.Notes, Progress: s.Progress,
		})
	}
	return out
}

const (
	// reconcileDebounce is how long Alertmanager is not asked again after a notification that left out alerts: in a burst
	// every group's does.
	reconcileDebounce = 5 * time.Second
	// measureEvery is how often Prometheus is asked for conditions of linked episodes; a new link asks at once.
	measureEvery = 30 * time.Second
	// usualRetention is how long a Prometheus keeps its series where nobody says otherwise.
	usualRetention = 15 * 24 * time.Hour
	// historyEvery is how often a Prometheus is asked what fired since, for what no notification tells.
	historyEvery = 5 * time.Minute
	// historyTimeout bounds one reading of the past, half of which may go into what is old; the next one goes on.
	historyTimeout = 2 * time.Minute
	// routesWithin is how long is waited for what Alertmanagers say of their routes.
	routesWithin = 30 * time.Second
)

// unmeasured are the linked episodes of which it is not measured when their condition became true, the newest first, of as
// far back as given and of those that are wanted.
func (a *App) unmeasured(ctx context.Context, back time.Duration, wanted func(*incident.Episode) bool) ([]incident.Episode, error) {
	incidents, err := a.store.IncidentsTouching(ctx, a.now().Add(-back), a.now())
	if err != nil {
		return nil, err
	}
	var out []incident.Episode
	for i := range incidents {
		for _, e := range incidents[i].Linked() {
			if e.ConditionFrom != incident.ConditionMeasured && wanted(e) {
				out = append(out, *e)
			}
		}
	}
	slices.SortFunc(out, func(x, y incident.Episode) int { return y.Key().Compare(x.Key()) })
	return out, nil
}

// clientOptions are how to reach a server, as the configuration says it.
func (a *App) clientOptions(c config.Client) source.ClientOptions {
	o := source.ClientOptions{
		URL: c.URL, Username: c.Username, Timeout: c.Timeout, ProxyURL: c.ProxyURL, NoProxy: c.NoProxy,
		TLS: source.TLS{
			CAFile: string(c.TLS.CAFile), CertFile: string(c.TLS.CertFile), KeyFile: string(c.TLS.KeyFile),
			ServerName: c.TLS.ServerName, InsecureSkipVerify: c.TLS.InsecureSkipVerify,
		},
	}
	if a.options.World != nil {
		o.Transport = a.options.World.Transport
	}
	if !c.BearerToken.IsZero() {
		o.BearerToken = c.BearerToken.Reveal
	}
	if !c.Password.IsZero() {
		o.Password = c.Password.Reveal
	}
	for _, h := range c.Headers {
		x := source.Header{Name: h.Name, Value: func() string { return h.Value }}
		if !h.Secret.IsZero() {
			x.Value, x.Hidden = h.Secret.Reveal, true
		}
		o.Headers = append(o.Headers, x)
	}
	if c.OAuth2 != nil {
		o.OAuth2 = &source.OAuth2{TokenURL: c.OAuth2.TokenURL, ClientID: c.OAuth2.ClientID, ClientSecret: c.OAuth2.ClientSecret.Reveal, Scopes: c.OAuth2.Scopes, Params: url.Values{}}
		for _, p := range c.OAuth2.Params {
			o.OAuth2.Params.Add(p.Name, p.Value)
		}
	}
	return o
}

// reserved are the names of the configured sources: their records come from there.
func (a *App) reserved() []string {
	names := []string{alertmanagerJob, prometheusJob, historyJob, topologyJob}
	for _, s := range a.config.Load().Sources {
		names = append(names, s.Name)
	}
	return names
}
