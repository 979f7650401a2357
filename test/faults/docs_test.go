package faults

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTableNamesTests holds the table of docs/reliability.md to the code: every test that it names is there, every line
// names one, and every test of this package is named.
func TestTableNamesTests(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "reliability.md"))
	require.NoError(t, err)
	named := map[string]bool{}
	lines := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| fault |") {
			continue
		}
		lines++
		require.Len(t, cells, 4, line)
		tests := regexp.MustCompile("`([a-z0-9/]+) (Test[A-Za-z]+)`").FindAllStringSubmatch(cells[3], -1)
		require.NotEmpty(t, tests, line)
		for _, m := range tests {
			require.Contains(t, functions(t, filepath.Join(root, m[1])), m[2], line)
			named[m[1]+" "+m[2]] = true
		}
	}
	require.Greater(t, lines, 15)
	for name := range functions(t, ".") {
		require.True(t, named["test/faults "+name] || name == "TestTableNamesTests", "docs/reliability.md does not name %s", name)
	}
}

// functions are the tests in a folder.
func functions(t *testing.T, dir string) map[string]bool {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	all := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)^func (Test[A-Za-z]+)\(t \*testing\.T\)`).FindAllStringSubmatch(string(text), -1) {
			all[m[1]] = true
		}
	}
	return all
}
