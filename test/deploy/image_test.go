package deploy_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// The image is built from nothing, says who it is and runs from its own root: not as root, with nothing but its own files.
func TestImage(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		servers.LeftOut(t, "only root of a Linux machine builds an image without a daemon")
	}
	servers.Path(t, "buildah")
	root, storage := servers.Root(t), filepath.Join(t.TempDir(), "storage")
	t.Setenv("STORAGE", storage)
	run(t, root, "make", "image", "BUILDER=buildah", "IMAGE=meantime")
	buildah := func(args ...string) string {
		return strings.TrimSpace(run(t, root, "buildah",
			append([]string{"--storage-driver", "vfs", "--root", storage, "--runroot", storage + "-run"}, args...)...))
	}
	name := "meantime:" + version(t)

	var image struct {
		Docker struct {
			Config struct {
				User, WorkingDir string
				Entrypoint, Cmd  []string
				ExposedPorts     map[string]any
				Volumes          map[string]any
				Labels           map[string]string
				Healthcheck      struct{ Test []string }
			} `json:"config"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(buildah("inspect", "--type", "image", name)), &image))
	c := image.Docker.Config
	require.Equal(t, "65532:65532", c.User)
	require.Equal(t, []string{"/usr/bin/meantime"}, c.Entrypoint)
	require.Equal(t, []string{"serve"}, c.Cmd)
	require.Equal(t, []string{"CMD", "/usr/bin/meantime", "healthcheck"}, c.Healthcheck.Test)
	require.Contains(t, c.ExposedPorts, "10049/tcp")
	require.Contains(t, c.Volumes, c.WorkingDir)
	require.Equal(t, version(t), c.Labels["org.opencontainers.image.version"])
	require.Contains(t, c.Labels["org.opencontainers.image.revision"], strings.TrimSpace(run(t, root, "git", "rev-parse", "HEAD")))
	require.Equal(t, "Apache-2.0", c.Labels["org.opencontainers.image.licenses"])

	container := buildah("from", "--pull-never", name)
	inside := buildah("mount", container)
	for _, f := range []string{"etc/ssl/certs/ca-certificates.crt", "usr/share/doc/meantime/NOTICES", "usr/share/doc/meantime/LICENSE", "etc/passwd"} {
		require.FileExists(t, filepath.Join(inside, f))
	}
	require.NoFileExists(t, filepath.Join(inside, "bin/sh"))

	// As its user, with its root, and with the environment that the image gives.
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), c.Entrypoint[0], args...)
		cmd.Path, cmd.Err = c.Entrypoint[0], nil // it is there in its own root
		cmd.Dir, cmd.Env = c.WorkingDir, []string{"PATH=/usr/bin"}
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Chroot: inside, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}, Pdeathsig: syscall.SIGKILL,
		}
		return cmd
	}
	out, err := command("--version").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "meantime, version "+version(t))

	// Zone data is there.
	require.NoError(t, os.WriteFile(filepath.Join(inside, "etc/meantime/meantime.yml"), []byte(
		`correlate: {maintenance: [{matchers: ['service="batch"'], weekly: "sun 02:00-04:00", zone: Europe/Berlin}]}`), 0o644))
	out, err = command("check-config", "--config.file=/etc/meantime/meantime.yml").CombinedOutput()
	require.NoError(t, err, string(out))

	address := servers.Address(t)
	var said strings.Builder
	daemon := command(append(c.Cmd, "--web.listen-address="+address)...)
	daemon.Stdout, daemon.Stderr = &said, &said
	require.NoError(t, daemon.Start())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	t.Cleanup(func() {
		if t.Failed() {
			_ = daemon.Process.Kill()
			t.Log(<-ended, said.String())
		}
	})
	servers.Eventually(t, 2*time.Minute, func() error {
		return command("healthcheck", "--url=http://"+address+"/-/healthy").Run()
	})
	servers.Eventually(t, 2*time.Minute, func() error {
		return command("healthcheck", "--url=http://"+address+"/-/ready").Run()
	})
	resp, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	st, err := os.Stat(filepath.Join(inside, c.WorkingDir, "meantime.db"))
	require.NoError(t, err)
	require.EqualValues(t, 65532, st.Sys().(*syscall.Stat_t).Uid)
	require.NoError(t, daemon.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-ended)
	out, err = command("healthcheck", "--url=http://"+address+"/-/healthy").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "connection refused")
}
