package app

import (
	"fmt"

	"meantime/config"
	"meantime/source"
	"meantime/source/alertmanager"
	"meantime/source/file"
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
		job := source.Job{Interval: s.Interval, Timeout: s.Timeout, Config: fmt.Sprintf("%+v", s)}
		switch s.Type {
		case "file":
			job.Source = file.New(file.Options{Name: s.Name, Dir: s.Dir, Store: a.store, Logger: a.logger, Metrics: a.metrics.files, Now: a.now})
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
			}),
			Interval: am.ReconcileEvery, Timeout: am.Timeout,
		})
	}
	return jobs, nil
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
