package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/source"
	"meantime/source/alertmanager"
	"meantime/source/file"
	"meantime/source/prometheus"
	"meantime/web"
)

// alertmanagerJob and prometheusJob are the names of the jobs that bring no records. No source of records can have them.
const (
	alertmanagerJob = "alertmanager"
	prometheusJob   = "prometheus"
)

// jobs are everything that is polled, as a configuration wants it.
func (a *App) jobs(c *config.Validated) ([]source.Job, error) {
	var jobs []source.Job
	for _, s := range c.Sources {
		job := source.Job{Interval: s.Interval, Timeout: s.Timeout, Config: shape(s, s.Token)}
		switch s.Type {
		case "file":
			job.Source = file.New(file.Options{Name: s.Name, Dir: s.Dir, Store: a.store, Logger: a.logger, Metrics: a.metrics.files, Now: a.now, Readers: postmortemFiles})
		default:
			return nil, fmt.Errorf("source %q: no such type: %q", s.Name, s.Type)
		}
		jobs = append(jobs, job)
	}
	if am := c.Alertmanager; am != nil {
		client, err := source.NewClient(clientOptions(am.Client))
		if err != nil {
			return nil, fmt.Errorf("alertmanager: %w", err)
		}
		jobs = append(jobs, source.Job{
			Source: alertmanager.New(alertmanager.Options{
				Name: alertmanagerJob, Client: client, Store: a.store, Logger: a.logger, Metrics: a.metrics.alertmanager, Now: a.now,
				Intake: intakeOf(c),
			}),
			Interval: am.ReconcileEvery, Timeout: am.Timeout, Debounce: reconcileDebounce,
			Config: shape([]any{*am, c.Rules.Ignore, c.DropLabels}, am.BearerToken, am.Password),
		})
	}
	if p := c.Prometheus; p != nil {
		client, err := source.NewClient(clientOptions(p.Client))
		if err != nil {
			return nil, fmt.Errorf("prometheus: %w", err)
		}
		jobs = append(jobs, source.Job{
			Source: prometheus.New(prometheus.Options{
				Name: prometheusJob, Client: client, Store: a.store, Unmeasured: a.unmeasured, Logger: a.logger, Metrics: a.metrics.prometheus, Now: a.now,
			}),
			Interval: measureEvery, Timeout: p.Timeout, Config: shape(p, p.BearerToken, p.Password),
		})
	}
	return jobs, nil
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
// secret prints as <secret>, so a digest stands for it. A pool of certificates prints as its address, and so a source
// that has one is always replaced.
func shape(settings any, secrets ...config.Secret) string {
	text := fmt.Appendf(nil, "%+v", settings)
	for _, s := range secrets {
		text = fmt.Appendf(text, " %x", sha256.Sum256([]byte(s.Reveal())))
	}
	return string(text)
}

// sourceStates are how all that is polled is doing, for the pages; nothing where another process polls.
func (a *App) sourceStates() []web.Source {
	t := a.term.Load()
	if t == nil {
		return nil
	}
	kinds := map[string]string{alertmanagerJob: "alertmanager", prometheusJob: "prometheus"}
	for _, s := range a.config.Load().Sources {
		kinds[s.Name] = s.Type
	}
	var out []web.Source
	for _, s := range t.sources.Status() {
		out = append(out, web.Source{Name: s.Name, Kind: kinds[s.Name], Up: s.Up, LastSuccess: s.LastSuccess, Err: s.Err})
	}
	return out
}

const (
	// reconcileDebounce is how long Alertmanager is not asked again after a notification that left out alerts: in a burst
	// every group's does.
	reconcileDebounce = 5 * time.Second
	// measureEvery is how often Prometheus is asked for conditions of linked episodes; a new link asks at once.
	measureEvery = 30 * time.Second
	// measureBack is how far back linked episodes are measured: as long as a Prometheus with little storage keeps its series.
	measureBack = 15 * 24 * time.Hour
)

// unmeasured are the linked episodes of which it is not measured when their condition became true, the newest first.
func (a *App) unmeasured(ctx context.Context) ([]incident.Episode, error) {
	incidents, err := a.store.IncidentsTouching(ctx, a.now().Add(-measureBack), a.now())
	if err != nil {
		return nil, err
	}
	var out []incident.Episode
	for i := range incidents {
		for _, e := range incidents[i].Linked() {
			if e.ConditionFrom != incident.ConditionMeasured {
				out = append(out, *e)
			}
		}
	}
	slices.SortFunc(out, func(x, y incident.Episode) int { return y.Key().Compare(x.Key()) })
	return out, nil
}

// clientOptions are how to reach a server, as the configuration says it.
func clientOptions(c config.Client) source.ClientOptions {
	return source.ClientOptions{
		URL: c.URL, BearerToken: c.BearerToken.Reveal(), Username: c.Username, Password: c.Password.Reveal(), RootCAs: c.RootCAs, Timeout: c.Timeout,
	}
}

// reserved are the names of the configured sources: their records come from there.
func (a *App) reserved() []string {
	names := []string{alertmanagerJob, prometheusJob}
	for _, s := range a.config.Load().Sources {
		names = append(names, s.Name)
	}
	return names
}
