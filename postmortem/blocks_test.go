package postmortem

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzBlocks: whatever the bytes, blocks come in the order of their lines, hold valid text and are never too long.
func FuzzBlocks(f *testing.F) {
	f.Add("a.md", []byte("---\ntitle: x\n---\n# A\n> q\n\n|a|b|\n|-|-|\n|1|2|\n- x\n  - y\n\n```\ncode\n```\n"))
	f.Add("a.html", []byte("<ul><li>10:00 <b>x</b><table><tr><td>1<td>2</table>"))
	f.Add("a.txt", []byte("\xff\xfe1\x000\x00"))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		d := parse(name, body)
		last := 0
		for _, b := range d.blocks {
			require.GreaterOrEqual(t, b.line, last)
			require.Positive(t, b.line)
			require.True(t, utf8.ValidString(b.text))
			require.Equal(t, utf8.RuneCountInString(b.orig), utf8.RuneCountInString(b.text), "the two are the same, rune for rune")
			last = b.line
		}
		require.LessOrEqual(t, len(d.blocks), maxBlocks)
	})
}
