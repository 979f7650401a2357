package timeline

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
)

// FuzzOutline: whatever the document, its entries, fields and sections lie in its blocks, and an entry's words in its block.
func FuzzOutline(f *testing.F) {
	f.Add("a.md", []byte("# Outage 2024-05-06 UTC\n\n## Timeline\n\n- 10:00 down\n  more\n- 10:05-10:20 alert fires\n\nStart: 09:58\n"))
	f.Add("a.md", []byte("| Time | What |\n|-|-|\n| 10:00 | down |\n|  | still |\n\n### 10:30\n\nup\n"))
	f.Add("b.md", []byte("---\nresolved: true\nresolvedwhen: 2024-05-06T10:00:00Z\n---\n**Resolved** - up\nJun 7, 10:00 UTC\n"))
	f.Add("c.txt", []byte("0937 chiller trips\n0941 on call paged\n1002 back\nAt 10:00 we saw it, by 11:00 it was gone.\n"))
	all, err := lexicon.All()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		d := document.Parse(name, body)
		if len(d.Blocks) == 0 {
			return
		}
		o := Of(d, document.Detect(d.Blocks, all))
		require.Len(t, o.Sections, len(o.Document.Blocks))
		require.Len(t, o.Stamps, len(o.Document.Blocks))
		for i := range o.Entries {
			e := &o.Entries[i]
			require.True(t, e.Block >= 0 && e.Block < len(o.Document.Blocks), "%d", e.Block)
			b := &o.Document.Blocks[e.Block]
			require.Equal(t, b.Line, e.Line)
			require.LessOrEqual(t, e.TextTo, len(b.Text))
			for _, k := range e.Body {
				require.True(t, k >= 0 && k < len(o.Document.Blocks))
			}
			require.True(t, utf8.ValidString(o.Text(e)))
			require.True(t, utf8.ValidString(o.Evidence(e)))
			o.Words(e)
		}
		for _, x := range o.Fields() {
			require.True(t, x.Block >= -1 && x.Block < len(o.Document.Blocks))
			require.NotEmpty(t, x.Name)
		}
	})
}
