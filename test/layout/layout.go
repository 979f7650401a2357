// Package layout knows the walls of the house: which of Meantime's packages may import which, and where each library
// lives. Its test holds the repository to it. The walls also stand in .golangci.yml, for editors.
package layout

import (
	"fmt"
	"slices"
	"strings"
)

// module is the path of the repository's module.
const module = "meantime"

// allowed says which of Meantime's own packages each package may import, downwards only. A name that ends in "/..."
// stands for the package and all below it, "..." for everything. A package that is not here may import nothing of
// Meantime's, and is an error by itself, so that a new one is given its place.
var allowed = map[string][]string{
	"cmd/...": {"app"},
	"app": {
		"access", "api", "backfill", "collector", "config", "correlate", "correlate/catalog", "incident", "letter", "letter/post",
		"measure", "postmortem", "preview", "progress", "setup", "source/...", "store", "store/sqlstore", "web", "webhook",
	},
	"config": {"correlate", "correlate/catalog", "incident"},

	"api":               {"access", "incident", "measure", "preview", "setup"},
	"backfill":          {"incident", "measure"},
	"collector":         {"incident", "measure"},
	"source/...":        {"incident", "measure", "source", "source/jq", "source/tracker"},
	"source/sourcetest": {"incident", "source", "source/jq"}, // what tests of connectors have in common
	"source/prometheus": {"incident", "measure", "source", "source/prometheus/history"},
	"letter":            {"incident", "measure"},
	"letter/post":       {"incident", "letter", "measure"},
	"web":               {"access", "incident", "letter", "measure", "preview", "setup"},
	"webhook":           {"access", "incident", "measure"},

	"correlate":          {"correlate/assemble", "correlate/assign", "correlate/catalog", "correlate/linkage", "incident"},
	"correlate/assemble": {"correlate/catalog", "incident"},
	"correlate/assign":   {"correlate/catalog", "incident"},
	"correlate/linkage":  {"correlate/catalog", "incident"},
	"correlate/catalog":  {"incident"},
	"measure":            {"incident"},
	"preview":            {"incident", "measure"},
	"postmortem":         {"incident", "postmortem/..."},

	// The stages of reading a written postmortem, each of which knows only those before it.
	"postmortem/lexicon":  {"incident"},
	"postmortem/document": {"incident", "postmortem/lexicon"},
	"postmortem/timex":    {"incident", "postmortem/lexicon", "postmortem/document"},
	"postmortem/timeline": {"incident", "postmortem/lexicon", "postmortem/document", "postmortem/timex"},
	"postmortem/calendar": {"incident", "postmortem/lexicon", "postmortem/document", "postmortem/timex", "postmortem/timeline"},
	"postmortem/events": {
		"incident", "postmortem/lexicon", "postmortem/document", "postmortem/timex", "postmortem/timeline", "postmortem/calendar",
	},
	"postmortem/extract": {"incident"},
	"postmortem/milestones": {
		"incident", "postmortem/lexicon", "postmortem/document", "postmortem/timex", "postmortem/timeline", "postmortem/calendar",
		"postmortem/events", "postmortem/extract",
	},

	"store":           {"incident"},
	"store/sqlstore":  {"incident", "store"},
	"store/storetest": {"incident", "store"},

	"access":         {}, // tokens, hosts: what all that take requests have in common
	"incident":       {},
	"progress":       {}, // how far long work is: said on terminals, in the log and on pages
	"setup":          {}, // what is connected: said in pages, API and shell
	"dashboards/...": {},

	"demo": {}, // it uses the program as its users do

	"deploy/...": {}, // what images and packages are made with

	"eval/...": {"..."},
	"test/...": {"..."},
}

// judges look at the others from outside. They may use every library that has a home.
var judges = []string{"eval/...", "test/..."}

// outside are the packages that no other package may import, whatever its list says; their own kind may.
var outside = append([]string{"cmd/...", "demo", "deploy/..."}, judges...)

// A home is where a library may be imported: packages, as in allowed, or files of one name in any package. Of several
// homes that fit an import the one with the longest path counts.
type home struct {
	library  string
	packages []string
	file     string
}

// homes lists every library. One that is not here has no home, so that a new one is given its place.
var homes = []home{
	{library: "github.com/alecthomas/kingpin", packages: []string{"cmd/..."}},
	{library: "github.com/prometheus/exporter-toolkit/web", packages: []string{"app", "web"}},
	{library: "github.com/prometheus/exporter-toolkit/web/kingpinflag", packages: []string{"cmd/..."}},
	{library: "github.com/prometheus/common", packages: []string{"..."}},

	{library: "github.com/spf13/viper", packages: []string{"config"}},
	{library: "github.com/go-viper/mapstructure", packages: []string{"config"}},
	{library: "go.yaml.in/yaml", packages: []string{"config", "dashboards/...", "postmortem/...", "source/..."}},
	{library: "github.com/go-json-experiment/json", packages: []string{"webhook"}},

	{library: "database/sql", packages: []string{"store/sqlstore"}},
	{library: "modernc.org/sqlite", packages: []string{"store/sqlstore"}},
	{library: "github.com/jackc/pgx", packages: []string{"store/sqlstore"}},
	{library: "github.com/pressly/goose", packages: []string{"store/sqlstore"}},

	{library: "github.com/schollz/progressbar", packages: []string{"progress"}},
	{library: "golang.org/x/term", packages: []string{"progress"}},

	{library: "github.com/go-resty/resty", packages: []string{"letter/post", "source/..."}},
	{library: "github.com/itchyny/gojq", packages: []string{"source/jq"}},
	{library: "github.com/fsnotify/fsnotify", packages: []string{"source/file"}},

	// Of Alertmanager only what is stable and small: events, matchers, and the client of its API.
	{library: "github.com/prometheus/alertmanager/eventrecorder/eventrecorderpb", packages: []string{"webhook"}},
	{library: "google.golang.org/protobuf", packages: []string{"webhook"}},
	{library: "google.golang.org/protobuf/encoding/protowire", packages: []string{"backfill"}},
	{library: "github.com/prometheus/alertmanager/matcher", packages: []string{"config", "correlate/...", "source/alertmanager"}},
	{library: "github.com/prometheus/alertmanager/pkg/labels", packages: []string{"app", "config", "correlate/...", "source/..."}},
	{library: "github.com/prometheus/alertmanager/api/v2", packages: []string{"source/alertmanager"}},
	{library: "github.com/go-openapi", packages: []string{"source/alertmanager"}},

	// Of Prometheus only how it relabels alerts.
	{library: "github.com/prometheus/prometheus/model/labels", packages: []string{"source/prometheus/history"}},
	{library: "github.com/prometheus/prometheus/model/relabel", packages: []string{"source/prometheus/history"}},

	{library: "github.com/prometheus/client_golang/prometheus", packages: []string{"collector"}, file: "metrics.go"},
	{library: "github.com/prometheus/client_model", packages: []string{"collector"}, file: "metrics.go"},
	{library: "github.com/prometheus/client_golang/exp/api/remote", packages: []string{"backfill"}},

	{library: "gonum.org/v1/gonum", packages: []string{"measure"}},
	{library: "github.com/yuin/goldmark", packages: []string{"postmortem/document", "source/..."}},
	{library: "golang.org/x/net/http/httpguts", packages: []string{"config"}},
	{library: "golang.org/x/oauth2", packages: []string{"source"}},
	{library: "golang.org/x/net/html", packages: []string{"postmortem/document", "source/..."}},
	{library: "golang.org/x/time/rate", packages: []string{"access", "source/..."}},
	{library: "golang.org/x/text", packages: []string{"postmortem/document", "postmortem/lexicon"}},
	{library: "golang.org/x/sync", packages: []string{"..."}},

	{library: "golang.org/x/crypto/x509roots/fallback", packages: []string{"deploy/..."}},

	// What only tests use. Files of tests are not asked.
	{library: "github.com/stretchr/testify", packages: []string{"store/storetest", "source/sourcetest"}},
	{library: "pgregory.net/rapid", packages: []string{"store/storetest"}},
	{library: "github.com/rogpeppe/go-internal"},
}

// An imported is one import of one file that is not a test.
type imported struct {
	pkg  string // the importing package, without the module's path
	file string // the file's name
	path string // what it imports
}

// violations lists what breaks the walls, in words.
func violations(imports []imported) []string {
	var out []string
	for _, i := range imports {
		if why := judge(i); why != "" {
			out = append(out, fmt.Sprintf("%s/%s imports %s: %s", i.pkg, i.file, i.path, why))
		}
	}
	return out
}

// judge says what is wrong with an import; empty where nothing is.
func judge(i imported) string {
	if target, own := strings.CutPrefix(i.path, module+"/"); own {
		may, known := lookup(i.pkg)
		switch {
		case !known:
			return "the package has no place in the house yet; see test/layout"
		case among(target, outside) && !sameFloor(i.pkg, target):
			return "nobody imports what judges the house from outside"
		case !among(target, may):
			return fmt.Sprintf("%s may import only: %s", i.pkg, strings.Join(may, ", "))
		}
		return ""
	}
	h, ok := homeOf(i.path)
	switch {
	case !ok && !strings.Contains(strings.Split(i.path, "/")[0], "."):
		return "" // the standard library
	case !ok:
		return "the library has no home yet; see test/layout"
	case among(i.pkg, h.packages), h.file != "" && i.file == h.file, among(i.pkg, judges):
		return ""
	case len(h.packages) == 0:
		return "only tests use it"
	case h.file != "":
		return fmt.Sprintf("its home is %s and files called %s", strings.Join(h.packages, ", "), h.file)
	}
	return "its home is " + strings.Join(h.packages, ", ")
}

// lookup is what a package may import, by its own name or the pattern it falls under.
func lookup(pkg string) ([]string, bool) {
	if may, ok := allowed[pkg]; ok {
		return may, true
	}
	for name, may := range allowed {
		if fits(pkg, name) {
			return may, true
		}
	}
	return nil, false
}

// homeOf is the home that fits a library best.
func homeOf(path string) (best home, ok bool) {
	for _, h := range homes {
		if (path == h.library || strings.HasPrefix(path, h.library+"/")) && len(h.library) > len(best.library) {
			best, ok = h, true
		}
	}
	return best, ok
}

func among(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(pkg, p) })
}

func fits(pkg, pattern string) bool {
	if top, ok := strings.CutSuffix(pattern, "..."); ok {
		return top == "" || pkg+"/" == top || strings.HasPrefix(pkg, top)
	}
	return pkg == pattern
}

// sameFloor says whether two packages lie under the same folder of the repository.
func sameFloor(a, b string) bool {
	return strings.Split(a, "/")[0] == strings.Split(b, "/")[0]
}
