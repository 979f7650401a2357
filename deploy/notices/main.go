// Command notices prints the licences of everything that is linked into Meantime's program: of Go itself, and of every module
// with a package in it. A module without one is a mistake, because a copy must carry it. Run it in the repository.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A component is what has licences of its own.
type component struct{ name, version, dir string }

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	line := strings.Repeat("=", 100)
	components, err := linked("./cmd/meantime")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Meantime's program contains Go and %d modules by others, under the licences below.\n", len(components)-1)
	for _, c := range components {
		files, err := licences(c.dir)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s %s has no licence in %s", c.name, c.version, c.dir)
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(c.dir, f))
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\n%s\n%s %s: %s\n%s\n\n%s\n", line, c.name, c.version, f, line, strings.TrimSpace(string(text)))
		}
	}
	return nil
}

// linked lists Go and the modules whose packages a program has, each once, by name.
func linked(program string) ([]component, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Standard,Module", program)
	cmd.Stderr = os.Stderr
	// What is shipped is built without cgo.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	environment, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	goroot, version, _ := strings.Cut(strings.TrimSpace(string(environment)), "\n")
	all := map[string]component{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
				Replace            *struct{ Version, Dir string }
			}
		}
		if err := d.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		m := pkg.Module
		if m == nil || m.Main {
			continue
		}
		c := component{m.Path, m.Version, m.Dir}
		if m.Replace != nil {
			c.version, c.dir = m.Replace.Version, m.Replace.Dir
		}
		all[c.name] = c
	}
	list := make([]component, 0, len(all)+1)
	for _, c := range all {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b component) int { return strings.Compare(a.name, b.name) })
	return append([]component{{"Go", strings.TrimPrefix(version, "go"), goroot}}, list...), nil
}

// licenceName is how files of licences and notices are called.
var licenceName = regexp.MustCompile(`(?i)^([a-z0-9.]+-)?(licen[cs]e|copying|notice|patents|unlicense)([-._][a-z0-9.-]+)?$`)

// licences lists the files of licences in a folder, by name.
func licences(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() && licenceName.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
			out = append(out, e.Name())
		}
	}
	return out, nil
}
