package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// call sends a request with headers and returns the answer's status and body.
func call(t *testing.T, m *servers.MeantimeServer, method, path, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, m.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b := make([]byte, 500)
	n, _ := resp.Body.Read(b)
	return resp.StatusCode, string(b[:n])
}

// one is a notification of one alert.
func one() string {
	return string(servers.Notification(servers.Firing("A", "checkout", time.Now().UTC().Add(-time.Minute))))
}

// TestOpenPort is a Meantime as it starts without configuration: it says that anybody can write, refuses what another site has
// a browser send, and does not reload or tell profiles.
func TestOpenPort(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: "sources: []\nwindows: [90d]\n"})
	require.Contains(t, m.Log(), "Anybody who reaches the port can write")
	evil := []string{"Content-Type", "text/plain", "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}
	for _, c := range []struct {
		method, path, body string
		header             []string
		want               int
	}{
		{"POST", "/webhook/alertmanager", one(), evil, 403},
		{"POST", "/webhook/alertmanager/events", "[]", evil, 403},
		{"PUT", "/api/v1/records/a/b", "{}", evil, 403},
		{"POST", "/api/v1/postmortems?name=x.md", "# x", evil, 403},
		{"POST", "/sign-in", "name=a", evil, 403},
		{"POST", "/-/reload", "", evil, 403},
		{"POST", "/-/reload", "", nil, 403},
		{"GET", "/debug/pprof/", "", nil, 404},
		{"GET", "/debug/pprof/heap", "", nil, 404},
		{"POST", "/webhook/alertmanager", one(), nil, 200},
	} {
		status, answer := call(t, m, c.method, c.path, c.body, c.header...)
		require.Equal(t, c.want, status, "%s %s: %s", c.method, c.path, answer)
	}
	_, answer := call(t, m, "POST", "/-/reload", "")
	require.Contains(t, answer, "--web.enable-lifecycle")
}

// TestFlags shows what the flags of the web server turn on.
func TestFlags(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{Config: "sources: []\nwindows: [90d]\n", Args: []string{"--web.enable-lifecycle", "--web.enable-pprof"}})
	status, answer := call(t, m, "POST", "/-/reload", "")
	require.Equal(t, 200, status, answer)
	status, answer = call(t, m, "GET", "/debug/pprof/heap", "")
	require.Equal(t, 200, status, answer)
}

// TestTokensAndPasswords has both: passwords of the web configuration for all there is, and tokens for writing, which come in a
// header of their own.
func TestTokensAndPasswords(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	// The password is "test".
	web := file("web.yml", "basic_auth_users: {ann: \"$2a$04$u.3zo3bx6rIeaRphsmNMm.UQpM.zeXo8IRI5gwq4CTuZdNmp7ikEC\"}\n")
	file("hooks", "a-token-for-webhooks-of-good-length\n")
	file("write", "short\n")
	m := servers.MeantimeStarting(t, servers.MeantimeOptions{
		Config: "sources: []\nwindows: [90d]\nweb: {webhook_token_file: hooks, write_token_file: write, allowed_hosts: [meantime.example.org]}\n",
		Dir:    dir, Args: []string{"--web.config.file=" + web},
	})
	password := []string{"Authorization", "Basic YW5uOnRlc3Q="}
	servers.Eventually(t, soon, func() error {
		status, _, err := m.Do("GET", "/-/ready", nil)
		if err == nil && status != http.StatusUnauthorized {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	require.NotContains(t, m.Log(), "Anybody who reaches")
	require.Contains(t, m.Log(), "X-Meantime-Token")
	require.Contains(t, m.Log(), "short enough to be guessed")
	require.Contains(t, m.Log(), "web.write_token_file")
	with := func(more ...string) []string { return append(password[:2:2], more...) }
	record := `{"id": "b", "title": "x", "milestones": {"detected": "2026-01-02T03:04:05Z"}}`
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		want                     int
	}{
		{"no password", "GET", "/metrics", "", nil, 401},
		{"the token alone", "POST", "/webhook/alertmanager", one(), []string{"X-Meantime-Token", "a-token-for-webhooks-of-good-length"}, 401},
		{"a password alone reads", "GET", "/metrics", "", password, 200},
		{"and does not write", "POST", "/webhook/alertmanager", one(), password, 401},
		{"with the token it does", "POST", "/webhook/alertmanager", one(), with("X-Meantime-Token", "a-token-for-webhooks-of-good-length"), 200},
		{"the other token is another", "PUT", "/api/v1/records/a/b", record, with("X-Meantime-Token", "a-token-for-webhooks-of-good-length"), 401},
		{"records", "PUT", "/api/v1/records/a/b", record, with("X-Meantime-Token", "short"), 201},
		{"reload", "POST", "/-/reload", "", with("X-Meantime-Token", "short"), 200},
		{"reload without", "POST", "/-/reload", "", password, 401},
		{"a name that is not its own", "GET", "/metrics", "", with("Host", "evil.example"), 421},
		{"its own name", "GET", "/metrics", "", with("Host", "meantime.example.org"), 200},
	} {
		status, answer := call(t, m, c.method, c.path, c.body, c.header...)
		require.Equal(t, c.want, status, "%s: %s", c.name, answer)
	}
	for i := range 50 {
		status, answer := call(t, m, "PUT", "/api/v1/records/a/b", record, with("X-Meantime-Token", fmt.Sprint("guess", i))...)
		require.Equal(t, 401, status, answer)
	}
	status, answer := call(t, m, "POST", "/webhook/alertmanager", one(), with("X-Meantime-Token", "a-token-for-webhooks-of-good-length")...)
	require.Equal(t, 200, status, "an address that knows a token is listened to, whoever else guesses from there: %s", answer)
	require.Equal(t, 1, strings.Count(m.Log(), "Wrong token"))
	require.NotContains(t, m.Log(), "guess1")
}
