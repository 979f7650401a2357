package release_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// The compose file is one by the compose specification, every file that it mounts is there, and nothing is open to others.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "deploy/compose/compose.yaml")})
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"alertmanager", "grafana", "meantime", "prometheus", "shop"}, project.ServiceNames())
	boards := 0
	for name, s := range project.Services {
		for _, p := range s.Ports {
			require.Equal(t, "127.0.0.1", p.HostIP, "%s: without passwords, so on this machine alone", name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				require.FileExists(t, strings.TrimSuffix(v.Source,
					"/examples/incidents")+map[bool]string{true: "/VERSION"}[strings.HasSuffix(v.Source, "/examples/incidents")], name)
				require.True(t, v.ReadOnly, "%s: %s", name, v.Source)
			}
			if strings.HasPrefix(v.Target, "/var/lib/grafana/dashboards/meantime/") {
				boards++
			}
		}
		if name == "meantime" || name == "shop" {
			require.Equal(t, types.PullPolicyNever, s.PullPolicy, "it is built here")
			require.True(t, s.ReadOnly)
			require.Equal(t, []string{"ALL"}, s.CapDrop)
			continue
		}
		_, tag, _ := strings.Cut(s.Image, ":")
		require.NotContains(t, []string{"", "latest"}, tag, "%s is pinned", name)
	}
	files, err := filepath.Glob(filepath.Join(root, "dashboards/*.json"))
	require.NoError(t, err)
	require.Equal(t, len(files), boards, "every dashboard is provisioned")
	text, err := os.ReadFile(filepath.Join(root, "deploy/compose/README.md"))
	require.NoError(t, err)
	for _, s := range project.ServiceNames() {
		require.Contains(t, string(text), "| `"+s+"` |")
	}
}
