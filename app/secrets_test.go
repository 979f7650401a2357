package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestSecretsThatCannotBeReadAreSaid(t *testing.T) {
	dir := t.TempDir()
	token, file := filepath.Join(dir, "token"), filepath.Join(dir, "meantime.yml")
	write := func(path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write(token, "one")
	write(file, "sources: []\nweb: {write_token_file: token}\n")
	var log bytes.Buffer
	a := newApp(Options{ConfigFile: file, Environ: []string{"A=b"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c, err := a.load()
	require.NoError(t, err)
	a.config.Store(c)
	said := map[string]string{}
	a.checkSecrets(said)
	require.Empty(t, log.String())

	require.NoError(t, os.Remove(token))
	a.checkSecrets(said)
	a.checkSecrets(said)
	require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), "once is enough")
	require.Contains(t, log.String(), "key=web.write_token_file")
	require.Equal(t, 1.0, testutil.ToFloat64(a.metrics.secrets))
	require.Equal(t, "one", c.Web.WriteToken.Reveal())

	write(token, "two")
	a.checkSecrets(said)
	require.Contains(t, log.String(), "Secret can be read again")
	require.Zero(t, testutil.ToFloat64(a.metrics.secrets))
	require.Equal(t, "two", c.Web.WriteToken.Reveal())
}
