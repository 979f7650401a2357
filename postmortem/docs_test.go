package postmortem

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// What docs/postmortems.md shows as read without a question is, and its answers are of the right form.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../docs/postmortems.md")
	require.NoError(t, err)
	fence := func(language string) string {
		_, rest, ok := strings.Cut(string(b), "```"+language+"\n")
		require.True(t, ok, language)
		text, _, ok := strings.Cut(rest, "```")
		require.True(t, ok)
		return text
	}
	f := one(t, "report.md", fence("markdown"))
	require.Equal(t, "started 2026-03-04T14:05, detected 2026-03-04T14:11, acknowledged 2026-03-04T14:14, identified 2026-03-04T14:38, "+
		"mitigated 2026-03-04T14:53, resolved 2026-03-04T16:20", given(f))
	require.Empty(t, questions(f))
	require.Equal(t, incident.ByAlert, f.Record.DetectedBy)
	require.Equal(t, []string{"checkout"}, f.Record.Services)
	_, err = ParseAnswers([]byte(fence("yaml")))
	require.NoError(t, err)
}
