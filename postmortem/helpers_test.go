package postmortem

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/htmlindex"
)

func mustEncode(t *testing.T, name, s string) string {
	e, err := htmlindex.Get(name)
	require.NoError(t, err)
	out, err := e.NewEncoder().String(s)
	require.NoError(t, err)
	return out
}

// corpus is a folder of real postmortems beside the repository. Where there is none the test is skipped, except where a
// full run is asked for.
func corpus(t *testing.T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			c := filepath.Join(filepath.Dir(dir), "shared", "corpus")
			if _, err := os.Stat(c); err == nil {
				return c
			}
			break
		}
		dir = filepath.Dir(dir)
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no corpus of real postmortems beside the repository")
	}
	t.Skip("no corpus of real postmortems beside the repository")
	return ""
}
