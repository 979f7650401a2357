package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Program is one of the programs that tests run.
type Program struct {
	Name string
	// For says which tests need it.
	For string
	// Package is the Debian package that brings it; empty for what is built from source.
	Package string

	commands []string // names to look for in PATH
	dirs     []string // glob patterns of further folders to look in
	build    func() (string, error)
}

// The programs that tests run, in the words of the messages about them.
var (
	prometheusProgram = Program{Name: "Prometheus", For: "end-to-end tests", Package: "prometheus", commands: []string{"prometheus"}}
	promtoolProgram   = Program{Name: "promtool", For: "checks of metrics and rules", Package: "prometheus", commands: []string{"promtool"}}
	oldAlertmanager   = Program{Name: "Alertmanager 0.25", For: "end-to-end tests", Package: "prometheus-alertmanager", commands: []string{"prometheus-alertmanager"}}
	newAlertmanager   = Program{Name: "Alertmanager " + newAlertmanagerVersion, For: "end-to-end tests", build: buildAlertmanager}
	victoriaProgram   = Program{
		Name: "VictoriaMetrics", For: "tests of the past", Package: "victoria-metrics", commands: []string{"victoria-metrics"},
	}
	postgresProgram = Program{
		Name: "PostgreSQL", For: "store tests", Package: "postgresql",
		commands: []string{"postgres"}, dirs: []string{"/usr/lib/postgresql/*/bin"},
	}
	jsonnetProgram  = Program{Name: "jsonnet", For: "tests of the mixin", Package: "jsonnet", commands: []string{"jsonnet"}}
	buildahProgram  = Program{Name: "buildah", For: "tests of the image", Package: "buildah", commands: []string{"buildah"}}
	systemdProgram  = Program{Name: "systemd-analyze", For: "tests of the unit", Package: "systemd", commands: []string{"systemd-analyze"}}
	chromiumProgram = Program{
		Name: "Chromium", For: "tests of the pages", Package: "chromium",
		commands: []string{"chromium", "chromium-browser", "google-chrome"},
	}
)

// Programs lists every program that tests run.
func Programs() []Program {
	return []Program{
		prometheusProgram, promtoolProgram, oldAlertmanager, newAlertmanager, victoriaProgram, postgresProgram, chromiumProgram,
		jsonnetProgram, buildahProgram, systemdProgram,
	}
}

// Find is the path of the program. One that is built from source is built where it has not been yet.
func (p Program) Find() (string, error) {
	if p.build != nil {
		return p.build()
	}
	for _, c := range p.commands {
		if path, err := exec.LookPath(c); err == nil {
			return filepath.EvalSymlinks(path)
		}
		for _, d := range p.dirs {
			found, _ := filepath.Glob(filepath.Join(d, c)) // the pattern is a constant and well formed
			if len(found) > 0 {
				return slices.Max(found), nil
			}
		}
	}
	return "", fmt.Errorf("%s is not installed (%s)", p.Name, "Debian package "+p.Package)
}

// need is the path of the program, or the end of the test: skipped, and failed in CI.
func need(t testing.TB, p Program) string {
	t.Helper()
	path, err := p.Find()
	if err != nil {
		LeftOut(t, err.Error())
	}
	return path
}

// LeftOut ends a test that cannot run here: skipped, and failed in CI.
func LeftOut(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("cannot run, and CI leaves nothing out: %s", reason)
		return
	}
	t.Skipf("cannot run here: %s", reason)
}

// Promtool runs promtool with the arguments and standard input and returns what it printed and whether it succeeded.
func Promtool(t testing.TB, stdin string, args ...string) (output string, ok bool) {
	t.Helper()
	cmd := exec.Command(need(t, promtoolProgram), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("promtool: %v", err)
	}
	return string(out), err == nil
}

// Path is the path of a program of Programs by its name.
func Path(t testing.TB, name string) string {
	t.Helper()
	for _, p := range Programs() {
		if p.Name == name {
			return need(t, p)
		}
	}
	t.Fatalf("%s is no program of the tests", name)
	return ""
}

// Chromium is the path of a browser.
func Chromium(t testing.TB) string {
	t.Helper()
	return need(t, chromiumProgram)
}

// root is the folder of the repository: the nearest one above the working directory whose go.mod is Meantime's own.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module meantime\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod of module meantime above the working directory")
		}
		dir = up
	}
}

// Root is the folder of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// cache is the folder in the user's cache that holds what is built for tests.
func cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "meantime-test")
	return dir, os.MkdirAll(dir, 0o755)
}
