package source

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRetryAfter reads when a server wants to be asked again: never in the past, and never further off than is waited for.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "120", "-1", "99999999999999999999", "Mon, 30 Nov 2026 09:00:00 GMT", "Mon, 30 Nov 9999 09:00:00 GMT", "soon", "1e3", "٣"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		d := wanted(http.Header{"Retry-After": {text}}, now)
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.LessOrEqual(t, d, maxRetryAfter)
	})
}

// FuzzServer tells servers apart by their addresses. One that is asked with a secret is never taken for another, and what is shown of
// an address holds no secret of it.
func FuzzServer(f *testing.F) {
	for _, s := range []string{"http://a", "HTTPS://A:443/x", "http://[::1]:80", "http://ann:hunter2@a:9093/p?q=hunter2#hunter2", "//a", "http://a:443", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		server := serverOf(address)
		u, err := url.Parse(address)
		if err != nil {
			require.Empty(t, server)
			return
		}
		if u.User != nil && len(u.User.String()) > 3 && !strings.Contains(u.Host, u.User.String()) &&
			!strings.Contains(u.Scheme, u.User.String()) {
			require.NotContains(t, server, u.User.String())
		}
		if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || strings.ContainsAny(u.Host, "%[") { // an escape is read once
			return
		}
		require.Equal(t, server, serverOf(server), "a server is its own")
		if port := u.Port(); port != "" {
			other := *u
			other.Host = u.Hostname() + ":" + port + "0"
			require.NotEqual(t, server, serverOf(other.String()), "another port is another server")
		}
	})
}
