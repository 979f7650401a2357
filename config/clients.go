package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"golang.org/x/net/http/httpguts"
)

func (v *validator) alertmanagers() []Alertmanager {
	var out []Alertmanager
	seen := map[string]string{}
	for i, c := range v.Alertmanagers {
		key := fmt.Sprintf("alertmanagers[%d]", i)
		v.clientName(seen, key, c.Name, len(v.Alertmanagers))
		if c.ExternalURL != "" {
			v.address(key+".external_url", c.ExternalURL)
		}
		out = append(out, Alertmanager{
			Client: v.client(key, c.ClientConfig), ReconcileEvery: v.orDefault(key+".reconcile_every", c.ReconcileEvery, defaultReconcileEvery),
			ExternalURL: strings.TrimRight(c.ExternalURL, "/"),
		})
	}
	return out
}

func (v *validator) prometheuses() []Prometheus {
	var out []Prometheus
	seen := map[string]string{}
	for i, c := range v.Prometheuses {
		key := fmt.Sprintf("prometheuses[%d]", i)
		v.clientName(seen, key, c.Name, len(v.Prometheuses))
		if c.ExternalURL != "" {
			v.address(key+".external_url", c.ExternalURL)
		}
		for _, l := range c.ExternalLabels {
			if !model.UTF8Validation.IsValidLabelName(l.Name) {
				v.bad(key+".external_labels."+quotable(l.Name), "no label's name")
			} else if l.Value == "" {
				v.bad(key+".external_labels."+l.Name, "empty; an alert without the label would have it")
			}
		}
		history := defaultHistory
		if c.History.Given() {
			history = c.History.Value() // 0 turns it off
		}
		out = append(out, Prometheus{
			Client: v.client(key, c.ClientConfig), ExternalLabels: c.ExternalLabels, ExternalURL: strings.TrimRight(c.ExternalURL, "/"),
			History: history, Topology: c.Topology == nil || *c.Topology,
		})
	}
	return out
}

// leastPolls is how many times an Alertmanager is asked at least in the time after which nothing heard of an alert counts as
// its episode's unknown end: one question that fails must not end anything.
const leastPolls = 3

// expiry checks that what an Alertmanager lists is not given up between two questions.
func (v *validator) expiry(out *Validated) {
	for i, am := range out.Alertmanagers {
		if least := leastPolls * am.ReconcileEvery; v.Correlate.ExpireAfter.Value() < least {
			v.bad("correlate.expire_after", "%s is less than %s, in which alertmanagers[%d] is asked %d times (reconcile_every: %s): alerts that it still lists would be given up",
				v.Correlate.ExpireAfter, DurationOf(least), i, leastPolls, DurationOf(am.ReconcileEvery))
		}
	}
}

// clientName checks the name of one of n servers.
func (v *validator) clientName(seen map[string]string, key, name string, n int) {
	switch {
	case name == "" && n > 1:
		v.bad(key+".name", "missing; of several each needs a name, which metrics, logs and pages show")
	case name == "":
	case !sourceName.MatchString(name):
		v.bad(key+".name", "%q; write letters, digits, _, . and -, at most 64", quotable(name))
	default:
		v.unique(seen, key+".name", name, "")
	}
}

func (v *validator) client(section string, c ClientConfig) Client {
	key := func(name string) string { return section + "." + name }
	out := Client{
		Name:        c.Name,
		URL:         strings.TrimRight(c.URL, "/"),
		Timeout:     v.orDefault(key("timeout"), c.Timeout, defaultClientTimeout),
		Headers:     v.headers(key("headers"), c.Headers, "bearer_token_file, basic_auth or oauth2"),
		BearerToken: v.secret(key("bearer_token_file"), c.BearerTokenFile),
		Username:    c.BasicAuth.Username,
		Password:    v.secret(key("basic_auth.password_file"), c.BasicAuth.PasswordFile),
		OAuth2:      v.oauth2(key("oauth2"), c.OAuth2),
		TLS:         v.tlsConfig(key("tls_config"), c.TLSConfig),
		ProxyURL:    c.ProxyURL, NoProxy: c.NoProxy,
	}
	basic := c.BasicAuth.Username != "" || c.BasicAuth.PasswordFile != ""
	switch {
	case basic && c.BasicAuth.Username == "":
		v.bad(key("basic_auth.username"), "missing; password_file is given")
	case basic && c.BasicAuth.PasswordFile == "":
		v.bad(key("basic_auth.password_file"), "missing; username is given")
	}
	var given []string
	for name, is := range map[string]bool{"bearer_token_file": c.BearerTokenFile != "", "basic_auth": basic, "oauth2": out.OAuth2 != nil} {
		if is {
			given = append(given, name)
		}
	}
	if slices.Sort(given); len(given) > 1 {
		v.bad(section, "%s are given; write one of them", strings.Join(given, " and "))
	}
	if c.URL == "" {
		v.bad(key("url"), "missing; it is the address to ask")
	} else {
		v.address(key("url"), c.URL)
	}
	if u, err := url.Parse(c.ProxyURL); err == nil && u.User != nil {
		v.bad(key("proxy_url"), "has a user name in it; a proxy that asks for a password is named by the environment's variable HTTPS_PROXY")
	} else if c.ProxyURL != "" {
		v.address(key("proxy_url"), c.ProxyURL)
	} else if c.NoProxy != "" {
		v.bad(key("no_proxy"), "without proxy_url it has no effect")
	}
	return out
}

// headers checks the headers that a client adds. Those that are Prometheus' own to set, or ours, it cannot.
// instead says what is written in place of Authorization.
func (v *validator) headers(key string, pairs Pairs, instead string) []Header {
	var out []Header
	seen := map[string]bool{}
	for _, p := range pairs {
		at, name := key+"."+quotable(p.Name), http.CanonicalHeaderKey(p.Name)
		h := Header{Name: p.Name, Value: p.Value}
		_, reserved := promconfig.ReservedHeaders[name]
		switch {
		case !httpguts.ValidHeaderFieldName(p.Name):
			v.bad(at, "no header's name")
		case name == "Authorization":
			v.bad(at, "write %s", instead)
		case reserved:
			v.bad(at, "not a header to set")
		case seen[name]:
			v.bad(at, "given twice")
		case p.Value == "":
			v.bad(at, "empty")
		case strings.HasPrefix(p.Value, filePrefix):
			h.Value, h.Secret = "", v.secret(at, Path(strings.TrimPrefix(p.Value, filePrefix)))
		case !httpguts.ValidHeaderFieldValue(p.Value):
			v.bad(at, "no header's value")
		}
		seen[name] = true
		out = append(out, h)
	}
	return out
}

// oauth2 is nil where nothing of it is given.
func (v *validator) oauth2(section string, c OAuth2Config) *OAuth2 {
	if c.TokenURL == "" && c.ClientID == "" && c.ClientSecretFile == "" && len(c.Scopes) == 0 && len(c.EndpointParams) == 0 {
		return nil
	}
	for _, k := range []struct{ name, value string }{{"token_url", c.TokenURL}, {"client_id", c.ClientID}, {"client_secret_file", string(c.ClientSecretFile)}} {
		if k.value == "" {
			v.bad(section+"."+k.name, "missing; oauth2 needs token_url, client_id and client_secret_file")
		}
	}
	if c.TokenURL != "" {
		v.address(section+".token_url", c.TokenURL)
	}
	return &OAuth2{
		TokenURL: c.TokenURL, ClientID: c.ClientID, ClientSecret: v.secret(section+".client_secret_file", c.ClientSecretFile),
		Scopes: v.names(section+".scopes", c.Scopes), Params: c.EndpointParams,
	}
}

// tlsConfig reads what the files hold now, only to check it: they are read again when they change.
func (v *validator) tlsConfig(section string, c TLSConfig) TLSConfig {
	if c.CAFile != "" && !v.unread {
		if pem, ok := v.pem(section+".ca_file", c.CAFile); ok && !x509.NewCertPool().AppendCertsFromPEM(pem) {
			v.bad(section+".ca_file", "%s has no certificate in PEM form", c.CAFile)
		}
	}
	switch {
	case c.CertFile != "" && c.KeyFile == "":
		v.bad(section+".key_file", "missing; cert_file is given")
	case c.CertFile == "" && c.KeyFile != "":
		v.bad(section+".cert_file", "missing; key_file is given")
	case c.CertFile != "" && !v.unread:
		cert, ok := v.pem(section+".cert_file", c.CertFile)
		pem, also := v.pem(section+".key_file", c.KeyFile)
		if !ok || !also {
			break
		}
		if _, err := tls.X509KeyPair(cert, pem); err != nil {
			v.bad(section+".cert_file", "%s", strings.TrimPrefix(err.Error(), "tls: "))
		}
	}
	return c
}

// maxCertificateBytes is several times what all authorities of an operating system need.
const maxCertificateBytes = 8 << 20

func (v *validator) pem(key string, p Path) ([]byte, bool) {
	b, err := readFile(p, maxCertificateBytes)
	if err != nil {
		v.bad(key, "%s", err)
	}
	return b, err == nil
}

// address checks the address of an HTTP server.
func (v *validator) address(key, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		// The text is not quoted: an address can hold a password.
		v.bad(key, "not an http or https address; write it like http://127.0.0.1:9093")
	case u.User != nil:
		v.bad(key, "has a user name in it; write basic_auth, with the password in a file")
	case u.RawQuery != "" || u.Fragment != "":
		v.bad(key, "has a ? or # in it; write the address alone")
	}
}
