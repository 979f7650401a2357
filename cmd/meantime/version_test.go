package main

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuiltVersion(t *testing.T) {
	of := func(v string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: "meantime", Version: v}}
	}
	for _, c := range []struct {
		name, stamped string
		info          *debug.BuildInfo
		want          string
	}{
		{"make build", "0.1.0", of("v0.0.0-20261130115958-180b7c1e0f11"), "0.1.0"},
		{"go build in a clone without a tag", "", of("v0.0.0-20261130115958-180b7c1e0f11+dirty"), "0.0.0-20261130115958-180b7c1e0f11+dirty"},
		{"go build at a tag", "", of("v0.1.0"), "0.1.0"},
		{"go build -buildvcs=false", "", of("(devel)"), "devel"},
		{"go test", "", of(""), "devel"},
		{"no build information", "", nil, "devel"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, builtVersion(c.stamped, c.info)) })
	}
}
