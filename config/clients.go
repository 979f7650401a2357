package config

import (
	"crypto/x509"
	"net/url"
	"strings"
)

func (v *validator) alertmanager() *Alertmanager {
	every := v.positive("alertmanager.reconcile_every", v.Alertmanager.ReconcileEvery)
	c := v.client("alertmanager", v.Alertmanager.ClientConfig)
	if c == nil {
		return nil
	}
	return &Alertmanager{*c, every}
}

func (v *validator) prometheus() *Prometheus {
	c := v.client("prometheus", v.Prometheus.ClientConfig)
	if c == nil {
		return nil
	}
	return &Prometheus{*c}
}

// client is nil where no url is given.
func (v *validator) client(section string, c ClientConfig) *Client {
	key := func(name string) string { return section + "." + name }
	out := &Client{
		URL:         strings.TrimRight(c.URL, "/"),
		Timeout:     v.positive(key("timeout"), c.Timeout),
		BearerToken: v.secret(key("bearer_token_file"), c.BearerTokenFile),
		Username:    c.BasicAuth.Username,
		Password:    v.secret(key("basic_auth.password_file"), c.BasicAuth.PasswordFile),
		RootCAs:     v.rootCAs(key("ca_file"), c.CAFile),
	}
	basic := c.BasicAuth.Username != "" || c.BasicAuth.PasswordFile != ""
	switch {
	case basic && c.BasicAuth.Username == "":
		v.bad(key("basic_auth.username"), "missing; password_file is given")
	case basic && c.BasicAuth.PasswordFile == "":
		v.bad(key("basic_auth.password_file"), "missing; username is given")
	case basic && c.BearerTokenFile != "":
		v.bad(key("basic_auth"), "bearer_token_file is given as well; write one of them")
	}
	if c.URL == "" {
		if basic || c.BearerTokenFile != "" || c.CAFile != "" {
			v.bad(key("url"), "missing; the other keys of %s are of no use without it", section)
		}
		return nil
	}
	v.address(key("url"), c.URL)
	return out
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

// maxCertificateBytes is several times what all authorities of an operating system need.
const maxCertificateBytes = 8 << 20

func (v *validator) rootCAs(key string, p Path) *x509.CertPool {
	if p == "" {
		return nil
	}
	pem, err := readFile(p, maxCertificateBytes)
	if err != nil {
		v.bad(key, "%s", err)
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		v.bad(key, "%s has no certificate in PEM form", p)
	}
	return pool
}
