package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every module of the program is there with its licence, and no other is.
func TestNotices(t *testing.T) {
	t.Chdir("../..")
	var b bytes.Buffer
	require.NoError(t, write(&b))
	text := b.String()
	has := func(s string) { require.True(t, strings.Contains(text, s), "it has no %q", s) }
	has("\nGo 1.")
	for _, of := range []string{
		"github.com/prometheus/common v", "modernc.org/sqlite v", "github.com/jackc/pgx/v5 v", "github.com/alecthomas/kingpin/v2 v",
	} {
		has("\n" + of)
	}
	has("Redistribution and use in source and binary forms")
	has("Apache License")
	for _, of := range []string{"github.com/stretchr/testify", "github.com/chromedp/", "pgregory.net/rapid"} {
		require.False(t, strings.Contains(text, "\n"+of), "%s is in tests alone", of)
	}
	require.Greater(t, strings.Count(text, strings.Repeat("=", 100)), 80)
}

func TestLicences(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{
		"LICENSE", "LICENSE-APACHE", "LICENCE.md", "license.txt", "COPYING", "NOTICE", "PATENTS", "SQLITE-LICENSE", "UNLICENSE",
		"licensecheck.go", "license.go", "README.md", "NOTICES_of_meeting", "relicense",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, n), nil, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "LICENSES"), 0o700))
	got, err := licences(dir)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"LICENSE", "LICENSE-APACHE", "LICENCE.md", "license.txt", "COPYING", "NOTICE", "PATENTS", "SQLITE-LICENSE", "UNLICENSE",
	}, got)
}
