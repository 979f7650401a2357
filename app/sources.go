package app

import (
	"fmt"

	"meantime/config"
	"meantime/source"
	"meantime/source/file"
)

// alertmanagerJob and prometheusJob are the names of the jobs that are no sources of records.
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
	return jobs, nil
}

// reserved are the names of the configured sources: their records come from there.
func (a *App) reserved() []string {
	var names []string
	for _, s := range a.config.Load().Sources {
		names = append(names, s.Name)
	}
	return names
}
