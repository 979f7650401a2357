package source

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// roundTrip is a transport that answers by itself.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// fixed is a secret that never changes.
func fixed(s string) Secret { return func() string { return s } }

// reply makes an answer.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func TestGet(t *testing.T) {
	var got *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"a":1}`)
	}))
	defer srv.Close()
	c, err := NewClient(ClientOptions{URL: srv.URL + "/prefix/", BearerToken: fixed("s3cret")})
	require.NoError(t, err)
	var out struct{ A int }
	require.NoError(t, c.Get(t.Context(), "/api", url.Values{"q": {"up == 0", "b"}}, &out))
	require.Equal(t, 1, out.A)
	require.Equal(t, "/prefix/api", got.URL.Path)
	require.Equal(t, []string{"up == 0", "b"}, got.URL.Query()["q"])
	require.Equal(t, "Bearer s3cret", got.Header.Get("Authorization"))
	require.Regexp(t, `^Meantime/`, got.Header.Get("User-Agent"))

	c, err = NewClient(ClientOptions{URL: srv.URL, Username: "u", Password: fixed("p")})
	require.NoError(t, err)
	require.NoError(t, c.Get(t.Context(), "/api", nil, &out))
	user, password, _ := got.BasicAuth()
	require.Equal(t, []string{"u", "p"}, []string{user, password})
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "example.org", "ftp://example.org", "http://", "http://a b/"} {
		_, err := NewClient(ClientOptions{URL: bad})
		require.EqualError(t, err, "not an http or https address", bad)
	}
}

func TestGetErrors(t *testing.T) {
	const base = "GET http://user-less.example/x: "
	tests := []struct {
		name   string
		answer func() (*http.Response, error)
		want   string
		asked  int
	}{
		{"HTML", func() (*http.Response, error) { return reply(200, "<html>login</html>"), nil }, "answered HTML, not JSON; is the address right, and does it want a login?", 1},
		{"HTML by its type", func() (*http.Response, error) {
			return reply(200, "login", "Content-Type", "text/HTML; charset=utf-8"), nil
		}, "answered HTML, not JSON; is the address right, and does it want a login?", 1},
		{"not JSON", func() (*http.Response, error) { return reply(200, "hello"), nil }, "the answer cannot be read: invalid character 'h' looking for beginning of value", 1},
		{"another JSON", func() (*http.Response, error) { return reply(200, `[]`), nil }, "the answer cannot be read: json: cannot unmarshal array into Go value of type struct { A int }", 1},
		{"too large", func() (*http.Response, error) { return reply(200, `"`+strings.Repeat("x", 1000)+`"`), nil }, "the answer is larger than the 1000 bytes allowed", 1},
		{"not found", func() (*http.Response, error) { return reply(404, "no\n such  thing"), nil }, "answered 404 Not Found: no such thing", 1},
		{"a page of an error", func() (*http.Response, error) { return reply(403, "<h1>Forbidden</h1>"), nil }, "answered 403 Forbidden", 1},
		{"down", func() (*http.Response, error) { return reply(503, "down"), nil }, "answered 503 Service Unavailable: down", 3},
		{"refused", func() (*http.Response, error) { return nil, errors.New("connection refused") }, "connection refused", 3},
		{"cut off", func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, "the answer ended too early", 3},
		{"a bad certificate", func() (*http.Response, error) { return nil, x509.UnknownAuthorityError{} }, "x509: certificate signed by unknown authority", 3},
		{"elsewhere", func() (*http.Response, error) { return reply(302, "", "Location", "http://evil.example/"), nil }, "redirected to another server: http://evil.example", 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				c, err := NewClient(ClientOptions{
					URL: "http://user:passw0rd@user-less.example", MaxAnswer: 1000, BearerToken: fixed("s3cret"),
					Transport: roundTrip(func(r *http.Request) (*http.Response, error) { asked++; return tc.answer() }),
				})
				require.NoError(t, err)
				var out struct{ A int }
				err = c.Get(t.Context(), "/x", url.Values{"key": {"s3cret"}}, &out)
				require.EqualError(t, err, base+tc.want)
				require.Equal(t, tc.asked, asked)
			})
		})
	}
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		start := time.Now()
		answers := []func() (*http.Response, error){
			func() (*http.Response, error) { return reply(429, "", "Retry-After", "3"), nil },
			func() (*http.Response, error) { return reply(200, `{"a":2}`), nil },
		}
		c, err := NewClient(ClientOptions{URL: "http://h", Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			times = append(times, time.Since(start))
			return answers[len(times)-1]()
		})})
		require.NoError(t, err)
		var out struct{ A int }
		require.NoError(t, c.Get(t.Context(), "/x", nil, &out))
		require.Equal(t, 2, out.A)
		require.Equal(t, []time.Duration{0, 3 * time.Second}, times)
	})
}

// A long Retry-After is not sat through: the error carries it to who plans the next poll.
func TestLongRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{"120": 2 * time.Minute, "Sat, 01 Jan 2000 00:05:00 GMT": 5 * time.Minute, "999999999": time.Hour, "soon": 0, "-1": 0} {
		synctest.Test(t, func(t *testing.T) { // its clock begins at 2000-01-01T00:00:00Z
			asked := 0
			c, err := NewClient(ClientOptions{URL: "http://h", Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				asked++
				return reply(503, "later", "Retry-After", header), nil
			})})
			require.NoError(t, err)
			start := time.Now()
			err = c.Get(t.Context(), "/x", nil, new(any))
			require.EqualError(t, err, "GET http://h/x: answered 503 Service Unavailable: later")
			if want == 0 {
				require.Equal(t, 3, asked)
				return
			}
			require.Zero(t, time.Since(start))
			require.Equal(t, want, RetryAfter(err))
			require.Equal(t, want, RetryAfter(fmt.Errorf("wrapped: %w", err)))
		})
	}
	require.Zero(t, RetryAfter(errors.New("other")))
}

// A small answer that unpacks to a large one is bounded as well.
func TestCompressedAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		zeros := make([]byte, 1<<20)
		for range 8 {
			if _, err := z.Write(zeros); err != nil {
				return
			}
		}
		_ = z.Close()
	}))
	defer srv.Close()
	c, err := NewClient(ClientOptions{URL: srv.URL, MaxAnswer: 1 << 20})
	require.NoError(t, err)
	err = c.Get(t.Context(), "/x", nil, new(any))
	require.EqualError(t, err, "GET "+srv.URL+"/x: the answer is larger than the 1048576 bytes allowed")
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		c, err := NewClient(ClientOptions{URL: "http://h", Transport: hang})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = c.Get(ctx, "/x", nil, new(any))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestRedirectsStayOnTheServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusFound)
			return
		}
		if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, `"`+r.URL.Path+" "+r.Header.Get("Authorization")+`"`)
	}))
	defer srv.Close()
	c, err := NewClient(ClientOptions{URL: srv.URL, BearerToken: fixed("t0ken")})
	require.NoError(t, err)
	var out string
	require.NoError(t, c.Get(t.Context(), "/old", nil, &out))
	require.Equal(t, "/new Bearer t0ken", out)
	require.ErrorContains(t, c.Get(t.Context(), "/loop", nil, &out), "redirected to another server or round in circles")
}

// What one server answers never sends a request, or a secret with it, to another: not to another host, and not to
// another port of the same.
func TestSecretsStayOnTheServer(t *testing.T) {
	request := func(address string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		require.NoError(t, err)
		return r
	}
	for _, tc := range []struct{ from, to, want string }{
		{"http://h/x", "http://h/y", ""},
		{"http://h/x", "http://h:80/y", ""},
		{"https://h:443/x", "https://H/y", ""},
		{"http://[::1]:9/x", "http://[::1]:9/y", ""},
		{"http://h/x", "http://h:8080/y", "redirected to another server: http://h:8080"},
		{"http://h:9093/x", "http://h:9094/y", "redirected to another server: http://h:9094"},
		{"http://h/x", "https://h/y?key=s3cret", "redirected to another server: https://h"},
		{"https://h/x", "http://h/y", "redirected to another server: http://h"},
		{"https://h/x", "https://user:s3cret@evil.h/y", "redirected to another server: https://evil.h"},
		{"http://h/x", "http://h.evil/y", "redirected to another server: http://h.evil"},
	} {
		err := sameServer(request(tc.to), []*http.Request{request(tc.from)})
		if tc.want == "" {
			require.NoError(t, err, tc)
			continue
		}
		require.EqualError(t, err, tc.want)
	}

	reached := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer first.Close()
	for name, o := range map[string]ClientOptions{
		"bearer": {BearerToken: fixed("s3cret")},
		"basic":  {Username: "u", Password: fixed("s3cret")},
		"header": {Headers: []Header{{Name: "X-Api-Key", Value: fixed("s3cret"), Hidden: true}}},
		"oauth2": {OAuth2: &OAuth2{TokenURL: first.URL + "/token", ClientID: "me", ClientSecret: fixed("s3cret")}},
	} {
		o.URL = first.URL
		c, err := NewClient(o)
		require.NoError(t, err)
		require.ErrorContains(t, c.Get(t.Context(), "/x", nil, new(any)), "redirected to another server: "+other.URL, name)
		require.Zero(t, reached, name)
	}
}
