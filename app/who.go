package app

import (
	"fmt"
	"unicode/utf8"

	"meantime/access"
	"meantime/config"
)

// sayWhoMayWrite says in one line where everybody may, and what of the tokens is not as it should be.
func (a *App) sayWhoMayWrite(c *config.Validated) error {
	logger := a.logger.With("component", "web")
	asks := config.WebAuth{}
	if a.options.Web != nil && *a.options.Web.WebConfigFile != "" {
		var err error
		if asks, err = config.ReadWebAuth(*a.options.Web.WebConfigFile); err != nil {
			return fmt.Errorf("web.config.file: %w", err)
		}
	}
	hooks, write := c.Web.WebhookToken.IsZero(), c.Web.WriteToken.IsZero()
	switch {
	case (hooks || write) && !asks.Any():
		logger.Warn(
			"Anybody who reaches the port can write; docs/security.md says what to do about it",
			"alerts",
			hooks,
			"records_and_reviews",
			write,
			"by_any_host_name",
			len(c.Web.AllowedHosts) == 0,
		)
	case asks.Passwords && (!hooks || !write):
		logger.Info(
			"Passwords and tokens are both asked for: whoever writes sends the token in a header of its own",
			"header",
			access.Header,
		)
	}
	for _, t := range []struct {
		key   string
		token config.Secret
	}{{"web.webhook_token_file", c.Web.WebhookToken}, {"web.write_token_file", c.Web.WriteToken}} {
		if n := utf8.RuneCountInString(t.token.Reveal()); n > 0 && n < access.ShortToken {
			logger.Warn(
				"A token is short enough to be guessed; make one with openssl rand -base64 32",
				"key",
				t.key,
				"characters",
				n,
				"at_least",
				access.ShortToken,
			)
		}
	}
	return nil
}
