package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// FuzzWebAuth reads what a web configuration asks of callers: an answer or an error, and where the file has users, passwords.
func FuzzWebAuth(f *testing.F) {
	f.Add([]byte("basic_auth_users: {ann: $2y$10$x}\n"))
	f.Add([]byte("tls_server_config: {client_auth_type: RequireAndVerifyClientCert}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("- 1\n--- x"))
	file := filepath.Join(f.TempDir(), "web.yml")
	f.Fuzz(func(t *testing.T, text []byte) {
		require.NoError(t, os.WriteFile(file, text, 0o600))
		got, err := ReadWebAuth(file)
		var all struct {
			Users map[string]any `yaml:"basic_auth_users"`
		}
		if err == nil && yaml.Unmarshal(text, &all) == nil {
			require.Equal(t, len(all.Users) > 0, got.Passwords)
		}
	})
}
