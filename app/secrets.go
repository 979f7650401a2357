package app

import (
	"context"
	"time"
)

// secretsEvery is how often it is looked whether the files of secrets can be used, also of secrets that nothing asks for.
const secretsEvery = 30 * time.Second

// watchSecrets says of each secret's file when what it holds cannot be used, and when it can again. The last good value is
// used meanwhile.
func (a *App) watchSecrets(ctx context.Context) error {
	tick := time.NewTicker(secretsEvery)
	defer tick.Stop()
	said := map[string]string{}
	for {
		a.checkSecrets(said)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// checkSecrets looks at each file once. said is what was said of each before, by the key that names it.
func (a *App) checkSecrets(said map[string]string) {
	bad := 0
	for _, s := range a.config.Load().SecretFiles {
		err := s.Err()
		if err == nil {
			if said[s.Key] != "" {
				a.logger.Info("Secret can be read again", "key", s.Key)
				delete(said, s.Key)
			}
			continue
		}
		bad++
		if said[s.Key] != err.Error() {
			said[s.Key] = err.Error()
			a.logger.Error("Secret cannot be read, the last good one is used", "key", s.Key, "err", err)
		}
	}
	a.metrics.secrets.Set(float64(bad))
}
