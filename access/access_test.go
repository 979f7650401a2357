package access

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func request(remote string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhook/alertmanager", nil)
	r.RemoteAddr = remote
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestToken(t *testing.T) {
	for _, c := range []struct {
		name   string
		header []string
		want   string
	}{
		{"none", nil, ""},
		{"bearer", []string{"Authorization", "Bearer abc"}, "abc"},
		{"bearer in small letters, with spaces", []string{"Authorization", "bearer  abc "}, "abc"},
		{"its own header", []string{Header, "abc"}, "abc"},
		{"its own header beside a password", []string{"Authorization", "Basic YTpi", "x-meantime-token", "abc"}, "abc"},
		{"both: its own counts", []string{"Authorization", "Bearer def", Header, "abc"}, "abc"},
		{"its own, empty: the other does not count", []string{"Authorization", "Bearer def", Header, ""}, ""},
		{"a password alone", []string{"Authorization", "Basic YTpi"}, ""},
		{"no scheme", []string{"Authorization", "abc"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, Token(request("10.0.0.1:1", c.header...))) })
	}
}

// gate is a Gate with a clock that a test sets, and its log.
func gate() (g *Gate, now *time.Time, log *bytes.Buffer) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	log = &bytes.Buffer{}
	return NewGate(Options{Logger: slog.New(slog.NewTextHandler(log, nil)), Now: func() time.Time { return at }}), &at, log
}

func refused(t *testing.T, err error) *Refused {
	t.Helper()
	var r *Refused
	require.True(t, errors.As(err, &r), err)
	return r
}

func TestGuesses(t *testing.T) {
	g, now, log := gate()
	guess := func(remote, token string) error { return g.Request(request(remote, Header, token), "right") }
	require.NoError(t, g.Request(request("10.0.0.1:1"), ""), "no token is wanted")
	require.Equal(t, 401, refused(t, g.Request(request("10.0.0.1:1"), "right")).Status())
	for i := range guessesAtOnce {
		require.Equal(t, 401, refused(t, guess(fmt.Sprint("10.0.0.1:", 1000+i), "wrong")).Status())
	}
	over := refused(t, guess("10.0.0.1:7", "right"))
	require.Equal(t, 429, over.Status(), "it is not even looked at")
	require.Equal(t, guessEvery, over.RetryAfter)
	require.NoError(t, guess("10.0.0.2:7", "right"), "another address")
	require.Equal(t, float64(guessesAtOnce), testutil.ToFloat64(g.metrics.wrong))
	require.Equal(t, 1, strings.Count(log.String(), "Wrong token"), log)
	require.NotContains(t, log.String(), "wrong ", "the token is not in the log")

	*now = now.Add(guessEvery)
	require.Equal(t, 401, refused(t, guess("10.0.0.1:7", "wrong")).Status(), "one more after a while")
	require.Equal(t, 429, refused(t, guess("10.0.0.1:7", "wrong")).Status())
	*now = now.Add(time.Minute)
	require.Equal(t, 401, refused(t, guess("10.0.0.1:7", "wrong")).Status())
	require.Contains(t, log.String(), "times=21")

	// Who has sent the right one is looked at however many wrong ones come from there: behind a proxy all have one address.
	for range 3 * guessesAtOnce {
		require.Equal(t, 401, refused(t, guess("10.0.0.2:8", "wrong")).Status())
		require.NoError(t, guess("10.0.0.2:9", "right"))
	}

	// A network of IPv6 is one.
	for i := range guessesAtOnce {
		require.Equal(t, 401, refused(t, guess(fmt.Sprintf("[2001:db8:1:2::%x]:1", i), "wrong")).Status())
	}
	require.Equal(t, 429, refused(t, guess("[2001:db8:1:2:ffff::1]:1", "right")).Status())
	require.NoError(t, guess("[2001:db8:1:3::1]:1", "right"))
	for range 2 * guessesAtOnce {
		_ = guess("@", "wrong") // no address at all
	}
	require.Equal(t, 429, refused(t, guess("@", "right")).Status())
}

// The memory of who guessed is bounded, and those who guess from ever new addresses take each other's place, not that of
// those who know the token.
func TestManyAddresses(t *testing.T) {
	g, _, _ := gate()
	for i := range 100 {
		require.NoError(t, g.Request(request(fmt.Sprintf("192.0.2.%d:1", i), Header, "right"), "right"))
	}
	for i := range 3 * mostAddresses {
		_ = g.Request(request(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), Header, "wrong"), "right")
	}
	require.Len(t, g.addresses, mostAddresses)
	for i := range 100 {
		require.True(t, g.addresses[addressOf(fmt.Sprintf("192.0.2.%d:1", i))].knows)
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		name, host, path string
		allowed          []string
		want             int
	}{
		{"off", "evil.example", "/", nil, 200},
		{"its name", "meantime.example.org", "/", []string{"meantime.example.org"}, 200},
		{"its name with a port, in capitals, with a dot", "Meantime.Example.org.:10049", "/", []string{"meantime.example.org"}, 200},
		{"another", "evil.example", "/", []string{"meantime.example.org"}, 421},
		{"one that ends alike", "evil-meantime.example.org", "/", []string{"meantime.example.org"}, 421},
		{"an address, such as of a scrape", "10.0.0.1:10049", "/metrics", []string{"meantime"}, 200},
		{"an address of IPv6", "[::1]:10049", "/", []string{"meantime"}, 200},
		{"localhost", "localhost:10049", "/", []string{"meantime"}, 200},
		{"a name that begins with an address", "10.0.0.1.evil.example", "/", []string{"meantime"}, 421},
		{"none", "", "/", []string{"meantime"}, 421},
		{"a probe", "evil.example", "/-/ready", []string{"meantime"}, 200},
		{"a probe", "evil.example", "/-/healthy", []string{"meantime"}, 200},
		{"reload", "evil.example", "/-/reload", []string{"meantime"}, 421},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := Hosts(func() []string { return c.allowed }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r := httptest.NewRequest(http.MethodGet, c.path, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, c.want, w.Code, w.Body)
		})
	}
}

// Whatever a Host header says, its name is the same with a port and without.
func FuzzHostName(f *testing.F) {
	for _, s := range []string{"a", "[::1]", "::1", "a..", "[", "]:", "A.", "", "10.0.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if strings.ContainsAny(host, ":[]") {
			_ = HostName(host)
			return
		}
		require.Equal(t, HostName(host), HostName(net.JoinHostPort(host, "10049")))
	})
}
