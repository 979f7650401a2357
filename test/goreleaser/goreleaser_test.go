// Package goreleaser reads the release configuration as goreleaser does, which takes no key that it does not know. It is a module
// of its own, because that reader brings more than all of Meantime.
package goreleaser

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/stretchr/testify/require"
)

const root = "../.."

func read(t *testing.T) config.Project {
	t.Helper()
	p, err := config.Load(filepath.Join(root, ".goreleaser.yaml"))
	require.NoError(t, err)
	return p
}

// TestReader shows that a typing error would be found.
func TestReader(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	require.NoError(t, err)
	_, err = config.LoadReader(bytes.NewReader(bytes.Replace(text, []byte("algorithm:"), []byte("algoritm:"), 1)))
	require.ErrorContains(t, err, "field algoritm not found")
}

// TestStamp has a release tell of itself what `make build` does.
func TestStamp(t *testing.T) {
	p := read(t)
	require.Len(t, p.Builds, 1)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	stamped := func(text string) (names []string) {
		for _, m := range regexp.MustCompile(`(?:version|\$\(STAMP\))\.(\w+)=`).FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return names
	}
	line := regexp.MustCompile(`(?m)^LDFLAGS = .*$`).FindString(string(makefile))
	require.Len(t, stamped(line), 4)
	require.Equal(t, stamped(line), stamped(strings.Join(p.Builds[0].Ldflags, " ")))
	require.Contains(t, p.Builds[0].Env, "CGO_ENABLED=0")
	require.Contains(t, p.Builds[0].Flags, "-trimpath")
}

// TestFiles has everything that a release takes along exist, or be made by what runs before it.
func TestFiles(t *testing.T) {
	p := read(t)
	for _, h := range p.Before.Hooks {
		words := strings.Fields(strings.Split(h, "#")[0])
		require.Equal(t, "make", words[0])
		out, err := exec.Command("make", append([]string{"-C", root, "-n", "--no-print-directory"}, words[1:]...)...).CombinedOutput()
		require.NoError(t, err, "%s: %s", h, out)
	}
	require.Len(t, p.Archives, 1)
	notices := false
	for _, f := range p.Archives[0].Files {
		if strings.HasPrefix(f.Source, "bin/") {
			notices = notices || f.Source == "bin/NOTICES"
			continue
		}
		found, err := filepath.Glob(filepath.Join(root, strings.ReplaceAll(f.Source, "**/", "")))
		require.NoError(t, err)
		require.NotEmpty(t, found, f.Source)
	}
	require.True(t, notices, "a copy carries the licences of what is linked in")
	require.Len(t, p.DockersV2, 1)
	require.FileExists(t, filepath.Join(root, p.DockersV2[0].Dockerfile))
	require.Equal(t, "sha256", p.Checksum.Algorithm)
	require.Len(t, p.SBOMs, 1)
}
