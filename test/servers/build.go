package servers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// newAlertmanagerVersion is the version that the module test/alertmanager pins.
const newAlertmanagerVersion = "0.34.2"

// buildAlertmanager is the path of the Alertmanager that test/alertmanager pins, built where it has not been yet. It
// stays in the cache under a name that changes with the pins, so that one build serves every later run.
func buildAlertmanager() (string, error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	dir, err := cache()
	if err != nil {
		return "", err
	}
	pins := sha256.New()
	files := make(map[string][]byte)
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(top, "test", "alertmanager", name))
		if err != nil {
			return "", err
		}
		pins.Write(b)
		files[name] = b
	}
	binary := filepath.Join(dir, "alertmanager-"+newAlertmanagerVersion+"-"+hex.EncodeToString(pins.Sum(nil)[:4]))

	// Tests of several packages run at once and may all find it missing.
	unlock, err := lockedfile.MutexAt(binary + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}

	module, err := os.MkdirTemp(dir, "alertmanager-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(module)
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(module, name), b, 0o644); err != nil {
			return "", err
		}
	}
	// -e, because what Alertmanager embeds from its web interface is built by npm and not part of the module.
	if err := goTool(module, "mod", "vendor", "-e"); err != nil {
		return "", fmt.Errorf("build Alertmanager: %w", err)
	}
	// Any page does in its place.
	page := filepath.Join(module, "vendor/github.com/prometheus/alertmanager/ui/app/dist/index.html")
	if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(page, []byte("<!doctype html><title>Alertmanager</title>\n"), 0o644); err != nil {
		return "", err
	}
	err = goTool(module, "build", "-mod=vendor", "-o", binary+".new",
		"-ldflags=-s -w -X github.com/prometheus/common/version.Version="+newAlertmanagerVersion,
		"github.com/prometheus/alertmanager/cmd/alertmanager")
	if err != nil {
		return "", fmt.Errorf("build Alertmanager: %w", err)
	}
	return binary, os.Rename(binary+".new", binary)
}

// Each way of building Meantime's program happens once in a test's process.
var (
	plainBinary = sync.OnceValues(func() (string, error) { return binary(false) })
	raceBinary  = sync.OnceValues(func() (string, error) { return binary(true) })
)

// Binary is the path of Meantime's own program, built from the working tree.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := plainBinary()
	if err != nil {
		t.Fatalf("build meantime: %v", err)
	}
	return path
}

// binary builds Meantime's program. It lies in the cache under a name of its work tree and is replaced in one step, so
// that tests of several packages can build and run it at the same time.
func binary(race bool) (string, error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	dir, err := cache()
	if err != nil {
		return "", err
	}
	tree := sha256.Sum256([]byte(top))
	path := filepath.Join(dir, "meantime-"+hex.EncodeToString(tree[:4]))
	args := []string{"build"}
	if race {
		path += "-race"
		args = append(args, "-race")
	}
	unlock, err := lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := goTool(top, append(args, "-o", path+".new", "./cmd/meantime")...); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}

// goTool runs the go command and returns what it printed where it went wrong.
func goTool(dir string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, out)
	}
	return nil
}
