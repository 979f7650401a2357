package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is committed is what `make generate` makes.
func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "dashboards"), 0o755))
	for _, f := range []string{"alerts.yaml", "records.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", f))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "dashboards", f), text, 0o600))
	}
	require.NoError(t, generate(filepath.Join(dir, "dashboards")))
	for _, f := range []string{libsonnet, prometheusRule} {
		want, err := os.ReadFile(filepath.Join(dir, "dashboards", f))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join("..", f))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "run make generate")
	}
}

// A rule that changed its bound, or a key that is not carried over, is told.
func TestGenerateRefuses(t *testing.T) {
	for name, c := range map[string]struct{ alerts, want string }{
		"another bound": {"groups: [{name: a, rules: [{alert: MeantimeStoreSlow, expr: a > 101}]}]",
			`the expression of MeantimeStoreSlow does not end in "> 100": a > 101`},
		"no such rule": {"groups: []", "there is no rule MeantimeStoreSlow"},
		"another key":  {"groups: [{name: a, rules: [{alert: A, expr: a, keep_firing_for: 5m}]}]", "field keep_firing_for not found"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "alerts.yaml"), []byte(c.alerts), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "records.yaml"), []byte("groups: []"), 0o600))
			require.ErrorContains(t, generate(dir), c.want)
		})
	}
}
