package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/htmlindex"
)

func mustEncode(t *testing.T, name, s string) string {
	e, err := htmlindex.Get(name)
	require.NoError(t, err)
	out, err := e.NewEncoder().String(s)
	require.NoError(t, err)
	return out
}
