package document

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
		d := Parse(name, body)
		last := 0
		for _, b := range d.Blocks {
			require.GreaterOrEqual(t, b.Line, last)
			require.Positive(t, b.Line)
			require.True(t, utf8.ValidString(b.Text))
			require.Equal(t, utf8.RuneCountInString(b.Orig), utf8.RuneCountInString(b.Text), "the two are the same, rune for rune")
			last = b.Line
		}
		require.LessOrEqual(t, len(d.Blocks), MaxBlocks)
	})
}
