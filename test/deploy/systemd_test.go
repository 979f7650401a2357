package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// systemd reads the unit, and the credentials beside it, without a word.
func TestUnit(t *testing.T) {
	analyze := servers.Path(t, "systemd-analyze")
	from := filepath.Join(servers.Root(t), "deploy/systemd")
	for _, c := range []struct {
		name, dropIn string
		mend         func(unit []byte) []byte
		want         string // in what it says; empty for nothing
	}{
		{name: "the unit"},
		{name: "with credentials", dropIn: "credentials.conf"},
		{name: "a key that is none", mend: func(u []byte) []byte { return append(u, "\n[Service]\nProtectClok=yes\n"...) }, want: "Unknown key"},
		{name: "a value that is none", mend: func(u []byte) []byte { return append(u, "\n[Service]\nPrivateTmp=perhaps\n"...) }, want: "perhaps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			units := filepath.Join(dir, "usr/lib/systemd/system")
			put := func(path string, text []byte, mode os.FileMode) {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, text, mode))
			}
			unit, err := os.ReadFile(filepath.Join(from, "meantime.service"))
			require.NoError(t, err)
			if c.mend != nil {
				unit = c.mend(unit)
			}
			put(filepath.Join(units, "meantime.service"), unit, 0o644)
			// What it needs and waits for.
			for _, u := range []string{"sysinit.target", "basic.target", "shutdown.target", "multi-user.target", "network-online.target"} {
				put(filepath.Join(units, u), []byte("[Unit]\nDescription="+u+"\n"), 0o644)
			}
			for _, p := range []string{"usr/bin/meantime", "bin/kill"} {
				put(filepath.Join(dir, p), []byte("#!/bin/sh\n"), 0o755)
			}
			if c.dropIn != "" {
				text, err := os.ReadFile(filepath.Join(from, c.dropIn))
				require.NoError(t, err)
				put(filepath.Join(dir, "etc/systemd/system/meantime.service.d", c.dropIn), text, 0o644)
			}
			out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--root="+dir, "meantime.service").CombinedOutput()
			if c.want != "" {
				require.Contains(t, string(out), c.want)
				return
			}
			require.NoError(t, err, string(out))
			require.Empty(t, string(out))
		})
	}
}

// The unit gives Meantime little more than its store and the network.
func TestUnitIsHardened(t *testing.T) {
	analyze := servers.Path(t, "systemd-analyze")
	// In tenths: newer versions of systemd look at more. It was 1.2 with 252.
	run(t, servers.Root(t), analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", "deploy/systemd/meantime.service")
}
