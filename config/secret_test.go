package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// everyWay prints x in every way that a program might by accident.
func everyWay(t *testing.T, x any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&b, verb+"\n", x)
	}
	j, err := json.Marshal(x)
	require.NoError(t, err)
	b.Write(j)
	y, err := yaml.Marshal(x)
	require.NoError(t, err)
	b.Write(y)
	slog.New(slog.NewTextHandler(&b, nil)).Info("Text", "x", x)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("JSON", "x", x)
	return b.String()
}

func TestSecretsDoNotPrint(t *testing.T) {
	const word = "hunter2"
	s := NewSecret(word)
	require.Equal(t, word, s.Reveal())
	type hides struct{ inner Secret }
	for _, x := range []any{s, &s, []Secret{s}, map[string]Secret{"a": s}, Web{WriteToken: s}, Alertmanager{Client: Client{Password: s}}, hides{s}} {
		out := everyWay(t, x)
		require.NotContains(t, out, word)
		require.NotContains(t, out, "68756e74657232", "in hexadecimal")
	}
	require.Contains(t, everyWay(t, Web{WriteToken: s}), hidden)
	require.Equal(t, "<secret>", s.String())
	require.Empty(t, NewSecret("").String())
	require.True(t, NewSecret("").IsZero())
	require.Empty(t, Secret{}.Reveal())
}

func TestDSNPrintsWithoutItsPassword(t *testing.T) {
	for dsn, want := range map[DSN]string{
		"sqlite:meantime.db": "sqlite:meantime.db",
		"postgres://me:hunter2@db:5432/meantime?sslmode=require": "postgres://me:xxxxx@db:5432/meantime?sslmode=require",
		"postgres://db/meantime?password=hunter2&user=me":        "postgres://db/meantime?password=xxxxx&user=me",
		"postgres://me:hunter2@db:port/%zz":                      "postgres://me:xxxxx@db:port/%zz",
		"postgres://me:hunter2@a:5432,b/m?sslpassword=hunter2":   "postgres://me:xxxxx@a:5432,b/m?sslpassword=xxxxx",
		"postgres://me:@hunter2?/:hunter2@db/m":                  "postgres://me:xxxxx@db/m",
		"postgres://db/m?pass%77ord=hunter2&%zz=hunter2&a=b":     "postgres://db/m?pass%77ord=xxxxx&%zz=xxxxx&a=b",
		"postgres://me@db/m":                                     "postgres://me@db/m",
	} {
		require.Equal(t, want, dsn.String())
		require.NotContains(t, everyWay(t, dsn), "hunter2")
		require.NotContains(t, everyWay(t, Store{DSN: dsn}), "hunter2")
		require.NotContains(t, everyWay(t, Config{Store: StoreConfig{DSN: dsn}}), "hunter2")
	}
}

// A file that is replaced, in whichever way, counts at the next use; what cannot be used does not.
func TestSecretFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("token", "one\n")
	s, err := secretFile(Path(path))
	require.NoError(t, err)
	require.Equal(t, "one", s.Reveal())

	write("token", "two") // in place, in the same moment and of the same length
	require.Equal(t, "two", s.Reveal())
	long := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(path, long, long))
	require.Equal(t, "two", s.Reveal())
	require.NotNil(t, s.held.state, "one that has not changed for long is not read again")
	write("next", "six")
	require.NoError(t, os.Chtimes(filepath.Join(dir, "next"), long, long))
	require.NoError(t, os.Rename(filepath.Join(dir, "next"), path)) // of the same time and length
	require.Equal(t, "six", s.Reveal())

	write("token", "")
	require.Equal(t, "six", s.Reveal(), "the last good value stays")
	require.EqualError(t, s.Err(), path+" is empty")
	require.NoError(t, os.Remove(path))
	require.Equal(t, "six", s.Reveal())
	require.ErrorContains(t, s.Err(), "no such file")

	// As the kubelet does: a link to a folder is replaced.
	for n, text := range []string{"seven", "eight"} {
		at := fmt.Sprint("v", n)
		require.NoError(t, os.Mkdir(filepath.Join(dir, at), 0o700))
		write(at+"/token", text)
		require.NoError(t, os.Symlink(at, filepath.Join(dir, "tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "tmp"), filepath.Join(dir, "data")))
		if n == 0 {
			require.NoError(t, os.Symlink("data/token", path))
		}
		require.Equal(t, text, s.Reveal())
		require.NoError(t, s.Err())
	}
}
