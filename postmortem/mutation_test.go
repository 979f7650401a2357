package postmortem

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMutations reads documents that were cut, doubled, mixed and damaged, always the same ones: whatever is left of a
// document is read without a crash, and what comes out is a record that validates.
func TestMutations(t *testing.T) {
	files, err := filepath.Glob("testdata/docs/*")
	require.NoError(t, err)
	var seeds [][]byte
	for _, f := range files {
		if filepath.Ext(f) != ".yaml" {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			seeds = append(seeds, b)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 400 {
		b := append([]byte{}, seeds[r.IntN(len(seeds))]...)
		for range 1 + r.IntN(12) {
			if len(b) == 0 {
				b = []byte("x")
			}
			p := r.IntN(len(b))
			switch r.IntN(5) {
			case 0:
				b[p] = byte(r.IntN(256))
			case 1:
				b = append(b[:p:p], b[p+r.IntN(len(b)-p):]...)
			case 2:
				q := min(len(b), p+r.IntN(60))
				b = append(b[:q:q], append(append([]byte{}, b[p:q]...), b[q:]...)...)
			case 3:
				o := seeds[r.IntN(len(seeds))]
				x := r.IntN(len(o))
				b = append(b[:p:p], append(append([]byte{}, o[x:min(len(o), x+80)]...), b[p:]...)...)
			case 4:
				b[p] = " \n|:-.0123456789<>*"[r.IntN(19)]
			}
		}
		_, err := Read([]string{"a.md", "a.html"}[n%2], b, Options{})
		if err != nil {
			require.ErrorContains(t, err, "not a text")
		}
	}
}
