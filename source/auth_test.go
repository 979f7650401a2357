package source

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A secret is asked for every request, and one that is quoted by the server is hidden, the one before as well.
func TestSecretsAreAskedForEveryRequest(t *testing.T) {
	good := "token-1"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "%s is not token-1 or token-2", got)
			return
		}
		fmt.Fprint(w, `{}`)
	}))
	defer srv.Close()
	now := "token-1"
	c, err := NewClient(ClientOptions{URL: srv.URL, BearerToken: func() string { return now }})
	require.NoError(t, err)
	require.NoError(t, c.Get(t.Context(), "/x", nil, new(any)))
	good = "token-2"
	require.EqualError(t, c.Get(t.Context(), "/x", nil, new(any)),
		"GET "+srv.URL+"/x: answered 401 Unauthorized: Bearer <secret> is not <secret> or token-2")
	now = "token-2"
	require.NoError(t, c.Get(t.Context(), "/x", nil, new(any)))
	good, now = "token-3", "token-4"
	require.EqualError(t, c.Get(t.Context(), "/x", nil, new(any)),
		"GET "+srv.URL+"/x: answered 401 Unauthorized: Bearer <secret> is not <secret> or <secret>")
}

func TestBasicAuthIsHidden(t *testing.T) {
	c, err := NewClient(ClientOptions{URL: "http://h", Username: "me", Password: fixed("hunter2"), Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		_, password, _ := r.BasicAuth()
		return reply(403, "no: "+r.Header.Get("Authorization")+" "+password), nil
	})})
	require.NoError(t, err)
	require.EqualError(t, c.Get(t.Context(), "/x", nil, new(any)), "GET http://h/x: answered 403 Forbidden: no: Basic <secret> <secret>")
}

func TestHeaders(t *testing.T) {
	c, err := NewClient(ClientOptions{
		URL: "http://h", Headers: []Header{{Name: "X-Scope-OrgID", Value: fixed("team-a")}, {Name: "X-Api-Key", Value: fixed("k3y"), Hidden: true}},
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return reply(404, r.Header.Get("X-Scope-OrgID")+" "+r.Header.Get("X-Api-Key")), nil
		}),
	})
	require.NoError(t, err)
	require.EqualError(t, c.Get(t.Context(), "/x", nil, new(any)), "GET http://h/x: answered 404 Not Found: team-a <secret>", "a tenant is no secret")
}

// issuer gives access tokens to whoever knows the client's secret, and serves those who carry the newest.
type issuer struct {
	*httptest.Server
	secret string
	issued int
	good   string
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{secret: "s3cret-1"}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/token" {
			if got := r.Header.Get("Authorization"); got != "Bearer "+i.good {
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprintf(w, `{"bad":%q}`, got)
				return
			}
			fmt.Fprint(w, `{}`)
			return
		}
		_, secret, _ := r.BasicAuth()
		if err := r.ParseForm(); err != nil || secret != i.secret || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") != "read alerts" || r.Form.Get("audience") != "am" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":"not %s"}`, secret)
			return
		}
		i.issued++
		i.good = fmt.Sprint("access-", i.issued)
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":3600}`, i.good)
	}))
	t.Cleanup(i.Close)
	return i
}

func TestOAuth2(t *testing.T) {
	i := newIssuer(t)
	now := "s3cret-1"
	c, err := NewClient(ClientOptions{URL: i.URL, OAuth2: &OAuth2{
		TokenURL: i.URL + "/token", ClientID: "me", ClientSecret: func() string { return now }, Scopes: []string{"read", "alerts"}, Params: url.Values{"audience": {"am"}},
	}})
	require.NoError(t, err)
	get := func() error { return c.Get(t.Context(), "/x", nil, new(any)) }
	require.NoError(t, get())
	require.NoError(t, get())
	require.Equal(t, 1, i.issued, "a token is used until it ends")

	i.good = "" // taken back
	require.EqualError(t, get(), "GET "+i.URL+`/x: answered 401 Unauthorized: {"bad":"Bearer <secret>"}`)
	require.NoError(t, get())
	require.Equal(t, 2, i.issued, "a token that was refused is not used again")

	i.secret, i.good = "s3cret-2", ""
	require.Error(t, get())
	require.EqualError(t, get(), "GET "+i.URL+"/x: no access token: "+i.URL+" answered 400 Bad Request")
	now = "s3cret-2"
	require.NoError(t, get(), "the secret is read again")
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	a := authority{}
	a.cert, a.key, _ = signed(t, nil, "authority")
	return a
}

// signed makes a certificate, signed by itself where by is nil, and gives it in PEM form as well: certificate, key.
func signed(t *testing.T, by *authority, name string) (*x509.Certificate, *ecdsa.PrivateKey, [2][]byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	x := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: by == nil, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{name},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := x, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, x, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	k, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return cert, key, [2][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})}
}

// testTimeout cuts a request short that would be tried again.
func testTimeout(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 5*time.Second)
}

// A server with an authority of its own that wants a client certificate; both are replaced under the running client.
func TestClientCertificates(t *testing.T) {
	first, second := newAuthority(t), newAuthority(t)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	public := func(a authority) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	}
	serve := func(a authority) *tls.Config {
		_, _, p := signed(t, &a, "server")
		pair, err := tls.X509KeyPair(p[0], p[1])
		require.NoError(t, err)
		pool := x509.NewCertPool()
		pool.AddCert(a.cert)
		return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	}
	current := serve(first)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current, nil }}
	srv.Config.SetKeepAlivesEnabled(false)
	srv.StartTLS()
	defer srv.Close()

	_, _, p := signed(t, &first, "one")
	o := ClientOptions{URL: srv.URL, TLS: TLS{CAFile: file("ca", public(first)), CertFile: file("cert", p[0]), KeyFile: file("key", p[1])}}
	c, err := NewClient(o)
	require.NoError(t, err)
	var who string
	require.NoError(t, c.Get(t.Context(), "/x", nil, &who))
	require.Equal(t, "one", who)

	current = serve(second)
	ctx, cancel := testTimeout(t)
	defer cancel()
	require.ErrorContains(t, c.Get(ctx, "/x", nil, &who), "certificate")
	_, _, p = signed(t, &second, "two")
	file("ca", public(second))
	file("cert", p[0])
	file("key", p[1])
	require.NoError(t, c.Get(t.Context(), "/x", nil, &who))
	require.Equal(t, "two", who, "the files are read again")

	o.TLS.CAFile = ""
	c, err = NewClient(o)
	require.NoError(t, err)
	ctx, cancel = testTimeout(t)
	defer cancel()
	require.ErrorContains(t, c.Get(ctx, "/x", nil, &who), "certificate")
	o.TLS.InsecureSkipVerify = true
	c, err = NewClient(o)
	require.NoError(t, err)
	require.NoError(t, c.Get(t.Context(), "/x", nil, &who))

	o.TLS.CAFile = filepath.Join(dir, "absent")
	_, err = NewClient(o)
	require.ErrorContains(t, err, "no such file")
}

func TestProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		fmt.Fprint(w, `"by proxy"`)
	}))
	defer proxy.Close()
	c, err := NewClient(ClientOptions{URL: "http://am.example.org:9093", ProxyURL: proxy.URL, NoProxy: "127.0.0.1"})
	require.NoError(t, err)
	var out string
	require.NoError(t, c.Get(t.Context(), "/x", nil, &out))
	require.Equal(t, []string{"http://am.example.org:9093/x"}, asked)

	direct := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `"direct"`) }))
	defer direct.Close()
	c, err = NewClient(ClientOptions{URL: direct.URL, ProxyURL: proxy.URL, NoProxy: "127.0.0.1"})
	require.NoError(t, err)
	require.NoError(t, c.Get(t.Context(), "/x", nil, &out))
	require.Equal(t, "direct", out)
}
