// Command install brings the programs that the tests run: Debian packages by apt-get where it may, Alertmanager's newest
// version from source. It says what is here and what is not; what is missing is an error only in CI (CI=true), because
// elsewhere the tests that need it are skipped and the others are worth running.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"

	"meantime/test/servers"
)

func main() {
	var packages []string
	for _, p := range servers.Programs() {
		if _, err := p.Find(); err != nil && p.Package != "" && !slices.Contains(packages, p.Package) {
			packages = append(packages, p.Package)
		}
	}
	if len(packages) > 0 {
		if err := apt(packages); err != nil {
			fmt.Fprintf(os.Stderr, "Cannot install %v: %v\n", packages, err)
		}
	}
	missing := false
	for _, p := range servers.Programs() {
		path, err := p.Find()
		if err != nil {
			missing = true
			fmt.Printf("not here: %v: %s are left out\n", err, p.For)
			continue
		}
		fmt.Printf("%-20s %s\n", p.Name, path)
	}
	if missing && os.Getenv("CI") == "true" {
		fmt.Fprintln(os.Stderr, "CI leaves nothing out.")
		os.Exit(1)
	}
}

// apt installs Debian packages. Only root may.
func apt(packages []string) error {
	if os.Getuid() != 0 {
		return fmt.Errorf("only root can; run apt-get install, or the tests that need them are left out")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return err
	}
	install := append([]string{"install", "-y", "--no-install-recommends"}, packages...)
	for _, args := range [][]string{{"update"}, install} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", args[0], err)
		}
	}
	return nil
}
