package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHealthcheck(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/-/healthy":
		case "/password":
			w.WriteHeader(http.StatusUnauthorized)
		case "/moved":
			http.Redirect(w, r, "/-/healthy", http.StatusFound)
		case "/never":
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	plain, encrypted := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer encrypted.Close()
	gone := httptest.NewServer(h)
	gone.Close()

	for _, c := range []struct {
		name, url string
		timeout   time.Duration
		want      string // in the error; empty for none
	}{
		{"alive", plain.URL + "/-/healthy", time.Minute, ""},
		{"a certificate of another host", encrypted.URL + "/-/healthy", time.Minute, ""},
		{"it wants a password", plain.URL + "/password", time.Minute, ""},
		{"ill", plain.URL + "/ill", time.Minute, "/ill answers 503 Service Unavailable"},
		{"something else answers there", plain.URL + "/moved", time.Minute, "/moved answers 302 Found"},
		{"nobody listens", gone.URL, time.Minute, "connection refused"},
		{"no answer", plain.URL + "/never", 50 * time.Millisecond, "context deadline exceeded"},
		{"no address", "localhost:10049", time.Minute, `"localhost:10049" is not an address such as`},
		{"another kind of address", "file:///etc/passwd", time.Minute, "is not an address such as"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Healthcheck(t.Context(), c.url, c.timeout)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.8.8.8": true, "::1": true, "localhost": true, "10.0.0.1": false, "meantime": false, "localhost.example.org": false,
	} {
		require.Equal(t, want, loopback(host), host)
	}
}
