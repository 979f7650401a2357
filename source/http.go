package source

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"
)

// DefaultMaxAnswer is the largest answer read where ClientOptions does not say, in bytes.
const DefaultMaxAnswer = 64 << 20

const (
	retries      = 2 // within one Poll; the Runner tries again later
	retryWait    = 500 * time.Millisecond
	retryMaxWait = 5 * time.Second
	maxRedirects = 5
	maxDetail    = 200      // bytes of a refusal shown in an error
	maxRead      = 64 << 10 // bytes of a refusal looked through for secrets, more than any secret has
)

// ClientOptions say how to talk to one HTTP server. Only URL is required.
type ClientOptions struct {
	// URL is the address that paths are added to. What it holds besides scheme, host and path is not shown in errors.
	URL string
	// At most one of BearerToken, Username (with Password) and OAuth2 is given.
	BearerToken Secret
	Username    string
	Password    Secret
	OAuth2      *OAuth2
	Headers     []Header
	TLS         TLS
	// ProxyURL is an HTTP proxy to go through, but for the hosts that NoProxy lists, separated by commas; where it is empty,
	// the environment's variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY say.
	ProxyURL, NoProxy string
	// Timeout bounds one request with its answer; 0 means that only the context does.
	Timeout time.Duration
	// MaxAnswer bounds an answer in bytes, after decompression; 0 means DefaultMaxAnswer.
	MaxAnswer int
	// PerMinute is how many requests a minute the server documents as its limit, of which half are made. 0 means no bound.
	PerMinute float64
	// Transport carries the requests instead of one of its own, such as in a test. TLS and the proxy are then its business.
	Transport http.RoundTripper
}

// TLS is how a server is known and shown who asks. The files are read again when they change.
type TLS struct {
	CAFile             string // PEM; empty for the system's authorities
	CertFile, KeyFile  string // the client's certificate and key, PEM; both or none
	ServerName         string // the name in the server's certificate; empty for the address's
	InsecureSkipVerify bool   // the server's certificate is not looked at
}

// Client asks one HTTP server for JSON. It tries again what may pass by itself, keeps an answer within its bound, stays
// on its server when redirected, and puts no secret into an error.
type Client struct {
	rest *resty.Client
	base string // for errors
	hide func(text string) string
	pace
}

// NewClient makes a Client.
func NewClient(o ClientOptions) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("not an http or https address")
	}
	transport := o.Transport
	if transport == nil {
		if transport, err = newTransport(o); err != nil {
			return nil, err
		}
	}
	who := newCredentials(o, transport)
	c := resty.New().SetTransport(who)
	limit := o.MaxAnswer
	if limit <= 0 {
		limit = DefaultMaxAnswer
	}
	c.SetBaseURL(strings.TrimRight(o.URL, "/")).
		SetHeader("User-Agent", version.ComponentUserAgent("Meantime")).
		SetHeader("Accept", "application/json").
		SetTimeout(o.Timeout).
		SetResponseBodyLimit(limit).
		SetLogger(silent{}).
		SetRedirectPolicy(resty.RedirectPolicyFunc(sameServer)).
		SetRetryCount(retries).SetRetryWaitTime(retryWait).SetRetryMaxWaitTime(retryMaxWait).
		AddRetryCondition(passing).SetRetryAfter(retryAfter)
	if password, ok := u.User.Password(); ok {
		who.used.note(password, strings.TrimPrefix(basic(u.User.Username(), password), "Basic "))
	}
	base := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	return &Client{rest: c, base: base.String(), hide: who.used.hide, pace: newPace(o.PerMinute)}, nil
}

// newTransport carries requests as the options say.
func newTransport(o ClientOptions) (http.RoundTripper, error) {
	proxy := http.ProxyFromEnvironment
	if o.ProxyURL != "" {
		u, err := url.Parse(o.ProxyURL)
		if err != nil {
			return nil, errors.New("the proxy's address is none")
		}
		proxy = (&promconfig.ProxyConfig{ProxyURL: promconfig.URL{URL: u}, NoProxy: o.NoProxy}).Proxy()
	}
	settings := promconfig.TLSConfig{
		CAFile: o.TLS.CAFile, CertFile: o.TLS.CertFile, KeyFile: o.TLS.KeyFile, ServerName: o.TLS.ServerName, InsecureSkipVerify: o.TLS.InsecureSkipVerify,
	}
	config, err := promconfig.NewTLSConfig(&settings)
	if err != nil {
		return nil, err
	}
	carry := func(c *tls.Config) (http.RoundTripper, error) {
		return &http.Transport{
			Proxy: proxy, TLSClientConfig: c, ForceAttemptHTTP2: true, MaxIdleConns: 10, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
			DialContext: (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		}, nil
	}
	var files promconfig.TLSRoundTripperSettings
	for file, to := range map[string]*promconfig.SecretReader{o.TLS.CAFile: &files.CA, o.TLS.CertFile: &files.Cert, o.TLS.KeyFile: &files.Key} {
		if file != "" {
			*to = promconfig.NewFileSecret(file)
		}
	}
	if files == (promconfig.TLSRoundTripperSettings{}) {
		return carry(config)
	}
	return promconfig.NewTLSRoundTripper(config, files, carry)
}

// Base is the server's address without what may be secret in it.
func (c *Client) Base() string { return c.base }

// Get asks for path with query and decodes the JSON answer into out. Errors name the server and the path, never the
// query. Where the server said when to come back, RetryAfter of the error tells.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	res, err := c.rest.R().SetContext(ctx).SetQueryParamsFromValues(query).Get(path)
	if err != nil && !errors.Is(err, errLater) {
		return fmt.Errorf("GET %s%s: %w", c.base, path, c.plain(err))
	}
	if err := c.answered(res); err != nil {
		return fmt.Errorf("GET %s%s: %w", c.base, path, err)
	}
	if err := json.Unmarshal(res.Body(), out); err != nil {
		return fmt.Errorf("GET %s%s: the answer cannot be read: %w", c.base, path, err)
	}
	return nil
}

// StatusError is an answer other than 2xx.
type StatusError struct {
	Status int
	Detail string // the beginning of what the server said
	After  time.Duration
	// Limited says that it is a matter of too many requests, which passes by itself.
	Limited bool
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// HTTPStatus is the answer's status.
func (e *StatusError) HTTPStatus() int { return e.Status }

// TooMuch says whether the server may answer a smaller question.
func (e *StatusError) TooMuch() bool {
	switch e.Status {
	case http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// TooLargeError is an answer that is larger than what may be read.
type TooLargeError struct {
	Limit int // in bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than the %d bytes allowed", e.Limit)
}

// TooMuch says that the answer to a smaller question may be read.
func (e *TooLargeError) TooMuch() bool { return true }

// RetryAfter is how long the server asked to be left alone; 0 where it did not.
func (e *StatusError) RetryAfter() time.Duration { return e.After }

// answered says what is wrong with an answer before it is decoded.
func (c *Client) answered(res *resty.Response) error {
	body := bytes.TrimSpace(res.Body())
	html := strings.Contains(strings.ToLower(res.Header().Get("Content-Type")), "html") || bytes.HasPrefix(body, []byte("<"))
	if code := res.StatusCode(); code < 200 || code > 299 {
		e := &StatusError{Status: code, After: wanted(res.Header(), time.Now()), Limited: limited(code, res.Header())}
		if !html {
			said := c.hide(string(body[:min(len(body), maxRead)]))
			e.Detail = strings.ToValidUTF8(strings.Join(strings.Fields(said[:min(len(said), maxDetail)]), " "), "")
		}
		return e
	}
	if html {
		return errors.New("answered HTML, not JSON; is the address right, and does it want a login?")
	}
	return nil
}

// passing says whether trying again may help.
func passing(res *resty.Response, err error) bool {
	switch {
	case errors.Is(err, resty.ErrResponseBodyTooLarge), errors.Is(err, errRedirect), errors.Is(err, errNoToken), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case err != nil:
		var cert *tls.CertificateVerificationError
		return !errors.As(err, &cert)
	}
	switch res.StatusCode() {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter is resty's hook: the wait that the server asked for. A longer one than a poll should sit through is left
// to the Runner, and one that it does not say likewise.
func retryAfter(_ *resty.Client, res *resty.Response) (time.Duration, error) {
	if res.RawResponse == nil {
		return 0, nil
	}
	d := wanted(res.Header(), time.Now())
	if d > retryMaxWait || (d == 0 && limited(res.StatusCode(), res.Header())) {
		return 0, errLater
	}
	return d, nil
}

var (
	errLater    = errors.New("asked to come back later")
	errRedirect = errors.New("redirected to another server")
)

// sameServer keeps a client, and its secrets, on the server it was told to ask: an answer is not trusted to choose another
// host or another port.
func sameServer(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("%w or round in circles", errRedirect)
	}
	if to, from := serverOf(req.URL.String()), serverOf(via[0].URL.String()); to != from {
		return fmt.Errorf("%w: %s", errRedirect, to)
	}
	return nil
}

// serverOf is an address's scheme, host and port, without what may be secret in it. A port that the scheme implies is left out.
func serverOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		host += ":" + port
	}
	return u.Scheme + "://" + host
}

// plain is plainError without the secrets that the other side may have quoted.
func (c *Client) plain(err error) error {
	err = plainError(err, c.rest.ResponseBodyLimit)
	if text := c.hide(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// plainError takes the address out of an error of net/http, because it may hold secrets, and says what is too large.
func plainError(err error, limit int) error {
	if errors.Is(err, resty.ErrResponseBodyTooLarge) {
		return &TooLargeError{limit}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the answer ended too early")
	}
	return err
}

// basic is the header of basic auth, empty where there is no user.
func basic(user, password string) string {
	if user == "" {
		return ""
	}
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// silent is a logger for resty that says nothing: what goes wrong is returned, and resty would log addresses.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
