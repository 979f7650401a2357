package main

import (
	"runtime/debug"
	"strings"

	"github.com/prometheus/common/version"
)

// tellVersion fills in what nobody stamped, so that a plain `go build` says something true of itself too. `make build`
// stamps version, revision, branch and date by the linker.
func tellVersion() {
	info, _ := debug.ReadBuildInfo()
	version.Version = builtVersion(version.Version, info)
}

// builtVersion is the version of this program: the stamped one, else the one that the go command read from the clone's
// tags and commits, else "devel". The revision is told beside it (prometheus/common reads it from the build itself).
func builtVersion(stamped string, info *debug.BuildInfo) string {
	if stamped != "" {
		return stamped
	}
	if info == nil || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}
