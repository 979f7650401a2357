package main

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLay(t *testing.T) {
	t.Chdir("../..")
	dir := t.TempDir()
	notices := filepath.Join(dir, "NOTICES")
	require.NoError(t, os.WriteFile(notices, []byte("notices\n"), 0o600))
	folder := filepath.Join(dir, "image")
	root := filepath.Join(folder, "rootfs")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "old"), 0o700))
	require.NoError(t, lay(folder, notices))

	require.NoDirExists(t, filepath.Join(root, "old"))
	pem, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	require.Greater(t, len(pool.Subjects()), 80) //nolint:staticcheck // the pool is no system's
	passwd, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	require.NoError(t, err)
	require.Contains(t, string(passwd), "meantime:x:65532:65532:")
	for name, want := range map[string]os.FileMode{"rootfs/tmp": os.ModeDir | os.ModeSticky | 0o777, "owned/meantime": os.ModeDir | 0o755} {
		st, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, want, st.Mode(), name)
	}
	require.Error(t, lay(folder, filepath.Join(dir, "none")))
}
