package app

import (
	"meantime/letter/post"
)

// poster sends the letters that the configuration in force names. Only the holder of the lease runs one.
func (a *App) poster() *post.Poster {
	return post.New(post.Options{
		Letter: a.answers().Letter, Store: a.store.Store, Now: a.now, Logger: a.logger.With("component", "letters"), Metrics: a.metrics.letters,
		Destinations: func() (out []post.Destination) {
			for _, c := range a.config.Load().Letters {
				out = append(out, post.Destination{
					Name: c.Name, URL: c.URL.Reveal, BearerToken: c.BearerToken.Reveal, Form: c.Form, Weekly: c.Weekly, Zone: c.Zone,
					After: c.After, Service: c.Service, Severity: c.Severity,
				})
			}
			return out
		},
	})
}
