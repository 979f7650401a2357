package access

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzToken reads the headers that carry a token, and the address that it came from: who does not know the token is refused,
// whatever the headers say, and who does is let in.
func FuzzToken(f *testing.F) {
	f.Add("Bearer swordfish", "", "10.0.0.1:1234")
	f.Add("bearer  swordfish ", "other", "[fe80::1%eth0]:1")
	f.Add("Basic YTpi", "swordfish", "")
	f.Add("Bearer", " ", "nonsense")
	f.Fuzz(func(t *testing.T, authorization, own, remote string) {
		const token = "sword\x01fish, and what nobody guesses"
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", authorization)
		if own != "" {
			r.Header.Set(Header, own)
		}
		r.RemoteAddr = remote
		g := NewGate(Options{})
		if !strings.Contains(authorization+own, token) {
			require.Error(t, g.Request(r, token))
		}
		if sent := Token(r); sent != "" {
			require.Equal(t, strings.TrimSpace(sent), sent)
			require.NoError(t, g.Request(r, sent))
		}
		require.NoError(t, g.Request(r, ""))
	})
}
