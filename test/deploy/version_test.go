// Package deploy_test checks what brings Meantime to where it runs: builds, images, units and packages.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// version is what the repository says it is.
func version(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(servers.Root(t), "VERSION"))
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

// run runs a command in a directory and returns what it said.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

// The changelog begins with what VERSION says.
func TestChangelogHasTheVersion(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(servers.Root(t), "CHANGELOG.md"))
	require.NoError(t, err)
	first := regexp.MustCompile(`(?m)^## (.*)$`).FindStringSubmatch(string(text))
	require.Regexp(t, "^"+regexp.QuoteMeta(version(t))+` / (unreleased|\d{4}-\d\d-\d\d)$`, first[1])
}

// `make build` makes one static program that says which version of which commit it is, wherever it is asked.
func TestMakeBuild(t *testing.T) {
	root, bin := servers.Root(t), filepath.Join(t.TempDir(), "meantime")
	run(t, root, "make", "build", "BIN="+bin)
	said := run(t, root, bin, "--version")
	commit := strings.TrimSpace(run(t, root, "git", "rev-parse", "HEAD"))
	require.Contains(t, said, "meantime, version "+version(t)+" (branch: ")
	require.Contains(t, said, "revision: "+commit)
	require.Regexp(t, `build date: +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n`, said)
	require.Contains(t, said, "tags: ")

	m := servers.Meantime(t, servers.MeantimeOptions{Program: bin})
	metrics := string(m.Must("GET", "/metrics", nil))
	require.Contains(t, metrics, `meantime_build_info{branch="`)
	require.Contains(t, metrics, `version="`+version(t)+`"`)
	require.Contains(t, string(m.Must("GET", "/", nil)), "Meantime "+version(t)+"</footer>")
	run(t, root, bin, "healthcheck", "--url="+m.URL+"/-/healthy", "--timeout=1m")
}
