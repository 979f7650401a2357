package layout

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/test/servers"
)

// TestImports holds every file of the repository to the walls.
func TestImports(t *testing.T) {
	imports := load(t, servers.Root(t))
	seen := map[string]bool{}
	for _, i := range imports {
		seen[i.pkg] = true
	}
	for _, p := range []string{"cmd/meantime", "incident", "correlate"} {
		require.True(t, seen[p], "the listing has %s", p)
	}
	require.Empty(t, violations(imports))
}

// TestViolations shows that the test above can fail: what is planted wrong is found.
func TestViolations(t *testing.T) {
	for _, c := range []struct {
		name string
		imported
		want string // empty: allowed
	}{
		{"down", imported{"app", "app.go", "meantime/config"}, ""},
		{"down two floors", imported{"webhook", "webhook.go", "meantime/incident"}, ""},
		{"up", imported{"incident", "incident.go", "meantime/store"}, "incident may import only: "},
		{"config is app's alone", imported{"webhook", "webhook.go", "meantime/config"}, "webhook may import only: access, incident, measure"},
		{"side by side", imported{"api", "api.go", "meantime/webhook"}, "api may import only: access, incident, measure"},
		{"the contract, not the database", imported{"correlate", "runner.go", "meantime/store/sqlstore"}, "correlate may import only: correlate/assemble, correlate/assign, correlate/catalog, correlate/linkage, incident"},
		{"past app", imported{"cmd/meantime", "main.go", "meantime/store/sqlstore"}, "cmd/meantime may import only: app"},
		{"a source and the runner of sources", imported{"source/file", "file.go", "meantime/source"}, ""},
		{"a source and another", imported{"source/file", "file.go", "meantime/source/jira"}, "source/file may import only: "},
		{"a program", imported{"app", "app.go", "meantime/cmd/meantime"}, "nobody imports what judges the house from outside"},
		{"tests in production", imported{"app", "app.go", "meantime/test/servers"}, "nobody imports what judges the house from outside"},
		{"tests among themselves", imported{"test/e2e", "e2e.go", "meantime/test/servers"}, ""},
		{"tests of anything", imported{"test/e2e", "e2e.go", "meantime/store/sqlstore"}, ""},
		{"a package without a place", imported{"utils", "utils.go", "meantime/incident"}, "no place in the house yet"},

		{"the standard library", imported{"incident", "incident.go", "net/http"}, ""},
		{"drivers", imported{"api", "api.go", "modernc.org/sqlite"}, "its home is store/sqlstore"},
		{"drivers at home", imported{"store/sqlstore", "open.go", "modernc.org/sqlite"}, ""},
		{"database/sql", imported{"web", "page.go", "database/sql"}, "its home is store/sqlstore"},
		{"viper", imported{"app", "app.go", "github.com/spf13/viper"}, "its home is config"},
		{"metrics", imported{"webhook", "webhook.go", "github.com/prometheus/client_golang/prometheus"}, "its home is collector and files called metrics.go"},
		{"metrics.go", imported{"webhook", "metrics.go", "github.com/prometheus/client_golang/prometheus/promauto"}, ""},
		{"heavy parts of Alertmanager", imported{"webhook", "webhook.go", "github.com/prometheus/alertmanager/notify/webhook"}, "no home yet"},
		{"the longest home counts", imported{"app", "http.go", "github.com/prometheus/exporter-toolkit/web/kingpinflag"}, "its home is cmd/..."},
		{"a name that only begins alike", imported{"config", "config.go", "github.com/spf13/viper2"}, "no home yet"},
		{"a library nobody knows", imported{"measure", "mean.go", "example.org/statistics"}, "no home yet"},
		{"libraries of tests alone", imported{"app", "app.go", "github.com/rogpeppe/go-internal/testscript"}, "only tests use it"},
		{"judges use any library", imported{"eval", "topology.go", "github.com/prometheus/alertmanager/pkg/labels"}, ""},
		{"test libraries in production", imported{"app", "app.go", "github.com/stretchr/testify/require"}, "its home is store/storetest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := violations([]imported{c.imported})
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], c.want)
		})
	}
}

// TestLinter shows that the linter's configuration names the libraries of the list here, so that the two do not part.
func TestLinter(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(servers.Root(t), ".golangci.yml"))
	require.NoError(t, err)
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files []string
						Deny  []struct{ Pkg string }
					}
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	denied := map[string]bool{}
	for _, r := range config.Linters.Settings.Depguard.Rules {
		for _, d := range r.Deny {
			denied[d.Pkg] = true
		}
	}
	for _, library := range []string{
		"github.com/alecthomas/kingpin", "github.com/spf13/viper", "github.com/go-resty/resty", "modernc.org/sqlite",
		"github.com/jackc/pgx", "github.com/prometheus/client_golang/prometheus", "meantime/app", "meantime/config",
	} {
		require.True(t, denied[library], "a depguard rule denies %s", library)
	}
}

// load lists the imports of every file of the module that is not a test.
func load(t *testing.T, root string) []imported {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []imported
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath, Dir   string
			GoFiles, CgoFiles []string
		}
		if err := d.Decode(&pkg); errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		for _, name := range append(pkg.GoFiles, pkg.CgoFiles...) {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, name), nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, i := range file.Imports {
				path, err := strconv.Unquote(i.Path.Value)
				require.NoError(t, err)
				all = append(all, imported{strings.TrimPrefix(pkg.ImportPath, module+"/"), name, path})
			}
		}
	}
}
