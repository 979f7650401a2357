package release_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
	"github.com/stretchr/testify/require"
)

// program is the path of a program that the install step brings; without it the test is left out, and fails in CI.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("cannot run, and CI leaves nothing out: %v", err)
		}
		t.Skipf("cannot run here: %v", err)
	}
	return path
}

// run runs a command and returns what it said.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v:\n%s", name, args, out)
	return string(out)
}

// pack makes a package as `make packages` does, and returns its path.
func pack(t *testing.T, format, version string) string {
	t.Helper()
	t.Chdir(root)
	run(t, ".", "make", "package-files", "ARCH="+runtime.GOARCH)
	config, err := nfpm.ParseFileWithEnvMapping("deploy/packages/nfpm.yaml", func(name string) string {
		return map[string]string{"ARCH": runtime.GOARCH, "VERSION": version}[name]
	})
	require.NoError(t, err)
	info, err := config.Get(format)
	require.NoError(t, err)
	info = nfpm.WithDefaults(info)
	require.NoError(t, nfpm.PrepareForPackager(info, format))
	packager, err := nfpm.Get(format)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), packager.ConventionalFileName(info))
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, packager.Package(info, f))
	require.NoError(t, f.Close())
	return path
}

// files are what both packages bring.
var files = []string{
	"/usr/bin/meantime", "/etc/meantime/meantime.yml", "/etc/default/meantime", "/usr/lib/systemd/system/meantime.service",
	"/usr/lib/sysusers.d/meantime.conf", "/usr/share/man/man1/meantime.1.gz", "/usr/share/bash-completion/completions/meantime",
	"/usr/share/doc/meantime/docs/config.md", "/usr/share/doc/meantime/docs/runbooks/MeantimeAbsent.md", "/usr/share/doc/meantime/NOTICES",
	"/usr/share/meantime/dashboards/detection.json", "/usr/share/meantime/rules/alerts.yaml",
}

// scratch is a root with a shell and what the packages' scripts call, and nothing else. Its programs are the machine's own.
func scratch(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can install packages, and CI leaves nothing out")
		}
		t.Skip("only root can install packages")
	}
	dir := t.TempDir()
	for _, d := range []string{"bin", "etc", "proc", "run", "tmp", "usr/bin", "usr/sbin", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/rpm", "dev"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n", "etc/shadow": "root:*:1::::::\n", "etc/gshadow": "root:*::\n",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n", "var/lib/dpkg/status": "", "var/lib/dpkg/available": "", "dev/null": "",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	for _, name := range []string{"sh", "getent", "systemd-sysusers", "chown", "chmod"} {
		path := program(t, name)
		target := filepath.Join(dir, "usr/bin", name)
		copyFile(t, path, target)
		if name == "sh" {
			copyFile(t, path, filepath.Join(dir, "bin/sh"))
		}
		libraries := strings.Fields(run(t, "/", "ldd", path))
		for _, l := range slices.Concat(libraries, glob(t, "/lib/*/libnss_files.so.2")) {
			if strings.HasPrefix(l, "/") {
				copyFile(t, l, filepath.Join(dir, l))
			}
		}
	}
	return dir
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return found
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, text, 0o755))
}

// installed holds a root to what a package promises.
func installed(t *testing.T, dir, version string) {
	t.Helper()
	for _, f := range files {
		require.FileExists(t, filepath.Join(dir, f))
	}
	require.Contains(t, run(t, dir, "chroot", dir, "/usr/bin/meantime", "--version"), "meantime, version "+version)
	require.Contains(t, run(t, dir, "chroot", dir, "/usr/bin/meantime", "check-config", "--config.file=/etc/meantime/meantime.yml"),
		"no mistakes")
	passwd, err := os.ReadFile(filepath.Join(dir, "etc/passwd"))
	require.NoError(t, err)
	require.Contains(t, string(passwd), "\nmeantime:x:", "its user is there")
	require.Contains(t, run(t, dir, "chroot", dir, "/usr/bin/getent", "group", "meantime"), "meantime:")
	owner := run(t, dir, "stat", "-c", "%a %u", filepath.Join(dir, "etc/meantime/meantime.yml"))
	require.Equal(t, "640 0\n", owner, "a configuration may hold a password")
	group := strings.Split(run(t, dir, "chroot", dir, "/usr/bin/getent", "group", "meantime"), ":")[2]
	require.Equal(t, group, strings.TrimSpace(run(t, dir, "stat", "-c", "%g", filepath.Join(dir, "etc/meantime/meantime.yml"))))
}

func TestDeb(t *testing.T) {
	dir, dpkg := scratch(t), program(t, "dpkg")
	version := stamped(t)
	deb := pack(t, "deb", version)
	run(t, "/", dpkg, "--root="+dir, "--force-depends", "--log=/dev/null", "-i", deb)
	installed(t, dir, version)
	require.Contains(t, run(t, "/", "dpkg-query", "--admindir="+filepath.Join(dir, "var/lib/dpkg"), "-W", "-f", "${Status} ${Version}",
		"meantime"), "install ok installed "+version)

	// What the owner wrote survives a newer package, and its removal; so does the store.
	config, store := filepath.Join(dir, "etc/meantime/meantime.yml"), filepath.Join(dir, "var/lib/meantime/meantime.db")
	require.NoError(t, os.WriteFile(config, []byte("windows: [7d]\n"), 0o640))
	require.NoError(t, os.MkdirAll(filepath.Dir(store), 0o700))
	require.NoError(t, os.WriteFile(store, []byte("the store"), 0o600))
	run(t, "/", dpkg, "--root="+dir, "--force-depends", "--log=/dev/null", "-i", pack(t, "deb", "99.0.0"))
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.Equal(t, "windows: [7d]\n", string(text))
	run(t, "/", dpkg, "--root="+dir, "--log=/dev/null", "--purge", "meantime")
	require.NoFileExists(t, filepath.Join(dir, "usr/bin/meantime"))
	require.FileExists(t, store)
}

func TestRPM(t *testing.T) {
	dir, rpm := scratch(t), program(t, "rpm")
	version := stamped(t)
	path := pack(t, "rpm", version)
	run(t, "/", rpm, "--root="+dir, "--nodeps", "-i", path)
	installed(t, dir, version)
	require.Equal(t, "meantime "+version, run(t, "/", rpm, "--root="+dir, "-q", "--qf", "%{NAME} %{VERSION}", "meantime"))
	require.Contains(t, run(t, "/", rpm, "-qp", "--configfiles", path), "/etc/meantime/meantime.yml")

	config := filepath.Join(dir, "etc/meantime/meantime.yml")
	require.NoError(t, os.WriteFile(config, []byte("windows: [7d]\n"), 0o640))
	run(t, "/", rpm, "--root="+dir, "--nodeps", "-U", pack(t, "rpm", "99.0.0"))
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.Equal(t, "windows: [7d]\n", string(text))
	run(t, "/", rpm, "--root="+dir, "-e", "meantime")
	require.NoFileExists(t, filepath.Join(dir, "usr/bin/meantime"))
}

// stamped is the version of the repository.
func stamped(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "VERSION"))
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}
