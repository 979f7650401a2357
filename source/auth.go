package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Secret gives a secret as it holds now: it is asked for every request, so that a file that was replaced counts at once.
type Secret func() string

// Header is a header that every request carries.
type Header struct {
	Name string
	// Prefix is what comes before the value, such as "Token token=". It is no secret.
	Prefix string
	Value  Secret
	// Hidden says that the value is a secret, which no error shows.
	Hidden bool
}

// OAuth2 is how to get access tokens by the client credentials grant (RFC 6749, section 4.4).
type OAuth2 struct {
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Scopes       []string
	Params       url.Values // further parameters of the token request, such as audience
}

// credentials says who asks, on every request. It is only ever reached for the server that the client was made for: a
// redirect to another one is refused before.
type credentials struct {
	next    http.RoundTripper
	headers []Header
	// authorization is the value of the header of that name, and what of it is secret; nil where there is none.
	authorization func(ctx context.Context) (value string, secrets []string, err error)
	// refused is told that the server did not take the authorization; nil where that changes nothing.
	refused func()
	used    usedSecrets
}

// newCredentials are those that the options name.
func newCredentials(o ClientOptions, next http.RoundTripper) *credentials {
	c := &credentials{next: next, headers: o.Headers}
	switch {
	case o.BearerToken != nil:
		c.authorization = func(context.Context) (string, []string, error) {
			token := o.BearerToken()
			return "Bearer " + token, []string{token}, nil
		}
	case o.Username != "":
		c.authorization = func(context.Context) (string, []string, error) {
			password := ""
			if o.Password != nil {
				password = o.Password()
			}
			value := basic(o.Username, password)
			return value, []string{strings.TrimPrefix(value, "Basic "), password}, nil
		}
	case o.OAuth2 != nil:
		t := &tokens{config: *o.OAuth2, client: &http.Client{Transport: next, Timeout: o.Timeout, CheckRedirect: sameServer}}
		c.authorization, c.refused = t.authorization, t.forget
	}
	return c
}

// RoundTrip implements http.RoundTripper.
func (c *credentials) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	for _, h := range c.headers {
		v := h.Value()
		if h.Hidden {
			c.used.note(v)
		}
		req.Header.Set(h.Name, h.Prefix+v)
	}
	if c.authorization != nil {
		value, secrets, err := c.authorization(req.Context())
		c.used.note(secrets...)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", value)
	}
	res, err := c.next.RoundTrip(req)
	if err == nil && res.StatusCode == http.StatusUnauthorized && c.refused != nil {
		c.refused()
	}
	return res, err
}

// tokens keeps the access token of an OAuth2 client while it is good and the client's secret is the same.
type tokens struct {
	config OAuth2
	client *http.Client

	mu     sync.Mutex
	secret string
	source oauth2.TokenSource // nil: none was asked for yet
}

func (t *tokens) authorization(context.Context) (string, []string, error) {
	secret := t.config.ClientSecret()
	t.mu.Lock()
	if t.source == nil || secret != t.secret {
		c := clientcredentials.Config{
			TokenURL: t.config.TokenURL, ClientID: t.config.ClientID, ClientSecret: secret, Scopes: t.config.Scopes, EndpointParams: t.config.Params,
		}
		// The client bounds each request by its own time: a token is good for more than the request that asked for it.
		t.secret, t.source = secret, c.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, t.client))
	}
	source := t.source
	t.mu.Unlock()
	token, err := source.Token()
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			return "", []string{secret}, fmt.Errorf("%w: %s answered %s", errNoToken, serverOf(t.config.TokenURL), refused.Response.Status)
		}
		return "", []string{secret}, fmt.Errorf("%w: %w", errNoToken, plainError(err, 0))
	}
	return token.Type() + " " + token.AccessToken, []string{secret, token.AccessToken}, nil
}

// forget has the next request ask for a new token: the server did not take the last one.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.source = nil
}

var errNoToken = errors.New("no access token")

// usedSecrets are the secrets that requests carried lately: a server may quote what it refuses, also after the file was replaced.
type usedSecrets struct {
	mu   sync.Mutex
	last []string // the newest at the end
}

// maxUsedSecrets is more than one request carries, before and after its secrets were replaced.
const maxUsedSecrets = 16

func (u *usedSecrets) note(secrets ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range secrets {
		if s == "" || slices.Contains(u.last, s) {
			continue
		}
		if len(u.last) == maxUsedSecrets {
			u.last = u.last[1:]
		}
		u.last = append(u.last, s)
	}
}

// hide takes the secrets out of a text, the longest first: one may be part of another.
func (u *usedSecrets) hide(text string) string {
	u.mu.Lock()
	secrets := slices.Clone(u.last)
	u.mu.Unlock()
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "<secret>")
	}
	return text
}
