package incident

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFingerprint(t *testing.T) {
	// As Alertmanager 0.25 shows it for these labels.
	require.Equal(t, "9706f6e226c4ade9", Fingerprint(map[string]string{"alertname": "Down", "instance": "db-1"}))
	require.Equal(t, "9706f6e226c4ade9", Fingerprint(map[string]string{"instance": "db-1", "alertname": "Down", "empty": ""}))
	require.NotEqual(t, "9706f6e226c4ade9", Fingerprint(map[string]string{"instance": "db-2", "alertname": "Down"}))
}

func TestCheckLabels(t *testing.T) {
	many := map[string]string{}
	for i := range 128 {
		many[fmt.Sprint("l", i)] = "v"
	}
	require.NoError(t, CheckLabels(many))
	many["one"] = "more"
	require.EqualError(t, CheckLabels(many), "129 are more than the 128 allowed")
	require.EqualError(t, CheckLabels(nil), "missing; they are what an alert is")
	require.NoError(t, CheckLabels(map[string]string{"a": strings.Repeat("x", 16383)}))
	require.EqualError(t, CheckLabels(map[string]string{"a": strings.Repeat("x", 16384)}), "16385 bytes are more than the 16384 allowed")
}

func TestPlain(t *testing.T) {
	require.Equal(t, "äö…", PlainText("äöü", 5), "cut between two characters")
	require.Equal(t, "äöü", PlainText("äöü", 6))
	require.Equal(t, "a\uFFFDb", PlainText("a\x00b", 9))
	require.Equal(t, map[string]string{"a": "b", "c\uFFFD": "d\uFFFD"}, PlainLabels(map[string]string{"a": "b", "c\x00": "d\x00"}))
	require.Equal(t, map[string]string{"a": "b"}, PlainLabels(map[string]string{"a": "b"}))
	require.Nil(t, PlainAnnotations(nil))
	in := map[string]string{"long": strings.Repeat("x", 5000), strings.Repeat("n", 257): "v"}
	for i := range 100 {
		in[fmt.Sprintf("a%02d", i)] = "v"
	}
	out := PlainAnnotations(in)
	require.Len(t, out, 64)
	require.Contains(t, out, "a63")
	require.NotContains(t, out, "a64")
	delete(in, "a00")
	require.Equal(t, strings.Repeat("x", 4096)+"…", PlainAnnotations(map[string]string{"long": in["long"]})["long"])
}
