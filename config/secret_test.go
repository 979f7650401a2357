package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

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
